//! The tracker's output.
use std::time::Duration;

/// News of one utterance. It replaces what was said under its number before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Update {
    /// 0, 1, 2 … by first appearance in the stream.
    pub number: u32,
    /// The utterance as it stands. Empty if it is withdrawn.
    pub text: String,
    /// Whether it is final. Comes once for each number.
    pub is_final: bool,
    /// Final, but not confirmed by the service: the last text that was recognised.
    pub unconfirmed: bool,
    /// Start on the stream's axis; `None` where the service gives no time at all.
    pub start: Option<Duration>,
    /// End on the stream's axis; `None` where the service gives none.
    pub end: Option<Duration>,
    /// Its words. Joined they give `text`. Empty where the service lists none.
    pub words: Vec<Word>,
    /// Names and values that the service adds.
    pub attributes: Vec<(String, String)>,
}

impl Update {
    /// Returns about how many bytes its text, words and attributes take.
    pub fn bytes(&self) -> usize {
        let words = self.words.iter().map(|word| word.text.len());
        let attributes = self.attributes.iter().map(|(n, v)| n.len() + v.len());
        self.text.len() + words.chain(attributes).sum::<usize>() + size_of_val(&self.words[..])
    }
}

/// A word of an [`Update`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The word with the spaces and punctuation that follow it; the first one also with what
    /// precedes it.
    pub text: String,
    /// Start on the stream's axis, where the service gives it.
    pub start: Option<Duration>,
    /// End on the stream's axis, where the service gives it. Mostly 80 ms after the start, however
    /// long the word sounds.
    pub end: Option<Duration>,
}
