//! The body of a refusal: why the service said no, as much of it as comes in time.

use std::io;
use std::time::Duration;

use serde::de::IgnoredAny;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::{Instant, timeout_at};

/// More of a body is not read.
const MAX_BODY: usize = 16 * 1024;
/// Upper bound on the time that is spent on reading one: the status is known already.
const BODY_TIME: Duration = Duration::from_secs(1);
/// A chunk's size is at most so far from its line's end.
const MAX_SIZE_LINE: usize = 256;

/// How a body ends, by its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// In pieces that say their own sizes.
    Chunked,
    /// After so many bytes.
    Length(usize),
    /// With the connection.
    ToTheEnd,
}

/// A body.
#[derive(Debug)]
pub(super) struct Body {
    framing: Framing,
    text: Vec<u8>,
    /// Chunked, and not understood yet.
    raw: Vec<u8>,
    /// Of the current chunk there is so much to come.
    left: usize,
    /// The line break after a chunk is to come.
    between: bool,
    /// Nothing more is to come.
    over: bool,
    whole: bool,
}

/// Reads a body that begins with `tail`, as much of it as comes by `until`.
pub(super) async fn read<S: AsyncRead + Unpin>(
    stream: &mut S,
    tail: &[u8],
    framing: Framing,
    until: Instant,
) -> Body {
    let mut body = Body::new(framing);
    body.take(tail);
    let mut buffer = Vec::with_capacity(1024);
    let rest = async {
        while !body.over {
            buffer.clear();
            match stream.read_buf(&mut buffer).await {
                // Many a server ends TLS without saying so.
                Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return,
                Ok(0) | Err(_) => return body.end(),
                Ok(_) => body.take(&buffer),
            }
        }
    };
    // One that never comes must not hide the status.
    let until = until.min(Instant::now() + BODY_TIME);
    let _ = timeout_at(until, rest).await;
    body
}

impl Body {
    fn new(framing: Framing) -> Self {
        let over = framing == Framing::Length(0);
        Body {
            framing,
            text: Vec::new(),
            raw: Vec::new(),
            left: 0,
            between: false,
            over,
            whole: over,
        }
    }

    /// What it says.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Whether nothing of it is missing, as far as can be told.
    pub fn is_whole(&self) -> bool {
        self.whole || serde_json::from_slice::<IgnoredAny>(&self.text).is_ok()
    }

    fn take(&mut self, bytes: &[u8]) {
        match self.framing {
            Framing::ToTheEnd => self.text.extend_from_slice(bytes),
            Framing::Length(length) => {
                let more = bytes.len().min(length - self.text.len());
                self.text.extend_from_slice(&bytes[..more]);
                self.whole = self.text.len() == length;
            }
            Framing::Chunked => {
                self.raw.extend_from_slice(bytes);
                let taken = self.unchunk();
                self.raw.drain(..taken);
            }
        }
        self.over |= self.whole;
        if self.text.len() >= MAX_BODY {
            self.text.truncate(MAX_BODY);
            (self.over, self.whole) = (true, false);
        }
    }

    /// The connection is over.
    fn end(&mut self) {
        self.over = true;
        self.whole |= self.framing == Framing::ToTheEnd;
    }

    /// Appends the chunks that are there; how much of the raw bytes they were.
    fn unchunk(&mut self) -> usize {
        let mut at = 0;
        loop {
            let rest = &self.raw[at..];
            let data = rest.len().min(self.left);
            self.text.extend_from_slice(&rest[..data]);
            (self.left, at) = (self.left - data, at + data);
            let mut rest = &rest[data..];
            if self.left > 0 || rest.is_empty() {
                return at;
            }
            if self.between {
                rest = match rest.strip_prefix(b"\r\n") {
                    Some(rest) => rest,
                    None if rest == b"\r" => return at,
                    None => return self.broken(at),
                };
                (self.between, at) = (false, at + 2);
            }
            match httparse::parse_chunk_size(rest) {
                Ok(httparse::Status::Complete((_, 0))) => {
                    // Fields may follow, which nobody wants.
                    self.whole = true;
                    return self.raw.len();
                }
                Ok(httparse::Status::Complete((line, size))) => {
                    self.left = usize::try_from(size).unwrap_or(usize::MAX);
                    (self.between, at) = (true, at + line);
                }
                Ok(httparse::Status::Partial) if rest.len() <= MAX_SIZE_LINE => return at,
                Ok(httparse::Status::Partial) | Err(_) => return self.broken(at),
            }
        }
    }

    /// It is not in chunks from there on: it is shown as it is.
    fn broken(&mut self, at: usize) -> usize {
        self.text.extend_from_slice(&self.raw[at..]);
        self.over = true;
        self.raw.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::AsyncWriteExt;

    use super::*;

    /// What a body that comes in these pieces is, and whether it is whole.
    fn body(framing: Framing, pieces: &[&[u8]]) -> (String, bool) {
        let mut body = Body::new(framing);
        for piece in pieces {
            if !body.over {
                body.take(piece);
            }
        }
        if !body.over {
            body.end();
        }
        let text = String::from_utf8_lossy(body.text()).into_owned();
        (text, body.is_whole())
    }

    #[test]
    fn chunks_are_joined() {
        for (pieces, text, whole) in [
            (&["5\r\nhello\r\n0\r\n\r\n"][..], "hello", true),
            (&["5;x=y\r\nhel", "lo\r\n1\r\n!\r\n0\r\n"], "hello!", true),
            (
                &["2\r", "\nhe\r", "\n3\r\nllo", "\r\n0", "\r\nX: y"],
                "hello",
                true,
            ),
            (&["0\r\n\r\n"], "", true),
            (&["5\r\nhel"], "hel", false),
            (&["ffffffffffffffff\r\nhel"], "hel", false),
            (&["5\r\nhello?? 0\r\n"], "hello?? 0\r\n", false),
            (&["no chunks"], "no chunks", false),
            (
                &[r#"{"error":"no chunks"}"#],
                r#"{"error":"no chunks"}"#,
                true,
            ),
        ] {
            let pieces: Vec<_> = pieces.iter().map(|piece| piece.as_bytes()).collect();
            let expected = (text.to_owned(), whole);
            assert_eq!(body(Framing::Chunked, &pieces), expected);
        }
    }

    #[test]
    fn lengths_and_ends() {
        let all = |framing| body(framing, &[b"hel", b"lo"]);
        assert_eq!(all(Framing::Length(4)), ("hell".into(), true));
        assert_eq!(all(Framing::Length(5)), ("hello".into(), true));
        assert_eq!(all(Framing::Length(6)), ("hello".into(), false));
        assert_eq!(all(Framing::Length(0)), (String::new(), true));
        assert_eq!(all(Framing::ToTheEnd), ("hello".into(), true));
    }

    #[test]
    fn no_body_is_read_for_ever() {
        let long = [b'x'; 4096];
        let mut sized = b"1000\r\n".to_vec();
        sized.extend([&long[..], b"\r\n"].concat());
        for (framing, piece) in [
            (Framing::ToTheEnd, &long[..]),
            (Framing::Length(usize::MAX), &long),
            (Framing::Chunked, &sized),
            (Framing::Chunked, b"1;xxxxxxxxxxxxxxxx"),
            (Framing::Chunked, b"1\r\nx\r\n"),
        ] {
            let mut body = Body::new(framing);
            let mut taken = 0;
            while !body.over {
                body.take(piece);
                taken += piece.len();
                assert!(taken < 16 * MAX_BODY);
            }
            assert!(body.text.len() <= MAX_BODY && !body.is_whole());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_not_waited_for_for_long() {
        let (mut ours, mut theirs) = tokio::io::duplex(64);
        theirs.write_all(b"lf").await.expect("room");
        let began = Instant::now();
        let much = began + 9 * BODY_TIME;
        let body = read(&mut ours, b"ha", Framing::Length(9), much).await;
        assert_eq!(body.text(), b"half");
        assert!(!body.is_whole());
        assert_eq!(began.elapsed(), BODY_TIME);
        theirs.write_all(b"2\r\n!!\r\n0\r\n").await.expect("room");
        let body = read(&mut ours, b"4\r\nhalf\r\n", Framing::Chunked, much).await;
        assert_eq!(body.text(), b"half!!");
        assert_eq!(began.elapsed(), BODY_TIME, "it was all there");
        let soon = Instant::now() + BODY_TIME / 10;
        let body = read(&mut ours, b"ha", Framing::Length(9), soon).await;
        assert_eq!(body.text(), b"ha");
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
