//! Faults of an open connection.

use super::Open;
use crate::{
    fault::{FaultKind, Trigger},
    record::End,
    session::Out,
};
use futures_util::Sink;
use std::{
    future::poll_fn,
    ops::ControlFlow::{self, Continue},
    pin::Pin,
};
use tokio::time::Instant;
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
            FaultKind::Close(code) => {
                self.session.out.clear();
                return self.close(code, End::Fault);
            }
            FaultKind::Error { code, body } => {
                self.session.out.clear();
                self.session.fail_with(code, body);
            }
            FaultKind::NoFinal => self.no_final = true,
            FaultKind::Text(text) => self.session.out.push_back(Out::Text(text)),
            FaultKind::Bytes(bytes) => self.session.out.push_back(Out::Binary(bytes)),
            FaultKind::Ping(count) => {
                for _ in 0..count {
                    self.write(Message::Ping(Vec::new().into()))?;
                }
            }
            kind => {
                match kind {
                    // A session that hangs is none for the quota.
                    FaultKind::Hang => self.live = None,
                    FaultKind::Raw(_) => {
                        // Messages that wait go out first.
                        let held = *self.gates.borrow();
                        self.send_out(held)?;
                        let _ = poll_fn(|cx| Pin::new(&mut self.ws).poll_flush(cx)).await;
                    }
                    _ => {}
                }
                self.ws.get_mut().inject(&kind).await?;
            }
        }
        Continue(())
    }
}
