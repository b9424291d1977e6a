//! The pipeline's messages as values that the commands act on.

use std::collections::BTreeMap;

use crate::failure::{Failure, Kind, kind_of, without_secrets};
use crate::output::transcript::Transcript;
use crate::pipeline::source;

/// The kind of the warning that the last words did not come.
pub const FINISH_TIMEOUT: &str = "volcasr-finish-timeout";

/// The kind of warnings about settings: each is one of its own.
const SETTING: &str = "volcasr-setting";

/// A message of interest.
#[derive(Debug)]
pub enum News {
    /// An utterance is new, or has changed.
    Transcript(Transcript),
    /// The progress `connect`: the first connection is on its way, or is there.
    Connect(gst::ProgressType),
    /// A line about the track that is selected.
    Track(String),
    /// A problem after which the pipeline goes on.
    Warning(Warning),
    /// The input has failed; what was read of it may still be recognised.
    InputFailed(Failure),
    /// The end after a failure. The first one is the cause; others are other elements' errors
    /// that follow from it.
    Failed(Failure),
    /// The end: all words have come.
    Ended,
    /// The last words have not come in time.
    Late,
}

/// A warning.
#[derive(Debug)]
pub struct Warning {
    /// Its details' name, as `volcasr-reconnect`, or else its text; of a setting its text.
    pub kind: String,
    pub text: String,
    /// Of `volcasr-reconnect`: the number of the attempt.
    pub attempt: Option<u32>,
    /// Of `volcasr-reconnect`: what failed.
    pub reason: Option<String>,
    /// Of `volcasr-reconnect`: whether the service has no room.
    pub is_busy: bool,
}

impl News {
    /// Reads a message; `None` if it is of no interest. `is_sink` tells the element's own messages
    /// from others.
    pub fn of(
        message: &gst::Message,
        is_sink: impl Fn(Option<&gst::Object>) -> bool,
    ) -> Option<Self> {
        match message.view() {
            gst::MessageView::Element(_) => {
                let transcript = gstvolcasr::Transcript::from_message(message)?;
                Some(News::Transcript(transcript.into()))
            }
            gst::MessageView::Application(own) => {
                let structure = own.structure()?;
                let text: String = structure.get("text").ok()?;
                match structure.name().as_str() {
                    source::TRACK => Some(News::Track(text)),
                    source::UNHEARD => Some(News::Failed(text.into())),
                    _ => None,
                }
            }
            gst::MessageView::Progress(progress) => {
                let (kind, code, _) = progress.get();
                (code == "connect").then_some(News::Connect(kind))
            }
            gst::MessageView::Warning(warning) => Some(News::Warning(Warning::of(warning))),
            gst::MessageView::Error(error) => {
                let failure = Failure::from_message(error);
                Some(match is_sink(message.src()) {
                    true => News::Failed(failure),
                    false => News::InputFailed(failure),
                })
            }
            gst::MessageView::Eos(_) => Some(News::Ended),
            _ => None,
        }
    }
}

impl Warning {
    /// Reads a message.
    pub fn of(warning: &gst::message::Warning) -> Self {
        let text = without_secrets(warning.error().message());
        let details = warning.details();
        let name = details.map(|details| details.name().to_string());
        let error = details.and_then(|details| details.get::<gst::Structure>("error").ok());
        let attempt = details.and_then(|details| details.get("attempt").ok());
        Warning {
            // Behind the number of the attempt stands what failed.
            reason: attempt.and_then(|_: u32| {
                let (_, reason) = text.split_once("): ")?;
                Some(reason.to_owned())
            }),
            attempt,
            is_busy: error.is_some_and(|error| kind_of(&error) == Kind::Later),
            kind: name
                .filter(|name| name != SETTING)
                .unwrap_or_else(|| text.clone()),
            text,
        }
    }
}

/// Counts warnings, so that each kind is reported once however often it comes.
#[derive(Debug, Default)]
pub struct Warnings(BTreeMap<String, u32>);

impl Warnings {
    /// Returns the text to report; `None` if one of its kind was reported.
    pub fn take(&mut self, warning: &Warning) -> Option<String> {
        let count = self.0.entry(warning.kind.clone()).or_default();
        *count += 1;
        (*count == 1).then(|| warning.text.clone())
    }

    /// Returns the texts that came more than once, to be reported at the end.
    pub fn repeated(&self) -> impl Iterator<Item = (&str, u32)> {
        let repeated = self.0.iter().filter(|(_, count)| **count > 1);
        repeated.map(|(kind, count)| (kind.as_str(), *count))
    }

    /// Whether one of this kind came.
    pub fn has(&self, kind: &str) -> bool {
        self.0.contains_key(kind)
    }
}
