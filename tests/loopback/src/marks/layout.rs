//! Where marks lie, and the samples that hold them.

use super::{header, pattern};

/// One mark of a [`Layout`]: its number and its place in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Its number: the recogniser says `m` and this.
    pub number: u32,
    /// Milliseconds from the first sample to the mark's first.
    pub start: u64,
    /// Milliseconds from the first sample to the first after the mark.
    pub end: u64,
}

/// An endless sequence of marks: groups of some (a sentence), then a pause. All times are
/// milliseconds.
///
/// Any part of it can be made without what comes before: see [`fill`](Self::fill).
#[derive(Clone, Debug)]
pub struct Layout {
    /// Samples a second; a multiple of 1000 for exact times.
    pub rate: u32,
    /// Silence before the first mark.
    pub lead: u64,
    /// The length of a mark; a multiple of 10.
    pub length: u64,
    /// From one mark's start to the next within a sentence; not less than `length`.
    pub every: u64,
    /// Marks in a sentence.
    pub sentence: u64,
    /// From the last mark's end to the next sentence. More than `end_window_size` for it to be
    /// settled.
    pub pause: u64,
    /// The first mark's number. Numbers have 24 bits.
    pub first: u32,
    /// Low noise instead of digital silence between marks.
    pub noise: bool,
}

impl Default for Layout {
    /// 24 kHz, 300 ms marks every 500 ms in sentences of three, 1300 ms pauses, 200 ms of silence
    /// first.
    fn default() -> Self {
        Self {
            rate: 24_000,
            lead: 200,
            length: 300,
            every: 500,
            sentence: 3,
            pause: 1300,
            first: 0,
            noise: false,
        }
    }
}

impl Layout {
    /// From one sentence's start to the next, in milliseconds.
    pub fn period(&self) -> u64 {
        (self.sentence - 1) * self.every + self.length + self.pause
    }

    /// The `n`-th mark, from 0.
    pub fn mark(&self, n: u64) -> Mark {
        let start = self.lead + n / self.sentence * self.period() + n % self.sentence * self.every;
        Mark {
            number: self.first + n as u32,
            start,
            end: start + self.length,
        }
    }

    /// All marks that end within the first `milliseconds`.
    pub fn marks(&self, milliseconds: u64) -> Vec<Mark> {
        (0..)
            .map(|n| self.mark(n))
            .take_while(|mark| mark.end <= milliseconds)
            .collect()
    }

    /// The first `milliseconds` as S16LE mono; the last mark may be cut.
    pub fn pcm(&self, milliseconds: u64) -> Vec<u8> {
        let samples = milliseconds * u64::from(self.rate) / 1000;
        let mut pcm = vec![0; samples as usize * 2];
        self.fill(0, &mut pcm);
        pcm
    }

    /// As many whole sentences as `sentences` says, the pause after the last included, with their
    /// marks.
    pub fn sentences(&self, sentences: u64) -> (Vec<u8>, Vec<Mark>) {
        let pcm = self.pcm(self.lead + sentences * self.period());
        (
            pcm,
            (0..sentences * self.sentence)
                .map(|n| self.mark(n))
                .collect(),
        )
    }

    /// Fills `pcm` (S16LE) with the sequence from sample `position` on, in any pieces and any
    /// order.
    pub fn fill(&self, position: u64, pcm: &mut [u8]) {
        let rate = u64::from(self.rate);
        let samples = |ms: u64| ms * rate / 1000;
        let block = (self.rate / 100) as usize;
        let end = position + pcm.len() as u64 / 2;
        if self.noise {
            for (at, sample) in (position..end).zip(pcm.chunks_exact_mut(2)) {
                let noise = ((at as u32).wrapping_mul(0x9e37_79b1) >> 27) as i16 - 16;
                sample.copy_from_slice(&noise.to_le_bytes());
            }
        } else {
            pcm.fill(0);
        }
        let begin =
            (position * 1000 / rate).saturating_sub(self.lead) / self.period() * self.sentence;
        for mark in (begin..)
            .map(|n| self.mark(n))
            .take_while(|mark| samples(mark.start) < end)
        {
            let (start, count) = (samples(mark.start), self.length / 10);
            for index in 0..count {
                let from = start + index * block as u64;
                if from + block as u64 <= position || from >= end {
                    continue;
                }
                let head = header(mark.number, index as u16, count as u16, block as u16);
                for k in 0..block {
                    let at = from + k as u64;
                    if (position..end).contains(&at) {
                        let value = head.get(k).copied();
                        let value = value.unwrap_or_else(|| pattern(mark.number, index as u16, k));
                        let to = (at - position) as usize * 2;
                        pcm[to..to + 2].copy_from_slice(&value.to_le_bytes());
                    }
                }
            }
        }
    }
}
