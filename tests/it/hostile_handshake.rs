//! Servers that misbehave before the first frame: refused, given up in time, and never in the way
//! of a state change.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use crate::common::*;

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
    let sink = set(sink_for(uri), "connect-timeout=2000 max-reconnects=1");
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
        errors[0].assert_is(gst::StreamError::Decode, &[]);
    }
}

#[test]
fn what_is_no_http_is_refused() {
    for answer in [
        "\u{0}\u{1}\u{2}\u{3}",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/1.1 banana\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: wrong\r\n\r\n",
    ] {
        let uri = server(move |mut stream| {
            let _ = stream.write_all(answer.as_bytes());
            // Until the client goes.
            let _ = stream.read(&mut [0]);
        });
        let errors = refusal(&uri).errors();
        errors[0].assert_is(gst::StreamError::Decode, &[]);
    }
}
