//! Any responses in any order, with losses, restarts and ends between them: each number is
//! announced in turn, ends exactly once, and has no update after that.
#![no_main]

use std::borrow::Cow;
use std::time::Duration;

use gstvolcasr::protocol::request::ResultType;
use gstvolcasr::protocol::response::Response;
use gstvolcasr::protocol::utterance::{Additions, Utterance, Words};
use gstvolcasr::session::transcript::{TranscriptTracker, Update};
use libfuzzer_sys::fuzz_target;

/// The input as a list of choices; at its end every choice is the first one.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// Mostly within seconds, in steps that meet again; often left out, and seldom far away.
    fn time(&mut self) -> Option<Duration> {
        match self.byte() {
            192..=252 | 255 => None,
            254 => Some(Duration::from_millis(1 << 32)),
            253 => Some(Duration::from_millis(u64::from(self.byte()))),
            steps => Some(Duration::from_millis(u64::from(steps) * 50)),
        }
    }

    fn text(&mut self) -> String {
        const WORDS: [&str; 12] = [
            "a",
            "b",
            "the",
            "rain",
            "Rain,",
            "哈哈",
            " ",
            ".",
            "İ",
            "ß",
            "é\u{301}",
            "",
        ];
        let mut text = String::new();
        for _ in 0..self.byte() % 6 {
            text.push_str(WORDS[usize::from(self.byte()) % WORDS.len()]);
            if self.byte().is_multiple_of(2) {
                text.push(' ');
            }
        }
        text
    }

    fn words(&mut self, text: &str) -> String {
        let mut json = String::from("[");
        for token in text.split(' ') {
            let milliseconds =
                |time: Option<Duration>| time.map_or(-1, |time| time.as_millis() as i64);
            let (start, end) = (milliseconds(self.time()), milliseconds(self.time()));
            if json.len() > 1 {
                json.push(',');
            }
            json += &format!(r#"{{"text":"{token}","start_time":{start},"end_time":{end}}}"#);
        }
        json + "]"
    }
}

/// Whether each utterance has ended, by number.
#[derive(Default)]
struct Reported {
    ended: Vec<bool>,
}

impl Reported {
    fn check(&mut self, updates: &mut Vec<Update>) {
        for update in updates.drain(..) {
            let number = update.number as usize;
            if number == self.ended.len() {
                self.ended.push(false);
            }
            let ended = self.ended.get_mut(number).expect("numbers come in turn");
            assert!(!*ended, "after its end: {update:?}");
            *ended = update.is_final;
            assert!(update.is_final || !update.unconfirmed);
            assert!(
                update.is_final || !update.text.is_empty(),
                "withdrawn, and not final: {update:?}"
            );
            if let (Some(start), Some(end)) = (update.start, update.end) {
                assert!(start <= end, "{update:?}");
            }
            if !update.words.is_empty() {
                let joined: String = update.words.iter().map(|word| word.text.as_str()).collect();
                assert_eq!(joined, update.text);
            }
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let mut choices = Choices(data);
    let mode = match choices.byte() % 2 {
        0 => ResultType::Full,
        _ => ResultType::Single,
    };
    let mut tracker = TranscriptTracker::new(mode, Duration::from_secs(2));
    let mut reported = Reported::default();
    let mut updates = Vec::new();
    let mut sent = Duration::ZERO;
    tracker.connect(Duration::ZERO);
    while !choices.is_over() {
        match choices.byte() % 16 {
            0 => {
                let window = choices.time().unwrap_or_default().min(sent);
                let from = tracker.restart(window, &mut updates);
                assert!(
                    from >= window,
                    "{from:?} was to be replayed, {window:?} can"
                );
                assert!(
                    from <= sent.max(window),
                    "{from:?} was never sent, only {sent:?}"
                );
                tracker.connect(from);
            }
            1 => {
                tracker.finalize_unconfirmed(&mut updates);
                assert!(!tracker.has_open());
                tracker.connect(sent);
            }
            2 => sent = sent.saturating_add(choices.time().unwrap_or_default()),
            3 => tracker.connect(sent),
            choice => {
                let last = choice == 4;
                let duration = choices.time();
                let text = choices.text();
                let mut parts = Vec::new();
                for _ in 0..choices.byte() % 5 {
                    let text = choices.text();
                    let words = match choices.byte() % 3 {
                        0 => String::new(),
                        _ => choices.words(&text),
                    };
                    parts.push((text, words));
                }
                let utterances: Vec<_> = parts
                    .iter()
                    .map(|(text, words)| Utterance {
                        text: Cow::Borrowed(text),
                        definite: choices.byte().is_multiple_of(4),
                        start: choices.time(),
                        end: choices.time(),
                        words: Words::from_raw(words),
                        additions: Additions::from_raw(
                            ["", r#"{"a":"b"}"#][usize::from(choices.byte() % 2)],
                        ),
                    })
                    .collect();
                let response = Response {
                    duration,
                    text: (choice % 2 == 0).then_some(Cow::Borrowed(&*text)),
                    utterances: (choice < 14).then_some(utterances),
                    ..Response::default()
                };
                let worked = tracker.processed_until();
                tracker.respond(&response, sent, last, &mut updates);
                assert!(tracker.processed_until() >= worked, "work is undone");
                assert!(
                    !last || !tracker.has_open(),
                    "open after the final response"
                );
            }
        }
        reported.check(&mut updates);
        assert!(tracker.replay_needed_from() <= tracker.processed_until().max(sent));
    }
    tracker.finalize_unconfirmed(&mut updates);
    reported.check(&mut updates);
    assert!(
        reported.ended.iter().all(|ended| *ended),
        "announced and never ended: {:?}",
        reported.ended
    );
});
