//! What a client tells its owner.

use std::time::Duration;
use std::{fmt, io};

use tokio_tungstenite::tungstenite::Error as WsError;

use super::dial::DialError;
use super::runtime::RuntimeError;
use super::upgrade::UpgradeError;
use crate::protocol::failure::{Failure, Retry};
use crate::session::transcript::Update;

/// One thing that happened, in order.
#[derive(Debug)]
pub enum Event {
    /// The network is ready: looked up, connected, encrypted.
    Ready,
    /// A connection's ids, for the vendor's support.
    Ids {
        /// `X-Api-Connect-Id`: ours.
        connect_id: String,
        /// `X-Tt-Logid`: the service's.
        log_id: Option<String>,
    },
    /// Something was said, or what was said changed.
    Transcript {
        /// The stream's number.
        stream: u32,
        /// Which of the stream's connections heard it, from 0.
        session: u32,
        /// The utterance, with positions on the stream's axis.
        update: Update,
    },
    /// A response, as it came. Only when asked for.
    Response {
        /// Which of the stream's connections it came on, from 0.
        session: u32,
        /// JSON.
        json: String,
    },
    /// All that was said before this time on the stream's axis is settled.
    Settled {
        /// The stream's number.
        stream: u32,
        /// Where speech that may still change begins.
        until: Duration,
    },
    /// A connection failed or was lost, and another is tried after `pause`.
    Reconnecting {
        /// Whether a session was lost; otherwise there has been none yet.
        lost: bool,
        /// Why it failed.
        trouble: Trouble,
        /// Which try in a row this will be, from 1.
        attempt: u32,
        /// Until then.
        pause: Duration,
        /// The stream's number.
        stream: u32,
        /// Where on the stream's axis recognition begins again.
        from: Duration,
    },
    /// The last words did not come in time; what was heard last was posted as final.
    FinishTimedOut {
        /// How long the last words were waited for.
        waited: Duration,
        /// What stood in the way, if a connection was lost.
        trouble: Option<Trouble>,
    },
    /// The service says that it has worked through much more audio than was sent.
    CountsDifferently {
        /// What the service says.
        counted: Duration,
        /// What was sent.
        sent: Duration,
    },
    /// No response of the session holds anything that can be read.
    NotUnderstood {
        /// Number of responses so far.
        responses: u32,
    },
    /// Nothing more can be done. The last event but for those that answer a boundary.
    Failed {
        /// What went wrong.
        trouble: Trouble,
        /// Whether a session was lost; else none came about.
        lost: bool,
    },
    /// Everything before the boundary with this token is done.
    Done {
        /// As handed in.
        token: u64,
    },
}

impl Event {
    /// Whether a flush takes it back: it speaks of audio, or answers a boundary.
    pub fn belongs_to_audio(&self) -> bool {
        matches!(
            self,
            Event::Transcript { .. }
                | Event::Response { .. }
                | Event::Settled { .. }
                | Event::Reconnecting { .. }
                | Event::FinishTimedOut { .. }
                | Event::Done { .. }
        )
    }
}

/// How much a line of the log matters, in GStreamer's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Something was wrong, and is being dealt with.
    Warning,
    /// Once in a session.
    Info,
    /// Rarely.
    Debug,
    /// For each frame.
    Log,
}

/// Takes a client's events. Called from the runtime's workers: must not block.
pub trait Events: Send + Sync {
    /// `epoch` counts the flushes: an event of an older epoch is stale.
    fn event(&self, epoch: u64, event: Event);

    /// A line for the log. Formatted only if somebody reads it; never holds a secret.
    fn log(&self, level: Level, line: fmt::Arguments<'_>);
}

/// Why a buffer of the pipeline can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// Its memory could not be mapped.
    #[error("mapping a buffer's memory for reading failed")]
    Unreadable,
    /// No caps came before it.
    #[error("a buffer came without caps")]
    NotNegotiated,
}

/// Why a connection could not be had, or was lost.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// Before the upgrade.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// In the upgrade.
    #[error(transparent)]
    Upgrade(#[from] UpgradeError),
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
    Broken(#[source] WsError),
    /// Broken WebSocket framing on a connection that had answered.
    #[error("what came on the connection was corrupt: {0}")]
    Corrupt(String),
    /// The service takes no more bytes.
    #[error("the service has taken no byte for {0:?}")]
    Stalled(Duration),
    /// The upgrade or the answer to the request did not come in time.
    #[error("no answer from the service within {0:?}")]
    NoAnswer(Duration),
    /// The finish was written, and nothing came back.
    #[error("no last words from the service within {0:?} of the finish")]
    NoFinal(Duration),
    /// The peer does not speak the protocol.
    #[error("the peer does not speak the v3/sauc protocol: {0}")]
    Nonsense(String),
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
    Defect,
}

impl Trouble {
    /// Whether, and how patiently, to try again.
    pub fn retry(&self) -> Retry {
        match self {
            Trouble::Dial(error) => error.retry(),
            Trouble::Upgrade(UpgradeError::Refused(failure)) => failure.retry(),
            Trouble::Upgrade(UpgradeError::Io(_)) => Retry::Soon,
            Trouble::Upgrade(UpgradeError::NotWebSocket(_) | UpgradeError::Value(_)) => {
                Retry::Never
            }
            Trouble::Failure(failure) => failure.retry(),
            Trouble::Closed { .. }
            | Trouble::Broken(_)
            | Trouble::Stalled(_)
            | Trouble::NoAnswer(_)
            | Trouble::NoFinal(_) => Retry::Soon,
            Trouble::Corrupt(_) => Retry::Limited,
            Trouble::Nonsense(_)
            | Trouble::Runtime(_)
            | Trouble::Input(_)
            | Trouble::Backlog
            | Trouble::Defect => Retry::Never,
        }
    }

    /// What the service itself said, if it did.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Trouble::Failure(failure) => Some(failure),
            Trouble::Upgrade(UpgradeError::Refused(failure)) => Some(failure),
            _ => None,
        }
    }

    /// Maps an error of the WebSocket library. `answered`: the service has answered on this connection.
    ///
    /// A peer that breaks the framing from the start speaks another protocol. Later it is corruption on
    /// the way, and another connection may be free of it. A message over the limit is neither: it would be
    /// as large the next time.
    pub(super) fn from_websocket(error: WsError, answered: bool) -> Self {
        let breaks_framing = match &error {
            WsError::Protocol(protocol) => !is_abrupt_end(protocol),
            WsError::Utf8(_) => true,
            _ => false,
        };
        match error {
            WsError::Capacity(_) => Trouble::Nonsense(error.to_string()),
            error if breaks_framing && answered => Trouble::Corrupt(error.to_string()),
            error if breaks_framing => Trouble::Nonsense(error.to_string()),
            WsError::AlreadyClosed | WsError::ConnectionClosed => {
                Trouble::Broken(WsError::Io(io::ErrorKind::UnexpectedEof.into()))
            }
            error => Trouble::Broken(error),
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
        let closed = |code| Trouble::Closed {
            code,
            reason: String::new(),
        };
        let error = |code| Trouble::Failure(Box::new(Failure::from_error_frame(code, b"")));
        for (trouble, retry) in [
            (UpgradeError::Io(reset()).into(), Retry::Soon),
            (
                UpgradeError::Refused(Failure::from_http(503, b"")).into(),
                Retry::Later,
            ),
            (
                UpgradeError::Refused(Failure::from_http(401, b"")).into(),
                Retry::Never,
            ),
            (closed(1000), Retry::Soon),
            (closed(1011), Retry::Soon),
            (Trouble::Broken(WsError::Io(reset())), Retry::Soon),
            (Trouble::Stalled(time), Retry::Soon),
            (Trouble::NoAnswer(time), Retry::Soon),
            (Trouble::NoFinal(time), Retry::Soon),
            (error(45_000_081), Retry::Soon),
            (error(55_000_031), Retry::Later),
            (error(55_000_007), Retry::Limited),
            (error(45_000_001), Retry::Never),
            (Trouble::Nonsense(String::new()), Retry::Never),
            (InputError::Unreadable.into(), Retry::Never),
            (Trouble::Defect, Retry::Never),
        ] {
            assert_eq!(trouble.retry(), retry, "{trouble}");
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
                let trouble = Trouble::from_websocket(error, answered);
                assert!(matches!(trouble, Trouble::Broken(_)), "{trouble:?}");
                assert_eq!(trouble.retry(), Retry::Soon);
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
            let first = Trouble::from_websocket(error(), false);
            assert!(matches!(first, Trouble::Nonsense(_)), "{first:?}");
            assert_eq!(first.retry(), Retry::Never);
            let later = Trouble::from_websocket(error(), true);
            assert!(matches!(later, Trouble::Corrupt(_)), "{later:?}");
            assert_eq!(later.retry(), Retry::Limited);
        }
        let (size, max_size) = (2, 1);
        let too_long = WsError::Capacity(CapacityError::MessageTooLong { size, max_size });
        let trouble = Trouble::from_websocket(too_long, true);
        assert_eq!(trouble.retry(), Retry::Never, "{trouble:?}");
    }
}
