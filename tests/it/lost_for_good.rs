//! When no further try is worth it, or none is left: one error, after the last words.

use std::time::Duration;

use crate::common::faults::*;
use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::{Gate, Service};

/// Plays into an error, and hears all that the sink says until its state is NULL again.
fn fail(service: &Service, retries: u32) -> (BusLog, gst::Element) {
    let sink = fast_sink(service);
    sink.set_property("max-reconnects", retries);
    (fail_with(&sink), sink)
}

fn fail_with(sink: &gst::Element) -> BusLog {
    fail_in(sink, 4)
}

/// Plays so many sentences into an error.
fn fail_in(sink: &gst::Element, sentences: u64) -> BusLog {
    let (pcm, _) = open_ended_speech(sentences);
    let mut rig = TestPipeline::new(sink.clone());
    rig.play();
    rig.push(&pcm, 20);
    // Not the end yet: a loss behind the finish would be no error.
    let mut log = rig.listen_until(|message| message.type_() == gst::MessageType::Error);
    rig.end();
    log.messages.extend(rig.listen().messages);
    // A second error would have had every occasion: more audio, the end, the way down.
    rig.push(&pcm, 20);
    rig.end();
    rig.pipeline.set_state(gst::State::Ready).expect("READY");
    log.messages.extend(rig.take().messages);
    log
}

/// One error, and nothing open when it comes, nor said after it.
fn assert_one_error(log: &BusLog, sink: &gst::Element, case: &str) -> Report {
    let mut errors = own_errors(log, sink);
    assert_eq!(errors.len(), 1, "{case}: {errors:?}");
    assert_ends_once(&log.transcripts());
    let error = log
        .messages
        .iter()
        .position(|m| m.type_() == gst::MessageType::Error);
    let words = log
        .messages
        .iter()
        .rposition(|m| Transcript::parse(m).is_some());
    assert!(words < error, "{case}");
    errors.remove(0)
}

#[test]
fn what_is_not_worth_a_try_is_not_tried_again() {
    let cases = [
        "error:45000000@ack",
        "error:45000001@ack",
        "error:45000002@ack",
        "error:45000007@ack",
        "error:45000010@ack",
        "error:45000030@ack",
        "error:45000151@ack",
        r#"error:45000292:{"error":"quota exceeded for types: audio_duration_lifetime"}@ack"#,
        r#"error:55000000:{"error":"cannot unmarshal string into Go struct field Audio.rate"}@ack"#,
        "error:45000001@3s",
        "error:45000001@finish",
        "http:400@handshake",
        "http:401@handshake",
        "http:403@handshake",
        "http:404@handshake",
    ];
    in_parallel(&cases, |fault| {
        let service = service(faulty(&[fault], false));
        let (log, sink) = fail(&service, 10);
        let error = assert_one_error(&log, &sink, fault);
        let details = error.details.expect("details");
        assert_eq!(details.get::<bool>("retryable"), Ok(false), "{fault}");
        log.assert_no_warnings(fault);
        assert_eq!(service.connections().len(), 1, "{fault}");
    });
}

#[test]
pub fn what_was_open_ends_unconfirmed_before_the_error() {
    let service = service(faulty(&["error:45000000@4s"], false));
    let (log, sink) = fail(&service, 10);
    assert_one_error(&log, &sink, "4s");
    let finals = log.finals();
    let unconfirmed: Vec<_> = finals.iter().map(|f| f.unconfirmed).collect();
    assert_eq!(unconfirmed, [false, true]);
    // At 3600 ms, with the lag, the second sentence had begun.
    assert_eq!(finals[1].text.split_whitespace().next(), Some("m3"));
}

#[test]
fn tries_in_a_row_are_counted_and_their_pauses_grow() {
    let service = service(faulty(&["reset@ack*"], false));
    let (log, sink) = fail(&service, 3);
    let error = assert_one_error(&log, &sink, "three tries");
    assert_eq!(
        error.details.expect("details").get::<bool>("retryable"),
        Ok(true)
    );
    let warnings = warnings_of(&log, "volcasr-reconnect");
    let attempts: Vec<_> = warnings
        .iter()
        .map(|w| w.get::<u32>("attempt").expect("attempt"))
        .collect();
    assert_eq!(attempts, [1, 2, 3]);
    let accepted: Vec<_> = service
        .connections()
        .iter()
        .map(|c| c.accepted_at)
        .collect();
    assert_eq!(accepted.len(), 4);
    for (n, pair) in accepted.windows(2).enumerate() {
        let pause = pair[1] - pair[0];
        let least = Duration::from_millis(250 << n);
        assert!(pause >= least, "{n}: {pause:?}");
        let told = warnings[n].get::<u64>("pause").expect("a pause");
        let told = Duration::from_nanos(told);
        // A quarter of it is chance.
        assert!(told > least && told <= least * 5 / 4, "{n}: {told:?}");
    }
}

/// Each connection answers for audio that none had answered for: losses without end are restored.
#[test]
pub fn progress_begins_the_count_anew() {
    // The second is tried three times in a row at most, even if `max-reconnects` allows more.
    in_parallel(
        &[("reset@4s*", 1u32), ("error:55000007@4s*", 10)],
        |&(fault, tries)| {
            let service = service(faulty(&[fault], false));
            let sink = fast_sink(&service);
            sink.set_property("max-reconnects", tries);
            let (pcm, marks) = open_ended_speech(8);
            let log = TestPipeline::new(sink).run(&pcm, 20);
            assert_whole(&log, &marks, false, fault);
            assert!(service.connections().len() > 5, "{fault}");
        },
    );
}

/// The service answers, but for nothing new.
#[test]
fn without_progress_answers_do_not_count() {
    let service = service(faulty(&["reset@2s*"], false));
    let (log, sink) = fail(&service, 3);
    assert_one_error(&log, &sink, "no progress");
    let acks = service.inspect(|all| all.iter().filter(|c| c.ack_at.is_some()).count());
    // The first answered for something; each of the tries began with the words that were open.
    assert!((4..=8).contains(&acks), "{acks}");
}

/// Of several error frames the first one counts, also where the connection is reset right behind
/// it.
#[test]
fn the_first_error_frame_counts() {
    let frame = |code| error_frame(code, r#"{"error":"said"}"#);
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let first = hex(&frame(45_000_151));
    let second = hex(&frame(55_000_031));
    let raw = hex(&on_the_socket(&frame(45_000_151)));
    let cases = [
        vec![format!("bytes:{first}@3s"), format!("bytes:{second}@3s")],
        vec![format!("raw:{raw}@3s"), "reset@3s".to_owned()],
        vec![format!("raw:{raw}@3s"), "drop@3s".to_owned()],
    ];
    in_parallel(&cases, |faults| {
        let faults: Vec<_> = faults.iter().map(String::as_str).collect();
        let service = service(faulty(&faults, false));
        let (log, sink) = fail(&service, 10);
        let error = assert_one_error(&log, &sink, faults[1]);
        assert_eq!(code_of(&error), Some(45_000_151), "{faults:?}: {error:?}");
        assert_eq!(service.connections().len(), 1, "{faults:?}");
    });
}

/// That a connection begins later than the one before, because the window has let go of what is
/// between, is no progress.
#[test]
fn a_window_that_moves_on_is_no_progress() {
    let cases = [
        ("reset@300ms*", 3u32, 0u32),
        ("reset@300ms*", 3, 120_000),
        ("error:55000007@300ms*", 10, 0),
        ("error:55000007@300ms*", 10, 120_000),
    ];
    in_parallel(&cases, |&(fault, retries, replay)| {
        let case = format!("{fault} {replay}");
        let service = service(faulty(&[fault], false));
        service.hold(Gate::Responses);
        let sink = fast_sink(&service);
        sink.set_property("max-reconnects", retries);
        sink.set_property("replay-time", replay);
        // What goes into a socket that is reset is gone: there must be enough for each connection.
        let log = fail_in(&sink, 100);
        assert_one_error(&log, &sink, &case);
        assert_warned(&log, 3, &case);
        assert_eq!(service.connections().len(), 4, "{case}");
    });
}
