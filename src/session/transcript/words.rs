//! Aligns the service's words with an utterance's text, so that the words joined give the text.
use std::time::Duration;

use super::span::{Axis, Span, TOLERANCE};
use super::text::Fingerprint;
use super::update::Word;
use crate::protocol::response;

/// Bytes of text in which a word is searched if it does not come next.
const LOOK_AHEAD: usize = 64;
/// Upper bound on the letters that are compared in such a search.
const MAX_COMPARED: usize = 4 * LOOK_AHEAD;

/// A word's place in the text and its times on the axis.
struct AlignedWord {
    at: usize,
    start: Option<Duration>,
    end: Option<Duration>,
}

impl AlignedWord {
    /// `first` is the start of the first timed word, in case it is left out.
    fn of(at: usize, word: &response::Word<'_>, axis: Axis, first: &mut Option<Duration>) -> Self {
        let position = |time| axis.position(time);
        let (start, end) = (word.start.map(position), word.end.map(position));
        let first = first.take_if(|_| start.or(end).is_some());
        Self {
            at,
            start: start.or_else(|| first.zip(end).map(|(first, end)| first.min(end))),
            end,
        }
    }
}

/// Splits `text` at the service's words. A word includes the spaces and punctuation after it, the
/// first one also those before it. The service's own words for spaces and punctuation have no times
/// and join the word before them. Words that do not occur in the text, such as numbers that became
/// digits, share the text in their place as one word.
///
/// `begins` is the start of the utterance on the axis. The service leaves zeros out, so a
/// connection's first word may have an end only.
pub(super) fn align<'a>(
    text: &str,
    words: impl Iterator<Item = response::Word<'a>>,
    axis: Axis,
    begins: Option<Duration>,
) -> Vec<Word> {
    let mut first = begins;
    let mut pieces: Vec<AlignedWord> = Vec::new();
    let mut missing: Option<AlignedWord> = None;
    let mut cursor = 0;
    for word in words {
        let token = word.text.trim();
        if !token.chars().any(char::is_alphanumeric) {
            continue;
        }
        if let Some((at, end)) = find(text, cursor, token) {
            pieces.extend(place_run(missing.take(), text, cursor..at));
            pieces.push(AlignedWord::of(at, &word, axis, &mut first));
            cursor = end;
        } else {
            let next = AlignedWord::of(cursor, &word, axis, &mut first);
            match &mut missing {
                Some(run) => {
                    run.start = run.start.or(next.start);
                    run.end = next.end.or(run.end);
                }
                None => missing = Some(next),
            }
        }
    }
    pieces.extend(place_run(missing, text, cursor..text.len()));
    let ends = pieces.iter().skip(1).map(|p| p.at).chain([text.len()]);
    let mut from = 0;
    pieces
        .iter()
        .zip(ends)
        .map(|(piece, end)| Word {
            text: text[std::mem::replace(&mut from, end)..end].to_owned(),
            start: piece.start,
            end: piece.end.map(|e| e.max(piece.start.unwrap_or(e))),
        })
        .collect()
}

/// Places a run of words that were not found at the first letter of the gap that they must be in.
fn place_run(
    run: Option<AlignedWord>,
    text: &str,
    gap: std::ops::Range<usize>,
) -> Option<AlignedWord> {
    let run = run?;
    let at = text[gap.clone()].find(char::is_alphanumeric)?;
    Some(AlignedWord {
        at: gap.start + at,
        ..run
    })
}

/// Finds `token` in `text` at or after `from`: at the next letter, or a little ahead as a whole
/// word.
fn find(text: &str, from: usize, token: &str) -> Option<(usize, usize)> {
    let mut next = true;
    let mut compared = 0;
    let mut before: Option<char> = None;
    for (offset, c) in text[from..].char_indices() {
        let at = from + offset;
        if offset > LOOK_AHEAD || (!next && token.len() > LOOK_AHEAD) || compared > MAX_COMPARED {
            return None;
        }
        if let Some(length) = prefix(&text[at..], token, &mut compared) {
            let after = text[at + length..].chars().next();
            let joined = |a: Option<char>, b: Option<char>| {
                a.zip(b)
                    .is_some_and(|(a, b)| a.is_ascii_alphanumeric() && b.is_ascii_alphanumeric())
            };
            if next || !(joined(before, Some(c)) || joined(token.chars().next_back(), after)) {
                return Some((at, at + length));
            }
        }
        next = next && !c.is_alphanumeric();
        before = Some(c);
    }
    None
}

/// Returns the length of `token` at the beginning of `text`, ignoring case. `compared` counts
/// letters.
fn prefix(text: &str, token: &str, compared: &mut usize) -> Option<usize> {
    let mut rest = text.chars();
    for expected in token.chars() {
        *compared += 1;
        let c = rest.next()?;
        if c != expected && !c.to_lowercase().eq(expected.to_lowercase()) {
            return None;
        }
    }
    Some(text.len() - rest.as_str().len())
}

/// A word as it is known again.
#[derive(Debug)]
pub(super) struct KnownWord {
    start: Duration,
    text: Fingerprint,
}

impl KnownWord {
    /// `None` if its start is not known.
    pub fn of(word: &Word) -> Option<Self> {
        Some(Self {
            start: word.start?,
            text: Fingerprint::of(&word.text),
        })
    }

    /// Returns whether another connection's word is this one.
    pub fn is(&self, word: &Word) -> bool {
        let near = |start: Duration| start.abs_diff(self.start) <= TOLERANCE;
        word.start.is_some_and(near) && Fingerprint::of(&word.text) == self.text
    }
}

/// Returns the middle of a word's time, or the one time that is known.
pub(super) fn midpoint(word: &Word) -> Option<Duration> {
    match (word.start, word.end) {
        (Some(start), Some(end)) => Some(start + end.saturating_sub(start) / 2),
        (start, end) => start.or(end),
    }
}

/// Returns whether any of the words has times.
pub(super) fn are_timed(words: &[Word]) -> bool {
    words.iter().any(|word| midpoint(word).is_some())
}

/// Returns the start of a word, or the one time that is known.
pub(super) fn begin(word: &Word) -> Option<Duration> {
    word.start.or(word.end)
}

/// Keeps the words whose `time` `keep` accepts. A word without times follows the one before it, or
/// the first timed one.
pub(super) fn retain_by_time(
    words: &mut Vec<Word>,
    time: impl Fn(&Word) -> Option<Duration>,
    mut keep: impl FnMut(Duration) -> bool,
) {
    let all = words.len();
    let mut kept = words.iter().find_map(&time).is_none_or(&mut keep);
    words.retain(|word| {
        if let Some(time) = time(word) {
            kept = keep(time);
        }
        kept
    });
    let is_cut = words.len() < all;
    if let Some(last) = words.last_mut().filter(|_| is_cut) {
        last.text.truncate(last.text.trim_end().len());
    }
}

/// Returns the span of some words of an utterance that has the span `whole`.
pub(super) fn span(words: &[Word], whole: Span) -> Span {
    let start = words.iter().find_map(|w| w.start).unwrap_or(whole.start);
    let end = words.iter().rev().find_map(|w| w.end).unwrap_or(whole.end);
    Span::new(start, end)
}

/// Joins the words to a text.
pub(super) fn join(words: &[Word]) -> String {
    words.iter().map(|w| w.text.as_str()).collect()
}

/// Returns a word of the service, for tests.
#[cfg(test)]
fn word(text: &str, times: Option<(u64, u64)>) -> response::Word<'_> {
    response::Word {
        text: text.into(),
        start: times.map(|t| Duration::from_millis(t.0)),
        end: times.map(|t| Duration::from_millis(t.1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn axis(origin: u64) -> Axis {
        Axis {
            origin: Duration::from_secs(origin),
            processed_until: Duration::from_secs(origin + 60),
        }
    }

    #[test]
    fn words_take_along_what_follows_and_the_first_what_precedes() {
        // The text, the service's words, and the text cut at them.
        for row in [
            "“The rain, stopped. = The| |rain| |stopped = “The |rain, |stopped.",
            // Chinese words need no spaces, and case does not matter.
            "哈哈哈，今天好。 = 哈哈哈|今天|好 = 哈哈哈，|今天|好。",
            "Hello World = hello|world = Hello |World",
            // Words that were rewritten share what stands in their place.
            "I have 23 apples. = I|have|twenty|three|apples = I |have |23 |apples.",
            "23 = twenty|three = 23",
            "... = twenty = ",
            " = twenty = ",
            "Hello. =  = ",
            // A short word is not found inside a later one.
            "1 apple = a|apple = 1 |apple",
        ] {
            let [text, spoken, cut] = row.split(" = ").collect::<Vec<_>>()[..] else {
                panic!("three parts: {row}");
            };
            let spoken = spoken.split('|').map(|w| word(w, None));
            let words = align(text, spoken, axis(0), None);
            let texts: Vec<_> = words.iter().map(|w| w.text.as_str()).collect();
            assert_eq!(texts.join("|"), cut, "{row}");
        }
    }

    #[test]
    fn words_are_on_the_axis_and_a_run_lasts_from_its_first_to_its_last() {
        let spoken = [
            word("I", Some((0, 80))),
            word("twenty", Some((200, 280))),
            word("three", Some((300, 380))),
        ];
        let words = align("I 23", spoken.into_iter(), axis(5), None);
        let times: Vec<_> = words.iter().map(|w| (w.start, w.end)).collect();
        let at = |start, end| {
            (
                Some(Duration::from_millis(start)),
                Some(Duration::from_millis(end)),
            )
        };
        assert_eq!(times, [at(5000, 5080), at(5200, 5380)]);
    }

    #[test]
    fn a_first_start_that_is_left_out_is_the_utterance_s() {
        let ends = |ms| response::Word {
            start: None,
            ..word("a", Some((0, ms)))
        };
        let starts = |words: Vec<response::Word<'_>>, begins| -> Vec<_> {
            let begins = Some(Duration::from_millis(begins));
            let cut = align("a a a", words.into_iter(), axis(0), begins);
            let ms = |w: &Word| w.start.map(|start| start.as_millis());
            cut.iter().map(ms).collect()
        };
        let later = || word("a", Some((300, 380)));
        assert_eq!(
            starts(vec![ends(80), ends(200), later()], 0),
            [Some(0), None, Some(300)]
        );
        assert_eq!(
            starts(vec![word("a", None), ends(80), later()], 20),
            [None, Some(20), Some(300)]
        );
        // Never after its end.
        assert_eq!(starts(vec![ends(80), later()], 100)[0], Some(80));
        assert_eq!(starts(vec![later(), ends(400)], 0), [Some(300), None]);
    }

    proptest! {
        /// Any words give the text when joined, and only the first may begin with a space.
        #[test]
        fn joined_words_give_the_text(
            text in "[ a-c,.哈1é]{0,24}",
            words in prop::collection::vec("[ a-c,哈1É]{0,4}", 0..12),
        ) {
            let cut = align(&text, words.iter().map(|w| word(w, None)), axis(0), None);
            if !cut.is_empty() {
                prop_assert_eq!(join(&cut), text);
            }
            for word in cut.iter().skip(1) {
                prop_assert!(!word.text.starts_with(char::is_whitespace), "{:?}", word.text);
            }
        }
    }
}
