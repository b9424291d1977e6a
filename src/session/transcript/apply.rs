//! What a response changes: rules 5 to 7.
use super::listed::{ListedUtterance, SettledPrefix};
use super::open::{Candidate, OpenUtterance};
use super::span::{Span, TOLERANCE, covered};
use super::{TranscriptTracker, Update, restore};
use crate::protocol::request::ResultType;

/// As many utterances may be open at once; then the first ends unconfirmed. Recordings have one or two.
pub(super) const MAX_OPEN: usize = 64;

/// They may hold so many bytes together; beyond that the first end, too. Recordings have some kilobytes.
pub(super) const MAX_HELD: usize = 8 << 20;

impl TranscriptTracker {
    /// Where a new utterance lies: one without a start begins behind the open ones that end before.
    fn after_the_others(&self, mut span: Span) -> Span {
        if !span.start_reported {
            let latest = span.end.saturating_sub(TOLERANCE);
            let ends = self.open.iter().map(|o| o.span.end);
            let last = ends.filter(|end| *end <= latest).max();
            span.start = span.start.max(last.unwrap_or_default());
        }
        span
    }

    /// Rule 5, and the changes of those that were paired.
    pub(super) fn apply_entry(
        &mut self,
        heard: Candidate<'_, '_>,
        entry: &ListedUtterance,
        last: bool,
        updates: &mut Vec<Update>,
    ) {
        let settles = last || heard.definite;
        let held = self.interim_gate.is_some() && !settles;
        if let (false, Some(rest)) = (held, self.unresolved_from)
            && entry.span.contains_within_tolerance(rest)
        {
            self.unresolved_from = None;
        }
        match entry.matched {
            Some(index) => {
                self.open[index].listed = true;
                if held {
                    return;
                }
                let changed = self.open[index].revise(heard);
                if settles {
                    self.end(index, false, updates);
                } else if changed {
                    updates.push(self.open[index].interim());
                }
            }
            None if heard.is_empty() => {}
            // Not told, so that nothing is shown twice, but known: another loss must not cut it.
            None if held => {
                self.unresolved_from =
                    restore::earlier(self.unresolved_from, Some(entry.span.start))
            }
            None => {
                let number = self.next_number;
                self.next_number = number.saturating_add(1);
                let mut open = OpenUtterance::new(number, heard);
                open.span = self.after_the_others(open.span);
                if settles {
                    self.settle(&mut open, false, updates);
                } else {
                    updates.push(open.interim());
                    self.open.push(open);
                }
            }
        }
    }

    /// Ends an open utterance, which stays in the list until [`enforce_limits`](Self::enforce_limits).
    pub(super) fn end(&mut self, index: usize, unconfirmed: bool, updates: &mut Vec<Update>) {
        if !self.open[index].ended {
            let mut open = std::mem::take(&mut self.open[index]);
            self.open[index].ended = true;
            if unconfirmed {
                open.drop_settled_words(&self.settled);
            }
            self.settle(&mut open, unconfirmed, updates);
            self.open[index] = open;
        }
    }

    /// Posts the final update of an utterance, and takes it up among the settled ones.
    fn settle(&mut self, open: &mut OpenUtterance, unconfirmed: bool, updates: &mut Vec<Update>) {
        open.ended = true;
        if !open.is_empty()
            && let Some(forgotten) = self.settled.insert(open.span, &open.text)
        {
            self.replay_start = self.replay_start.max(forgotten);
            self.settled_prefix = SettledPrefix::default();
        }
        updates.push(open.last(unconfirmed));
    }

    fn withdraw(&mut self, index: usize, updates: &mut Vec<Update>) {
        self.open[index].clear();
        self.end(index, false, updates);
    }

    /// Rule 6. One that this response lists is there, whatever it overlaps.
    pub(super) fn withdraw_covered(&mut self, updates: &mut Vec<Update>) {
        for index in 0..self.open.len() {
            let span = self.open[index].span;
            if self.open[index].listed || self.open[index].ended || !span.is_reported() {
                continue;
            }
            self.cover.clear();
            self.cover.extend(self.settled.overlapping(span));
            if self.interim_gate.is_none() {
                let listed = self.open.iter().filter(|o| o.listed && !o.ended);
                let spans = listed.map(|o| o.span).filter(|s| s.is_reported());
                self.cover
                    .extend(spans.filter(|s| !s.overlap(span).is_zero()));
            }
            if covered(span, &mut self.cover) > span.width() / 2 {
                self.withdraw(index, updates);
            }
        }
    }

    /// Rule 7.
    pub(super) fn finish(&mut self, listed: bool, updates: &mut Vec<Update>) {
        if listed && self.result_type == ResultType::Full {
            for index in 0..self.open.len() {
                if !self.open[index].ended {
                    self.withdraw(index, updates);
                }
            }
        } else {
            self.finalize_oldest(self.open.len(), updates);
        }
        self.close_connection();
    }

    /// Ends so many of the open ones with their last text. What ends together was not settled out of one another.
    pub(super) fn finalize_oldest(&mut self, count: usize, updates: &mut Vec<Update>) {
        self.settled.begin_batch();
        for index in 0..count {
            self.end(index, true, updates);
        }
        self.replay_start = self
            .replay_start
            .max(self.settled.commit_batch().unwrap_or_default());
    }

    /// The connection is over, and nothing of it is left to be heard.
    pub(super) fn close_connection(&mut self) {
        self.processed_until = self.processed_until.max(self.sent);
        self.max_processed = self.max_processed.max(self.processed_until);
        self.final_until = self.final_until.max(self.processed_until);
        self.has_unresolved_tail = false;
        self.unresolved_from = None;
        self.interim_gate = None;
        self.connected = false;
        self.lost = false;
    }

    pub(super) fn enforce_limits(&mut self, updates: &mut Vec<Update>) {
        self.open.retain(|o| !o.ended);
        self.open.sort_by_key(|o| o.span.start);
        let mut excess = self.open.len().saturating_sub(MAX_OPEN);
        let mut held: usize = self.open[excess..].iter().map(OpenUtterance::bytes).sum();
        while held > MAX_HELD {
            held -= self.open[excess].bytes();
            excess += 1;
        }
        self.finalize_oldest(excess, updates);
        self.open.drain(..excess);
        for open in &mut self.open {
            open.update_unsettled_start(&self.settled);
            open.listed = false;
        }
    }
}
