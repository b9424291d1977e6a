//! The body of an error: JSON, a proxy's page, or any other text.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::text::{MAX_MESSAGE, sanitize};
use super::tolerant_json::{self, string};

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
    // serde would read a list as the fields in their order.
    let object = text.trim_start().starts_with('{').then_some(text);
    let body: Option<Body<'_>> = object.and_then(|text| serde_json::from_str(text).ok());
    let Some(body) = body else {
        return (None, None);
    };
    let mut code = body.code.and_then(|raw| tolerant_json::code(raw.get()));
    let mut message = None;
    for raw in [body.error, body.message, body.payload_msg] {
        let raw = raw.map_or("", RawValue::get);
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
#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    message: Option<&'a RawValue>,
    payload_msg: Option<&'a RawValue>,
    code: Option<&'a RawValue>,
}
