//! What the tracker tells.
use std::time::Duration;

/// What to tell about one utterance: it replaces what its number said before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// 0, 1, 2 … by first appearance in the stream.
    pub number: u32,
    /// The utterance as it stands. Empty: withdrawn.
    pub text: String,
    /// It will not change any more. Comes once for each number.
    pub is_final: bool,
    /// Final, but what was heard last, not what the service settled on.
    pub unconfirmed: bool,
    /// Where it begins on the stream's axis, where the service says so.
    pub start: Option<Duration>,
    /// Where it ends, likewise.
    pub end: Option<Duration>,
    /// Its words; joined they give `text`. Empty where the service lists none.
    pub words: Vec<Word>,
    /// What else is known of it, by name: the response's `additions`.
    pub attributes: Vec<(String, String)>,
}

/// A word of an [`Update`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The word with the spaces and punctuation that follow it; the first also with what precedes it.
    pub text: String,
    /// Where it begins on the stream's axis, where the service says so.
    pub start: Option<Duration>,
    /// Where it ends, likewise. Mostly 80 ms after its start, whatever its sound.
    pub end: Option<Duration>,
}
