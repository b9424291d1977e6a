//! An HTTP server on 127.0.0.1 that answers as a test wants.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Serves until it is dropped.
pub struct Server {
    port: u16,
    is_over: Arc<AtomicBool>,
}

impl Server {
    /// `answer` gets the head of a request and the connection, which is closed behind it.
    pub fn start(
        answer: impl Fn(&str, &mut TcpStream) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let is_over = Arc::new(AtomicBool::new(false));
        let (over, answer) = (is_over.clone(), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(mut stream), answer) = (stream, answer.clone()) else {
                    continue;
                };
                std::thread::spawn(move || {
                    // A client may go away at any moment.
                    let _ = head(&mut stream).and_then(|head| answer(&head, &mut stream));
                });
            }
        });
        Server { port, is_over }
    }

    pub fn uri(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // The thread wakes up.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// Returns what a request asks for, without the slash before it.
pub fn path(head: &str) -> &str {
    let path = head.split_whitespace().nth(1).unwrap_or_default();
    path.trim_start_matches('/')
}

/// Answers with a whole file.
pub fn send(stream: &mut TcpStream, kind: &str, bytes: &[u8]) -> io::Result<()> {
    let length = bytes.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n"
    )?;
    stream.write_all(bytes)
}

/// Answers that there is none.
pub fn refuse(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}
