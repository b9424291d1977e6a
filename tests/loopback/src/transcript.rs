//! Words in the order of speech, cut into utterances by pauses.

use crate::{
    options::{Oddity, Options},
    request::Request,
};
use std::sync::Arc;

/// Pauses that split the final response when nothing asked for segmentation before.
const FINAL_PAUSE: i64 = 800;

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

#[derive(Debug)]
pub(crate) struct Transcript {
    pub request: Request,
    options: Arc<Options>,
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

/// Whether there is something new for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    Nothing,
    /// The result has changed.
    Changed,
    /// A repeat of the result, with `prefetch`.
    Prefetch,
}

impl Transcript {
    pub(crate) fn new(request: Request, options: Arc<Options>) -> Self {
        Self {
            request,
            options,
            done: Vec::new(),
            open: Vec::new(),
            guess: Vec::new(),
            position: 0,
            duration: 0,
            changed: false,
            changed_at: 0,
            prefetched: false,
            listed: (0, 0),
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
        let same = words.len() == self.guess.len()
            && words.iter().zip(&self.guess).all(|(a, b)| a.text == b.text);
        self.guess = words;
        if !same {
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
        let mut words = std::mem::take(&mut self.open);
        words.append(&mut self.guess);
        while !words.is_empty() {
            let cut =
                (1..words.len()).find(|&n| words[n].sound.0 - words[n - 1].sound.1 >= FINAL_PAUSE);
            let rest = words.split_off(cut.unwrap_or(words.len()));
            let hard = rest.is_empty();
            self.done.push(Utterance {
                words: std::mem::replace(&mut words, rest),
                hard,
                ..Utterance::default()
            });
        }
        self.done
            .iter_mut()
            .for_each(|utterance| utterance.due = None);
    }

    /// Takes the reason for the next answer.
    pub(crate) fn news(&mut self) -> News {
        if std::mem::take(&mut self.changed) {
            return News::Changed;
        }
        let quiet = self.position - self.changed_at >= 200 && !self.open.is_empty();
        let prefetch = quiet && !self.options.exact && !self.prefetched;
        self.prefetched |= prefetch;
        match prefetch {
            true => News::Prefetch,
            false => News::Nothing,
        }
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
        let delay = i64::try_from(self.options.second_pass_delay.as_millis()).unwrap_or(i64::MAX);
        let out_of_order = self.options.has(Oddity::OutOfOrder);
        let late = self.request.two_pass && (delay > 0 || out_of_order);
        let due = match out_of_order && self.done.len().is_multiple_of(2) {
            true => i64::MAX,
            false => self.position.saturating_add(delay),
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
                if self.options.has(Oddity::OutOfOrder) && n % 2 == 1 {
                    // The one before follows in an answer of its own.
                    self.done[n - 1].due = Some(self.position + 1);
                }
                self.change();
            }
        }
    }
}
