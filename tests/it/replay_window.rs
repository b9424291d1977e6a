//! Audio that the replay buffer no longer holds: its utterance ends once, with the words so far.

use crate::common::faults::*;
use crate::common::*;
use volcasr_loopback::FaultKind;
use volcasr_loopback::marks::Layout;

/// The window holds the end of a long sentence: its beginning stands as it was reported, the rest
/// comes again under another number.
#[test]
pub fn a_window_that_has_moved_on_cuts_the_utterance() {
    // At the loss 5000 ms had been sent: the window began at 3150 ms, before m6, or at 2950 ms, in
    // m5's end.
    let cases = [(1850u32, false), (1850, true), (2050, false), (2050, true)];
    in_parallel(&cases, |&(replay, spikes)| {
        let case = format!("{replay} {spikes}");
        let service = service(faulty(&[], spikes));
        let sink = set(unpaced_sink(&service), &format!("replay-time={replay}"));
        let layout = Layout {
            sentence: 20,
            ..Layout::default()
        };
        let (pcm, marks) = layout.sentences(1);
        // Up to the end of m9, in whole chunks.
        let (first, second) = pcm.split_at(5000 * 48);
        let mut rig = TestPipeline::new(sink.clone());
        rig.begin(first, 20);
        let mut log = rig.listen_for(|t| t.text.split_whitespace().count() >= 9);
        until_connection(&service, |c| c.audio_bytes == first.len() as u64);
        assert!(service.inject(FaultKind::Reset));
        log.add(rig.listen_until(is_warning));
        rig.push(second, 20);
        log.add(rig.end());
        log.assert_no_errors(&case);
        assert_ends_once(&log.transcripts());
        let finals = log.finals();
        let unconfirmed: Vec<_> = finals.iter().map(|f| f.unconfirmed).collect();
        assert_eq!(unconfirmed, [true, false], "{case}: {finals:?}");
        assert_eq!(marks_of(&finals), expected_words(&marks, spikes), "{case}");
        let replayed = stat(&sink, "audio-replayed");
        assert!(replayed <= u64::from(replay) * 1_000_000, "{case}");
    });
}
