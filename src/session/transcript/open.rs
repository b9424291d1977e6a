//! An utterance that is announced and not final.
use std::borrow::Cow;
use std::cell::Cell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use super::entry::{self, Entry};
use super::settled::Settled;
use super::span::Span;
use super::text::Fingerprint;
use super::words;
use super::{Update, Word};
use crate::protocol::response::{Response, Utterance};

/// Longer an utterance is not; what is beyond is cut off. Without a list, it is all that a session says: hours of it.
const MAX_TEXT: usize = 1 << 20;

/// Names and values of an utterance's attributes are together at most so long; further ones are left out.
const MAX_ATTRIBUTES: usize = 1 << 16;

/// What a response says about one utterance.
pub(super) struct Heard<'r, 'a> {
    text: Cow<'r, str>,
    pub definite: bool,
    /// The words that are left of it, where some were settled before.
    rest: Option<Vec<Word>>,
    /// `None`: the response has nothing but a text.
    utterance: Option<&'r Utterance<'a>>,
    span: Span,
    origin: Duration,
    /// How many words of the response may still be read.
    words_left: &'r Cell<usize>,
}

impl<'r, 'a> Heard<'r, 'a> {
    pub fn new(
        response: &'r Response<'a>,
        entry: &mut Entry,
        origin: Duration,
        words_left: &'r Cell<usize>,
    ) -> Self {
        let utterance = entry.utterance(response);
        let whole = entry.text(response);
        let rest = entry.rest.take();
        let end = whole.floor_char_boundary(MAX_TEXT);
        let (text, rest) = match whole {
            whole if whole.len() == end => (whole, rest),
            Cow::Borrowed(whole) => (Cow::Borrowed(&whole[..end]), None),
            Cow::Owned(whole) => (Cow::Owned(whole[..end].to_owned()), None),
        };
        Self {
            text,
            definite: utterance.is_some_and(|u| u.definite),
            rest,
            utterance,
            span: entry.span,
            origin,
            words_left,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    fn words_hash(&self) -> u64 {
        let words = self.utterance.map(|u| u.words.raw());
        hash((words, self.rest.is_some(), self.origin))
    }

    fn attributes_hash(&self) -> u64 {
        hash(self.utterance.map(|u| &u.additions))
    }

    fn words(&mut self) -> Vec<Word> {
        match (self.rest.take(), self.utterance) {
            (Some(rest), _) => rest,
            (None, Some(u)) if !self.is_empty() => {
                let begins = Some(self.span.start);
                words::cut(
                    &self.text,
                    u.words.within(self.words_left),
                    self.origin,
                    begins,
                )
            }
            _ => Vec::new(),
        }
    }

    /// By name, so that another order is no change.
    fn attributes(&self) -> Vec<(String, String)> {
        let additions = self.utterance.iter().flat_map(|u| u.additions.iter());
        let mut left = MAX_ATTRIBUTES;
        let mut attributes: Vec<_> = additions
            .map_while(|(name, value)| {
                left = left.checked_sub(name.len() + value.len())?;
                Some((name.into_owned(), value.into_owned()))
            })
            .collect();
        attributes.sort_by(|a, b| a.0.cmp(&b.0));
        attributes.dedup_by(|a, b| a.0 == b.0);
        attributes
    }
}

#[derive(Debug, Default)]
pub(super) struct Open {
    pub number: u32,
    pub text: String,
    pub words: Vec<Word>,
    attributes: Vec<(String, String)>,
    /// Of the JSON that the words and attributes were read from: while it is the same, it need not be read again.
    words_hash: u64,
    attributes_hash: u64,
    pub span: Span,
    /// Where what is left of it begins, if its first words were settled under another number.
    pub left: Option<Duration>,
    /// This response lists it.
    pub listed: bool,
    /// Its final update is out.
    pub ended: bool,
}

impl Open {
    pub fn new(number: u32, heard: Heard<'_, '_>) -> Self {
        let mut open = Self {
            number,
            span: heard.span,
            listed: true,
            ..Self::default()
        };
        open.revise(heard);
        open
    }

    /// Takes up what is heard now. Returns whether its text or attributes changed: times alone are no news, but the
    /// last ones are told with the next change.
    pub fn revise(&mut self, mut heard: Heard<'_, '_>) -> bool {
        let mut changed = self.text != heard.text;
        // With other punctuation it ends where it did.
        let grown = changed && Fingerprint::of(&self.text) != Fingerprint::of(&heard.text);
        heard.span = heard.span.revising(self.span, grown);
        self.span = heard.span;
        let words_hash = heard.words_hash();
        if changed {
            self.text.clear();
            self.text.push_str(&heard.text);
        }
        if changed || self.words_hash != words_hash {
            self.words = heard.words();
            self.words_hash = words_hash;
        }
        let attributes_hash = heard.attributes_hash();
        if self.attributes_hash != attributes_hash {
            self.attributes_hash = attributes_hash;
            let attributes = heard.attributes();
            changed |= self.attributes != attributes;
            self.attributes = attributes;
        }
        changed
    }

    /// Where the first of it begins that is not settled.
    pub fn unsettled_from(&self) -> Duration {
        self.left.unwrap_or(self.span.start)
    }

    /// Finds out where what is left of it begins beside what was settled out of it.
    pub fn compare(&mut self, settled: &Settled) {
        self.left = None;
        let parts = self.settled_parts(settled);
        if parts.is_empty() {
            return;
        }
        // Only what surely lies inside counts: what is sent once too often is known when it comes again.
        let left = |w: &&Word| {
            words::middle(w).is_some_and(|middle| !parts.iter().any(|s| s.contains(middle)))
        };
        let first = self.words.iter().find(left).and_then(|w| w.start);
        self.left = first.filter(|first| *first > self.span.start);
    }

    /// Leaves out the words that were settled under other numbers, as an entry would lose them: nobody will tell that they are
    /// no part of it any more.
    pub fn leave_settled(&mut self, settled: &Settled) {
        let parts = self.settled_parts(settled);
        if parts.is_empty() || !self.has_times() {
            return;
        }
        let mut kept = self.words.clone();
        words::keep(&mut kept, |middle| {
            !parts.iter().any(|s| s.contains_about(middle))
        });
        if kept.len() < self.words.len() {
            self.text = words::join(&kept);
            self.span = entry::span_of_rest(&kept, self.span);
            self.words = kept;
        }
    }

    /// What was settled out of it. What only touches it is another utterance, whose end or its own start is not exact.
    fn settled_parts(&self, settled: &Settled) -> Vec<Span> {
        let span = self.span;
        let forgotten = settled
            .forgotten()
            .map(|end| Span::new(Duration::ZERO, end));
        settled
            .overlapping(span)
            .filter(|s| s.mostly_overlaps(span))
            .chain(forgotten.filter(|s| s.overlap(span) > Duration::ZERO))
            .collect()
    }

    /// Whether any of its words has times.
    pub fn has_times(&self) -> bool {
        self.words.iter().any(|w| words::middle(w).is_some())
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// How many bytes it holds, about.
    pub fn bytes(&self) -> usize {
        let words = self.words.iter();
        let attributes = self.attributes.iter();
        self.text.len()
            + words.map(|w| w.text.len()).sum::<usize>()
            + size_of_val(&self.words[..])
            + attributes.map(|(n, v)| n.len() + v.len()).sum::<usize>()
    }

    /// It says nothing any more.
    pub fn clear(&mut self) {
        self.text.clear();
        self.words.clear();
    }

    pub fn interim(&self) -> Update {
        Update {
            number: self.number,
            text: self.text.clone(),
            is_final: false,
            unconfirmed: false,
            start: self.span.known_start(),
            end: self.span.known_end(),
            words: self.words.clone(),
            attributes: self.attributes.clone(),
        }
    }

    /// Its final update, which takes over what it holds.
    pub fn last(&mut self, unconfirmed: bool) -> Update {
        // What is withdrawn says nothing that could be confirmed.
        let unconfirmed = unconfirmed && !self.is_empty();
        Update {
            number: self.number,
            text: std::mem::take(&mut self.text),
            is_final: true,
            unconfirmed,
            start: self.span.known_start(),
            end: self.span.known_end(),
            words: std::mem::take(&mut self.words),
            attributes: std::mem::take(&mut self.attributes),
        }
    }
}

/// Within one run of the program, the same for the same value.
fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
