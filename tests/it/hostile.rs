//! Peers that send what a sound service never sends, in the handshake or later: it is logged and
//! skipped, restored, or ends in one clear error; none costs the words around it.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use crate::common::faults::warnings_of;
use crate::common::raw_server::{gzip, head};
use crate::common::*;
use volcasr_loopback::{
    At, Fault, FaultKind, Gate, Options, Recogniser, Script, Send, Service, Trigger,
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

/// A frame of the service: type, flags, compression, then `rest` behind the header.
fn frame(kind: u8, flags: u8, compression: u8, rest: &[u8]) -> Vec<u8> {
    let header = [0x11, kind << 4 | flags, 0x10 | compression, 0];
    [&header, rest].concat()
}

/// A payload behind its size.
fn sized(payload: &[u8]) -> Vec<u8> {
    [&(payload.len() as u32).to_be_bytes(), payload].concat()
}

fn response(payload: &[u8]) -> Vec<u8> {
    frame(9, 0, 0, &sized(payload))
}

/// A second of audio to a service that says these things; what comes of it.
fn session(script: Script, faults: Vec<Fault>) -> (BusLog, Service) {
    let service = service(Options {
        recogniser: Recogniser::Scripted(script),
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

/// The kinds of damage are a table of the protocol's tests.
#[test]
fn what_cannot_be_read_is_skipped() {
    let mut corrupt = gzip(AFTER.as_bytes());
    corrupt[20] ^= 0xff;
    let corrupt = frame(9, 0, 1, &sized(&corrupt));
    let deep = b"{\"result\":".repeat(100_000);
    for (case, odd) in [
        ("nothing at all", Send::Frame(vec![])),
        ("corrupt gzip", Send::Frame(corrupt)),
        ("deep objects", Send::Frame(response(&deep))),
        ("much text", Send::Text("x".repeat(1 << 20))),
    ] {
        assert_unharmed(&around(odd), 0, case);
    }
    // Between two fragments a character may be cut in two.
    let (log, _service) = interrupted(&[0x01, 1, 0xe9, 0x80, 2, 0x9b, 0xa8]);
    assert_unharmed(&log, 0, "a character in two");
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
    let most = Send::Frame(response(&vec![b' '; LIMIT]));
    assert_unharmed(&around(most), 0, "as much as may be");
    // A frame that is sound but for its size would be as large the next time.
    let gibibyte = [&[0x82, 127, 0, 0, 0, 0, 0x40, 0, 0, 0][..], &[0; 100]].concat();
    let (log, service) = interrupted(&gibibyte);
    assert_refused(&log, "1 GiB");
    assert_eq!(service.connections().len(), 1);
}

/// Once the service has answered, broken framing is a loss like a reset: the next connection goes
/// on. A peer that breaks the framing instead of answering never spoke the protocol: it is not
/// tried again.
#[test]
fn broken_framing_is_restored_after_the_first_answer() {
    #[rustfmt::skip]
    let cases = [
        ("a reserved bit", &[0xc2, 0][..]),
        ("a masked frame", &[0x82, 0x81, 1, 2, 3, 4, 0]),
        ("text that is no UTF-8", &[0x81, 2, 0xff, 0xfe]),
        ("a reason that is no UTF-8", &[0x88, 4, 0x03, 0xf3, 0xff, 0xfe]),
    ];
    for (case, bytes) in cases {
        let (log, restored) = interrupted(bytes);
        assert_unharmed(&log, 1, case);
        assert_eq!(restored.connections().len(), 2, "{case}");
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
}

/// Asserts that a server is refused that does `with` the connection once it has read a request.
fn assert_refuses(case: &str, with: impl FnOnce(TcpStream) + std::marker::Send + 'static) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        head(&mut stream);
        with(stream);
    });
    let uri = format!("ws://{address}/api/v3/sauc/bigmodel_async");
    let sink = set(sink_for(&uri), "connect-timeout=2000 max-reconnects=1");
    assert_refused(&TestPipeline::new(sink).run(&[0; 48_000], 100), case);
    server.join().expect("no panic");
}

#[test]
fn a_header_without_end_is_refused() {
    for again in ["X-More: of the same\r\n", "x"] {
        assert_refuses(again, move |mut stream| {
            let again = again.repeat(1000);
            let mut poured = 0;
            let _ = stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\n");
            // Until the client has had enough.
            while stream.write_all(again.as_bytes()).is_ok() {
                poured += again.len();
                assert!(poured < 64 << 20, "the client took {poured} bytes");
            }
        });
    }
}

#[test]
fn what_is_no_http_is_refused() {
    let other = ["SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 banana\r\n\r\n"].map(str::to_owned);
    let upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
    let bad = [
        "",
        upgrade,
        &format!("{upgrade}Sec-WebSocket-Accept: wrong\r\n"),
    ]
    .map(|headers| format!("HTTP/1.1 101 Switching Protocols\r\n{headers}\r\n"));
    for answer in other.into_iter().chain(bad) {
        assert_refuses(&answer.clone(), move |mut stream| {
            let _ = stream.write_all(answer.as_bytes());
            // Until the client goes.
            let _ = stream.read(&mut [0]);
        });
    }
}
