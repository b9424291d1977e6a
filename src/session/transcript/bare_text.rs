//! Reads the text of a response without a list of utterances (rules 8 and 9).
use super::TranscriptTracker;
use super::listed::Entry;
use super::span::Span;
use super::text::{Fingerprint, are_alike, is_new_text};
use super::update::Update;
use crate::protocol::request::ResultType;

/// Upper bound on the settled utterances that the text of a `single` response may begin with.
const MAX_REPEATED: usize = 8;

impl TranscriptTracker {
    /// Applies rule 8: the text is one utterance.
    pub(super) fn read_text<'r, 'a>(
        &mut self,
        text: &'r str,
        updates: &mut Vec<Update>,
    ) -> Entry<'r, 'a> {
        let shown = self.utterances.open().first();
        if shown.is_some_and(|shown| !self.progress.holds() && is_new_text(shown.text(), text)) {
            self.utterances.finalize_oldest(1, updates);
        }
        Entry::of_text(text, self.span_of_text())
    }

    /// Returns the span of a text without a list: after everything that is settled.
    fn span_of_text(&self) -> Span {
        let axis = self.progress.axis();
        let settled = self.utterances.settled().last_end(axis.processed_until);
        let floor = settled.unwrap_or_default().max(axis.origin);
        Span::within(floor, None, None, axis.processed_until)
    }

    /// Applies rule 9: returns entries for the part of `text` after the settled text. Open
    /// utterances that it repeats letter by letter are entries of their own, the rest is one.
    /// There are none if the settled text was revised: then there is no telling where the rest
    /// begins.
    pub(super) fn read_last_text<'r, 'a>(&self, text: &'r str) -> Option<Vec<Entry<'r, 'a>>> {
        let open = self.utterances.open();
        let mut rest = self.unsettled_text(text.trim_end())?;
        let mut span = self.span_of_text();
        if let Some(first) = open.first() {
            span.start = span.start.min(first.span.start);
        }
        let mut parts = Vec::new();
        for open in &open[..open.len().saturating_sub(1)] {
            let Some(after) = Fingerprint::of(open.text()).strip(rest) else {
                break;
            };
            parts.push(rest[..rest.len() - after.len()].trim_end());
            rest = after;
        }
        parts.push(rest);
        parts.retain(|part| !part.is_empty());
        let entries = parts.into_iter().map(|part| Entry::of_text(part, span));
        Some(entries.collect())
    }

    /// Returns the part of `text` after the settled text. `None` if that was revised, so that its
    /// end cannot be found.
    fn unsettled_text<'t>(&self, text: &'t str) -> Option<&'t str> {
        let (open, settled) = (self.utterances.open(), self.utterances.settled());
        let connection = settled.from(self.progress.axis().origin);
        match self.result_type {
            ResultType::Full => settled.strip(text, connection).or_else(|| {
                let is_open = open.iter().any(|open| are_alike(open.text(), text));
                is_open.then_some(text)
            }),
            ResultType::Single => Some(self.current_text(text, connection)),
        }
    }

    /// Returns the part of the text of a `single` response that is not settled. It may begin with
    /// the last settled utterances, or with an open one that itself begins like these.
    fn current_text<'t>(&self, text: &'t str, connection: usize) -> &'t str {
        let settled = self.utterances.settled();
        let first = settled.len().saturating_sub(MAX_REPEATED).max(connection);
        let repeated = (first..settled.len()).filter_map(|first| settled.strip(text, first));
        let mut rests: Vec<_> = repeated
            .filter(|rest| ends_a_word(&text[..text.len() - rest.len()], rest))
            .collect();
        rests.push(text);
        let open = self.utterances.open().first();
        let open = open.map(|open| Fingerprint::of(open.text()));
        let begins_open = |rest: &&&str| open.is_some_and(|open| open.strip(rest).is_some());
        rests.iter().find(begins_open).unwrap_or(&rests[0])
    }
}

/// Returns whether a word ends where `before` meets `after`.
fn ends_a_word(before: &str, after: &str) -> bool {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    !(is_letter(before.chars().next_back()) && is_letter(after.chars().next()))
}
