//! Utterances that are announced and not final.
use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use super::listed::{self, ListedUtterance};
use super::settled::Settled;
use super::span::{Axis, Span};
use super::text::Fingerprint;
use super::update::{Update, Word};
use super::words;
use crate::protocol::response::{Response, Utterance};

/// The content of an entry, ready to become or to revise an open utterance.
pub(super) struct Candidate<'r, 'a> {
    text: Cow<'r, str>,
    pub definite: bool,
    /// Its remaining words, if some were settled before.
    remaining_words: Option<Vec<Word>>,
    /// `None` if the response has only a text.
    utterance: Option<&'r Utterance<'a>>,
    span: Span,
    axis: Axis,
}

impl<'r, 'a> Candidate<'r, 'a> {
    pub fn new(response: &'r Response<'a>, entry: &mut ListedUtterance, axis: Axis) -> Self {
        let utterance = entry.utterance(response);
        Self {
            text: entry.text(response),
            definite: utterance.is_some_and(|u| u.definite),
            remaining_words: entry.remaining_words.take(),
            utterance,
            span: entry.span,
            axis,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    fn words_hash(&self) -> u64 {
        let words = self.utterance.map(|u| u.words.raw());
        hash((words, self.remaining_words.is_some(), self.axis.origin))
    }

    fn attributes_hash(&self) -> u64 {
        hash(self.utterance.map(|u| &u.additions))
    }

    fn words(&mut self) -> Vec<Word> {
        match (self.remaining_words.take(), self.utterance) {
            (Some(rest), _) => rest,
            (None, Some(u)) if !self.is_empty() => {
                let begins = Some(self.span.start);
                words::align(&self.text, u.words.iter(), self.axis, begins)
            }
            _ => Vec::new(),
        }
    }

    /// Returns the attributes sorted by name, so that another order is no change.
    fn attributes(&self) -> Vec<(String, String)> {
        let additions = self.utterance.iter().flat_map(|u| u.additions.iter());
        let mut attributes: Vec<_> = additions
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        attributes.sort_by(|a, b| a.0.cmp(&b.0));
        attributes.dedup_by(|a, b| a.0 == b.0);
        attributes
    }
}

/// An utterance that is announced and not final.
#[derive(Debug, Clone, Default)]
pub(super) struct OpenUtterance {
    pub number: u32,
    pub text: String,
    pub words: Vec<Word>,
    attributes: Vec<(String, String)>,
    /// Hashes of the JSON of words and attributes, which is only read again when it changes.
    words_hash: u64,
    attributes_hash: u64,
    pub span: Span,
    /// Start of its remaining words, if its first words were settled under another number.
    pub unsettled_start: Option<Duration>,
    /// Whether the current response lists it.
    pub listed: bool,
    /// Whether its final update was appended.
    pub ended: bool,
}

impl OpenUtterance {
    pub fn new(number: u32, candidate: Candidate<'_, '_>) -> Self {
        let mut open = Self {
            number,
            span: candidate.span,
            listed: true,
            ..Self::default()
        };
        open.revise(candidate);
        open
    }

    /// Replaces its content. Returns whether text or attributes changed: new times alone are no
    /// news and wait for the next change.
    pub fn revise(&mut self, mut candidate: Candidate<'_, '_>) -> bool {
        let mut changed = self.text != candidate.text;
        // Other punctuation does not move an inferred end.
        let grown = changed && Fingerprint::of(&self.text) != Fingerprint::of(&candidate.text);
        candidate.span = candidate.span.revising(self.span, grown);
        self.span = candidate.span;
        let words_hash = candidate.words_hash();
        if changed {
            self.text.clear();
            self.text.push_str(&candidate.text);
        }
        if changed || self.words_hash != words_hash {
            self.words = candidate.words();
            self.words_hash = words_hash;
        }
        // A text alone says nothing about them.
        let attributes_hash = candidate.attributes_hash();
        if candidate.utterance.is_some() && self.attributes_hash != attributes_hash {
            self.attributes_hash = attributes_hash;
            let attributes = candidate.attributes();
            changed |= self.attributes != attributes;
            self.attributes = attributes;
        }
        changed
    }

    /// Returns the start of its first words that are not settled.
    pub fn unsettled_from(&self) -> Duration {
        self.unsettled_start.unwrap_or(self.span.start)
    }

    /// Finds the start of its remaining words after some were settled under other numbers.
    pub fn update_unsettled_start(&mut self, settled: &Settled) {
        self.unsettled_start = None;
        let parts = self.settled_parts(settled);
        if parts.is_empty() {
            return;
        }
        // Only words that surely lie inside count. Audio that is replayed needlessly is recognised
        // as a repeat; audio that is missing is not.
        let left = |w: &&Word| {
            words::midpoint(w).is_some_and(|middle| !parts.iter().any(|s| s.contains(middle)))
        };
        let first = self.words.iter().find(left).and_then(|w| w.start);
        self.unsettled_start = first.filter(|first| *first > self.span.start);
    }

    /// Drops the words that were settled under other numbers. No later response will take them out.
    pub fn drop_settled_words(&mut self, settled: &Settled) {
        let parts = self.settled_parts(settled);
        if parts.is_empty() || !self.has_times() {
            return;
        }
        let mut kept = self.words.clone();
        words::retain_by_time(&mut kept, |middle| {
            !parts.iter().any(|s| s.contains_within_tolerance(middle))
        });
        if kept.len() < self.words.len() {
            self.text = words::join(&kept);
            self.span = listed::span_of_remaining(&kept, self.span);
            self.words = kept;
        }
    }

    /// Returns the settled spans that were part of it. A span that only touches it is another
    /// utterance, for times are not exact.
    fn settled_parts(&self, settled: &Settled) -> Vec<Span> {
        let span = self.span;
        let pruned = settled
            .pruned_until()
            .map(|end| Span::new(Duration::ZERO, end));
        settled
            .overlapping(span)
            .filter(|s| s.mostly_overlaps(span))
            .chain(pruned.filter(|s| s.overlap(span) > Duration::ZERO))
            .collect()
    }

    /// Returns whether any of its words has times.
    pub fn has_times(&self) -> bool {
        self.words.iter().any(|w| words::midpoint(w).is_some())
    }

    /// Returns whether it has no text.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Returns the bytes that it holds, about.
    pub fn bytes(&self) -> usize {
        let words = self.words.iter();
        let attributes = self.attributes.iter();
        self.text.len()
            + words.map(|w| w.text.len()).sum::<usize>()
            + size_of_val(&self.words[..])
            + attributes.map(|(n, v)| n.len() + v.len()).sum::<usize>()
    }

    /// Drops its text, which withdraws it.
    pub fn clear(&mut self) {
        self.text.clear();
        self.words.clear();
    }

    pub fn interim(&self) -> Update {
        self.clone().into_update()
    }

    pub fn into_final(self, unconfirmed: bool) -> Update {
        // A withdrawn utterance has nothing to confirm.
        let unconfirmed = unconfirmed && !self.is_empty();
        Update {
            is_final: true,
            unconfirmed,
            ..self.into_update()
        }
    }

    fn into_update(self) -> Update {
        Update {
            number: self.number,
            text: self.text,
            is_final: false,
            unconfirmed: false,
            start: self.span.known_start(),
            end: self.span.known_end(),
            words: self.words,
            attributes: self.attributes,
        }
    }
}

/// Returns a hash that is stable within one run of the program.
fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
