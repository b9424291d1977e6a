//! Turns responses into updates of numbered utterances.
//!
//! A response is the result of recognition at that moment. The next one may change words, times and
//! segmentation, and in `full` mode it repeats everything. [`TranscriptTracker`] finds what is new.
//! An utterance gets a number when it first appears, an [`Update`] for each change of its text or
//! attributes, and exactly one final update. Positions are on the stream's own axis: the origin of
//! the connection plus the service's times. So numbers and times continue across connections.
//!
//! A response goes through these rules, in this order:
//! 1. An entry that is empty and not definite is ignored. An entry whose times are left out gets a
//!    span that is marked as inferred (`listed`).
//! 2. An entry that repeats a settled utterance is skipped (`settled`).
//! 3. An entry loses its words that lie within settled speech. If none remain, it is a repeat
//!    (`listed`).
//! 4. The remaining entries are paired with the open utterances in order (`matching`).
//! 5. Unpaired entries get the next numbers. Definite entries, and all entries of the final
//!    response, are settled (`utterances`).
//! 6. An open utterance that is not listed is withdrawn if others cover more than half of it, if
//!    all of its words are settled under other numbers, or if a listed one has all of them. Not
//!    being listed alone is no reason: `single` lists current utterances only.
//! 7. The final response of a `full` connection is complete: open utterances that it does not list
//!    are withdrawn. Otherwise they end with their last text, unconfirmed.
//! 8. If utterances are never listed, the response's text is one utterance until it starts anew.
//! 9. If utterances were listed before, a text without a list is their sum and ignored. In the
//!    final response, the part after the settled text replaces the open utterances (`bare_text`).
//!
//! `restore` handles connections that are lost, or left by a rollover.
mod bare_text;
mod listed;
mod matching;
mod open;
mod progress;
mod restore;
mod settled;
mod span;
#[cfg(test)]
mod tests;
mod text;
mod update;
mod utterances;
mod words;

use std::time::Duration;

use listed::{DedupContext, Entry, SettledPrefix};
use open::Rules;
use progress::Progress;
use utterances::Utterances;

pub use update::{Update, Word};

use crate::protocol::request::ResultType;
use crate::protocol::response::Response;

/// Upper bound on settled utterances in `single` mode, which lists current utterances and their
/// second passes only.
const MAX_SETTLED_SINGLE: usize = 512;

/// Turns the responses of one stream, over all of its connections, into updates.
///
/// Call [`connect`](Self::connect), [`respond`](Self::respond) until the final response, and
/// `connect` again for the next connection. Call [`restart`](Self::restart) before the next
/// `connect` if the connection was lost, and [`finalize_unconfirmed`](Self::finalize_unconfirmed)
/// if it ended without a final response.
#[derive(Debug, Default)]
pub struct TranscriptTracker {
    result_type: ResultType,
    progress: Progress,
    utterances: Utterances,
    /// The settled utterances that this connection's responses begin with.
    settled_prefix: SettledPrefix,
    /// Utterances were listed before, so a text without a list is their sum.
    saw_utterance_list: bool,
}

impl TranscriptTracker {
    /// Returns a tracker for a new stream whose connections request `result_type`. Results may
    /// arrive up to `max_result_delay` after the service reports the audio as processed. Responses
    /// are ignored until [`connect`](Self::connect).
    pub fn new(result_type: ResultType, max_result_delay: Duration) -> Self {
        Self {
            result_type,
            progress: Progress::new(max_result_delay),
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
        if !self.progress.is_connected() {
            return;
        }
        // Audio before that may have left the replay buffer.
        let floor = self.replay_needed_from();
        self.progress.advance(response, sent);
        self.utterances.resolve_until(self.progress.known_until());
        if last {
            self.progress.release();
        }
        let (entries, listed) = self.read(response, last, updates);
        if self.progress.holds() && self.reaches_shown(&entries) {
            self.progress.release();
        }
        let rules = Rules {
            axis: self.progress.axis(),
            floor,
            held: self.progress.holds(),
            last,
        };
        self.utterances.apply(entries, rules, updates);
        if last {
            // Rule 7.
            match listed && self.result_type == ResultType::Full {
                true => self.utterances.withdraw_all(updates),
                false => self.utterances.finalize_all(updates),
            }
            self.progress.close();
        }
        self.utterances.enforce_limits(updates);
        if self.result_type == ResultType::Single {
            self.utterances.keep_latest(MAX_SETTLED_SINGLE);
        }
    }

    /// Returns the entries of a response (rules 1 to 3, 8 and 9), and whether it lists utterances.
    fn read<'r, 'a>(
        &mut self,
        response: &'r Response<'a>,
        last: bool,
        updates: &mut Vec<Update>,
    ) -> (Vec<Entry<'r, 'a>>, bool) {
        let context = DedupContext {
            settled: self.utterances.settled(),
            is_full: self.result_type == ResultType::Full,
            axis: self.progress.axis(),
            replay_start: self.progress.replay_start(),
        };
        let (mut entries, listed) = self.settled_prefix.collect(response, &context);
        self.saw_utterance_list |= listed;
        let Some(text) = response.text.as_deref().filter(|t| !t.trim().is_empty()) else {
            return (entries, listed);
        };
        if !self.saw_utterance_list {
            entries.push(self.read_text(text, updates));
        } else if last
            && !listed
            && let Some(rest) = self.read_last_text(text)
        {
            return (rest, true);
        }
        (entries, listed)
    }

    /// Ends every open utterance with its last text, final and unconfirmed: the finish timed out,
    /// was not confirmed, or the connection is lost for good. Responses are ignored until the next
    /// [`connect`](Self::connect).
    pub fn finalize_unconfirmed(&mut self, updates: &mut Vec<Update>) {
        self.utterances.finalize_all(updates);
        self.progress.close();
    }

    /// Returns the number of utterances at the beginning of the last response's list that can bring
    /// no news while they are unchanged. The next response may come without them, see
    /// [`Response::repeated`]. Zero if all of them are empty: then the text beside them counts.
    pub fn repeated(&self) -> usize {
        self.settled_prefix.repeated()
    }

    /// Returns whether any utterance of the stream was announced.
    pub fn has_utterances(&self) -> bool {
        self.utterances.any()
    }

    /// Returns whether an utterance is announced and not final.
    pub fn has_open(&self) -> bool {
        !self.utterances.open().is_empty()
    }
}
