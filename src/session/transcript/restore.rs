//! Decides what happens to utterances when a connection is lost, and where the next one begins.
//!
//! Settled speech is not sent again. Open utterances are, from the pause before them; the rules for
//! responses let them keep their numbers. A new connection knows less at first than the lost one
//! did. So interim results are held until their text reaches as far: text on a screen must not
//! shrink.
use std::time::Duration;

use super::TranscriptTracker;
use super::listed::{ListedUtterance, SettledPrefix};
use super::open::OpenUtterance;
use super::span::Span;
use super::text::Fingerprint;
use super::update::Update;
use super::words;
use crate::protocol::response::Response;

/// Upper bound on the distance of a replay from the reported end before it. Reported ends are early
/// (a word is mostly timed as 80 ms), so a replay from there would repeat the tail of a word. Half
/// of the pause is the other bound.
const MAX_END_MARGIN: Duration = Duration::from_millis(400);

/// Settled utterances that end earlier than this before a connection's start are forgotten.
const DEDUP_LOOKBACK: Duration = Duration::from_secs(1);

impl TranscriptTracker {
    /// Begins a connection whose first sample lies at `origin` on the axis. After
    /// [`restart`](Self::restart), open utterances continue and interim results are held until
    /// their text reaches as far as that of the lost connection.
    pub fn connect(&mut self, origin: Duration) {
        if !self.lost {
            self.final_until = self.final_until.max(origin);
            self.replay_start = origin;
            self.unresolved_from = None;
            self.interim_gate = None;
        }
        self.lost = false;
        self.connected = true;
        self.origin = origin;
        self.processed_until = origin;
        self.is_undated = false;
        self.sent = self.sent.max(origin);
        self.settled_prefix = SettledPrefix::default();
        self.settled
            .prune_before(origin.saturating_sub(DEDUP_LOOKBACK));
    }

    /// Ends a lost connection and returns the position on the axis from which to replay. `window`
    /// is the start of the audio that is still kept; the result is not before it. Utterances that
    /// begin before `window` end, final and unconfirmed, with their words before it. Their other
    /// words come again under another number.
    pub fn restart(&mut self, window: Duration, updates: &mut Vec<Update>) -> Duration {
        let wanted = self.replay_needed_from();
        let begin = if window > wanted {
            // A reported end may lie past the audio that was sent; what follows must still be sent.
            self.finalize_before(window, updates)
                .min(self.sent.max(window))
        } else {
            wanted
        };
        if self.open.is_empty() {
            self.interim_gate = None;
        } else {
            // Its text may be of all that was sent.
            let processed = match self.is_undated {
                true => self.sent,
                false => self.processed_until,
            };
            let until = processed.saturating_add(self.max_result_delay);
            self.interim_gate = self.interim_gate.max(Some(until));
        }
        self.connected = false;
        self.lost = true;
        self.replay_start = begin;
        begin
    }

    /// Finalizes utterances that begin before `window`. Returns where to replay from so that
    /// nothing of them is recognised twice.
    fn finalize_before(&mut self, window: Duration, updates: &mut Vec<Update>) -> Duration {
        // An utterance without timed words cannot be split: it ends whole, and its audio is not
        // sent again. Its end may lie within another such utterance.
        let mut begin = window;
        while let Some(end) = self
            .open
            .iter()
            .filter(|o| o.span.start < begin && o.span.end > begin)
            .find_map(|o| (!o.has_times()).then_some(o.span.end))
        {
            begin = end;
        }
        let (mut ended, mut next, mut rest) = (None, None, None);
        for index in 0..self.open.len() {
            let open = &mut self.open[index];
            if open.span.start >= begin {
                next = earlier(next, Some(open.span.start));
                continue;
            }
            let mut kept = open.words.clone();
            words::retain_by_time(&mut kept, |middle| middle < begin);
            if kept.is_empty() && open.has_times() {
                // Only its start is early: all words come again, under the same number.
                next = earlier(next, open.words.iter().find_map(|w| w.start));
                continue;
            }
            if kept.len() < open.words.len() {
                let cut = &open.words[kept.len()..];
                let start = cut.iter().find_map(|w| w.start).unwrap_or(begin);
                rest = earlier(rest, Some(start));
                // Ends before the rest begins, whose first words would count as settled otherwise.
                let end = kept.iter().rev().find_map(|w| w.end).unwrap_or(begin);
                open.span = Span::new(open.span.start, end.min(begin));
                open.text = words::join(&kept);
                open.words = kept;
            }
            ended = ended.max(Some(open.span.end));
            self.finalize(index, true, updates);
        }
        self.commit_settled();
        self.open.retain(|o| !o.ended);
        self.unresolved_from = earlier(self.unresolved_from, rest);
        let next = earlier(next, self.unresolved_from).unwrap_or(self.processed_until);
        // The window may also begin right after a settled utterance.
        let settled = self.settled.end_before(Some(begin));
        let ended = ended.max(settled.filter(|settled| *settled <= next));
        // Skips the tail of the last word.
        let begin = match ended {
            Some(ended) => begin.max(after(ended, next)),
            None => begin,
        };
        // A reported end may lie past the audio that was sent.
        begin.min(self.sent.max(window))
    }

    /// Returns whether a [`restart`](Self::restart) at `window` would end an utterance whose words
    /// have no times. The replay would then begin at its end, and words that were still to come
    /// would be lost.
    pub fn would_lose_untimed_words(&self, window: Duration) -> bool {
        self.open
            .iter()
            .any(|o| !o.has_times() && o.span.start < window && o.span.end > window)
    }

    /// Returns whether a response reaches as far as the text that is shown: up to its end or, where
    /// ends are left out, up to its length. A mere prefix of the shown text does not count,
    /// even with a later end: a word's first reported end may be late.
    pub(super) fn reaches_shown(
        &self,
        response: &Response<'_>,
        entries: &[ListedUtterance],
    ) -> bool {
        let Some(shown) = self.open.iter().max_by_key(|o| o.span.end) else {
            return true;
        };
        let length = shown.text.chars().count();
        entries.iter().any(|entry| {
            let text = entry.text(response);
            let taken_back = Fingerprint::of(&text).strip(&shown.text);
            if taken_back.is_some_and(|rest| !rest.is_empty()) {
                return false;
            }
            match shown.span.known_end().zip(entry.span.known_end()) {
                Some((shown, end)) => end >= shown,
                None => text.chars().count() >= length,
            }
        })
    }

    /// Returns the position on the axis from which a restart would replay now. Earlier audio is not
    /// needed any more; but the service may revise a start and move this back a little.
    pub fn replay_needed_from(&self) -> Duration {
        let start = self.unsettled_from();
        let settled = self.final_until();
        let begin = if settled > self.final_until {
            after(settled, start.unwrap_or(self.processed_until))
        } else {
            // No word ends where the connection began, and speech may begin with its first sample.
            settled
        };
        let begin = match start {
            Some(_) => begin,
            None => {
                let known = self.processed_until.saturating_sub(self.max_result_delay);
                begin.max(known).max(self.replay_start)
            }
        };
        begin.min(self.sent)
    }

    /// Returns the position from which sent audio may hold words without a final text: from an open
    /// utterance on, or behind the rest of the last final word, as far as results may be late.
    pub fn unconfirmed_from(&self) -> Duration {
        let known = self.processed_until.saturating_sub(self.max_result_delay);
        let behind_the_last = || self.final_until().saturating_add(MAX_END_MARGIN);
        let from = self.unsettled_from();
        from.unwrap_or_else(|| behind_the_last().max(known))
            .min(self.sent)
    }

    /// Returns the position up to which no more results are expected: the audio is settled, or was
    /// processed so long ago that its words are known.
    pub fn resolved_until(&self) -> Duration {
        let known = self
            .processed_until
            .saturating_sub(self.max_result_delay)
            .min(self.sent);
        self.replay_needed_from().max(known)
    }

    /// Returns the position before which no text is open and none is expected, once the service has
    /// processed the audio up to `processed`.
    pub fn quiet_until(&self, processed: Duration) -> Duration {
        let known = processed.saturating_sub(self.max_result_delay);
        let open = self.unsettled_from();
        open.map_or(known, |from| from.min(known))
            .max(self.final_until())
    }

    /// Returns where the first speech begins that is known and not settled.
    fn unsettled_from(&self) -> Option<Duration> {
        let open = self.open.iter().map(OpenUtterance::unsettled_from);
        earlier(open.min(), self.unresolved_from)
    }

    /// Returns how far the service has processed the audio, on the axis.
    pub fn processed_until(&self) -> Duration {
        self.processed_until
    }

    /// Returns the end on the axis of the last settled utterance before which all are settled. If
    /// there is none, where the connection began, or the one that it restores.
    pub fn final_until(&self) -> Duration {
        let settled = self.settled.end_before(self.unsettled_from());
        self.final_until
            .max(settled.unwrap_or_default())
            .min(self.sent)
    }
}

/// Returns where to begin in the pause between speech that ends at `end` and speech that begins at
/// `next`.
fn after(end: Duration, next: Duration) -> Duration {
    end.saturating_add(MAX_END_MARGIN.min(next.saturating_sub(end) / 2))
}

pub(super) fn earlier(a: Option<Duration>, b: Option<Duration>) -> Option<Duration> {
    a.into_iter().chain(b).min()
}
