//! What becomes of utterances when a connection is lost, and where the next one begins.
//!
//! Settled speech is not sent again, open utterances are, from the pause before them; they keep their numbers through the rules
//! of a response. A new connection first says less than the lost one had said, so interim results wait until its text
//! reaches as far: text that stands on a screen never shrinks.
use std::time::Duration;

use super::listed::{ListedUtterance, SettledPrefix};
use super::open::OpenUtterance;
use super::span::Span;
use super::words;
use super::{TranscriptTracker, Update};
use crate::protocol::response::Response;

/// Reported ends are early (a word's time is mostly 80 ms, whatever its sound), so beginning exactly there would hear the
/// tail of a word again. So much later at most, and never beyond half of the pause.
const MAX_END_MARGIN: Duration = Duration::from_millis(400);

/// Responses lag the audio: what was worked through is only known to hold nothing when it is so old. Where nobody says otherwise.
pub(super) const DEFAULT_RESULT_DELAY: Duration = Duration::from_secs(2);

/// Settled utterances that end so long before a connection are not compared with what it says.
const DEDUP_LOOKBACK: Duration = Duration::from_secs(1);

impl TranscriptTracker {
    /// A new connection, whose first sample lies at `origin` on the axis. After [`restart`](Self::restart) open utterances go on,
    /// and interim results are held until their text reaches as far as that of the lost one.
    pub fn connect(&mut self, origin: Duration) {
        if !self.lost {
            self.final_until = self.final_until.max(origin);
            self.max_processed = self.max_processed.max(origin);
            self.replay_start = origin;
            self.has_unresolved_tail = false;
            self.unresolved_from = None;
            self.interim_gate = None;
        }
        self.lost = false;
        self.connected = true;
        self.origin = origin;
        self.processed_until = origin;
        self.reported_until = origin;
        self.sent = self.sent.max(origin);
        self.settled_prefix = SettledPrefix::default();
        self.settled
            .prune_before(origin.saturating_sub(DEDUP_LOOKBACK));
    }

    /// The connection is lost: returns where the audio is to be sent again from, on the axis, which is `window`, where the audio that
    /// can be sent again begins, or later. What reaches before `window` can't be heard again and ends, final and
    /// unconfirmed, with the words that lie before it; the others come again under another number.
    pub fn restart(&mut self, window: Duration, updates: &mut Vec<Update>) -> Duration {
        let wanted = self.replay_needed_from();
        let begin = if window > wanted {
            // A service may claim an end that no audio has reached yet; what comes then is still to be heard.
            self.end_before(window, updates).min(self.sent.max(window))
        } else {
            wanted
        };
        if self.open.is_empty() {
            self.interim_gate = None;
        } else {
            // Of a service that tells neither durations nor times there is no knowing how long to wait.
            let worked = self.processed_until.max(self.reported_until);
            let until = worked.saturating_add(self.max_result_delay);
            self.interim_gate = self
                .interim_gate
                .max((worked > self.origin).then_some(until));
        }
        self.has_unresolved_tail |= self.unsettled_from().is_some();
        self.connected = false;
        self.lost = true;
        self.replay_start = begin;
        begin
    }

    /// Ends what reaches before `window`; returns where to begin so that nothing of it is heard twice.
    fn end_before(&mut self, window: Duration, updates: &mut Vec<Update>) -> Duration {
        // Without timed words there is no telling which to keep: all of it, and its audio is not sent again. That may reach others.
        let mut begin = window;
        while let Some(end) = self
            .open
            .iter()
            .filter(|o| o.span.start < begin && o.span.end > begin)
            .find_map(|o| (!o.has_times()).then_some(o.span.end))
        {
            begin = end;
        }
        let (mut heard, mut next, mut rest) = (None, None, None);
        self.settled.begin_batch();
        for index in 0..self.open.len() {
            let open = &mut self.open[index];
            if open.span.start >= begin {
                next = earlier(next, Some(open.span.start));
                continue;
            }
            let mut kept = open.words.clone();
            words::retain_by_time(&mut kept, |middle| middle < begin);
            if kept.is_empty() && open.has_times() {
                // Only its start is early: every word comes again, and it keeps its number.
                next = earlier(next, open.words.iter().find_map(|w| w.start));
                continue;
            }
            if kept.len() < open.words.len() {
                let cut = &open.words[kept.len()..];
                let start = cut.iter().find_map(|w| w.start).unwrap_or(begin);
                rest = earlier(rest, Some(start));
                // Not beyond where the rest begins: its first words would count as settled.
                let end = kept.iter().rev().find_map(|w| w.end).unwrap_or(begin);
                open.span = Span::new(open.span.start, end.min(begin));
                open.text = words::join(&kept);
                open.words = kept;
            }
            heard = heard.max(Some(open.span.end));
            self.end(index, true, updates);
        }
        self.replay_start = self
            .replay_start
            .max(self.settled.commit_batch().unwrap_or_default());
        self.open.retain(|o| !o.ended);
        self.unresolved_from = earlier(self.unresolved_from, rest);
        let next = earlier(next, self.unresolved_from).unwrap_or(self.max_processed);
        // The window may begin right behind what is settled, too.
        let settled = self.settled.end_before(Some(begin));
        let heard = heard.max(settled.filter(|settled| *settled <= next));
        // The tail of the last word is not to be heard again.
        let begin = match heard {
            Some(heard) => begin.max(after(heard, next)),
            None => begin,
        };
        // An end may be past what was sent.
        begin.min(self.sent.max(window))
    }

    /// Whether a [`restart`](Self::restart) at `window` would end an utterance whose words have no times: then the audio goes on where
    /// it ends, and words that were still to come out of what was heard are lost.
    pub fn would_lose_untimed_words(&self, window: Duration) -> bool {
        self.open
            .iter()
            .any(|o| !o.has_times() && o.span.start < window && o.span.end > window)
    }

    /// Whether a response reaches as far as the text that is shown: to its end or, where ends are left out, to its length.
    pub(super) fn reaches_shown(
        &self,
        response: &Response<'_>,
        entries: &[ListedUtterance],
    ) -> bool {
        let Some(shown) = self.open.iter().max_by_key(|o| o.span.end) else {
            return true;
        };
        let length = shown.text.chars().count();
        entries.iter().any(
            |entry| match shown.span.known_end().zip(entry.span.known_end()) {
                Some((shown, end)) => end >= shown,
                None => entry.text(response).chars().count() >= length,
            },
        )
    }

    /// With nothing open, nothing is held. What the lost connection had heard behind the end of an utterance that this one cuts
    /// shorter belongs to none now: it counts as heard when this one has worked as far.
    pub(super) fn update_interim_gate(&mut self) {
        if self.open.is_empty() {
            self.interim_gate = None;
        }
        if self.unsettled_from().is_none() && std::mem::take(&mut self.has_unresolved_tail) {
            self.max_processed = self.processed_until;
        }
    }

    /// Where a restart would begin if the connection were lost now, on the axis: no audio before it will be asked for, but a start
    /// that the service revises later may move it back a little.
    pub fn replay_needed_from(&self) -> Duration {
        let start = self.unsettled_from();
        let settled = self.final_until();
        let begin = if settled > self.final_until {
            after(settled, start.unwrap_or(self.max_processed))
        } else {
            // Where the connection began there is no tail, and speech may begin with the first sample.
            settled
        };
        let begin = match start {
            Some(_) => begin,
            None => begin.max(self.max_processed.saturating_sub(self.max_result_delay)),
        };
        begin.min(self.sent)
    }

    /// Audio before it has said all that it will say: it is settled, or was worked through so long ago that its words are known,
    /// and those that are open can end with them.
    pub fn resolved_until(&self) -> Duration {
        let told = self
            .processed_until
            .saturating_sub(self.max_result_delay)
            .min(self.sent);
        self.replay_needed_from().max(told)
    }

    /// Where the first speech begins that is known and not settled.
    fn unsettled_from(&self) -> Option<Duration> {
        let open = self.open.iter().map(OpenUtterance::unsettled_from);
        earlier(open.min(), self.unresolved_from)
    }

    /// How far the service has worked through the audio, on the axis.
    pub fn processed_until(&self) -> Duration {
        self.processed_until
    }

    /// The end of the last settled utterance with every earlier one settled too, on the axis; where there is none, the place where the
    /// connection began, or the one that it restores.
    pub fn final_until(&self) -> Duration {
        let settled = self.settled.end_before(self.unsettled_from());
        self.final_until
            .max(settled.unwrap_or_default())
            .min(self.sent)
    }
}

/// Where to begin in the pause between speech that ends at `end` and speech that begins at `next`.
fn after(end: Duration, next: Duration) -> Duration {
    end.saturating_add(MAX_END_MARGIN.min(next.saturating_sub(end) / 2))
}

pub(super) fn earlier(a: Option<Duration>, b: Option<Duration>) -> Option<Duration> {
    a.into_iter().chain(b).min()
}
