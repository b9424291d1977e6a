//! Words in the order of speech, cut into utterances by pauses.

use crate::{options::Quirks, request::Request};

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

/// How far an utterance is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Ended by a pause; its second pass is due at this position.
    Waiting(i64),
    Definite,
}

/// An utterance that a pause, or the end, has ended.
#[derive(Clone, Debug)]
pub(crate) struct Utterance {
    pub words: Vec<Word>,
    pub standing: Standing,
    /// Ended by the end of the audio, not by a pause.
    pub hard: bool,
    /// Whether an answer has listed it as definite.
    pub announced: bool,
    /// Its JSON and text once it was listed as definite, for they come again in every answer.
    pub listed: Option<(String, String)>,
}

#[derive(Debug)]
pub(crate) struct Transcript {
    pub request: Request,
    pub quirks: Quirks,
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
    pub(crate) fn new(request: Request, quirks: Quirks) -> Self {
        Self {
            request,
            quirks,
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
            let mut utterance = Utterance::new(words, Standing::Definite);
            utterance.hard = rest.is_empty();
            self.done.push(utterance);
            words = rest;
        }
        self.done
            .iter_mut()
            .for_each(|u| u.standing = Standing::Definite);
    }

    /// Takes the reason for the next answer.
    pub(crate) fn news(&mut self) -> News {
        if std::mem::take(&mut self.changed) {
            return News::Changed;
        }
        let quiet = self.position - self.changed_at >= 200;
        if !self.quirks.exact
            && quiet
            && !self.open.is_empty()
            && !std::mem::replace(&mut self.prefetched, true)
        {
            return News::Prefetch;
        }
        News::Nothing
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
        let delay = i64::try_from(self.quirks.second_pass_delay.as_millis()).unwrap_or(i64::MAX);
        let first_of_two =
            self.quirks.second_pass_out_of_order && self.done.len().is_multiple_of(2);
        let standing =
            if self.request.two_pass && (delay > 0 || self.quirks.second_pass_out_of_order) {
                Standing::Waiting(if first_of_two {
                    i64::MAX
                } else {
                    self.position.saturating_add(delay)
                })
            } else {
                Standing::Definite
            };
        self.done
            .push(Utterance::new(std::mem::take(&mut self.open), standing));
        self.listed = (0, 0);
        self.prefetched = false;
        self.change();
    }

    fn second_passes(&mut self) {
        for n in 0..self.done.len() {
            if matches!(self.done[n].standing, Standing::Waiting(due) if due <= self.position) {
                self.done[n].standing = Standing::Definite;
                if self.quirks.second_pass_out_of_order && n % 2 == 1 {
                    // The one before follows in an answer of its own.
                    self.done[n - 1].standing = Standing::Waiting(self.position + 1);
                }
                self.change();
            }
        }
    }
}

impl Utterance {
    fn new(words: Vec<Word>, standing: Standing) -> Self {
        Self {
            words,
            standing,
            hard: false,
            announced: false,
            listed: None,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::time::Duration;

    pub(crate) fn request(end_window: Option<i64>) -> Request {
        Request {
            rate: 24_000,
            channels: 1,
            format: Ok(crate::audio::Format::Pcm),
            show_utterances: true,
            punctuation: true,
            two_pass: false,
            single: false,
            end_window,
            force_to_speech: 0,
            extras: Vec::new(),
        }
    }

    pub(crate) fn word(text: &str, start: i64, end: i64) -> Word {
        Word {
            text: text.into(),
            start,
            end,
            sound: (start, end),
        }
    }

    fn transcript(end_window: Option<i64>) -> Transcript {
        Transcript::new(request(end_window), Quirks::none())
    }

    #[test]
    fn nothing_settles_unless_asked_and_the_end_splits_by_pauses() {
        let mut t = transcript(None);
        t.word(word("a", 0, 300));
        t.word(word("b", 2000, 2300));
        t.advance(9000);
        assert_eq!((t.done.len(), t.open.len()), (0, 2));
        t.finish();
        assert_eq!(t.done.len(), 2);
        assert!(t.done.iter().all(|u| u.standing == Standing::Definite));
    }

    #[test]
    fn a_pause_of_the_window_settles_to_the_millisecond() {
        let mut t = transcript(Some(800));
        t.word(word("a", 0, 300));
        t.advance(1099);
        assert_eq!(t.done.len(), 0);
        t.advance(1100);
        assert_eq!(t.done.len(), 1);
        let mut t = transcript(Some(800));
        t.word(word("a", 0, 300));
        t.word(word("b", 1100, 1400));
        assert_eq!(
            (t.done.len(), t.open.len()),
            (1, 1),
            "audio that comes at once is cut alike"
        );
    }

    #[test]
    fn no_end_before_force_to_speech_time() {
        let mut t = transcript(Some(800));
        t.request.force_to_speech = 3000;
        t.word(word("a", 0, 300));
        t.advance(2999);
        assert_eq!(t.done.len(), 0);
        t.advance(3000);
        assert_eq!(t.done.len(), 1);
    }

    #[test]
    fn the_pause_is_of_the_sound_not_of_the_told_times() {
        let mut t = transcript(Some(800));
        t.word(Word {
            text: "a".into(),
            start: 100,
            end: 180,
            sound: (0, 300),
        });
        t.advance(1000);
        assert_eq!(t.done.len(), 0);
    }

    #[test]
    fn news_is_told_once() {
        let mut t = transcript(None);
        t.quirks.exact = false;
        assert_eq!(t.news(), News::Nothing);
        t.word(word("a", 0, 300));
        assert_eq!(t.news(), News::Changed);
        assert_eq!(t.news(), News::Nothing);
        t.advance(500);
        assert_eq!((t.news(), t.news()), (News::Prefetch, News::Nothing));
        t.guess(vec![word("b", 400, 600)]);
        assert_eq!(t.news(), News::Changed);
        t.guess(vec![word("b", 400, 620)]);
        assert_eq!(t.news(), News::Nothing, "times alone are no news");
    }

    #[test]
    fn second_passes_late_and_out_of_order() {
        let mut t = transcript(Some(800));
        t.request.two_pass = true;
        t.quirks.second_pass_delay = Duration::from_millis(500);
        t.quirks.second_pass_out_of_order = true;
        t.word(word("a", 0, 300));
        t.advance(1100);
        t.word(word("b", 1200, 1500));
        t.advance(2300);
        let definite = |t: &Transcript| {
            t.done
                .iter()
                .map(|u| u.standing == Standing::Definite)
                .collect::<Vec<_>>()
        };
        assert_eq!(definite(&t), [false, false]);
        t.advance(2800);
        assert_eq!(definite(&t), [false, true]);
        t.advance(2900);
        assert_eq!(definite(&t), [true, true]);
    }
}
