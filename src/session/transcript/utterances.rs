//! The utterances of a stream: applies entries to the open ones, and settles them (rules 5 to 7).
use std::time::Duration;

use super::listed::Entry;
use super::matching;
use super::open::{OpenUtterance, Rules};
use super::settled::Settled;
use super::span::{Span, TOLERANCE, covered};
use super::update::Update;

/// Upper bound on open utterances; beyond it the oldest end unconfirmed. Recordings have one or
/// two.
pub(super) const MAX_OPEN: usize = 64;

/// Upper bound on the bytes of all open utterances; beyond it the oldest end, too. Recordings have
/// some kilobytes.
pub(super) const MAX_OPEN_BYTES: usize = 8 << 20;

/// Utterances that were announced.
#[derive(Debug, Default)]
pub(super) struct Utterances {
    next_number: u32,
    /// Those that are not final, in the order of their times, then of their numbers.
    open: Vec<OpenUtterance>,
    settled: Settled,
    /// Start of words that belong to no utterance and must be recognised again.
    unresolved_from: Option<Duration>,
}

impl Utterances {
    pub fn open(&self) -> &[OpenUtterance] {
        &self.open
    }

    pub fn settled(&self) -> &Settled {
        &self.settled
    }

    /// Returns whether any was announced.
    pub fn any(&self) -> bool {
        self.next_number > 0
    }

    /// Returns where the first speech begins that is known and not settled.
    pub fn unsettled_from(&self) -> Option<Duration> {
        let open = self.open.iter();
        let open = open.filter_map(|o| o.unsettled_from(&self.settled));
        open.chain(self.unresolved_from).min()
    }

    /// Gives up words that belong to no utterance and begin at `position` or before.
    pub fn resolve_until(&mut self, position: Duration) {
        self.unresolved_from = self.unresolved_from.filter(|from| *from > position);
    }

    /// Forgets settled utterances that end before `position`, which no connection will repeat.
    pub fn prune_before(&mut self, position: Duration) {
        self.settled.prune_before(position);
    }

    /// Forgets settled utterances but the latest `count`.
    pub fn keep_latest(&mut self, count: usize) {
        self.settled.keep_latest(count);
    }

    /// Applies the entries of a response, in the order of their times (rules 4 to 6).
    pub fn apply(&mut self, entries: Vec<Entry<'_, '_>>, rules: Rules, updates: &mut Vec<Update>) {
        let Rules { held, last, .. } = rules;
        let pairs = matching::pair(&self.open, &entries);
        let mut unlisted: Vec<_> = self.open.drain(..).map(Some).collect();
        for (entry, pair) in entries.into_iter().zip(pairs) {
            let known = pair.and_then(|index| unlisted[index].take());
            let settles = last || entry.is_definite();
            if held && !settles {
                match known {
                    Some(open) => self.open.push(open),
                    // Not posted, so that nothing is shown twice; but a second loss must not cut it
                    // off.
                    None => self.expect_from(Some(entry.span.start)),
                }
                continue;
            }
            self.unresolved_from
                .take_if(|from| entry.span.contains_within_tolerance(*from));
            let (open, changed) = match known {
                Some(mut open) => {
                    let changed = open.revise(entry, rules.axis);
                    (open, changed)
                }
                None if entry.text.is_empty() => continue,
                None => (self.begin(entry, rules, unlisted.iter().flatten()), true),
            };
            if settles {
                self.settle(open, false, updates);
            } else {
                updates.extend(changed.then(|| open.interim()));
                self.open.push(open);
            }
        }
        self.settled.commit();
        let listed = if held { 0 } else { self.open.len() };
        for open in unlisted.into_iter().flatten() {
            match self.has_words_of(&open, listed) || self.is_covered(open.span, listed) {
                true => updates.push(open.withdrawn()),
                false => self.open.push(open),
            }
        }
    }

    /// Returns a new utterance. Without a start it begins where the last of the open utterances
    /// before it ends, which are those listed so far and `others`.
    fn begin<'o>(
        &mut self,
        mut entry: Entry<'_, '_>,
        rules: Rules,
        others: impl Iterator<Item = &'o OpenUtterance>,
    ) -> OpenUtterance {
        if !entry.span.start_reported {
            let latest = entry.span.end.saturating_sub(TOLERANCE);
            let end = |open: &OpenUtterance| open.span.end;
            let ends = self.open.iter().map(end).chain(others.map(end));
            let last = ends.filter(|end| *end <= latest).max();
            entry.span.start = entry.span.start.max(last.unwrap_or_default());
        }
        let number = self.next_number;
        self.next_number = number.saturating_add(1);
        OpenUtterance::new(number, entry, rules)
    }

    /// Notes that words from this position on must be recognised again.
    fn expect_from(&mut self, position: Option<Duration>) {
        self.unresolved_from = self.unresolved_from.into_iter().chain(position).min();
    }

    /// Applies rule 6: returns whether each word of an utterance that the response does not list is
    /// settled under another number, or one of the first `listed` open ones has each.
    fn has_words_of(&self, open: &OpenUtterance, listed: usize) -> bool {
        let mut listed = self.open[..listed].iter();
        open.unsettled_from(&self.settled).is_none() || listed.any(|other| other.has_words_of(open))
    }

    /// Applies rule 6: returns whether an utterance that the response does not list is covered by
    /// settled ones and the first `listed` open ones. Inferred times say nothing.
    fn is_covered(&self, span: Span, listed: usize) -> bool {
        let listed = self.open[..listed].iter().map(|open| open.span);
        let settled = self.settled.overlapping(span);
        let mut cover: Vec<_> = settled.chain(listed.filter(|s| s.is_reported())).collect();
        span.is_reported() && covered(span, &mut cover) > span.width() / 2
    }

    /// Appends the final update of an utterance and adds it to the settled ones, with which later
    /// entries are compared from the next `commit` on: those that are settled together take no
    /// words from each other.
    fn settle(&mut self, mut open: OpenUtterance, unconfirmed: bool, updates: &mut Vec<Update>) {
        if unconfirmed {
            open.drop_settled_words(&self.settled);
        }
        if !open.text().is_empty() {
            self.settled.add(open.span, open.text(), open.words());
        }
        updates.push(open.into_final(unconfirmed));
    }

    /// Ends all with their last text, unconfirmed. No more results are expected.
    pub fn finalize_all(&mut self, updates: &mut Vec<Update>) {
        self.finalize_oldest(self.open.len(), updates);
        self.unresolved_from = None;
    }

    /// Takes back all that are open. No more results are expected.
    pub fn withdraw_all(&mut self, updates: &mut Vec<Update>) {
        updates.extend(self.open.drain(..).map(OpenUtterance::withdrawn));
        self.unresolved_from = None;
    }

    /// Ends the first `count` open utterances with their last text, unconfirmed.
    pub fn finalize_oldest(&mut self, count: usize, updates: &mut Vec<Update>) {
        let others = self.open.split_off(count);
        for open in std::mem::replace(&mut self.open, others) {
            self.settle(open, true, updates);
        }
        self.settled.commit();
    }

    /// Ends utterances that begin before `window`, unconfirmed, with their words that do. Returns
    /// where other speech begins: an utterance without timed words can't be split, so it ends
    /// whole.
    pub fn finalize_before(&mut self, window: Duration, updates: &mut Vec<Update>) -> Duration {
        let mut begin = window;
        // Its end may lie within another such utterance.
        while let Some(open) = self.open.iter().find(|o| o.is_untimed_at(begin)) {
            begin = open.span.end;
        }
        for mut open in std::mem::take(&mut self.open) {
            if open.has_speech_before(begin) {
                let rest = open.truncate(begin);
                self.expect_from(rest);
                self.settle(open, true, updates);
            } else {
                self.open.push(open);
            }
        }
        self.settled.commit();
        begin
    }

    /// Sorts the open utterances, and ends the oldest beyond the limits.
    pub fn enforce_limits(&mut self, updates: &mut Vec<Update>) {
        self.open
            .sort_by_key(|open| (open.span.start, open.number()));
        let mut excess = self.open.len().saturating_sub(MAX_OPEN);
        let mut bytes: usize = self.open[excess..].iter().map(OpenUtterance::bytes).sum();
        while bytes > MAX_OPEN_BYTES {
            bytes -= self.open[excess].bytes();
            excess += 1;
        }
        self.finalize_oldest(excess, updates);
    }
}
