//! Everything that ends a connection, and whether to try again.

use std::io;
use std::time::Duration;

use tokio_tungstenite::tungstenite::Error as WsError;

use super::net::dial_error::DialError;
use super::net::handshake::HandshakeError;
use super::runtime::RuntimeError;
use crate::protocol::failure::{Cause, Failure, Retry};
use crate::session::error::{ConnectionError, SessionError};

#[cfg(test)]
pub(crate) mod tests;

/// Reason why a buffer of the pipeline can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// Its memory could not be mapped.
    #[error("mapping a buffer's memory for reading failed")]
    Unmappable,
    /// It came before caps.
    #[error("a buffer came without caps")]
    NotNegotiated,
}

/// Failure to connect, loss of a connection, or another reason to fail.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Failure before the handshake.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// Failure in the handshake.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// The service sent an error frame, or an error in a response.
    #[error("{0}")]
    Failure(Box<Failure>),
    /// The service closed before the end.
    #[error("the service closed the connection before the end (code {code}{}{reason})",
            if reason.is_empty() { "" } else { ": " })]
    Closed {
        /// WebSocket's status code.
        code: u16,
        /// The service's reason, if any.
        reason: String,
    },
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Transport(#[source] WsError),
    /// Broken WebSocket framing on a connection that had answered.
    #[error("what came on the connection was corrupt: {0}")]
    Corrupt(String),
    /// The service reads no more bytes.
    #[error("the service has taken no byte for {0:?}")]
    Stalled(Duration),
    /// The handshake or the answer to the request took too long.
    #[error("no answer from the service within {0:?}")]
    ResponseTimeout(Duration),
    /// The final response did not come in time.
    #[error("no last words from the service within {0:?} of the finish")]
    FinalTimeout(Duration),
    /// The peer does not speak the protocol.
    #[error("the peer does not speak the v3/sauc protocol: {0}")]
    Protocol(String),
    /// No threads could be started.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// A buffer of the pipeline can't be used.
    #[error(transparent)]
    Input(#[from] InputError),
    /// More final results wait to be posted than are kept.
    #[error("the application does not take its messages")]
    Backlog,
    /// A task ended unexpectedly: a defect of this plugin.
    #[error("internal error: the connection's task ended unexpectedly")]
    Internal,
}

impl ClientError {
    /// Returns whether, and how soon, to try again.
    pub fn retry(&self) -> Retry {
        match self {
            ClientError::Dial(error) => error.retry(),
            ClientError::Handshake(HandshakeError::Refused(failure)) => failure.retry(),
            ClientError::Handshake(HandshakeError::Io(_)) => Retry::Soon,
            ClientError::Handshake(HandshakeError::NotWebSocket(_) | HandshakeError::Value(_)) => {
                Retry::Never
            }
            ClientError::Failure(failure) => failure.retry(),
            ClientError::Closed { .. }
            | ClientError::Transport(_)
            | ClientError::Stalled(_)
            | ClientError::ResponseTimeout(_)
            | ClientError::FinalTimeout(_) => Retry::Soon,
            ClientError::Corrupt(_) => Retry::Limited,
            ClientError::Protocol(_)
            | ClientError::Runtime(_)
            | ClientError::Input(_)
            | ClientError::Backlog
            | ClientError::Internal => Retry::Never,
        }
    }

    /// Returns the failure that the service itself reported, if it did.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            ClientError::Failure(failure) => Some(failure),
            ClientError::Handshake(HandshakeError::Refused(failure)) => Some(failure),
            _ => None,
        }
    }

    /// Maps an error of the WebSocket library. `answered`: the service has answered on this
    /// connection.
    ///
    /// A peer that breaks the framing from the start speaks another protocol. Later it is
    /// corruption on the way, and another connection may be free of it. A message over the limit
    /// is neither: it would be as large the next time.
    pub(super) fn from_websocket(error: WsError, answered: bool) -> Self {
        let breaks_framing = match &error {
            WsError::Protocol(protocol) => !is_abrupt_end(protocol),
            WsError::Utf8(_) => true,
            _ => false,
        };
        match error {
            WsError::Capacity(_) => ClientError::Protocol(error.to_string()),
            error if breaks_framing && answered => ClientError::Corrupt(error.to_string()),
            error if breaks_framing => ClientError::Protocol(error.to_string()),
            WsError::AlreadyClosed | WsError::ConnectionClosed => {
                ClientError::Transport(WsError::Io(io::ErrorKind::UnexpectedEof.into()))
            }
            error => ClientError::Transport(error),
        }
    }
}

impl From<SessionError> for ClientError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Failure(failure) => ClientError::Failure(failure),
            SessionError::Closed { code, reason } => ClientError::Closed { code, reason },
            SessionError::Stalled(after) => ClientError::Stalled(after),
            SessionError::ResponseTimeout(after) => ClientError::ResponseTimeout(after),
            SessionError::FinalTimeout(after) => ClientError::FinalTimeout(after),
            SessionError::Protocol(error) => ClientError::Protocol(error),
            SessionError::Internal => ClientError::Internal,
        }
    }
}

impl ConnectionError for ClientError {
    fn retry(&self) -> Retry {
        ClientError::retry(self)
    }

    fn cause(&self) -> Option<Cause> {
        match self {
            ClientError::Failure(failure) => Some(failure.cause),
            _ => None,
        }
    }

    /// The peer ends such a connection without a word, or with the status that HTTP has for it.
    fn is_stale_connection(&self) -> bool {
        match self {
            ClientError::Handshake(HandshakeError::Io(_)) => true,
            ClientError::Handshake(HandshakeError::Refused(failure)) => {
                failure.http_status == Some(408)
            }
            _ => false,
        }
    }
}

fn is_abrupt_end(error: &tokio_tungstenite::tungstenite::error::ProtocolError) -> bool {
    use tokio_tungstenite::tungstenite::error::ProtocolError;
    matches!(error, ProtocolError::ResetWithoutClosingHandshake)
}
