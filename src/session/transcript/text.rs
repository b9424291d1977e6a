//! Compares texts by their letters and digits: case, spaces and punctuation are revised until the
//! end.
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// Upper bound on the letters that are compared at each end of two texts.
const MAX_COMPARED: usize = 64;

/// Identifies a text by its letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint {
    /// Number of its letters.
    letters: usize,
    hash: u64,
}

impl Fingerprint {
    pub fn of(text: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        let letters = letters(text).map(|c| hash_letter(c, &mut hasher)).count();
        if letters == 0 {
            text.trim().hash(&mut hasher);
        }
        Self {
            letters,
            hash: hasher.finish(),
        }
    }

    /// Returns the part of `text` after this text, its punctuation and the space. `None` if `text`
    /// does not begin with it.
    pub fn strip(self, text: &str) -> Option<&str> {
        let mut hasher = DefaultHasher::new();
        let mut letters = 0;
        let mut end = 0;
        for (at, c) in text.char_indices().filter(|(_, c)| c.is_alphanumeric()) {
            if letters == self.letters {
                break;
            }
            hash_letter(c, &mut hasher);
            letters += 1;
            end = at + c.len_utf8();
        }
        let is_prefix = self.letters > 0 && letters == self.letters && hasher.finish() == self.hash;
        let rest = &text[end..];
        let punctuation = |c: char| !c.is_alphanumeric() && !c.is_whitespace();
        is_prefix.then(|| rest.trim_start_matches(punctuation).trim_start())
    }
}

fn letters(text: &str) -> impl DoubleEndedIterator<Item = char> {
    text.chars().filter(|c| c.is_alphanumeric())
}

fn hash_letter(c: char, hasher: &mut DefaultHasher) {
    for c in c.to_lowercase() {
        c.hash(hasher);
    }
}

/// Shortest silence that ends an utterance: the least `end_window_size` that is in use.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);

/// Lower bounds on the time that a letter takes in fast speech. A letter that is no ASCII is
/// mostly a syllable, as in Chinese.
const FASTEST_LETTER: Duration = Duration::from_millis(25);
const FASTEST_SYLLABLE: Duration = Duration::from_millis(60);

/// Returns a lower bound on the time between the ends of two utterances with this text.
pub(super) fn least_interval(text: &str) -> Duration {
    let compared = letters(text).take(MAX_COMPARED);
    let letter = |c: char| match c.is_ascii() {
        true => FASTEST_LETTER,
        false => FASTEST_SYLLABLE,
    };
    SHORTEST_PAUSE + compared.map(letter).sum::<Duration>()
}

/// Returns whether two texts may be versions of one: their common beginning and end make up half of
/// the shorter one.
pub(super) fn are_alike(a: &str, b: &str) -> bool {
    let common = |pair: &(char, char)| pair.0.to_lowercase().eq(pair.1.to_lowercase());
    let first = letters(a).zip(letters(b)).take(MAX_COMPARED);
    let last = letters(a).rev().zip(letters(b).rev()).take(MAX_COMPARED);
    let shared = first.take_while(common).count() + last.take_while(common).count();
    let shorter = letters(a).zip(letters(b)).take(2 * MAX_COMPARED).count();
    shorter > 0 && 2 * shared >= shorter
}

/// Returns whether `new` starts anew instead of revising `old`: it is less than half as long and
/// mostly different.
pub(super) fn is_new_text(old: &str, new: &str) -> bool {
    let length = new.chars().count();
    let shared = old.chars().zip(new.chars()).take_while(|(a, b)| a == b);
    length * 2 < old.chars().count() && shared.count() * 2 < length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_spaces_and_punctuation_do_not_tell_texts_apart() {
        for (a, b, same) in [
            ("The rain.", "the rain", true),
            ("The rain.", "the train", false),
            ("雨停了。", "雨停了", true),
            ("...", "…", false),
            (" ...", "...", true),
        ] {
            assert_eq!(Fingerprint::of(a) == Fingerprint::of(b), same, "{a} {b}");
        }
    }

    #[test]
    fn the_rest_after_a_text_is_found() {
        for (text, whole, rest) in [
            ("the rain", "The rain. Let us go.", Some("Let us go.")),
            ("The rain.", "The rain", Some("")),
            ("One.", "One. $5 is it.", Some("$5 is it.")),
            ("雨停了", "雨停了。我们走。", Some("我们走。")),
            ("The rain", "The train", None),
            ("The rain", "The", None),
            ("...", "... a", None),
        ] {
            assert_eq!(Fingerprint::of(text).strip(whole), rest, "{text} {whole}");
        }
    }

    #[test]
    fn versions_of_a_text_are_alike() {
        for (a, b, alike) in [
            ("there rain stopped", "The rain stopped.", true),
            ("a", "A b c.", true),
            ("one", "Two.", false),
            ("今天天气", "今天天气好。", true),
            ("今天天气", "我们走", false),
            ("", "", false),
        ] {
            assert_eq!(are_alike(a, b), alike, "{a} {b}");
            assert_eq!(are_alike(b, a), alike, "{b} {a}");
        }
    }
}
