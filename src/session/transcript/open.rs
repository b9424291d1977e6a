//! Utterances that are announced and not final.
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use super::listed::Entry;
use super::settled::Settled;
use super::span::{Axis, Span};
use super::text::Fingerprint;
use super::update::{Update, Word};
use super::words::{self, KnownWord};

/// State by which the entries of a response are applied.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rules {
    pub axis: Axis,
    /// No speech begins before this position that was not known before the response.
    pub floor: Duration,
    /// No interim result is shown.
    pub held: bool,
    /// All entries are final.
    pub last: bool,
}

/// An utterance that is announced and not final.
#[derive(Debug, Clone, Default)]
pub(super) struct OpenUtterance {
    /// The last update but for its times, which follow from `span`.
    update: Update,
    /// Hashes of the JSON of words and attributes, which is only read again when it changes.
    words_hash: u64,
    attributes_hash: u64,
    pub span: Span,
    /// Where its speech begins at the earliest, while its start is inferred. That may be earlier:
    /// the end before it, behind which the audio has left the replay buffer.
    floor: Duration,
}

impl OpenUtterance {
    pub fn new(number: u32, entry: Entry<'_, '_>, rules: Rules) -> Self {
        let mut open = Self {
            span: entry.span,
            floor: rules.floor,
            ..Self::default()
        };
        open.update.number = number;
        open.revise(entry, rules.axis);
        open
    }

    pub fn number(&self) -> u32 {
        self.update.number
    }

    pub fn text(&self) -> &str {
        &self.update.text
    }

    pub fn words(&self) -> &[Word] {
        &self.update.words
    }

    /// Replaces its content. Returns whether text or attributes changed: new times alone are no
    /// news and wait for the next change.
    pub fn revise(&mut self, entry: Entry<'_, '_>, axis: Axis) -> bool {
        let known = &mut self.update;
        let is_reworded = known.text != entry.text;
        // Other punctuation does not move an inferred end.
        let grown = is_reworded && Fingerprint::of(&known.text) != Fingerprint::of(&entry.text);
        self.span = entry.span.revising(self.span, grown);
        let mut changed = is_reworded;
        // A text alone says nothing about attributes.
        if let Some(utterance) = entry.utterance
            && replace_hash(&mut self.attributes_hash, &utterance.additions)
        {
            let attributes = entry.attributes();
            changed |= known.attributes != attributes;
            known.attributes = attributes;
        }
        let words = entry.utterance.map(|utterance| utterance.words.raw());
        if replace_hash(&mut self.words_hash, (words, axis.origin)) || is_reworded {
            entry.text.as_ref().clone_into(&mut known.text);
            known.words = entry.into_words(axis, self.span.start);
        }
        changed
    }

    /// Returns the start of its first words that are not settled, if any.
    pub fn unsettled_from(&self, settled: &Settled) -> Option<Duration> {
        let parts = settled.parts_of(self.span, self.words());
        if parts.is_empty() || !words::are_timed(self.words()) {
            return Some(self.span.start);
        }
        // Only words that surely lie inside count. Audio that is replayed needlessly is recognised
        // as a repeat; audio that is missing is not.
        let left = |w: &&Word| {
            words::midpoint(w).is_none_or(|middle| !parts.iter().any(|p| p.contains(middle)))
        };
        let first = self.update.words.iter().find(left)?;
        Some(first.start.unwrap_or_default().max(self.span.start))
    }

    /// Returns whether all words of `other` are among its own.
    pub fn has_words_of(&self, other: &Self) -> bool {
        let has = |known: KnownWord| self.words().iter().any(|own| known.is(own));
        let mut others = other.words().iter();
        !other.words().is_empty() && others.all(|word| KnownWord::of(word).is_some_and(has))
    }

    /// Drops the words that were settled under other numbers. No later response will take them out.
    pub fn drop_settled_words(&mut self, settled: &Settled) {
        let parts = settled.parts_of(self.span, self.words());
        self.keep_words(words::midpoint, |middle| {
            !parts.iter().any(|part| part.may_contain(middle))
        });
    }

    /// Drops the words that begin at `at` or later. Returns the start of the first of them, if any.
    pub fn truncate(&mut self, at: Duration) -> Option<Duration> {
        let (start, all) = (self.span.start, self.update.words.clone());
        self.keep_words(words::begin, |begin| begin < at);
        let cut = all
            .get(self.update.words.len()..)
            .filter(|cut| !cut.is_empty())?;
        let rest = cut.iter().find_map(|w| w.start).unwrap_or(at);
        // The first words of the rest would count as settled otherwise.
        self.span = Span::new(start, self.span.end.min(rest));
        Some(rest)
    }

    /// Keeps the words whose `time` `keep` accepts, and their text and times.
    fn keep_words(
        &mut self,
        time: impl Fn(&Word) -> Option<Duration>,
        keep: impl FnMut(Duration) -> bool,
    ) {
        let all = self.update.words.len();
        words::retain_by_time(&mut self.update.words, time, keep);
        if self.update.words.len() < all {
            self.update.text = words::join(&self.update.words);
            self.span = words::span(&self.update.words, self.span);
        }
    }

    /// Returns whether a word begins before `at`, and not just the utterance.
    pub fn has_speech_before(&self, at: Duration) -> bool {
        let mut begins = self.update.words.iter().filter_map(words::begin);
        let is_untimed = !words::are_timed(&self.update.words);
        self.speech_start() < at && (is_untimed || begins.any(|begin| begin < at))
    }

    /// Returns whether it lasts beyond `at` and has no word times that say how to split it there.
    pub fn is_untimed_at(&self, at: Duration) -> bool {
        self.speech_start() < at && self.span.end > at && !words::are_timed(&self.update.words)
    }

    /// Returns its start, or the earliest one possible if that is inferred.
    fn speech_start(&self) -> Duration {
        match self.span.start_reported {
            true => self.span.start,
            false => self.span.start.max(self.floor),
        }
    }

    pub fn bytes(&self) -> usize {
        self.update.bytes()
    }

    pub fn interim(&self) -> Update {
        Update {
            start: self.span.known_start(),
            end: self.span.known_end(),
            ..self.update.clone()
        }
    }

    pub fn into_final(self, unconfirmed: bool) -> Update {
        Update {
            is_final: true,
            // A withdrawn utterance has nothing to confirm.
            unconfirmed: unconfirmed && !self.text().is_empty(),
            start: self.span.known_start(),
            end: self.span.known_end(),
            ..self.update
        }
    }

    /// Returns the final update that takes it back.
    pub fn withdrawn(mut self) -> Update {
        self.update.text.clear();
        self.update.words.clear();
        self.into_final(false)
    }
}

/// Replaces a hash by that of `value`. Returns whether it was another one. Hashes are stable within
/// one run of the program.
fn replace_hash(hash: &mut u64, value: impl Hash) -> bool {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    let new = hasher.finish();
    std::mem::replace(hash, new) != new
}
