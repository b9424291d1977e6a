//! Whether, when and how often a failed connection is tried again, and how long to keep trying for
//! a stream's last words.
//!
//! Exponential backoff with jitter lies between the attempts. Two counts bound them, both of
//! attempts in a row: `max-reconnects`, and [`LIMITED_ATTEMPTS`] for failures that seldom pass. An
//! answer for new audio resets both. Behind the finish a deadline bounds all attempts together, and
//! a backoff takes at most half of what remains until then, or [`SHORTEST`].

use std::time::Duration;

use crate::protocol::failure::Retry;

/// The first backoff, and the lower bound on one. Each is twice as long as the one before.
const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(8);
/// Upper bound on the jitter, as a share of the backoff: a thousand elements must not return at
/// once.
const JITTER: f64 = 0.25;

/// Attempts in a row after failures that may pass but seldom do.
const LIMITED_ATTEMPTS: u32 = 3;
/// Upper bound on the whole wait for the last words, in units of `finish-timeout`.
const MAX_FINISH_FACTOR: u32 = 6;

/// Answer to a connection that ended without the stream's last words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Connect again after this backoff.
    Retry(Duration),
    /// Make final, as unconfirmed, what came last, and go on.
    Unconfirmed,
    /// Report the error: nothing more can be done.
    Fail,
}

/// A stream's state when a connection ends.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// A boundary (the end of a stream or session) is waiting for the last words.
    pub ending: bool,
    /// Audio is to be sent again, or an utterance is open.
    pub unsettled: bool,
    /// The service has answered for some of the stream's audio with words.
    pub has_words: bool,
    /// Audio waits behind the end of a session in mid-stream.
    pub audio_waits: bool,
}

/// The retries of one client. Times are those of its clock.
#[derive(Debug)]
pub struct Retries {
    /// Attempts in a row, and how many there may be.
    attempts: u32,
    max_attempts: u32,
    /// Of these, attempts after failures that seldom pass.
    limited: u32,
    not_before: Option<Duration>,
    /// In 0..1, different in each client.
    jitter: f64,
    finish_timeout: Duration,
    /// When the first finish of the stream's current end was written.
    finish_since: Option<Duration>,
    /// A close behind the finish was already taken for a loss once.
    closed_before: bool,
}

impl Retries {
    /// `max_attempts`: in a row; `finish_timeout`: the property of that name; `jitter`: in 0..1.
    pub fn new(max_attempts: u32, finish_timeout: Duration, jitter: f64) -> Self {
        Retries {
            attempts: 0,
            max_attempts,
            limited: 0,
            not_before: None,
            jitter,
            finish_timeout,
            finish_since: None,
            closed_before: false,
        }
    }

    /// A connection failed.
    pub fn on_failure(&mut self, retry: Retry, progress: Progress, now: Duration) -> Decision {
        if retry == Retry::Never {
            return Decision::Fail;
        }
        // Another connection would be sent nothing: the replay buffer has let go of it.
        if progress.ending && !progress.unsettled {
            return self.on_finish_timeout(progress);
        }
        match self.next_backoff(retry) {
            Some(backoff) => {
                let backoff = self.within_deadline(backoff, now);
                self.not_before = Some(now + backoff);
                Decision::Retry(backoff)
            }
            // Audio that waits would need another attempt at once.
            None if self.finish_since.is_some() && !progress.audio_waits => {
                self.on_finish_timeout(progress)
            }
            None => Decision::Fail,
        }
    }

    /// The last words were waited for long enough. Without any answer for the stream that is an
    /// error: its empty transcript must not look like that of a silent recording. A service that
    /// has closed in good order has taken all of the audio, and silence gives it nothing to say:
    /// that is no error, however the next connection ends.
    pub fn on_finish_timeout(&self, progress: Progress) -> Decision {
        match progress.has_words || self.closed_before {
            true => Decision::Unconfirmed,
            false => Decision::Fail,
        }
    }

    /// The service closed in good order behind the finish, although audio may still hold words.
    /// Returns whether to take that for a loss: at most once for each end of a stream, or a service
    /// that always closes this way would be asked again for ever.
    pub fn on_close_without_final(&mut self) -> bool {
        let closed_before = std::mem::replace(&mut self.closed_before, true);
        !closed_before && self.attempts < self.max_attempts
    }

    /// Shortens the backoff before an attempt that has a deadline to half of what remains, but not
    /// below the shortest one. A backoff that lasts until the deadline leaves an attempt unused;
    /// one that ends just before wastes it.
    fn within_deadline(&self, backoff: Duration, now: Duration) -> Duration {
        let Some(deadline) = self.finish_deadline() else {
            return backoff;
        };
        let half = deadline.saturating_sub(now) / 2;
        backoff.min(half.max(SHORTEST))
    }

    fn next_backoff(&mut self, retry: Retry) -> Option<Duration> {
        if retry == Retry::Limited {
            self.limited += 1;
            if self.limited > LIMITED_ATTEMPTS {
                return None;
            }
        }
        if self.attempts >= self.max_attempts {
            return None;
        }
        // Overload, for one, takes a while to pass.
        let doublings = self.attempts + if retry == Retry::Later { 2 } else { 0 };
        self.attempts += 1;
        let backoff = SHORTEST * (1 << doublings.min(5));
        Some(backoff.mul_f64(1.0 + JITTER * self.jitter).min(LONGEST))
    }

    /// The next attempt begins.
    pub fn on_attempt(&mut self) {
        self.not_before = None;
    }

    /// The service has answered for audio that no connection had an answer for.
    pub fn on_progress(&mut self) {
        self.attempts = 0;
        self.limited = 0;
    }

    /// A finish was written. The first one of a stream's end counts.
    pub fn on_finish_written(&mut self, now: Duration) {
        self.finish_since.get_or_insert(now);
    }

    /// The end of the stream or session is complete. A backoff that has begun goes on.
    pub fn on_end(&mut self) {
        self.finish_since = None;
        self.closed_before = false;
    }

    /// Returns when the next attempt may begin, if it has to wait.
    pub fn retry_at(&self) -> Option<Duration> {
        self.not_before
    }

    /// Returns the number of attempts in a row.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Returns when the wait for the last words ends, retries and signs of life included.
    pub fn finish_deadline(&self) -> Option<Duration> {
        let most = self.finish_timeout.saturating_mul(MAX_FINISH_FACTOR);
        Some(self.finish_since? + most)
    }

    /// Returns how long the last words have been waited for: zero when no finish could be
    /// written.
    pub fn finish_waited(&self, now: Duration) -> Duration {
        let since = self.finish_since.unwrap_or(now);
        now.saturating_sub(since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::ms;

    fn retries(max: u32) -> Retries {
        Retries::new(max, ms(1000), 0.0)
    }

    const SPEAKING: Progress = Progress {
        ending: false,
        unsettled: true,
        has_words: true,
        audio_waits: false,
    };

    #[test]
    fn jitter_lengthens_but_never_past_the_longest() {
        for (jitter, backoffs) in [
            (0.0, [250, 500, 1000, 2000, 4000, 8000, 8000]),
            (1.0, [312, 625, 1250, 2500, 5000, 8000, 8000]),
        ] {
            let mut retries = Retries::new(7, ms(1000), jitter);
            let mut fail = || retries.on_failure(Retry::Soon, SPEAKING, ms(0));
            let is = backoffs.map(|_| match fail() {
                Decision::Retry(backoff) => backoff.as_millis(),
                other => panic!("{other:?}"),
            });
            assert_eq!((is, fail()), (backoffs, Decision::Fail));
        }
    }

    /// Failures that seldom pass are counted also where others come between them.
    #[test]
    fn only_an_answer_begins_the_count_of_limited_tries_anew() {
        let mut retries = retries(100);
        for retry in [Retry::Limited, Retry::Soon].repeat(3) {
            let decision = retries.on_failure(retry, SPEAKING, ms(0));
            assert!(matches!(decision, Decision::Retry(_)));
        }
        let fail = |retries: &mut Retries| retries.on_failure(Retry::Limited, SPEAKING, ms(0));
        assert_eq!(fail(&mut retries), Decision::Fail);
        retries.on_progress();
        assert_eq!(fail(&mut retries), Decision::Retry(SHORTEST));
    }
}
