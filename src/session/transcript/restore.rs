//! Decides what happens to utterances when a connection is lost or a rollover leaves it, and where
//! the next one begins.
//!
//! Settled speech is not sent again. Open utterances are, from the pause before them; the rules for
//! responses let them keep their numbers. A new connection has recognised less at first than the
//! lost one. So interim results are held until their text reaches as far: text on a screen must not
//! shrink.
use std::time::Duration;

use super::TranscriptTracker;
use super::listed::{Entry, SettledPrefix};
use super::text::Fingerprint;
use super::update::Update;

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
        if !self.progress.connect(origin) {
            self.utterances.resolve_until(Duration::MAX);
        }
        self.settled_prefix = SettledPrefix::default();
        self.utterances
            .prune_before(origin.saturating_sub(DEDUP_LOOKBACK));
    }

    /// Ends a lost connection and returns the position on the axis from which to replay. `window`
    /// is the start of the audio that is still kept; the result is not before it. Utterances that
    /// begin before `window` end, final and unconfirmed, with their words that do. Their other ones
    /// come again under another number.
    pub fn restart(&mut self, window: Duration, updates: &mut Vec<Update>) -> Duration {
        let mut begin = self.replay_needed_from();
        if window > begin {
            let cut = self.utterances.finalize_before(window, updates);
            // Skips the tail of the last word.
            let pause = self.pause_before_unsettled();
            // A reported end may lie past the audio that was sent; what follows must still be sent.
            begin = cut.max(pause).min(self.progress.sent().max(window));
        }
        let holds = !self.utterances.open().is_empty();
        self.progress.lose(begin, holds);
        begin
    }

    /// Returns whether a [`restart`](Self::restart) at `window` would end an utterance whose words
    /// have no times. The replay would then begin at its end, and words that were still to come
    /// would be lost.
    pub fn would_lose_untimed_words(&self, window: Duration) -> bool {
        let mut open = self.utterances.open().iter();
        open.any(|open| open.is_untimed_at(window))
    }

    /// Returns whether a response reaches as far as the text that is shown: up to its end or, where
    /// ends are left out, up to its length. A mere prefix of the shown text does not count,
    /// even with a later end: a word's first reported end may be late.
    pub(super) fn reaches_shown(&self, entries: &[Entry<'_, '_>]) -> bool {
        let open = self.utterances.open().iter();
        let Some(shown) = open.max_by_key(|open| open.span.end) else {
            return true;
        };
        entries.iter().any(|entry| {
            let taken_back = Fingerprint::of(&entry.text).strip(shown.text());
            if taken_back.is_some_and(|rest| !rest.is_empty()) {
                return false;
            }
            match shown.span.known_end().zip(entry.span.known_end()) {
                Some((shown, end)) => end >= shown,
                None => entry.text.chars().count() >= shown.text().chars().count(),
            }
        })
    }

    /// Returns the position on the axis from which a restart would replay now. Earlier audio is not
    /// needed any more; but the service may revise a start and move this back a little.
    pub fn replay_needed_from(&self) -> Duration {
        let begin = self.pause_before_unsettled();
        let begin = match self.utterances.unsettled_from() {
            Some(_) => begin,
            None => begin
                .max(self.progress.known_until())
                .max(self.progress.replay_start()),
        };
        begin.min(self.progress.sent())
    }

    /// Returns a position in the pause between the settled speech and what is not settled.
    fn pause_before_unsettled(&self) -> Duration {
        let settled = self.final_until();
        if settled <= self.progress.final_until() {
            // No word ends where the connection began, and speech may begin with its first sample.
            return settled;
        }
        let next = self.utterances.unsettled_from();
        let next = next.unwrap_or(self.progress.processed_until());
        let pause = next.saturating_sub(settled);
        settled.saturating_add(MAX_END_MARGIN.min(pause / 2))
    }

    /// Returns the position from which sent audio may hold words without a final text: from an open
    /// utterance on, or behind the rest of the last final word, as far as results may be late.
    pub fn unconfirmed_from(&self) -> Duration {
        let last = self.final_until().saturating_add(MAX_END_MARGIN);
        let known = self.progress.known_until();
        let from = self.utterances.unsettled_from();
        from.unwrap_or(last.max(known)).min(self.progress.sent())
    }

    /// Returns the position up to which no more results are expected: the audio is settled, or was
    /// processed so long ago that its words are known.
    pub fn resolved_until(&self) -> Duration {
        self.replay_needed_from().max(self.progress.known_until())
    }

    /// Returns the position before which no text is open and none is expected, once the service has
    /// processed the audio up to `processed`.
    pub fn quiet_until(&self, processed: Duration) -> Duration {
        let known = self.progress.known_at(processed);
        let open = self.utterances.unsettled_from();
        open.map_or(known, |from| from.min(known))
            .max(self.final_until())
    }

    /// Returns how far the service has processed the audio, on the axis.
    pub fn processed_until(&self) -> Duration {
        self.progress.processed_until()
    }

    /// Returns the end on the axis of the last settled utterance before which all are settled. If
    /// there is none, where the connection began, or the one that it restores.
    pub fn final_until(&self) -> Duration {
        let unsettled = self.utterances.unsettled_from();
        let settled = self.utterances.settled().end_before(unsettled);
        self.progress
            .final_until()
            .max(settled.unwrap_or_default())
            .min(self.progress.sent())
    }
}
