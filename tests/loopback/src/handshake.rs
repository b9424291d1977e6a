//! A connection until the 101: TLS, the upgrade request, its refusals, and the faults of that time.

use crate::{
    fault::{FaultKind, Trigger},
    options::{Endpoint, Oddity},
    record::End,
    service::{Gate, Shared, is_open},
    upgrade::{HttpAnswer, Upgrade},
    wire::Wire,
};
use std::{
    ops::ControlFlow::{self, Break, Continue},
    sync::Arc,
    time::Duration,
};
use tokio::{io::AsyncWriteExt, net::TcpStream, time::timeout};
use tokio_rustls::TlsAcceptor;

/// How long a client may take for TLS, and for the upgrade request.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection on its way to the 101, and behind it.
pub(crate) struct Handshake {
    pub shared: Arc<Shared>,
    pub number: usize,
    pub wire: Wire,
    pub log_id: String,
    /// The faults that have come already.
    pub fired: Vec<bool>,
}

impl Handshake {
    pub(crate) fn new(tcp: TcpStream, shared: Arc<Shared>, number: usize) -> Self {
        let log_id = format!("loopback-{}", uuid::Uuid::new_v4().simple());
        shared.record(number, |c| c.log_id.clone_from(&log_id));
        Self {
            shared,
            number,
            wire: Wire::plain(tcp),
            log_id,
            fired: Vec::new(),
        }
    }

    /// Everything until the 101. Returns also the endpoint, and what came behind the upgrade
    /// request.
    pub(crate) async fn run(
        mut self,
        tls: Option<TlsAcceptor>,
    ) -> ControlFlow<End, (Self, Endpoint, Vec<u8>)> {
        self.inject(Trigger::Accept).await?;
        if let Some(acceptor) = tls {
            self.wire = match timeout(PATIENCE, self.wire.secure(acceptor)).await {
                Ok(Ok(wire)) => wire,
                _ => return Break(End::NoUpgrade),
            };
        }
        let Ok(Ok(upgrade)) = timeout(PATIENCE, Upgrade::read(&mut self.wire)).await else {
            return Break(End::NoUpgrade);
        };
        self.shared.record(self.number, |c| {
            c.path = upgrade.path();
            c.headers = upgrade.headers();
        });
        self.inject(Trigger::Handshake).await?;
        let mut gates = self.shared.gates();
        let _ = gates.wait_for(|held| is_open(*held, Gate::Upgrade)).await;
        match upgrade.answer(&self.shared.options, &self.log_id) {
            Ok((endpoint, head)) => {
                self.wire.send(&head).await?;
                Continue((self, endpoint, upgrade.rest))
            }
            Err(answer) => self.refuse(&answer).await,
        }
    }

    /// The faults of a moment before the 101.
    async fn inject(&mut self, moment: Trigger) -> ControlFlow<End> {
        let is_now = |trigger| trigger == moment;
        for kind in self.shared.due(self.number, &mut self.fired, is_now) {
            self.shared.fault(self.number, &kind);
            match kind {
                FaultKind::Http {
                    status,
                    headers,
                    body,
                } => {
                    let answer = HttpAnswer {
                        status,
                        headers,
                        body,
                    };
                    self.refuse(&answer).await?;
                }
                kind => self.wire.inject(&kind).await?,
            }
        }
        Continue(())
    }

    async fn refuse<T>(&mut self, answer: &HttpAnswer) -> ControlFlow<End, T> {
        let chunked = self.shared.options.has(Oddity::ChunkedRefusals);
        let bytes = answer.encode(&self.log_id, chunked);
        let _ = self.wire.write_all(&bytes).await;
        let (status, body) = (answer.status, &answer.body);
        self.shared
            .log(self.number, format_args!("refused: HTTP {status} {body}"));
        self.wire.drain().await;
        Break(End::Refused(status))
    }
}
