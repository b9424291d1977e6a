//! The time between audio and the answer that has its words.

use crate::{fault::duration, transcript::milliseconds};
use std::{str::FromStr, time::Duration};

/// Audio that one draw of the jitter holds for, in milliseconds.
const SLOT: i64 = 500;

/// How far the text of answers lags behind the audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lag {
    /// Exactly this. `audio_info.duration` lags by the same.
    Exact(Duration),
    /// Between these two, anew for every half second of audio. `audio_info.duration` is all audio
    /// that was received.
    Jitter(Duration, Duration),
}

impl Lag {
    /// The lag that tests with exact expectations use: 400 ms.
    pub const EXACT: Self = Self::Exact(Duration::from_millis(400));
    /// The range within one recorded session: 368 to 1168 ms.
    pub const RECORDED: Self =
        Self::Jitter(Duration::from_millis(368), Duration::from_millis(1168));
}

impl FromStr for Lag {
    type Err = &'static str;

    /// Reads `400ms` or `368ms..1168ms`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let time = |text| duration(text).ok_or("a time such as 400ms, or 368ms..1168ms, is needed");
        let Some((least, most)) = text.split_once("..") else {
            return Ok(Self::Exact(time(text)?));
        };
        let (least, most) = (time(least)?, time(most)?);
        match least <= most {
            true => Ok(Self::Jitter(least, most)),
            false => Err("the first time of the range is the longer one"),
        }
    }
}

/// The lag of one session. Seed and connection decide it, so that a failure can be replayed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionLag {
    lag: Lag,
    seed: u64,
    /// Milliseconds whose text is known; only grows.
    known: i64,
}

impl SessionLag {
    pub(crate) fn new(lag: Lag, seed: u64, connection: usize) -> Self {
        Self {
            lag,
            seed: mixed(seed ^ mixed(connection as u64)),
            known: 0,
        }
    }

    /// Whether `audio_info.duration` lags as the text does.
    pub(crate) fn is_exact(&self) -> bool {
        matches!(self.lag, Lag::Exact(_))
    }

    /// The lag of the text at a position in milliseconds.
    pub(crate) fn at(&self, position: i64) -> Duration {
        match self.lag {
            Lag::Exact(lag) => lag,
            Lag::Jitter(least, most) => {
                let span = milliseconds(most - least).unsigned_abs();
                let slot = position.div_euclid(SLOT).cast_unsigned();
                least + Duration::from_millis(mixed(self.seed ^ slot) % (span + 1))
            }
        }
    }

    /// Returns the position up to which text is known after `received` milliseconds of audio.
    pub(crate) fn known(&mut self, received: i64) -> i64 {
        loop {
            let limit = received.saturating_sub(milliseconds(self.at(self.known)));
            let slot_end = (self.known.div_euclid(SLOT) + 1) * SLOT;
            if limit < slot_end {
                self.known = self.known.max(limit);
                return self.known;
            }
            self.known = slot_end;
        }
    }
}

/// SplitMix64's finaliser.
fn mixed(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_fills_its_range_and_depends_on_audio_connection_and_seed_alone() {
        let lags = |seed, connection, step: usize| {
            let mut lag = SessionLag::new(Lag::RECORDED, seed, connection);
            let all = (0..600_000)
                .step_by(step)
                .map(|at| (at, at - lag.known(at)));
            all.filter(|(at, _)| at % 1000 == 0)
                .skip(2)
                .collect::<Vec<_>>()
        };
        let all = lags(1, 1, 20);
        let (least, most) = (all.iter().map(|l| l.1).min(), all.iter().map(|l| l.1).max());
        assert!((Some(368)..Some(400)).contains(&least), "{least:?}");
        // While one slot waits, the audio behind it waits as well.
        assert!((Some(1100)..Some(1188)).contains(&most), "{most:?}");
        assert_eq!(all, lags(1, 1, 1000));
        assert!(all != lags(1, 2, 20) && all != lags(2, 1, 20));
    }
}
