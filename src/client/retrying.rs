//! When a failure is worth another try, when that comes, and when there were enough.

use std::time::Duration;

use uuid::Uuid;

use super::driver::Driver;
use super::error::ClientError;
use super::event::Event;
use crate::protocol::failure::Cause;
use crate::session::retry::{Decision, Progress};
use crate::session::{samples_to_time, time_to_samples};

/// Nobody who was sent audio a moment ago ends a session for want of it.
const IDLE_END: Duration = Duration::from_millis(500);

impl Driver {
    /// The network is not there yet, and nothing is lost so far.
    pub(super) fn pause_before_retry(&mut self, error: ClientError) -> Result<(), ClientError> {
        let (progress, now) = (self.progress(), self.now());
        let decision = self
            .retries
            .on_failure(error.retry(), progress, now, random());
        let Decision::Retry(pause) = decision else {
            return Err(error);
        };
        let from = samples_to_time(self.replay_from(), self.config.request.rate);
        self.tell_retry(error, pause, from);
        Ok(())
    }

    /// How far the stream is.
    pub(super) fn progress(&self) -> Progress {
        Progress {
            ending: self.pending.is_some(),
            unsettled: self.is_unsettled(),
            unprocessed: self.has_unprocessed_audio(),
            answered: self.is_answered(),
            closed_in_order: false,
        }
    }

    /// Whether audio was sent that may hold words without a final text. Text lags behind the audio
    /// that counts as processed, on `bigmodel` by any time, so words may be missing behind the last
    /// final one. Only silence is sure to hold none.
    fn has_unprocessed_audio(&self) -> bool {
        let rate = self.config.request.rate;
        let sent = samples_to_time(self.replay_buffer.end(), rate);
        let from = time_to_samples(self.tracker.unconfirmed_from(), rate);
        sent > self.tracker.processed_until() + self.config.max_chunk()
            || self.tracker.has_open()
            || !self.replay_buffer.is_silent_from(from)
    }

    /// The service ended a session because no audio came, and there is still none to send: no loss. Asked before a
    /// restart, which makes some.
    pub(super) fn is_idle_end(&self, error: &ClientError) -> bool {
        let idle = matches!(error, ClientError::Failure(failure) if failure.cause == Cause::Idle);
        idle && self.now() >= self.spoke + IDLE_END
            && self.pending.is_none()
            && !self.replay_buffer.replaying()
            && !self.shared.state().queue.is_ready()
    }

    /// Ends the wait for the final results as `decision` says. `error`: what stood in the way, if anything.
    pub(super) fn end_without_final(
        &mut self,
        decision: Decision,
        error: Option<ClientError>,
    ) -> Result<(), ClientError> {
        let waited = self.retries.finish_waited(self.now());
        if decision != Decision::Unconfirmed {
            return Err(error.unwrap_or(ClientError::FinalTimeout(waited)));
        }
        self.tracker.finalize_unconfirmed(&mut self.updates);
        self.tell_updates();
        self.emit(Event::FinishTimedOut { waited, error });
        self.leave();
        self.disconnected();
        self.carry_out();
        Ok(())
    }

    /// Whether the service has answered for any audio of this stream. Only words are an answer: `bigmodel`
    /// and `bigmodel_nostream` respond to each packet, with a duration and without text.
    fn is_answered(&self) -> bool {
        self.tracker.has_utterances()
    }
}

/// A number in 0..1 for jitter; UUIDs are at hand, and random enough for that.
pub(super) fn random() -> f64 {
    f64::from(Uuid::new_v4().as_u128() as u32) / f64::from(u32::MAX)
}
