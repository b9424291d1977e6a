//! What a response lists, put on the axis, without what was settled before (rules 1 to 3).
use std::cell::Cell;
use std::time::Duration;

use super::Word;
use super::settled::{Settled, hash};
use super::span::{Span, covered};
use super::words;
use crate::protocol::response::{Response, Utterance};

/// One utterance of a response, as far as it is not a repeat.
#[derive(Debug)]
pub(super) struct Entry {
    /// Its index in the response's list; `None` for a response that has a text only.
    pub index: Option<usize>,
    /// Where it stands among the others: its start or, without times, the end of the one before it.
    pub key: Duration,
    /// `None`: the service gave no times.
    pub span: Option<Span>,
    /// Its start is only where the one before it ends.
    pub guessed: bool,
    /// What is left of it when some of its words were settled before.
    pub rest: Option<Vec<Word>>,
    /// The number of the open utterance that it continues, in their list.
    pub matched: Option<usize>,
}

/// What entries are compared with.
pub(super) struct Known<'s> {
    pub settled: &'s Settled,
    /// Hashes of this connection's settled utterances without times, in their order, if they are listed again.
    pub untimed: &'s [u64],
    /// The connection's first sample.
    pub origin: Duration,
    /// Nothing that ends before it was asked for again.
    pub cut: Duration,
    /// How many words of the response may still be read.
    pub words: &'s Cell<usize>,
}

/// What a connection's responses begin with that says nothing new, and won't as long as it is the same: what is settled
/// stays so. Entries without times are not among them, whose place among all others counts.
#[derive(Debug, Default)]
pub(super) struct Leading {
    pub utterances: usize,
    /// The end of the last one on the axis, if there is any but empty ones.
    pub before: Option<Duration>,
    /// The latest end that the service gives.
    pub end: Option<Duration>,
}

impl Leading {
    fn add(&mut self, utterance: &Utterance<'_>, before: Option<Duration>) {
        self.utterances += 1;
        self.before = before.or(self.before);
        self.end = self.end.max(utterance.end);
    }
}

/// Appends the response's entries in the order of their times. Returns whether it lists anything at all.
///
/// `leading` is what the last response began with; where this one was read without it, it goes on from there.
pub(super) fn collect(
    response: &Response<'_>,
    mut known: Known<'_>,
    leading: &mut Leading,
    entries: &mut Vec<Entry>,
) -> bool {
    if response.repeated != leading.utterances {
        *leading = Leading::default();
    }
    let mut listed = leading.before.is_some();
    let mut before = leading.before.unwrap_or(known.origin);
    let mut leads = true;
    for (index, utterance) in response.utterances.iter().flatten().enumerate() {
        if is_empty(utterance) && !utterance.definite {
            if leads {
                leading.add(utterance, None);
            }
            continue;
        }
        listed = true;
        let (span, guessed) = span_of(utterance, before, &known);
        let key = span.map_or(before, |s| s.start);
        before = span.map_or(before, |s| s.end);
        let rest = match span {
            Some(span) if span.end < known.cut => Unsettled::None,
            Some(span) => unsettled(utterance, span, &known),
            None if known.repeats_untimed(&utterance.text) => Unsettled::None,
            None => Unsettled::All,
        };
        leads = leads && span.is_some() && matches!(rest, Unsettled::None);
        if leads {
            leading.add(utterance, Some(before));
        }
        let rest = match rest {
            Unsettled::All => None,
            Unsettled::Some(rest) => Some(rest),
            Unsettled::None => continue,
        };
        let span = match (&rest, span) {
            (Some(rest), Some(span)) => Some(span_of_rest(rest, span)),
            (_, span) => span,
        };
        entries.push(Entry {
            index: Some(index),
            key: span.map_or(key, |s| s.start),
            span,
            guessed,
            rest,
            matched: None,
        });
    }
    // A second pass may be late and out of order; matching is not.
    entries.sort_by_key(|e| e.key);
    listed
}

pub(super) fn is_empty(utterance: &Utterance<'_>) -> bool {
    utterance.text.trim().is_empty()
}

/// Where it lies. Zeros are left out, and starts may be: a missing one is its first timed word's or, where that has none
/// either, where the one before it ends, which is told with it.
fn span_of(utterance: &Utterance<'_>, before: Duration, known: &Known<'_>) -> (Option<Span>, bool) {
    let on_axis = |time: Duration| known.origin.saturating_add(time);
    let words = || utterance.words.within(known.words);
    let first = || words().find(|w| w.start.or(w.end).is_some())?.start;
    let last = || words().filter_map(|w| w.end).last();
    let start = utterance.start.or_else(first).map(on_axis);
    let end = utterance.end.or_else(last).map(on_axis);
    match (start, end) {
        (Some(start), end) => (Some(Span::new(start, end.unwrap_or(start))), false),
        (None, Some(end)) => (Some(Span::new(before.min(end), end)), true),
        (None, None) => (None, false),
    }
}

enum Unsettled {
    All,
    Some(Vec<Word>),
    None,
}

/// Rules 2 and 3: what of an entry was not settled before.
fn unsettled(utterance: &Utterance<'_>, span: Span, known: &Known<'_>) -> Unsettled {
    if known.settled.repeats(span, &utterance.text) {
        return Unsettled::None;
    }
    if known.settled.overlapping(span).next().is_none() {
        return Unsettled::All;
    }
    let mut settled: Vec<Span> = known.settled.overlapping(span).collect();
    let mut rest = words::cut(
        &utterance.text,
        utterance.words.within(known.words),
        known.origin,
        Some(span.start),
    );
    if !rest.iter().any(|w| words::middle(w).is_some()) {
        return if covered(span, &mut settled) >= span.width() / 2 {
            Unsettled::None
        } else {
            Unsettled::All
        };
    }
    let all = rest.len();
    words::keep(&mut rest, |middle| {
        !settled.iter().any(|s| s.contains_about(middle))
    });
    match rest.len() {
        0 => Unsettled::None,
        some if some < all => Unsettled::Some(rest),
        _ => Unsettled::All,
    }
}

/// Its own start and end say nothing about the words that are left.
pub(super) fn span_of_rest(rest: &[Word], span: Span) -> Span {
    let start = rest.iter().find_map(|w| w.start).unwrap_or(span.start);
    let end = rest.iter().rev().find_map(|w| w.end).unwrap_or(span.end);
    Span::new(start, end)
}

impl Known<'_> {
    /// Without times, a repeat is known by its text and by its place among the others.
    fn repeats_untimed(&mut self, text: &str) -> bool {
        if self.untimed.is_empty() {
            return false;
        }
        let text = hash(text);
        let Some(at) = self.untimed.iter().position(|&u| u == text) else {
            return false;
        };
        self.untimed = &self.untimed[at + 1..];
        true
    }
}
