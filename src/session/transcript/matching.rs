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

    /// A text, and its start and end. Where none is known, it lies somewhere in ten seconds.
    type Said = (&'static str, Option<u64>, Option<u64>);

    fn pair(opens: &[Said], entries: &[Said]) -> Vec<Option<usize>> {
        let entry = |&(text, start, end): &Said| {
            let at = |time: Option<u64>| time.map(Duration::from_millis);
            let known = end.map_or(Duration::from_secs(10), |_| Duration::ZERO);
            Entry::of_text(
                text,
                Span::within(Duration::ZERO, at(start), at(end), known),
            )
        };
        let open = |open| OpenUtterance::new(0, entry(open), Rules::default());
        let opens: Vec<_> = opens.iter().map(open).collect();
        super::pair(&opens, &entries.iter().map(entry).collect::<Vec<_>>())
    }

    #[test]
    fn the_largest_overlap_counts_then_small_gaps_then_the_order() {
        let list = |list: &'static str, unnamed: &'static str| -> Vec<Said> {
            let said = |said: &'static str| {
                let (text, times) = said.split_once(':').unwrap_or((unnamed, said));
                let (start, end) = times.split_once('-')?;
                Some((text, start.parse().ok(), end.parse().ok()))
            };
            list.split(' ').filter_map(said).collect()
        };
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
            "0-10 0-10 0-10 0-10 0-100 > 0-100 > 4",
            // Sentences 260 ms apart are two. A small gap is bridged when nothing overlaps.
            "0-1000 > 1260-2000 > -",
            "592-672 > 732-812 > 0",
            "592-672 > 592-672 732-812 > 0 -",
            // Without times, by order.
            "- - > - - - > 0 1 -",
            "0-500 - 2000-2500 > 0-600 900-1500 2000-2600 > 0 1 2",
            "0-500 > - > 0",
            // A second pass without a start: its end tells which one it is, where it is near, and
            // otherwise its text.
            "a:500-1000 b:2100-2300 > c:-2902 > 1",
            "a:500-1000 b:2100-2300 > c:-1300 > 0",
            "a:500-1000 b:2100-2300 > c:-1300 c:-2902 > 0 1",
            "a:500-1000 b:2100-2300 > c:-3400 > -",
            "a:500-1000 b:2100-2300 > b:-3400 > 1",
            "a:500-1000 b:2100-2300 > a:-2902 > 0",
        ] {
            let [opens, entries, pairs] = row.split(" > ").collect::<Vec<_>>()[..] else {
                panic!("three parts: {row}");
            };
            let pairs: Vec<Option<usize>> = pairs.split(' ').map(|n| n.parse().ok()).collect();
            assert_eq!(
                pair(&list(opens, "open"), &list(entries, "entry")),
                pairs,
                "{row}"
            );
        }
    }

    fn said(text: &'static str) -> impl Strategy<Value = Vec<Said>> {
        let timed = move |(start, width)| (text, Some(start), Some(start + width));
        let times = (0u64..3000, 0u64..1500).prop_map(timed);
        let one = prop_oneof![8 => times, 2 => Just((text, None, None))];
        prop::collection::vec(one, 0..12)
    }

    proptest! {
        #[test]
        fn pairs_never_cross_nor_share(opens in said("a"), entries in said("b")) {
            let pairs: Vec<usize> = pair(&opens, &entries).into_iter().flatten().collect();
            prop_assert!(pairs.is_sorted_by(|a, b| a < b), "{pairs:?}");
        }

        #[test]
        fn the_same_list_is_paired_with_itself(mut said in said("a")) {
            said.retain(|said| said.1.is_some());
            said.sort();
            said.dedup();
            let pairs = pair(&said, &said);
            prop_assert_eq!(pairs, (0..said.len()).map(Some).collect::<Vec<_>>());
        }
    }
}
