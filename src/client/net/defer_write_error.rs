//! A stream that can be read on when writing to it has failed: an error frame that came before says why.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Takes what is written after a failure for written, and keeps the failure.
///
/// The WebSocket library writes before it reads, answers to pings above all, and reads no more once that has failed.
#[derive(Debug)]
pub(super) struct DeferWriteError<S> {
    stream: S,
    failure: Option<io::Error>,
    failed: bool,
}

impl<S> DeferWriteError<S> {
    pub fn new(stream: S) -> Self {
        DeferWriteError {
            stream,
            failure: None,
            failed: false,
        }
    }

    /// Why writing failed; once.
    pub fn take_failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    fn defer<T>(&mut self, written: io::Result<T>, instead: T) -> io::Result<T> {
        written.or_else(|error| {
            self.failed = true;
            self.failure = Some(error);
            Ok(instead)
        })
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for DeferWriteError<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for DeferWriteError<S> {
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
