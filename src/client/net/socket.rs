//! The byte stream as the WebSocket library has it. It can still be read after a failed write,
//! because an error frame may be there that says why, and its first read is short.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::transport::Transport;

/// Upper bound in bytes on the first read after the peer's data was used up.
///
/// With the header of a message the library makes room for all of it, besides what it has of it
/// already. Where that is a whole message, its buffer doubles: 16 KiB for messages of 3, in each of
/// a thousand sessions.
const FIRST_READ: usize = 1024;

/// Defers a write error, and discards what is written after it.
///
/// The WebSocket library writes before it reads, such as answers to pings, and stops reading once
/// that fails.
#[derive(Debug)]
pub(super) struct Socket {
    stream: Transport,
    /// The last read was filled: more is there.
    has_more: bool,
    failure: Option<io::Error>,
    failed: bool,
}

impl Socket {
    pub fn new(stream: Transport) -> Self {
        Socket {
            stream,
            has_more: false,
            failure: None,
            failed: false,
        }
    }

    /// Takes the write error.
    pub fn take_failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    fn defer<T>(&mut self, written: io::Result<T>, pretended: T) -> io::Result<T> {
        written.or_else(|error| {
            self.failed = true;
            self.failure = Some(error);
            Ok(pretended)
        })
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let limit = match self.has_more {
            true => buf.remaining(),
            false => buf.remaining().min(FIRST_READ),
        };
        let mut piece = ReadBuf::new(buf.initialize_unfilled_to(limit));
        let read = Pin::new(&mut self.stream).poll_read(cx, &mut piece);
        let length = piece.filled().len();
        self.has_more = length == limit;
        buf.advance(length);
        read
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.failed {
            return Poll::Ready(Ok(buf.len()));
        }
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        written.map(|written| self.defer(written, buf.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.failed {
            return Poll::Ready(Ok(()));
        }
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        flushed.map(|flushed| self.defer(flushed, ()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn the_first_read_after_a_pause_is_short() {
        let (ours, mut theirs) = tokio::io::duplex(8192);
        let mut socket = Socket::new(Box::new(ours));
        let mut buffer = [0; 4096];
        for _ in 0..2 {
            theirs.write_all(&[1; 6000]).await.expect("room");
            for expected in [FIRST_READ, 4096, 6000 - 4096 - FIRST_READ] {
                assert_eq!(socket.read(&mut buffer).await.expect("open"), expected);
            }
        }
    }
}
