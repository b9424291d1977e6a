//! A word of an utterance, with its times.

use std::time::Duration;

/// A word of an utterance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// The word, with or without the spaces and punctuation around it.
    pub text: String,
    /// Time at which it begins, if known.
    pub start: Option<Duration>,
    /// Time at which it ends, if known.
    pub end: Option<Duration>,
}
