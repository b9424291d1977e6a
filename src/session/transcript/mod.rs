//! Responses to utterances: what is new, what changed, what is final.
//!
//! A response says how speech is heard at the moment; the next one may word, time and cut it anew, and in `full` mode it repeats
//! everything. [`TranscriptTracker`] tells what of that is new. Every utterance gets a number by first appearance, each change of its text
//! or attributes an [`Update`], and each number exactly one final update. Positions are on the stream's own axis: the
//! origin of the connection, added to the service's times, so that numbers and times go on across connections.
//!
//! The rules, in the order in which a response meets them:
//! 1. Empty entries that are not definite are ignored (`listed`).
//! 2. What was settled before is a repeat and skipped (`settled`).
//! 3. Words inside settled speech are lost from an entry; one with none left is a repeat (`listed`).
//! 4. What is left is paired with the open utterances in order (`matching`).
//! 5. The others get the next numbers; definite ones, and all of the final response, are settled.
//! 6. An open utterance that others cover for more than half is withdrawn. That it is not listed means nothing: `single` lists
//!    only the current ones.
//! 7. The final response of a `full` connection lists all there is: open ones that it leaves out are withdrawn. Otherwise they end
//!    with their last text, unconfirmed.
//! 8. Without a list, the response's text is one utterance, until it begins anew.
//! 9. Once utterances were listed, a text without a list is their sum. That of the final response is the last word: what follows
//!    in it behind what is settled replaces the open ones (`last_text`).
//!
//! `restore` holds what becomes of all that when a connection is lost.
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
use span::Span;

pub use update::{Update, Word};

use crate::protocol::request::ResultType;
use crate::protocol::response::{MAX_WORDS, Response};

/// Turns the responses of one stream, over all of its connections, into updates.
///
/// [`connect`](Self::connect), [`respond`](Self::respond) until the final response, and `connect` again for the next
/// connection. One that is lost goes through [`restart`](Self::restart) before the next `connect`; one that
/// ends without a final response through [`finalize_unconfirmed`](Self::finalize_unconfirmed).
#[derive(Debug)]
pub struct TranscriptTracker {
    result_type: ResultType,
    /// What is younger may hold speech that the service has not told yet.
    max_result_delay: Duration,
    next_number: u32,
    /// Announced and not final, by time.
    open: Vec<OpenUtterance>,
    settled: Settled,
    /// What responses of this connection begin with that is settled.
    settled_prefix: SettledPrefix,
    /// Utterances were listed before: a text without them is their sum, not another utterance.
    saw_utterance_list: bool,
    connected: bool,
    lost: bool,
    origin: Duration,
    /// Everything before it is settled, whatever has times or not.
    final_until: Duration,
    /// How far this connection has worked.
    processed_until: Duration,
    /// The last response has told nothing of what is younger.
    reported_until: Duration,
    /// How far any has.
    max_processed: Duration,
    /// Speech that was not settled reached up to there when a connection was lost: it may hold more than what is open now.
    has_unresolved_tail: bool,
    /// What was cut off an utterance begins there, and is to be heard again.
    unresolved_from: Option<Duration>,
    sent: Duration,
    /// Where the last restart began.
    replay_start: Duration,
    /// Interim results wait for text that reaches as far as what is shown, but only until the connection has worked so far.
    interim_gate: Option<Duration>,
    // Kept between responses, so that one that says nothing new allocates nothing.
    matcher: Matcher,
    entries: Vec<ListedUtterance>,
    spans: Vec<Span>,
    cover: Vec<Span>,
}

impl TranscriptTracker {
    /// A tracker for a new stream whose connections ask for `result_type`. It ignores responses until [`connect`](Self::connect).
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

    /// For a service whose words may come later than two seconds after it claims to have worked through their sound: so much later.
    pub fn with_result_delay(mut self, lag: Duration) -> Self {
        self.max_result_delay = lag;
        self
    }

    /// Takes up a response and appends what to tell about it. `sent` is the end of the audio sent so far, on the axis;
    /// `last` says that it is the final response. What follows that one is ignored until the next [`connect`](Self::connect).
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
                .is_some_and(|hold| self.processed_until >= hold)
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
            let heard = Candidate::new(response, entry, self.origin, &words);
            self.apply_entry(heard, entry, last, updates);
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

    /// The finish timed out or was ended without confirmation, or the connection is lost for good: every open utterance ends with its
    /// last text, final and unconfirmed. Responses are ignored until the next [`connect`](Self::connect).
    pub fn finalize_unconfirmed(&mut self, updates: &mut Vec<Update>) {
        self.finalize_oldest(self.open.len(), updates);
        self.open.clear();
        self.close_connection();
    }

    /// How many utterances at the beginning of the last response's list say nothing new, and won't in this connection as long as
    /// they are the same: the next one may come without them, as [`Response::repeated`] tells. None if all of them are empty: the text
    /// that goes with them says something then.
    pub fn repeated(&self) -> usize {
        self.settled_prefix
            .before
            .map_or(0, |_| self.settled_prefix.utterances)
    }

    /// Whether an utterance is announced and not final.
    pub fn has_open(&self) -> bool {
        !self.open.is_empty()
    }

    fn advance_progress(&mut self, response: &Response<'_>, sent: Duration) {
        self.sent = self.sent.max(sent);
        let ends = response.utterances.iter().flatten().filter_map(|u| u.end);
        let ends = ends.chain(self.settled_prefix.end.filter(|_| response.repeated > 0));
        if let Some(duration) = response.duration.or_else(|| ends.max()) {
            let worked = self.origin.saturating_add(duration);
            self.processed_until = self.processed_until.max(worked.min(self.sent));
        }
        match response.duration {
            Some(_) => self.reported_until = self.processed_until,
            // Left out this time; where none comes ever, waiting for one would be in vain.
            None if self.reported_until > self.origin => self.reported_until = self.sent,
            None => {}
        }
    }

    /// Rules 1 to 3, 8 and 9. Returns whether the response accounts for the open utterances.
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
            origin: self.origin,
            processed_until: self.processed_until,
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

    /// Rule 8.
    fn read_text(
        &mut self,
        text: &str,
        entries: &mut Vec<ListedUtterance>,
        updates: &mut Vec<Update>,
    ) {
        let shown = self.open.first().filter(|_| self.interim_gate.is_none());
        if shown.is_some_and(|o| text::is_new_text(&o.text, text)) {
            self.end(0, true, updates);
            self.open.remove(0);
        }
        let span = self.span_of_text();
        entries.push(ListedUtterance::new(Source::Text(0..text.len()), span));
    }

    /// Where a text that is not listed lies: behind what is settled.
    fn span_of_text(&self) -> Span {
        let settled = self
            .settled
            .last_end(self.processed_until)
            .unwrap_or_default();
        Span::within(self.origin.max(settled), None, None, self.processed_until)
    }
}
