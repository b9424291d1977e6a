//! Faults that strike an open connection.

use super::Open;
use crate::{
    fault::{What, When},
    handshake::{drain, hang, reset},
    record::End,
    session::Out,
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
            .filter(|(n, _)| !self.struck.get(*n).copied().unwrap_or(false))
            .filter_map(|(_, fault)| match fault.when {
                When::Wall(after) => Some(self.wall + after),
                _ => None,
            })
            // What is past has struck, here or elsewhere.
            .filter(|at| *at > Instant::now())
            .min()
    }

    pub(super) async fn strike_due(&mut self, moment: impl Fn(When) -> bool) -> ControlFlow<End> {
        for what in self.shared.due(self.number, &mut self.struck, moment) {
            self.strike(what).await?;
        }
        Continue(())
    }

    pub(super) async fn strike(&mut self, what: What) -> ControlFlow<End> {
        self.shared.fault(self.number, &what);
        match what {
            What::Reset => {
                reset(self.ws.get_ref());
                return Break(End::Fault);
            }
            What::Drop => {
                drain(self.ws.get_mut()).await;
                return Break(End::Fault);
            }
            What::Hang => {
                // A session that hangs is none for the quota.
                self.live = None;
                hang(self.ws.get_ref()).await;
                return Break(End::Fault);
            }
            What::Close(code) => {
                self.session.out.clear();
                return self.close(code, End::Fault);
            }
            What::Error { code, body } => {
                self.session.out.clear();
                self.session.fail_with(code, body);
            }
            What::NoFinal => {
                self.session.no_final = true;
                self.session
                    .out
                    .retain(|out| !matches!(out, Out::Final { .. } | Out::Close(_)));
            }
            What::Delay(time) => sleep(time).await,
            What::Trickle(period) => self.ws.get_mut().trickle(period, u64::MAX),
            What::TrickleFor(period, count) => self.ws.get_mut().trickle(period, count),
            What::Text(text) => self.session.out.push_back(Out::Text(text)),
            What::Bytes(bytes) => self.session.out.push_back(Out::Binary(bytes)),
            What::Ping(count) => {
                for _ in 0..count {
                    self.write(Message::Ping(Vec::new().into()))?;
                }
            }
            What::Raw(bytes) => {
                // What was said before comes before.
                let held = *self.gates.borrow();
                self.send_out(held)?;
                let _ = poll_fn(|cx| Pin::new(&mut self.ws).poll_flush(cx)).await;
                let wire = self.ws.get_mut();
                if wire.write_all(&bytes).await.is_err() || wire.flush().await.is_err() {
                    return Break(End::ClientLost);
                }
            }
            What::Http { .. } => {}
        }
        Continue(())
    }
}
