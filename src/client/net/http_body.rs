//! The body of a refusal, which gives its reason: as much of it as arrives in time.

use std::io;
use std::time::Duration;

use serde::de::IgnoredAny;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::{Instant, timeout_at};

use super::http_head::Head;

/// Upper bound on the bytes that are read, chunk sizes included.
const MAX_BODY: usize = 16 * 1024;
/// Upper bound on the time for a body: the status is known already.
const BODY_TIME: Duration = Duration::from_secs(1);
/// End of a body, as its header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// An empty chunk.
    Chunked,
    /// A number of bytes.
    Length(usize),
    /// The end of the connection.
    UntilClose,
}

impl Framing {
    /// Returns the framing of the body behind `head`.
    pub fn of(head: &Head) -> Self {
        match head.field("Content-Length").map(str::parse) {
            _ if head.lists("Transfer-Encoding", "chunked") => Framing::Chunked,
            Some(Ok(length)) => Framing::Length(length),
            _ => Framing::UntilClose,
        }
    }
}

/// A body, or the start of one.
#[derive(Debug)]
pub(super) struct Body {
    /// Its text, without chunk sizes.
    pub text: Vec<u8>,
    /// All of it has come, by its framing.
    has_ended: bool,
}

impl Body {
    /// Whether it is complete, by its framing or as JSON.
    pub fn is_complete(&self) -> bool {
        self.has_ended || serde_json::from_slice::<IgnoredAny>(&self.text).is_ok()
    }
}

/// Reads a body that starts with `tail`, as much of it as comes by `until`.
pub(super) async fn read<S: AsyncRead + Unpin>(
    stream: &mut S,
    tail: &[u8],
    framing: Framing,
    until: Instant,
) -> Body {
    let mut raw = tail[..tail.len().min(MAX_BODY)].to_vec();
    let mut is_closed = false;
    let rest = async {
        while !decode(&raw, framing, is_closed).has_ended && raw.len() < MAX_BODY {
            let room = (MAX_BODY - raw.len()) as u64;
            match (&mut *stream).take(room).read_buf(&mut raw).await {
                // Many servers close TCP without closing TLS.
                Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return,
                Ok(0) | Err(_) => {
                    is_closed = true;
                    return;
                }
                Ok(_) => {}
            }
        }
    };
    // A body that never comes must not hide the status.
    let until = until.min(Instant::now() + BODY_TIME);
    let _ = timeout_at(until, rest).await;
    decode(&raw, framing, is_closed)
}

/// Decodes the bytes so far.
fn decode(raw: &[u8], framing: Framing, is_closed: bool) -> Body {
    let (text, has_ended) = match framing {
        Framing::Chunked => dechunk(raw),
        Framing::Length(length) => (raw[..raw.len().min(length)].to_vec(), raw.len() >= length),
        Framing::UntilClose => (raw.to_vec(), is_closed),
    };
    Body { text, has_ended }
}

/// Joins the chunks of `raw`, and tells whether the last one is there. From the first invalid one
/// on, the bytes are taken as they are.
fn dechunk(raw: &[u8]) -> (Vec<u8>, bool) {
    let mut text = Vec::new();
    let mut rest = raw;
    loop {
        match httparse::parse_chunk_size(rest) {
            // Trailing fields may follow, and are ignored.
            Ok(httparse::Status::Complete((_, 0))) => return (text, true),
            Ok(httparse::Status::Complete((line, size))) => {
                let data = &rest[line..];
                let size = usize::try_from(size).unwrap_or(usize::MAX);
                let (chunk, after) = data.split_at(data.len().min(size));
                text.extend_from_slice(chunk);
                rest = after;
            }
            Ok(httparse::Status::Partial) => return (text, false),
            Err(_) => break,
        }
        match rest.strip_prefix(b"\r\n") {
            Some(next) => rest = next,
            None if b"\r\n".starts_with(rest) => return (text, false),
            None => break,
        }
    }
    text.extend_from_slice(rest);
    (text, false)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::AsyncWriteExt;

    use super::*;

    /// Reads a body that comes in these pieces, and is closed behind them. Returns its text, and
    /// whether it is complete.
    fn body(framing: Framing, pieces: &[&[u8]]) -> (String, bool) {
        let mut raw = Vec::new();
        let mut body = decode(&raw, framing, false);
        for piece in pieces {
            if !body.has_ended {
                raw.extend_from_slice(piece);
                body = decode(&raw, framing, false);
            }
        }
        if !body.has_ended {
            body = decode(&raw, framing, true);
        }
        let text = String::from_utf8_lossy(&body.text).into_owned();
        (text, body.is_complete())
    }

    #[test]
    fn a_body_ends_as_its_framing_says() {
        use Framing::{Chunked, Length, UntilClose};
        let json = r#"{"error":"no chunks"}"#;
        #[rustfmt::skip]
        let bodies = [
            (Chunked, "5\r\nhello\r\n0\r\n\r\n", "hello", true),
            (Chunked, "5;x=y\r\nhel|lo\r\n1\r\n!\r\n0\r\n", "hello!", true),
            (Chunked, "2\r|\nhe\r|\n3\r\nllo|\r\n0|\r\nX: y", "hello", true),
            (Chunked, "0\r\n\r\n", "", true),
            (Chunked, "5\r\nhel", "hel", false),
            (Chunked, "ffffffffffffffff\r\nhel", "hel", false),
            (Chunked, "5\r\nhello?? 0\r\n", "hello?? 0\r\n", false),
            (Chunked, "no chunks", "no chunks", false),
            (Chunked, json, json, true),
            (Length(4), "hel|lo", "hell", true),
            (Length(5), "hel|lo", "hello", true),
            (Length(6), "hel|lo", "hello", false),
            (Length(0), "hel|lo", "", true),
            (UntilClose, "hel|lo", "hello", true),
        ];
        for (framing, pieces, text, whole) in bodies {
            let split: Vec<_> = pieces.split('|').map(str::as_bytes).collect();
            let found = body(framing, &split);
            assert_eq!(found, (text.to_owned(), whole), "{framing:?} {pieces}");
        }
    }

    #[tokio::test]
    async fn a_body_is_bounded() {
        let long = vec![b'x'; 4 * MAX_BODY];
        let chunk = [b"ffff\r\n", &long[..]].concat();
        let chunks = b"1\r\nx\r\n".repeat(MAX_BODY);
        for (framing, bytes) in [
            (Framing::UntilClose, &long),
            (Framing::Length(usize::MAX), &long),
            (Framing::Chunked, &chunk),
            (Framing::Chunked, &chunks),
            (Framing::Chunked, &b"1;xxxxxxxxxxxxxxxx".repeat(MAX_BODY)),
        ] {
            let mut stream = &bytes[..];
            let body = read(&mut stream, b"", framing, Instant::now() + BODY_TIME).await;
            assert!(bytes.len() - stream.len() <= MAX_BODY, "{framing:?}");
            assert!(body.text.len() <= MAX_BODY && !body.is_complete());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_not_waited_for_for_long() {
        let (mut ours, mut theirs) = tokio::io::duplex(64);
        theirs.write_all(b"lf").await.expect("room");
        let began = Instant::now();
        let much = began + 9 * BODY_TIME;
        let body = read(&mut ours, b"ha", Framing::Length(9), much).await;
        assert_eq!(body.text, b"half");
        assert!(!body.is_complete());
        assert_eq!(began.elapsed(), BODY_TIME);
        theirs.write_all(b"2\r\n!!\r\n0\r\n").await.expect("room");
        let body = read(&mut ours, b"4\r\nhalf\r\n", Framing::Chunked, much).await;
        assert_eq!(body.text, b"half!!");
        assert_eq!(began.elapsed(), BODY_TIME, "it was all there");
        let soon = Instant::now() + BODY_TIME / 10;
        let body = read(&mut ours, b"ha", Framing::Length(9), soon).await;
        assert_eq!(body.text, b"ha");
        assert_eq!(Instant::now(), soon, "connect-timeout covers the body");
    }

    proptest! {
        /// However it is cut into chunks, and however these come.
        #[test]
        fn chunks_are_joined_however_they_come(
            chunks in prop::collection::vec("[a-z\r\n0-9]{1,20}", 0..8),
            cuts in prop::collection::vec(1usize..9, 0..40),
        ) {
            let mut raw = String::new();
            for chunk in &chunks {
                raw += &format!("{:X}\r\n{chunk}\r\n", chunk.len());
            }
            raw += "0\r\n\r\n";
            let mut pieces = Vec::new();
            let mut rest = raw.as_bytes();
            for cut in cuts {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                pieces.push(piece);
                rest = after;
            }
            pieces.push(rest);
            prop_assert_eq!(body(Framing::Chunked, &pieces), (chunks.concat(), true));
        }

        #[test]
        fn no_bytes_make_it_panic(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..9),
            likely in prop::collection::vec("[0-9a-f]{0,2}(\r\n)?x{0,9}(\r\n)?", 0..9),
        ) {
            let pieces: Vec<_> = pieces.iter().map(Vec::as_slice).collect();
            let likely: Vec<_> = likely.iter().map(String::as_bytes).collect();
            for pieces in [pieces, likely] {
                body(Framing::Chunked, &pieces);
                body(Framing::Length(30), &pieces);
            }
        }
    }
}
