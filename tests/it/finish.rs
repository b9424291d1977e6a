//! The last words: waited for, asked for again when the connection is lost, given up in the end,
//! never silently.

use std::time::Duration;

use crate::common::faults::*;
use crate::common::*;
use volcasr_loopback::marks::Mark;
use volcasr_loopback::{Endpoint, Lag, Options};

/// Asserts that the last sentence stands as far as it was recognised, unconfirmed. A warning
/// reports it, between the words and EOS, and there is no error.
fn assert_given_up(log: &BusLog, marks: &[Mark], case: &str) {
    log.assert_no_errors(case);
    assert_ends_once(&log.transcripts());
    assert_never_shrinks(&log.transcripts());
    let finals = log.finals();
    let unconfirmed: Vec<_> = finals.iter().map(|f| f.unconfirmed).collect();
    assert_eq!(unconfirmed, [false, true], "{case}: {finals:?}");
    let numbers: Vec<_> = marks_of(&finals).iter().map(|mark| mark.0).collect();
    let expected: Vec<_> = marks.iter().map(|mark| mark.number).collect();
    assert!(expected.starts_with(&numbers), "{case}: {numbers:?}");
    assert!(!finals[1].words.is_empty(), "{case}");
    let given_up = warnings_of(log, "volcasr-finish-timeout");
    assert_eq!(given_up.len(), 1, "{case}");
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
