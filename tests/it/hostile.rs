//! Messages that a sound service never sends: each is logged and skipped, or ends in one clear
//! error; none costs the words around it.

use std::io::Write as _;
use std::time::Duration;

use crate::common::faults::warnings_of;
use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::{
    At, Fault, FaultKind, Gate, Options, Recogniser, Script, Send, Service, Trigger,
};

const ACK: &str = r#"{"result":{"additions":{"log_id":"scripted"}}}"#;
const BEFORE: &str = r#"{"audio_info":{"duration":400},"result":{"utterances":[{"text":"be","start_time":0,"end_time":300}]}}"#;
const AFTER: &str = r#"{"audio_info":{"duration":900},"result":{"utterances":[{"text":"before.","definite":true,"start_time":0,"end_time":400},{"text":"after.","definite":true,"start_time":600,"end_time":900}]}}"#;

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
    let sink = sink(&service);
    sink.set_property("max-speed", 0.0);
    let mut rig = TestPipeline::new(sink);
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
    assert!(log.errors().is_empty(), "{case}: {:?}", log.errors());
    log.assert_no_warnings(case);
    assert!(log.saw_eos(), "{case}");
    assert_eq!(texts(log), ["before.", "after."], "{case}");
    assert_ends_once(&log.transcripts());
}

/// One error of the right domain, and the utterance that was open ends before it.
#[track_caller]
fn assert_refused(log: &BusLog, case: &str) {
    let error = &log.errors()[0];
    assert!(
        error.error.matches(gst::StreamError::Decode),
        "{case}: {error:?}"
    );
    let details = error.details.as_ref().expect("details");
    assert_eq!(details.get("retryable"), Ok(false), "{case}: {details:?}");
    assert_ends_once(&log.transcripts());
}

/// The kinds of damage are a table of the protocol's tests; these are one of each that it knows.
#[test]
fn what_cannot_be_read_is_skipped() {
    let corrupt = {
        let mut corrupt = gzip(AFTER.as_bytes());
        corrupt[20] ^= 0xff;
        corrupt
    };
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("nothing at all", vec![]),
        (
            "a size of 4 GiB",
            frame(9, 0, 0, &[0xff, 0xff, 0xff, 0xff, b'{', b'}']),
        ),
        ("an unknown type", frame(0b0111, 0, 0, &sized(b"{}"))),
        ("corrupt gzip", frame(9, 0, 1, &sized(&corrupt))),
        ("no JSON", response(b"{\"result\": this is no JSON")),
        (
            "deep objects",
            response("{\"result\":".repeat(100_000).as_bytes()),
        ),
    ];
    for (case, bytes) in cases {
        assert_unharmed(&around(Send::Frame(bytes)), case);
    }
    assert_unharmed(&around(Send::Text("a text message".into())), "text");
    assert_unharmed(&around(Send::Text("x".repeat(1 << 20))), "much text");
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

#[test]
fn nothing_but_unreadable_frames_is_refused() {
    let mut script = Script::default().step(At::Ack, Send::Json(ACK.into()));
    for _ in 0..16 {
        script = script.step(at(200), Send::Frame(b"unreadable".to_vec()));
    }
    assert_refused(&session(script, Vec::new()).0, "in a row");
    // Before the first answer one is enough: such a peer never spoke the protocol.
    let script = Script::default().step(At::Ack, Send::Frame(b"unreadable".to_vec()));
    assert_refused(&session(script, Vec::new()).0, "instead of the answer");
}

/// Bytes that break WebSocket's framing, each in its own way.
fn broken_frames() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("a reserved opcode", vec![0x83, 0]),
        ("a reserved bit", vec![0xc2, 0]),
        ("a masked frame", vec![0x82, 0x81, 1, 2, 3, 4, 0]),
        ("a continuation of nothing", vec![0x80, 0]),
        ("a fragmented ping", vec![0x09, 0]),
        (
            "a ping that is too long",
            [&[0x89, 126, 0, 200][..], &[0; 200]].concat(),
        ),
        ("text that is no UTF-8", vec![0x81, 2, 0xff, 0xfe]),
        (
            "a reason that is no UTF-8",
            vec![0x88, 4, 0x03, 0xf3, 0xff, 0xfe],
        ),
    ]
}

/// Once the service has answered, broken framing is a loss like a reset: the next connection goes
/// on.
#[test]
fn broken_framing_is_restored() {
    for (case, bytes) in broken_frames() {
        let fault = Fault::once(
            FaultKind::Raw(bytes),
            Trigger::Audio(Duration::from_millis(600)),
        );
        let script = Script::responses([(400, BEFORE)], AFTER);
        let (log, service) = session(script, vec![fault]);
        assert!(log.errors().is_empty(), "{case}: {:?}", log.errors());
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
    let fault = Fault::once(
        FaultKind::Raw(raw),
        Trigger::Audio(Duration::from_millis(600)),
    );
    let script = Script::responses([(400, BEFORE)], AFTER);
    let (log, service) = session(script, vec![fault]);
    assert_refused(&log, "1 GiB");
    assert_eq!(service.connections().len(), 1);
}

/// Corruption that comes each time is tried three times in a row, even if `max-reconnects` allows
/// more.
#[test]
fn broken_framing_on_every_connection_is_an_error() {
    let raw = FaultKind::Raw(vec![0xc2, 0]);
    let fault = Fault::each(raw, Trigger::Audio(Duration::from_millis(200)));
    let service = service(Options {
        recogniser: Recogniser::Scripted(Script::default().step(At::Ack, Send::Json(ACK.into()))),
        faults: vec![fault],
        ..Options::default()
    });
    let mut rig = TestPipeline::new(sink(&service));
    rig.play();
    rig.push(&[0; 48_000], 20);
    // Without the end of the stream: the loss alone has to be the error.
    let log = rig.listen_until(|message| message.type_() == gst::MessageType::Error);
    let error = &log.errors()[0];
    assert!(error.error.matches(gst::ResourceError::Write), "{error:?}");
    assert!(error.error.message().contains("corrupt"), "{error:?}");
    let details = error.details.as_ref().expect("details");
    assert_eq!(details.get("retryable"), Ok(true), "{details:?}");
    assert_eq!(warnings_of(&log, "volcasr-reconnect").len(), 3);
    assert_eq!(service.connections().len(), 4);
}

/// A peer that breaks the framing instead of answering never spoke the protocol: it is not tried
/// again.
#[test]
fn broken_framing_in_place_of_the_answer_is_refused() {
    for (case, bytes) in broken_frames() {
        let service = service(Options {
            faults: vec![Fault::once(FaultKind::Raw(bytes), Trigger::Ack)],
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
    let code = 45_000_001u32.to_be_bytes();
    for (case, compression, rest) in [
        ("half of gzip", 1, sized(&gzip(b"no such resource")[..20])),
        ("a size that is too large", 0, vec![0, 0, 1, 0, b'x']),
        ("no size", 0, vec![]),
    ] {
        let bytes = frame(0xf, 0, compression, &[&code[..], &rest].concat());
        let log = around(Send::Frame(bytes));
        let error = &log.errors()[0];
        assert!(
            error.error.matches(gst::ResourceError::Settings),
            "{case}: {error:?}"
        );
        let details = error.details.as_ref().expect("details");
        assert_eq!(details.get("code"), Ok(45_000_001u32), "{case}");
        assert_eq!(details.get("message"), Ok(""), "{case}");
        assert_ends_once(&log.transcripts());
    }
}

/// Between two fragments a character may be cut in two.
#[test]
fn a_text_that_is_cut_inside_a_character_is_skipped() {
    let raw = vec![0x01, 1, 0xe9, 0x80, 2, 0x9b, 0xa8];
    let fault = Fault::once(
        FaultKind::Raw(raw),
        Trigger::Audio(Duration::from_millis(600)),
    );
    let script = Script::responses([(400, BEFORE)], AFTER);
    let (log, _service) = session(script, vec![fault]);
    assert_unharmed(&log, "a character in two");
}
