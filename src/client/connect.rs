//! The way to a session's WebSocket: a connection made ahead, then the handshake.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::config::Config;
use super::error::ClientError;
use super::net::handshake::{HandshakeError, HandshakeRequest, perform_handshake};
use super::net::preconnect::Preconnect;
use super::net::transport::Transport;
use super::net::websocket::WebSocket;

/// One thing that happened on the way.
pub(super) enum ConnectEvent {
    /// Look-up, TCP and TLS are complete.
    Ready,
    /// A handshake begins, with these ids.
    Handshake { connect_id: String },
    /// There is a WebSocket.
    Connected(Box<WebSocket<Transport>>, Opened),
    /// There is none to be had. The handshake's answer may have brought an id.
    Failed {
        error: ClientError,
        log_id: Option<String>,
    },
    /// There was none in time. The error says how far it came, if that is known.
    TimedOut(Option<ClientError>),
}

/// Properties of a new connection.
pub(super) struct Opened {
    pub log_id: Option<String>,
    /// How long look-up, TCP, TLS and handshake took, waits for audio left out.
    pub took: Duration,
}

type Outcome = Option<Result<(WebSocket<Transport>, Option<String>), HandshakeError>>;

/// At most one attempt at a time.
pub(super) struct Connector {
    config: Arc<Config>,
    /// The beginning of the clock.
    started: Instant,
    preconnect: Preconnect,
    /// A session is wanted by then.
    wanted: Option<Instant>,
    handshake: Option<Handshaking>,
}

/// A handshake under way.
struct Handshaking {
    began: Instant,
    outcome: Pin<Box<dyn Future<Output = Outcome> + Send>>,
}

impl Connector {
    /// Times are counted from `started`.
    pub fn new(config: Arc<Config>, started: Instant) -> Self {
        Connector {
            preconnect: Preconnect::new(config.clone()),
            config,
            started,
            wanted: None,
            handshake: None,
        }
    }

    /// Begins to look up, connect and encrypt, unless that is under way or done.
    pub fn preconnect(&mut self) {
        self.preconnect.start(self.started.elapsed());
    }

    /// Drops a connection that was made ahead.
    pub fn discard(&mut self) {
        self.preconnect.discard();
    }

    /// Begins to open a WebSocket, which must be there by `until`.
    pub fn connect(&mut self, until: Duration) {
        self.preconnect();
        self.wanted = Some(self.started + until);
    }

    /// Gives up the WebSocket, but not a connection that has not got so far.
    pub fn cancel_handshake(&mut self) {
        self.wanted = None;
        self.handshake = None;
    }

    /// Whether [`next`](Self::next) has something to wait for.
    pub fn is_busy(&self) -> bool {
        self.handshake.is_some() || self.wanted.is_some() || self.preconnect.is_connecting()
    }

    /// Waits for the next event. Can be dropped and called again: nothing is lost.
    pub async fn next(&mut self) -> ConnectEvent {
        if let Some(handshake) = &mut self.handshake {
            let began = handshake.began;
            let outcome = handshake.outcome.as_mut().await;
            self.handshake = None;
            return self.on_handshake_end(began, outcome);
        }
        if let Some(until) = self.wanted
            && let Some(transport) = self.preconnect.take()
        {
            self.wanted = None;
            return self.begin_handshake(transport, until);
        }
        if !self.preconnect.is_connecting() {
            return std::future::pending().await;
        }
        let started = self.started;
        let wait = self.preconnect.wait(|| started.elapsed());
        let waited = match self.wanted {
            Some(until) => timeout_at(until, wait).await.ok(),
            None => Some(wait.await),
        };
        match waited {
            Some(Ok(())) => ConnectEvent::Ready,
            Some(Err(error)) => {
                self.wanted = None;
                let error = error.into();
                ConnectEvent::Failed {
                    error,
                    log_id: None,
                }
            }
            // Or the next attempt would go on with what is left of this one.
            None => {
                self.wanted = None;
                ConnectEvent::TimedOut(self.preconnect.cancel().map(ClientError::from))
            }
        }
    }

    fn begin_handshake(&mut self, transport: Transport, until: Instant) -> ConnectEvent {
        let connect_id = Uuid::new_v4().to_string();
        let outcome = open(self.config.clone(), transport, connect_id.clone(), until);
        self.handshake = Some(Handshaking {
            began: Instant::now(),
            outcome: Box::pin(outcome),
        });
        ConnectEvent::Handshake { connect_id }
    }

    fn on_handshake_end(&self, began: Instant, outcome: Outcome) -> ConnectEvent {
        match outcome {
            None => ConnectEvent::TimedOut(None),
            Some(Ok((websocket, log_id))) => {
                let took = self.preconnect.connect_duration() + began.elapsed();
                ConnectEvent::Connected(Box::new(websocket), Opened { log_id, took })
            }
            Some(Err(error)) => {
                let log_id = match &error {
                    HandshakeError::Refused(failure) => failure.log_id.clone(),
                    _ => None,
                };
                let error = error.into();
                ConnectEvent::Failed { error, log_id }
            }
        }
    }
}

/// Makes a WebSocket of `transport`. Returns `None` when neither an error nor an answer came by
/// `until`.
async fn open(
    config: Arc<Config>,
    mut transport: Transport,
    connect_id: String,
    until: Instant,
) -> Outcome {
    let request_id = Uuid::new_v4().to_string();
    let request = HandshakeRequest {
        credentials: &config.credentials,
        secrets: &config.secrets,
        resource_id: &config.resource_id,
        connect_id: &connect_id,
        request_id: &request_id,
    };
    let answer = perform_handshake(&mut transport, &config.endpoint, &request, until).await;
    match answer.ok()? {
        Ok(handshake) => {
            let websocket = WebSocket::new(transport, handshake.tail).await;
            Some(Ok((websocket, handshake.log_id)))
        }
        Err(error) => Some(Err(error)),
    }
}
