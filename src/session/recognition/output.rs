//! Actions that the machine asks for, and its reports.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use crate::session::counts::Counts;
use crate::session::event::{Event, Level, Note};
use crate::session::stream::Stream;

/// One thing that the caller of the machine is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Look up, connect and encrypt, ahead of a session, unless that is under way or done.
    /// `handle_network_ready` or `handle_connect_failed` answers.
    Preconnect,
    /// Drop a preconnect.
    Discard,
    /// Open a session's WebSocket, over the preconnect if there is one.
    /// `handle_connected` or, at `until` at the latest, `handle_connect_failed` answers;
    /// `handle_network_ready` comes before where there was no connection.
    Connect {
        /// The time by which there must be an answer.
        until: Duration,
    },
    /// Give up the handshake, and a connection that waits for it. An attempt that has not got so
    /// far goes on, as one ahead of a session.
    CancelHandshake,
    /// Close the connection in the background, in a bounded time; `handle_closed` answers.
    Close {
        /// The finish, encoded. It is sent first, and the final response is read.
        finish: Option<Bytes>,
    },
}

/// End of a connection without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The final response came, or none can come any more.
    Finished,
    /// The last words were waited for long enough.
    FinishTimeout,
    /// The service closed in good order, but without its final response.
    ClosedWithoutFinal,
}

/// One thing to pass on.
#[derive(Debug)]
pub enum Output<E> {
    /// An event for the element.
    Event(Event<E>),
    /// The service has answered on a connection. Everything that it says later comes later.
    SessionOpen {
        /// Number of the session in the stream, from 0.
        session: u32,
        /// The id that came with the answer.
        log_id: Option<String>,
    },
    /// A line for the log.
    Note(Level, Note),
}

/// Actions and reports that wait, and the totals.
#[derive(Debug)]
pub(super) struct Outputs<E> {
    pub actions: VecDeque<Action>,
    pub outputs: VecDeque<Output<E>>,
    pub counts: Counts,
    ready_reported: bool,
    rate_mismatch_reported: bool,
}

impl<E> Default for Outputs<E> {
    fn default() -> Self {
        Outputs {
            actions: VecDeque::new(),
            outputs: VecDeque::new(),
            counts: Counts::default(),
            ready_reported: false,
            rate_mismatch_reported: false,
        }
    }
}

impl<E> Outputs<E> {
    pub fn act(&mut self, action: Action) {
        self.actions.push_back(action);
    }

    pub fn report(&mut self, event: Event<E>) {
        self.outputs.push_back(Output::Event(event));
    }

    pub fn note(&mut self, level: Level, note: Note) {
        self.outputs.push_back(Output::Note(level, note));
    }

    pub fn on_network_ready(&mut self) {
        if !std::mem::replace(&mut self.ready_reported, true) {
            self.report(Event::NetworkReady);
        }
    }

    /// Reports once that the service must count at another rate.
    pub fn on_rate_mismatch(&mut self, counted: Duration, sent: Duration) {
        if !std::mem::replace(&mut self.rate_mismatch_reported, true) {
            self.report(Event::SampleRateMismatch { counted, sent });
        }
    }

    /// Reports what has changed in the utterances of `stream`.
    pub fn report_updates(&mut self, stream: &mut Stream) {
        let number = stream.number;
        let session = stream.sessions.saturating_sub(1);
        for update in stream.updates.drain(..) {
            self.counts.utterances += u64::from(update.is_final);
            self.report(Event::Transcript {
                stream: number,
                session,
                update,
            });
        }
    }

    /// Reports that no response of a session could be read, if there is a number of them.
    pub fn report_unreadable(&mut self, responses: Option<u32>) {
        if let Some(responses) = responses {
            self.report(Event::NotUnderstood { responses });
        }
    }
}
