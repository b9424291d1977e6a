//! Peers that send what the real service never sends, in the handshake or later: it is logged and
//! skipped, restored, or ends in one clear error. No words around it are lost.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use crate::common::faults::{fast_sink, warnings_of};
use crate::common::raw_server::{error_frame, head, response_frame};
use crate::common::script::{audio, scripted};
use crate::common::*;
use serde_json::json;
use volcasr_loopback::{
    At, Fault, FaultKind, Gate, Oddity, Options, Script, Send, Service, Trigger,
};

const BEFORE: &str = concat!(
    r#"{"audio_info":{"duration":400},"result":{"utterances":["#,
    r#"{"text":"be","start_time":0,"end_time":300}]}}"#
);
const AFTER: &str = concat!(
    r#"{"audio_info":{"duration":900},"result":{"utterances":["#,
    r#"{"text":"before.","definite":true,"start_time":0,"end_time":400},"#,
    r#"{"text":"after.","definite":true,"start_time":600,"end_time":900}]}}"#
);

/// A second of audio to a service that says these things; what comes of it.
fn session(script: Script, faults: Vec<Fault>) -> (BusLog, Service) {
    let service = service(Options {
        script: Some(script),
        faults,
        ..Options::default()
    });
    let log = TestPipeline::at(&service, "").run(&[0; 48_000], 20);
    assert_ends_once(&log.transcripts());
    (log, service)
}

/// An utterance, `odd`, and that utterance's end and another.
fn around(odd: Send) -> BusLog {
    let at = |ms| At::Audio(Duration::from_millis(ms));
    let script = Script::default()
        .step(At::Ack, Send::Json(r#"{"result":{}}"#.into()))
        .step(at(400), Send::Json(BEFORE.into()))
        .step(at(600), odd)
        .step(At::Finish, Send::Last(AFTER.into()));
    session(script, Vec::new()).0
}

/// A session in the middle of which these bytes are on the socket.
fn interrupted(raw: &[u8]) -> (BusLog, Service) {
    let when = Trigger::Audio(Duration::from_millis(600));
    let fault = Fault::once(FaultKind::Raw(raw.to_vec()), when);
    session(Script::responses([(400, BEFORE)], AFTER), vec![fault])
}

/// The words around came; `losses` were restored.
#[track_caller]
fn assert_unharmed(log: &BusLog, losses: usize, case: &str) {
    log.assert_no_errors(case);
    assert_eq!(log.warnings().len(), losses, "{case}: {log:?}");
    assert_eq!(warnings_of(log, "volcasr-reconnect").len(), losses);
    let texts: Vec<_> = log.finals().into_iter().map(|f| f.text).collect();
    assert_eq!(texts, ["before.", "after."], "{case}");
}

/// One error of the right domain.
#[track_caller]
fn assert_refused(log: &BusLog, case: &str) {
    let error = &log.errors()[0];
    error.assert_is(gst::StreamError::Decode, &[]);
    assert!(!error.is_retryable(), "{case}: {error:?}");
}

/// The kinds of damage are tables of the protocol's tests.
#[test]
fn what_cannot_be_read_is_skipped() {
    assert_unharmed(&around(Send::Frame(vec![])), 0, "nothing at all");
    assert_unharmed(&around(Send::Text("x".repeat(1 << 20))), 0, "much text");
    // Between two fragments a character may be cut in two.
    let (log, _service) = interrupted(&[0x01, 1, 0xe9, 0x80, 2, 0x9b, 0xa8]);
    assert_unharmed(&log, 0, "a character in two");
}

#[test]
fn what_is_too_large_is_refused() {
    const LIMIT: usize = 16 << 20;
    let spaces = |count| Send::Frame(response_frame(&vec![b' '; count]));
    assert_refused(&around(spaces(LIMIT + 1)), "one byte too many");
    assert_unharmed(&around(spaces(LIMIT)), 0, "as much as may be");
    // A frame that is sound but for its size would be as large the next time.
    let gibibyte = [&[0x82, 127, 0, 0, 0, 0, 0x40, 0, 0, 0][..], &[0; 100]].concat();
    let (log, service) = interrupted(&gibibyte);
    assert_refused(&log, "1 GiB");
    assert_eq!(service.connections().len(), 1);
}

/// Once the service has answered, broken framing is a loss like a reset: the next connection goes
/// on. A peer that breaks the framing instead of answering never spoke the protocol: it is not
/// tried again. The kinds are a table of `client::error`.
#[test]
fn broken_framing_is_restored_after_the_first_answer() {
    let reserved_bit = [0xc2, 0];
    let (log, restored) = interrupted(&reserved_bit);
    assert_unharmed(&log, 1, "later");
    assert_eq!(restored.connections().len(), 2);
    let raw = FaultKind::Raw(reserved_bit.to_vec());
    let service = service(Options {
        faults: vec![Fault::once(raw, Trigger::Ack)],
        ..Options::default()
    });
    service.hold(Gate::Ack);
    let log = TestPipeline::new(sink(&service)).run(&[0; 48_000], 20);
    assert_refused(&log, "at first");
    assert_eq!(service.connections().len(), 1, "tried again");
}

/// The code of an error counts, also where its body is not the gzip that it says.
#[test]
fn an_error_frame_without_a_readable_body_has_its_code() {
    let mut frame = error_frame(45_000_001, "no gzip");
    frame[2] |= 1;
    let error = &around(Send::Frame(frame)).errors()[0];
    error.assert_is(gst::ResourceError::Settings, &[]);
    assert_eq!(error.number("code"), Some(45_000_001));
    let message = error.details.as_ref().map(|details| details.get("message"));
    assert_eq!(message, Some(Ok("")));
}

/// The rest is poured until the client has had enough.
#[test]
fn what_is_no_upgrade_is_refused() {
    const UPGRADE: &str = "HTTP/1.1 101 Switching Protocols\r\n";
    const WRONG: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\n\
                         Sec-WebSocket-Accept: wrong\r\n\r\n";
    for (answer, rest) in [
        ("SSH-2.0-OpenSSH_9.2\r\n", ""),
        ("HTTP/1.1 banana\r\n\r\n", ""),
        (UPGRADE, "\r\n"),
        (UPGRADE, WRONG),
        (UPGRADE, "X-More: of the same\r\n"),
        (UPGRADE, "x"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            head(&mut stream);
            let _ = stream.write_all(answer.as_bytes());
            let mut poured = 0;
            while !rest.is_empty() && stream.write_all(rest.repeat(1000).as_bytes()).is_ok() {
                poured += rest.len() * 1000;
                assert!(poured < 64 << 20, "the client took {poured} bytes");
            }
            // Until the client goes.
            let _ = stream.read(&mut [0]);
        });
        let uri = format!("ws://{address}/api/v3/sauc/bigmodel_async");
        let sink = set(sink_for(&uri), "connect-timeout=2000 max-reconnects=1");
        let log = TestPipeline::new(sink).run(&[0; 48_000], 100);
        assert_refused(&log, &format!("{answer}{rest}"));
        server.join().expect("no panic");
    }
}

/// A service that answers, but in a form of which nothing is known, must not look like silence. The
/// count of responses is a table of `session::response_check`.
#[test]
fn a_session_without_a_readable_response_draws_one_warning() {
    let unknown = json!({"data": {"text": "hello"}});
    let several: Vec<_> = (1..=4).map(|n| (n * 200, unknown.clone())).collect();
    let log = TestPipeline::new(sink(&scripted(&several, unknown))).run(&audio(), 100);
    log.assert_no_errors("the run");
    let warnings = log.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert_eq!(warnings_of(&log, "volcasr-unreadable").len(), 1);
    assert_eq!(warnings[0].number("responses"), Some(5));
    assert!(warnings[0].error.message().contains("uri"), "{warnings:?}");
}

#[test]
fn a_service_that_counts_faster_is_reported_once_with_the_way_out() {
    let service = service(Options {
        oddities: vec![Oddity::Misread24000],
        ..Options::default()
    });
    let log = TestPipeline::new(fast_sink(&service)).run(&speech(6).0, 20);
    log.assert_no_errors("the run");
    assert_ends_once(&log.transcripts());
    let warnings = log.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    warnings[0].assert_is(gst::StreamError::Format, &["rate=16000"]);
    let details = warnings[0].details.as_ref().expect("details");
    assert_eq!(details.name(), "volcasr-rate");
    let [counted, sent] = ["counted", "sent"].map(|name| details.get::<u64>(name).expect(name));
    assert!(counted > sent + 1_000_000_000, "{details:?}");
}
