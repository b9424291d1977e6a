//! Reads a final response with a text and no list, after utterances were listed (rule 9).
use super::TranscriptTracker;
use super::listed::{ListedUtterance, Source};
use super::span::Span;
use super::text::{Fingerprint, are_alike};
use crate::protocol::request::ResultType;

/// Upper bound on the settled utterances that the text of a `single` response may begin with.
const MAX_REPEATED: usize = 8;

impl TranscriptTracker {
    /// Appends entries for the part of `text` after the settled text. Open utterances that it
    /// repeats letter by letter are entries of their own, the rest is one. Returns whether the part
    /// was found.
    pub(super) fn read_last_text(&self, text: &str, entries: &mut Vec<ListedUtterance>) -> bool {
        let text = text.trim_end();
        let Some(mut rest) = self.unsettled_text(text) else {
            return false;
        };
        let mut span = self.span_of_text();
        if let Some(first) = self.open.first() {
            span.start = span.start.min(first.span.start);
        }
        let but_the_last = self.open.len().saturating_sub(1);
        for open in &self.open[..but_the_last] {
            let Some(after) = Fingerprint::of(&open.text).strip(rest) else {
                break;
            };
            let said = &rest[..rest.len() - after.len()];
            push(text, rest, said.trim_end().len(), span, entries);
            rest = after;
        }
        push(text, rest, rest.len(), span, entries);
        true
    }

    /// Returns the part of `text` after the settled text. `None` if that was revised, so that its
    /// end cannot be found.
    fn unsettled_text<'t>(&self, text: &'t str) -> Option<&'t str> {
        let connection = self.settled.from(self.origin);
        let all = self.settled.strip(text, connection);
        if all.is_some() {
            return all;
        }
        let is_open = |same: &dyn Fn(&str) -> bool| self.open.iter().any(|o| same(&o.text));
        match self.result_type {
            ResultType::Full => is_open(&|open| are_alike(open, text)).then_some(text),
            ResultType::Single
                if is_open(&|open| Fingerprint::of(open) == Fingerprint::of(text)) =>
            {
                Some(text)
            }
            ResultType::Single => {
                let count = self.settled.len();
                let last = count.saturating_sub(MAX_REPEATED).max(connection)..count;
                let mut stripped = last.filter_map(|first| self.settled.strip(text, first));
                Some(stripped.next().unwrap_or(text))
            }
        }
    }
}

/// Appends the first `length` bytes of `rest`, which ends `text`.
fn push(text: &str, rest: &str, length: usize, span: Span, entries: &mut Vec<ListedUtterance>) {
    let start = text.len() - rest.len();
    if length > 0 {
        let source = Source::Text(start..start + length);
        entries.push(ListedUtterance::new(source, span));
    }
}
