//! Recognition as a state machine without I/O: everything between an element's start and stop.
//!
//! In the manner of quinn-proto, `handle_*` takes in what happened, and the caller then carries
//! out what [`poll_action`](Recognition::poll_action) and
//! [`poll_transmit`](Recognition::poll_transmit) return, passes on what
//! [`poll_output`](Recognition::poll_output) returns, and waits for the next thing to happen or for
//! [`poll_timeout`](Recognition::poll_timeout). Clock values are handed in.
//!
//! The machine is in one of five [`State`]s. `send` says what a connection sends, `receive` what
//! becomes of a message, `timeout` what is overdue, and `end` what follows from the end of a
//! connection.

mod end;
mod output;
mod receive;
mod send;
mod timeout;

use std::time::Duration;

pub use output::{Action, Output};

use self::output::{End, Outputs};
use super::connection::Connection;
use super::counts::Counts;
use super::decoder::Decoder;
use super::error::ConnectionError;
use super::event::Event;
use super::queue::{Boundary, Queue, QueueAccess, Work};
use super::retry::{Progress, Retries};
use super::settings::Settings;
use super::stream::Stream;
use crate::protocol::frame::FrameEncoder;

/// Activity of the machine.
#[derive(Debug)]
enum State<E> {
    /// Waits for audio or a boundary. `partial_since`: when the waiting partial chunk's audio
    /// ended.
    Idle { partial_since: Option<Duration> },
    /// Waits to connect: for the backoff between two attempts, and for the end of the connection
    /// before.
    Waiting,
    /// Waits for a connection.
    Connecting {
        /// When the attempt began.
        began: Duration,
        until: Duration,
        /// It uses a preconnect, which the server may have closed by now.
        is_preconnected: bool,
    },
    /// Has a connection.
    Open(Box<Connection<E>>),
    /// Nothing more can be done.
    Failed,
}

impl<E> State<E> {
    const IDLE: Self = State::Idle {
        partial_since: None,
    };
}

/// The machine. `E` is the error that ends a connection.
#[derive(Debug)]
pub struct Recognition<E> {
    settings: Settings,
    state: State<E>,
    stream: Stream,
    retries: Retries,
    decoder: Decoder,
    encoder: FrameEncoder,
    /// Time at which the preconnect was ready.
    preconnected_at: Option<Duration>,
    /// The boundary that is being completed.
    pending_boundary: Option<Boundary>,
    /// The connection before is still being closed.
    previous_is_closing: bool,
    /// The next connection restores a lost one.
    is_reconnect: bool,
    outputs: Outputs<E>,
}

impl<E: ConnectionError> Recognition<E> {
    /// Starts. `jitter`, in 0..1, sets this client's backoff apart from that of others.
    pub fn new(settings: Settings, jitter: f64) -> Self {
        let mut machine = Recognition {
            state: State::IDLE,
            stream: Stream::new(&settings, 0),
            retries: Retries::new(settings.max_reconnects, settings.limits.finish, jitter),
            decoder: Decoder::default(),
            encoder: FrameEncoder::new(settings.compression),
            preconnected_at: None,
            pending_boundary: None,
            previous_is_closing: false,
            is_reconnect: false,
            outputs: Outputs::default(),
            settings,
        };
        machine.outputs.act(Action::Preconnect);
        machine
    }

    /// Whether nothing more can be done.
    pub fn has_failed(&self) -> bool {
        matches!(self.state, State::Failed)
    }

    /// Whether the service has answered on the present connection.
    pub fn is_acknowledged(&self) -> bool {
        matches!(&self.state, State::Open(connection) if connection.is_acknowledged())
    }

    /// Whether audio or a boundary that comes now can be used at once.
    pub fn waits_for_input(&self) -> bool {
        match &self.state {
            State::Idle { .. } => true,
            State::Open(connection) => connection.waits_for_input(),
            State::Waiting | State::Connecting { .. } | State::Failed => false,
        }
    }

    /// Returns the totals.
    pub fn counts(&self) -> Counts {
        Counts {
            connected: self.is_acknowledged(),
            ..self.outputs.counts
        }
    }

    /// Returns the next thing that the caller is to do.
    pub fn poll_action(&mut self, now: Duration, input: &mut impl QueueAccess) -> Option<Action> {
        if self.outputs.actions.is_empty() {
            if let State::Idle { .. } = self.state {
                self.find_work(now, input);
            }
            self.connect_in_turn(now);
        }
        self.outputs.actions.pop_front()
    }

    /// Returns the next thing that the caller is to pass on.
    pub fn poll_output(&mut self) -> Option<Output<E>> {
        self.outputs.outputs.pop_front()
    }

    /// Acts on boundaries, and begins a session when there is audio.
    fn find_work(&mut self, now: Duration, input: &mut impl QueueAccess) {
        loop {
            match input.with(|queue| queue.poll_work(now)) {
                Work::Audio => {
                    self.state = State::Waiting;
                    return;
                }
                Work::Boundary(boundary) => {
                    self.pending_boundary = Some(boundary);
                    if self.stream.is_unsettled() {
                        self.state = State::Waiting;
                        return;
                    }
                    self.complete_boundary(input);
                }
                Work::Nothing(partial_since) => {
                    self.state = State::Idle { partial_since };
                    return;
                }
            }
        }
    }

    /// Sets the language that requests ask for from now on.
    pub fn set_language(&mut self, language: Option<String>) {
        self.settings.request.language = language;
    }

    /// Connects after the backoff between two attempts, and after the end of the connection before,
    /// which counts for the service's limit until then.
    fn connect_in_turn(&mut self, now: Duration) {
        let waits = self.previous_is_closing || self.retries.retry_at().is_some_and(|at| at > now);
        if waits || !matches!(self.state, State::Waiting) {
            return;
        }
        self.retries.on_attempt();
        let limit = now + self.settings.limits.connect;
        let until = self
            .retries
            .finish_deadline()
            .map_or(limit, |at| at.min(limit));
        self.state = State::Connecting {
            began: now,
            until,
            is_preconnected: self.preconnected_at.take().is_some(),
        };
        self.outputs.act(Action::Connect { until });
    }

    /// Look-up, TCP and TLS are complete, ahead of a session or for one.
    pub fn handle_network_ready(&mut self, now: Duration) {
        if self.has_failed() {
            return;
        }
        self.outputs.on_network_ready();
        if !matches!(self.state, State::Connecting { .. }) {
            self.preconnected_at = Some(now);
        }
    }

    /// A session's WebSocket is open.
    pub fn handle_connected(&mut self, now: Duration) {
        let State::Connecting { began, .. } = self.state else {
            return;
        };
        self.stream.connect();
        self.decoder.connect();
        let audio = &self.stream.replay_buffer;
        let connection = Connection::new(&self.settings, began, now, audio);
        self.state = State::Open(Box::new(connection));
    }

    /// No connection could be made, or none by the time that [`Action::Connect`] names.
    pub fn handle_connect_failed(&mut self, now: Duration, input: &mut impl QueueAccess, error: E) {
        if self.has_failed() {
            return;
        }
        let mut end = Err(error);
        if let State::Connecting {
            until,
            is_preconnected,
            ..
        } = &mut self.state
        {
            // The server closed it while it waited for audio, which is no failure of the service.
            if *is_preconnected && end.as_ref().is_err_and(E::is_stale_connection) {
                *is_preconnected = false;
                let until = *until;
                self.outputs.act(Action::Connect { until });
                return;
            }
            self.state = State::Waiting;
            if self.retries.finish_deadline().is_some_and(|at| at <= now) {
                end = Ok(End::FinishTimeout);
            }
        }
        self.on_connection_end(now, input, end);
    }

    /// The end that [`Action::Close`] began is over.
    pub fn handle_closed(&mut self) {
        self.previous_is_closing = false;
    }

    /// A flush: what was sent is of no interest any more.
    pub fn handle_flush(&mut self) {
        if let State::Failed = self.state {
            return;
        }
        self.leave();
        self.pending_boundary = None;
        self.begin_stream(self.stream.number);
        self.state = State::IDLE;
        // It does not shorten the backoff between two attempts.
        if self.retries.retry_at().is_none() {
            self.outputs.act(Action::Preconnect);
        }
    }

    /// The owner ends it with an error.
    pub fn handle_abort(&mut self, error: E) {
        if !self.has_failed() {
            self.fail(error);
        }
    }

    /// Gives up the connection, or the attempt to have one. A connection ends in the background.
    fn leave(&mut self) {
        match self.state {
            State::Open(_) => self.close(None),
            State::Connecting { .. } => self.outputs.act(Action::CancelHandshake),
            _ => {}
        }
    }

    fn close(&mut self, finish: Option<bytes::Bytes>) {
        self.previous_is_closing = true;
        self.outputs.act(Action::Close { finish });
        self.state = State::Waiting;
    }

    fn begin_stream(&mut self, number: u32) {
        self.stream = Stream::new(&self.settings, number);
        self.retries.on_end();
    }

    /// Everything before the pending boundary is done.
    fn complete_boundary(&mut self, input: &mut impl QueueAccess) {
        self.leave();
        self.state = State::IDLE;
        // Its audio is needed no more.
        self.stream.replay_buffer.clear();
        self.retries.on_end();
        self.is_reconnect = false;
        match self.pending_boundary.take() {
            None => {}
            // A rollover's own EndSession never passed through the queue, so the queue still counts
            // the session as open.
            Some(Boundary::EndSession) => input.with(Queue::close_session),
            Some(Boundary::EndOfStream { token }) => {
                self.outputs.report(Event::BoundaryDone { token });
            }
            Some(Boundary::NewStream { stream }) => self.begin_stream(stream),
        }
    }

    /// Ends what is open, then reports the error.
    fn fail(&mut self, error: E) {
        self.stream.finalize_unconfirmed();
        self.report_updates();
        self.leave();
        self.state = State::Failed;
        let lost = self.is_reconnect && self.stream.sessions > 0;
        self.outputs.report(Event::Failed { error, lost });
    }

    /// Returns how far the stream is.
    fn progress(&self, input: &mut impl QueueAccess) -> Progress {
        let is_mid_stream = self.pending_boundary == Some(Boundary::EndSession);
        Progress {
            ending: self.pending_boundary.is_some(),
            unsettled: self.stream.is_unsettled(),
            // Other responses do not count: `bigmodel` and `bigmodel_nostream` respond to each
            // frame, with a duration and without text.
            has_words: self.stream.tracker.has_utterances(),
            audio_waits: is_mid_stream && input.with(|queue| queue.is_audio_next()),
        }
    }

    /// Reports how far no text is to be waited for, on a connection that works.
    fn report_quiet(&mut self, now: Duration) {
        if self.is_acknowledged()
            && let Some(until) = self.stream.take_quiet_until(now)
        {
            let stream = self.stream.number;
            self.outputs.report(Event::Quiet { stream, until });
        }
    }

    fn report_updates(&mut self) {
        self.outputs.report_updates(&mut self.stream);
    }
}

#[cfg(test)]
mod tests;
