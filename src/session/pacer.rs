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

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_burst_then_the_speed() {
        let mut pacer = Pacer::new(10.0);
        let mut now = ms(5000);
        let mut sent = Duration::ZERO;
        while pacer.ready_at(now) <= now {
            pacer.sent(now, ms(200));
            sent += ms(200);
        }
        assert!(sent >= ms(1000) && sent <= ms(1200), "{sent:?}");
        let start = now;
        for _ in 0..500 {
            now = now.max(pacer.ready_at(now));
            pacer.sent(now, ms(200));
        }
        let took = now - start;
        assert!(
            took >= ms(9900) && took <= ms(10_100),
            "100 s of audio took {took:?}"
        );
    }

    #[test]
    fn real_time_is_never_held_up() {
        let mut pacer = Pacer::new(1.0);
        for i in 0..1000 {
            let now = ms(200 * i);
            assert_eq!(pacer.ready_at(now), now);
            pacer.sent(now, ms(200));
        }
    }

    #[test]
    fn no_limit() {
        let mut pacer = Pacer::new(0.0);
        for _ in 0..1000 {
            assert_eq!(pacer.ready_at(ms(1)), ms(1));
            pacer.sent(ms(1), ms(2000));
        }
    }
}
