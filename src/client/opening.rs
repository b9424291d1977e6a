//! How a driver comes to a session, and leaves it: line, upgrade, request; good-bye.

use std::future::Future;

use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::driver::Driver;
use super::error::ClientError;
use super::net::handshake::{HandshakeError, HandshakeRequest, perform_handshake};
use super::net::transport::Transport;
use super::net::websocket::WebSocket;
use super::runtime::spawn;
use crate::session::exchange::Exchange;

impl Driver {
    /// Opens a session: connection, upgrade, request. Returns None when the deadline of the finish passed
    /// before, and beside the exchange whether the request could be written: the service may have said why
    /// not.
    pub(super) async fn connect(
        &mut self,
    ) -> Result<Option<(Exchange, Result<(), ClientError>)>, ClientError> {
        let finish = self.retries.finish_deadline();
        let shared = self.shared.clone();
        tokio::select! {
            biased;
            () = self.wait_for_turn() => {}
            () = shared.sleep(finish), if finish.is_some() => return Ok(None),
        }
        let opened = self.now();
        let limit = self.config.limits.connect;
        let until = finish.map_or(opened + limit, |at| at.min(opened + limit));
        let websocket = match self.open(shared.started + until).await? {
            Some(websocket) => websocket,
            None => {
                // Or the next try would go on with what is left of this one.
                let dialling = self.preconnect.cancel().map(ClientError::from);
                if finish == Some(until) {
                    return Ok(None);
                }
                return Err(dialling.unwrap_or(ClientError::ResponseTimeout(limit)));
            }
        };
        let websocket = self.websocket.insert(websocket);
        let request = self
            .encoder
            .request(Exchange::REQUEST, &self.config.request.to_json());
        let bytes = request.len() as u64;
        let asked = websocket
            .send(request)
            .map_err(|error| ClientError::from_websocket(error, false));
        self.shared.counters.update(|counts| {
            counts.frames_sent += 1;
            counts.bytes_sent += bytes;
        });
        let exchange = Exchange::new(self.config.limits, opened, self.now());
        Ok(Some((exchange, asked)))
    }

    /// Waits for the pause between two tries, and for the end of the connection before.
    async fn wait_for_turn(&mut self) {
        self.shared.sleep(self.retries.retry_at()).await;
        self.retries.on_try();
        // The service counts both. How long the end of the one before may take is bounded there.
        if let Some(closing) = &mut self.closing {
            let _ = closing.await;
            self.closing = None;
        }
    }

    /// Connects and upgrades by `until`; returns None when neither an error nor an answer came by then.
    async fn open(&mut self, until: Instant) -> Result<Option<WebSocket<Transport>>, ClientError> {
        let shared = self.shared.clone();
        loop {
            let asked = self.now();
            self.preconnect.start(asked);
            match timeout_at(until, self.preconnect.wait(|| shared.now())).await {
                Ok(dialled) => dialled?,
                Err(_) => return Ok(None),
            }
            self.tell_ready();
            let Some(mut connected) = self.preconnect.take() else {
                continue;
            };
            let began = self.now();
            self.connect_id = Uuid::new_v4().to_string();
            self.log_id = None;
            let request_id = Uuid::new_v4().to_string();
            // Before the answer: of one that never comes, ours is all that the vendor's support can look for.
            self.tell_ids();
            let request = HandshakeRequest {
                credentials: &self.config.credentials,
                secrets: &self.config.secrets,
                resource_id: &self.config.resource_id,
                connect_id: &self.connect_id,
                request_id: &request_id,
            };
            let endpoint = &self.config.endpoint;
            let result = match perform_handshake(
                &mut connected.transport,
                endpoint,
                &request,
                until,
            )
            .await
            {
                Ok(result) => result,
                Err(_) => return Ok(None),
            };
            match result {
                Ok(opened) => {
                    self.log_id = opened.log_id;
                    self.tell_ids();
                    let took = self.preconnect.connect_duration() + (self.now() - began);
                    self.shared
                        .counters
                        .update(|counts| counts.connect_time = took);
                    return Ok(Some(WebSocket::new(connected.transport, opened.tail).await));
                }
                // It had been waiting for audio, and died meanwhile: that says nothing of the service.
                Err(error) if connected.since < asked && is_end_of_patience(&error) => continue,
                Err(error) => {
                    if let HandshakeError::Refused(failure) = &error {
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
        if let Some(websocket) = self.websocket.take() {
            self.closing = spawn(websocket.close()).ok();
        }
    }

    /// Lets `ending` see to the connection's end in the background.
    pub(super) fn leave_by<F>(&mut self, ending: impl FnOnce(WebSocket<Transport>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        if let Some(websocket) = self.websocket.take() {
            self.closing = spawn(ending(websocket)).ok();
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
fn is_end_of_patience(error: &HandshakeError) -> bool {
    match error {
        HandshakeError::Io(_) => true,
        HandshakeError::Refused(failure) => failure.http_status == Some(408),
        _ => false,
    }
}
