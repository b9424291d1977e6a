//! When a failure is worth another try, when that comes, and when there were enough.

use std::time::Duration;

use uuid::Uuid;

use super::driver::Driver;
use super::event::{Event, Trouble};
use crate::protocol::failure::{Cause, Retry};
use crate::session::exchange::FINISH_TIMES;
use crate::session::samples_to_time;

/// Failures that may pass but seldom do are tried this often in a row.
const LIMITED_TRIES: u32 = 3;
/// Nobody who was sent audio a moment ago ends a session for want of it.
const IDLE_END: Duration = Duration::from_millis(500);

impl Driver {
    /// The network is not there yet, and nothing is lost so far.
    pub(super) fn pause_before_retry(&mut self, trouble: Trouble) -> Result<(), Trouble> {
        let Some(pause) = self.next_pause(&trouble) else {
            return Err(trouble);
        };
        self.retry_at = Some(self.now() + pause);
        let from = samples_to_time(self.replay_from(), self.config.request.rate);
        self.tell_retry(trouble, pause, from);
        Ok(())
    }

    /// Audio was sent that the service never said to have worked through: it may hold words that nobody will hear of.
    fn is_unheard(&self) -> bool {
        let sent = samples_to_time(self.history.end(), self.config.request.rate);
        sent > self.tracker.processed_until() + self.config.frame()
    }

    /// The service closed behind the finish without its last words. Returns why they are asked for again; none: it has no more to
    /// say.
    pub(super) fn unconfirmed(&mut self) -> Result<Option<Trouble>, Trouble> {
        let closed = Trouble::Closed {
            code: 1000,
            reason: String::new(),
        };
        let unheard = self.is_unheard();
        // As lost as with any other code. Once: a service that ends each session so says no more.
        if unheard && !std::mem::replace(&mut self.asked_again, true) {
            return Ok(Some(closed));
        }
        if unheard || self.tracker.has_open() {
            self.give_up_finish(Some(closed))?;
        } else {
            // Not worth a word: nobody waits for any.
            self.tracker.finalize_unconfirmed(&mut self.updates);
            self.carry_out();
        }
        Ok(None)
    }

    /// The service ended a session because no audio came, and there is still none to send: no loss. Asked before a
    /// restart, which makes some.
    pub(super) fn is_idle_end(&self, trouble: &Trouble) -> bool {
        let idle = matches!(trouble, Trouble::Failure(failure) if failure.cause == Cause::Idle);
        idle && self.now() >= self.spoke + IDLE_END
            && self.pending.is_none()
            && !self.history.replaying()
            && !self.shared.state().queue.is_ready()
    }

    /// How long to wait before the next try, or none if there is to be none.
    pub(super) fn next_pause(&mut self, trouble: &Trouble) -> Option<Duration> {
        let retry = trouble.retry();
        let limited = retry == Retry::Limited;
        if limited {
            self.limited += 1;
        }
        if retry == Retry::Never || limited && self.limited > LIMITED_TRIES {
            return None;
        }
        let patient = retry == Retry::Later;
        self.backoff.next(random(), patient)
    }

    /// When the last words have been waited for long enough, retries and the service's signs of life included.
    pub(super) fn finish_deadline(&self) -> Option<Duration> {
        let since = self.finishing_since?;
        Some(since + self.config.limits.finish.saturating_mul(FINISH_TIMES))
    }

    /// Ends the wait for the final results with those that came last, or with an error when none ever came:
    /// an empty transcript must not look like that of a silent recording.
    pub(super) fn give_up_finish(&mut self, trouble: Option<Trouble>) -> Result<(), Trouble> {
        // Zero when the finish could not even be written.
        let now = self.now();
        let waited = self
            .finishing_since
            .map_or(Duration::ZERO, |since| now.saturating_sub(since));
        if !self.is_answered() {
            // Its audio went out on a session, which is lost with it.
            self.restoring = true;
            return Err(trouble.unwrap_or(Trouble::NoFinal(waited)));
        }
        self.tracker.finalize_unconfirmed(&mut self.updates);
        self.tell_updates();
        self.emit(Event::FinishTimedOut { waited, trouble });
        self.leave();
        self.disconnected();
        self.carry_out();
        Ok(())
    }

    /// Whether the service has answered for any audio of this stream.
    fn is_answered(&self) -> bool {
        // A response that has words need not say how far it has come.
        self.answered.max(self.settled) > Duration::ZERO || self.tracker.has_open()
    }
}

/// A number in 0..1 for jitter; UUIDs are at hand, and random enough for that.
fn random() -> f64 {
    f64::from(Uuid::new_v4().as_u128() as u32) / f64::from(u32::MAX)
}
