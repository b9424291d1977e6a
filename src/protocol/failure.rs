//! Error frames and refused handshakes: what they mean, and whether to try again.
//!
//! The codes and the bodies of refusals were seen in recorded traffic or are documented; which of them pass
//! by themselves is what users of the service report. A failure below HTTP (look-up, connection, TLS)
//! has no code and is not found here.

use std::fmt;

use serde::de::MapAccess;
use thiserror::Error;

use super::lenient::{Entry, Shape, raw, read, skip, string};

/// Most characters of a message that are kept.
pub const MAX_MESSAGE: usize = 500;
/// Bytes of a body of which the message is made, when it is not JSON: enough for [`MAX_MESSAGE`]
/// characters of any kind.
const MAX_PLAIN: usize = 4 * MAX_MESSAGE + 4;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// 45000010, HTTP 401: the keys are wrong, or belong to another console's kind.
    Credentials,
    /// 45000030, HTTP 403: the account has not bought the resource.
    NotGranted,
    /// 45000001, HTTP 400: a parameter is wrong or missing, the resource id among them.
    Parameters,
    /// 45000007: audio came before the request.
    NoRequest,
    /// 45000000: a packet malformed or misnumbered, or after the session's end.
    OutOfOrder,
    /// 45000002: the session had no audio.
    EmptyAudio,
    /// 45000081: no packet came for 5 to 8 seconds.
    Idle,
    /// 45000151: the audio is not what the request said, or not what the service takes.
    AudioFormat,
    /// 45000292: too many sessions at once. They end, so it passes.
    Concurrency,
    /// 45000292 for a `…_lifetime` quota: it is used up.
    QuotaSpent,
    /// 55000031: the service is busy.
    Busy,
    /// Any other 550xxxxx: the service failed.
    Internal,
    /// 550xxxxx that names a field: the field's JSON type is wrong. It looks like
    /// [`Internal`](Self::Internal) and does not pass.
    WrongType,
    /// HTTP 429: too many requests.
    RateLimited,
    /// Another HTTP 4xx, or a redirect, which is not followed.
    Refused,
    /// HTTP 1xx or 2xx other than the 101: what answers is no WebSocket server.
    NoWebSocket,
    /// HTTP 5xx.
    Unavailable,
    /// A code or status that is not documented.
    Unknown,
}

/// Whether the same thing may work if it is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Retry {
    /// No: somebody has to change something first.
    Never,
    /// Yes, with a new session, as soon as there is audio for it.
    Soon,
    /// Yes, after a while.
    Later,
    /// Yes, but only a few times: it may be passing, or not.
    Limited,
}

/// Why the service ended or refused a session.
///
/// The message is the service's own text: printable, on one line, but not to be trusted otherwise. In case it
/// repeats a credential, whoever knows the credentials strikes them out before showing it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct Failure {
    /// What happened.
    pub cause: Cause,
    /// The code of the error frame, or of the body of an HTTP refusal.
    pub code: Option<u32>,
    /// The status of a refused handshake.
    pub http_status: Option<u16>,
    /// What the service says about it, at most [`MAX_MESSAGE`] characters; may be empty.
    pub message: String,
    /// The id that the vendor's support asks for, from the handshake's `X-Tt-Logid`. Not in the body: the
    /// caller sets it.
    pub log_id: Option<String>,
    /// The connection's own id. The caller sets it.
    pub connect_id: Option<String>,
}

impl Failure {
    /// From an error frame, or a response with a code; `body` is unpacked, and may be anything.
    pub fn from_error_frame(code: u32, body: &[u8]) -> Self {
        let (message, _) = read_body(body);
        Self {
            cause: Cause::of_code(code, &message),
            code: Some(code),
            http_status: None,
            message,
            log_id: None,
            connect_id: None,
        }
    }

    /// From an answer to the handshake other than 101.
    ///
    /// The status decides, because it is what was seen in recorded traffic; a code in the body is kept for
    /// the user.
    pub fn from_http(status: u16, body: &[u8]) -> Self {
        let (message, code) = read_body(body);
        Self {
            cause: Cause::of_status(status),
            code,
            http_status: Some(status),
            message,
            log_id: None,
            connect_id: None,
        }
    }

    /// Whether to try again.
    pub fn retry(&self) -> Retry {
        match self.cause {
            Cause::Credentials
            | Cause::NotGranted
            | Cause::Parameters
            | Cause::NoRequest
            | Cause::OutOfOrder
            | Cause::EmptyAudio
            | Cause::AudioFormat
            | Cause::QuotaSpent
            | Cause::WrongType
            | Cause::NoWebSocket
            | Cause::Refused => Retry::Never,
            Cause::Idle => Retry::Soon,
            Cause::Concurrency | Cause::Busy | Cause::RateLimited | Cause::Unavailable => {
                Retry::Later
            }
            Cause::Internal => Retry::Limited,
            // The family 45 is the client's fault by documentation, and stays so.
            Cause::Unknown => match self.code {
                Some(45_000_000..=45_999_999) => Retry::Never,
                _ => Retry::Limited,
            },
        }
    }
}

impl fmt::Display for Failure {
    /// `45000001: message`, `HTTP 401: message`, or without a message only the first part.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.http_status, self.code) {
            (Some(status), Some(code)) => write!(f, "HTTP {status}, {code}")?,
            (Some(status), None) => write!(f, "HTTP {status}")?,
            (None, Some(code)) => write!(f, "{code}")?,
            (None, None) => write!(f, "{:?}", self.cause)?,
        }
        match &*self.message {
            "" => Ok(()),
            message => write!(f, ": {message}"),
        }
    }
}

impl Cause {
    fn of_code(code: u32, message: &str) -> Self {
        match code {
            45_000_000 => Self::OutOfOrder,
            45_000_001 => Self::Parameters,
            45_000_002 => Self::EmptyAudio,
            45_000_007 => Self::NoRequest,
            45_000_010 => Self::Credentials,
            45_000_030 => Self::NotGranted,
            45_000_081 => Self::Idle,
            45_000_151 => Self::AudioFormat,
            45_000_292 if message.contains("_lifetime") => Self::QuotaSpent,
            45_000_292 => Self::Concurrency,
            55_000_031 => Self::Busy,
            55_000_000..=55_099_999 if names_a_field(message) => Self::WrongType,
            55_000_000..=55_099_999 => Self::Internal,
            _ => Self::Unknown,
        }
    }

    fn of_status(status: u16) -> Self {
        match status {
            400 => Self::Parameters,
            401 => Self::Credentials,
            403 => Self::NotGranted,
            429 => Self::RateLimited,
            100..=299 => Self::NoWebSocket,
            300..=499 => Self::Refused,
            500..=599 => Self::Unavailable,
            _ => Self::Unknown,
        }
    }
}

/// Whether the message is about a JSON field. The exact text is not recorded; the service is written in Go,
/// whose JSON reader says "cannot unmarshal string into Go struct field Audio.rate of type int", and
/// other readers say "field" as well.
fn names_a_field(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    let mut words = message.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| matches!(word, "unmarshal" | "field" | "fields"))
}

/// The message of a body, and its code if it has one: JSON with `error` or `message`, other JSON, or plain
/// text.
fn read_body(body: &[u8]) -> (String, Option<u32>) {
    let parsed = std::str::from_utf8(body).ok().and_then(read);
    let Some(Entry(Some(Body {
        error,
        message,
        code,
    }))) = parsed
    else {
        return (plain(body), None);
    };
    let said = [error, message]
        .into_iter()
        .filter_map(string)
        .find(|text| !text.is_empty());
    let message = said.map_or_else(|| plain(body), |text| printable(&text));
    (message, code.parse().ok())
}

fn plain(body: &[u8]) -> String {
    let beginning = &body[..body.len().min(MAX_PLAIN)];
    printable(&String::from_utf8_lossy(beginning))
}

/// A peer's words for a log or a message: on one line, without what terminals act upon, and no longer than [`MAX_MESSAGE`].
pub fn printable(text: &str) -> String {
    let mut characters = text.trim().chars();
    let mut message: String = characters
        .by_ref()
        .take(MAX_MESSAGE)
        .map(|c| match c {
            c if c.is_control() => ' ',
            // Line and paragraph separators, and marks that turn the direction of what follows.
            '\u{2028}' | '\u{2029}' => ' ',
            '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => ' ',
            c => c,
        })
        .collect();
    if characters.next().is_some() {
        message.pop();
        message.push('…');
    }
    message
}

/// The fields of an error's body, as JSON text.
#[derive(Default)]
struct Body<'a> {
    error: &'a str,
    message: &'a str,
    code: &'a str,
}

impl<'de> Shape<'de> for Entry<Body<'de>> {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let body = self.0.get_or_insert_default();
        match key {
            "error" => body.error = raw(map)?,
            "message" => body.message = raw(map)?,
            "code" => body.code = raw(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_documented_code() {
        let text = "said";
        for (code, body, cause, retry) in [
            (45_000_000, text, Cause::OutOfOrder, Retry::Never),
            (45_000_001, text, Cause::Parameters, Retry::Never),
            (45_000_002, text, Cause::EmptyAudio, Retry::Never),
            (
                45_000_007,
                "no request object before data",
                Cause::NoRequest,
                Retry::Never,
            ),
            (45_000_010, text, Cause::Credentials, Retry::Never),
            (45_000_030, text, Cause::NotGranted, Retry::Never),
            (
                45_000_081,
                "[Timeout waiting next packet] session has ended",
                Cause::Idle,
                Retry::Soon,
            ),
            (45_000_151, text, Cause::AudioFormat, Retry::Never),
            (
                45_000_292,
                r#"{"error":"quota exceeded for types: concurrency"}"#,
                Cause::Concurrency,
                Retry::Later,
            ),
            (
                45_000_292,
                r#"{"error":"quota exceeded for types: audio_duration_lifetime"}"#,
                Cause::QuotaSpent,
                Retry::Never,
            ),
            (
                45_000_292,
                "quota exceeded for types: concurrency, duration_lifetime",
                Cause::QuotaSpent,
                Retry::Never,
            ),
            (55_000_031, text, Cause::Busy, Retry::Later),
            (55_000_031, "field", Cause::Busy, Retry::Later),
            (
                55_000_000,
                "internal error",
                Cause::Internal,
                Retry::Limited,
            ),
            (55_099_999, "", Cause::Internal, Retry::Limited),
            (
                55_000_000,
                r#"{"message":"json: cannot unmarshal string into Go struct field Audio.rate of type int"}"#,
                Cause::WrongType,
                Retry::Never,
            ),
            (
                55_000_001,
                "Field 'rate': integer expected",
                Cause::WrongType,
                Retry::Never,
            ),
            (45_000_999, text, Cause::Unknown, Retry::Never),
            (45_999_999, text, Cause::Unknown, Retry::Never),
            (46_000_000, text, Cause::Unknown, Retry::Limited),
            (55_100_000, "field", Cause::Unknown, Retry::Limited),
            (0, text, Cause::Unknown, Retry::Limited),
            (u32::MAX, text, Cause::Unknown, Retry::Limited),
        ] {
            let failure = Failure::from_error_frame(code, body.as_bytes());
            assert_eq!(
                (failure.cause, failure.retry()),
                (cause, retry),
                "{code} {body}"
            );
            assert_eq!((failure.code, failure.http_status), (Some(code), None));
        }
    }

    #[test]
    fn every_refusal() {
        for (status, body, cause, retry) in [
            (
                400,
                r#"{"error":"resourceId volc.x is not allowed"}"#,
                Cause::Parameters,
                Retry::Never,
            ),
            (
                400,
                r#"{"error":"get resource id empty"}"#,
                Cause::Parameters,
                Retry::Never,
            ),
            (
                401,
                r#"{"error":"Invalid X-Api-Key"}"#,
                Cause::Credentials,
                Retry::Never,
            ),
            (
                401,
                r#"{"error":"load grant: requested grant not found in SaaS storage"}"#,
                Cause::Credentials,
                Retry::Never,
            ),
            (
                403,
                r#"{"error":"[resource_id=x] requested resource not granted"}"#,
                Cause::NotGranted,
                Retry::Never,
            ),
            (429, "", Cause::RateLimited, Retry::Later),
            (404, "404 page not found", Cause::Refused, Retry::Never),
            (408, "", Cause::Refused, Retry::Never),
            (302, "", Cause::Refused, Retry::Never),
            (500, "", Cause::Unavailable, Retry::Later),
            (502, "<html>", Cause::Unavailable, Retry::Later),
            (599, "", Cause::Unavailable, Retry::Later),
            (200, "<html>", Cause::NoWebSocket, Retry::Never),
            (100, "", Cause::NoWebSocket, Retry::Never),
            (600, "", Cause::Unknown, Retry::Limited),
        ] {
            let failure = Failure::from_http(status, body.as_bytes());
            assert_eq!(
                (failure.cause, failure.retry()),
                (cause, retry),
                "{status} {body}"
            );
            assert_eq!((failure.code, failure.http_status), (None, Some(status)));
        }
    }

    #[test]
    fn the_message_is_found_in_every_kind_of_body() {
        for (body, message) in [
            (
                &br#"{"error":"decode ws request failed: \"x\""}"#[..],
                "decode ws request failed: \"x\"",
            ),
            (br#"{"code":1,"message":"bad"}"#, "bad"),
            (br#"{"error":"","message":"bad"}"#, "bad"),
            (br#"{"error":"first","message":"second"}"#, "first"),
            (br#"{"error":{"inner":"x"}}"#, r#"{"error":{"inner":"x"}}"#),
            (br#"["x"]"#, r#"["x"]"#),
            (b"{}", "{}"),
            (b" plain text\n", "plain text"),
            (b"a\xffb", "a\u{fffd}b"),
            (b"", ""),
        ] {
            let failure = Failure::from_error_frame(1, body);
            assert_eq!(failure.message, message);
        }
    }

    #[test]
    fn messages_are_printable_and_short() {
        let failure = Failure::from_error_frame(1, "a\x1b[2J\r\nb\u{202e}c\u{2028}d".as_bytes());
        assert_eq!(failure.message, "a [2J  b c d");

        let long = Failure::from_error_frame(1, "雨".repeat(100_000).as_bytes()).message;
        assert_eq!(long.chars().count(), MAX_MESSAGE);
        assert!(long.ends_with("雨…"));
        let json = format!(r#"{{"error":"{}"}}"#, "x".repeat(1_000_000));
        let long = Failure::from_error_frame(1, json.as_bytes()).message;
        assert_eq!(long.chars().count(), MAX_MESSAGE);
        assert!(long.starts_with("xxx"));
        let just = "x".repeat(MAX_MESSAGE);
        assert_eq!(Failure::from_error_frame(1, just.as_bytes()).message, just);
    }

    #[test]
    fn a_code_in_a_refusal_is_kept_but_does_not_decide() {
        let failure = Failure::from_http(403, br#"{"code":45000010,"message":"no"}"#);
        assert_eq!(
            (failure.cause, failure.code),
            (Cause::NotGranted, Some(45_000_010))
        );
        assert_eq!(failure.to_string(), "HTTP 403, 45000010: no");
        assert_eq!(Failure::from_http(502, b"").to_string(), "HTTP 502");
        assert_eq!(
            Failure::from_error_frame(45_000_002, b"no audio").to_string(),
            "45000002: no audio"
        );
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(code: u32, status: u16, body in prop::collection::vec(any::<u8>(), 0..3000)) {
            for failure in [Failure::from_error_frame(code, &body), Failure::from_http(status, &body)] {
                prop_assert!(failure.message.chars().count() <= MAX_MESSAGE);
                prop_assert!(!failure.message.chars().any(char::is_control));
                failure.retry();
            }
        }
    }
}
