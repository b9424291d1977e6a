//! Servers that misbehave before the first frame: refused, given up in time, and never in the way
//! of a state change.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::{Fault, FaultKind, Options, Trigger};

/// A server that does `with` each connection, once a request was read on it.
fn server(with: impl Fn(TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
                request.push(byte[0]);
            }
            with(stream);
        }
    });
    format!("ws://{address}/api/v3/sauc/bigmodel_async")
}

fn refusal(uri: &str) -> BusLog {
    let sink = sink_for(uri);
    sink.set_property("connect-timeout", 2000u32);
    sink.set_property("max-reconnects", 1u32);
    TestPipeline::new(sink).run(&[0; 48_000], 100)
}

/// Writes the same again until the client has had enough; how much that took.
fn pour(mut stream: TcpStream, first: &str, again: &[u8]) -> usize {
    let mut poured = 0;
    if stream.write_all(first.as_bytes()).is_ok() {
        while stream.write_all(again).is_ok() && poured < 1 << 30 {
            poured += again.len();
        }
    }
    poured
}

#[test]
fn a_header_without_end_is_refused() {
    for again in ["X-More: of the same\r\n", "x"] {
        let again = again.repeat(1000);
        let uri = server(move |stream| {
            let poured = pour(
                stream,
                "HTTP/1.1 101 Switching Protocols\r\n",
                again.as_bytes(),
            );
            assert!(poured < 64 << 20, "the client took {poured} bytes");
        });
        let errors = refusal(&uri).errors();
        assert!(
            errors[0].error.matches(gst::StreamError::Decode),
            "{:?}",
            errors[0]
        );
    }
}

#[test]
fn what_is_no_http_is_refused() {
    for answer in [
        "\u{0}\u{1}\u{2}\u{3}",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/1.1 banana\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: wrong\r\n\r\n",
    ] {
        let uri = server(move |mut stream| {
            let _ = stream.write_all(answer.as_bytes());
            // Until the client goes.
            let _ = stream.read(&mut [0]);
        });
        let errors = refusal(&uri).errors();
        assert!(
            errors[0].error.matches(gst::StreamError::Decode),
            "{answer:?}: {:?}",
            errors[0]
        );
    }
}

/// A refusal's status counts, also without a whole body.
#[test]
fn a_body_without_end_does_not_hide_the_status() {
    let uri = server(|stream| {
        let poured = pour(stream, "HTTP/1.1 401 Unauthorized\r\n\r\n", &[b'x'; 4096]);
        assert!(poured < 64 << 20, "the client took {poured} bytes");
    });
    let errors = refusal(&uri).errors();
    assert!(
        errors[0].error.matches(gst::ResourceError::NotAuthorized),
        "{:?}",
        errors[0]
    );
}

/// The part of a refusal that comes within a short `connect-timeout` counts as an answer.
#[test]
fn a_short_connect_timeout_does_not_hide_the_status() {
    for answer in [
        "HTTP/1.1 401 Unauthorized\r\n",
        "HTTP/1.1 401 Unauthorized\r\nContent-Length: 100\r\n\r\nhalf of",
    ] {
        let uri = server(move |mut stream| {
            let _ = stream.write_all(answer.as_bytes());
            // Until the client goes.
            let _ = stream.read(&mut [0]);
        });
        let sink = sink_for(&uri);
        sink.set_property("connect-timeout", 300u32);
        let log = TestPipeline::new(sink).run(&[0; 48_000], 100);
        let error = &log.errors()[0].error;
        assert!(
            error.matches(gst::ResourceError::NotAuthorized),
            "{answer:?}: {error:?}"
        );
        assert!(log.warnings().is_empty(), "{:?}", log.warnings());
    }
}

/// A refusal in chunks, as proxies send it, is read as one; a secret that it cuts in two is struck
/// out.
#[test]
fn a_refusal_in_chunks_is_put_together() {
    let uri = server(|mut stream| {
        let head = "HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\nX-Tt-Logid: a\u{202e}b\r\n\r\n";
        let _ = stream.write_all(head.as_bytes());
        for chunk in [
            r#"{"error":"not secret-acc"#,
            "ess-k",
            r#"ey","code":4"#,
            "5000010}",
        ] {
            let chunk = format!("{:x}\r\n{chunk}\r\n", chunk.len());
            let _ = stream.write_all(chunk.as_bytes());
        }
        let _ = stream.write_all(b"0\r\n\r\n");
        // Open until the client goes.
        let _ = stream.read(&mut [0]);
    });
    let errors = refusal(&uri).errors();
    assert!(
        errors[0].error.matches(gst::ResourceError::NotAuthorized),
        "{:?}",
        errors[0]
    );
    let details = errors[0].details.as_ref().expect("details");
    assert_eq!(details.get("message"), Ok("not ***"));
    assert_eq!(details.get("code"), Ok(45_000_010u32));
    assert_eq!(details.get("log-id"), Ok("a b"));
}

#[test]
fn redirects_are_not_followed() {
    let elsewhere = service(Options::default());
    for status in [301, 302, 307, 308] {
        let http = FaultKind::Http {
            status,
            headers: vec![("Location".into(), elsewhere.uri())],
            body: String::new(),
        };
        let service = service(Options {
            faults: vec![Fault::each(http, Trigger::Handshake)],
            ..Options::default()
        });
        let log = refusal(&service.uri());
        let error = &log.errors()[0];
        let details = error.details.as_ref().expect("details");
        assert_eq!(
            details.get("http-status"),
            Ok(u32::from(status)),
            "{details:?}"
        );
        assert_eq!(details.get("retryable"), Ok(false), "{details:?}");
        assert_eq!(service.connections().len(), 1, "{status} was tried again");
    }
    assert!(
        elsewhere.connections().is_empty(),
        "a redirect was followed"
    );
}

/// One byte a second, at each stage: a state change does not wait for the next.
#[test]
fn a_server_that_trickles_holds_no_state_change() {
    let slow = FaultKind::Trickle(Duration::from_secs(1), None);
    for when in [
        Trigger::Handshake,
        Trigger::Ack,
        Trigger::Audio(Duration::from_millis(500)),
        Trigger::Finish,
    ] {
        let service = service(Options {
            faults: vec![Fault::each(slow.clone(), when)],
            ..Options::default()
        });
        let (pcm, _) = speech(2);
        let mut rig = TestPipeline::new(sink(&service));
        rig.play();
        rig.push(&pcm, 20);
        rig.end();
        let struck = service.wait(LONG, |all| all.iter().any(|c| !c.faults.is_empty()));
        assert!(struck, "{when:?}");
        let began = Instant::now();
        rig.pipeline.set_state(gst::State::Ready).expect("READY");
        let took = began.elapsed();
        // 100 ms are promised; a machine that is busy with other tests gets some more.
        assert!(took < Duration::from_millis(500), "{when:?}: {took:?}");
    }
}

/// A TLS handshake that trickles ends with `connect-timeout`, or with a state change.
#[test]
fn a_tls_handshake_that_trickles_is_given_up_and_holds_no_state_change() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            // A handshake record of 16 KiB, byte by byte.
            let record = [0x16, 3, 3, 0x40, 0].into_iter().chain([0; 1 << 14]);
            thread::spawn(move || {
                for byte in record {
                    if stream.write_all(&[byte]).is_err() {
                        return;
                    }
                    thread::sleep(Duration::from_millis(20));
                }
            });
        }
    });
    let uri = format!("wss://{address}/api/v3/sauc/bigmodel_async");
    let sink = sink_for(&uri);
    sink.set_property("connect-timeout", 500u32);
    sink.set_property("max-reconnects", 0u32);
    let log = TestPipeline::new(sink).run(&[0; 48_000], 100);
    let error = &log.errors()[0].error;
    assert!(error.matches(gst::ResourceError::OpenWrite), "{error:?}");

    let sink = sink_for(&uri);
    let mut rig = TestPipeline::new(sink);
    rig.play();
    rig.push(&[0; 48_000], 100);
    wait_until("it is under way", || !rig.take().progress().is_empty());
    let began = Instant::now();
    rig.pipeline.set_state(gst::State::Ready).expect("READY");
    let took = began.elapsed();
    assert!(took < Duration::from_millis(500), "{took:?}");
}
