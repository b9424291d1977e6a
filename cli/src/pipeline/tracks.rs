//! Audio tracks of an input, and which of them is selected.
//!
//! Tracks come and go while the input is read: a chained file has new ones in each link, a
//! transport stream in each program. Tracks that belong together have the same group.

/// One audio track, as it appeared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Track {
    /// Number that tells it from all others of the input.
    pub id: u32,
    /// Tracks that appeared together have the same.
    pub group: u32,
    /// Whether the input flags it as the one to take.
    pub is_default: bool,
    /// Language and title, as the input has them.
    pub name: String,
}

/// The tracks that are there.
#[derive(Clone, Debug, Default)]
pub struct Tracks {
    /// Number of the track that is asked for, from 1.
    wanted: Option<u32>,
    present: Vec<Track>,
    chosen: Option<u32>,
}

/// The input has no such track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchTrack {
    pub wanted: u32,
    pub count: usize,
}

impl Tracks {
    /// Begins without any track; `wanted` is the number that is asked for, from 1.
    pub fn new(wanted: Option<u32>) -> Self {
        Tracks {
            wanted,
            ..Tracks::default()
        }
    }

    /// Adds a track, and returns the selected one if that is another now.
    pub fn add(&mut self, track: Track) -> Option<u32> {
        self.present.push(track);
        self.choose()
    }

    /// Names a track.
    pub fn rename(&mut self, id: u32, name: String) {
        let track = self.present.iter_mut().find(|track| track.id == id);
        if let Some(track) = track {
            track.name = name;
        }
    }

    /// Forgets a track, and returns the selected one if that is another now.
    pub fn remove(&mut self, id: u32) -> Option<u32> {
        self.present.retain(|track| track.id != id);
        if self.chosen == Some(id) {
            self.chosen = None;
        }
        self.choose()
    }

    /// Selects another track where a later group lacks the number that is asked for, as playbin
    /// does; returns it.
    pub fn fall_back(&mut self) -> Option<u32> {
        let has_chosen = self.latest().any(|track| Some(track.id) == self.chosen);
        let other = (!has_chosen).then(|| self.preferred()).flatten()?.id;
        self.chosen = Some(other);
        Some(other)
    }

    /// Whether the number that is asked for is there, once all tracks are.
    pub fn check(&self) -> Result<(), NoSuchTrack> {
        match self.wanted {
            Some(wanted) if self.chosen.is_none() => Err(NoSuchTrack {
                wanted,
                count: self.latest().count(),
            }),
            _ => Ok(()),
        }
    }

    /// A line about the choice, where there was one.
    pub fn note(&self) -> Option<String> {
        let tracks: Vec<&Track> = self.latest().collect();
        let place = tracks.iter().position(|t| Some(t.id) == self.chosen)?;
        if tracks.len() < 2 {
            return None;
        }
        let named = |place: usize| match tracks[place].name.as_str() {
            "" => format!("{}", place + 1),
            name => format!("{} ({name})", place + 1),
        };
        let others = (0..tracks.len()).filter(|other| *other != place);
        Some(format!(
            "listening to audio track {} of {}; --track takes another: {}",
            named(place),
            tracks.len(),
            others.map(named).collect::<Vec<_>>().join(", ")
        ))
    }

    /// The tracks of the group that appeared last, in order.
    fn latest(&self) -> impl Iterator<Item = &Track> {
        let group = self.present.last().map(|track| track.group);
        let tracks = self.present.iter();
        tracks.filter(move |track| Some(track.group) == group)
    }

    /// The number that is asked for, else the flagged one, else the first. An earlier choice
    /// stays, but for a flagged one or a newer group.
    fn choose(&mut self) -> Option<u32> {
        let choice = match self.wanted {
            Some(wanted) => self.latest().nth(wanted as usize - 1),
            None => self.preferred(),
        };
        let id = choice?.id;
        if self.chosen == Some(id) {
            return None;
        }
        self.chosen = Some(id);
        Some(id)
    }

    /// The flagged track of the latest group, else its first.
    fn preferred(&self) -> Option<&Track> {
        let flagged = self.latest().find(|track| track.is_default);
        flagged.or_else(|| self.latest().next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(id: u32, group: u32, is_default: bool) -> Track {
        Track {
            id,
            group,
            is_default,
            name: String::new(),
        }
    }

    enum Step {
        Add(Track),
        Remove(u32),
    }
    use Step::{Add, Remove};

    /// Name of the case, number of the track asked for, and steps, each with the selected track
    /// after it.
    type Case = (&'static str, Option<u32>, Vec<(Step, Option<u32>)>);

    fn cases() -> Vec<Case> {
        let t = track;
        vec![
            (
                "the first, where none is flagged",
                None,
                vec![
                    (Add(t(0, 0, false)), Some(0)),
                    (Add(t(1, 0, false)), Some(0)),
                ],
            ),
            (
                "the flagged one",
                None,
                vec![
                    (Add(t(0, 0, false)), Some(0)),
                    (Add(t(1, 0, true)), Some(1)),
                ],
            ),
            (
                "the first of two that are flagged",
                None,
                vec![(Add(t(0, 0, true)), Some(0)), (Add(t(1, 0, true)), Some(0))],
            ),
            (
                "the number that is asked for, whatever is flagged",
                Some(2),
                vec![(Add(t(0, 0, true)), None), (Add(t(1, 0, false)), Some(1))],
            ),
            (
                "the next link of a chain, before and after the old one is gone",
                None,
                vec![
                    (Add(t(0, 0, false)), Some(0)),
                    (Add(t(1, 1, false)), Some(1)),
                    (Remove(0), Some(1)),
                    (Remove(1), None),
                    (Add(t(2, 2, false)), Some(2)),
                ],
            ),
            (
                "the same number in the next program",
                Some(2),
                vec![
                    (Add(t(0, 0, false)), None),
                    (Add(t(1, 0, false)), Some(1)),
                    (Remove(0), None),
                    (Remove(1), None),
                    (Add(t(2, 1, true)), None),
                    (Add(t(3, 1, false)), Some(3)),
                ],
            ),
            (
                "another one, where the one that is selected goes",
                None,
                vec![
                    (Add(t(0, 0, true)), Some(0)),
                    (Add(t(1, 0, false)), Some(0)),
                    (Remove(0), Some(1)),
                ],
            ),
        ]
    }

    #[test]
    fn the_track_that_is_heard() {
        for (case, wanted, steps) in cases() {
            let mut tracks = Tracks::new(wanted);
            for (n, (step, selected)) in steps.into_iter().enumerate() {
                match step {
                    Add(track) => tracks.add(track),
                    Remove(id) => tracks.remove(id),
                };
                // A number counts tracks that are there: after a removal it may be another's.
                if wanted.is_none() || selected.is_some() {
                    assert_eq!(tracks.chosen, selected, "{case}, step {n}");
                }
            }
        }
    }

    #[test]
    fn a_later_group_may_lack_the_number() {
        let mut tracks = Tracks::new(Some(2));
        tracks.add(track(0, 0, false));
        assert_eq!(tracks.add(track(1, 0, false)), Some(1));
        assert_eq!(tracks.fall_back(), None);
        assert_eq!(tracks.add(track(2, 1, false)), None);
        assert_eq!(tracks.fall_back(), Some(2));
        assert_eq!((tracks.remove(1), tracks.chosen), (None, Some(2)));
    }

    #[test]
    fn a_number_beyond_the_last_is_told() {
        let mut tracks = Tracks::new(Some(3));
        tracks.add(track(0, 0, true));
        tracks.add(track(1, 0, false));
        let missing = NoSuchTrack {
            wanted: 3,
            count: 2,
        };
        assert_eq!(tracks.check(), Err(missing));
        assert_eq!(Tracks::new(None).check(), Ok(()));
    }

    #[test]
    fn a_choice_is_told() {
        let mut tracks = Tracks::new(None);
        tracks.add(track(0, 0, false));
        assert_eq!(tracks.note(), None);
        tracks.add(Track {
            name: "en, Commentary".into(),
            ..track(1, 0, true)
        });
        assert_eq!(
            tracks.note().as_deref(),
            Some("listening to audio track 2 (en, Commentary) of 2; --track takes another: 1")
        );
    }
}
