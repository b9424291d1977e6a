//! Turns responses into updates of numbered utterances.
//!
//! A response says how the service understands the speech at that moment. The next one may change
//! words, times and segmentation, and in `full` mode it repeats everything. [`TranscriptTracker`]
//! finds what is new. An utterance gets a number when it first appears, an [`Update`] for each
//! change of its text or attributes, and exactly one final update. Positions are on the stream's
//! own axis: the origin of the connection plus the service's times. So numbers and times continue
//! across connections.
//!
//! A response goes through these rules, in this order:
//! 1. An entry that is empty and not definite is ignored. An entry whose times are left out gets a
//!    span that is marked as inferred (`listed`).
//! 2. An entry that repeats a settled utterance is skipped (`settled`).
//! 3. An entry loses its words that lie within settled speech. If none remain, it is a repeat
//!    (`listed`).
//! 4. The remaining entries are paired with the open utterances in order (`matching`).
//! 5. Unpaired entries get the next numbers. Definite entries, and all entries of the final
//!    response, are settled (`apply`).
//! 6. An open utterance is withdrawn if others cover more than half of it. Not being listed is no
//!    reason: `single` lists current utterances only.
//! 7. The final response of a `full` connection is complete: open utterances that it does not list
//!    are withdrawn. Otherwise they end with their last text, unconfirmed.
//! 8. If utterances are never listed, the response's text is one utterance until it starts anew.
//! 9. If utterances were listed before, a text without a list is their sum and ignored. In the
//!    final response, the part after the settled text replaces the open utterances (`last_text`).
//!
//! `restore` handles lost connections.
mod apply;
mod last_text;
mod listed;
mod matching;
mod open;
mod restore;
mod settled;
mod span;
#[cfg(test)]
mod tests;
mod text;
mod update;
mod words;

use std::time::Duration;

use listed::{DedupContext, ListedUtterance, SettledPrefix, Source};
use matching::Matcher;
use open::{Candidate, OpenUtterance};
use settled::Settled;
use span::{Axis, Span};

pub use update::{Update, Word};

use crate::protocol::request::ResultType;
use crate::protocol::response::Response;

/// Turns the responses of one stream, over all of its connections, into updates.
///
/// Call [`connect`](Self::connect), [`respond`](Self::respond) until the final response, and
/// `connect` again for the next connection. Call [`restart`](Self::restart) before the next
/// `connect` if the connection was lost, and [`finalize_unconfirmed`](Self::finalize_unconfirmed)
/// if it ended without a final response.
#[derive(Debug, Default)]
pub struct TranscriptTracker {
    result_type: ResultType,
    max_result_delay: Duration,
    next_number: u32,
    /// Announced and not final, in the order of their times.
    open: Vec<OpenUtterance>,
    settled: Settled,
    /// The settled utterances that this connection's responses begin with.
    settled_prefix: SettledPrefix,
    /// Utterances were listed before, so a text without a list is their sum.
    saw_utterance_list: bool,
    connected: bool,
    lost: bool,
    origin: Duration,
    /// Everything before this position is final: where the stream or a finished connection ended.
    final_until: Duration,
    /// How far the service has processed this connection's audio.
    processed_until: Duration,
    /// The last response had text and no duration.
    is_undated: bool,
    /// Start of words that were cut off an utterance and must be recognised again.
    unresolved_from: Option<Duration>,
    sent: Duration,
    /// Start of the audio that this connection received. What ends before it is a repeat.
    replay_start: Duration,
    /// Interim results are held until a text reaches as far as the one shown, or until the service
    /// has processed the audio up to this position.
    interim_gate: Option<Duration>,
    // Buffers are kept between responses, so that a response without news allocates nothing.
    matcher: Matcher,
    entries: Vec<ListedUtterance>,
    spans: Vec<Span>,
    cover: Vec<Span>,
}

impl TranscriptTracker {
    /// Returns a tracker for a new stream whose connections request `result_type`. Results may
    /// arrive up to `max_result_delay` after the service reports the audio as processed. Responses
    /// are ignored until [`connect`](Self::connect).
    pub fn new(result_type: ResultType, max_result_delay: Duration) -> Self {
        Self {
            result_type,
            max_result_delay,
            ..Self::default()
        }
    }

    /// Processes a response and appends the updates that follow from it. `sent` is the end of the
    /// audio sent so far, on the axis; `last` marks the final response. Later responses are ignored
    /// until the next [`connect`](Self::connect).
    pub fn respond(
        &mut self,
        response: &Response<'_>,
        sent: Duration,
        last: bool,
        updates: &mut Vec<Update>,
    ) {
        if !self.connected {
            return;
        }
        self.advance_progress(response, sent);
        // Words that have not come by then do not come.
        let known = self.processed_until.saturating_sub(self.max_result_delay);
        self.unresolved_from = self.unresolved_from.filter(|from| *from > known);
        let processed = self.processed_until;
        self.interim_gate = self
            .interim_gate
            .filter(|until| !last && processed < *until);
        let mut entries = std::mem::take(&mut self.entries);
        let listed = self.collect_entries(response, last, &mut entries, updates);
        self.spans.clear();
        self.spans.extend(self.open.iter().map(|o| o.span));
        let open = &self.open;
        let are_alike = |entry: &ListedUtterance, index: usize| {
            text::are_alike(&entry.text(response), &open[index].text)
        };
        self.matcher.pair(&self.spans, &mut entries, are_alike);
        if self.interim_gate.is_some() && self.reaches_shown(response, &entries) {
            self.interim_gate = None;
        }
        for entry in &mut entries {
            let candidate = Candidate::new(response, entry, self.axis());
            self.apply_entry(candidate, entry, last, updates);
        }
        self.commit_settled();
        entries.clear();
        self.entries = entries;
        self.withdraw_covered(updates);
        if last {
            self.finish(listed, updates);
        }
        self.enforce_limits(updates);
        if self.open.is_empty() {
            self.interim_gate = None;
        }
    }

    /// Ends every open utterance with its last text, final and unconfirmed: the finish timed out,
    /// was not confirmed, or the connection is lost for good. Responses are ignored until the next
    /// [`connect`](Self::connect).
    pub fn finalize_unconfirmed(&mut self, updates: &mut Vec<Update>) {
        self.finalize_oldest(self.open.len(), updates);
        self.open.clear();
        self.close_connection();
    }

    /// Returns the number of utterances at the beginning of the last response's list that can bring
    /// no news while they are unchanged. The next response may come without them, see
    /// [`Response::repeated`]. Zero if all of them are empty: then the text beside them counts.
    pub fn repeated(&self) -> usize {
        self.settled_prefix
            .before
            .map_or(0, |_| self.settled_prefix.utterances)
    }

    /// Returns whether any utterance of the stream was announced.
    pub fn has_utterances(&self) -> bool {
        self.next_number > 0
    }

    /// Returns whether an utterance is announced and not final.
    pub fn has_open(&self) -> bool {
        !self.open.is_empty()
    }

    fn axis(&self) -> Axis {
        Axis {
            origin: self.origin,
            processed_until: self.processed_until,
        }
    }

    fn advance_progress(&mut self, response: &Response<'_>, sent: Duration) {
        self.sent = self.sent.max(sent);
        let ends = response.utterances.iter().flatten().filter_map(|u| u.end);
        if let Some(duration) = response.duration.or_else(|| ends.max()) {
            let processed = self.origin.saturating_add(duration);
            self.processed_until = self.processed_until.max(processed.min(self.sent));
        }
        let has_text = response.text.is_some() || response.utterances.is_some();
        self.is_undated = has_text && response.duration.is_none();
    }

    /// Applies rules 1 to 3, 8 and 9. Returns whether the response accounts for the open
    /// utterances.
    fn collect_entries(
        &mut self,
        response: &Response<'_>,
        last: bool,
        entries: &mut Vec<ListedUtterance>,
        updates: &mut Vec<Update>,
    ) -> bool {
        let known = DedupContext {
            settled: &self.settled,
            is_full: self.result_type == ResultType::Full,
            axis: self.axis(),
            replay_start: self.replay_start,
        };
        let listed = listed::collect(response, &known, &mut self.settled_prefix, entries);
        self.saw_utterance_list |= listed;
        let text = response.text.as_deref().filter(|t| !t.trim().is_empty());
        match text {
            Some(text) if last && self.saw_utterance_list && !listed => {
                self.read_last_text(text, entries)
            }
            Some(text) if !self.saw_utterance_list => {
                self.read_text(text, entries, updates);
                listed
            }
            _ => listed,
        }
    }

    /// Applies rule 8.
    fn read_text(
        &mut self,
        text: &str,
        entries: &mut Vec<ListedUtterance>,
        updates: &mut Vec<Update>,
    ) {
        let shown = self.open.first().filter(|_| self.interim_gate.is_none());
        if shown.is_some_and(|o| text::is_new_text(&o.text, text)) {
            self.finalize_oldest(1, updates);
            self.open.remove(0);
        }
        let span = self.span_of_text();
        entries.push(ListedUtterance::new(Source::Text(0..text.len()), span));
    }

    /// Returns the span of a text without a list: after everything that is settled.
    fn span_of_text(&self) -> Span {
        let settled = self
            .settled
            .last_end(self.processed_until)
            .unwrap_or_default();
        Span::within(self.origin.max(settled), None, None, self.processed_until)
    }
}
