//! One utterance, as the message `volcasr-transcript` says it.

use std::collections::BTreeMap;

use serde::Serialize;

/// One utterance as it stands. The names of the JSON lines are those of the message; times are
/// nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Transcript {
    pub text: String,
    #[serde(rename = "final")]
    pub is_final: bool,
    pub unconfirmed: bool,
    pub utterance: u32,
    pub stream: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream_id: Option<String>,
    pub session: u32,
    #[serde(flatten)]
    pub times: Times,
    pub words: Vec<Word>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

/// A word, with the spaces and punctuation around it: joined they give the text.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Word {
    pub text: String,
    #[serde(flatten)]
    pub times: Times,
}

/// When it was said, each where known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Times {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream_time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running_time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<u64>,
}

impl Transcript {
    /// Whether it says something; a withdrawn one does not.
    pub fn has_text(&self) -> bool {
        !self.text.trim().is_empty()
    }

    /// Name of the speaker, where the service tells speakers apart.
    pub fn speaker(&self) -> Option<String> {
        let id = self.attributes.get("speaker_id").map(|id| id.trim());
        id.filter(|id| !id.is_empty())
            .map(|id| match id.chars().all(|c| c.is_ascii_digit()) {
                true => format!("Speaker {id}"),
                false => crate::failure::one_line(id),
            })
    }

    /// Counts the place in the input from its first sample, which is at `begin` nanoseconds.
    pub fn count_from(&mut self, begin: u64) {
        let words = self.words.iter_mut().map(|word| &mut word.times);
        for times in words.chain([&mut self.times]) {
            times.stream_time = times.stream_time.map(|time| time.saturating_sub(begin));
        }
    }

    /// Whether it was said before `other`. Without times, the numbers decide.
    pub fn is_before(&self, other: &Transcript) -> bool {
        match (self.times.timestamp, other.times.timestamp) {
            (Some(own), Some(its)) => (own, self.utterance) < (its, other.utterance),
            _ => self.utterance < other.utterance,
        }
    }
}

impl From<gstvolcasr::Transcript> for Transcript {
    fn from(t: gstvolcasr::Transcript) -> Self {
        let word = |word: gstvolcasr::Word| Word {
            text: word.text,
            times: word.times.into(),
        };
        Transcript {
            text: t.text,
            is_final: t.is_final,
            unconfirmed: t.unconfirmed,
            utterance: t.utterance,
            stream: t.stream,
            stream_id: t.stream_id,
            session: t.session,
            times: t.times.into(),
            words: t.words.into_iter().map(word).collect(),
            attributes: t.attributes,
        }
    }
}

impl From<gstvolcasr::Times> for Times {
    fn from(times: gstvolcasr::Times) -> Self {
        let nanos = |time: Option<gst::ClockTime>| time.map(gst::ClockTime::nseconds);
        Times {
            timestamp: nanos(times.timestamp),
            stream_time: nanos(times.stream_time),
            running_time: nanos(times.running_time),
            duration: nanos(times.duration),
        }
    }
}

impl Times {
    /// The place in the file; where that is not known, the next best.
    pub fn start(&self) -> Option<u64> {
        self.stream_time.or(self.timestamp).or(self.running_time)
    }

    /// Returns the end's place in the file; `None` without a duration.
    pub fn end(&self) -> Option<u64> {
        Some(self.start()?.saturating_add(self.duration?))
    }
}

/// Returns a final utterance for tests; it begins at the millisecond `start` and takes `ms`.
#[cfg(test)]
pub fn example(utterance: u32, text: &str, start: u64, ms: u64) -> Transcript {
    Transcript {
        text: text.to_owned(),
        is_final: true,
        utterance,
        times: Times {
            timestamp: Some(start * 1_000_000),
            stream_time: Some(start * 1_000_000),
            running_time: Some(start * 1_000_000),
            duration: Some(ms * 1_000_000),
        },
        ..Transcript::default()
    }
}
