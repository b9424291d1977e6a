//! An utterance of a response, with its words and attributes.

use std::borrow::Cow;
use std::time::Duration;

use serde::de::MapAccess;

use super::tolerant_json::{
    JsonVisitor, ObjectOrNone, boolean, elements, entries, milliseconds, raw, skip, string,
};

/// Upper bound on the attributes of one utterance that are read.
pub const MAX_ADDITIONS: usize = 256;

/// Speech between two pauses, as the service recognises it so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Utterance<'a> {
    /// Its text, which may change until the utterance is definite.
    pub text: Cow<'a, str>,
    /// Whether it is settled. Further utterances may follow.
    pub definite: bool,
    /// Start, from the connection's first sample. The service revises it until the utterance is
    /// definite.
    pub start: Option<Duration>,
    /// End, from the connection's first sample, revised likewise. It may lie before the sound's
    /// end, and past [`Response::duration`](super::response::Response::duration).
    pub end: Option<Duration>,
    /// Its words and their times.
    pub words: Words<'a>,
    /// Speaker, emotion, recognition pass …: the fields of `additions`, and the scalars that stand
    /// beside `text` under names that this type does not have.
    pub additions: Additions<'a>,
}

/// A word, or the space between two.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Word<'a> {
    /// Its text. In Chinese it may be several characters; a space is a word without times.
    pub text: Cow<'a, str>,
    /// Start, from the connection's first sample.
    pub start: Option<Duration>,
    /// End. In recorded traffic most words are 80 ms long, however long their sound is.
    pub end: Option<Duration>,
}

/// Words of an utterance, as JSON text that is read when iterated over.
///
/// Two are equal when their JSON is, byte by byte: a fast test whether anything changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Words<'a> {
    raw: &'a str,
}

impl<'a> Words<'a> {
    /// Makes words from a JSON list, such as [`raw`](Self::raw) returned. Anything else has no
    /// words, and broken JSON ends them.
    pub fn from_raw(raw: &'a str) -> Self {
        let raw = if raw.starts_with('[') { raw } else { "" };
        Self { raw }
    }

    /// Returns the JSON list; empty when the field was absent.
    pub fn raw(&self) -> &'a str {
        self.raw
    }

    /// Returns the words in their order.
    pub fn iter(&self) -> impl Iterator<Item = Word<'a>> + use<'a> {
        elements::<ObjectOrNone<_>>(self.raw).filter_map(|word| word.0)
    }
}

/// Attributes of an utterance, as JSON text that is read when iterated over. Equal when their JSON
/// is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Additions<'a> {
    /// Object `additions`; empty when the field was absent.
    raw: &'a str,
    /// Scalars from beside it, as JSON text. Documentation has `speaker_id` there, recordings have
    /// it in the object.
    beside: Vec<(Cow<'a, str>, &'a str)>,
}

impl<'a> Additions<'a> {
    /// Makes attributes from a JSON object. Anything else has none.
    pub fn from_raw(raw: &'a str) -> Self {
        let mut additions = Self::default();
        additions.set_object(raw);
        additions
    }

    fn set_object(&mut self, raw: &'a str) {
        self.raw = if raw.starts_with('{') { raw } else { "" };
    }

    /// Adds a field from beside the object, if it is a scalar.
    fn add(&mut self, name: Cow<'a, str>, raw: &'a str) {
        if self.beside.len() < MAX_ADDITIONS && is_scalar(raw) {
            self.beside.push((name, raw));
        }
    }

    /// Returns names and values, at most [`MAX_ADDITIONS`], those of the object first. All values
    /// are documented to be strings. Numbers and booleans come as their JSON text; other types are
    /// left out.
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> + use<'a, '_> {
        entries(self.raw)
            .chain(self.beside.iter().cloned())
            .filter(|(_, raw)| is_scalar(raw))
            .filter_map(|(key, raw)| match raw.starts_with('"') {
                true => Some((key, string(raw)?)),
                false => Some((key, Cow::Borrowed(raw))),
            })
            .take(MAX_ADDITIONS)
    }

    /// Returns the value of the first attribute of that name.
    pub fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        self.iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }
}

/// Whether a value is a string, a number or a boolean.
fn is_scalar(raw: &str) -> bool {
    matches!(
        raw.as_bytes().first(),
        Some(b'"' | b'-' | b'0'..=b'9' | b't' | b'f')
    )
}

impl<'de> JsonVisitor<'de> for ObjectOrNone<Utterance<'de>> {
    fn field<A: MapAccess<'de>>(
        &mut self,
        key: Cow<'de, str>,
        map: &mut A,
    ) -> Result<(), A::Error> {
        let utterance = self.0.get_or_insert_default();
        match &*key {
            "text" => utterance.text = string(raw(map)?).unwrap_or_default(),
            "definite" => utterance.definite = boolean(raw(map)?),
            "start_time" => utterance.start = milliseconds(raw(map)?),
            "end_time" => utterance.end = milliseconds(raw(map)?),
            "words" => utterance.words = Words::from_raw(raw(map)?),
            "additions" => utterance.additions.set_object(raw(map)?),
            _ => utterance.additions.add(key, raw(map)?),
        }
        Ok(())
    }
}

impl<'de> JsonVisitor<'de> for ObjectOrNone<Word<'de>> {
    fn field<A: MapAccess<'de>>(
        &mut self,
        key: Cow<'de, str>,
        map: &mut A,
    ) -> Result<(), A::Error> {
        let word = self.0.get_or_insert_default();
        match &*key {
            "text" => word.text = string(raw(map)?).unwrap_or_default(),
            "start_time" => word.start = milliseconds(raw(map)?),
            "end_time" => word.end = milliseconds(raw(map)?),
            _ => skip(map)?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared_as_text_and_broken_json_ends_them() {
        let words = Words::from_raw(r#"[{"text":"The","start_time":592},{"text":" "}]"#);
        assert_eq!(Words::from_raw(words.raw()), words);
        assert_ne!(Words::from_raw("[]"), words);
        for (raw, count) in [("{}", 0), (r#"[{"text":"a"},{"text"]"#, 1)] {
            assert_eq!(Words::from_raw(raw).iter().count(), count, "{raw}");
        }
    }

    #[test]
    fn a_long_object_is_bounded() {
        let many = format!("{{{}\"a\":1}}", r#""a":1,"#.repeat(MAX_ADDITIONS));
        assert_eq!(Additions::from_raw(&many).iter().count(), MAX_ADDITIONS);
        assert_eq!(Additions::from_raw("[]"), Additions::default());
    }
}
