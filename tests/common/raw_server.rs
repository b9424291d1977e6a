//! A server that writes without end, and the memory of this process meanwhile.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

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

    /// Waits until it could not write for a while: the client has stopped reading.
    pub fn wait_until_blocked(&self) {
        let mut before = (0, Instant::now());
        wait_until("the peer does not read", || {
            let now = self.written();
            if now != before.0 {
                before = (now, Instant::now());
            }
            now > 0 && before.1.elapsed() > Duration::from_millis(500)
        });
    }
}

fn talk(
    mut stream: TcpStream,
    manners: Manners,
    next: &impl Fn(usize) -> Vec<u8>,
    written: &AtomicUsize,
) {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") {
        if !matches!(stream.read(&mut byte), Ok(1)) {
            return;
        }
        request.push(byte[0]);
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let key = request
        .lines()
        .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))
        .expect("a key");
    let accept = derive_accept_key(key.as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    let ack = match manners.answers {
        true => message(br#"{"result":{"additions":{"log_id":"x"}}}"#, 0),
        false => Vec::new(),
    };
    if stream
        .write_all(&[answer.as_bytes(), &ack].concat())
        .is_err()
    {
        return;
    }
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
