//! Pacing of the backlog: a token bucket.
//!
//! The service documents no limit on audio faster than real time, so the element sets its own: a
//! burst of one second, then a multiple of real time.

use std::time::Duration;

/// Audio that may be sent at once, the depth of the bucket.
const BURST: Duration = Duration::from_secs(1);

/// Token bucket over audio time.
#[derive(Debug)]
pub struct Pacer {
    /// 0: no limit.
    speed: f64,
    /// Time at which all audio so far would have been sent at exactly `speed`.
    due: Duration,
}

impl Pacer {
    /// Returns a full bucket. `speed` is a multiple of real time; 0: no limit.
    pub fn new(speed: f64) -> Self {
        Pacer {
            speed,
            due: Duration::ZERO,
        }
    }

    /// Returns the time at which the next chunk may be sent, at the earliest `now`.
    pub fn ready_at(&self, now: Duration) -> Duration {
        if self.speed <= 0.0 {
            return now;
        }
        self.due
            .saturating_sub(BURST.div_f64(self.speed.max(MIN_SPEED)))
            .max(now)
    }

    /// Notes that a chunk was sent.
    pub fn sent(&mut self, now: Duration, audio: Duration) {
        if self.speed > 0.0 {
            self.due = self.due.max(now) + audio.div_f64(self.speed.max(MIN_SPEED));
        }
    }
}

/// Lower bound on the speed, so that the quotient fits into a `Duration`.
const MIN_SPEED: f64 = 0.001;
