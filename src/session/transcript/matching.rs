//! Pairs the entries of a response with the open utterances that they continue (rule 4).
//!
//! Both are in the order of their times. The service revises starts, ends and segmentation, so
//! neither a start nor an index identifies an utterance. The pairs are an alignment without
//! crossings with the best score (Needleman–Wunsch): the largest overlap counts first, then small
//! gaps. Where a time is missing, texts and order decide.
use std::ops::Add;
use std::time::Duration;

use super::listed::ListedUtterance;
use super::span::{Span, TOLERANCE};

/// Upper bound on the distance of two spans, one of them inferred, that may be one utterance
/// although their texts are not alike.
const MAX_DISTANCE: Duration = Duration::from_secs(1);

/// Score of a set of pairs. The first field decides, then the second, then the third.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Score {
    /// Microseconds of overlap.
    overlap: u64,
    /// Nearness of pairs that do not overlap.
    near: u64,
    /// Pairs with an inferred time, by distance and text.
    inferred: u64,
}

impl Add for Score {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            overlap: self.overlap.saturating_add(other.overlap),
            near: self.near.saturating_add(other.near),
            inferred: self.inferred.saturating_add(other.inferred),
        }
    }
}

/// Last step of the best alignment of the first entries with the first open utterances.
#[derive(Debug, Clone, Copy)]
enum Step {
    SkipEntry,
    SkipOpen,
    Pair,
}

/// Computes alignments. Keeps its buffers between responses.
#[derive(Debug, Default)]
pub(super) struct Matcher {
    /// Best scores with the first 0, 1, 2 … open utterances: with the current entry, and without
    /// it.
    row: Vec<Score>,
    above: Vec<Score>,
    /// A row for each entry, a column for each open utterance.
    steps: Vec<Step>,
}

impl Matcher {
    /// Sets [`ListedUtterance::matched`] of the entries that continue an open utterance. `opens`
    /// are the spans of these; `are_alike` compares the texts of an entry and an open utterance.
    pub fn pair(
        &mut self,
        opens: &[Span],
        entries: &mut [ListedUtterance],
        are_alike: impl Fn(&ListedUtterance, usize) -> bool,
    ) {
        self.row.clear();
        self.row.resize(opens.len() + 1, Score::default());
        self.steps.clear();
        for entry in entries.iter() {
            self.above.clone_from(&self.row);
            for (open, &span) in opens.iter().enumerate() {
                // Of equal scores, the earlier pair wins.
                let (mut best, mut step) = (self.above[open + 1], Step::SkipEntry);
                if self.row[open] > best {
                    (best, step) = (self.row[open], Step::SkipOpen);
                }
                if let Some(score) = score(entry.span, span, || are_alike(entry, open))
                    && self.above[open] + score > best
                {
                    (best, step) = (self.above[open] + score, Step::Pair);
                }
                self.row[open + 1] = best;
                self.steps.push(step);
            }
        }
        let (mut entry, mut open) = (entries.len(), opens.len());
        while entry > 0 && open > 0 {
            match self.steps[(entry - 1) * opens.len() + open - 1] {
                Step::SkipEntry => entry -= 1,
                Step::SkipOpen => open -= 1,
                Step::Pair => {
                    (entry, open) = (entry - 1, open - 1);
                    entries[entry].matched = Some(open);
                }
            }
        }
    }
}

/// Returns the score of a pair, if the two may be one utterance.
fn score(entry: Span, open: Span, are_alike: impl Fn() -> bool) -> Option<Score> {
    let overlap = entry.overlap(open);
    let near = TOLERANCE.checked_sub(entry.gap(open));
    if !entry.is_reported() || !open.is_reported() {
        near?;
        let distance = entry.distance(open).unwrap_or_default();
        let alike = are_alike();
        let may = alike || distance <= MAX_DISTANCE;
        let most = micros(MAX_DISTANCE) + 1;
        let worth = u64::from(alike) * most + most - micros(distance.min(MAX_DISTANCE));
        return may.then(|| Score {
            inferred: worth,
            ..Score::default()
        });
    }
    let shared = entry.mostly_overlaps(open) && !overlap.is_zero();
    Some(Score {
        overlap: if shared { micros(overlap) } else { 0 },
        near: if shared {
            0
        } else {
            micros(near? + overlap).max(1)
        },
        inferred: 0,
    })
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::listed::Source;
    use super::*;

    /// Without times it lies somewhere in ten seconds.
    type Times = Option<(u64, u64)>;

    fn span(times: Times) -> Span {
        let at = |ms| Some(Duration::from_millis(ms));
        let (start, end) = times.map_or((None, None), |(s, e)| (at(s), at(e)));
        Span::within(Duration::ZERO, start, end, Duration::from_secs(10))
    }

    fn pair_spans(
        opens: &[Span],
        entries: &[Span],
        are_alike: impl Fn(&ListedUtterance, usize) -> bool,
    ) -> Vec<Option<usize>> {
        let entries = entries.iter().enumerate();
        let mut entries: Vec<_> = entries
            .map(|(index, &span)| ListedUtterance::new(Source::Listed(index), span))
            .collect();
        Matcher::default().pair(opens, &mut entries, are_alike);
        entries.iter().map(|e| e.matched).collect()
    }

    fn pair(opens: &[Times], entries: &[Times]) -> Vec<Option<usize>> {
        let opens: Vec<_> = opens.iter().map(|&o| span(o)).collect();
        let entries: Vec<_> = entries.iter().map(|&e| span(e)).collect();
        pair_spans(&opens, &entries, |_, _| false)
    }

    #[test]
    fn the_largest_overlap_counts_then_small_gaps_then_the_order() {
        let list = |text: &str| -> Vec<Times> {
            let time = |text: &str| text.parse().ok();
            let spans = text.split(' ').filter_map(|span| span.split_once('-'));
            spans
                .map(|(start, end)| time(start).zip(time(end)))
                .collect()
        };
        let many = format!("{}0-100 > 0-100 > 40", "0-10 ".repeat(40));
        // Open utterances, entries, and for each entry the one that it continues.
        for row in [
            // A revised start is the same utterance.
            "732-900 > 592-1200 > 0",
            // Of two halves the larger has the number; of equal ones the first.
            "592-4252 > 592-2400 2660-4252 > 0 -",
            "592-4252 > 592-1400 1660-4252 > - 0",
            "0-2000 > 0-1000 1000-2000 > 0 -",
            // One that covers two has the larger.
            "0-1000 1100-3000 > 0-3000 > 1",
            &many,
            // Sentences 260 ms apart are two. A small gap is bridged when nothing overlaps.
            "0-1000 > 1260-2000 > -",
            "592-672 > 732-812 > 0",
            "592-672 > 592-672 732-812 > 0 -",
            // Without times, by order.
            "- - > - - - > 0 1 -",
            "0-500 - 2000-2500 > 0-600 900-1500 2000-2600 > 0 1 2",
            "0-500 > - > 0",
        ] {
            let [opens, entries, pairs] = row.split(" > ").collect::<Vec<_>>()[..] else {
                panic!("three parts: {row}");
            };
            let pairs: Vec<Option<usize>> = pairs.split(' ').map(|n| n.parse().ok()).collect();
            assert_eq!(pair(&list(opens), &list(entries)), pairs, "{row}");
        }
    }

    /// A second pass without a start: its end tells which one it is, where it is near, and
    /// otherwise its text.
    #[test]
    fn without_starts_by_ends_and_texts() {
        let until = |end| {
            let end = Some(Duration::from_millis(end));
            Span::within(Duration::ZERO, None, end, Duration::ZERO)
        };
        let opens = [span(Some((500, 1000))), span(Some((2100, 2300)))];
        let pair = |ends: &[u64], alike| {
            let entries: Vec<_> = ends.iter().map(|&end| until(end)).collect();
            pair_spans(&opens, &entries, |entry, open| {
                alike == Some((entry.span.end.as_millis() as u64, open))
            })
        };
        assert_eq!(pair(&[2902], None), [Some(1)]);
        assert_eq!(pair(&[1300], None), [Some(0)]);
        assert_eq!(pair(&[1300, 2902], None), [Some(0), Some(1)]);
        assert_eq!(pair(&[3400], None), [None]);
        assert_eq!(pair(&[3400], Some((3400, 1))), [Some(1)]);
        assert_eq!(pair(&[2902], Some((2902, 0))), [Some(0)]);
    }

    fn times() -> impl Strategy<Value = Vec<Times>> {
        let one =
            prop::option::weighted(0.8, (0u64..3000, 0u64..1500).prop_map(|(s, w)| (s, s + w)));
        prop::collection::vec(one, 0..12)
    }

    proptest! {
        #[test]
        fn pairs_never_cross_nor_share(opens in times(), entries in times()) {
            let pairs: Vec<usize> = pair(&opens, &entries).into_iter().flatten().collect();
            prop_assert!(pairs.is_sorted_by(|a, b| a < b), "{pairs:?}");
        }

        #[test]
        fn the_same_list_is_paired_with_itself(mut times in times()) {
            times.retain(Option::is_some);
            times.sort();
            times.dedup();
            let pairs = pair(&times, &times);
            prop_assert_eq!(pairs, (0..times.len()).map(Some).collect::<Vec<_>>());
        }
    }
}
