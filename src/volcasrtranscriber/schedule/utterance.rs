//! Utterances as the schedule takes them.

use std::time::Duration;

/// A stretch of text with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::volcasrtranscriber) struct Word {
    pub text: String,
    pub start: Duration,
    pub end: Duration,
}

/// An utterance as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::volcasrtranscriber) struct Utterance {
    /// Number in its stream, which replaces what came under it before.
    pub number: u32,
    /// Empty if it is withdrawn.
    pub text: String,
    pub is_final: bool,
    pub start: Option<Duration>,
    pub end: Option<Duration>,
    /// Its words, where they are known: without blank ones, with times that only grow.
    pub words: Vec<Word>,
    /// The service gave the times of the words.
    pub has_times: bool,
    pub speaker: Option<String>,
}
