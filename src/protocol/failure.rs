//! Error frames and refused handshakes: cause, and whether to try again.
//!
//! The codes and the bodies of refusals were seen in recorded traffic or are documented. Which of
//! them pass by themselves is reported by users of the service. A failure below HTTP (resolution,
//! connection, TLS) has no code and is not found here.

use std::fmt;

use thiserror::Error;

use super::error_body;

/// Cause of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// 45000010, HTTP 401: the keys are wrong, or belong to the other console.
    Credentials,
    /// 45000030, HTTP 403: the account has not bought the resource.
    NotGranted,
    /// 45000001, HTTP 400: a parameter is wrong or missing, the resource id among them.
    Parameters,
    /// 45000007: audio came before the request.
    NoRequest,
    /// 45000000: a frame malformed or misnumbered, or after the session's end.
    OutOfOrder,
    /// 45000002: the session had no audio.
    EmptyAudio,
    /// 45000081: no frame came for 5 to 8 seconds.
    Idle,
    /// 45000151: the audio is not what the request said, or not what the service takes.
    AudioFormat,
    /// 45000292: too many sessions at once. Sessions end, so it passes.
    Concurrency,
    /// 45000292 or an HTTP refusal for a `…_lifetime` quota: it is used up.
    QuotaSpent,
    /// HTTP 402, or a refusal of the resource that says "overdue": the account owes money.
    Overdue,
    /// HTTP 407: a proxy in front of the service asks for credentials of its own.
    ProxyCredentials,
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
    /// HTTP 1xx or 2xx other than the 101: the peer is no WebSocket server.
    NoWebSocket,
    /// HTTP 5xx.
    Unavailable,
    /// An undocumented code or status.
    Unknown,
}

/// Decision about another attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Retry {
    /// No attempt: something has to be changed first.
    Never,
    /// Attempts after a backoff that begins at 250 ms.
    Soon,
    /// Attempts after a backoff that begins at 1 s.
    Later,
    /// Attempts as after [`Soon`](Self::Soon), but only a few: the cause may pass, or not.
    Limited,
}

/// Reason why the service ended or refused a session.
///
/// The message is the service's own text, printable and on one line, but not trusted otherwise. It
/// may repeat a credential: code that knows the credentials redacts it before it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct Failure {
    /// Cause of the failure.
    pub cause: Cause,
    /// Code of the error frame, or in the body of an HTTP refusal.
    pub code: Option<u32>,
    /// Status of a refused handshake.
    pub http_status: Option<u16>,
    /// The service's message, at most 500 characters; may be empty.
    pub message: String,
    /// Id that the vendor's support asks for, from the handshake's `X-Tt-Logid`. It is not in the
    /// body: the caller sets it.
    pub log_id: Option<String>,
    /// The client's id of the connection. The caller sets it.
    pub connect_id: Option<String>,
}

impl Failure {
    /// Reads an error frame, or a response with a code. `body` is uncompressed and may hold
    /// anything.
    pub fn from_error_frame(code: u32, body: &[u8]) -> Self {
        let (message, _) = error_body::read(body);
        Self {
            code: Some(code),
            ..Self::new(Cause::of_code(code, &message), message)
        }
    }

    /// Reads an answer to the handshake other than 101.
    ///
    /// The status decides, because it was seen in recorded traffic. A code in the body is kept for
    /// the user.
    pub fn from_http(status: u16, body: &[u8]) -> Self {
        let (message, code) = error_body::read(body);
        Self {
            code,
            http_status: Some(status),
            ..Self::new(Cause::of_status(status, &message), message)
        }
    }

    fn new(cause: Cause, message: String) -> Self {
        Self {
            cause,
            code: None,
            http_status: None,
            message,
            log_id: None,
            connect_id: None,
        }
    }

    /// Returns whether to try again.
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
            | Cause::Overdue
            | Cause::ProxyCredentials
            | Cause::WrongType
            | Cause::NoWebSocket
            | Cause::Refused => Retry::Never,
            Cause::Idle => Retry::Soon,
            Cause::Concurrency | Cause::Busy | Cause::RateLimited | Cause::Unavailable => {
                Retry::Later
            }
            Cause::Internal => Retry::Limited,
            // By documentation, the codes from 45000000 on are the client's fault, which does not
            // pass.
            Cause::Unknown => match self.code {
                Some(45_000_000..=45_999_999) => Retry::Never,
                _ => Retry::Limited,
            },
        }
    }
}

impl fmt::Display for Failure {
    /// Writes `45000001: message`, `HTTP 401: message`, or the first part alone.
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
            45_000_030 => Self::of_account(message).unwrap_or(Self::NotGranted),
            45_000_081 => Self::Idle,
            45_000_151 => Self::AudioFormat,
            45_000_292 => Self::of_account(message).unwrap_or(Self::Concurrency),
            55_000_031 => Self::Busy,
            55_000_000..=55_099_999 if names_a_field(message) => Self::WrongType,
            55_000_000..=55_099_999 => Self::Internal,
            _ => Self::Unknown,
        }
    }

    fn of_status(status: u16, message: &str) -> Self {
        match status {
            400 => Self::Parameters,
            401 => Self::Credentials,
            402 => Self::of_account(message).unwrap_or(Self::Overdue),
            403 => Self::of_account(message).unwrap_or(Self::NotGranted),
            407 => Self::ProxyCredentials,
            429 => Self::of_account(message).unwrap_or(Self::RateLimited),
            100..=299 => Self::NoWebSocket,
            300..=499 => Self::Refused,
            500..=599 => Self::Unavailable,
            _ => Self::Unknown,
        }
    }

    /// Returns the state of the account, if the message names it.
    ///
    /// A quota for the lifetime of a package is used up, where one for concurrency is free again
    /// later. An account that owes money has the resource, so buying it again does not help.
    fn of_account(message: &str) -> Option<Self> {
        let message = message.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
        if says(&["_lifetime"]) {
            Some(Self::QuotaSpent)
        } else if says(&["overdue", "arrear", "欠费"]) {
            Some(Self::Overdue)
        } else {
            None
        }
    }
}

/// Whether the message is about a JSON field. Its text is not recorded. The service is written in
/// Go, whose JSON reader says "cannot unmarshal string into Go struct field Audio.rate of type
/// int"; other readers say "field", too.
fn names_a_field(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    let mut words = message.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| matches!(word, "unmarshal" | "field" | "fields"))
}

#[cfg(test)]
mod tests;
