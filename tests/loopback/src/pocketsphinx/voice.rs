//! Speech in the audio, found by loudness, and the places that its words may have.

use crate::transcript::Word;
use std::collections::VecDeque;

/// The length of a piece that is loud or not, in milliseconds.
const FRAME: i64 = 10;
/// Mean square below which nothing counts as voice: 150 of 32767.
const FLOOR: f64 = 150.0 * 150.0;
/// Voice is louder than the background by this factor, in mean square: about 10 dB.
const ABOVE: f64 = 10.0;

/// Loud parts of a connection's audio.
#[derive(Debug)]
pub(super) struct Voice {
    /// Samples in a piece.
    length: usize,
    sum: f64,
    count: usize,
    /// Pieces so far.
    pieces: i64,
    /// The background's mean square: falls at once, rises slowly.
    background: f64,
    /// Numbers of the loud pieces that may still be asked for.
    loud: VecDeque<i64>,
}

impl Voice {
    pub(super) fn new(rate: u32) -> Self {
        Self {
            length: (rate / 100) as usize,
            sum: 0.0,
            count: 0,
            pieces: 0,
            background: FLOOR,
            loud: VecDeque::new(),
        }
    }

    /// Takes samples (S16LE).
    pub(super) fn push(&mut self, pcm: &[u8]) {
        for sample in pcm.as_chunks::<2>().0 {
            let sample = f64::from(i16::from_le_bytes(*sample));
            self.sum += sample * sample;
            self.count += 1;
            if self.count == self.length {
                let level = self.sum / self.length as f64;
                self.background = level.min(self.background * 1.01).max(1.0);
                if level > FLOOR && level > self.background * ABOVE {
                    self.loud.push_back(self.pieces);
                }
                self.pieces += 1;
                (self.sum, self.count) = (0.0, 0);
            }
        }
    }

    /// Start of the audio that may still be asked for.
    pub(super) fn forget_before(&mut self, ms: i64) {
        while self.loud.front().is_some_and(|piece| piece * FRAME < ms) {
            self.loud.pop_front();
        }
    }

    /// Spreads the words of `text` over the loud pieces between two times; over all of it if none
    /// is loud.
    pub(super) fn spread(&self, text: &str, from: i64, to: i64) -> Vec<Word> {
        let texts: Vec<&str> = text.split_whitespace().collect();
        let mut pieces: Vec<i64> = self
            .loud
            .iter()
            .copied()
            .filter(|p| (from..to).contains(&(p * FRAME)))
            .collect();
        if pieces.is_empty() {
            pieces = (from / FRAME..(to / FRAME).max(from / FRAME + 1)).collect();
        }
        let weight = |word: &str| word.chars().count() + 1;
        let total: usize = texts.iter().map(|word| weight(word)).sum();
        let mut before = 0;
        texts
            .into_iter()
            .map(|text| {
                let first = pieces[(before * pieces.len() / total).min(pieces.len() - 1)];
                before += weight(text);
                let last = pieces[(before * pieces.len() / total).clamp(1, pieces.len()) - 1];
                let (start, end) = (first * FRAME, (last.max(first) + 1) * FRAME);
                Word {
                    text: text.to_owned(),
                    start,
                    end,
                    sound: (start, end),
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Quiet and loud parts in milliseconds at 16 kHz.
    fn voice(parts: &[(i64, i16)]) -> Voice {
        let mut voice = Voice::new(16_000);
        for &(ms, level) in parts {
            let pcm: Vec<u8> = (0..ms * 16)
                .flat_map(|n| (if n % 2 == 0 { level } else { -level }).to_le_bytes())
                .collect();
            pcm.chunks(1000).for_each(|piece| voice.push(piece));
        }
        voice
    }

    #[test]
    fn words_lie_where_it_is_loud() {
        let voice = voice(&[(500, 20), (400, 5000), (300, 20), (400, 5000), (500, 20)]);
        let words = voice.spread("abc def", 0, 2100);
        let times: Vec<_> = words
            .iter()
            .map(|w| (w.text.as_str(), w.start, w.end))
            .collect();
        assert_eq!(times, [("abc", 500, 900), ("def", 1200, 1600)]);
        let later = voice.spread("def", 900, 2100);
        assert_eq!((later[0].start, later[0].end), (1200, 1600));
    }

    #[test]
    fn a_loud_background_is_no_voice() {
        let voice = voice(&[(3000, 1000), (300, 8000), (300, 1000)]);
        let words = voice.spread("a", 2000, 3600);
        assert_eq!((words[0].start, words[0].end), (3000, 3300));
    }

    #[test]
    fn something_is_said_even_of_silence() {
        assert_eq!(voice(&[(200, 0)]).spread("a b", 100, 200).len(), 2);
        assert_eq!(voice(&[]).spread("a b c", 0, 0).len(), 3);
        assert!(voice(&[]).spread("", 0, 0).is_empty());
    }

    #[test]
    fn what_is_forgotten_is_gone() {
        let mut voice = voice(&[(100, 20), (5000, 9000)]);
        voice.forget_before(5000);
        assert_eq!(voice.loud.len(), 10);
    }
}
