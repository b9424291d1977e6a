//! Events that a client reports.

use std::fmt;
use std::time::Duration;

use super::error::ClientError;
use crate::session::transcript::Update;

/// An event, in order.
#[derive(Debug)]
pub enum Event {
    /// The network is ready: looked up, connected, encrypted.
    Ready,
    /// Ids of a connection, for the vendor's support.
    Ids {
        /// `X-Api-Connect-Id`: ours.
        connect_id: String,
        /// `X-Tt-Logid`: the service's.
        log_id: Option<String>,
    },
    /// An utterance is new or has changed.
    Transcript {
        /// The stream's number.
        stream: u32,
        /// Number of the session in the stream, from 0.
        session: u32,
        /// The utterance, with positions on the stream's axis.
        update: Update,
    },
    /// A response as it came, if [`want_responses`](super::Client::want_responses) is set.
    Response {
        /// Number of the session in the stream, from 0.
        session: u32,
        /// JSON.
        json: String,
    },
    /// All speech before `until` on the stream's axis is final.
    Settled {
        /// The stream's number.
        stream: u32,
        /// Start of the speech that may still change.
        until: Duration,
    },
    /// A connection failed or was lost, and another is tried after `pause`.
    Reconnecting {
        /// Whether a session was lost; otherwise there was none yet.
        lost: bool,
        /// The cause.
        error: ClientError,
        /// Number of the next attempt in a row, from 1.
        attempt: u32,
        /// Pause before that attempt.
        pause: Duration,
        /// The stream's number.
        stream: u32,
        /// Start of the replay on the stream's axis.
        from: Duration,
    },
    /// The final response did not come in time. Open utterances became final, unconfirmed.
    FinishTimedOut {
        /// Duration of the wait.
        waited: Duration,
        /// The cause, if a connection was lost.
        error: Option<ClientError>,
    },
    /// The service reports much more audio than was sent, so it assumes another sample rate.
    SampleRateMismatch {
        /// Audio that the service reports.
        counted: Duration,
        /// Audio that was sent.
        sent: Duration,
    },
    /// No response of the session can be read.
    NotUnderstood {
        /// Number of responses so far.
        responses: u32,
    },
    /// The client has failed. Only [`BoundaryDone`](Self::BoundaryDone) may follow.
    Failed {
        /// The cause.
        error: ClientError,
        /// Whether a session was lost; otherwise none was opened.
        lost: bool,
    },
    /// Everything before the boundary with this token is done.
    BoundaryDone {
        /// Token of the boundary.
        token: u64,
    },
}

impl Event {
    /// Whether a flush discards it: it is about audio, or completes a boundary.
    pub fn is_discarded_by_flush(&self) -> bool {
        matches!(
            self,
            Event::Transcript { .. }
                | Event::Response { .. }
                | Event::Settled { .. }
                | Event::Reconnecting { .. }
                | Event::FinishTimedOut { .. }
                | Event::BoundaryDone { .. }
        )
    }
}

/// Level of a log line, in GStreamer's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// A problem that the client handles.
    Warning,
    /// Once in a session.
    Info,
    /// Rarely.
    Debug,
    /// For each frame.
    Log,
}

/// Receiver of a client's events. It is called on the runtime's workers and must not block.
pub trait EventHandler: Send + Sync {
    /// Handles an event. `epoch` counts the flushes: an event of an earlier epoch is stale.
    fn handle(&self, epoch: u64, event: Event);

    /// Logs a line, which holds no secret. It need not be formatted if the level is off.
    fn log(&self, level: Level, line: fmt::Arguments<'_>);
}
