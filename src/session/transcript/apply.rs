//! Applies the entries of a response to the open utterances (rules 5 to 7).
use super::listed::ListedUtterance;
use super::open::{Candidate, OpenUtterance};
use super::span::{Span, TOLERANCE, covered};
use super::update::Update;
use super::{TranscriptTracker, restore};
use crate::protocol::request::ResultType;

/// Upper bound on open utterances; beyond it the oldest end unconfirmed. Recordings have one or
/// two.
pub(super) const MAX_OPEN: usize = 64;

/// Upper bound on the bytes of all open utterances; beyond it the oldest end, too. Recordings have
/// some kilobytes.
pub(super) const MAX_OPEN_BYTES: usize = 8 << 20;

impl TranscriptTracker {
    /// Returns the span of a new utterance. One without a start begins where the last of the open
    /// utterances before it ends.
    fn after_the_others(&self, mut span: Span) -> Span {
        if !span.start_reported {
            let latest = span.end.saturating_sub(TOLERANCE);
            let ends = self.open.iter().map(|o| o.span.end);
            let last = ends.filter(|end| *end <= latest).max();
            span.start = span.start.max(last.unwrap_or_default());
        }
        span
    }

    /// Applies rule 5, and the changes of paired utterances.
    pub(super) fn apply_entry(
        &mut self,
        candidate: Candidate<'_, '_>,
        entry: &ListedUtterance,
        last: bool,
        updates: &mut Vec<Update>,
    ) {
        let settles = last || candidate.definite;
        let held = self.interim_gate.is_some() && !settles;
        if let (false, Some(from)) = (held, self.unresolved_from)
            && entry.span.contains_within_tolerance(from)
        {
            self.unresolved_from = None;
        }
        match entry.matched {
            Some(index) => {
                self.open[index].listed = true;
                if held {
                    return;
                }
                let changed = self.open[index].revise(candidate);
                if settles {
                    self.finalize(index, false, updates);
                } else if changed {
                    updates.push(self.open[index].interim());
                }
            }
            None if candidate.is_empty() => {}
            // Not posted, so that nothing is shown twice; but a second loss must not cut it off.
            None if held => {
                self.unresolved_from =
                    restore::earlier(self.unresolved_from, Some(entry.span.start))
            }
            None => {
                let number = self.next_number;
                self.next_number = number.saturating_add(1);
                let mut open = OpenUtterance::new(number, candidate);
                open.span = self.after_the_others(open.span);
                if settles {
                    self.settle(open, false, updates);
                } else {
                    updates.push(open.interim());
                    self.open.push(open);
                }
            }
        }
    }

    /// Finalizes an open utterance, which stays in the list until
    /// [`enforce_limits`](Self::enforce_limits).
    pub(super) fn finalize(&mut self, index: usize, unconfirmed: bool, updates: &mut Vec<Update>) {
        if !self.open[index].ended {
            let mut open = std::mem::take(&mut self.open[index]);
            self.open[index].ended = true;
            if unconfirmed {
                open.drop_settled_words(&self.settled);
            }
            self.settle(open, unconfirmed, updates);
        }
    }

    /// Appends the final update of an utterance and adds it to the settled ones.
    fn settle(&mut self, open: OpenUtterance, unconfirmed: bool, updates: &mut Vec<Update>) {
        if !open.is_empty() {
            self.settled.add(open.span, &open.text);
        }
        updates.push(open.into_final(unconfirmed));
    }

    /// Lets later entries be compared with what was settled since. Those that are settled together
    /// take no words from each other.
    pub(super) fn commit_settled(&mut self) {
        if let Some(pruned) = self.settled.commit() {
            self.replay_start = self.replay_start.max(pruned);
        }
    }

    fn withdraw(&mut self, index: usize, updates: &mut Vec<Update>) {
        self.open[index].clear();
        self.finalize(index, false, updates);
    }

    /// Applies rule 6. An utterance that this response lists stays, however much it overlaps
    /// others.
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

    /// Applies rule 7.
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

    /// Finalizes the first `count` open utterances with their last text.
    pub(super) fn finalize_oldest(&mut self, count: usize, updates: &mut Vec<Update>) {
        for index in 0..count {
            self.finalize(index, true, updates);
        }
        self.commit_settled();
    }

    /// Ends the connection: no more results are expected from it.
    pub(super) fn close_connection(&mut self) {
        self.processed_until = self.processed_until.max(self.sent);
        self.final_until = self.final_until.max(self.processed_until);
        self.unresolved_from = None;
        self.interim_gate = None;
        self.connected = false;
        self.lost = false;
    }

    pub(super) fn enforce_limits(&mut self, updates: &mut Vec<Update>) {
        self.open.retain(|o| !o.ended);
        self.open.sort_by_key(|o| o.span.start);
        let mut excess = self.open.len().saturating_sub(MAX_OPEN);
        let mut bytes: usize = self.open[excess..].iter().map(OpenUtterance::bytes).sum();
        while bytes > MAX_OPEN_BYTES {
            bytes -= self.open[excess].bytes();
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
