//! One utterance, as the message `volcasr-transcript` says it.

use std::collections::BTreeMap;

use serde::Serialize;

/// One utterance as it stands. The names of the JSON lines are those of the message; times are nanoseconds.
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

/// When it was heard, each where known.
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
    /// Reads the message's structure; none if it is another one's.
    pub fn parse(s: &gst::StructureRef) -> Option<Self> {
        if s.name() != "volcasr-transcript" {
            return None;
        }
        let words = s.get::<gst::Array>("words").ok();
        let attributes = s.get::<gst::Structure>("attributes").ok();
        Some(Transcript {
            text: s.get("text").ok()?,
            is_final: s.get("final").ok()?,
            unconfirmed: s.get("unconfirmed").ok()?,
            utterance: s.get("utterance").ok()?,
            stream: s.get("stream").ok()?,
            stream_id: s.get("stream-id").ok(),
            session: s.get("session").ok()?,
            times: Times::parse(s),
            words: words
                .iter()
                .flat_map(|words| words.iter())
                .filter_map(|word| word.get::<gst::Structure>().ok())
                .filter_map(|word| Word::parse(&word))
                .collect(),
            attributes: attributes
                .iter()
                .flat_map(|attributes| attributes.iter())
                .filter_map(|(name, value)| Some((name.to_string(), value.get().ok()?)))
                .collect(),
        })
    }

    /// Whether it says something; a withdrawn one does not.
    pub fn has_text(&self) -> bool {
        !self.text.trim().is_empty()
    }

    /// Whether it was said before `other`. Without times, the numbers tell.
    pub fn is_before(&self, other: &Transcript) -> bool {
        match (self.times.timestamp, other.times.timestamp) {
            (Some(own), Some(its)) => (own, self.utterance) < (its, other.utterance),
            _ => self.utterance < other.utterance,
        }
    }
}

impl Word {
    fn parse(s: &gst::StructureRef) -> Option<Self> {
        Some(Word {
            text: s.get("text").ok()?,
            times: Times::parse(s),
        })
    }
}

impl Times {
    fn parse(s: &gst::StructureRef) -> Self {
        Times {
            timestamp: s.get("timestamp").ok(),
            stream_time: s.get("stream-time").ok(),
            running_time: s.get("running-time").ok(),
            duration: s.get("duration").ok(),
        }
    }

    /// The place in the file; where that is not known, the next best.
    pub fn start(&self) -> Option<u64> {
        self.stream_time.or(self.timestamp).or(self.running_time)
    }
}
