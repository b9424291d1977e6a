//! Final utterances in buffers of another size than a word.

use std::time::Duration;

use super::utterance::{Utterance, Word};
use crate::cue::{self, Cutter};
use crate::element::bus::tags;

/// Returns the utterance as one text. Without a time it begins at `position`.
pub(super) fn whole(utterance: &Utterance, position: Duration) -> Option<Word> {
    let text = utterance.text.trim();
    if text.is_empty() {
        return None;
    }
    let start = utterance.start.unwrap_or(position);
    Some(Word {
        text: text.to_owned(),
        start,
        end: utterance.end.unwrap_or(start).max(start),
    })
}

/// Returns the utterance as cues. The next one begins at `next`.
pub(super) fn cues(
    cutter: &mut Cutter,
    utterance: &Utterance,
    next: Option<Duration>,
) -> Vec<Word> {
    let words = utterance.words.iter().map(|word| cue::Word {
        text: word.text.clone(),
        start: Some(word.start),
        end: Some(word.end),
    });
    let utterance = cue::Utterance {
        text: utterance.text.clone(),
        start: utterance.start,
        end: utterance.end,
        words: words.collect(),
        speaker: None,
    };
    let cues = cutter.cut(&utterance, next).into_iter();
    cues.map(|cue| Word {
        text: cue.lines.join("\n"),
        start: cue.start,
        end: cue.end,
    })
    .collect()
}

/// Returns an utterance of these words.
pub(super) fn joined(words: Vec<Word>) -> Utterance {
    let texts: Vec<String> = words.iter().map(|word| word.text.clone()).collect();
    Utterance {
        text: tags::join(&texts),
        is_final: true,
        start: words.first().map(|word| word.start),
        end: words.last().map(|word| word.end),
        words,
        ..Utterance::default()
    }
}

/// Returns the words of a text that has none with times: its parts between spaces, each with its
/// share of the time.
pub(in crate::volcasrtranscriber) fn shares(
    text: &str,
    start: Duration,
    end: Duration,
) -> Vec<Word> {
    let parts: Vec<&str> = text.split_whitespace().collect();
    let length = |part: &&str| part.chars().count();
    let total = parts.iter().map(length).sum::<usize>().max(1);
    let span = end.saturating_sub(start);
    let mut letters = 0;
    let mut at = start;
    let words = parts.iter().map(|part| {
        letters += length(part);
        let begin = at;
        // The last one ends exactly at the end.
        at = start + span.mul_f64(letters as f64 / total as f64).min(span);
        Word {
            text: (*part).to_owned(),
            start: begin,
            end: at,
        }
    });
    words.collect()
}
