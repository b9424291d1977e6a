//! Audio that the replay buffer no longer holds: its utterance ends once, with the words so far.

use crate::common::faults::*;
use crate::common::*;
use volcasr_loopback::marks::{Layout, Mark};
use volcasr_loopback::{FaultKind, Gate, Service};

/// Plays one long sentence and loses the connection when nine words have been reported and all of
/// the first part has been sent. Then plays on.
fn lose_in_a_sentence(replay: u32, spikes: bool) -> (BusLog, Vec<Mark>, Service, gst::Element) {
    let service = service(faulty(&[], spikes));
    let sink = set(unpaced_sink(&service), &format!("replay-time={replay}"));
    let layout = Layout {
        sentence: 20,
        ..Layout::default()
    };
    let (pcm, marks) = layout.sentences(1);
    let mut rig = TestPipeline::new(sink.clone());
    rig.play();
    // Up to the end of m9, in whole chunks.
    let (first, second) = pcm.split_at(5000 * 48);
    rig.push(first, 20);
    let mut log = rig.listen_until(|message| {
        Transcript::parse(message).is_some_and(|t| t.text.split_whitespace().count() >= 9)
    });
    assert!(service.wait(LONG, |all| all[0].audio_bytes == first.len() as u64));
    assert!(service.inject(FaultKind::Reset));
    log.add(rig.listen_until(is_warning));
    rig.push(second, 20);
    rig.end();
    log.add(rig.listen());
    (log, marks, service, sink)
}

fn numbers(finals: &[Transcript]) -> Vec<u32> {
    marks_of(finals).iter().map(|mark| mark.0).collect()
}

/// Nothing is kept: the words that were reported stand, words of sent audio that were not are gone,
/// and nothing comes twice.
#[test]
pub fn without_a_window_what_was_reported_ends_unconfirmed() {
    in_parallel(&[false, true], |&spikes| {
        let (log, marks, service, sink) = lose_in_a_sentence(0, spikes);
        log.assert_no_errors("the run");
        assert_ends_once(&log.transcripts());
        assert_warned(&log, 1, "no window");
        let finals = log.finals();
        let unconfirmed: Vec<_> = finals.iter().map(|f| f.unconfirmed).collect();
        assert_eq!(unconfirmed, [true, false], "{finals:?}");
        assert_eq!(stat(&sink, "audio-replayed"), 0);
        // With the lag, m8 (to 4500 ms) was reported and m9 (to 5000 ms) was not.
        let expected: Vec<_> = (0..20).filter(|n| *n != 9).collect();
        assert_eq!(numbers(&finals), expected);
        let reported = expected_words(&marks, spikes);
        for mark in marks_of(&finals) {
            // The last word reported before the loss may still have had its times revised.
            let exact = reported[mark.0 as usize];
            assert!(
                mark.1.abs_diff(exact.1) <= 140 && mark.2.abs_diff(exact.2) <= 140,
                "{mark:?}"
            );
        }
        assert_eq!(service.connections().len(), 2);
    });
}

/// The window holds the end of the sentence: its beginning stands as it was reported, the rest
/// comes again under another number.
#[test]
pub fn a_window_that_has_moved_on_cuts_the_utterance() {
    // At the loss 5000 ms had been sent: the window began at 3150 ms, before m6, or at 2950 ms, in
    // m5's end.
    in_parallel(
        &[(1850, false), (1850, true), (2050, false), (2050, true)],
        |&(replay, spikes)| {
            let (log, marks, _service, sink) = lose_in_a_sentence(replay, spikes);
            let case = format!("{replay} {spikes}");
            log.assert_no_errors(&case);
            assert_ends_once(&log.transcripts());
            let finals = log.finals();
            let unconfirmed: Vec<_> = finals.iter().map(|f| f.unconfirmed).collect();
            assert_eq!(unconfirmed, [true, false], "{case}: {finals:?}");
            assert_eq!(numbers(&finals), (0..20).collect::<Vec<_>>(), "{case}");
            assert_eq!(marks_of(&finals), expected_words(&marks, spikes), "{case}");
            assert!(
                stat(&sink, "audio-replayed") <= u64::from(replay) * 1_000_000,
                "{case}"
            );
        },
    );
}

/// Silence that leaves the window is no loss, and no warning of its own.
#[test]
pub fn silence_leaves_the_window_unnoticed() {
    let service = service(faulty(&[], false));
    let mut rig = TestPipeline::new(set(unpaced_sink(&service), "replay-time=1000"));
    rig.play();
    let (pcm, marks) = speech(2);
    let silence = vec![0; 8000 * 48];
    rig.push(&pcm, 20);
    rig.push(&silence, 20);
    assert!(service.wait(LONG, |all| {
        all.first()
            .is_some_and(|c| c.audio_bytes as usize == pcm.len() + silence.len())
    }));
    service.hold(Gate::Upgrade);
    assert!(service.inject(FaultKind::Reset));
    // Audio that is sent into a connection that is gone leaves the window as well: so not before
    // the sink knows of it.
    let mut log = rig.listen_until(is_warning);
    let offset = rig.next.mseconds();
    rig.push(&pcm, 20);
    rig.end();
    service.release(Gate::Upgrade);
    log.add(rig.listen());
    let mut expected = expected_words(&marks, false);
    expected.extend(crate::common::expected(&marks, offset));
    log.assert_no_errors("the run");
    assert_eq!(marks_of(&log.finals()), expected);
    assert!(log.finals().iter().all(|f| !f.unconfirmed));
    assert_warned(&log, 1, "silence");
    assert_eq!(log.warnings().len(), 1);
}
