//! Pairs the entries of a response with the open utterances that they continue (rule 4).
//!
//! Both are in the order of their times. The service revises starts, ends and segmentation, so
//! neither a start nor an index identifies an utterance. The pairs are an alignment without
//! crossings with the best score (Needleman–Wunsch): the largest overlap counts first, then small
//! gaps. Where a time is missing, texts and order decide.
use std::time::Duration;

use super::listed::Entry;
use super::open::OpenUtterance;
use super::span::TOLERANCE;
use super::text::are_alike;

/// Upper bound on the distance of two spans, one of them inferred, that may be one utterance
/// although their texts are not alike.
const MAX_DISTANCE: Duration = Duration::from_secs(1);

/// Score of a set of pairs. The first part decides, then the second, then the third: microseconds
/// of overlap; nearness of pairs that do not overlap; of pairs with an inferred time, distance and
/// text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Score([u64; 3]);

impl Score {
    fn plus(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| {
            self.0[i].saturating_add(other.0[i])
        }))
    }
}

/// Last step of the best alignment of the first entries with the first open utterances.
#[derive(Debug, Clone, Copy)]
enum Step {
    SkipEntry,
    SkipOpen,
    Pair,
}

/// Returns for each entry the index of the open utterance that it continues.
pub(super) fn pair(opens: &[OpenUtterance], entries: &[Entry<'_, '_>]) -> Vec<Option<usize>> {
    let mut pairs = vec![None; entries.len()];
    // Best scores of the entries so far with the first 0, 1, 2 … open utterances.
    let mut row = vec![Score::default(); opens.len() + 1];
    // A row for each entry, a column for each open utterance.
    let mut steps = Vec::with_capacity(entries.len() * opens.len());
    for entry in entries {
        // The best score without this entry and this open utterance.
        let mut without = Score::default();
        for (column, open) in opens.iter().enumerate() {
            // Of equal scores, the earlier pair wins.
            let above = row[column + 1];
            let (mut best, mut step) = (above, Step::SkipEntry);
            if row[column] > best {
                (best, step) = (row[column], Step::SkipOpen);
            }
            if let Some(score) = score(entry, open)
                && without.plus(score) > best
            {
                (best, step) = (without.plus(score), Step::Pair);
            }
            row[column + 1] = best;
            without = above;
            steps.push(step);
        }
    }
    let (mut entry, mut open) = (entries.len(), opens.len());
    while entry > 0 && open > 0 {
        match steps[(entry - 1) * opens.len() + open - 1] {
            Step::SkipEntry => entry -= 1,
            Step::SkipOpen => open -= 1,
            Step::Pair => {
                (entry, open) = (entry - 1, open - 1);
                pairs[entry] = Some(open);
            }
        }
    }
    pairs
}

/// Returns the score of a pair, if the two may be one utterance.
fn score(entry: &Entry<'_, '_>, open: &OpenUtterance) -> Option<Score> {
    let (span, known) = (entry.span, open.span);
    let overlap = span.overlap(known);
    let near = TOLERANCE.checked_sub(span.gap(known));
    if !span.is_reported() || !known.is_reported() {
        near?;
        let distance = span.distance(known).unwrap_or_default();
        let alike = are_alike(&entry.text, open.text());
        let most = micros(MAX_DISTANCE) + 1;
        let worth = u64::from(alike) * most + most - micros(distance.min(MAX_DISTANCE));
        return (alike || distance <= MAX_DISTANCE).then_some(Score([0, 0, worth]));
    }
    if span.mostly_overlaps(known) && !overlap.is_zero() {
        return Some(Score([micros(overlap), 0, 0]));
    }
    Some(Score([0, micros(near? + overlap).max(1), 0]))
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::open::Rules;
    use super::super::span::Span;
    use super::*;

    /// Without times it lies somewhere in ten seconds.
    type Times = Option<(u64, u64)>;

    fn span(times: Times) -> Span {
        let at = |ms| Some(Duration::from_millis(ms));
        let (start, end) = times.map_or((None, None), |(s, e)| (at(s), at(e)));
        Span::within(Duration::ZERO, start, end, Duration::from_secs(10))
    }

    fn pair_texts(
        opens: &[(&'static str, Span)],
        entries: &[(&'static str, Span)],
    ) -> Vec<Option<usize>> {
        let rules = Rules::default();
        let entry = |&(text, span): &(&'static str, Span)| Entry::of_text(text, span);
        let opens: Vec<_> = opens
            .iter()
            .map(|open| OpenUtterance::new(0, entry(open), rules))
            .collect();
        let entries: Vec<_> = entries.iter().map(entry).collect();
        super::pair(&opens, &entries)
    }

    fn pair(opens: &[Times], entries: &[Times]) -> Vec<Option<usize>> {
        let opens: Vec<_> = opens.iter().map(|&times| ("a", span(times))).collect();
        let entries: Vec<_> = entries.iter().map(|&times| ("b", span(times))).collect();
        pair_texts(&opens, &entries)
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
        let opens = [
            ("a", span(Some((500, 1000)))),
            ("b", span(Some((2100, 2300)))),
        ];
        for (entries, pairs) in [
            (vec![("c", 2902)], vec![Some(1)]),
            (vec![("c", 1300)], vec![Some(0)]),
            (vec![("c", 1300), ("c", 2902)], vec![Some(0), Some(1)]),
            (vec![("c", 3400)], vec![None]),
            (vec![("b", 3400)], vec![Some(1)]),
            (vec![("a", 2902)], vec![Some(0)]),
        ] {
            let list: Vec<_> = entries
                .iter()
                .map(|&(text, end)| (text, until(end)))
                .collect();
            assert_eq!(pair_texts(&opens, &list), pairs, "{entries:?}");
        }
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
