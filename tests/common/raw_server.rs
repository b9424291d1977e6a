//! A server that writes without end, and the memory of this process meanwhile.

use std::io::{Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tokio_tungstenite::tungstenite;

use crate::common::*;

/// Behaviour of a [`RawServer`] beside its writing.
#[derive(Clone, Copy, PartialEq)]
pub enum Manners {
    /// It answers the request, and takes what the client sends, so that it is never its turn to
    /// wait.
    Polite,
    /// It does not answer.
    Silent,
    /// It takes nothing.
    Rude,
}

/// A server that takes the upgrade and the request, and then writes without end. It counts the
/// bytes that it could write.
pub struct RawServer {
    pub uri: String,
    written: Arc<AtomicUsize>,
}

impl RawServer {
    /// `next` is what it says for the n-th time, as it stands on the socket.
    pub fn new(next: impl Fn(usize) -> Vec<u8> + Send + 'static) -> Self {
        RawServer::with(Manners::Polite, next)
    }

    pub fn with(manners: Manners, next: impl Fn(usize) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let written = Arc::new(AtomicUsize::new(0));
        let count = written.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                talk(stream, manners, &next, &count);
            }
        });
        let uri = format!("ws://{address}/api/v3/sauc/bigmodel_async");
        RawServer { uri, written }
    }

    pub fn written(&self) -> usize {
        self.written.load(Ordering::Relaxed)
    }
}

fn talk(
    mut stream: TcpStream,
    manners: Manners,
    next: &impl Fn(usize) -> Vec<u8>,
    written: &AtomicUsize,
) {
    let Ok(socket) = tungstenite::accept(&mut stream) else {
        return;
    };
    drop(socket);
    if manners != Manners::Silent {
        let ack = response_frame(br#"{"result":{"additions":{"log_id":"x"}}}"#);
        let _ = stream.write_all(&message(&ack));
    }
    if let Ok(mut reader) = stream.try_clone()
        && manners != Manners::Rude
    {
        thread::spawn(move || while matches!(reader.read(&mut [0; 65_536]), Ok(1..)) {});
    }
    for n in 0.. {
        let bytes = next(n);
        if stream.write_all(&bytes).is_err() {
            return;
        }
        written.fetch_add(bytes.len(), Ordering::Relaxed);
    }
}

/// Reads a request up to its empty line, or to the end.
pub fn head(stream: &mut impl Read) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

pub fn gzip(data: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(data).expect("to memory");
    gzip.finish().expect("to memory")
}

/// A response, as a frame of the protocol.
pub fn response_frame(payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&[0x11, 0x90, 0x10, 0], &length[..], payload].concat()
}

/// An error, as a frame of the protocol.
pub fn error_frame(code: u32, body: &str) -> Vec<u8> {
    let [code, length] = [code, body.len() as u32].map(u32::to_be_bytes);
    [&[0x11, 0xf0, 0x10, 0], &code[..], &length, body.as_bytes()].concat()
}

/// A frame in a WebSocket message, as it stands on the socket.
pub fn message(frame: &[u8]) -> Vec<u8> {
    [&[0x82, 127], &(frame.len() as u64).to_be_bytes()[..], frame].concat()
}

/// Resident memory of this process, in bytes.
pub fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<usize>().ok());
    kib.expect("a number") * 1024
}
