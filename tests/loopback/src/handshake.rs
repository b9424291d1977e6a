//! A connection until the 101: TLS, the upgrade request, its refusals, and the faults of that time.

use crate::{
    fault::{FaultKind, Trigger},
    options::{Endpoint, Oddity},
    record::End,
    service::{Gate, Peer, is_open},
    upgrade::{HttpAnswer, Upgrade},
    wire::Wire,
};
use std::{
    io,
    ops::ControlFlow::{self, Break, Continue},
    time::Duration,
};
use tokio::{io::AsyncWriteExt, time::timeout};
use tokio_rustls::TlsAcceptor;

/// How long a client may take for TLS, and for the upgrade request.
const PATIENCE: Duration = Duration::from_secs(10);

impl Wire {
    /// Everything until the 101. Returns the endpoint, and the bytes that came behind the request.
    pub(crate) async fn upgrade(
        mut self,
        tls: Option<TlsAcceptor>,
        peer: &Peer,
    ) -> ControlFlow<End, (Self, Endpoint, Vec<u8>)> {
        self.inject_before(Trigger::Accept, peer).await?;
        if let Some(acceptor) = tls {
            self = in_time(self.secure(acceptor)).await?;
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
    match timeout(PATIENCE, step).await {
        Ok(Ok(done)) => Continue(done),
        _ => Break(End::NoUpgrade),
    }
}
