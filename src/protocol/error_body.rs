//! What comes with a code or a status: JSON, or a proxy's page, or anything at all.

use std::borrow::Cow;

use serde::de::MapAccess;

use super::text::{MAX_MESSAGE, sanitize};
use super::tolerant_json::{self, JsonVisitor, ObjectOrNone, raw, skip, string};

/// Bytes of a body of which the message is made, when it is not JSON: enough for [`MAX_MESSAGE`]
/// characters of any kind.
const MAX_PLAIN: usize = 4 * MAX_MESSAGE + 4;
/// Bytes of a page among which its title is looked for: some begin with styles.
const MAX_PAGE: usize = 16 * 1024;

/// Objects that may stand inside one another around a message.
const MAX_DEPTH: usize = 3;

/// The message of a body, and its code if it has one: JSON with `error`, `message` or `payload_msg`, each a
/// string or an object with the same names; other JSON, or plain text.
pub(super) fn read(body: &[u8]) -> (String, Option<u32>) {
    let text = std::str::from_utf8(body).unwrap_or_default();
    let (message, code) = read_object(text, MAX_DEPTH);
    let message = message.map_or_else(|| plain(body), |text| sanitize(&text));
    (message, code)
}

/// The first message that is not empty, and the outermost code.
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

/// The title of a page of a web server or a proxy.
fn title(page: &str) -> Option<String> {
    if !page.trim_start().starts_with('<') {
        return None;
    }
    // Of the same length, so that places in one are places in the other.
    let lower = page.to_ascii_lowercase();
    let tag = lower.find("<title")?;
    let start = tag + lower[tag..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    let words: Vec<_> = page[start..end].split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// The fields of an error's body, as JSON text.
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
