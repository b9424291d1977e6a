//! Consequences of the end of a connection: the next one, the end of a session, or an error.

use std::time::Duration;

use super::output::End;
use super::{Recognition, State};
use crate::protocol::failure::Cause;
use crate::session::error::{ConnectionError, SessionError};
use crate::session::event::Event;
use crate::session::input::Input;
use crate::session::retry::{Closed, Decision};
use crate::session::time_to_samples;

/// Minimum silence before an idle error counts as the service's idle timeout.
const MIN_IDLE_BEFORE_END: Duration = Duration::from_millis(500);

impl<E: ConnectionError> Recognition<E> {
    /// A connection, or the attempt to have one, is over.
    pub(super) fn on_connection_end(
        &mut self,
        now: Duration,
        input: &mut impl Input,
        end: Result<End, E>,
    ) {
        let was_open = self.outputs.counts.connected;
        match end {
            Ok(_) => self.on_session_end(),
            // It says so itself.
            Err(_) => self.outputs.counts.connected = false,
        }
        match end {
            Ok(End::Finished) => self.complete_boundary(input),
            Ok(End::ClosedWithoutFinal) => self.on_close_without_final(now, input, was_open),
            Ok(End::FinishTimeout) => {
                self.is_reconnect |= was_open;
                let decision = self.retries.on_finish_timeout(self.progress(input));
                self.end_without_final(now, input, decision, None);
            }
            Err(error) => self.on_lost(now, input, error, was_open),
        }
    }

    fn on_close_without_final(&mut self, now: Duration, input: &mut impl Input, was_open: bool) {
        let closed = SessionError::Closed {
            code: 1000,
            reason: String::new(),
        };
        // Without any answer for the stream, no audio of it counts as processed.
        let max_chunk = self.settings.max_chunk;
        let is_complete =
            self.progress(input).answered && !self.stream.has_unprocessed_audio(max_chunk);
        match self.retries.on_close_without_final(is_complete) {
            Closed::Failure => self.on_lost(now, input, closed.into(), was_open),
            Closed::Finished => {
                self.stream.finalize_unconfirmed();
                self.report_updates();
                self.complete_boundary(input);
            }
            Closed::Unconfirmed => {
                self.is_reconnect |= was_open;
                let error = Some(closed.into());
                self.end_without_final(now, input, Decision::Unconfirmed, error);
            }
        }
    }

    /// A connection was lost or could not be made: goes back to what is not final, and tries again
    /// if that is worth it.
    fn on_lost(&mut self, now: Duration, input: &mut impl Input, error: E, was_open: bool) {
        let sent_audio =
            matches!(&self.state, State::Open(connection) if connection.has_sent_audio());
        if let State::Open(_) = self.state {
            self.leave();
        }
        self.state = State::Waiting;
        let is_idle_end = self.is_idle_end(now, &error, input);
        let rate = self.settings.request.rate;
        let buffer = &self.stream.replay_buffer;
        // The rest of a replay is kept beyond `replay-time`: it is not lost with this connection.
        let unsent = buffer.next_replay().unwrap_or(u64::MAX);
        let window = buffer.last(time_to_samples(self.settings.replay, rate));
        let from = self.stream.restart(window.min(unsent));
        self.report_updates();
        if is_idle_end {
            // With a replay due, the session goes on: silence for a gap must still be sent.
            if !self.stream.replay_buffer.replaying() {
                input.close_session();
            }
            self.state = State::IDLE;
            return;
        }
        // An attempt that never opened, with nothing to replay, is not a loss.
        self.is_reconnect |= was_open || sent_audio || self.stream.is_unsettled();
        let progress = self.progress(input);
        match self.retries.on_failure(error.retry(), progress, now) {
            Decision::Retry(pause) => self.report_retry(error, pause, from),
            decision => self.end_without_final(now, input, decision, Some(error)),
        }
    }

    /// Whether the service ended a session because no audio came, and there is still none to send:
    /// that is no loss. Call before `restart`, which queues a replay.
    fn is_idle_end(&self, now: Duration, error: &E, input: &impl Input) -> bool {
        error.cause() == Some(Cause::Idle)
            && now >= self.stream.last_audio_sent + MIN_IDLE_BEFORE_END
            && self.pending_boundary.is_none()
            && !self.stream.replay_buffer.replaying()
            && !input.is_ready()
    }

    /// Ends the count of a session's responses.
    pub(super) fn on_session_end(&mut self) {
        self.outputs.counts.connected = false;
        let unreadable = self.stream.response_check.on_end();
        self.outputs.report_unreadable(unreadable);
    }

    /// Ends the wait for the final response as `decision` says. `error`: what stood in the way, if
    /// anything.
    fn end_without_final(
        &mut self,
        now: Duration,
        input: &mut impl Input,
        decision: Decision,
        error: Option<E>,
    ) {
        let waited = self.retries.finish_waited(now);
        if decision != Decision::Unconfirmed {
            self.fail(error.unwrap_or_else(|| SessionError::FinalTimeout(waited).into()));
            return;
        }
        self.stream.finalize_unconfirmed();
        self.report_updates();
        self.outputs.report(Event::FinishTimedOut { waited, error });
        self.complete_boundary(input);
    }
}
