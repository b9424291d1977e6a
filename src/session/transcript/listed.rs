//! Reads the entries of a response: puts them on the axis and drops what was settled before (rules
//! 1 to 3).
use std::borrow::Cow;
use std::time::Duration;

use super::settled::Settled;
use super::span::{Axis, Span, TOLERANCE, covered};
use super::update::Word;
use super::words;
use crate::protocol::response::{Response, Utterance};

/// Upper bound on the duration of a word. A word without a start that ends by then begins with the
/// connection: the service leaves zeros out.
const MAX_WORD: Duration = Duration::from_secs(1);

/// An utterance of a response, as far as it is not a repeat.
#[derive(Debug)]
pub(super) struct Entry<'r, 'a> {
    pub text: Cow<'r, str>,
    pub span: Span,
    /// `None` if the response has only a text.
    pub utterance: Option<&'r Utterance<'a>>,
    /// Its remaining words, if some were settled before.
    remaining_words: Option<Vec<Word>>,
}

impl<'r, 'a> Entry<'r, 'a> {
    /// Returns an entry of a text without a list.
    pub fn of_text(text: &'r str, span: Span) -> Self {
        Self {
            text: text.into(),
            span,
            utterance: None,
            remaining_words: None,
        }
    }

    fn of_utterance(utterance: &'r Utterance<'a>, span: Span) -> Self {
        let text = match is_empty(utterance) {
            true => "",
            false => &*utterance.text,
        };
        Self {
            utterance: Some(utterance),
            ..Self::of_text(text, span)
        }
    }

    pub fn is_definite(&self) -> bool {
        self.utterance.is_some_and(|utterance| utterance.definite)
    }

    /// Returns the attributes sorted by name, so that another order is no change.
    pub fn attributes(&self) -> Vec<(String, String)> {
        let additions = self.utterance.iter().flat_map(|u| u.additions.iter());
        let mut attributes: Vec<_> = additions
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        attributes.sort_by(|a, b| a.0.cmp(&b.0));
        attributes.dedup_by(|a, b| a.0 == b.0);
        attributes
    }

    /// Returns the words. The first one begins at `start` if its own start is left out.
    pub fn into_words(self, axis: Axis, start: Duration) -> Vec<Word> {
        match (self.remaining_words, self.utterance) {
            (Some(rest), _) => rest,
            (None, Some(utterance)) if !self.text.is_empty() => {
                words::align(&self.text, utterance.words.iter(), axis, Some(start))
            }
            _ => Vec::new(),
        }
    }
}

/// State that entries are compared with.
pub(super) struct DedupContext<'s> {
    pub settled: &'s Settled,
    /// Whether settled utterances are listed again, in their order. If not, the same text again is
    /// another sentence.
    pub is_full: bool,
    pub axis: Axis,
    /// Start of the audio that the connection received.
    pub replay_start: Duration,
}

/// The settled utterances that a connection's responses begin with. They bring no news while they
/// are unchanged. Entries that only their text identifies as repeats end the prefix, because their
/// place among the others matters.
#[derive(Debug, Default)]
pub(super) struct SettledPrefix {
    /// Number of utterances, with empty ones between them.
    utterances: usize,
    /// End of the last one on the axis, if any is not empty.
    before: Option<Duration>,
    /// All settled utterances that begin before this position were listed.
    listed: Duration,
}

impl SettledPrefix {
    /// Returns the number of utterances; zero if all of them are empty.
    pub fn repeated(&self) -> usize {
        self.before.map_or(0, |_| self.utterances)
    }

    /// Returns the response's entries in the order of their times, and whether it lists any
    /// utterance.
    ///
    /// If this response was read without the prefix of the last one, it continues there.
    pub fn collect<'r, 'a>(
        &mut self,
        response: &'r Response<'a>,
        context: &DedupContext<'_>,
    ) -> (Vec<Entry<'r, 'a>>, bool) {
        if response.repeated != self.utterances {
            *self = Self::default();
        }
        let mut entries = Vec::new();
        let mut any = self.before.is_some();
        let mut before = self.before.unwrap_or(context.axis.origin);
        let mut listed = self.listed.max(context.axis.origin);
        // The first settled utterance that was not listed yet.
        let mut next = context.settled.from(listed);
        let mut is_prefix = true;
        for utterance in response.utterances.iter().flatten() {
            if is_empty(utterance) && !utterance.definite {
                self.utterances += usize::from(is_prefix);
                continue;
            }
            any = true;
            let span = context.span_of(utterance, before);
            let index = context.find(span, &utterance.text, next);
            let repeated = index.map(|index| context.settled.span(index));
            let is_timed = |settled: &Span| settled.matches_within_tolerance(span) == Some(true);
            let timed = repeated.filter(is_timed);
            if let Some(settled) = timed {
                listed = listed.max(settled.start.saturating_add(Duration::from_nanos(1)));
                next = next.max(context.settled.from(listed));
            } else if let Some(index) = index {
                next = index + 1;
            }
            before = match repeated {
                _ if span.end_reported => span.end,
                Some(settled) => settled.end,
                None => before.max(span.start),
            };
            let rest = match repeated {
                Some(_) => None,
                None => context.unsettled(utterance, span),
            };
            is_prefix &=
                span.end_reported && rest.is_none() && timed.is_some() == repeated.is_some();
            if is_prefix {
                self.utterances += 1;
                self.before = Some(before);
                self.listed = listed;
            }
            entries.extend(rest);
        }
        end_before_the_next(&mut entries);
        // A second pass may be late and out of order; the alignment needs an order.
        entries.sort_by_key(|entry| entry.span.start);
        (entries, any)
    }
}

/// Moves inferred ends before the next reported start.
fn end_before_the_next(entries: &mut [Entry<'_, '_>]) {
    let mut next = None;
    for span in entries.iter_mut().rev().map(|entry| &mut entry.span) {
        if let Some(next) = next.filter(|_| !span.end_reported) {
            span.end = span.end.min(next).max(span.start);
        }
        next = span.start_reported.then_some(span.start).or(next);
    }
}

fn is_empty(utterance: &Utterance<'_>) -> bool {
    utterance.text.trim().is_empty()
}

impl DedupContext<'_> {
    /// Returns the span of an utterance, whose times may be left out. A missing start is that of
    /// its first timed word or else inferred: after the utterance before it. A missing end is that
    /// of its last word or else inferred: before the position up to which the service has processed
    /// the audio.
    fn span_of(&self, utterance: &Utterance<'_>, before: Duration) -> Span {
        let on_axis = |time| self.axis.position(time);
        let first = || {
            let mut words = utterance.words.iter();
            let first = words.find(|w| w.start.or(w.end).is_some())?;
            let begins = before == self.axis.origin && first.end.is_some_and(|end| end <= MAX_WORD);
            first.start.or(begins.then_some(Duration::ZERO))
        };
        let last = || utterance.words.iter().filter_map(|w| w.end).last();
        let start = utterance.start.or_else(first).map(on_axis);
        let end = utterance.end.or_else(last).map(on_axis);
        let processed = self.axis.processed_until;
        let mut floor = before;
        if start.is_none() && !self.is_full {
            // Settled ones are not listed again, so the last one before it may not be in this
            // response.
            let latest = end.map_or(processed, |end| end.saturating_sub(TOLERANCE));
            floor = floor.max(self.settled.last_end(latest).unwrap_or_default());
        }
        Span::within(floor, start, end, processed)
    }

    /// Returns the index of the settled utterance that an entry repeats. `next`: all settled ones
    /// before this index were listed.
    fn find(&self, span: Span, text: &str, next: usize) -> Option<usize> {
        self.settled.find(span, text, self.is_full.then_some(next))
    }

    /// Applies rule 3: returns the part of an utterance that was not settled before, if any.
    fn unsettled<'r, 'a>(&self, utterance: &'r Utterance<'a>, span: Span) -> Option<Entry<'r, 'a>> {
        // The times of a repeat are not exact.
        let pruned = self.settled.pruned_until();
        let is_pruned = pruned.is_some_and(|until| span.end <= until.saturating_add(TOLERANCE));
        if span.end_reported && (is_pruned || span.end < self.replay_start) {
            return None;
        }
        let whole = Entry::of_utterance(utterance, span);
        let mut settled: Vec<Span> = self.settled.overlapping(span).collect();
        if settled.is_empty() {
            return Some(whole);
        }
        let (text, words) = (&utterance.text, utterance.words.iter());
        let mut rest = words::align(text, words, self.axis, Some(span.start));
        if !words::are_timed(&rest) {
            let inside = span.is_reported() && covered(span, &mut settled) >= span.width() / 2;
            return (!inside).then_some(whole);
        }
        let all = rest.len();
        words::retain_by_time(&mut rest, words::midpoint, |middle| {
            !settled.iter().any(|s| s.contains_within_tolerance(middle))
        });
        if rest.len() == all {
            return Some(whole);
        }
        (!rest.is_empty()).then(|| Entry {
            text: words::join(&rest).into(),
            span: words::span(&rest, span),
            remaining_words: Some(rest),
            ..whole
        })
    }
}
