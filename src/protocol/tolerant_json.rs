//! JSON readers for fields that may be absent or mistyped. A mistyped field counts as absent.
//!
//! Scalars are taken as raw text and parsed from it. A number beyond every type, or half a
//! surrogate pair, then spoils its own field instead of the whole document. A number or boolean may
//! stand in a string. Objects and lists are read in one pass through [`JsonVisitor`]. Those that
//! may not be needed ([`Words`](super::utterance::Words)) are kept as raw text and read piece by
//! piece through [`elements`] and [`entries`]. Only strings with escapes are copied.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Target of an object or a list. Methods that are not overridden skip their value.
pub(super) trait JsonVisitor<'de> {
    /// Reads a field of an object. The implementation must take the value from `map`, with [`raw`],
    /// [`nested`] or [`skip`].
    fn field<A: MapAccess<'de>>(
        &mut self,
        key: Cow<'de, str>,
        map: &mut A,
    ) -> Result<(), A::Error> {
        let _ = key;
        skip(map)
    }

    /// Reads a list. The implementation must take all its elements.
    fn list<A: SeqAccess<'de>>(&mut self, mut list: A) -> Result<(), A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    /// Reads a string that stands in place of an object or a list.
    fn string(&mut self, text: &str) {
        let _ = text;
    }
}

/// Returns the value of the current field as JSON text.
pub(super) fn raw<'de, A: MapAccess<'de>>(map: &mut A) -> Result<&'de str, A::Error> {
    map.next_value::<&RawValue>().map(RawValue::get)
}

/// Reads the value of the current field into `visitor`.
pub(super) fn nested<'de, A, S>(map: &mut A, visitor: &mut S) -> Result<(), A::Error>
where
    A: MapAccess<'de>,
    S: JsonVisitor<'de>,
{
    map.next_value_seed(Seed(visitor))
}

/// Whether a value has content: a string, an object or a list that is not empty.
pub(super) fn has_content(raw: &str) -> bool {
    let inner = raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default();
    raw.starts_with(['"', '{', '[']) && !inner.trim().is_empty()
}

/// Steps over the value of the current field.
pub(super) fn skip<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value::<IgnoredAny>().map(drop)
}

/// Reads one value into a [`JsonVisitor`]; numbers, booleans and null leave it as it was.
pub(super) struct Seed<'s, S>(pub(super) &'s mut S);

impl<'de, S: JsonVisitor<'de>> DeserializeSeed<'de> for Seed<'_, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, S: JsonVisitor<'de>> Visitor<'de> for Seed<'_, S> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(key)) = map.next_key()? {
            self.0.field(key, &mut map)?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<(), A::Error> {
        self.0.list(list)
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.string(text);
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Element of a list of objects. Holds `None` if it is no object or has no fields.
pub(super) struct ObjectOrNone<T>(pub(super) Option<T>);

impl<T> Default for ObjectOrNone<T> {
    fn default() -> Self {
        Self(None)
    }
}

/// Name in an object, borrowed where possible. Without the attribute, serde would copy it.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// Parses a string, without `\u0000`. JSON allows that character, but C strings, in which all of
/// this ends, do not: at best they would be cut there.
pub(super) fn string(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        let mut text: String = serde_json::from_str(raw).ok()?;
        text.retain(|c| c != '\0');
        Some(Cow::Owned(text))
    } else {
        Some(Cow::Borrowed(inner))
    }
}

/// Returns the text of a number or a boolean, from `1200` or `"1200"`. Other types give a text that
/// is neither.
fn scalar(raw: &str) -> Cow<'_, str> {
    match string(raw) {
        Some(Cow::Borrowed(text)) => Cow::Borrowed(text.trim()),
        Some(Cow::Owned(text)) => Cow::Owned(text.trim().to_owned()),
        None => Cow::Borrowed(raw),
    }
}

/// Parses a boolean, `true` or `"true"`; anything else is false.
pub(super) fn boolean(raw: &str) -> bool {
    scalar(raw) == "true"
}

/// Parses an error code, a number or a string.
pub(super) fn code(raw: &str) -> Option<u32> {
    scalar(raw).parse().ok()
}

/// Parses a time in milliseconds, a number or a string. Negative ones (the service's "none") are
/// absent; so are those above 2^32, since no session lasts so long.
pub(super) fn milliseconds(raw: &str) -> Option<Duration> {
    const MOST: u64 = 1 << 32;
    let text = scalar(raw);
    if let Ok(whole) = text.parse::<u64>() {
        return (whole <= MOST).then(|| Duration::from_millis(whole));
    }
    let number = text.parse::<f64>().ok()?;
    let in_range = (0.0..=MOST as f64).contains(&number);
    in_range.then(|| Duration::from_secs_f64(number / 1000.0))
}

/// Reads the elements of a list that is kept as JSON text, one at a time. A text that is no list
/// has none; broken JSON ends it.
pub(super) fn elements<'a, S>(list: &'a str) -> impl Iterator<Item = S> + use<'a, S>
where
    S: JsonVisitor<'a> + Default,
{
    let mut rest = list.strip_prefix('[').unwrap_or_default();
    std::iter::from_fn(move || next_value(&mut rest, ',').map(|Whole(visitor)| visitor))
}

/// Reads the entries of an object that is kept as JSON text: names, and values as JSON text. A text
/// that is no object has none; broken JSON ends it.
pub(super) fn entries<'a>(object: &'a str) -> impl Iterator<Item = (Cow<'a, str>, &'a str)> {
    let mut rest = object.strip_prefix('{').unwrap_or_default();
    std::iter::from_fn(move || {
        let Key(key) = next_value(&mut rest, ',')?;
        let value: &RawValue = next_value(&mut rest, ':')?;
        Some((key, value.get()))
    })
}

/// Takes one value and the separator before it from `rest`.
fn next_value<'a, T: Deserialize<'a>>(rest: &mut &'a str, separator: char) -> Option<T> {
    let text = rest.trim_start();
    let text = text.strip_prefix(separator).unwrap_or(text);
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<T>();
    let value = stream.next()?.ok();
    *rest = match value {
        Some(_) => text.get(stream.byte_offset()..).unwrap_or_default(),
        None => "",
    };
    value
}

/// Value that is read into a [`JsonVisitor`] of its own.
struct Whole<S>(S);

impl<'de, S: JsonVisitor<'de> + Default> Deserialize<'de> for Whole<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut visitor = S::default();
        Seed(&mut visitor).deserialize(deserializer)?;
        Ok(Self(visitor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_borrowed_unless_they_have_escapes() {
        assert!(matches!(
            string("\"雨 stops\""),
            Some(Cow::Borrowed("雨 stops"))
        ));
        assert!(matches!(string(r#""a\"b""#), Some(Cow::Owned(text)) if text == "a\"b"));
        assert_eq!(string(r#""""#).as_deref(), Some(""));
        assert_eq!(string(r#""a\u0000b\u0001""#).as_deref(), Some("ab\u{1}"));
        for other in ["", "\"", "1", "null", "{}", r#""\ud800""#] {
            assert_eq!(string(other), None, "{other}");
        }
    }

    #[test]
    fn times_are_read_or_absent() {
        let ms = Duration::from_millis;
        for (raw, time) in [
            ("0", Some(ms(0))),
            ("-0", Some(ms(0))),
            ("592", Some(ms(592))),
            ("592.0", Some(ms(592))),
            ("592.5", Some(Duration::from_micros(592_500))),
            ("5.92e2", Some(ms(592))),
            ("4294967296", Some(ms(1 << 32))),
            ("4294967297", None),
            ("9223372036854775808", None),
            ("1e999", None),
            ("-1", None),
            ("-0.5", None),
            ("null", None),
            ("true", None),
            ("\"592\"", Some(ms(592))),
            ("\" 592.5 \"", Some(Duration::from_micros(592_500))),
            ("\"\\u0035\"", Some(ms(5))),
            ("\"-1\"", None),
            ("\"inf\"", None),
            ("\"nan\"", None),
            ("\"\"", None),
            ("\"soon\"", None),
            ("[592]", None),
        ] {
            assert_eq!(milliseconds(raw), time, "{raw}");
        }
    }

    #[test]
    fn codes_and_booleans_are_read_or_absent() {
        for (raw, read, truth) in [
            ("45000001", Some(45_000_001), false),
            ("\" 45000001\"", Some(45_000_001), false),
            ("1", Some(1), false),
            ("-1", None, false),
            ("1.5", None, false),
            ("\"InvalidKey\"", None, false),
            ("true", None, true),
            ("\"true\"", None, true),
            ("\" true\"", None, true),
            ("false", None, false),
            ("\"false\"", None, false),
            ("null", None, false),
            ("[true]", None, false),
        ] {
            assert_eq!((code(raw), boolean(raw)), (read, truth), "{raw}");
        }
    }

    #[test]
    fn entries_are_read_one_by_one_until_something_breaks() {
        let all = |raw| {
            entries(raw)
                .map(|(key, value)| format!("{key}={value}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            all(r#"{ "a" : 1 , "b\n":"x" ,"c":{"d":[1]},"e":null}"#),
            ["a=1", "b\n=\"x\"", "c={\"d\":[1]}", "e=null"]
        );
        assert_eq!(all(r#"{"a":1,"b"}"#), ["a=1"]);
        assert_eq!(all(r#"{"a":1,2:3,"b":4}"#), ["a=1"]);
        for none in ["", "{}", "{ }", "{", "[]", "1"] {
            assert!(all(none).is_empty(), "{none}");
        }
    }
}
