//! A server that writes without end, and the memory of this process meanwhile.

use std::io::{Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tokio_tungstenite::tungstenite;

use crate::common::*;

/// Behaviour of a [`RawServer`] beside its writing.
#[derive(Clone, Copy)]
pub struct Manners {
    /// It answers the request.
    pub answers: bool,
    /// It takes what the client sends, so that it is never its turn to wait.
    pub listens: bool,
}

pub const POLITE: Manners = Manners {
    answers: true,
    listens: true,
};
pub const SILENT: Manners = Manners {
    answers: false,
    ..POLITE
};
pub const RUDE: Manners = Manners {
    listens: false,
    ..POLITE
};

/// A server that takes the upgrade and the request, and then writes without end. It counts the
/// bytes that it could write.
pub struct RawServer {
    pub uri: String,
    written: Arc<AtomicUsize>,
}

impl RawServer {
    /// `next` is what it says for the n-th time, as it stands on the socket.
    pub fn new(next: impl Fn(usize) -> Vec<u8> + Send + 'static) -> Self {
        RawServer::with(POLITE, next)
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
    let ack = match manners.answers {
        true => message(br#"{"result":{"additions":{"log_id":"x"}}}"#, 0),
        false => Vec::new(),
    };
    let _ = stream.write_all(&ack);
    if let Ok(mut reader) = stream.try_clone()
        && manners.listens
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

/// A response in a WebSocket message, as it stands on the socket.
pub fn message(json: &[u8], flags: u8) -> Vec<u8> {
    let length = json.len() + 8;
    let mut bytes = vec![0x82, 127];
    bytes.extend((length as u64).to_be_bytes());
    bytes.extend([0x11, 0x90 | flags, 0x10, 0]);
    bytes.extend((json.len() as u32).to_be_bytes());
    bytes.extend(json);
    bytes
}

/// Resident memory of this process, in bytes.
pub fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<usize>().ok());
    kib.expect("a number") * 1024
}
