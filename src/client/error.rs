//! Everything that ends a connection, and whether to try again.

use std::io;
use std::time::Duration;

use tokio_tungstenite::tungstenite::Error as WsError;

use super::net::dial_error::DialError;
use super::net::handshake::HandshakeError;
use super::runtime::RuntimeError;
use crate::protocol::failure::{Failure, Retry};

#[cfg(test)]
pub(crate) mod tests;

/// Why a buffer of the pipeline can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// Its memory could not be mapped.
    #[error("mapping a buffer's memory for reading failed")]
    Unmappable,
    /// No caps came before it.
    #[error("a buffer came without caps")]
    NotNegotiated,
}

/// Why a connection could not be had, or was lost.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Before the upgrade.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// In the upgrade.
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
        /// The service's words, if any.
        reason: String,
    },
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Transport(#[source] WsError),
    /// Broken WebSocket framing on a connection that had answered.
    #[error("what came on the connection was corrupt: {0}")]
    Corrupt(String),
    /// The service takes no more bytes.
    #[error("the service has taken no byte for {0:?}")]
    Stalled(Duration),
    /// The upgrade or the answer to the request did not come in time.
    #[error("no answer from the service within {0:?}")]
    ResponseTimeout(Duration),
    /// The finish was written, and nothing came back.
    #[error("no last words from the service within {0:?} of the finish")]
    FinalTimeout(Duration),
    /// The peer does not speak the protocol.
    #[error("the peer does not speak the v3/sauc protocol: {0}")]
    Protocol(String),
    /// No threads.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// A buffer of the pipeline can't be used.
    #[error(transparent)]
    Input(#[from] InputError),
    /// More final results wait to be posted than are kept.
    #[error("the application does not take its messages")]
    Backlog,
    /// The driver ended by itself: a defect of this plugin.
    #[error("internal error: the connection's task ended unexpectedly")]
    Internal,
}

impl ClientError {
    /// Whether, and how patiently, to try again.
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

fn is_abrupt_end(error: &tokio_tungstenite::tungstenite::error::ProtocolError) -> bool {
    use tokio_tungstenite::tungstenite::error::ProtocolError;
    matches!(error, ProtocolError::ResetWithoutClosingHandshake)
}
