//! Faults of an open connection.

use super::Open;
use crate::{
    fault::{FaultKind, Trigger},
    handshake::{drain, hang, reset},
    record::End,
    session::{Out, ResponseKind},
};
use futures_util::Sink;
use std::{
    future::poll_fn,
    ops::ControlFlow::{self, Break, Continue},
    pin::Pin,
};
use tokio::{
    io::AsyncWriteExt,
    time::{Instant, sleep},
};
use tokio_tungstenite::tungstenite::Message;

impl Open {
    pub(super) fn next_wall_fault(&self) -> Option<Instant> {
        let faults = self.shared.options.faults.iter().enumerate();
        faults
            .filter(|(n, _)| !self.fired.get(*n).copied().unwrap_or(false))
            .filter_map(|(_, fault)| match fault.trigger {
                Trigger::Wall(after) => Some(self.accepted + after),
                _ => None,
            })
            // Past ones have come already, here or elsewhere.
            .filter(|at| *at > Instant::now())
            .min()
    }

    pub(super) async fn inject_due(
        &mut self,
        moment: impl Fn(Trigger) -> bool,
    ) -> ControlFlow<End> {
        for kind in self.shared.due(self.number, &mut self.fired, moment) {
            self.inject(kind).await?;
        }
        Continue(())
    }

    pub(super) async fn inject(&mut self, kind: FaultKind) -> ControlFlow<End> {
        self.shared.fault(self.number, &kind);
        match kind {
            FaultKind::Reset => {
                reset(self.ws.get_ref());
                return Break(End::Fault);
            }
            FaultKind::Drop => {
                drain(self.ws.get_mut()).await;
                return Break(End::Fault);
            }
            FaultKind::Hang => {
                // A session that hangs is none for the quota.
                self.live = None;
                hang(self.ws.get_ref()).await;
                return Break(End::Fault);
            }
            FaultKind::Close(code) => {
                self.session.out.clear();
                return self.close(code, End::Fault);
            }
            FaultKind::Error { code, body } => {
                self.session.out.clear();
                self.session.fail_with(code, body);
            }
            FaultKind::NoFinal => {
                self.session.no_final = true;
                self.session.out.retain(|out| {
                    !matches!(
                        out,
                        Out::Response {
                            kind: ResponseKind::Final,
                            ..
                        } | Out::Close(_)
                    )
                });
            }
            FaultKind::Delay(time) => sleep(time).await,
            FaultKind::Trickle(period, count) => self.ws.get_mut().trickle(period, count),
            FaultKind::Text(text) => self.session.out.push_back(Out::Text(text)),
            FaultKind::Bytes(bytes) => self.session.out.push_back(Out::Binary(bytes)),
            FaultKind::Ping(count) => {
                for _ in 0..count {
                    self.write(Message::Ping(Vec::new().into()))?;
                }
            }
            FaultKind::Raw(bytes) => {
                // Messages that wait go out first.
                let held = *self.gates.borrow();
                self.send_out(held)?;
                let _ = poll_fn(|cx| Pin::new(&mut self.ws).poll_flush(cx)).await;
                let wire = self.ws.get_mut();
                if wire.write_all(&bytes).await.is_err() || wire.flush().await.is_err() {
                    return Break(End::ClientLost);
                }
            }
            FaultKind::Http { .. } => {}
        }
        Continue(())
    }
}
