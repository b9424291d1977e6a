//! Exponential backoff with jitter between attempts to connect.

use std::time::Duration;

/// The first pause, and the lower bound on one.
pub const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(8);
/// Upper bound on the jitter, as a share of the pause: a thousand sinks must not return at once.
const JITTER: f64 = 0.25;

/// The pauses of a row of attempts.
#[derive(Debug)]
pub struct Backoff {
    tries: u32,
    max: u32,
}

impl Backoff {
    /// `max`: attempts in a row; 0: none.
    pub fn new(max: u32) -> Self {
        Backoff { tries: 0, max }
    }

    /// Returns the pause before the next attempt, if there is one left. `random` is in 0..1; `long`
    /// pauses are for failures that take a while to pass, such as overload.
    pub fn next(&mut self, random: f64, long: bool) -> Option<Duration> {
        if self.is_exhausted() {
            return None;
        }
        let step = self.tries + if long { 2 } else { 0 };
        self.tries += 1;
        let pause = SHORTEST.saturating_mul(1 << step.min(5)).min(LONGEST);
        let jitter = JITTER * random.clamp(0.0, 1.0);
        Some(pause.mul_f64(1.0 + jitter).min(LONGEST))
    }

    /// Whether no attempt is left.
    pub fn is_exhausted(&self) -> bool {
        self.tries >= self.max
    }

    /// Restarts the count, because progress was made.
    pub fn reset(&mut self) {
        self.tries = 0;
    }

    /// Returns the number of attempts since the last progress.
    pub fn tries(&self) -> u32 {
        self.tries
    }
}

/// Random numbers for the jitter of one client: SplitMix64.
#[derive(Debug)]
pub struct Jitter(u64);

impl Jitter {
    /// With seed 0 there is no jitter.
    pub fn new(seed: u64) -> Self {
        Jitter(seed)
    }

    /// Returns a number in 0..1.
    pub fn fraction(&mut self) -> f64 {
        if self.0 == 0 {
            return 0.0;
        }
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15).max(1);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        f64::from((mixed >> 32) as u32) / f64::from(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_lengthens_but_never_past_the_longest() {
        let mut backoff = Backoff::new(10);
        assert_eq!(backoff.next(1.0, false), Some(SHORTEST.mul_f64(1.25)));
        for _ in 0..9 {
            assert!(
                backoff
                    .next(1.0, false)
                    .is_some_and(|pause| pause <= LONGEST)
            );
        }
    }
}
