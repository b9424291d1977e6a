//! Words that a text still owes after some of its words had to leave before it was final.
//!
//! The service revises words and their times until an utterance is final. The last word that left
//! is looked for in the new text, by its letters and near its time; what stands behind it is owed.
//! Where it is gone, time alone decides: words before its end are dropped.
//!
//! An utterance may be divided, and its first part have another number. So words of other
//! utterances are looked for in it as well, each in a [place](Places) of its own: "No. No, …" has
//! two.

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

    /// Returns whether it may be of this utterance, so that the service may have moved it.
    fn may_be_of(&self, number: u32) -> bool {
        self.number.is_none_or(|of| of == number)
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
    /// A word of an open utterance was pushed.
    pub fn on_pushed(&mut self, number: u32, word: &Word) {
        if self.0.len() == REMEMBERED {
            self.0.remove(0);
        }
        self.0.push(PushedWord::new(Some(number), word));
    }

    /// Returns the words of an open utterance that are owed. A word moved behind one that left
    /// begins no earlier than `floor`.
    pub fn owed(&self, number: u32, words: &[Word], floor: Duration) -> Vec<Word> {
        if self.0.is_empty() {
            return words.to_vec();
        }
        let mut places = Places::new(words);
        let found = self.find_in(number, &mut places);
        self.rest(number, &found, &places, floor)
    }

    /// Returns the words of a final utterance that are still to be pushed, and its places that no
    /// word pushed before matches. Forgets those words.
    pub fn finish<'a>(
        &mut self,
        utterance: &'a Utterance,
        floor: Duration,
    ) -> (Vec<Word>, Places<'a>) {
        let number = utterance.number;
        let mut places = Places::new(&utterance.words);
        let found = self.find_in(number, &mut places);
        let owed = self.rest(number, &found, &places, floor);
        let end = utterance.words.last().map(|word| word.end);
        let end = end.or(utterance.end);
        let mut found = found.into_iter();
        // Words behind its end may stand in the next utterance now.
        self.0.retain_mut(|pushed| {
            if pushed.number == Some(number) {
                pushed.number = None;
            }
            let is_behind = end.is_some_and(|end| pushed.start >= end);
            found.next().flatten().is_none() && (pushed.number.is_some() || is_behind)
        });
        (owed, places)
    }

    /// Returns the last letters of the places that words which left have in the text of this
    /// utterance.
    fn find_in(&self, number: u32, places: &mut Places) -> Vec<Option<usize>> {
        let found = self.0.iter().map(|pushed| {
            let limit = if pushed.may_be_of(number) {
                MOVED
            } else {
                SAME
            };
            places.take(pushed, limit)
        });
        found.collect()
    }

    /// Returns the words that stand behind the last one that left.
    fn rest(
        &self,
        number: u32,
        found: &[Option<usize>],
        places: &Places,
        floor: Duration,
    ) -> Vec<Word> {
        let latest_first = self.0.iter().zip(found).rev();
        let mut candidates =
            latest_first.filter(|(pushed, found)| found.is_some() || pushed.may_be_of(number));
        let Some((last, found)) = candidates.next() else {
            return places.words.to_vec();
        };
        let behind = found.or_else(|| {
            candidates
                .take(LOOKED_FOR - 1)
                .find_map(|(_, found)| *found)
        });
        let behind = behind.and_then(|letter| places.text.get(letter));
        let by_time = found.is_none();
        let mut owed = Vec::new();
        for (index, word) in places.words.iter().enumerate() {
            let mut word = word.clone();
            match behind {
                Some(letter) if index < letter.word => continue,
                Some(letter) if index == letter.word => {
                    let part = word.text.get(letter.behind..).unwrap_or_default();
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
}

/// The places of words in a text, and which of them are taken.
pub(super) struct Places<'a> {
    words: &'a [Word],
    text: Vec<Letter>,
    /// For each letter.
    taken: Vec<bool>,
}

impl<'a> Places<'a> {
    fn new(words: &'a [Word]) -> Self {
        let text = text(words);
        Places {
            words,
            taken: vec![false; text.len()],
            text,
        }
    }

    /// Takes the place of a word at about its time. Returns false if there is none.
    pub fn take_word(&mut self, word: &Word) -> bool {
        self.take(&PushedWord::new(None, word), SAME).is_some()
    }

    /// Takes the place of a word that is nearest in time, of those that are not taken, and so far
    /// from it at most. Returns the place's last letter.
    fn take(&mut self, pushed: &PushedWord, limit: Duration) -> Option<usize> {
        let length = pushed.letters.len();
        let first = pushed.letters.first()?;
        // In scripts with spaces a word is found only whole.
        let whole = first.is_ascii() || !first.is_alphabetic() || first.is_lowercase();
        let is_it = |window: &[Letter]| {
            let same = window
                .iter()
                .zip(&pushed.letters)
                .all(|(a, b)| a.letter == *b);
            let bounded = window.first().is_some_and(|letter| letter.begins)
                && window.last().is_some_and(|letter| letter.ends);
            same && (bounded || !whole)
        };
        let places = self.text.windows(length).enumerate();
        let places = places.filter_map(|(at, window)| {
            let word = self.words.get(window.first()?.word)?;
            let place = at..at + length;
            let is_free = !self.taken.get(place.clone())?.contains(&true);
            (is_free && is_it(window)).then(|| (place, word.start.abs_diff(pushed.start)))
        });
        let (place, apart) = places.min_by_key(|(_, apart)| *apart)?;
        if apart > limit {
            return None;
        }
        self.taken[place.clone()].fill(true);
        place.last()
    }
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
