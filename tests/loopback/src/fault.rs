//! Faults: what goes wrong with a connection, and when.

use std::{fmt, str::FromStr, time::Duration};
use thiserror::Error;

/// One fault. Several may be given: each waits for its own moment.
///
/// Written as `WHAT@WHEN`, with `#N` for the N-th connection only or `*` for every connection;
/// without either it comes once, on the first connection that gets there.
///
/// | what | |
/// |---|---|
/// | `reset` | TCP reset |
/// | `drop` | the TCP connection is closed without a close frame |
/// | `close:CODE` | a close frame with that code, then the end |
/// | `error:CODE` or `error:CODE:BODY` | an error frame; the service lingers as it does after any other |
/// | `http:STATUS` or `http:STATUS:BODY` | an HTTP answer instead of the 101 (at `accept` or `handshake`) |
/// | `hang` | neither reads nor writes from then on |
/// | `delay:TIME` | neither reads nor writes for so long, then goes on |
/// | `trickle:TIME` or `trickle:TIME:COUNT` | from then on one byte is written each TIME; so many bytes, then at once again |
/// | `no-final` | the final response never comes |
/// | `text:TEXT` | a text message |
/// | `bytes:HEX` | a binary message of these bytes |
/// | `raw:HEX` | these bytes on the socket, past the WebSocket |
/// | `ping:COUNT` | so many pings |
///
/// | when | |
/// |---|---|
/// | `accept` | before anything is read (with `--tls`: before TLS) |
/// | `handshake` | the upgrade request was read |
/// | `ack` | the request was read; what ends the session comes instead of the ack |
/// | `3s`, `250ms` | so much audio has come |
/// | `wall:3s` | so long after the connection was accepted |
/// | `finish` | the finish was read; what ends the session comes instead of the final response |
///
/// Times are whole numbers with `ms` or `s`. In a list, bodies and texts can't hold `,`.
///
/// ```
/// # use volcasr_loopback::{Fault, FaultKind, Target, Trigger};
/// let fault: Fault = "close:1011@3s#2".parse()?;
/// assert_eq!(fault, Fault { kind: FaultKind::Close(1011), trigger: Trigger::Audio(std::time::Duration::from_secs(3)), target: Target::Connection(2) });
/// # Ok::<(), volcasr_loopback::FaultError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Kind of the fault.
    pub kind: FaultKind,
    /// At which moment of a connection.
    pub trigger: Trigger,
    /// On which connections.
    pub target: Target,
}

impl Fault {
    /// A fault that comes once, on the first connection that gets there.
    #[must_use]
    pub fn once(kind: FaultKind, trigger: Trigger) -> Self {
        Self {
            kind,
            trigger,
            target: Target::Once,
        }
    }

    /// A fault of the `n`-th connection, counted from 1.
    #[must_use]
    pub fn nth(n: usize, kind: FaultKind, trigger: Trigger) -> Self {
        Self {
            kind,
            trigger,
            target: Target::Connection(n),
        }
    }

    /// A fault of every connection.
    #[must_use]
    pub fn each(kind: FaultKind, trigger: Trigger) -> Self {
        Self {
            kind,
            trigger,
            target: Target::Each,
        }
    }
}

/// Kind of a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// TCP reset.
    Reset,
    /// The TCP connection is closed without a close frame.
    Drop,
    /// A close frame with this code; then the end.
    Close(u16),
    /// An error frame. The session is over; the service lingers.
    Error {
        /// Its code.
        code: u32,
        /// Its payload.
        body: String,
    },
    /// An HTTP answer instead of the 101. Does nothing after it.
    Http {
        /// The status code.
        status: u16,
        /// Further headers, such as `Retry-After` or `Location`.
        headers: Vec<(String, String)>,
        /// The body.
        body: String,
    },
    /// Neither reads nor writes, until the client goes or the service ends.
    Hang,
    /// Neither reads nor writes for so long.
    Delay(Duration),
    /// One byte is written each so often.
    Trickle(Duration),
    /// One byte is written each so often, for this many bytes.
    TrickleFor(Duration, u64),
    /// The final response never comes. The connection stays.
    NoFinal,
    /// A text message.
    Text(String),
    /// A binary message.
    Bytes(Vec<u8>),
    /// Bytes on the socket itself.
    Raw(Vec<u8>),
    /// Pings.
    Ping(u32),
}

/// At which moment of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// Accepted, nothing read; before TLS.
    Accept,
    /// The upgrade request was read, nothing answered.
    Handshake,
    /// The full client request was read and found good.
    Ack,
    /// So much audio has come, counted on the connection at the rate that the request said.
    Audio(Duration),
    /// So long after the connection was accepted; from the 101 on.
    Wall(Duration),
    /// The finish was read.
    Finish,
}

/// On which connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Once, on the first that gets there.
    Once,
    /// On each.
    Each,
    /// On the one with this number, counted from 1 in the order of acceptance.
    Connection(usize),
}

/// Why a fault can't be read.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("`{text}` is no fault: {reason} (WHAT[:ARGUMENT]@WHEN[#N|*], for example reset@3s)")]
pub struct FaultError {
    text: String,
    reason: &'static str,
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let error = |reason| FaultError {
            text: text.to_owned(),
            reason,
        };
        let (kind, trigger) = text.rsplit_once('@').ok_or_else(|| error("no @WHEN"))?;
        let (trigger, target) = if let Some(trigger) = trigger.strip_suffix('*') {
            (trigger, Target::Each)
        } else if let Some((trigger, n)) = trigger.split_once('#') {
            let n = n
                .parse()
                .ok()
                .filter(|&n| n > 0)
                .ok_or_else(|| error("#N is not a number from 1"))?;
            (trigger, Target::Connection(n))
        } else {
            (trigger, Target::Once)
        };
        let trigger = match trigger {
            "accept" => Trigger::Accept,
            "handshake" => Trigger::Handshake,
            "ack" => Trigger::Ack,
            "finish" => Trigger::Finish,
            other => match other.strip_prefix("wall:") {
                Some(time) => Trigger::Wall(duration(time).ok_or_else(|| error("not a time"))?),
                None => Trigger::Audio(duration(other).ok_or_else(|| error("unknown WHEN"))?),
            },
        };
        let kind = kind.parse().map_err(error)?;
        Ok(Self {
            kind,
            trigger,
            target,
        })
    }
}

impl FromStr for FaultKind {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let (name, argument) = text.split_once(':').unwrap_or((text, ""));
        let (number, body) = argument.split_once(':').unwrap_or((argument, ""));
        let time = || duration(argument).ok_or("not a time such as 2s or 100ms");
        Ok(match name {
            "reset" => Self::Reset,
            "drop" => Self::Drop,
            "hang" => Self::Hang,
            "no-final" => Self::NoFinal,
            "delay" => Self::Delay(time()?),
            "trickle" => {
                let (time, count) = argument.split_once(':').unwrap_or((argument, ""));
                let time = duration(time).ok_or("not a time such as 2s or 100ms")?;
                if count.is_empty() {
                    Self::Trickle(time)
                } else {
                    let count = count.parse().map_err(|_| "the count is no number")?;
                    Self::TrickleFor(time, count)
                }
            }
            "close" => Self::Close(
                argument
                    .parse()
                    .map_err(|_| "the close code is no number")?,
            ),
            "error" => {
                let code = number.parse().map_err(|_| "the error code is no number")?;
                Self::Error {
                    code,
                    body: if body.is_empty() {
                        format!(r#"{{"error":"injected error {code}"}}"#)
                    } else {
                        body.to_owned()
                    },
                }
            }
            "http" => Self::Http {
                status: number
                    .parse()
                    .ok()
                    .filter(|s| (200..600).contains(s))
                    .ok_or("the status is none")?,
                headers: Vec::new(),
                body: if body.is_empty() {
                    r#"{"error":"injected"}"#.to_owned()
                } else {
                    body.to_owned()
                },
            },
            "text" => Self::Text(argument.to_owned()),
            "bytes" => Self::Bytes(hex(argument).ok_or("not hexadecimal bytes")?),
            "raw" => Self::Raw(hex(argument).ok_or("not hexadecimal bytes")?),
            "ping" => Self::Ping(argument.parse().map_err(|_| "the count is no number")?),
            _ => return Err("unknown WHAT"),
        })
    }
}

impl fmt::Display for FaultKind {
    /// The name by which it is known in reports: `reset`, `close 1011`, …
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reset => f.write_str("reset"),
            Self::Drop => f.write_str("drop"),
            Self::Close(code) => write!(f, "close {code}"),
            Self::Error { code, .. } => write!(f, "error {code}"),
            Self::Http { status, .. } => write!(f, "HTTP {status}"),
            Self::Hang => f.write_str("hang"),
            Self::Delay(time) => write!(f, "delay {time:?}"),
            Self::Trickle(time) => write!(f, "trickle {time:?}"),
            Self::TrickleFor(time, count) => write!(f, "trickle {count} bytes {time:?}"),
            Self::NoFinal => f.write_str("no final response"),
            Self::Text(_) => f.write_str("text message"),
            Self::Bytes(_) => f.write_str("binary message"),
            Self::Raw(_) => f.write_str("raw bytes"),
            Self::Ping(count) => write!(f, "{count} pings"),
        }
    }
}

/// `2s`, `250ms`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    if let Some(ms) = text.strip_suffix("ms") {
        return ms.parse().ok().map(Duration::from_millis);
    }
    text.strip_suffix('s')?
        .parse()
        .ok()
        .map(Duration::from_secs)
}

/// Bytes from pairs of hexadecimal digits.
pub(crate) fn hex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar() {
        let parse = |text: &str| text.parse::<Fault>().unwrap();
        assert_eq!(
            parse("reset@3s"),
            Fault::once(FaultKind::Reset, Trigger::Audio(Duration::from_secs(3)))
        );
        assert_eq!(
            parse("hang@wall:250ms*"),
            Fault::each(FaultKind::Hang, Trigger::Wall(Duration::from_millis(250)))
        );
        assert_eq!(
            parse("no-final@finish#2"),
            Fault::nth(2, FaultKind::NoFinal, Trigger::Finish)
        );
        let error = FaultKind::Error {
            code: 45_000_081,
            body: "a: b".into(),
        };
        assert_eq!(
            parse("error:45000081:a: b@ack"),
            Fault::once(error, Trigger::Ack)
        );
        assert_eq!(
            parse("trickle:1ms:50@ack").kind,
            FaultKind::TrickleFor(Duration::from_millis(1), 50)
        );
        assert_eq!(parse("raw:00ff@accept").kind, FaultKind::Raw(vec![0, 255]));
        assert!(matches!(
            parse("http:503@handshake").kind,
            FaultKind::Http { status: 503, .. }
        ));
    }

    #[test]
    fn mistakes_are_explained() {
        for (text, part) in [
            ("reset", "no @WHEN"),
            ("reset@soon", "unknown WHEN"),
            ("vanish@3s", "unknown WHAT"),
            ("close:x@3s", "close code"),
            ("bytes:abc@3s", "hexadecimal"),
            ("reset@3s#0", "from 1"),
            ("http:42@handshake", "status"),
        ] {
            let text = text.parse::<Fault>().unwrap_err().to_string();
            assert!(text.contains(part), "{text}");
        }
    }
}
