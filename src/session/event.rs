//! Reports of recognition: events for the element, and lines for the log.

use std::fmt;
use std::time::Duration;

use super::transcript::Update;

/// An event, in order. `E` is the error that ends a connection.
#[derive(Debug)]
pub enum Event<E> {
    /// The network is ready: looked up, connected, encrypted.
    NetworkReady,
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
    /// A response as it came, if it is asked for.
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
    /// Before `until` on the stream's axis, all known text is final and no more is expected.
    Quiet {
        /// The stream's number.
        stream: u32,
        /// End of the audio without open or expected text.
        until: Duration,
    },
    /// A connection failed or was lost, and another is tried after `backoff`.
    Reconnecting {
        /// Whether a session was lost; otherwise there was none yet.
        lost: bool,
        /// The cause.
        error: E,
        /// Number of the next attempt in a row, from 1.
        attempt: u32,
        /// Backoff before that attempt.
        backoff: Duration,
        /// The stream's number.
        stream: u32,
        /// Start of the replay on the stream's axis.
        from: Duration,
    },
    /// The last words did not come in time. Open utterances became final, unconfirmed.
    FinishTimedOut {
        /// Duration of the wait.
        waited: Duration,
        /// The cause, if a connection was lost.
        error: Option<E>,
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
    /// The client has failed. No event follows.
    Failed {
        /// The cause.
        error: E,
        /// Whether a session was lost; otherwise none was opened.
        lost: bool,
    },
    /// Everything before the boundary with this token is done.
    BoundaryDone {
        /// Token of the boundary.
        token: u64,
    },
}

impl<E> Event<E> {
    /// Whether a flush discards it: it is about audio, or completes a boundary.
    pub fn is_discarded_by_flush(&self) -> bool {
        matches!(
            self,
            Event::Transcript { .. }
                | Event::Response { .. }
                | Event::Settled { .. }
                | Event::Quiet { .. }
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

/// A line for the log. It is formatted only if it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// The request was handed over.
    Request,
    /// A frame of audio was handed over.
    Audio {
        /// Its number.
        sequence: i32,
        /// Position of its first sample.
        start: u64,
        /// Position behind its last sample.
        end: u64,
        /// Whether the audio was sent before.
        is_replay: bool,
    },
    /// The finish was handed over; without its sign, its number.
    Finish(i32),
    /// The session ends because the input was silent for long.
    IdleTimeout,
    /// The final response came.
    FinalResponse,
    /// The service closed in good order, but without a final response.
    ClosedWithoutFinal,
    /// The session continues on a new connection.
    Rollover,
    /// A text message of this length was ignored.
    IgnoredText(usize),
    /// A message was ignored because it can't be read.
    IgnoredMessage(String),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::Request => f.write_str("sending request, seq=1"),
            Note::Audio {
                sequence,
                start,
                end,
                is_replay,
            } => {
                let kind = if *is_replay { "replay" } else { "audio" };
                write!(
                    f,
                    "sending {kind}, seq={sequence}, samples {start} to {end}"
                )
            }
            Note::Finish(sequence) => write!(f, "sending finish, seq=-{sequence}"),
            Note::IdleTimeout => f.write_str("idle timeout, finishing the session"),
            Note::FinalResponse => f.write_str("final response received"),
            Note::ClosedWithoutFinal => f.write_str("the service closed without a final response"),
            Note::Rollover => f.write_str("session limit reached, rolling over"),
            Note::IgnoredText(length) => write!(f, "ignored a text message of {length} bytes"),
            Note::IgnoredMessage(error) => write!(f, "ignored a message: {error}"),
        }
    }
}
