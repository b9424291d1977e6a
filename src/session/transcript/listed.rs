//! Reads the entries of a response: puts them on the axis and drops what was settled before (rules
//! 1 to 3).
use std::borrow::Cow;
use std::ops::Range;
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
pub(super) struct ListedUtterance {
    pub source: Source,
    pub span: Span,
    /// Its remaining words, if some were settled before.
    pub remaining_words: Option<Vec<Word>>,
    /// Index of the open utterance that it continues.
    pub matched: Option<usize>,
}

/// Place of an entry in its response.
#[derive(Debug)]
pub(super) enum Source {
    /// Index in the list of utterances.
    Listed(usize),
    /// Bytes of the text, for a response without a list.
    Text(Range<usize>),
}

impl ListedUtterance {
    /// Returns an entry that is not matched yet.
    pub fn new(source: Source, span: Span) -> Self {
        Self {
            source,
            span,
            remaining_words: None,
            matched: None,
        }
    }

    /// Returns the utterance in the response's list, if there is a list.
    pub fn utterance<'r, 'a>(&self, response: &'r Response<'a>) -> Option<&'r Utterance<'a>> {
        match self.source {
            Source::Listed(index) => response.utterances.as_ref()?.get(index),
            Source::Text(_) => None,
        }
    }

    /// Returns its text without words that were settled before.
    pub fn text<'r>(&self, response: &'r Response<'_>) -> Cow<'r, str> {
        if let Some(rest) = &self.remaining_words {
            return Cow::Owned(words::join(rest));
        }
        let text = match &self.source {
            Source::Listed(_) => self
                .utterance(response)
                .filter(|utterance| !is_empty(utterance))
                .map(|utterance| &*utterance.text),
            Source::Text(range) => response
                .text
                .as_deref()
                .and_then(|text| text.get(range.clone())),
        };
        Cow::Borrowed(text.unwrap_or_default())
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
    pub utterances: usize,
    /// End of the last one on the axis, if any is not empty.
    pub before: Option<Duration>,
    /// All settled utterances that begin before this position were listed.
    listed: Duration,
}

impl SettledPrefix {
    fn add(&mut self, before: Option<Duration>, listed: Duration) {
        self.utterances += 1;
        self.before = before.or(self.before);
        self.listed = listed;
    }
}

/// Appends the response's entries in the order of their times. Returns whether it lists any.
///
/// `prefix` belongs to the last response. If this one was read without its prefix, it continues
/// there.
pub(super) fn collect(
    response: &Response<'_>,
    context: &DedupContext<'_>,
    prefix: &mut SettledPrefix,
    entries: &mut Vec<ListedUtterance>,
) -> bool {
    if response.repeated != prefix.utterances {
        *prefix = SettledPrefix::default();
    }
    let mut any = prefix.before.is_some();
    let mut before = prefix.before.unwrap_or(context.axis.origin);
    let mut cursor = RepeatCursor {
        start: prefix.listed.max(context.axis.origin),
        index: 0,
    };
    let mut is_prefix = true;
    for (index, utterance) in response.utterances.iter().flatten().enumerate() {
        if is_empty(utterance) && !utterance.definite {
            if is_prefix {
                prefix.add(None, cursor.start);
            }
            continue;
        }
        any = true;
        let span = span_of(utterance, before, context);
        let repeated = cursor.find(span, &utterance.text, context);
        before = match &repeated {
            Some(repeated) if !span.end_reported => repeated.span.end,
            _ if span.end_reported => span.end,
            _ => before.max(span.start),
        };
        let timed = repeated.as_ref().is_none_or(|repeated| repeated.timed);
        let rest = match repeated {
            Some(_) => Remainder::None,
            None if span.end_reported && span.end < context.replay_start => Remainder::None,
            None => unsettled(utterance, span, context),
        };
        is_prefix = is_prefix && timed && span.end_reported && matches!(rest, Remainder::None);
        if is_prefix {
            prefix.add(Some(before), cursor.start);
        }
        let rest = match rest {
            Remainder::All => None,
            Remainder::Some(rest) => Some(rest),
            Remainder::None => continue,
        };
        let span = rest
            .as_ref()
            .map_or(span, |rest| span_of_remaining(rest, span));
        entries.push(ListedUtterance {
            remaining_words: rest,
            ..ListedUtterance::new(Source::Listed(index), span)
        });
    }
    end_before_the_next(entries);
    // A second pass may be late and out of order; the alignment needs an order.
    entries.sort_by_key(|e| e.span.start);
    any
}

/// How far this response has listed the settled utterances again.
struct RepeatCursor {
    /// Those that begin before this position were listed.
    start: Duration,
    /// Those with a smaller index were listed.
    index: usize,
}

/// A settled utterance that the response lists again.
struct Repeated {
    span: Span,
    /// Whether its times identify it, and not its text alone.
    timed: bool,
}

impl RepeatCursor {
    /// Returns the settled utterance that an entry repeats, and moves behind it.
    fn find(&mut self, span: Span, text: &str, context: &DedupContext<'_>) -> Option<Repeated> {
        let next = context.settled.from(self.start).max(self.index);
        let index = context
            .settled
            .find(span, text, context.is_full.then_some(next))?;
        let settled = context.settled.span(index);
        let timed = settled.matches_within_tolerance(span) == Some(true);
        if timed {
            let after = settled.start.saturating_add(Duration::from_nanos(1));
            self.start = self.start.max(after);
        } else {
            self.index = index + 1;
        }
        Some(Repeated {
            span: settled,
            timed,
        })
    }
}

/// Moves inferred ends before the next reported start.
fn end_before_the_next(entries: &mut [ListedUtterance]) {
    let mut next = None;
    for span in entries.iter_mut().rev().map(|e| &mut e.span) {
        if let Some(next) = next.filter(|_| !span.end_reported) {
            span.end = span.end.min(next).max(span.start);
        }
        next = span.start_reported.then_some(span.start).or(next);
    }
}

pub(super) fn is_empty(utterance: &Utterance<'_>) -> bool {
    utterance.text.trim().is_empty()
}

/// Returns the span of an utterance, whose times may be left out. A missing start is that of its
/// first timed word or else inferred: after the utterance before it. A missing end is that of its
/// last word or else inferred: before the position up to which the service has processed the audio.
fn span_of(utterance: &Utterance<'_>, before: Duration, context: &DedupContext<'_>) -> Span {
    let on_axis = |time| context.axis.position(time);
    let first = || {
        let mut words = utterance.words.iter();
        let first = words.find(|w| w.start.or(w.end).is_some())?;
        let begins = before == context.axis.origin && first.end.is_some_and(|end| end <= MAX_WORD);
        first.start.or(begins.then_some(Duration::ZERO))
    };
    let last = || utterance.words.iter().filter_map(|w| w.end).last();
    let start = utterance.start.or_else(first).map(on_axis);
    let end = utterance.end.or_else(last).map(on_axis);
    let mut floor = before;
    if start.is_none() && !context.is_full {
        // Settled ones are not listed again, so the last one before it may not be in this response.
        let latest = end.map_or(context.axis.processed_until, |end| {
            end.saturating_sub(TOLERANCE)
        });
        floor = floor.max(context.settled.last_end(latest).unwrap_or_default());
    }
    Span::within(floor, start, end, context.axis.processed_until)
}

enum Remainder {
    All,
    Some(Vec<Word>),
    None,
}

/// Applies rule 3: returns the part of an entry that was not settled before.
fn unsettled(utterance: &Utterance<'_>, span: Span, context: &DedupContext<'_>) -> Remainder {
    let mut settled: Vec<Span> = context.settled.overlapping(span).collect();
    if settled.is_empty() {
        return Remainder::All;
    }
    let mut rest = words::align(
        &utterance.text,
        utterance.words.iter(),
        context.axis,
        Some(span.start),
    );
    if !rest.iter().any(|w| words::midpoint(w).is_some()) {
        let inside = span.is_reported() && covered(span, &mut settled) >= span.width() / 2;
        return if inside {
            Remainder::None
        } else {
            Remainder::All
        };
    }
    let all = rest.len();
    words::retain_by_time(&mut rest, |middle| {
        !settled.iter().any(|s| s.contains_within_tolerance(middle))
    });
    match rest.len() {
        0 => Remainder::None,
        some if some < all => Remainder::Some(rest),
        _ => Remainder::All,
    }
}

/// Returns the span of the remaining words of an utterance.
pub(super) fn span_of_remaining(rest: &[Word], span: Span) -> Span {
    let start = rest.iter().find_map(|w| w.start).unwrap_or(span.start);
    let end = rest.iter().rev().find_map(|w| w.end).unwrap_or(span.end);
    Span::new(start, end)
}
