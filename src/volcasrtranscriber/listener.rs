//! From the client's events to the schedule: utterances with the pipeline's times.

use std::sync::Arc;
use std::time::Duration;

use super::output::TextPad;
use super::schedule::{Utterance, Word, shares};
use super::unsynced::Unsynced;
use crate::client::Event;
use crate::element::bus::outbox::Listener;
use crate::element::timeline::{Timeline, Times};
use crate::session::transcript::Update;

/// Attribute of an utterance that names its speaker.
const SPEAKER: &str = "speaker_id";

/// Takes the events of one run.
pub(super) struct TextListener {
    /// Number of the run.
    pub run: u64,
    pub output: Arc<TextPad>,
    pub unsynced: Arc<Unsynced>,
}

impl Listener for TextListener {
    fn on_event(&self, epoch: u64, event: &Event, timeline: &Timeline) {
        match event {
            Event::Transcript { stream, update, .. } => {
                let utterance = utterance(timeline, *stream, update);
                self.output
                    .update((self.run, epoch), |schedule| schedule.utterance(utterance));
            }
            Event::Settled { stream, until } | Event::Quiet { stream, until } => {
                let is_settled = matches!(event, Event::Settled { .. });
                let until = timeline.times(*stream, Some(*until), None).timestamp;
                if let Some(until) = until.map(Duration::from) {
                    self.output
                        .update((self.run, epoch), |schedule| match is_settled {
                            true => schedule.settled(until),
                            false => schedule.quiet(until),
                        });
                }
            }
            Event::BoundaryDone { token } => {
                if self.run == self.output.run() {
                    self.unsynced.done(*token);
                }
                self.output
                    .update((self.run, epoch), |schedule| schedule.done(*token));
            }
            Event::Ids { .. } => self.output.session_begins((self.run, epoch)),
            Event::Response { json, .. } if self.run == self.output.run() => {
                self.unsynced.response(json);
            }
            _ => {}
        }
    }

    fn on_done_posted(&self, token: u64) {
        self.output.posted(self.run, token);
    }

    fn on_failure_posted(&self) {
        self.output.fail(self.run);
    }

    fn on_refusal_posted(&self) {
        self.output.refusal_posted(self.run);
    }
}

fn utterance(timeline: &Timeline, stream: u32, update: &Update) -> Utterance {
    let times = timeline.times(stream, update.start, update.end);
    let (start, end) = span(times);
    let mut at = start;
    let mut words = Vec::with_capacity(update.words.len());
    for word in &update.words {
        let text = word.text.trim();
        if text.is_empty() {
            continue;
        }
        let (begins, ends) = span(timeline.times(stream, word.start, word.end));
        // A missing or decreasing start is replaced by the previous word's.
        let begins = begins
            .or(at)
            .unwrap_or_default()
            .max(at.unwrap_or_default());
        words.push(Word {
            text: text.to_owned(),
            start: begins,
            end: ends.unwrap_or(begins).max(begins),
        });
        at = Some(begins);
    }
    let has_times = !words.is_empty();
    if !has_times {
        let start = start.unwrap_or_default();
        words = shares(&update.text, start, end.unwrap_or(start));
    }
    let speaker = update.attributes.iter().find(|(name, _)| name == SPEAKER);
    Utterance {
        number: update.number,
        text: update.text.trim().to_owned(),
        is_final: update.is_final,
        start,
        end,
        words,
        has_times,
        speaker: speaker.map(|(_, speaker)| speaker.clone()),
    }
}

fn span(times: Times) -> (Option<Duration>, Option<Duration>) {
    let start = times.timestamp;
    let end = start.map(|start| start.saturating_add(times.duration.unwrap_or_default()));
    (start.map(Duration::from), end.map(Duration::from))
}
