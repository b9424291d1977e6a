//! Consequences of the end of a connection: the next one, the end of a session, or an error.

use std::time::Duration;

use super::output::End;
use super::{Recognition, State};
use crate::protocol::failure::Cause;
use crate::session::error::{ConnectionError, SessionError};
use crate::session::event::Event;
use crate::session::queue::{Queue, QueueAccess};
use crate::session::retry::Decision;
use crate::session::time_to_samples;

/// Minimum silence before an idle error counts as the service's idle timeout.
const MIN_IDLE_BEFORE_END: Duration = Duration::from_millis(500);

impl<E: ConnectionError> Recognition<E> {
    /// A connection, or the attempt to have one, is over.
    pub(super) fn on_connection_end(
        &mut self,
        now: Duration,
        input: &mut impl QueueAccess,
        end: Result<End, E>,
    ) {
        match end {
            Ok(End::Finished) => {
                self.on_session_end();
                self.complete_boundary(input);
            }
            Ok(End::FinishTimeout) => {
                self.on_session_end();
                self.is_reconnect |= self.is_acknowledged();
                let decision = self.retries.on_finish_timeout(self.progress(input));
                self.end_without_final(now, input, decision, None);
            }
            Ok(End::ClosedWithoutFinal) => {
                self.on_session_end();
                self.on_close_without_final(now, input);
            }
            // An error says itself why nothing could be read.
            Err(error) => self.on_lost(now, input, error),
        }
    }

    fn on_close_without_final(&mut self, now: Duration, input: &mut impl QueueAccess) {
        let closed = SessionError::Closed {
            code: 1000,
            reason: String::new(),
        };
        // Without any answer for the stream, no audio of it counts as processed.
        let max_chunk = self.settings.max_chunk;
        if self.progress(input).has_words && !self.stream.has_unprocessed_audio(max_chunk) {
            self.stream.finalize_unconfirmed();
            self.report_updates();
            self.complete_boundary(input);
        } else if self.retries.on_close_without_final() {
            self.on_lost(now, input, closed.into());
        } else {
            self.end_without_final(now, input, Decision::Unconfirmed, Some(closed.into()));
        }
    }

    /// A connection was lost or could not be made: goes back to what is not final, and tries again
    /// if that is worth it.
    fn on_lost(&mut self, now: Duration, input: &mut impl QueueAccess, error: E) {
        let is_idle_end = self.is_idle_end(now, &error, input);
        let position = self.stream.replay_buffer.position();
        let sent_audio =
            matches!(&self.state, State::Open(connection) if connection.replayed.start < position);
        let is_loss = self.is_acknowledged() || sent_audio;
        // Before any audio came, no session is wanted yet.
        let is_ahead = matches!(self.state, State::Idle { .. });
        self.leave();
        let rate = self.settings.request.rate;
        // The rest of a replay is kept beyond `replay-time`: it is not lost with this connection.
        let window = self
            .stream
            .replay_buffer
            .last(time_to_samples(self.settings.replay, rate));
        self.stream.restart(window.min(position));
        self.report_updates();
        if is_idle_end {
            // With a replay due, the session goes on: silence for a gap must still be sent.
            if !self.stream.replay_buffer.replaying() {
                input.with(Queue::close_session);
            }
            self.state = State::IDLE;
            return;
        }
        if !is_ahead {
            self.state = State::Waiting;
        }
        // An attempt that never opened, with nothing to replay, is not a loss.
        self.is_reconnect |= is_loss || self.stream.is_unsettled();
        let progress = self.progress(input);
        match self.retries.on_failure(error.retry(), progress, now) {
            Decision::Retry(backoff) => self.outputs.report(Event::Reconnecting {
                lost: self.is_reconnect && self.stream.sessions > 0,
                error,
                attempt: self.retries.attempts(),
                backoff,
                stream: self.stream.number,
                from: self.stream.position(),
            }),
            decision => self.end_without_final(now, input, decision, Some(error)),
        }
    }

    /// Whether the service ended a session because no audio came, and there is still none to send:
    /// that is no loss.
    fn is_idle_end(&self, now: Duration, error: &E, input: &mut impl QueueAccess) -> bool {
        let State::Open(connection) = &self.state else {
            return false;
        };
        error.cause() == Some(Cause::Idle)
            && now >= connection.writes.latest() + MIN_IDLE_BEFORE_END
            && self.pending_boundary.is_none()
            && !self.stream.replay_buffer.replaying()
            && !input.with(|queue| queue.is_ready())
    }

    /// Ends the count of a session's responses.
    pub(super) fn on_session_end(&mut self) {
        let unreadable = self.stream.response_check.on_end();
        self.outputs.report_unreadable(unreadable);
    }

    /// Ends the wait for the last words as `decision` says. `error`: what stood in the way, if
    /// anything.
    fn end_without_final(
        &mut self,
        now: Duration,
        input: &mut impl QueueAccess,
        decision: Decision,
        error: Option<E>,
    ) {
        let waited = self.retries.finish_waited(now);
        if decision != Decision::Unconfirmed {
            self.fail(error.unwrap_or_else(|| SessionError::FinalResponseTimeout(waited).into()));
            return;
        }
        self.stream.finalize_unconfirmed();
        self.report_updates();
        self.outputs.report(Event::FinishTimedOut { waited, error });
        self.complete_boundary(input);
    }
}
