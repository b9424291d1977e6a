//! Random speech from a seed.

/// A word and its sound, on the axis.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sound {
    pub sentence: usize,
    pub start: i64,
    pub end: i64,
}

impl Sound {
    pub fn middle(&self) -> i64 {
        (self.start + self.end) / 2
    }
}

/// Small and repeatable: proptest's own values would make a stream of this length slow to shrink.
pub(super) struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, n: i64) -> i64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as i64) % n.max(1)
    }

    pub fn percent(&mut self, n: u64) -> bool {
        (self.below(100) as u64) < n
    }
}

/// The same for each response of a connection, and different in the next one.
pub(super) fn fixed(seed: u64, n: i64) -> i64 {
    Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)).below(n)
}

/// A reported start is at most so much before the sound.
pub(super) const EARLY: i64 = 150;

/// Sentences of up to `longest` words; reported ends are early, so that pauses between sentences
/// look like 260 ms and more.
pub(super) fn random_sounds(dice: &mut Dice, longest: i64) -> Vec<Sound> {
    let mut sounds = Vec::new();
    let mut at = 100 + dice.below(1500);
    for sentence in 0..2 + dice.below(7) as usize {
        for _ in 0..1 + dice.below(longest) {
            let end = at + 200 + dice.below(200);
            sounds.push(Sound {
                sentence,
                start: at,
                end,
            });
            at = end + 60 + dice.below(140);
        }
        let spike = sounds.last().map_or(0, |s: &Sound| s.start + 80);
        at = (at + EARLY).max(spike + 260 + EARLY)
            + if dice.percent(30) {
                dice.below(4000)
            } else {
                dice.below(900)
            };
    }
    sounds
}
