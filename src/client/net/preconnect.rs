//! The connection that is made ahead of the first audio.
//!
//! Look-up, TCP and TLS take several round trips and tell whether the network works. The handshake
//! opens a session, which is billed and times out. So the former happen at once, the latter with
//! the first audio.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::dial::Dial;
use super::dial_error::DialError;
use super::transport::Transport;
use crate::client::config::Config;

enum State {
    Idle,
    Connecting { since: Duration, dial: Dial },
    Ready(Transport),
}

/// At most one connection. Clock values are parameters.
pub(in crate::client) struct Preconnect {
    config: Arc<Config>,
    state: State,
    /// Duration of the last attempt.
    connect_duration: Duration,
    /// Address that was connected to last, which is tried first the next time.
    answered: Option<SocketAddr>,
}

impl Preconnect {
    pub fn new(config: Arc<Config>) -> Self {
        Preconnect {
            config,
            state: State::Idle,
            connect_duration: Duration::ZERO,
            answered: None,
        }
    }

    /// Starts to connect, unless it is connecting or connected.
    pub fn start(&mut self, now: Duration) {
        if let State::Idle = self.state {
            self.state = State::Connecting {
                since: now,
                dial: Dial::new(self.config.clone(), self.answered),
            };
        }
    }

    pub fn is_connecting(&self) -> bool {
        matches!(self.state, State::Connecting { .. })
    }

    /// Waits for the end of an attempt. Cancellation-safe.
    pub async fn wait(&mut self, now: impl Fn() -> Duration) -> Result<(), DialError> {
        let State::Connecting { since, dial } = &mut self.state else {
            return Ok(());
        };
        let since = *since;
        let result = dial.wait().await;
        let now = now();
        self.connect_duration = now.saturating_sub(since);
        match result {
            Ok((transport, peer)) => {
                self.answered = peer;
                self.state = State::Ready(transport);
                Ok(())
            }
            Err(error) => {
                self.state = State::Idle;
                Err(self.at_first(error))
            }
        }
    }

    /// Cancels an attempt as too slow. Returns its error.
    pub fn cancel(&mut self) -> Option<DialError> {
        let State::Connecting { dial, .. } = &self.state else {
            return None;
        };
        let error = self.at_first(dial.timed_out());
        self.state = State::Idle;
        Some(error)
    }

    fn at_first(&self, error: DialError) -> DialError {
        match self.answered {
            Some(_) => error,
            None => error.at_first(),
        }
    }

    /// Takes the connection, if it is ready.
    pub fn take(&mut self) -> Option<Transport> {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Ready(transport) => Some(transport),
            other => {
                self.state = other;
                None
            }
        }
    }

    /// Closes an unused connection.
    pub fn discard(&mut self) {
        if let State::Ready(_) = self.state {
            self.state = State::Idle;
        }
    }

    /// Returns how long look-up, TCP and TLS took the last time.
    pub fn connect_duration(&self) -> Duration {
        self.connect_duration
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A dead address before it costs time once, not at every session.
    #[tokio::test]
    async fn the_address_that_answered_is_remembered() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let address = listener.as_ref().expect("a port").local_addr();
        let address = address.expect("bound");
        let mut preconnect = Preconnect::new(Arc::new(Config::for_test(address)));
        preconnect.start(Duration::ZERO);
        preconnect
            .wait(|| Duration::ZERO)
            .await
            .expect("it listens");
        assert_eq!(preconnect.answered, Some(address));
        preconnect.discard();
        drop(listener);
        preconnect.start(Duration::ZERO);
        preconnect
            .wait(|| Duration::ZERO)
            .await
            .expect_err("a closed port");
        assert_eq!(preconnect.answered, Some(address), "it may come back");
    }
}
