//! The socket below the WebSocket: plain or TLS, slow on demand, and its faults. Until the 101, the
//! upgrade request and its refusals.

use crate::{
    fault::{FaultKind, Trigger},
    options::{Endpoint, Oddity},
    record::End,
    service::{Gate, Peer, is_open},
    upgrade::{HttpAnswer, Upgrade},
};
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

/// Upper bound on a client's time for TLS, and for its upgrade request.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(10);

/// A socket behind the 101, its endpoint, and the bytes that came behind the request.
pub(crate) type Upgraded = (Wire, Endpoint, Vec<u8>);

/// A socket, plain or TLS.
trait Socket: AsyncRead + AsyncWrite + Send + Sync + Unpin {
    fn tcp(&self) -> &TcpStream;
}

impl Socket for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Socket for TlsStream<Box<dyn Socket>> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0.tcp()
    }
}

struct Trickle {
    period: Duration,
    sleep: Pin<Box<Sleep>>,
    /// Bytes that are still written one by one; all, if there is none.
    rest: Option<u64>,
}

/// A connection's socket.
pub(crate) struct Wire {
    socket: Box<dyn Socket>,
    trickle: Option<Trickle>,
}

impl Wire {
    pub(crate) fn plain(tcp: TcpStream) -> Self {
        Self {
            socket: Box::new(tcp),
            trickle: None,
        }
    }

    /// A fault of the socket. Those that only a session can have are passed over.
    pub(crate) async fn inject(&mut self, kind: &FaultKind) -> ControlFlow<End> {
        match kind {
            FaultKind::Reset => drop(self.socket.tcp().set_zero_linger()),
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
        let tcp = self.socket.tcp();
        while matches!(tcp.ready(Interest::READABLE).await, Ok(r) if !r.is_read_closed()) {
            sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Wire {
    /// Everything until the 101.
    pub(crate) async fn upgrade(
        mut self,
        tls: Option<TlsAcceptor>,
        peer: &Peer,
    ) -> ControlFlow<End, Upgraded> {
        self.inject_before(Trigger::Accept, peer).await?;
        if let Some(acceptor) = tls {
            self.socket = Box::new(in_time(acceptor.accept(self.socket)).await?);
        }
        let upgrade = in_time(Upgrade::read(&mut self)).await?;
        peer.record(|c| {
            c.path = upgrade.path();
            c.headers = upgrade.headers();
        });
        self.inject_before(Trigger::Handshake, peer).await?;
        let mut gates = peer.shared.gates();
        let _ = gates.wait_for(|held| is_open(*held, Gate::Upgrade)).await;
        match upgrade.answer(&peer.shared.options, &peer.log_id) {
            Ok((endpoint, head)) => {
                self.send(head.as_bytes()).await?;
                Continue((self, endpoint, upgrade.rest))
            }
            Err(answer) => self.refuse(&answer, peer).await,
        }
    }

    /// The faults of a moment before the 101.
    async fn inject_before(&mut self, moment: Trigger, peer: &Peer) -> ControlFlow<End> {
        for kind in peer.due(|trigger| trigger == moment) {
            peer.fault(&kind);
            match kind {
                FaultKind::Http(answer) => self.refuse(&answer, peer).await?,
                kind => self.inject(&kind).await?,
            }
        }
        Continue(())
    }

    async fn refuse<T>(&mut self, answer: &HttpAnswer, peer: &Peer) -> ControlFlow<End, T> {
        let chunked = peer.shared.options.has(Oddity::ChunkedRefusals);
        let answered = answer.encode(&peer.log_id, chunked);
        let _ = self.write_all(answered.as_bytes()).await;
        let (status, body) = (answer.status, &answer.body);
        peer.log(format_args!("refused: HTTP {status} {body}"));
        self.drain().await;
        Break(End::Refused(status))
    }
}

/// Waits for a step of the client, which has to come in time and without an error.
async fn in_time<T>(step: impl Future<Output = io::Result<T>>) -> ControlFlow<End, T> {
    match timeout(UPGRADE_TIMEOUT, step).await {
        Ok(Ok(done)) => Continue(done),
        _ => Break(End::NoUpgrade),
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, buf)
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
        Pin::new(&mut self.socket).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
