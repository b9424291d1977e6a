//! The body of an error: JSON, a proxy's page, or any other text.

use std::borrow::Cow;

use serde::de::MapAccess;

use super::text::{MAX_MESSAGE, sanitize};
use super::tolerant_json::{self, JsonVisitor, ObjectOrNone, raw, skip, string};

/// Bytes of a body that is not JSON from which the message is taken: enough for [`MAX_MESSAGE`]
/// characters of any kind.
const MAX_PLAIN: usize = 4 * MAX_MESSAGE + 4;
/// Bytes of a page in which its title is looked for, since some begin with styles.
const MAX_PAGE: usize = 16 * 1024;

/// Upper bound on the objects around a message, one inside another.
const MAX_DEPTH: usize = 3;

/// Returns the message of a body, and its code if it has one.
///
/// In JSON, the message is `error`, `message` or `payload_msg`: a string, or an object with the
/// same names. Other JSON and plain text are the message as they are.
pub(super) fn read(body: &[u8]) -> (String, Option<u32>) {
    let text = std::str::from_utf8(body).unwrap_or_default();
    let (message, code) = read_object(text, MAX_DEPTH);
    let message = message.map_or_else(|| plain(body), |text| sanitize(&text));
    (message, code)
}

/// Returns the first message that is not empty, and the outermost code.
fn read_object(text: &str, depth: usize) -> (Option<Cow<'_, str>>, Option<u32>) {
    let Some(ObjectOrNone(Some(body))) = tolerant_json::read::<ObjectOrNone<Body<'_>>>(text) else {
        return (None, None);
    };
    let mut code = tolerant_json::code(body.code);
    let mut message = None;
    for raw in [body.error, body.message, body.payload] {
        let (text, inner_code) = match string(raw) {
            Some(text) => (Some(text), None),
            None if depth > 0 && raw.starts_with('{') => read_object(raw, depth - 1),
            None => (None, None),
        };
        message = message.or(text.filter(|text| !text.is_empty()));
        code = code.or(inner_code);
    }
    (message, code)
}

fn plain(body: &[u8]) -> String {
    let beginning = |most| String::from_utf8_lossy(&body[..body.len().min(most)]);
    match title(&beginning(MAX_PAGE)) {
        Some(title) => sanitize(&title),
        None => sanitize(&beginning(MAX_PLAIN)),
    }
}

/// Returns the title of a page of a web server or a proxy.
fn title(page: &str) -> Option<String> {
    if !page.trim_start().starts_with('<') {
        return None;
    }
    // Lower case of ASCII keeps the length, so positions in one are positions in the other.
    let lower = page.to_ascii_lowercase();
    let tag = lower.find("<title")?;
    let start = tag + lower[tag..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    let words: Vec<_> = page[start..end].split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// Fields of an error's body, as JSON text.
#[derive(Default)]
struct Body<'a> {
    error: &'a str,
    message: &'a str,
    payload: &'a str,
    code: &'a str,
}

impl<'de> JsonVisitor<'de> for ObjectOrNone<Body<'de>> {
    fn field<A: MapAccess<'de>>(
        &mut self,
        key: Cow<'de, str>,
        map: &mut A,
    ) -> Result<(), A::Error> {
        let body = self.0.get_or_insert_default();
        match &*key {
            "error" => body.error = raw(map)?,
            "message" => body.message = raw(map)?,
            "payload_msg" => body.payload = raw(map)?,
            "code" => body.code = raw(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}
