//! Timestamps of sources that stamp by arrival, or by another clock than that of the samples.

use super::dice::Dice;

/// How the stamps of a schedule's buffers lie to their audio. Times are milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamps {
    Exact,
    /// Late by up to this, each by itself.
    Wobble(u64),
    /// This much audio has the time at which all of it was there.
    Burst(u64),
    /// Drift of the clock, in thousandths.
    Drift(i64),
}

impl Stamps {
    pub fn new(dice: &mut Dice) -> Self {
        match dice.within(0, 11) {
            0 => Stamps::Wobble(dice.within(1, 150)),
            1 => Stamps::Burst(dice.pick(&[40, 100, 200, 500])),
            2 => Stamps::Drift(dice.pick(&[-5, -1, 1, 5])),
            _ => Stamps::Exact,
        }
    }

    /// Whether a buffer may be stamped earlier than the one before it.
    pub fn go_back(self) -> bool {
        matches!(self, Stamps::Wobble(_))
    }

    /// Returns the timestamp of a buffer whose audio begins at `at`, in a segment from `start` on.
    pub fn of_buffer(self, at: u64, start: u64) -> u64 {
        match self {
            Stamps::Wobble(most) => at + hash(at) % (most + 1),
            Stamps::Burst(length) => at / length * length + length,
            Stamps::Exact | Stamps::Drift(_) => self.of_time(at, start),
        }
    }

    /// The true time of audio, or of a gap.
    pub fn of_time(self, at: u64, start: u64) -> u64 {
        match self {
            Stamps::Drift(by) => at.saturating_add_signed((at - start) as i64 * by / 1000),
            _ => at,
        }
    }

    /// How far a word may be from its true time: what the page on times promises.
    pub fn tolerance(self) -> u64 {
        match self {
            Stamps::Exact => 0,
            // Late by the least jitter within a second, early by none.
            Stamps::Wobble(most) => most + 1,
            Stamps::Burst(length) => length + 1,
            // A second of it, or as much as is in a buffer, and as much again in a segment that
            // begins with it.
            Stamps::Drift(by) => 20 * by.unsigned_abs(),
        }
    }
}

fn hash(at: u64) -> u64 {
    let mut hash = (at + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^= hash >> 31;
    hash.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 32
}
