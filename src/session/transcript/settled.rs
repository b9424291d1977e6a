//! The settled utterances: entries that match one of them are repeats.
use std::cell::LazyCell;
use std::time::Duration;

use super::span::{Span, TOLERANCE};
use super::text::{Fingerprint, least_interval};
use super::update::Word;
use super::words::KnownWord;

/// Upper bound on settled utterances. In `full` mode every response repeats those of its
/// connection: thousands in hours of speech.
const MAX_SETTLED: usize = 1 << 14;

/// Upper bound on the utterances that a look-up compares. Only a few overlap in practice.
const MAX_NEIGHBOURS: usize = 128;

/// Number of the latest whose words are kept. Only an open utterance is compared by words, and one
/// that others by the hundred have overtaken is not listed again.
const MAX_WORDED: usize = 4 * MAX_NEIGHBOURS;

/// Settled utterances in the order of their times. Of each text only a fingerprint is kept.
#[derive(Debug, Default)]
pub(super) struct Settled {
    by_start: Vec<Item>,
    /// Those that are not committed, and not found yet.
    added: Vec<Item>,
    /// Latest end of those that were pruned.
    pruned_until: Option<Duration>,
}

#[derive(Debug)]
struct Item {
    span: Span,
    words: Option<Box<OuterWords>>,
    text: Fingerprint,
    /// Latest end of this one and all before it, which ends a search for overlaps.
    reach: Duration,
}

/// The first and the last word of an utterance, if their starts are known.
#[derive(Debug)]
struct OuterWords {
    first: Option<KnownWord>,
    last: Option<KnownWord>,
}

impl Item {
    /// Returns the part of an open utterance that begins with its first word or ends with its last.
    fn shared(&self, words: &[Word]) -> Option<Part> {
        let same = |outer: &Option<KnownWord>| {
            let outer = outer.as_ref()?;
            words.iter().find(|word| outer.is(word))
        };
        let outer = self.words.as_ref()?;
        let (first, last) = (same(&outer.first), same(&outer.last));
        first.or(last)?;
        let start = first.and_then(|word| word.start);
        let end = last.and_then(|word| word.end);
        Some(Part {
            span: Span::new(
                start.unwrap_or(self.span.start),
                end.unwrap_or(self.span.end),
            ),
            is_exact: true,
        })
    }
}

/// Settled part of an open utterance.
#[derive(Debug)]
pub(super) struct Part {
    span: Span,
    /// It ends where a word of the open utterance does.
    is_exact: bool,
}

impl Part {
    /// Returns whether a word with this middle surely lies inside.
    pub fn contains(&self, middle: Duration) -> bool {
        self.span.contains(middle)
    }

    /// Returns whether a word with this middle may lie inside: times are not exact.
    pub fn may_contain(&self, middle: Duration) -> bool {
        match self.is_exact {
            true => self.span.contains(middle),
            false => self.span.contains_within_tolerance(middle),
        }
    }
}

impl Settled {
    /// Adds an utterance, which is found from [`commit`](Self::commit) on.
    pub fn add(&mut self, span: Span, text: &str, words: &[Word]) {
        self.added.push(Item {
            span,
            words: Some(Box::new(OuterWords {
                first: words.first().and_then(KnownWord::of),
                last: words.last().and_then(KnownWord::of),
            })),
            text: Fingerprint::of(text),
            reach: span.end,
        });
    }

    /// Sorts in what was added since the last call: a response may settle thousands.
    pub fn commit(&mut self) {
        if self.added.is_empty() {
            return;
        }
        self.by_start.append(&mut self.added);
        self.by_start.sort_by_key(|i| i.span.start);
        let mut reach = Duration::ZERO;
        let unworded = self.len().saturating_sub(MAX_WORDED);
        for (index, item) in self.by_start.iter_mut().enumerate() {
            reach = reach.max(item.span.end);
            item.reach = reach;
            if index < unworded {
                item.words = None;
            }
        }
        if self.len() > MAX_SETTLED {
            self.keep_latest(MAX_SETTLED / 4 * 3);
        }
    }

    /// Returns the number of those that begin at `start` or before.
    fn after(&self, start: Duration) -> usize {
        self.by_start.partition_point(|i| i.span.start <= start)
    }

    /// Returns the index of the settled utterance that an entry repeats. The times that both report
    /// decide: they are the same, and the two overlap or have the same text. Where a time is
    /// missing, the text decides too: among those from the index `next` on, which were not listed
    /// yet; or, where settled ones are not listed again, if the ends are too close for the text to
    /// be said twice. A second pass may end an utterance twice, as soft and as hard.
    pub fn find(&self, span: Span, text: &str, next: Option<usize>) -> Option<usize> {
        let said_text = text;
        let text = LazyCell::new(|| Fingerprint::of(said_text));
        let near = |&index: &usize| {
            let item = &self.by_start[index];
            item.span.matches_within_tolerance(span) == Some(true)
                && (item.span.overlap(span) > Duration::ZERO || item.text == *text)
        };
        let by_start = || self.with_start(span.start).find(near);
        let by_end = || self.with_end(span.end).find(near);
        let timed = |other: Span| span.is_reported() && other.is_reported();
        let said = |first: usize| {
            let items = self.by_start.get(first..)?.iter().take(MAX_NEIGHBOURS);
            let mut begun = items.take_while(|i| i.span.start <= span.end);
            let may = |i: &Item| !timed(i.span) && i.span.gap(span) <= TOLERANCE;
            Some(first + begun.position(|i| may(i) && i.text == *text)?)
        };
        let ended_twice = || {
            let least = least_interval(said_text);
            let (from, last) = (
                span.end.saturating_sub(least),
                span.end.saturating_add(least),
            );
            let mut near = self.touching(from, last);
            near.find(|&index| {
                let item = &self.by_start[index];
                let ends = item.span.end_reported && span.end_reported;
                ends && !timed(item.span)
                    && item.span.end.abs_diff(span.end) < least
                    && item.text == *text
            })
        };
        let start = span.start_reported.then(by_start).flatten();
        start
            .or_else(|| span.end_reported.then(by_end).flatten())
            .or_else(|| match next {
                Some(first) => said(first),
                None => ended_twice(),
            })
    }

    /// Returns those that begin within the tolerance of `start`.
    fn with_start(&self, start: Duration) -> impl Iterator<Item = usize> {
        let from = start.saturating_sub(TOLERANCE);
        let first = self.from(from);
        let last = self.after(start.saturating_add(TOLERANCE));
        (first..last).take(MAX_NEIGHBOURS)
    }

    /// Returns those that may end within the tolerance of `end`, the latest first.
    fn with_end(&self, end: Duration) -> impl Iterator<Item = usize> {
        let last = end.saturating_add(TOLERANCE);
        self.touching(end.saturating_sub(TOLERANCE), last)
    }

    /// Returns those that begin at `last` or before and may end at `from` or after, the latest
    /// first.
    fn touching(&self, from: Duration, last: Duration) -> impl Iterator<Item = usize> {
        (0..self.after(last))
            .rev()
            .take_while(move |&i| self.by_start[i].reach >= from)
            .take(MAX_NEIGHBOURS)
    }

    /// Returns the index of the first one that begins at `start` or after.
    pub fn from(&self, start: Duration) -> usize {
        self.by_start.partition_point(|i| i.span.start < start)
    }

    pub fn span(&self, index: usize) -> Span {
        self.by_start[index].span
    }

    /// Returns the latest end that is not after `position`.
    pub fn last_end(&self, position: Duration) -> Option<Duration> {
        let begun = self.touching(Duration::ZERO, position);
        let ends = begun.map(|i| self.by_start[i].span.end);
        ends.filter(|end| *end <= position).max()
    }

    /// Returns the part of `text` after the texts of all from the index `first` on. `None` if it
    /// does not begin with them.
    pub fn strip<'t>(&self, text: &'t str, first: usize) -> Option<&'t str> {
        let mut items = self.by_start[first..].iter();
        items.try_fold(text, |rest, item| item.text.strip(rest))
    }

    /// Returns the spans with reported times that overlap `span`, the latest first.
    pub fn overlapping(&self, span: Span) -> impl Iterator<Item = Span> {
        self.items_over(span).map(|item| item.span)
    }

    fn items_over(&self, span: Span) -> impl Iterator<Item = &Item> {
        self.touching(span.start, span.end)
            .map(|i| &self.by_start[i])
            .filter(move |i| i.span.is_reported() && i.span.overlap(span) > Duration::ZERO)
    }

    /// Returns the settled parts of an open utterance with this span and these words. A settled
    /// utterance is one if it overlaps most of it, or if the two share its first or last word. One
    /// that only touches it is another utterance, for times are not exact.
    pub fn parts_of(&self, span: Span, words: &[Word]) -> Vec<Part> {
        let part = |item: &Item| match item.span.mostly_overlaps(span) {
            true => Some(Part {
                span: item.span,
                is_exact: false,
            }),
            false => item.shared(words),
        };
        let pruned = self.pruned_until.map(|end| Part {
            span: Span::new(Duration::ZERO, end),
            is_exact: false,
        });
        let parts = self.items_over(span).filter_map(part);
        parts
            .chain(pruned.filter(|part| part.span.overlap(span) > Duration::ZERO))
            .collect()
    }

    /// Returns the latest end of those that begin before `start`, or of all without it.
    pub fn end_before(&self, start: Option<Duration>) -> Option<Duration> {
        let count = start.map_or(self.len(), |start| self.from(start));
        let last = count.checked_sub(1).map(|i| self.by_start[i].reach);
        last.max(self.pruned_until)
    }

    /// Forgets those that end before `position`, which nothing will repeat. Their latest end is
    /// kept.
    pub fn prune_before(&mut self, position: Duration) {
        // `reach` grows with the index, so all of these end earlier.
        self.prune(self.by_start.partition_point(|i| i.reach < position));
    }

    /// Forgets all but the latest `count`. Their latest end is kept.
    pub fn keep_latest(&mut self, count: usize) {
        self.prune(self.len().saturating_sub(count));
    }

    /// Returns the latest end of those that were pruned: everything before counts as settled.
    pub fn pruned_until(&self) -> Option<Duration> {
        self.pruned_until
    }

    fn prune(&mut self, count: usize) {
        if let Some(last) = self.by_start.drain(..count).next_back() {
            self.pruned_until = self.pruned_until.max(Some(last.reach));
        }
    }

    pub fn len(&self) -> usize {
        self.by_start.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::ms;
    use proptest::prelude::*;

    fn settled(spans: impl IntoIterator<Item = Span>) -> Settled {
        let mut settled = Settled::default();
        for span in spans {
            settled.add(span, "a", &[]);
        }
        settled.commit();
        settled
    }

    fn span(start: u64, end: u64) -> Span {
        Span::new(ms(start), ms(end))
    }

    #[test]
    fn a_repeat_has_both_ends_and_overlaps_or_says_the_same() {
        let settled = settled([span(1000, 1080)]);
        for (start, end, text, is) in [
            (1050, 1130, "b", true),
            (1190, 1270, "A.", true),
            (1190, 1270, "b", false),
            (1000, 1290, "a", false),
            (1260, 1340, "a", false),
        ] {
            let found = settled.find(span(start, end), text, Some(0));
            assert_eq!(found.is_some(), is, "{start} {end} {text}");
        }
    }

    #[test]
    fn the_number_is_bounded_and_the_end_remembered() {
        let most = MAX_SETTLED as u64;
        let mut settled = settled((0..most).rev().map(|i| span(i * 10, i * 10 + 5)));
        assert_eq!((settled.len(), settled.pruned_until()), (MAX_SETTLED, None));
        settled.add(span(1 << 30, 1 << 30), "a", &[]);
        settled.commit();
        assert_eq!(settled.pruned_until(), Some(ms(most / 4 * 10 + 5)));
        assert_eq!(settled.len(), MAX_SETTLED / 4 * 3);
        assert_eq!(
            settled.end_before(Some(Duration::ZERO)),
            settled.pruned_until()
        );
    }

    #[test]
    fn words_are_kept_of_the_latest() {
        let count = MAX_WORDED as u64 + 1;
        let settled = settled((0..count).map(|i| span(i * 10, i * 10 + 5)));
        let worded = settled.by_start.iter().map(|item| item.words.is_some());
        assert!(worded.eq((0..count).map(|i| i > 0)));
    }

    proptest! {
        #[test]
        fn overlaps_are_found_among_spans_of_any_shape(
            spans in prop::collection::vec((0u64..300, 0u64..100), 0..30),
            forgotten in 0u64..200,
            (start, width) in (0u64..300, 0u64..100),
        ) {
            let mut settled = settled(spans.iter().map(|&(s, width)| span(s, s + width)));
            let wanted = span(forgotten + start, forgotten + start + width);
            settled.prune_before(ms(forgotten));
            let mut found: Vec<_> = settled.overlapping(wanted).map(|s| (s.start, s.end)).collect();
            let mut expected: Vec<_> = spans
                .iter()
                .map(|&(start, width)| span(start, start + width))
                .filter(|s| s.overlap(wanted) > Duration::ZERO && s.end >= ms(forgotten))
                .map(|s| (s.start, s.end))
                .collect();
            found.sort();
            expected.sort();
            prop_assert_eq!(found, expected);
        }
    }
}
