//! Timers of the machine: one list, from the state.

use std::time::Duration;

use super::output::{Action, End};
use super::{Recognition, State};
use crate::session::connection::Expired;
use crate::session::error::{ConnectionError, SessionError};
use crate::session::event::{Level, Note};
use crate::session::input::Input;

impl<E: ConnectionError> Recognition<E> {
    /// Returns when [`handle_timeout`](Self::handle_timeout) is due, if nothing happens before.
    pub fn poll_timeout(&self) -> Option<Duration> {
        let timers = match &self.state {
            State::Idle { partial_since } => [
                self.retries.retry_at(),
                self.after_idle(self.preconnected_at),
                self.after_idle(*partial_since),
            ],
            State::Waiting => [
                self.retries.retry_at(),
                self.retries.finish_deadline(),
                None,
            ],
            // The caller knows until when it may take.
            State::Connecting { .. } | State::Failed => [None; 3],
            State::Open(connection) => [
                connection.next_deadline(),
                self.retries.finish_deadline(),
                None,
            ],
        };
        timers.into_iter().flatten().min()
    }

    fn after_idle(&self, since: Option<Duration>) -> Option<Duration> {
        Some(since? + self.settings.limits.idle?)
    }

    /// The time of [`poll_timeout`](Self::poll_timeout) has come. Call it before waiting for the
    /// socket, so that a peer that never stops talking can't put it off.
    pub fn handle_timeout(&mut self, now: Duration, input: &mut impl Input) {
        match &self.state {
            State::Idle { partial_since } => {
                let partial_since = *partial_since;
                self.on_idle_timeout(now, partial_since, input);
            }
            State::Waiting => {
                if self.retries.retry_at().is_some_and(|at| at <= now) {
                    self.retries.on_try();
                }
                let finish = self.retries.finish_deadline();
                if finish.is_some_and(|at| at <= now) {
                    self.on_connection_end(now, input, Ok(End::FinishTimeout));
                }
            }
            State::Open(_) => self.on_connection_timeout(now, input),
            State::Connecting { .. } | State::Failed => {}
        }
    }

    /// The deadline passed, and there is nothing to read.
    pub fn handle_nothing_to_read(&mut self) {
        if let State::Open(connection) = &mut self.state {
            connection.writes.on_nothing_to_read();
        }
    }

    fn on_idle_timeout(
        &mut self,
        now: Duration,
        partial_since: Option<Duration>,
        input: &mut impl Input,
    ) {
        let is_due = |at: Option<Duration>| at.is_some_and(|at| at <= now);
        if is_due(self.retries.retry_at()) {
            self.retries.on_try();
            self.outputs.act(Action::Preconnect);
        }
        if is_due(self.after_idle(self.preconnected_at)) {
            self.preconnected_at = None;
            self.outputs.act(Action::Discard);
        }
        // Less than a chunk, and no more came: it has words that must not wait.
        let idle = self.settings.limits.idle.unwrap_or_default();
        if is_due(self.after_idle(partial_since)) && input.end() + idle <= now {
            input.flush_partial();
        }
    }

    fn on_connection_timeout(&mut self, now: Duration, input: &mut impl Input) {
        let State::Open(connection) = &mut self.state else {
            return;
        };
        let limits = self.settings.limits;
        let finish = self.retries.finish_deadline();
        connection.on_timeout(now);
        let mut expired = connection.writes.expired(now);
        if expired.is_none() && !connection.writes.is_reading_last(now) {
            if finish.is_some_and(|at| at <= now) {
                self.on_connection_end(now, input, Ok(End::FinishTimeout));
                return;
            }
            expired = connection.expired(now);
        }
        let error = match expired {
            None => return,
            Some(Expired::Input) => {
                self.on_input_timeout(now, input);
                return;
            }
            Some(Expired::WriteFailed(error)) => error,
            Some(Expired::Stalled(after)) => SessionError::Stalled(after).into(),
            Some(Expired::Response) => SessionError::ResponseTimeout(limits.connect).into(),
            Some(Expired::Final) => SessionError::FinalTimeout(limits.finish).into(),
        };
        self.on_connection_end(now, input, Err(error));
    }

    /// There was nothing to send for long: the session is finished behind what waits.
    fn on_input_timeout(&mut self, now: Duration, input: &mut impl Input) {
        let State::Open(connection) = &mut self.state else {
            return;
        };
        let idle = self.settings.limits.idle.unwrap_or_default();
        if input.end() + idle > now {
            // Audio comes, if too little yet for a chunk.
            connection.on_input(input.end());
        } else if input.end_session() {
            self.outputs.note(Level::Debug, Note::IdleTimeout);
        }
    }
}
