//! Setup of a session's WebSocket: a preconnect, then the handshake.
//!
//! Look-up, TCP and TLS take several round trips and tell whether the network works. The handshake
//! opens a session, which is billed and times out. So the former happen at once, the latter with
//! the first audio.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::config::Config;
use super::error::ClientError;
use super::net::dial::{Connected, Dial};
use super::net::dial_error::DialError;
use super::net::handshake::perform_handshake;
use super::net::transport::Transport;
use super::net::websocket::WebSocket;
use crate::session::error::SessionError;

/// One thing that happened on the way.
pub(super) enum ConnectEvent {
    /// Look-up, TCP and TLS are complete.
    Ready,
    /// A handshake begins, with this id.
    Handshake { connect_id: String },
    /// There is a WebSocket.
    Connected {
        websocket: Box<WebSocket>,
        log_id: Option<String>,
        /// How long look-up, TCP, TLS and handshake took, waits for audio left out.
        took: Duration,
    },
    /// There is none to be had, or none in time.
    Failed(ClientError),
}

/// Outcome of a handshake.
type Outcome = Result<(WebSocket, Option<String>), ClientError>;

enum State {
    Idle,
    Dialing(Dial),
    /// Look-up, TCP and TLS are complete.
    Ready(Transport),
    Handshake {
        began: Instant,
        outcome: Pin<Box<dyn Future<Output = Outcome> + Send>>,
    },
}

/// At most one attempt at a time.
pub(super) struct Connector {
    config: Arc<Config>,
    /// The beginning of the clock.
    started: Instant,
    state: State,
    /// A session is wanted by then.
    wanted: Option<Instant>,
    /// How long look-up, TCP and TLS took the last time.
    dial_time: Duration,
    /// Address that was connected to last, which is tried first the next time: a dead address
    /// before it costs time once, not at every session.
    last_peer: Option<SocketAddr>,
}

impl Connector {
    /// Times are counted from `started`.
    pub fn new(config: Arc<Config>, started: Instant) -> Self {
        Connector {
            config,
            started,
            state: State::Idle,
            wanted: None,
            dial_time: Duration::ZERO,
            last_peer: None,
        }
    }

    /// Begins to look up, connect and encrypt, unless that is under way or done.
    pub fn preconnect(&mut self) {
        if let State::Idle = self.state {
            self.state = State::Dialing(Dial::new(self.config.clone(), self.last_peer));
        }
    }

    /// Drops a preconnect.
    pub fn discard(&mut self) {
        if let State::Ready(_) = self.state {
            self.state = State::Idle;
        }
    }

    /// Begins to open a WebSocket, which must be there by `until`.
    pub fn connect(&mut self, until: Duration) {
        self.preconnect();
        self.wanted = Some(self.started + until);
    }

    /// Gives up the WebSocket and its connection, but not an attempt that has not got so far.
    pub fn cancel_handshake(&mut self) {
        self.wanted = None;
        // One that waits for its handshake, too: it was reported before, and would not be again.
        if let State::Ready(_) | State::Handshake { .. } = self.state {
            self.state = State::Idle;
        }
    }

    /// Whether [`next`](Self::next) has something to wait for.
    pub fn is_busy(&self) -> bool {
        match self.state {
            State::Idle => false,
            State::Ready(_) => self.wanted.is_some(),
            State::Dialing(_) | State::Handshake { .. } => true,
        }
    }

    /// Waits for the next event. Can be dropped and called again: nothing is lost.
    pub async fn next(&mut self) -> ConnectEvent {
        match &mut self.state {
            State::Dialing(dial) => {
                let result = dial.wait(self.wanted).await;
                let took = dial.elapsed();
                self.on_dialed(took, result)
            }
            State::Handshake { began, outcome } => {
                let outcome = outcome.as_mut().await;
                let took = self.dial_time + began.elapsed();
                self.state = State::Idle;
                match outcome {
                    Err(error) => ConnectEvent::Failed(error),
                    Ok((websocket, log_id)) => ConnectEvent::Connected {
                        websocket: Box::new(websocket),
                        log_id,
                        took,
                    },
                }
            }
            State::Ready(_) | State::Idle => match self.begin_handshake() {
                Some(event) => event,
                None => std::future::pending().await,
            },
        }
    }

    /// Notes the end of an attempt.
    fn on_dialed(&mut self, took: Duration, result: Result<Connected, DialError>) -> ConnectEvent {
        self.state = State::Idle;
        match result {
            Ok((transport, peer)) => {
                self.dial_time = took;
                self.last_peer = peer;
                self.state = State::Ready(transport);
                ConnectEvent::Ready
            }
            // Forget the deadline of a failed attempt; otherwise the next attempt would inherit it.
            Err(error) => {
                self.wanted = None;
                ConnectEvent::Failed(match self.last_peer {
                    None => error.at_first().into(),
                    Some(_) => error.into(),
                })
            }
        }
    }

    /// Begins the handshake, if there is a connection and a session is wanted.
    fn begin_handshake(&mut self) -> Option<ConnectEvent> {
        let until = self.wanted.take()?;
        let State::Ready(transport) = std::mem::replace(&mut self.state, State::Idle) else {
            return None;
        };
        let connect_id = Uuid::new_v4().to_string();
        let outcome = open(self.config.clone(), transport, connect_id.clone(), until);
        self.state = State::Handshake {
            began: Instant::now(),
            outcome: Box::pin(outcome),
        };
        Some(ConnectEvent::Handshake { connect_id })
    }
}

/// Makes a WebSocket of `transport`.
async fn open(
    config: Arc<Config>,
    mut transport: Transport,
    connect_id: String,
    until: Instant,
) -> Outcome {
    let answer = perform_handshake(&mut transport, &config, &connect_id, until).await;
    let handshake = answer.map_err(|_| SessionError::ResponseTimeout(config.limits.connect))??;
    let websocket = WebSocket::new(transport, handshake.tail).await;
    Ok((websocket, handshake.log_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a connector to a listener.
    async fn connector() -> (Connector, tokio::net::TcpListener, SocketAddr) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port");
        let address = listener.local_addr().expect("bound");
        let config = Arc::new(Config::for_test(address));
        (Connector::new(config, Instant::now()), listener, address)
    }

    /// A flush may come before the handshake begins.
    #[tokio::test]
    async fn a_connection_that_is_asked_for_ahead_is_always_reported() {
        let (mut connector, _listener, _) = connector().await;
        connector.preconnect();
        assert!(matches!(connector.next().await, ConnectEvent::Ready));
        connector.connect(Duration::from_secs(60));
        connector.cancel_handshake();
        connector.preconnect();
        assert!(connector.is_busy(), "nothing would be reported");
        assert!(matches!(connector.next().await, ConnectEvent::Ready));
    }

    #[tokio::test]
    async fn the_last_peer_is_remembered() {
        let (mut connector, listener, address) = connector().await;
        connector.preconnect();
        assert!(matches!(connector.next().await, ConnectEvent::Ready));
        assert_eq!(connector.last_peer, Some(address));
        connector.discard();
        drop(listener);
        connector.preconnect();
        assert!(matches!(connector.next().await, ConnectEvent::Failed(_)));
        assert_eq!(connector.last_peer, Some(address), "it may come back");
    }
}
