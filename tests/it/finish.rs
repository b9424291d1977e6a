//! The last words: waited for, asked for again when the connection is lost, given up in the end,
//! never silently.

use std::time::{Duration, Instant};

use crate::common::faults::*;
use crate::common::*;
use volcasr_loopback::marks::Mark;
use volcasr_loopback::{Endpoint, FaultKind, Gate, Lag, Options, Service};

/// Asserts that the last sentence stands as far as it was recognised, unconfirmed. A warning
/// reports it, between the words and EOS, and there is no error.
fn assert_given_up(log: &BusLog, marks: &[Mark], case: &str) {
    log.assert_no_errors(case);
    assert!(log.saw_eos(), "{case}");
    assert_ends_once(&log.transcripts());
    assert_never_shrinks(&log.transcripts());
    let finals = log.finals();
    let unconfirmed: Vec<_> = finals.iter().map(|f| f.unconfirmed).collect();
    assert_eq!(unconfirmed, [false, true], "{case}: {finals:?}");
    let numbers: Vec<_> = marks_of(&finals).iter().map(|mark| mark.0).collect();
    let expected: Vec<_> = marks.iter().map(|mark| mark.number).collect();
    assert!(expected.starts_with(&numbers), "{case}: {numbers:?}");
    assert!(!finals[1].words.is_empty(), "{case}");
    assert_eq!(
        warnings_of(log, "volcasr-finish-timeout").len(),
        1,
        "{case}"
    );
    let words = log.messages.iter().rposition(is_transcript);
    assert!(words < log.messages.iter().rposition(is_warning), "{case}");
}

#[test]
fn without_tries_it_ends_unconfirmed_after_finish_timeout() {
    in_parallel(&["no-final@finish*", "reset@finish*"], |fault| {
        let service = service(faulty(&[fault], false));
        let (pcm, marks) = open_ended_speech(2);
        let sink = set(fast_sink(&service), "finish-timeout=500 max-reconnects=0");
        let log = TestPipeline::new(sink).run(&pcm, 20);
        assert_given_up(&log, &marks, fault);
        assert_eq!(service.connections().len(), 1, "{fault}");
        assert!(warnings_of(&log, "volcasr-reconnect").is_empty(), "{fault}");
    });
}

/// Sound behind the last final word may hold another word. It is replayed once, even where the
/// service reports all of it as processed.
#[test]
fn a_close_behind_the_finish_with_sound_at_the_end_is_restored_once() {
    let (mut pcm, marks) = speech(2);
    let end = marks.last().map_or(0, |mark| mark.end as usize + 100);
    for (n, sample) in pcm[end * 48..].as_chunks_mut().0.iter_mut().enumerate() {
        *sample = [-100i16, 100][n % 2].to_le_bytes();
    }
    for (fault, timeouts) in [("close:1000@finish", 0), ("close:1000@finish*", 1)] {
        // Answers for every packet as soon as it has it.
        let service = service(Options {
            lag: Lag::Exact(Duration::ZERO),
            ..faulty(&[fault], false)
        });
        let sink = sink_for(&service.uri_for(Endpoint::Bigmodel));
        let log = TestPipeline::new(set(sink, "max-speed=40")).run(&pcm, 20);
        assert_whole(&log, &marks, false, fault);
        assert_eq!(warnings_of(&log, "volcasr-reconnect").len(), 1, "{fault}");
        let given_up = warnings_of(&log, "volcasr-finish-timeout").len();
        assert_eq!(given_up, timeouts, "{fault}");
        assert_eq!(service.connections().len(), 2, "{fault}");
    }
}

/// The audio of one frame.
const FRAME: usize = 200 * 48;

/// A sink on a service that has begun to read and stopped.
fn stopped_reading(replay: u32) -> (Service, gst::Element, TestPipeline) {
    let service = service(Options {
        receive_buffer: Some(4096),
        ..Options::default()
    });
    let sink = set(
        unpaced_sink(&service),
        &format!("idle-timeout=0 replay-time={replay} compression=none"),
    );
    let mut rig = TestPipeline::new(sink.clone());
    rig.play();
    rig.push(&speech(1).0[..FRAME], 20);
    assert!(service.wait(LONG, |all| all.iter().any(|c| c.audio_bytes > 0)));
    service.hold(Gate::Reading);
    (service, sink, rig)
}

/// Sends one frame after the other, up to `most`, or until one is not taken for a while. Returns
/// how many there are then.
fn fill(rig: &mut TestPipeline, pcm: &[u8], most: usize) -> usize {
    for (n, piece) in pcm.chunks(FRAME).enumerate().take(most).skip(1) {
        let before = stat(&rig.sink, "frames-sent");
        rig.push(piece, 20);
        let began = Instant::now();
        while stat(&rig.sink, "frames-sent") == before {
            if began.elapsed() > Duration::from_millis(300) {
                return n + 1;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    most
}

/// Lost with the finish under way: what is left to be asked for is asked for again, and without
/// anything it ends.
#[test]
fn a_finish_that_can_not_be_written_is_lost() {
    let (pcm, marks) = speech(200);
    // The last of these frames waits, the one before it is under way and not written: there is no
    // room for the finish in its place either.
    let most = fill(&mut stopped_reading(0).2, &pcm, usize::MAX);
    let cases: Vec<_> = (most - 3..most)
        .flat_map(|frames| [(frames, 0u32), (frames, 120_000)])
        .collect();
    in_parallel(&cases, |&(frames, replay)| {
        let case = format!("{frames} of {most} frames, replay-time={replay}");
        let (service, sink, mut rig) = stopped_reading(replay);
        let frames = fill(&mut rig, &pcm, frames);
        // Less than a frame goes out with the finish behind it, all at once.
        rig.push(&pcm[frames * FRAME..][..190 * 48], 10);
        rig.end();
        until_blocked(&sink, Duration::ZERO);
        assert!(service.inject(FaultKind::Reset), "{case}");
        service.release(Gate::Reading);
        let log = rig.listen();
        if replay == 0 && !log.errors().is_empty() {
            // All of the audio is lost, and none was answered for.
            return assert_failed(&log, &case);
        }
        log.assert_no_errors(&case);
        assert!(log.saw_eos(), "{case}");
        assert_ends_once(&log.transcripts());
        if replay == 0 {
            // A frame was left for the next connection, which ended in good order.
            return;
        }
        // The last mark may be cut off.
        let whole: Vec<_> = marks
            .iter()
            .copied()
            .filter(|mark| mark.end + 200 < frames as u64 * 200)
            .collect();
        let finals = marks_of(&log.finals());
        assert!(
            finals.starts_with(&expected(&whole, 0)),
            "{case}: {finals:?}"
        );
    });
}
