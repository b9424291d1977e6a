//! The settled utterances: entries that match one of them are repeats.
use std::cell::LazyCell;
use std::time::Duration;

use super::span::{Span, TOLERANCE};
use super::text::{Fingerprint, least_interval};
use crate::protocol::request::ResultType;

/// Upper bound on settled utterances in `full` mode, where every response repeats those of its
/// connection: thousands in hours of speech.
const MAX_OF_FULL: usize = 1 << 14;

/// Upper bound on settled utterances in `single` mode, where only replayed audio, minutes at most,
/// can repeat them.
const MAX_OF_SINGLE: usize = 1 << 10;

/// Upper bound on the utterances that a look-up compares. Only a few overlap in practice.
const MAX_NEIGHBOURS: usize = 128;

/// Settled utterances in the order of their times. Of each text only a fingerprint is kept.
#[derive(Debug)]
pub(super) struct Settled {
    /// Upper bound on their number.
    limit: usize,
    by_start: Vec<Item>,
    /// Added together at [`Settled::commit_batch`].
    batch: Option<Vec<Item>>,
    /// Latest end of those that were pruned.
    pruned_until: Option<Duration>,
}

#[derive(Debug)]
struct Item {
    span: Span,
    text: Fingerprint,
    /// Latest end of this one and all before it, which ends a search for overlaps.
    reach: Duration,
}

impl Settled {
    /// Returns an empty list for connections that request `result_type`.
    pub fn new(result_type: ResultType) -> Self {
        Settled {
            limit: match result_type {
                ResultType::Full => MAX_OF_FULL,
                ResultType::Single => MAX_OF_SINGLE,
            },
            by_start: Vec::new(),
            batch: None,
            pruned_until: None,
        }
    }

    /// Adds an utterance. Returns the latest end of those that were pruned for it, if any:
    /// everything that ends before counts as settled.
    pub fn insert(&mut self, span: Span, text: &str) -> Option<Duration> {
        if let Some(batch) = &mut self.batch {
            batch.push(Item {
                span,
                text: Fingerprint::of(text),
                reach: span.end,
            });
            return None;
        }
        let full = self.by_start.len() >= self.limit;
        if full {
            self.prune(self.limit / 4);
        }
        let index = self.after(span.start);
        let before = index.checked_sub(1).map(|i| self.by_start[i].reach);
        let reach = span.end.max(before.unwrap_or_default());
        for item in &mut self.by_start[index..] {
            if item.reach >= reach {
                break;
            }
            item.reach = reach;
        }
        let text = Fingerprint::of(text);
        self.by_start.insert(index, Item { span, text, reach });
        full.then_some(self.pruned_until).flatten()
    }

    /// Begins a batch: until [`commit_batch`](Self::commit_batch), inserted utterances are not
    /// found. A response may settle thousands, which are then sorted once.
    pub fn begin_batch(&mut self) {
        self.batch.get_or_insert_default();
    }

    /// Adds the utterances of the batch. Returns the same as [`insert`](Self::insert).
    pub fn commit_batch(&mut self) -> Option<Duration> {
        let batch = self.batch.take().unwrap_or_default();
        if batch.is_empty() {
            return None;
        }
        self.by_start.extend(batch);
        self.by_start.sort_by_key(|i| i.span.start);
        let mut reach = Duration::ZERO;
        for item in &mut self.by_start {
            reach = reach.max(item.span.end);
            item.reach = reach;
        }
        let excess = self.by_start.len().checked_sub(self.limit + 1)?;
        self.prune(excess + 1 + self.limit / 4);
        self.pruned_until
    }

    /// Returns the number of those that begin at `start` or before.
    fn after(&self, start: Duration) -> usize {
        self.by_start.partition_point(|i| i.span.start <= start)
    }

    /// Returns the index of the settled utterance that an entry repeats. The times that both report
    /// decide: they are the same, and the two overlap or have the same text. Where a time is
    /// missing, the text decides too: among those from the index `listed` on, or, where settled
    /// ones are not listed again, if the ends are too close for the text to be said twice. A second
    /// pass may end an utterance twice, as soft and as hard.
    pub fn find(&self, span: Span, text: &str, listed: Option<usize>) -> Option<usize> {
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
            .or_else(|| match listed {
                Some(first) => said(first),
                None => ended_twice(),
            })
    }

    /// Returns those that begin within the tolerance of `start`.
    fn with_start(&self, start: Duration) -> impl Iterator<Item = usize> {
        let from = start.saturating_sub(TOLERANCE);
        let first = self.by_start.partition_point(|i| i.span.start < from);
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
        self.touching(span.start, span.end)
            .map(|i| self.by_start[i].span)
            .filter(move |s| s.is_reported() && s.overlap(span) > Duration::ZERO)
    }

    /// Returns the latest end of those that begin before `start`, or of all without it.
    pub fn end_before(&self, start: Option<Duration>) -> Option<Duration> {
        let count = start.map_or(self.by_start.len(), |start| {
            self.by_start.partition_point(|i| i.span.start < start)
        });
        let last = count.checked_sub(1).map(|i| self.by_start[i].reach);
        last.max(self.pruned_until)
    }

    /// Forgets those that end before `position`, which nothing will repeat. Their latest end is
    /// kept.
    pub fn prune_before(&mut self, position: Duration) {
        // `reach` grows with the index, so all of these end earlier.
        self.prune(self.by_start.partition_point(|i| i.reach < position));
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
    use proptest::prelude::*;

    fn settled() -> Settled {
        Settled::new(ResultType::Full)
    }

    fn span(start: u64, end: u64) -> Span {
        Span::new(Duration::from_millis(start), Duration::from_millis(end))
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_repeat_has_both_ends_and_overlaps_or_says_the_same() {
        let mut settled = settled();
        settled.insert(span(1000, 1080), "Yes.");
        let repeats = |start, end, text| settled.find(span(start, end), text, Some(0)).is_some();
        assert!(repeats(1050, 1130, "No."));
        assert!(repeats(1190, 1270, "Yes."));
        assert!(!repeats(1190, 1270, "No."));
        assert!(!repeats(1000, 1290, "Yes."));
        assert!(!repeats(1260, 1340, "Yes."));
    }

    #[test]
    fn the_end_is_that_of_the_last_before_the_first_open() {
        let mut settled = settled();
        assert_eq!(settled.end_before(None), None);
        settled.insert(span(0, 1000), "a");
        settled.insert(span(3000, 4000), "c");
        assert_eq!(settled.end_before(Some(ms(1500))), Some(ms(1000)));
        assert_eq!(settled.end_before(None), Some(ms(4000)));
        settled.prune_before(ms(2000));
        assert_eq!(settled.len(), 1);
        assert_eq!(settled.end_before(Some(ms(1500))), Some(ms(1000)));
    }

    #[test]
    fn the_number_is_bounded_and_the_end_remembered() {
        for (result_type, most) in [
            (ResultType::Full, MAX_OF_FULL),
            (ResultType::Single, MAX_OF_SINGLE),
        ] {
            let mut settled = Settled::new(result_type);
            for i in 0..most as u64 {
                assert_eq!(settled.insert(span(i * 10, i * 10 + 5), "a"), None);
            }
            let forgotten = settled.insert(span(1 << 30, 1 << 30), "a");
            assert_eq!(forgotten, Some(ms(most as u64 / 4 * 10 - 5)));
            assert!(settled.len() <= most);
            assert_eq!(settled.end_before(Some(Duration::ZERO)), forgotten);
        }
    }

    #[test]
    fn a_batch_is_bounded_too() {
        let mut settled = settled();
        settled.begin_batch();
        for i in (0..MAX_OF_FULL as u64 + 10).rev() {
            assert_eq!(settled.insert(span(i * 10, i * 10 + 5), "a"), None);
        }
        let forgotten = settled.commit_batch();
        assert_eq!(forgotten, Some(ms((MAX_OF_FULL as u64 / 4 + 10) * 10 - 5)));
        assert_eq!(settled.len(), MAX_OF_FULL / 4 * 3);
    }

    proptest! {
        /// One by one or together, in any order: the same is known in the end.
        #[test]
        fn a_batch_gives_the_same_list(
            spans in prop::collection::vec((0u64..300, 0u64..100, any::<bool>()), 0..30),
            (start, width) in (0u64..300, 0u64..100),
        ) {
            let (mut one_by_one, mut together) = (settled(), settled());
            for &(start, width, hold) in &spans {
                if hold {
                    together.begin_batch();
                } else {
                    together.commit_batch();
                }
                one_by_one.insert(span(start, start + width), "a");
                together.insert(span(start, start + width), "a");
            }
            together.commit_batch();
            let wanted = span(start, start + width);
            let found = |settled: &Settled| {
                let mut found: Vec<_> =
                    settled.overlapping(wanted).map(|s| (s.start, s.end)).collect();
                found.sort();
                let known = settled.find(wanted, "a", None).is_some();
                (found, known, settled.end_before(Some(wanted.start)))
            };
            prop_assert_eq!(found(&one_by_one), found(&together));
        }

        #[test]
        fn overlaps_are_found_among_spans_of_any_shape(
            spans in prop::collection::vec((0u64..300, 0u64..100), 0..30),
            forgotten in 0u64..200,
            (start, width) in (0u64..300, 0u64..100),
        ) {
            let mut settled = settled();
            for &(start, width) in &spans {
                settled.insert(span(start, start + width), "a");
            }
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
