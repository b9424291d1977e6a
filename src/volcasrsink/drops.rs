//! What to tell of dropped audio, and when: at once, but not for every chunk of a long outage.

use super::timeline::Times;

/// A warning to post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Loss {
    /// Where it begins.
    pub times: Times,
    /// The stream and the position there: what is dropped right behind it has the same, as the stream closes up.
    pub place: (u32, u64),
    pub samples: u64,
    /// The timestamp where it ends.
    pub end: Option<gst::ClockTime>,
}

impl Loss {
    /// Whether `next` lies right behind it, with no gap in between.
    fn goes_on_with(&self, next: &Loss) -> bool {
        self.place == next.place && self.end == next.times.timestamp
    }
}

/// A run of losses, in which there was never room for a second of audio.
#[derive(Debug)]
pub(super) struct Drops {
    /// Samples in a second, the least that a warning in a run tells of.
    second: u64,
    /// Samples that were dropped and not told of.
    untold: Option<Loss>,
    /// The position up to which the run may go on without another drop.
    until: Option<u64>,
}

impl Drops {
    pub fn new(rate: u32) -> Self {
        Drops {
            second: rate.into(),
            untold: None,
            until: None,
        }
    }

    /// Audio was dropped while the stream was at `position`. Returns what is to be told now: the first of a run, then
    /// a second of it at a time.
    pub fn add(&mut self, drop: Loss, position: u64) -> Option<Loss> {
        let first = self.until.is_none();
        self.until = Some(position.saturating_add(self.second));
        match &mut self.untold {
            Some(untold) if untold.goes_on_with(&drop) => {
                untold.samples += drop.samples;
                untold.end = drop.end;
            }
            // Some was sent in between, or there was none.
            Some(_) => return self.untold.replace(drop),
            None => self.untold = Some(drop),
        }
        let enough = |untold: &mut Loss| first || untold.samples >= self.second;
        self.untold.take_if(enough)
    }

    /// The stream has come to `position`. Returns what is left to be told of a run that is over.
    pub fn at(&mut self, position: u64) -> Option<Loss> {
        self.until.take_if(|until| *until <= position)?;
        self.untold.take()
    }

    /// The stream is over.
    pub fn end(&mut self) -> Option<Loss> {
        self.until = None;
        self.untold.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At 1000 Hz.
    fn drop(at: u64, samples: u64) -> Loss {
        let end = Some(gst::ClockTime::from_mseconds(at + samples));
        let times = Times {
            timestamp: Some(gst::ClockTime::from_mseconds(at)),
            ..Times::default()
        };
        Loss {
            times,
            place: (0, 0),
            samples,
            end,
        }
    }

    #[test]
    fn a_run_is_told_of_at_once_and_then_by_the_second() {
        let mut drops = Drops::new(1000);
        assert_eq!(drops.add(drop(0, 200), 5000), Some(drop(0, 200)));
        let told: Vec<_> = (1..=15u64)
            .filter_map(|n| drops.add(drop(n * 200, 200), 5000 + n))
            .collect();
        assert_eq!(told, [drop(200, 1000), drop(1200, 1000), drop(2200, 1000)]);
        assert_eq!(drops.at(5015), None);
        assert_eq!(drops.end(), None);
    }

    #[test]
    fn what_is_left_of_a_run_is_told_once_there_was_room_for_a_second() {
        let mut drops = Drops::new(1000);
        assert!(drops.add(drop(0, 200), 5000).is_some());
        assert_eq!(drops.add(drop(200, 200), 5000), None);
        assert_eq!(drops.at(5999), None);
        assert_eq!(drops.at(6000), Some(drop(200, 200)));
        assert_eq!(drops.at(9000), None);
        assert_eq!(drops.add(drop(600, 200), 9000), Some(drop(600, 200)));
    }

    #[test]
    fn each_place_is_told_of() {
        let mut drops = Drops::new(1000);
        assert!(drops.add(drop(0, 200), 5000).is_some());
        assert_eq!(drops.add(drop(200, 200), 5000), None);
        let later = Loss {
            place: (0, 700),
            ..drop(1100, 200)
        };
        assert_eq!(drops.add(later.clone(), 5100), Some(drop(200, 200)));
        assert_eq!(drops.end(), Some(later));
        // Next to each other in the stream, but not in time.
        assert_eq!(drops.add(drop(0, 200), 9000), Some(drop(0, 200)));
        assert_eq!(drops.add(drop(200, 200), 9000), None);
        assert_eq!(drops.add(drop(7000, 200), 9000), Some(drop(200, 200)));
    }

    #[test]
    fn the_end_tells_the_rest() {
        let mut drops = Drops::new(1000);
        assert!(drops.add(drop(0, 200), 5000).is_some());
        assert_eq!(drops.add(drop(200, 300), 5000), None);
        assert_eq!(drops.end(), Some(drop(200, 300)));
        assert_eq!(drops.end(), None);
    }
}
