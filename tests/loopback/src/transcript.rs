//! Words in the order of speech, cut into utterances by pauses.

use crate::{
    options::{Oddity, Options},
    request::Request,
};
use std::time::Duration;

/// Pauses that split the final response when nothing asked for segmentation before.
const FINAL_PAUSE: i64 = 800;

pub(crate) fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// A word; all times in milliseconds of the connection's audio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub text: String,
    /// The times that answers say.
    pub start: i64,
    pub end: i64,
    /// Where its sound really begins and ends: by these pauses are measured.
    pub sound: (i64, i64),
}

impl Word {
    pub(crate) fn new(text: &str, start: i64, end: i64) -> Self {
        Self {
            text: text.to_owned(),
            start,
            end,
            sound: (start, end),
        }
    }
}

/// An utterance that a pause, or the end, has ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Utterance {
    pub words: Vec<Word>,
    /// Position at which its second pass is due; until then it is not definite.
    due: Option<i64>,
    /// Ended by the end of the audio, not by a pause.
    pub hard: bool,
    /// Whether an answer has listed it as definite.
    pub announced: bool,
    /// Its JSON and text when last listed; once definite, they come again in every answer.
    pub listed: (String, String),
}

impl Utterance {
    pub(crate) fn is_definite(&self) -> bool {
        self.due.is_none()
    }
}

#[derive(Debug, Default)]
pub(crate) struct Transcript {
    pub request: Request,
    exact: bool,
    out_of_order: bool,
    second_pass_delay: i64,
    pub done: Vec<Utterance>,
    /// The words of the utterance under way.
    pub open: Vec<Word>,
    /// Words behind them that may still change.
    pub guess: Vec<Word>,
    /// Milliseconds whose words are known.
    pub position: i64,
    /// Milliseconds worked through, as `audio_info.duration` says them.
    pub duration: i64,
    changed: bool,
    changed_at: i64,
    prefetched: bool,
    /// Answers that listed the open utterance, and how many of its words.
    pub listed: (u32, usize),
}

/// The reason for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// The result has changed.
    Changed,
    /// A repeat of the result, with `prefetch`.
    Prefetch,
}

impl Transcript {
    pub(crate) fn new(request: Request, options: &Options) -> Self {
        Self {
            request,
            exact: options.exact,
            out_of_order: options.has(Oddity::OutOfOrder),
            second_pass_delay: milliseconds(options.second_pass_delay),
            ..Self::default()
        }
    }

    /// One more word, which will not change.
    pub(crate) fn word(&mut self, word: Word) {
        self.split_before(word.sound.0);
        self.open.push(word);
        self.change();
    }

    /// Sets the words behind the final ones, which may still change.
    pub(crate) fn guess(&mut self, words: Vec<Word>) {
        if let Some(first) = words.first() {
            self.split_before(first.sound.0);
        }
        let texts = words.iter().map(|word| &word.text);
        let is_new = !texts.eq(self.guess.iter().map(|word| &word.text));
        self.guess = words;
        if is_new {
            self.change();
        }
    }

    /// All audio up to `position` has been worked through.
    pub(crate) fn advance(&mut self, position: i64) {
        self.position = self.position.max(position);
        self.duration = self.duration.max(self.position);
        if self.guess.is_empty() {
            self.split_before(self.position);
        }
        self.second_passes();
    }

    /// The end: everything becomes definite.
    pub(crate) fn finish(&mut self) {
        self.open.append(&mut self.guess);
        let belong = |a: &Word, b: &Word| b.sound.0 - a.sound.1 < FINAL_PAUSE;
        for words in self.open.chunk_by(belong) {
            self.done.push(Utterance {
                words: words.to_vec(),
                hard: words.last() == self.open.last(),
                ..Utterance::default()
            });
        }
        self.open.clear();
        for utterance in &mut self.done {
            utterance.due = None;
        }
    }

    /// Takes the reason for the next answer, if there is one.
    pub(crate) fn news(&mut self) -> Option<News> {
        if std::mem::take(&mut self.changed) {
            return Some(News::Changed);
        }
        let quiet = self.position - self.changed_at >= 200 && !self.open.is_empty();
        let prefetch = quiet && !self.exact && !self.prefetched;
        self.prefetched |= prefetch;
        prefetch.then_some(News::Prefetch)
    }

    fn change(&mut self) {
        self.changed = true;
        self.changed_at = self.position;
    }

    /// Ends the open utterance if enough silence lies between it and `next`.
    fn split_before(&mut self, next: i64) {
        let (Some(window), Some(last)) = (self.request.end_window, self.open.last()) else {
            return;
        };
        if next - last.sound.1 < window || next < self.request.force_to_speech {
            return;
        }
        let late = self.request.two_pass && (self.second_pass_delay > 0 || self.out_of_order);
        let due = match self.out_of_order && self.done.len().is_multiple_of(2) {
            true => i64::MAX,
            false => self.position.saturating_add(self.second_pass_delay),
        };
        self.done.push(Utterance {
            words: std::mem::take(&mut self.open),
            due: late.then_some(due),
            ..Utterance::default()
        });
        self.listed = (0, 0);
        self.prefetched = false;
        self.change();
    }

    fn second_passes(&mut self) {
        for n in 0..self.done.len() {
            if self.done[n].due.is_some_and(|due| due <= self.position) {
                self.done[n].due = None;
                if self.out_of_order && n % 2 == 1 {
                    // The one before follows in an answer of its own.
                    self.done[n - 1].due = Some(self.position + 1);
                }
                self.change();
            }
        }
    }
}
