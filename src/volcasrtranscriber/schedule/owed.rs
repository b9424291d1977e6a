//! Words that a text still owes after some of its words had to leave before it was final.
//!
//! The service revises words and their times until an utterance is final. The last word that left
//! is looked for in the new text, by its letters and near its time; what stands behind it is owed.
//! Where it is gone, time alone decides: words before its end are dropped.

use std::time::Duration;

use super::utterance::{Utterance, Word};

/// Words that are remembered. What lies further back is over.
const REMEMBERED: usize = 64;
/// Words that are looked for, from the last one back.
const LOOKED_FOR: usize = 4;
/// Time by which the service moves a word when it revises it, at most.
const MOVED: Duration = Duration::from_secs(1);
/// Time by which a word that left may be off one of another utterance to be the same one, at most.
const SAME: Duration = Duration::from_millis(250);

/// Words that left before their utterance was final.
#[derive(Debug, Default)]
pub(super) struct Early(Vec<PushedWord>);

#[derive(Debug)]
struct PushedWord {
    /// Its utterance. `None` once it is final; its word may then recur in the next utterance.
    number: Option<u32>,
    letters: Vec<char>,
    start: Duration,
    end: Duration,
}

impl PushedWord {
    fn new(number: Option<u32>, word: &Word) -> Self {
        PushedWord {
            number,
            letters: letters(&word.text).map(|(_, letter)| letter).collect(),
            start: word.start,
            end: word.end,
        }
    }
}

/// A letter of a text that is compared.
struct Letter {
    letter: char,
    /// Index of its word, and of the byte behind it there.
    word: usize,
    behind: usize,
    /// It begins a word; it ends one.
    begins: bool,
    ends: bool,
}

impl Early {
    /// A word of an open utterance left.
    pub fn left(&mut self, number: u32, word: &Word) {
        if self.0.len() == REMEMBERED {
            self.0.remove(0);
        }
        self.0.push(PushedWord::new(Some(number), word));
    }

    /// Returns the words of an open utterance that are owed. A word moved behind one that left
    /// begins no earlier than `floor`.
    pub fn owed(&self, number: u32, words: &[Word], floor: Duration) -> Vec<Word> {
        let text = text(words);
        // An utterance may be divided, and its first part have another number.
        let of_it = |left: &&PushedWord| {
            left.number.is_none_or(|of| of == number) || is_among(left, &text, words)
        };
        let left: Vec<&PushedWord> = self.0.iter().filter(of_it).collect();
        owed_behind(&left, &text, words, floor)
    }

    /// Returns the words of a final utterance that are owed, and forgets those that left of it.
    pub fn finish(&mut self, utterance: &Utterance, floor: Duration) -> Vec<Word> {
        let owed = self.owed(utterance.number, &utterance.words, floor);
        let end = utterance
            .words
            .last()
            .map(|word| word.end)
            .or(utterance.end);
        for left in &mut self.0 {
            if left.number == Some(utterance.number) {
                left.number = None;
            }
        }
        // What lies behind its end may stand in the next one now.
        self.0
            .retain(|left| left.number.is_some() || end.is_some_and(|end| left.start >= end));
        owed
    }
}

/// Returns whether a word is one of these, at about the same time.
pub(super) fn is_in(word: &Word, words: &[Word]) -> bool {
    is_among(&PushedWord::new(None, word), &text(words), words)
}

/// Returns whether a word that left is one of these, at about the same time.
fn is_among(left: &PushedWord, text: &[Letter], words: &[Word]) -> bool {
    find(left, text, words)
        .and_then(|(index, _)| words.get(index))
        .is_some_and(|word| word.start.abs_diff(left.start) <= SAME)
}

fn owed_behind(
    left: &[&PushedWord],
    text: &[Letter],
    words: &[Word],
    floor: Duration,
) -> Vec<Word> {
    let Some(last) = left.last() else {
        return words.to_vec();
    };
    let found = left
        .iter()
        .rev()
        .take(LOOKED_FOR)
        .enumerate()
        .find_map(|(back, left)| {
            let at = find(left, text, words)?;
            Some((back, at))
        });
    let (behind, by_time) = match found {
        Some((back, at)) => (Some(at), back > 0),
        None => (None, true),
    };
    let mut owed = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let mut word = word.clone();
        match behind {
            Some((last, _)) if index < last => continue,
            Some((last, byte)) if index == last => {
                let part = word.text.get(byte..).unwrap_or_default();
                if letters(part).next().is_none() {
                    continue;
                }
                word.text = part.trim().to_owned();
                word.start = word.start.max(floor).min(word.end);
            }
            _ => {}
        }
        if by_time && word.start + word.end.saturating_sub(word.start) / 2 <= last.end {
            continue;
        }
        owed.push(word);
    }
    owed
}

/// Returns the place behind a word that left, in a text: a word's index, and a byte in it.
fn find(left: &PushedWord, text: &[Letter], words: &[Word]) -> Option<(usize, usize)> {
    let length = left.letters.len();
    let first = left.letters.first()?;
    // In scripts with spaces a word is found only whole.
    let whole = first.is_ascii() || !first.is_alphabetic() || first.is_lowercase();
    let matches = text.windows(length.max(1)).filter(|window| {
        let same = window
            .iter()
            .zip(&left.letters)
            .all(|(a, b)| a.letter == *b);
        let bounded = window.first().is_some_and(|letter| letter.begins)
            && window.last().is_some_and(|letter| letter.ends);
        same && (bounded || !whole)
    });
    let apart = |window: &&[Letter]| {
        let start = window.first().and_then(|letter| words.get(letter.word));
        start.map_or(Duration::MAX, |word| word.start.abs_diff(left.start))
    };
    let nearest = matches
        .min_by_key(apart)
        .filter(|window| apart(window) <= MOVED)?;
    nearest.last().map(|letter| (letter.word, letter.behind))
}

/// Returns the letters of all words.
fn text(words: &[Word]) -> Vec<Letter> {
    let mut text: Vec<Letter> = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let from = text.len();
        text.extend(letters(&word.text).map(|(behind, letter)| Letter {
            letter,
            word: index,
            behind,
            begins: false,
            ends: false,
        }));
        if let Some(first) = text.get_mut(from) {
            first.begins = true;
        }
        if let Some(last) = text[from..].last_mut() {
            last.ends = true;
        }
    }
    text
}

/// Returns what a word is compared by, small and without punctuation, with the byte behind each.
fn letters(word: &str) -> impl Iterator<Item = (usize, char)> {
    let known = word
        .char_indices()
        .filter(|(_, letter)| letter.is_alphanumeric());
    known.flat_map(|(at, letter)| {
        let behind = at + letter.len_utf8();
        letter.to_lowercase().map(move |small| (behind, small))
    })
}

#[cfg(test)]
mod tests;
