//! When no further attempt is worth it, or none is left: one error, after the last words.

use crate::common::faults::*;
use crate::common::*;
use volcasr_loopback::Service;

/// Plays into an error, and hears all that the sink says until its state is READY again.
fn fail(service: &Service) -> (BusLog, gst::Element) {
    let sink = fast_sink(service);
    let (pcm, _) = open_ended_speech(4);
    let mut rig = TestPipeline::new(sink.clone());
    rig.begin(&pcm, 20);
    // Not the end yet: a loss behind the finish would be no error.
    let mut log = rig.listen_until(is_error);
    log.add(rig.end());
    // A second error would have had every occasion: more audio, the end, the way down.
    rig.push(&pcm, 20);
    rig.eos();
    rig.go_to_ready_after_an_error();
    log.add(rig.take());
    (log, sink)
}

/// One error, and nothing open when it comes, nor said after it.
fn assert_one_error(log: &BusLog, sink: &gst::Element, case: &str) -> Report {
    let mut errors = own_errors(log, sink);
    assert_eq!(errors.len(), 1, "{case}: {errors:?}");
    assert_ends_once(&log.transcripts());
    let error = log.messages.iter().position(is_error);
    let words = log.messages.iter().rposition(is_transcript);
    assert!(words < error, "{case}");
    errors.remove(0)
}

#[test]
pub fn what_was_open_ends_unconfirmed_before_the_error() {
    let service = service(faulty(&["error:45000000@4s"], false));
    let (log, sink) = fail(&service);
    assert_one_error(&log, &sink, "4s");
    let finals = log.finals();
    let unconfirmed: Vec<_> = finals.iter().map(|f| f.unconfirmed).collect();
    assert_eq!(unconfirmed, [false, true]);
    // At 3600 ms, with the lag, the second sentence had begun.
    assert_eq!(finals[1].text.split_whitespace().next(), Some("m3"));
}

/// Each connection answers for audio that none had answered for: losses without end are restored.
#[test]
pub fn progress_begins_the_count_anew() {
    // The second is tried three times in a row at most, even if `max-reconnects` allows more.
    in_parallel(
        &[("reset@4s*", 1), ("error:55000007@4s*", 10)],
        |&(fault, tries)| {
            let service = service(faulty(&[fault], false));
            let sink = set(fast_sink(&service), &format!("max-reconnects={tries}"));
            let (pcm, marks) = open_ended_speech(8);
            let log = TestPipeline::new(sink).run(&pcm, 20);
            assert_whole(&log, &marks, false, fault);
            assert!(service.connections().len() > 5, "{fault}");
        },
    );
}

/// Of several error frames the first one counts, also where the connection is reset right behind
/// it.
#[test]
fn the_first_error_frame_counts() {
    let frame = |code| error_frame(code, r#"{"error":"said"}"#);
    let raw = |code| format!("raw:{}@3s", hex(&on_the_socket(&frame(code))));
    let (first, second) = (raw(45_000_151), raw(55_000_031));
    in_parallel(&[&second, "reset@3s"], |behind| {
        let service = service(faulty(&[&first, behind], false));
        let (log, sink) = fail(&service);
        let error = assert_one_error(&log, &sink, behind);
        assert_eq!(error.number("code"), Some(45_000_151), "{error:?}");
        assert_eq!(service.connections().len(), 1, "{behind}");
    });
}
