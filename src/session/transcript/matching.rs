//! Which open utterance an entry continues (rule 4).
//!
//! Both are in the order of their times, and pairs never cross. The service revises starts, ends and cuts, so neither starts nor
//! indices tell them apart: pairs are chosen by overlap first, then, among those left over between two pairs, by small gaps,
//! then by order where times are missing. Of all ways to pair without crossing, the one with the largest overlap is taken.
use std::ops::Range;

use super::entry::Entry;
use super::span::{Span, TOLERANCE};

/// An entry competes for so many open utterances at most; an honest one overlaps two or three.
const MAX_RIVALS: usize = 8;

/// So many pairs are considered at most. An honest response lists what is open, and little more.
const MAX_PAIRS: usize = 1 << 21;

/// Finds pairs; keeps its buffers between responses.
#[derive(Debug, Default)]
pub(super) struct Matcher {
    /// The best chain of pairs that ends at an open utterance or before: its weight and its last link.
    best: Vec<(u64, Option<usize>)>,
    links: Vec<Link>,
    rivals: Vec<(u64, usize)>,
    blocks: Vec<(Range<usize>, Range<usize>)>,
}

#[derive(Debug)]
struct Link {
    entry: usize,
    open: usize,
    before: Option<usize>,
}

impl Matcher {
    /// Sets [`Entry::matched`] of the entries that continue one of `opens`, whose spans these are.
    pub fn pair(&mut self, opens: &[Option<Span>], entries: &mut [Entry]) {
        if opens.is_empty() || entries.is_empty() {
            return;
        }
        self.chain(opens, entries, 0..opens.len(), 0..entries.len(), by_overlap);
        self.split(opens.len(), entries);
        for (o, e) in std::mem::take(&mut self.blocks) {
            self.chain(opens, entries, o, e, by_gap);
        }
        self.split(opens.len(), entries);
        for (mut o, e) in self.blocks.drain(..) {
            for entry in &mut entries[e] {
                let timed = entry.span.is_some();
                if let Some(open) = o.clone().find(|&open| !timed || opens[open].is_none()) {
                    entry.matched = Some(open);
                    o.start = open + 1;
                }
            }
        }
    }

    /// The stretches between pairs, where something is left on both sides.
    fn split(&mut self, opens: usize, entries: &[Entry]) {
        self.blocks.clear();
        let (mut open, mut first) = (0, 0);
        let pairs = entries
            .iter()
            .enumerate()
            .filter_map(|(i, e)| Some((i, e.matched?)));
        for (entry, matched) in pairs.chain([(entries.len(), opens)]) {
            if first < entry && open < matched {
                self.blocks.push((open..matched, first..entry));
            }
            (open, first) = (matched + 1, entry + 1);
        }
    }

    /// Pairs without crossing so that their weights add up to the most; of equal ones, the earlier entry has it.
    fn chain(
        &mut self,
        opens: &[Option<Span>],
        entries: &mut [Entry],
        o: Range<usize>,
        e: Range<usize>,
        weight: fn(Span, Span) -> Option<u64>,
    ) {
        self.links.clear();
        self.best.clear();
        self.best.resize(o.len(), (0, None));
        for entry in e.take(MAX_PAIRS / o.len().max(1)) {
            let Some(span) = entries[entry].span else {
                continue;
            };
            self.rivals.clear();
            for open in o.clone() {
                let Some(weight) = opens[open].and_then(|other| weight(span, other)) else {
                    continue;
                };
                if self.rivals.len() < MAX_RIVALS {
                    self.rivals.push((weight, open));
                } else if let Some(least) = self.rivals.iter_mut().min() {
                    *least = (weight, open).max(*least);
                }
            }
            // From the last one on, so that an entry's own pairs don't follow each other.
            self.rivals
                .sort_unstable_by_key(|&(_, open)| std::cmp::Reverse(open));
            for &(weight, open) in &self.rivals {
                let at = open - o.start;
                let (sum, before) = at.checked_sub(1).map_or((0, None), |i| self.best[i]);
                let sum = sum.saturating_add(weight);
                let link = self.links.len();
                let mut improved = false;
                for best in self.best[at..].iter_mut().take_while(|b| b.0 < sum) {
                    *best = (sum, Some(link));
                    improved = true;
                }
                if improved {
                    self.links.push(Link {
                        entry,
                        open,
                        before,
                    });
                }
            }
        }
        let mut last = self.best.last().and_then(|b| b.1);
        while let Some(link) = last.map(|i| &self.links[i]) {
            entries[link.entry].matched = Some(link.open);
            last = link.before;
        }
    }
}

fn by_overlap(a: Span, b: Span) -> Option<u64> {
    let overlap = a.overlap(b);
    (!overlap.is_zero() && a.mostly_overlaps(b)).then(|| micros(overlap))
}

fn by_gap(a: Span, b: Span) -> Option<u64> {
    let near = TOLERANCE.checked_sub(a.gap(b))?;
    Some(micros(near + a.overlap(b)).max(1))
}

fn micros(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    type Times = Option<(u64, u64)>;

    fn span(times: Times) -> Option<Span> {
        times.map(|(s, e)| Span::new(Duration::from_millis(s), Duration::from_millis(e)))
    }

    fn pair(opens: &[Times], entries: &[Times]) -> Vec<Option<usize>> {
        let opens: Vec<_> = opens.iter().map(|&o| span(o)).collect();
        let mut entries: Vec<_> = entries
            .iter()
            .map(|&e| Entry {
                index: None,
                key: Duration::ZERO,
                span: span(e),
                rest: None,
                matched: None,
            })
            .collect();
        Matcher::default().pair(&opens, &mut entries);
        entries.iter().map(|e| e.matched).collect()
    }

    #[test]
    fn a_revised_start_is_the_same_utterance() {
        assert_eq!(pair(&[Some((732, 900))], &[Some((592, 1200))]), [Some(0)]);
    }

    #[test]
    fn of_two_halves_the_larger_has_the_number() {
        let grown = [Some((592, 4252))];
        assert_eq!(
            pair(&grown, &[Some((592, 2400)), Some((2660, 4252))]),
            [Some(0), None]
        );
        assert_eq!(
            pair(&grown, &[Some((592, 1400)), Some((1660, 4252))]),
            [None, Some(0)]
        );
        assert_eq!(
            pair(&[Some((0, 2000))], &[Some((0, 1000)), Some((1000, 2000))]),
            [Some(0), None]
        );
    }

    #[test]
    fn sentences_260_ms_apart_are_two() {
        assert_eq!(pair(&[Some((0, 1000))], &[Some((1260, 2000))]), [None]);
    }

    #[test]
    fn a_small_gap_is_bridged_when_nothing_overlaps() {
        assert_eq!(pair(&[Some((592, 672))], &[Some((732, 812))]), [Some(0)]);
        assert_eq!(
            pair(&[Some((592, 672))], &[Some((592, 672)), Some((732, 812))]),
            [Some(0), None]
        );
    }

    #[test]
    fn without_times_by_order() {
        assert_eq!(
            pair(&[None, None], &[None, None, None]),
            [Some(0), Some(1), None]
        );
        assert_eq!(
            pair(
                &[Some((0, 500)), None, Some((2000, 2500))],
                &[Some((0, 600)), Some((900, 1500)), Some((2000, 2600))]
            ),
            [Some(0), Some(1), Some(2)]
        );
        assert_eq!(pair(&[Some((0, 500))], &[None]), [Some(0)]);
    }

    #[test]
    fn one_that_covers_two_has_the_larger() {
        assert_eq!(
            pair(&[Some((0, 1000)), Some((1100, 3000))], &[Some((0, 3000))]),
            [Some(1)]
        );
    }

    #[test]
    fn many_rivals_are_bounded_and_the_best_stays() {
        let mut opens = vec![Some((0, 10)); 40];
        opens.push(Some((0, 100)));
        assert_eq!(pair(&opens, &[Some((0, 100))]), [Some(40)]);
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
