//! How fast waiting audio goes out.
//!
//! No limit of the service is documented for audio that comes faster than real time, so the sink sets
//! its own: after a burst of one second of audio, so many times real time.

use std::time::Duration;

/// What may go out at once, however long nothing went out before.
const BURST: Duration = Duration::from_secs(1);

/// Tells when the next chunk may be sent. Clock values are handed in.
#[derive(Debug)]
pub struct Pacer {
    /// 0: no limit.
    speed: f64,
    /// When all that was sent would have been sent at exactly `speed`.
    due: Duration,
}

impl Pacer {
    /// `speed` in times real time; 0: no limit.
    pub fn new(speed: f64) -> Self {
        Pacer {
            speed,
            due: Duration::ZERO,
        }
    }

    /// When the next chunk may go out: now, or a time to wait for.
    pub fn ready_at(&self, now: Duration) -> Duration {
        if self.speed <= 0.0 {
            return now;
        }
        self.due
            .saturating_sub(BURST.div_f64(self.speed.max(MIN_SPEED)))
            .max(now)
    }

    /// A chunk of so much audio went out.
    pub fn sent(&mut self, now: Duration, audio: Duration) {
        if self.speed > 0.0 {
            self.due = self.due.max(now) + audio.div_f64(self.speed.max(MIN_SPEED));
        }
    }
}

/// Keeps the division within what a `Duration` holds.
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
