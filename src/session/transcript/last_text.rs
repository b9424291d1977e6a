//! Reads a final response with a text and no list, after utterances were listed (rule 9).
use super::TranscriptTracker;
use super::listed::{ListedUtterance, Source};
use super::text::{Fingerprint, are_alike};
use crate::protocol::request::ResultType;

/// Upper bound on the settled utterances that the text of a `single` response may begin with.
const MAX_REPEATED: usize = 8;

impl TranscriptTracker {
    /// Appends entries for the part of `text` after the settled text. Open utterances that it
    /// repeats letter by letter are entries of their own, the rest is one. Returns whether the part
    /// was found: if the settled text was revised, there is no telling where the rest begins.
    pub(super) fn read_last_text(&self, text: &str, entries: &mut Vec<ListedUtterance>) -> bool {
        let text = text.trim_end();
        let Some(mut rest) = self.unsettled_text(text) else {
            return false;
        };
        let mut span = self.span_of_text();
        if let Some(first) = self.open.first() {
            span.start = span.start.min(first.span.start);
        }
        let mut push = |rest: &str, length: usize| {
            let start = text.len() - rest.len();
            if length > 0 {
                let source = Source::Text(start..start + length);
                entries.push(ListedUtterance::new(source, span));
            }
        };
        for open in self.open.iter().take(self.open.len().saturating_sub(1)) {
            let Some(after) = Fingerprint::of(&open.text).strip(rest) else {
                break;
            };
            push(rest, rest[..rest.len() - after.len()].trim_end().len());
            rest = after;
        }
        push(rest, rest.len());
        true
    }

    /// Returns the part of `text` after the settled text. `None` if that was revised, so that its
    /// end cannot be found.
    fn unsettled_text<'t>(&self, text: &'t str) -> Option<&'t str> {
        let connection = self.settled.from(self.origin);
        match self.result_type {
            ResultType::Full => self.settled.strip(text, connection).or_else(|| {
                let is_open = self.open.iter().any(|open| are_alike(&open.text, text));
                is_open.then_some(text)
            }),
            ResultType::Single => Some(self.current_text(text, connection)),
        }
    }

    /// Returns the part of the text of a `single` response that is not settled. It may begin with
    /// the last settled utterances, or with an open one that itself begins like these.
    fn current_text<'t>(&self, text: &'t str, connection: usize) -> &'t str {
        let count = self.settled.len();
        let last = count.saturating_sub(MAX_REPEATED).max(connection)..count;
        let rests = || {
            let rests = last
                .clone()
                .filter_map(|first| self.settled.strip(text, first));
            rests.filter(|rest| ends_a_word(&text[..text.len() - rest.len()], rest))
        };
        let open = self.open.first().map(|open| Fingerprint::of(&open.text));
        let begins_open = |rest: &&str| open.is_some_and(|open| open.strip(rest).is_some());
        let candidates = || rests().chain([text]);
        candidates()
            .find(begins_open)
            .or_else(|| candidates().next())
            .unwrap_or(text)
    }
}

/// Returns whether a word ends where `before` meets `after`.
fn ends_a_word(before: &str, after: &str) -> bool {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    !(is_letter(before.chars().next_back()) && is_letter(after.chars().next()))
}
