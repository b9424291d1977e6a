//! Recogniser of marks: each is a word.

use crate::{
    marks::{FoundMark, Reader},
    transcript::Word,
};
use std::collections::VecDeque;

/// Marks, read out of the samples and held until the answers have got to their end.
pub(crate) struct Marks {
    reader: Reader,
    rate: u32,
    spikes: bool,
    queue: VecDeque<(i64, Word)>,
}

impl Marks {
    pub(crate) fn new(rate: u32, spikes: bool) -> Self {
        Self {
            reader: Reader::default(),
            rate,
            spikes,
            queue: VecDeque::new(),
        }
    }

    /// Takes audio: S16LE, mono. Returns the marks that were found in it.
    pub(crate) fn read(&mut self, pcm: &[u8], is_end: bool) -> Vec<FoundMark> {
        let found = self.reader.read(pcm, is_end);
        for mark in &found {
            let sound = mark.milliseconds(self.rate);
            let mut word = Word::new(&mark.word(), sound.0, sound.1);
            if self.spikes {
                word.start = (sound.0 + 100).min(sound.1);
                word.end = (sound.0 + 180).min(sound.1);
            }
            // Rounded down as the count of received audio is, so that it is due when its last
            // sample is there.
            let due = (mark.end * 1000 / u64::from(self.rate)).cast_signed();
            self.queue.push_back((due, word));
        }
        found
    }

    /// The words that are known of the audio up to `position`.
    pub(crate) fn until(&mut self, position: i64) -> impl Iterator<Item = Word> {
        let due = self.queue.partition_point(|(at, _)| *at <= position);
        self.queue.drain(..due).map(|(_, word)| word)
    }
}
