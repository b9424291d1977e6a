//! What a response lists, put on the axis, without what was settled before (rules 1 to 3).
use std::borrow::Cow;
use std::cell::Cell;
use std::ops::Range;
use std::time::Duration;

use super::Word;
use super::settled::Settled;
use super::span::{Span, TOLERANCE, covered};
use super::words;
use crate::protocol::response::{Response, Utterance};

/// Duration of a word at most. One without a start that ends by then begins with the connection: zeros are left out.
const MAX_WORD: Duration = Duration::from_secs(1);

/// One utterance of a response, as far as it is not a repeat.
#[derive(Debug)]
pub(super) struct ListedUtterance {
    pub source: Source,
    pub span: Span,
    /// What is left of it when some of its words were settled before.
    pub remaining_words: Option<Vec<Word>>,
    /// The number of the open utterance that it continues, in their list.
    pub matched: Option<usize>,
}

/// Where an entry stands in its response.
#[derive(Debug)]
pub(super) enum Source {
    /// Index in the list of utterances.
    Listed(usize),
    /// Bytes of the text, for a response without a list.
    Text(Range<usize>),
}

impl ListedUtterance {
    /// An entry without words.
    pub fn new(source: Source, span: Span) -> Self {
        Self {
            source,
            span,
            remaining_words: None,
            matched: None,
        }
    }

    /// The utterance in the response's list, if it has one.
    pub fn utterance<'r, 'a>(&self, response: &'r Response<'a>) -> Option<&'r Utterance<'a>> {
        match self.source {
            Source::Listed(index) => response.utterances.as_ref()?.get(index),
            Source::Text(_) => None,
        }
    }

    pub fn text<'r>(&self, response: &'r Response<'_>) -> Cow<'r, str> {
        match (
            &self.remaining_words,
            &self.source,
            self.utterance(response),
        ) {
            (Some(rest), ..) => Cow::Owned(words::join(rest)),
            (None, _, Some(utterance)) if is_empty(utterance) => Cow::Borrowed(""),
            (None, _, Some(utterance)) => Cow::Borrowed(&*utterance.text),
            (None, Source::Text(range), None) => {
                let text = response.text.as_deref().unwrap_or_default();
                Cow::Borrowed(text.get(range.clone()).unwrap_or_default())
            }
            (None, Source::Listed(_), None) => Cow::Borrowed(""),
        }
    }
}

/// What entries are compared with.
pub(super) struct DedupContext<'s> {
    pub settled: &'s Settled,
    /// Whether settled utterances are listed again, in their order. Otherwise a sentence that comes again was said again.
    pub is_full: bool,
    /// The connection's first sample.
    pub origin: Duration,
    /// How far the service has worked.
    pub processed_until: Duration,
    /// Nothing that ends before it was asked for again.
    pub replay_start: Duration,
    /// How many words of the response may still be read.
    pub word_budget: &'s Cell<usize>,
}

/// What a connection's responses begin with that says nothing new, and won't as long as it is the same: what is settled
/// stays so. Entries that only their text tells to be repeats are not among them, whose place among all others counts.
#[derive(Debug, Default)]
pub(super) struct SettledPrefix {
    pub utterances: usize,
    /// The end of the last one on the axis, if there is any but empty ones.
    pub before: Option<Duration>,
    /// The latest end that the service gives.
    pub end: Option<Duration>,
    /// The settled utterances that begin before were listed.
    listed: Duration,
}

impl SettledPrefix {
    fn add(&mut self, utterance: &Utterance<'_>, before: Option<Duration>, listed: Duration) {
        self.utterances += 1;
        self.before = before.or(self.before);
        self.end = self.end.max(utterance.end);
        self.listed = listed;
    }
}

/// Appends the response's entries in the order of their times. Returns whether it lists anything at all.
///
/// `leading` is what the last response began with; where this one was read without it, it goes on from there.
pub(super) fn collect(
    response: &Response<'_>,
    known: &DedupContext<'_>,
    leading: &mut SettledPrefix,
    entries: &mut Vec<ListedUtterance>,
) -> bool {
    if response.repeated != leading.utterances {
        *leading = SettledPrefix::default();
    }
    let mut any = leading.before.is_some();
    let mut before = leading.before.unwrap_or(known.origin);
    let mut listed = RepeatCursor {
        start: leading.listed.max(known.origin),
        index: 0,
    };
    let mut leads = true;
    for (index, utterance) in response.utterances.iter().flatten().enumerate() {
        if is_empty(utterance) && !utterance.definite {
            if leads {
                leading.add(utterance, None, listed.start);
            }
            continue;
        }
        any = true;
        let span = span_of(utterance, before, known);
        let repeated = listed.find(span, &utterance.text, known);
        before = match &repeated {
            Some(repeated) if !span.end_reported => repeated.span.end,
            _ if span.end_reported => span.end,
            _ => before.max(span.start),
        };
        let timed = repeated.as_ref().is_none_or(|repeated| repeated.timed);
        let rest = match repeated {
            Some(_) => Remainder::None,
            None if span.end_reported && span.end < known.replay_start => Remainder::None,
            None => unsettled(utterance, span, known),
        };
        leads = leads && timed && span.end_reported && matches!(rest, Remainder::None);
        if leads {
            leading.add(utterance, Some(before), listed.start);
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
    // A second pass may be late and out of order; matching is not.
    entries.sort_by_key(|e| e.span.start);
    any
}

/// How far the settled utterances were listed again by this response.
struct RepeatCursor {
    /// Those that begin before it were.
    start: Duration,
    /// Those before it were.
    index: usize,
}

/// A settled utterance that the response lists again.
struct Repeated {
    span: Span,
    /// Its times tell so, and not its text alone.
    timed: bool,
}

impl RepeatCursor {
    /// Returns the settled utterance that this one repeats, and passes it.
    fn find(&mut self, span: Span, text: &str, known: &DedupContext<'_>) -> Option<Repeated> {
        let next = known.settled.from(self.start).max(self.index);
        let index = known
            .settled
            .find(span, text, known.is_full.then_some(next))?;
        let settled = known.settled.span(index);
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

/// An end that is not reported lies before the next start that is.
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

/// Where it lies. Zeros are left out, and times may be: a missing start is its first timed word's or, where that has none
/// either, lies behind the one before it; a missing end is its last word's, or lies before where the service has worked to.
fn span_of(utterance: &Utterance<'_>, before: Duration, known: &DedupContext<'_>) -> Span {
    let on_axis = |time: Duration| known.origin.saturating_add(time);
    let words = || utterance.words.within(known.word_budget);
    let first = || {
        let first = words().find(|w| w.start.or(w.end).is_some())?;
        let begins = before == known.origin && first.end.is_some_and(|end| end <= MAX_WORD);
        first.start.or(begins.then_some(Duration::ZERO))
    };
    let last = || words().filter_map(|w| w.end).last();
    let start = utterance.start.or_else(first).map(on_axis);
    let end = utterance.end.or_else(last).map(on_axis);
    let floor = if start.is_some() || known.is_full {
        before
    } else {
        before.max(known.settled_before(end))
    };
    Span::within(floor, start, end, known.processed_until)
}

enum Remainder {
    All,
    Some(Vec<Word>),
    None,
}

/// Rule 3: what of an entry was not settled before.
fn unsettled(utterance: &Utterance<'_>, span: Span, known: &DedupContext<'_>) -> Remainder {
    let mut settled: Vec<Span> = known.settled.overlapping(span).collect();
    if settled.is_empty() {
        return Remainder::All;
    }
    let mut rest = words::align(
        &utterance.text,
        utterance.words.within(known.word_budget),
        known.origin,
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

/// Its own start and end say nothing about the words that are left.
pub(super) fn span_of_remaining(rest: &[Word], span: Span) -> Span {
    let start = rest.iter().find_map(|w| w.start).unwrap_or(span.start);
    let end = rest.iter().rev().find_map(|w| w.end).unwrap_or(span.end);
    Span::new(start, end)
}

impl DedupContext<'_> {
    /// Where the last settled utterance ends before one that ends at `end`.
    pub fn settled_before(&self, end: Option<Duration>) -> Duration {
        let end = end.map_or(self.processed_until, |end| end.saturating_sub(TOLERANCE));
        self.settled.last_end(end).unwrap_or_default()
    }
}
