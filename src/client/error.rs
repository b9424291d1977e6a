//! Everything that ends a connection, and whether to try again.

use std::io;
use std::time::Duration;

use tokio_tungstenite::tungstenite::Error as WsError;

use super::net::dial_error::DialError;
use super::net::handshake::HandshakeError;
use super::runtime::RuntimeError;
use crate::protocol::failure::{Failure, Retry};

#[cfg(test)]
pub(crate) mod examples;

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

#[cfg(test)]
mod tests {
    use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};

    use super::*;

    #[test]
    fn what_may_pass_is_tried_again_and_what_will_not_is_not() {
        let reset = || io::Error::from(io::ErrorKind::ConnectionReset);
        let time = Duration::from_secs(1);
        let closed = |code| ClientError::Closed {
            code,
            reason: String::new(),
        };
        let error = |code| ClientError::Failure(Box::new(Failure::from_error_frame(code, b"")));
        for (error, retry) in [
            (HandshakeError::Io(reset()).into(), Retry::Soon),
            (
                HandshakeError::Refused(Failure::from_http(503, b"")).into(),
                Retry::Later,
            ),
            (
                HandshakeError::Refused(Failure::from_http(401, b"")).into(),
                Retry::Never,
            ),
            (closed(1000), Retry::Soon),
            (closed(1011), Retry::Soon),
            (ClientError::Transport(WsError::Io(reset())), Retry::Soon),
            (ClientError::Stalled(time), Retry::Soon),
            (ClientError::ResponseTimeout(time), Retry::Soon),
            (ClientError::FinalTimeout(time), Retry::Soon),
            (error(45_000_081), Retry::Soon),
            (error(55_000_031), Retry::Later),
            (error(55_000_007), Retry::Limited),
            (error(45_000_001), Retry::Never),
            (ClientError::Protocol(String::new()), Retry::Never),
            (InputError::Unmappable.into(), Retry::Never),
            (ClientError::Internal, Retry::Never),
        ] {
            assert_eq!(error.retry(), retry, "{error}");
        }
    }

    #[test]
    fn abrupt_ends_are_losses_whether_or_not_the_service_has_answered() {
        for answered in [false, true] {
            for error in [
                WsError::Io(io::ErrorKind::BrokenPipe.into()),
                WsError::AlreadyClosed,
                WsError::ConnectionClosed,
                WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake),
            ] {
                let error = ClientError::from_websocket(error, answered);
                assert!(matches!(error, ClientError::Transport(_)), "{error:?}");
                assert_eq!(error.retry(), Retry::Soon);
            }
        }
    }

    #[test]
    fn broken_framing_is_corruption_only_after_an_answer() {
        for error in [
            || WsError::Protocol(ProtocolError::NonZeroReservedBits),
            || WsError::Protocol(ProtocolError::InvalidCloseSequence),
            || WsError::Utf8(String::new()),
        ] {
            let first = ClientError::from_websocket(error(), false);
            assert!(matches!(first, ClientError::Protocol(_)), "{first:?}");
            assert_eq!(first.retry(), Retry::Never);
            let later = ClientError::from_websocket(error(), true);
            assert!(matches!(later, ClientError::Corrupt(_)), "{later:?}");
            assert_eq!(later.retry(), Retry::Limited);
        }
        let (size, max_size) = (2, 1);
        let too_long = WsError::Capacity(CapacityError::MessageTooLong { size, max_size });
        let error = ClientError::from_websocket(too_long, true);
        assert_eq!(error.retry(), Retry::Never, "{error:?}");
    }
}
