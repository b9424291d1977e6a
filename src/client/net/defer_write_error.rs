//! A stream that can still be read after a failed write: an error frame may be there that says why.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::transport::Transport;

/// Defers a write error, and discards what is written after it.
///
/// The WebSocket library writes before it reads, such as answers to pings, and stops reading once
/// that fails.
#[derive(Debug)]
pub(super) struct DeferWriteError {
    stream: Transport,
    failure: Option<io::Error>,
    failed: bool,
}

impl DeferWriteError {
    pub fn new(stream: Transport) -> Self {
        DeferWriteError {
            stream,
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

impl AsyncRead for DeferWriteError {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for DeferWriteError {
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
