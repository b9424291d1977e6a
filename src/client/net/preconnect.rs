//! The line to the service before it is a session: wait ahead of the first audio.
//!
//! Look-up, TCP and TLS cost several round trips and tell whether the network is there at all; the
//! upgrade opens a session, which is billed and times out. So the first is done at once, the second
//! with the first audio.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::dial::{Dial, DialError};
use super::transport::Transport;
use crate::client::config::Config;

enum State {
    Idle,
    Connecting {
        since: Duration,
        connecting: Dial,
    },
    Ready {
        transport: Transport,
        since: Duration,
    },
}

/// A connected line, taken over for a session.
pub(in crate::client) struct Connected {
    pub transport: Transport,
    /// Since when it has been connected: an old one may be dead by now.
    pub since: Duration,
}

/// At most one line. Clock values are handed in.
pub(in crate::client) struct Preconnect {
    config: Arc<Config>,
    state: State,
    /// How long the last dialling connect_duration.
    connect_duration: Duration,
    /// The address that answered last, which is tried first the next time.
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

    /// Begins to dial, if the line is down.
    pub fn start(&mut self, now: Duration) {
        if let State::Idle = self.state {
            self.state = State::Connecting {
                since: now,
                connecting: Dial::new(self.config.clone(), self.answered),
            };
        }
    }

    pub fn is_connecting(&self) -> bool {
        matches!(self.state, State::Connecting { .. })
    }

    /// Since when the line has been up, unused.
    pub fn ready_since(&self) -> Option<Duration> {
        match self.state {
            State::Ready { since, .. } => Some(since),
            _ => None,
        }
    }

    /// Waits until a dialling is over. Can be dropped and called again.
    pub async fn wait(&mut self, now: impl Fn() -> Duration) -> Result<(), DialError> {
        let State::Connecting { since, connecting } = &mut self.state else {
            return Ok(());
        };
        let since = *since;
        let result = connecting.wait().await;
        let now = now();
        self.connect_duration = now.saturating_sub(since);
        match result {
            Ok(transport) => {
                self.answered = transport.peer();
                self.state = State::Ready {
                    transport,
                    since: now,
                };
                Ok(())
            }
            Err(error) => {
                self.state = State::Idle;
                Err(self.at_first(error))
            }
        }
    }

    /// Gives up connecting, as too slow.
    pub fn cancel(&mut self) -> Option<DialError> {
        let State::Connecting { connecting, .. } = &self.state else {
            return None;
        };
        let error = self.at_first(connecting.timed_out());
        self.state = State::Idle;
        Some(error)
    }

    fn at_first(&self, error: DialError) -> DialError {
        match self.answered {
            Some(_) => error,
            None => error.at_first(),
        }
    }

    /// Hands over the line, if it is up.
    pub fn take(&mut self) -> Option<Connected> {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Ready { transport, since } => Some(Connected { transport, since }),
            other => {
                self.state = other;
                None
            }
        }
    }

    /// Takes the line down, if it is up.
    pub fn discard(&mut self) {
        if let State::Ready { .. } = self.state {
            self.state = State::Idle;
        }
    }

    /// How long look-up, TCP and TLS connect_duration the last time.
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
            .expect_err("nobody listens");
        assert_eq!(preconnect.answered, Some(address), "it may come back");
    }
}
