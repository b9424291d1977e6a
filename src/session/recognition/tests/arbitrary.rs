//! Any sequence of inputs, in any order and at any time: what must hold all the same.
use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;

use super::harness::Harness;
use crate::session::recognition::State;
use crate::session::tests::ms;
use crate::session::time_to_samples;

/// Inputs that take no further choice, more frequent ones more often.
const INPUTS: &str = "ready, ready, connected, connected, connected, connected, refused soon, \
    refused later, refused limited, refused stale, late, written, written, close-done, close-done, \
    say -, say -, say -, last -, last 1000 x@0-900, error 45000081, error 55000031, \
    error 45000001, garbage, text, closed 1000, closed 1011, reset, write-failed, quiet, \
    end-session, end, stream, flush, hold, slow";

#[derive(Debug, Clone)]
enum Step {
    Input(&'static str),
    Audio(u64),
    Say(u64, u64, bool),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => prop::sample::select(Vec::from_iter(INPUTS.split(", "))).prop_map(Step::Input),
        4 => (1u64..900).prop_map(Step::Audio),
        4 => (0u64..4000, 0u64..4000, any::<bool>()).prop_map(|(d, s, f)| Step::Say(d, s, f)),
        6 => (0u64..3000).prop_map(Step::Wait),
    ]
}

/// Follows what a harness reports.
#[derive(Default)]
struct Reader {
    stream: u32,
    /// The stream's utterances by number: whether each is final.
    utterances: BTreeMap<u32, bool>,
    next_sequence: Option<i32>,
    /// Tokens of the ends that are not done yet.
    ends: VecDeque<usize>,
    failed: bool,
}

impl Reader {
    fn read(&mut self, harness: &mut Harness) -> Result<(), TestCaseError> {
        for text in harness.take() {
            prop_assert!(!self.failed, "after the failure: {text}");
            let words: Vec<&str> = text.split([' ', '-']).collect();
            match words[..] {
                ["request"] => self.next_sequence = Some(2),
                ["audio" | "again", first, last, ..] => {
                    prop_assert_eq!(first.parse().ok(), self.next_sequence, "{}", text);
                    self.next_sequence = last.parse().ok().map(|last: i32| last + 1);
                }
                ["finish" | "drain", number] => {
                    prop_assert_eq!(number.parse().ok(), self.next_sequence.take(), "{}", text);
                }
                ["done", token] => {
                    prop_assert_eq!(token.parse().ok(), self.ends.pop_front(), "{}", text);
                }
                ["failed" | "failed:", ..] => self.failed = true,
                [number, .., last] if number.parse::<u32>().is_ok() => {
                    let number = number.parse().unwrap_or_default();
                    let is_final = self.utterances.entry(number).or_default();
                    prop_assert!(!*is_final, "after its end: {text}");
                    *is_final = matches!(last, "F" | "U");
                }
                _ => {}
            }
        }
        let stream = harness.machine.stream.number;
        if self.stream != stream {
            self.stream = stream;
            let mut utterances = std::mem::take(&mut self.utterances).into_values();
            prop_assert!(
                utterances.all(|is_final| is_final),
                "a stream ended before them"
            );
        }
        Ok(())
    }
}

/// Runs up to `until`, and every deadline before that. There can't be many.
fn wait(harness: &mut Harness, until: u64, reader: &mut Reader) -> Result<(), TestCaseError> {
    let mut deadlines = 0;
    while let Some(at) = harness.machine.poll_timeout().filter(|at| *at <= ms(until)) {
        harness.now = harness.now.max(at);
        harness.run("timeout");
        // The driver says so when its deadline has passed and there is nothing to read.
        harness.run("quiet");
        reader.read(harness)?;
        deadlines += 1;
        prop_assert!(deadlines < 200, "a deadline that never ends: {at:?}");
    }
    harness.now = harness.now.max(ms(until));
    Ok(())
}

/// Lets the service answer everything: each end is done then, unless it fails for good.
fn finish(harness: &mut Harness, mut now: u64, reader: &mut Reader) -> Result<(), TestCaseError> {
    harness.holds_writes = false;
    harness.run("written");
    for _ in 0..1000 {
        if reader.failed || reader.ends.is_empty() {
            return Ok(());
        }
        for input in ["close-done", "connected", "say -"] {
            harness.run(input);
            reader.read(harness)?;
        }
        let state = &harness.machine.state;
        if matches!(state, State::Open(connection) if connection.is_finish_written()) {
            harness.run("last -");
            reader.read(harness)?;
        }
        now += 2000;
        wait(harness, now, reader)?;
    }
    let ends = &reader.ends;
    Err(TestCaseError::fail(format!("never done: {ends:?}")))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_rules_hold(
        settings in prop::sample::subsequence(vec![
            "idle 0", "session 1000", "replay 0", "reconnects 2", "speed 2", "single 1", "gzip 1",
        ], 0..4),
        holds in any::<bool>(),
        steps in prop::collection::vec(step(), 0..80),
    ) {
        let mut harness = Harness::new(settings);
        if holds {
            harness.run("hold");
        }
        let mut reader = Reader::default();
        let mut now = 0;
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Input("flush") => {
                    harness.run("flush");
                    reader.utterances.clear();
                    reader.ends.clear();
                }
                Step::Input("end") => {
                    reader.ends.push_back(number);
                    harness.run(&format!("end {number}"));
                }
                Step::Input("stream") => harness.run(&format!("stream {number}")),
                Step::Input(input) => harness.run(input),
                Step::Audio(length) => harness.run(&format!("audio {length}")),
                Step::Say(duration, start, is_final) => {
                    let mark = if is_final { "!" } else { "" };
                    harness.run(&format!("say {duration} w@{start}-{}{mark}", start + 200));
                }
                Step::Wait(length) => now += length,
            }
            reader.read(&mut harness)?;
            wait(&mut harness, now, &mut reader)?;
            let (kept, settings) = (&harness.machine.stream.replay_buffer, &harness.settings);
            let limit = time_to_samples(settings.replay_window, settings.request.rate);
            prop_assert!(kept.end() - kept.start() <= limit, "more than may be sent again");
        }
        finish(&mut harness, now, &mut reader)?;
        // The owner ends it. Then it waits for nothing any more.
        harness.run("abort");
        reader.read(&mut harness)?;
        prop_assert!(reader.failed);
        prop_assert_eq!(harness.machine.poll_timeout(), None);
        prop_assert!(reader.utterances.values().all(|is_final| *is_final));
    }
}
