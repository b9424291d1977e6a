//! Messages that a sound service never sends: each is logged and skipped, or ends in one clear
//! error; none costs the words around it.

use std::io::Write as _;
use std::time::Duration;

use crate::common::faults::warnings_of;
use crate::common::*;
use volcasr_loopback::{
    At, Fault, FaultKind, Gate, Options, Recogniser, Script, Send, Service, Trigger,
};

const ACK: &str = r#"{"result":{"additions":{"log_id":"scripted"}}}"#;
const BEFORE: &str = concat!(
    r#"{"audio_info":{"duration":400},"result":{"utterances":["#,
    r#"{"text":"be","start_time":0,"end_time":300}]}}"#
);
const AFTER: &str = concat!(
    r#"{"audio_info":{"duration":900},"result":{"utterances":["#,
    r#"{"text":"before.","definite":true,"start_time":0,"end_time":400},"#,
    r#"{"text":"after.","definite":true,"start_time":600,"end_time":900}]}}"#
);

/// A frame of the service: type, flags, compression, then `rest` behind the header.
fn frame(kind: u8, flags: u8, compression: u8, rest: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x11, kind << 4 | flags, 0x10 | compression, 0];
    frame.extend_from_slice(rest);
    frame
}

/// A payload behind its size.
fn sized(payload: &[u8]) -> Vec<u8> {
    let mut sized = (payload.len() as u32).to_be_bytes().to_vec();
    sized.extend_from_slice(payload);
    sized
}

fn response(payload: &[u8]) -> Vec<u8> {
    frame(9, 0, 0, &sized(payload))
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(data).expect("to memory");
    gzip.finish().expect("to memory")
}

fn at(ms: u64) -> At {
    At::Audio(Duration::from_millis(ms))
}

/// A second of audio to a service that says these things; what comes of it.
fn session(script: Script, faults: Vec<Fault>) -> (BusLog, Service) {
    let service = service(Options {
        recogniser: Recogniser::Scripted(script),
        faults,
        ..Options::default()
    });
    let mut rig = TestPipeline::new(unpaced_sink(&service));
    let log = rig.run(&[0; 48_000], 20);
    (log, service)
}

/// An utterance, `odd`, and that utterance's end and another.
fn around(odd: Send) -> BusLog {
    let script = Script::default()
        .step(At::Ack, Send::Json(ACK.into()))
        .step(at(400), Send::Json(BEFORE.into()))
        .step(at(600), odd)
        .step(At::Finish, Send::Last(AFTER.into()));
    session(script, Vec::new()).0
}

fn texts(log: &BusLog) -> Vec<String> {
    log.finals().into_iter().map(|f| f.text).collect()
}

#[track_caller]
fn assert_unharmed(log: &BusLog, case: &str) {
    log.assert_no_errors(case);
    log.assert_no_warnings(case);
    assert!(log.saw_eos(), "{case}");
    assert_eq!(texts(log), ["before.", "after."], "{case}");
    assert_ends_once(&log.transcripts());
}

/// One error of the right domain, and the utterance that was open ends before it.
#[track_caller]
fn assert_refused(log: &BusLog, case: &str) {
    let error = &log.errors()[0];
    error.assert_is(gst::StreamError::Decode, &[]);
    let details = error.details.as_ref().expect("details");
    assert_eq!(details.get("retryable"), Ok(false), "{case}: {details:?}");
    assert_ends_once(&log.transcripts());
}

/// The kinds of damage are a table of the protocol's tests.
#[test]
fn what_cannot_be_read_is_skipped() {
    let mut corrupt = gzip(AFTER.as_bytes());
    corrupt[20] ^= 0xff;
    for (case, odd) in [
        ("nothing at all", Send::Frame(vec![])),
        (
            "corrupt gzip",
            Send::Frame(frame(9, 0, 1, &sized(&corrupt))),
        ),
        (
            "deep objects",
            Send::Frame(response(b"{\"result\":".repeat(100_000).as_slice())),
        ),
        ("much text", Send::Text("x".repeat(1 << 20))),
    ] {
        assert_unharmed(&around(odd), case);
    }
}

#[test]
fn what_is_too_large_is_refused() {
    const LIMIT: usize = 16 << 20;
    let bomb = frame(9, 0, 1, &sized(&gzip(&vec![b' '; LIMIT + 1])));
    for (case, bytes) in [
        ("one byte too many, packed", bomb),
        ("one byte too many", response(&vec![b' '; LIMIT + 1])),
    ] {
        assert_refused(&around(Send::Frame(bytes)), case);
    }
    assert_unharmed(
        &around(Send::Frame(response(&vec![b' '; LIMIT]))),
        "as much as may be",
    );
}

/// Bytes that break WebSocket's framing, each in its own way.
const BROKEN_FRAMES: [(&str, &[u8]); 4] = [
    ("a reserved bit", &[0xc2, 0]),
    ("a masked frame", &[0x82, 0x81, 1, 2, 3, 4, 0]),
    ("text that is no UTF-8", &[0x81, 2, 0xff, 0xfe]),
    (
        "a reason that is no UTF-8",
        &[0x88, 4, 0x03, 0xf3, 0xff, 0xfe],
    ),
];

/// A session in the middle of which these bytes are on the socket.
fn interrupted(raw: &[u8]) -> (BusLog, Service) {
    let when = Trigger::Audio(Duration::from_millis(600));
    let fault = Fault::once(FaultKind::Raw(raw.to_vec()), when);
    session(Script::responses([(400, BEFORE)], AFTER), vec![fault])
}

/// Once the service has answered, broken framing is a loss like a reset: the next connection goes
/// on.
#[test]
fn broken_framing_is_restored() {
    for (case, bytes) in BROKEN_FRAMES {
        let (log, service) = interrupted(bytes);
        log.assert_no_errors(case);
        assert!(log.saw_eos(), "{case}");
        assert_eq!(texts(&log), ["before.", "after."], "{case}");
        assert_ends_once(&log.transcripts());
        assert_eq!(warnings_of(&log, "volcasr-reconnect").len(), 1, "{case}");
        assert_eq!(service.connections().len(), 2, "{case}");
    }
}

/// A frame that is sound but for its size would be as large the next time.
#[test]
fn a_frame_of_a_gibibyte_is_refused() {
    let raw = [&[0x82, 127, 0, 0, 0, 0, 0x40, 0, 0, 0][..], &[0; 100]].concat();
    let (log, service) = interrupted(&raw);
    assert_refused(&log, "1 GiB");
    assert_eq!(service.connections().len(), 1);
}

/// A peer that breaks the framing instead of answering never spoke the protocol: it is not tried
/// again.
#[test]
fn broken_framing_in_place_of_the_answer_is_refused() {
    for (case, bytes) in BROKEN_FRAMES {
        let service = service(Options {
            faults: vec![Fault::once(FaultKind::Raw(bytes.to_vec()), Trigger::Ack)],
            ..Options::default()
        });
        service.hold(Gate::Ack);
        let log = TestPipeline::new(sink(&service)).run(&[0; 48_000], 20);
        assert_refused(&log, case);
        assert_eq!(service.connections().len(), 1, "{case}: tried again");
    }
}

/// The code of an error counts, also without a readable body.
#[test]
fn an_error_frame_without_a_readable_body_has_its_code() {
    let half = sized(&gzip(b"no such resource")[..20]);
    let body = [&45_000_001u32.to_be_bytes()[..], &half].concat();
    let log = around(Send::Frame(frame(0xf, 0, 1, &body)));
    let error = &log.errors()[0];
    error.assert_is(gst::ResourceError::Settings, &[]);
    let details = error.details.as_ref().expect("details");
    assert_eq!(details.get("code"), Ok(45_000_001u32));
    assert_eq!(details.get("message"), Ok(""));
    assert_ends_once(&log.transcripts());
}

/// Between two fragments a character may be cut in two.
#[test]
fn a_text_that_is_cut_inside_a_character_is_skipped() {
    let (log, _service) = interrupted(&[0x01, 1, 0xe9, 0x80, 2, 0x9b, 0xa8]);
    assert_unharmed(&log, "a character in two");
}
