//! How a driver comes to a session, and leaves it: line, upgrade, request; good-bye.

use std::future::Future;

use tokio::time::timeout_at;
use uuid::Uuid;

use super::dial::Transport;
use super::driver::Driver;
use super::event::Trouble;
use super::runtime::spawn;
use super::upgrade::{Opening, UpgradeError, upgrade};
use super::wire::Wire;
use crate::session::exchange::Exchange;

impl Driver {
    /// Opens a session: line, upgrade, request. Whether the request could be written is told beside, for the service
    /// may have said why not.
    pub(super) async fn connect(&mut self) -> Result<(Exchange, Result<(), Trouble>), Trouble> {
        self.shared.sleep(self.retry_at).await;
        self.retry_at = None;
        // The service counts both. How long the end of the one before may take is bounded there.
        if let Some(closing) = &mut self.closing {
            let _ = closing.await;
            self.closing = None;
        }
        let opened = self.now();
        let limit = self.config.limits.connect;
        let until = self.shared.started + opened + limit;
        let wire = match timeout_at(until, self.open()).await {
            Ok(opened) => opened?,
            // Or the next try would go on with what is left of this one.
            Err(_) => {
                let dialling = self.line.give_up().map(Trouble::from);
                return Err(dialling.unwrap_or(Trouble::NoAnswer(limit)));
            }
        };
        let wire = self.wire.insert(wire);
        let request = self
            .encoder
            .request(Exchange::REQUEST, &self.config.request.to_json());
        let bytes = request.len() as u64;
        let asked = wire
            .send(request)
            .map_err(|error| Trouble::from_websocket(error, false));
        self.shared.counters.update(|counts| {
            counts.frames_sent += 1;
            counts.bytes_sent += bytes;
        });
        let exchange = Exchange::new(self.config.limits, opened, self.now());
        Ok((exchange, asked))
    }

    pub(super) async fn open(&mut self) -> Result<Wire<Transport>, Trouble> {
        let shared = self.shared.clone();
        loop {
            let asked = self.now();
            self.line.dial(asked);
            self.line.dialled(|| shared.now()).await?;
            self.tell_ready();
            let Some(mut connected) = self.line.take() else {
                continue;
            };
            let began = self.now();
            self.connect_id = Uuid::new_v4().to_string();
            self.log_id = None;
            let request_id = Uuid::new_v4().to_string();
            // Before the answer: of one that never comes, ours is all that the vendor's support can look for.
            self.tell_ids();
            let opening = Opening {
                credentials: &self.config.credentials,
                resource_id: &self.config.resource_id,
                connect_id: &self.connect_id,
                request_id: &request_id,
            };
            let result = upgrade(&mut connected.transport, &self.config.endpoint, &opening).await;
            match result {
                Ok(opened) => {
                    self.log_id = opened.log_id;
                    self.tell_ids();
                    let took = self.line.took() + (self.now() - began);
                    self.shared
                        .counters
                        .update(|counts| counts.connect_time = took);
                    return Ok(Wire::new(connected.transport, opened.tail).await);
                }
                // It had been waiting for audio, and died meanwhile: that says nothing of the service.
                Err(error) if connected.since < asked && is_end_of_patience(&error) => continue,
                Err(error) => {
                    if let UpgradeError::Refused(failure) = &error {
                        self.log_id = failure.log_id.clone();
                    }
                    self.tell_ids();
                    return Err(error.into());
                }
            }
        }
    }

    /// Gives up the connection, saying good-bye in the background.
    pub(super) fn leave(&mut self) {
        if let Some(wire) = self.wire.take() {
            self.closing = spawn(wire.close()).ok();
        }
    }

    /// Lets `ending` see to the connection's end in the background.
    pub(super) fn leave_by<F>(&mut self, ending: impl FnOnce(Wire<Transport>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        if let Some(wire) = self.wire.take() {
            self.closing = spawn(ending(wire)).ok();
        }
    }

    pub(super) fn disconnected(&mut self) {
        self.shared
            .counters
            .update(|counts| counts.connected = false);
    }
}

/// Whether the peer has ended a connection that was not used for a while: without a word, or with the status that HTTP
/// has for it.
fn is_end_of_patience(error: &UpgradeError) -> bool {
    match error {
        UpgradeError::Io(_) => true,
        UpgradeError::Refused(failure) => failure.http_status == Some(408),
        _ => false,
    }
}
