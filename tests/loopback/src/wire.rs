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
    /// Bytes that are still written one by one.
    rest: u64,
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
    pub(crate) async fn secure(self, acceptor: TlsAcceptor) -> io::Result<Self> {
        match self.socket {
            Socket::Plain(tcp) => {
                let tls = acceptor.accept(tcp).await?;
                Ok(Self {
                    socket: Socket::Tls(Box::new(tls)),
                    trickle: self.trickle,
                })
            }
            Socket::Tls(_) => Ok(self),
        }
    }

    /// The TCP socket itself.
    pub(crate) fn tcp(&self) -> &TcpStream {
        match &self.socket {
            Socket::Plain(tcp) => tcp,
            Socket::Tls(tls) => tls.get_ref().0,
        }
    }

    /// From now on one byte each `period`, until there were `count`.
    pub(crate) fn trickle(&mut self, period: Duration, count: u64) {
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
        if let Some(trickle) = self.trickle.as_mut().filter(|t| t.rest > 0) {
            ready!(trickle.sleep.as_mut().poll(cx));
            let next = tokio::time::Instant::now() + trickle.period;
            trickle.sleep.as_mut().reset(next);
            trickle.rest -= 1;
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

/// Waits for a future; without one, for ever.
pub(crate) async fn or_never<T>(future: Option<impl Future<Output = T>>) -> T {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}
