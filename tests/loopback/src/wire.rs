//! The socket below the WebSocket: plain or TLS, slow on demand, and its faults.

use crate::{fault::FaultKind, record::End};
use std::{
    future::Future,
    io,
    ops::ControlFlow::{self, Break, Continue},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, Interest, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep, timeout},
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

    fn tcp(&self) -> &TcpStream {
        match &self.socket {
            Socket::Plain(tcp) => tcp,
            Socket::Tls(tls) => tls.get_ref().0,
        }
    }

    /// A fault of the socket. Those that only a session can have are passed over.
    pub(crate) async fn inject(&mut self, kind: &FaultKind) -> ControlFlow<End> {
        match kind {
            FaultKind::Reset => drop(self.tcp().set_zero_linger()),
            FaultKind::Drop => self.drain().await,
            FaultKind::Hang => self.hang().await,
            FaultKind::Raw(bytes) => return self.send(bytes).await,
            FaultKind::Delay(time) => {
                sleep(*time).await;
                return Continue(());
            }
            FaultKind::Trickle(period, count) => {
                self.trickle = Some(Trickle {
                    period: *period,
                    sleep: Box::pin(sleep(*period)),
                    rest: *count,
                });
                return Continue(());
            }
            _ => return Continue(()),
        }
        Break(End::Fault)
    }

    /// Writes all of it.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> ControlFlow<End> {
        if self.write_all(bytes).await.is_err() || self.flush().await.is_err() {
            return Break(End::ClientLost);
        }
        Continue(())
    }

    /// Ends the sending side and reads on for a moment: closing with unread data would become a
    /// reset that takes the last bytes with it.
    pub(crate) async fn drain(&mut self) {
        let _ = self.shutdown().await;
        let mut sink = [0; 4096];
        let _ = timeout(Duration::from_secs(1), async {
            while matches!(self.read(&mut sink).await, Ok(n) if n > 0) {}
        })
        .await;
    }

    /// Neither reads nor writes until the client is gone. (One whose last data can't be sent for
    /// lack of room is never seen to go.)
    async fn hang(&self) {
        // Looked at now and then: readiness stays set while nothing is read, so that waiting for it
        // would spin.
        while matches!(self.tcp().ready(Interest::READABLE).await, Ok(r) if !r.is_read_closed()) {
            sleep(Duration::from_millis(50)).await;
        }
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
