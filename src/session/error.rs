//! Reasons for the end of a connection, as far as they can be told without the network.

use std::time::Duration;

use crate::protocol::failure::{Cause, Failure, Retry};

/// Reason for the end of a connection that was found here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// The service sent an error frame, or an error in a response.
    #[error("{0}")]
    Failure(Box<Failure>),
    /// The service closed before the end.
    #[error("the service closed the connection before the end (code {code}{}{reason})",
            if reason.is_empty() { "" } else { ": " })]
    Closed {
        /// WebSocket's status code.
        code: u16,
        /// The service's words, if any.
        reason: String,
    },
    /// The service takes no more bytes.
    #[error("the service has taken no byte for {0:?}")]
    Stalled(Duration),
    /// The handshake or the answer to the request did not come in time.
    #[error("no answer from the service within {0:?}")]
    ResponseTimeout(Duration),
    /// The finish was written, and no final response came in time.
    #[error("no last words from the service within {0:?} of the finish")]
    FinalResponseTimeout(Duration),
    /// The peer does not speak the protocol.
    #[error("the peer does not speak the v3/sauc protocol: {0}")]
    Protocol(String),
}

impl SessionError {
    /// Returns whether, and how often, to try again.
    pub fn retry(&self) -> Retry {
        match self {
            SessionError::Failure(failure) => failure.retry(),
            SessionError::Protocol(_) => Retry::Never,
            SessionError::Closed { .. }
            | SessionError::Stalled(_)
            | SessionError::ResponseTimeout(_)
            | SessionError::FinalResponseTimeout(_) => Retry::Soon,
        }
    }
}

/// Any reason for the end of a connection: one of the network, or a [`SessionError`].
pub trait ConnectionError: From<SessionError> {
    /// Returns whether, and how often, to try again.
    fn retry(&self) -> Retry;

    /// Returns the cause that the service names, if it names one.
    fn cause(&self) -> Option<Cause>;

    /// Whether an unused connection may end so, which is no failure of the service.
    fn is_stale_connection(&self) -> bool;
}
