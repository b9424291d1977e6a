//! An HTTP server on 127.0.0.1 that answers as a test wants.

use std::io::{self, BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// Serves as long as the tests run. `answer` gets the head of a request and the connection, which
/// is closed behind it. Returns the address.
pub fn serve(
    answer: impl Fn(&str, &mut TcpStream) -> io::Result<()> + Send + Sync + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let uri = format!("http://{}", listener.local_addr().expect("its address"));
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let answer = answer.clone();
            thread::spawn(move || {
                // A client may go away at any moment.
                let lines = BufReader::new(&stream).lines().map_while(Result::ok);
                let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
                let _ = answer(&head.join("\n"), &mut stream);
            });
        }
    });
    uri
}

/// Returns what a request asks for.
pub fn target(head: &str) -> &str {
    head.split_whitespace().nth(1).unwrap_or_default()
}

/// A response with these lines in its head. It ends with the connection.
pub fn response(head: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {head}\nConnection: close\n\n");
    [head.replace('\n', "\r\n").as_bytes(), body].concat()
}
