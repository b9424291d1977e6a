//! Where on the axis speech is settled: what the service says about it again is a repeat.
use std::cell::LazyCell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use super::span::{Span, TOLERANCE};
use crate::protocol::request::ResultType;

/// In `full` mode every response repeats every settled utterance of the connection, thousands in hours of speech. What is older
/// than that many belongs to a connection long gone, or to a peer that invents them.
const MAX_OF_FULL: usize = 1 << 14;

/// In `single` mode only what another connection hears again can be said again: minutes at most.
const MAX_OF_SINGLE: usize = 1 << 10;

/// A look-up goes through so many neighbours at most: an honest service has a few that overlap.
const MAX_NEIGHBOURS: usize = 128;

/// Settled utterances by time. Only a hash of each text is kept.
#[derive(Debug)]
pub(super) struct Settled {
    /// So many are told apart at most.
    limit: usize,
    by_start: Vec<Item>,
    /// To be taken up together, since [`Settled::hold`].
    held: Option<Vec<Item>>,
    /// The latest end of those that were forgotten.
    forgotten: Option<Duration>,
}

#[derive(Debug)]
struct Item {
    span: Span,
    text: u64,
    /// The latest end of this one and all before it, so that a search for overlaps knows where to stop.
    reach: Duration,
}

impl Settled {
    /// None yet, of connections that ask for `result_type`.
    pub fn new(result_type: ResultType) -> Self {
        Settled {
            limit: match result_type {
                ResultType::Full => MAX_OF_FULL,
                ResultType::Single => MAX_OF_SINGLE,
            },
            by_start: Vec::new(),
            held: None,
            forgotten: None,
        }
    }

    /// Takes up one more. Returns where the last one ended that was forgotten for it: what ends before is to be taken as settled.
    pub fn insert(&mut self, span: Span, text: &str) -> Option<Duration> {
        if let Some(held) = &mut self.held {
            held.push(Item {
                span,
                text: hash(text),
                reach: span.end,
            });
            return None;
        }
        let full = self.by_start.len() >= self.limit;
        if full {
            self.forget(self.limit / 4);
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
        let text = hash(text);
        self.by_start.insert(index, Item { span, text, reach });
        full.then_some(self.forgotten).flatten()
    }

    /// From here on until [`release`](Self::release), what is inserted is not found: one response may settle thousands, and
    /// each alone would move all the later ones.
    pub fn hold(&mut self) {
        self.held.get_or_insert_default();
    }

    /// Takes up what was inserted since [`hold`](Self::hold). Returns the same as [`insert`](Self::insert).
    pub fn release(&mut self) -> Option<Duration> {
        let held = self.held.take().unwrap_or_default();
        if held.is_empty() {
            return None;
        }
        self.by_start.extend(held);
        self.by_start.sort_by_key(|i| i.span.start);
        let mut reach = Duration::ZERO;
        for item in &mut self.by_start {
            reach = reach.max(item.span.end);
            item.reach = reach;
        }
        let excess = self.by_start.len().checked_sub(self.limit + 1)?;
        self.forget(excess + 1 + self.limit / 4);
        self.forgotten
    }

    /// How many begin at `start` or before.
    fn after(&self, start: Duration) -> usize {
        self.by_start.partition_point(|i| i.span.start <= start)
    }

    /// Whether this was settled before: both ends the same, and it overlaps that one or says the same.
    pub fn repeats(&self, span: Span, text: &str) -> bool {
        let text = LazyCell::new(|| hash(text));
        let from = span.start.saturating_sub(TOLERANCE);
        let first = self.by_start.partition_point(|i| i.span.start < from);
        let last = span.start.saturating_add(TOLERANCE);
        self.by_start[first..]
            .iter()
            .take(MAX_NEIGHBOURS)
            .take_while(|i| i.span.start <= last)
            .any(|i| {
                i.span.is_near(span) && (i.span.overlap(span) > Duration::ZERO || i.text == *text)
            })
    }

    /// The settled utterances that overlap `span`, the latest first.
    pub fn overlapping(&self, span: Span) -> impl Iterator<Item = Span> {
        self.by_start[..self.after(span.end)]
            .iter()
            .rev()
            .take_while(move |i| i.reach >= span.start)
            .take(MAX_NEIGHBOURS)
            .map(|i| i.span)
            .filter(move |s| s.overlap(span) > Duration::ZERO)
    }

    /// The end of the last one of those that begin before `start` (of all, without it), if there was any.
    pub fn end_before(&self, start: Option<Duration>) -> Option<Duration> {
        let count = start.map_or(self.by_start.len(), |start| {
            self.by_start.partition_point(|i| i.span.start < start)
        });
        let last = count.checked_sub(1).map(|i| self.by_start[i].reach);
        last.max(self.forgotten)
    }

    /// Forgets what ends before `position`: nothing will repeat it. Where it ended is remembered.
    pub fn forget_before(&mut self, position: Duration) {
        // Reach grows with the index: everything up to there ends earlier.
        self.forget(self.by_start.partition_point(|i| i.reach < position));
    }

    /// The latest end of those that were forgotten: what is before is settled.
    pub fn forgotten(&self) -> Option<Duration> {
        self.forgotten
    }

    fn forget(&mut self, count: usize) {
        if let Some(last) = self.by_start.drain(..count).next_back() {
            self.forgotten = self.forgotten.max(Some(last.reach));
        }
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.by_start.len()
    }
}

/// Within one run of the program, the same for the same value.
pub(super) fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
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
        assert!(settled.repeats(span(1050, 1130), "No."));
        assert!(settled.repeats(span(1190, 1270), "Yes."));
        assert!(!settled.repeats(span(1190, 1270), "No."));
        assert!(!settled.repeats(span(1000, 1290), "Yes."));
        assert!(!settled.repeats(span(1260, 1340), "Yes."));
    }

    #[test]
    fn the_end_is_that_of_the_last_before_the_first_open() {
        let mut settled = settled();
        assert_eq!(settled.end_before(None), None);
        settled.insert(span(0, 1000), "a");
        settled.insert(span(3000, 4000), "c");
        assert_eq!(settled.end_before(Some(ms(1500))), Some(ms(1000)));
        assert_eq!(settled.end_before(None), Some(ms(4000)));
        settled.forget_before(ms(2000));
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
    fn what_is_held_is_bounded_too() {
        let mut settled = settled();
        settled.hold();
        for i in (0..MAX_OF_FULL as u64 + 10).rev() {
            assert_eq!(settled.insert(span(i * 10, i * 10 + 5), "a"), None);
        }
        let forgotten = settled.release();
        assert_eq!(forgotten, Some(ms((MAX_OF_FULL as u64 / 4 + 10) * 10 - 5)));
        assert_eq!(settled.len(), MAX_OF_FULL / 4 * 3);
    }

    proptest! {
        /// One by one or together, in whatever order: the same is known in the end.
        #[test]
        fn what_is_held_comes_to_the_same(
            spans in prop::collection::vec((0u64..300, 0u64..100, any::<bool>()), 0..30),
            (start, width) in (0u64..300, 0u64..100),
        ) {
            let (mut one_by_one, mut together) = (settled(), settled());
            for &(start, width, hold) in &spans {
                if hold {
                    together.hold();
                } else {
                    together.release();
                }
                one_by_one.insert(span(start, start + width), "a");
                together.insert(span(start, start + width), "a");
            }
            together.release();
            let wanted = span(start, start + width);
            let found = |settled: &Settled| {
                let mut found: Vec<_> = settled.overlapping(wanted).map(|s| (s.start, s.end)).collect();
                found.sort();
                (found, settled.repeats(wanted, "a"), settled.end_before(Some(wanted.start)))
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
            settled.forget_before(ms(forgotten));
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
