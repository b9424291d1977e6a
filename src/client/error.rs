//! Everything that ends a connection, and whether to try again.

use std::io;

use tokio_tungstenite::tungstenite::Error as WsError;
use tokio_tungstenite::tungstenite::error::ProtocolError;

use super::net::dial_error::DialError;
use super::net::handshake::HandshakeError;
use super::runtime::RuntimeError;
use crate::protocol::failure::{Cause, Failure, Retry};
use crate::session::error::{ConnectionError, SessionError};

#[cfg(test)]
pub(crate) mod tests;

/// Reason of the element to end a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Abort {
    /// The memory of a buffer could not be mapped.
    #[error("mapping a buffer's memory for reading failed")]
    Unmappable,
    /// A buffer came before caps.
    #[error("a buffer came without caps")]
    NotNegotiated,
    /// More final text waits to be posted than is kept.
    #[error("the application does not take its messages")]
    Backlog,
    /// A task ended unexpectedly: a defect of this plugin.
    #[error("internal error: the connection's task ended unexpectedly")]
    Internal,
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
    /// Failure of a session.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Transport(#[source] WsError),
    /// Broken WebSocket framing on a connection that had answered.
    #[error("what came on the connection was corrupt: {0}")]
    Corrupt(String),
    /// No threads could be started.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The element ended the client.
    #[error(transparent)]
    Aborted(#[from] Abort),
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
            ClientError::Session(error) => error.retry(),
            ClientError::Transport(_) => Retry::Soon,
            ClientError::Corrupt(_) => Retry::Limited,
            ClientError::Runtime(_) | ClientError::Aborted(_) => Retry::Never,
        }
    }

    /// Returns the failure that the service itself reported, if it did.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            ClientError::Session(SessionError::Failure(failure)) => Some(failure),
            ClientError::Handshake(HandshakeError::Refused(failure)) => Some(failure),
            _ => None,
        }
    }

    /// Maps an error of the WebSocket library. `acknowledged`: the service has answered on this
    /// connection.
    ///
    /// A peer that breaks the framing from the start speaks another protocol. Later it is
    /// corruption on the way, and another connection may be free of it. A message over the limit
    /// is neither: it would be as large the next time.
    pub(super) fn from_websocket(error: WsError, acknowledged: bool) -> Self {
        let breaks_framing = match &error {
            WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => false,
            WsError::Protocol(_) | WsError::Utf8(_) => true,
            _ => false,
        };
        match error {
            WsError::Capacity(_) => SessionError::Protocol(error.to_string()).into(),
            error if breaks_framing && acknowledged => ClientError::Corrupt(error.to_string()),
            error if breaks_framing => SessionError::Protocol(error.to_string()).into(),
            WsError::AlreadyClosed | WsError::ConnectionClosed => {
                ClientError::Transport(WsError::Io(io::ErrorKind::UnexpectedEof.into()))
            }
            error => ClientError::Transport(error),
        }
    }
}

impl ConnectionError for ClientError {
    fn retry(&self) -> Retry {
        ClientError::retry(self)
    }

    fn cause(&self) -> Option<Cause> {
        match self {
            ClientError::Session(SessionError::Failure(failure)) => Some(failure.cause),
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
