//! The line to the service before it is a session: dialled ahead of the first audio.
//!
//! Look-up, TCP and TLS cost several round trips and tell whether the network is there at all; the
//! upgrade opens a session, which is billed and times out. So the first is done at once, the second
//! with the first audio.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::config::Config;
use super::dial::{Dial, DialError};
use super::transport::Transport;

enum State {
    Down,
    Dialling {
        since: Duration,
        dialling: Dial,
    },
    Up {
        transport: Transport,
        since: Duration,
    },
}

/// A connected line, taken over for a session.
pub(super) struct Connected {
    pub transport: Transport,
    /// Since when it has been connected: an old one may be dead by now.
    pub since: Duration,
}

/// At most one line. Clock values are handed in.
pub(super) struct Line {
    config: Arc<Config>,
    state: State,
    /// How long the last dialling took.
    took: Duration,
    /// The address that answered last, which is tried first the next time.
    answered: Option<SocketAddr>,
}

impl Line {
    pub fn new(config: Arc<Config>) -> Self {
        Line {
            config,
            state: State::Down,
            took: Duration::ZERO,
            answered: None,
        }
    }

    /// Begins to dial, if the line is down.
    pub fn dial(&mut self, now: Duration) {
        if let State::Down = self.state {
            self.state = State::Dialling {
                since: now,
                dialling: Dial::new(self.config.clone(), self.answered),
            };
        }
    }

    pub fn is_dialling(&self) -> bool {
        matches!(self.state, State::Dialling { .. })
    }

    /// Since when the line has been up, unused.
    pub fn up_since(&self) -> Option<Duration> {
        match self.state {
            State::Up { since, .. } => Some(since),
            _ => None,
        }
    }

    /// Waits until a dialling is over. Can be dropped and called again.
    pub async fn dialled(&mut self, now: impl Fn() -> Duration) -> Result<(), DialError> {
        let State::Dialling { since, dialling } = &mut self.state else {
            return Ok(());
        };
        let since = *since;
        let result = dialling.wait().await;
        let now = now();
        self.took = now.saturating_sub(since);
        match result {
            Ok(transport) => {
                self.answered = transport.peer();
                self.state = State::Up {
                    transport,
                    since: now,
                };
                Ok(())
            }
            Err(error) => {
                self.state = State::Down;
                Err(self.at_first(error))
            }
        }
    }

    /// Gives up dialling, as too slow.
    pub fn give_up(&mut self) -> Option<DialError> {
        let State::Dialling { dialling, .. } = &self.state else {
            return None;
        };
        let error = self.at_first(dialling.timed_out());
        self.state = State::Down;
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
        match std::mem::replace(&mut self.state, State::Down) {
            State::Up { transport, since } => Some(Connected { transport, since }),
            other => {
                self.state = other;
                None
            }
        }
    }

    /// Takes the line down, if it is up.
    pub fn hang_up(&mut self) {
        if let State::Up { .. } = self.state {
            self.state = State::Down;
        }
    }

    /// How long look-up, TCP and TLS took the last time.
    pub fn took(&self) -> Duration {
        self.took
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
        let mut line = Line::new(Arc::new(Config::for_test(address)));
        line.dial(Duration::ZERO);
        line.dialled(|| Duration::ZERO).await.expect("it listens");
        assert_eq!(line.answered, Some(address));
        line.hang_up();
        drop(listener);
        line.dial(Duration::ZERO);
        line.dialled(|| Duration::ZERO)
            .await
            .expect_err("nobody listens");
        assert_eq!(line.answered, Some(address), "it may come back");
    }
}
