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

use std::cell::Cell;
use std::time::Duration;

use listed::{DedupContext, ListedUtterance, SettledPrefix, Source};
use matching::Matcher;
use open::{Candidate, OpenUtterance};
use settled::Settled;
use span::{Axis, Span};

pub use update::{Update, Word};

use crate::protocol::request::ResultType;
use crate::protocol::response::{MAX_WORDS, Response};

/// Turns the responses of one stream, over all of its connections, into updates.
///
/// Call [`connect`](Self::connect), [`respond`](Self::respond) until the final response, and
/// `connect` again for the next connection. Call [`restart`](Self::restart) before the next
/// `connect` if the connection was lost, and [`finalize_unconfirmed`](Self::finalize_unconfirmed)
/// if it ended without a final response.
#[derive(Debug)]
pub struct TranscriptTracker {
    result_type: ResultType,
    /// Results may arrive up to this long after the service reports the audio as processed.
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
    /// The last response cannot contain speech after this position.
    reported_until: Duration,
    /// The largest `processed_until` of any connection.
    max_processed: Duration,
    /// A lost connection had unsettled speech up to `max_processed`. That may contain more than
    /// what is open now.
    has_unresolved_tail: bool,
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
    /// Returns a tracker for a new stream whose connections request `result_type`. It ignores
    /// responses until [`connect`](Self::connect).
    pub fn new(result_type: ResultType) -> Self {
        Self {
            result_type,
            max_result_delay: restore::DEFAULT_RESULT_DELAY,
            next_number: 0,
            open: Vec::new(),
            settled: Settled::new(result_type),
            settled_prefix: SettledPrefix::default(),
            saw_utterance_list: false,
            connected: false,
            lost: false,
            origin: Duration::ZERO,
            final_until: Duration::ZERO,
            processed_until: Duration::ZERO,
            reported_until: Duration::ZERO,
            max_processed: Duration::ZERO,
            has_unresolved_tail: false,
            unresolved_from: None,
            sent: Duration::ZERO,
            replay_start: Duration::ZERO,
            interim_gate: None,
            matcher: Matcher::default(),
            entries: Vec::new(),
            spans: Vec::new(),
            cover: Vec::new(),
        }
    }

    /// Sets how long after the service reports audio as processed its results may arrive. The
    /// default is two seconds of audio.
    pub fn with_result_delay(mut self, delay: Duration) -> Self {
        self.max_result_delay = delay;
        self
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
        if self.processed_until >= self.max_processed {
            self.max_processed = self.processed_until;
            self.has_unresolved_tail = false;
            self.unresolved_from = None;
        }
        if last
            || self
                .interim_gate
                .is_some_and(|until| self.processed_until >= until)
        {
            self.interim_gate = None;
        }
        let words = Cell::new(MAX_WORDS);
        let mut entries = std::mem::take(&mut self.entries);
        let listed = self.collect_entries(response, &words, last, &mut entries, updates);
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
        self.settled.begin_batch();
        for entry in &mut entries {
            let candidate = Candidate::new(response, entry, self.axis(), &words);
            self.apply_entry(candidate, entry, last, updates);
        }
        self.replay_start = self
            .replay_start
            .max(self.settled.commit_batch().unwrap_or_default());
        entries.clear();
        self.entries = entries;
        self.withdraw_covered(updates);
        if last {
            self.finish(listed, updates);
        }
        self.enforce_limits(updates);
        self.update_interim_gate();
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
        let ends = ends.chain(self.settled_prefix.end.filter(|_| response.repeated > 0));
        if let Some(duration) = response.duration.or_else(|| ends.max()) {
            let processed = self.origin.saturating_add(duration);
            self.processed_until = self.processed_until.max(processed.min(self.sent));
        }
        match response.duration {
            Some(_) => self.reported_until = self.processed_until,
            // Left out this time. A service that never reports a duration keeps the origin here.
            None if self.reported_until > self.origin => self.reported_until = self.sent,
            None => {}
        }
    }

    /// Applies rules 1 to 3, 8 and 9. Returns whether the response accounts for the open
    /// utterances.
    fn collect_entries(
        &mut self,
        response: &Response<'_>,
        words: &Cell<usize>,
        last: bool,
        entries: &mut Vec<ListedUtterance>,
        updates: &mut Vec<Update>,
    ) -> bool {
        let known = DedupContext {
            settled: &self.settled,
            is_full: self.result_type == ResultType::Full,
            axis: self.axis(),
            replay_start: self.replay_start,
            word_budget: words,
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
            self.finalize(0, true, updates);
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
