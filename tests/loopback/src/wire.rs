//! The socket below the WebSocket: plain or TLS, and slow on demand.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Sleep,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

enum Socket {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

struct Trickle {
    period: Duration,
    sleep: Pin<Box<Sleep>>,
    /// Bytes that are still written one by one; all, if there is none.
    rest: Option<u64>,
}

/// A connection's socket.
pub(crate) struct Wire {
    socket: Socket,
    trickle: Option<Trickle>,
}

impl Wire {
    pub(crate) fn plain(tcp: TcpStream) -> Self {
        Self {
            socket: Socket::Plain(tcp),
            trickle: None,
        }
    }

    /// Accepts TLS on a plain connection.
    pub(crate) async fn secure(mut self, acceptor: TlsAcceptor) -> io::Result<Self> {
        if let Socket::Plain(tcp) = self.socket {
            self.socket = Socket::Tls(Box::new(acceptor.accept(tcp).await?));
        }
        Ok(self)
    }

    /// The TCP socket itself.
    pub(crate) fn tcp(&self) -> &TcpStream {
        match &self.socket {
            Socket::Plain(tcp) => tcp,
            Socket::Tls(tls) => tls.get_ref().0,
        }
    }

    /// Writes one byte each `period` from now on, until there were `count`.
    pub(crate) fn trickle(&mut self, period: Duration, count: Option<u64>) {
        self.trickle = Some(Trickle {
            period,
            sleep: Box::pin(tokio::time::sleep(period)),
            rest: count,
        });
    }

    fn socket(&mut self) -> Pin<&mut (dyn Both + Send)> {
        match &mut self.socket {
            Socket::Plain(tcp) => Pin::new(tcp),
            Socket::Tls(tls) => Pin::new(tls.as_mut()),
        }
    }
}

trait Both: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Both for T {}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.socket().poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Some(trickle) = self.trickle.as_mut().filter(|t| t.rest != Some(0)) {
            ready!(trickle.sleep.as_mut().poll(cx));
            let next = tokio::time::Instant::now() + trickle.period;
            trickle.sleep.as_mut().reset(next);
            trickle.rest = trickle.rest.map(|rest| rest - 1);
            bytes = &bytes[..bytes.len().min(1)];
        }
        self.socket().poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket().poll_shutdown(cx)
    }
}
