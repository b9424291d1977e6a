//! What a client tells its owner.

use std::fmt;
use std::time::Duration;

use super::error::ClientError;
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
        error: ClientError,
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
        error: Option<ClientError>,
    },
    /// The service says that it has worked through much more audio than was sent.
    SampleRateMismatch {
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
        error: ClientError,
        /// Whether a session was lost; else none came about.
        lost: bool,
    },
    /// Everything before the boundary with this token is done.
    BoundaryDone {
        /// As handed in.
        token: u64,
    },
}

impl Event {
    /// Whether a flush takes it back: it speaks of audio, or answers a boundary.
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
pub trait EventHandler: Send + Sync {
    /// `epoch` counts the flushes: an event of an older epoch is stale.
    fn handle(&self, epoch: u64, event: Event);

    /// A line for the log. Formatted only if somebody reads it; never holds a secret.
    fn log(&self, level: Level, line: fmt::Arguments<'_>);
}
