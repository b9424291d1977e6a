//! Timers of the machine: one list, from the state.

use std::time::Duration;

use super::output::{Action, End};
use super::{Recognition, State};
use crate::session::error::ConnectionError;
use crate::session::event::{Level, Note};
use crate::session::queue::{Queue, QueueAccess};
use crate::session::timer::{Timer, earliest};

impl<E: ConnectionError> Recognition<E> {
    /// Returns when [`handle_timeout`](Self::handle_timeout) is due, if nothing happens before.
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.next_timer().map(|(at, _)| at)
    }

    fn next_timer(&self) -> Option<(Duration, Timer)> {
        let after_idle = |since: Option<Duration>| Some(since? + self.settings.limits.idle?);
        let retry = (self.retries.retry_at(), Timer::Retry);
        let finish = (self.retries.finish_deadline(), Timer::FinishDeadline);
        match &self.state {
            State::Idle { partial_since } => earliest([
                retry,
                (after_idle(self.preconnected_at), Timer::Discard),
                (after_idle(*partial_since), Timer::Partial),
            ]),
            // Of two at the same time the first: no attempt is to begin at the end of the wait.
            State::Waiting => earliest([finish, retry]),
            // The caller knows until when it may take.
            State::Connecting { .. } | State::Failed => None,
            State::Open(connection) => {
                let timers = earliest([finish])
                    .into_iter()
                    .chain(connection.next_timer());
                timers.min_by_key(|(at, _)| *at)
            }
        }
    }

    /// The time of [`poll_timeout`](Self::poll_timeout) has come. Call it before waiting for the
    /// socket, so that a peer that never stops talking can't put it off.
    pub fn handle_timeout(&mut self, now: Duration, input: &mut impl QueueAccess) {
        let Some((_, timer)) = self.next_timer().filter(|(at, _)| *at <= now) else {
            return;
        };
        match timer {
            Timer::Retry => {
                self.retries.on_attempt();
                if let State::Idle { .. } = self.state {
                    self.outputs.act(Action::Preconnect);
                }
            }
            Timer::FinishDeadline => self.on_connection_end(now, input, Ok(End::FinishTimeout)),
            Timer::Discard => {
                self.preconnected_at = None;
                self.outputs.act(Action::Discard);
            }
            Timer::Partial => {
                if self.is_input_idle(now, input) {
                    input.with(Queue::flush_partial);
                }
            }
            Timer::Input => self.on_input_timeout(now, input),
            Timer::Pace | Timer::Read | Timer::Stalled | Timer::Response | Timer::FinalResponse => {
                if let State::Open(connection) = &mut self.state
                    && let Some(error) = connection.on_timeout(now, timer)
                {
                    self.on_connection_end(now, input, Err(error));
                }
            }
        }
    }

    /// The deadline passed, and there is nothing to read.
    pub fn handle_nothing_to_read(&mut self) {
        if let State::Open(connection) = &mut self.state {
            connection.writes.on_nothing_to_read();
        }
    }

    /// There was nothing to send for long: the session is finished behind what waits.
    fn on_input_timeout(&mut self, now: Duration, input: &mut impl QueueAccess) {
        let is_idle = self.is_input_idle(now, input);
        let State::Open(connection) = &mut self.state else {
            return;
        };
        if !is_idle {
            // Audio comes, if too little yet for a chunk.
            connection.on_input(Some(input.with(|queue| queue.end())));
            return;
        }
        connection.on_input(None);
        if input.with(Queue::end_session) {
            self.outputs.note(Level::Debug, Note::IdleTimeout);
        }
    }

    /// Whether no audio has come for the idle timeout.
    fn is_input_idle(&self, now: Duration, input: &mut impl QueueAccess) -> bool {
        let idle = self.settings.limits.idle.unwrap_or_default();
        input.with(|queue| queue.end()) + idle <= now
    }
}
