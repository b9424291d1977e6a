//! What the pipeline's messages mean to a program that recognises.

use std::collections::BTreeMap;

use super::failure::{Failure, one_line};
use super::transcript::Transcript;

/// The kind of the warning that the last words did not come.
pub const FINISH_TIMEOUT: &str = "volcasr-finish-timeout";

/// A message of interest.
#[derive(Debug)]
pub enum News {
    /// An utterance is new, or has changed.
    Transcript(Transcript),
    /// The progress `connect`: the first connection is on its way, or is there.
    Connect(gst::ProgressType),
    /// Something that the pipeline survives.
    Warning(Warning),
    /// The end, and no good one. The first one is the cause; others are other elements' complaints about it.
    Failed(Failure),
    /// The end: everything is said.
    Ended,
}

/// A warning.
#[derive(Debug)]
pub struct Warning {
    /// What it is about: its details' name, as `volcasr-reconnect`, or else its text.
    pub kind: String,
    pub text: String,
    /// Of `volcasr-reconnect`: the number of the try.
    pub attempt: Option<u32>,
}

impl News {
    /// None: of no interest.
    pub fn of(message: &gst::Message) -> Option<Self> {
        match message.view() {
            gst::MessageView::Element(_) => {
                let transcript = gstvolcasr::Transcript::from_message(message)?;
                Some(News::Transcript(transcript.into()))
            }
            gst::MessageView::Progress(progress) => {
                let (kind, code, _) = progress.get();
                (code == "connect").then_some(News::Connect(kind))
            }
            gst::MessageView::Warning(warning) => {
                let text = one_line(warning.error().message());
                let details = warning.details();
                Some(News::Warning(Warning {
                    kind: details
                        .map_or_else(|| text.clone(), |details| details.name().to_string()),
                    attempt: details.and_then(|details| details.get("attempt").ok()),
                    text,
                }))
            }
            gst::MessageView::Error(error) => Some(News::Failed(Failure::from_message(error))),
            gst::MessageView::Eos(_) => Some(News::Ended),
            _ => None,
        }
    }
}

/// Counts warnings, so that each kind is told once however often it comes.
#[derive(Debug, Default)]
pub struct Warnings(BTreeMap<String, u32>);

impl Warnings {
    /// The text to tell: none if one of its kind was told.
    pub fn take(&mut self, warning: &Warning) -> Option<String> {
        let count = self.0.entry(warning.kind.clone()).or_default();
        *count += 1;
        (*count == 1).then(|| warning.text.clone())
    }

    /// What came more than once, to be told at the end.
    pub fn repeated(&self) -> impl Iterator<Item = (&str, u32)> {
        let repeated = self.0.iter().filter(|(_, count)| **count > 1);
        repeated.map(|(kind, count)| (kind.as_str(), *count))
    }

    /// Whether one of this kind came.
    pub fn has(&self, kind: &str) -> bool {
        self.0.contains_key(kind)
    }
}
