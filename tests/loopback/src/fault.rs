//! Faults: what goes wrong with a connection, and when.

use crate::upgrade::HttpAnswer;
use std::{fmt, str::FromStr, time::Duration};
use thiserror::Error;

/// One fault. Several may be given: each waits for its own moment.
///
/// Written as `WHAT@WHEN`, with `#N` for the N-th connection only or `*` for every connection;
/// without either it comes once, on the first connection that gets there.
///
/// The docs of [`FaultKind`] and [`Trigger`] begin with the names for WHAT and WHEN. Times are
/// whole numbers with `ms` or `s`. In a list, bodies and texts can't hold `,`.
///
/// ```
/// # use volcasr_loopback::{Fault, FaultKind, Trigger};
/// let fault: Fault = "close:1011@3s#2".parse()?;
/// let after = Trigger::Audio(std::time::Duration::from_secs(3));
/// assert_eq!((fault.kind, fault.trigger), (FaultKind::Close(1011), after));
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
    pub fn once(kind: FaultKind, trigger: Trigger) -> Self {
        let target = Target::Once;
        Self {
            kind,
            trigger,
            target,
        }
    }

    /// A fault of every connection.
    pub fn each(kind: FaultKind, trigger: Trigger) -> Self {
        let target = Target::Each;
        Self {
            kind,
            trigger,
            target,
        }
    }
}

/// Kind of a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// `reset`: TCP reset.
    Reset,
    /// `drop`: the TCP connection is closed without a close frame.
    Drop,
    /// `close:CODE`: a close frame with this code; then the end.
    Close(u16),
    /// `error:CODE`, `error:CODE:BODY`: an error frame. The session is over; the service lingers as
    /// it does after any other.
    Error {
        /// Its code.
        code: u32,
        /// Its payload.
        body: String,
    },
    /// `http:STATUS`, `http:STATUS:BODY`: an HTTP answer instead of the 101, at `accept` or
    /// `handshake`. Does nothing after it.
    Http(HttpAnswer),
    /// `hang`: neither reads nor writes, until the client goes or the service ends.
    Hang,
    /// `delay:TIME`: neither reads nor writes for TIME, then continues.
    Delay(Duration),
    /// `trickle:TIME`, `trickle:TIME:COUNT`: one byte is written each TIME; after COUNT bytes, if
    /// given, all at once again.
    Trickle(Duration, Option<u64>),
    /// `no-final`: the final response never comes. The connection stays.
    NoFinal,
    /// `text:TEXT`: a text message.
    Text(String),
    /// `bytes:HEX`: a binary message of these bytes.
    Bytes(Vec<u8>),
    /// `raw:HEX`: these bytes on the socket, past the WebSocket.
    Raw(Vec<u8>),
    /// `ping:COUNT`: COUNT pings.
    Ping(u32),
}

/// At which moment of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// `accept`: accepted, nothing read; before TLS.
    Accept,
    /// `handshake`: the upgrade request was read, nothing answered.
    Handshake,
    /// `ack`: the request was read and found good; what ends the session comes instead of the ack.
    Ack,
    /// `3s`, `250ms`: this much audio has come, counted at the rate of the request.
    Audio(Duration),
    /// `wall:3s`: this time after the connection was accepted; from the 101 on.
    Wall(Duration),
    /// `finish`: the finish was read; what ends the session comes instead of the final response.
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
        let (kind, when) = text.rsplit_once('@').ok_or_else(|| error("no @WHEN"))?;
        let (when, target) = match (when.strip_suffix('*'), when.split_once('#')) {
            (Some(when), _) => (when, Target::Each),
            (_, Some((when, n))) => {
                let n = n.parse().ok().filter(|&n| n > 0);
                let n = n.ok_or_else(|| error("#N is not a number from 1"))?;
                (when, Target::Connection(n))
            }
            _ => (when, Target::Once),
        };
        let trigger = match when {
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
        fn number<T: FromStr>(text: &str, error: &'static str) -> Result<T, &'static str> {
            text.parse().map_err(|_| error)
        }
        let time = |text| duration(text).ok_or("not a time such as 2s or 100ms");
        let bytes = |text| hex(text).ok_or("not hexadecimal bytes");
        let (name, argument) = text.split_once(':').unwrap_or((text, ""));
        let (first, second) = argument.split_once(':').unwrap_or((argument, ""));
        let or = |default: String| match second {
            "" => default,
            body => body.to_owned(),
        };
        Ok(match name {
            "reset" => Self::Reset,
            "drop" => Self::Drop,
            "hang" => Self::Hang,
            "no-final" => Self::NoFinal,
            "delay" => Self::Delay(time(argument)?),
            "trickle" => {
                let count = Some(second).filter(|count| !count.is_empty());
                let count = count.map(|count| number(count, "the count is no number"));
                Self::Trickle(time(first)?, count.transpose()?)
            }
            "close" => Self::Close(number(argument, "the close code is no number")?),
            "error" => {
                let code = number(first, "the error code is no number")?;
                let body = or(format!(r#"{{"error":"injected error {code}"}}"#));
                Self::Error { code, body }
            }
            "http" => Self::Http(HttpAnswer {
                status: Some(number(first, "the status is none")?)
                    .filter(|status| (200..600).contains(status))
                    .ok_or("the status is none")?,
                headers: Vec::new(),
                body: or(r#"{"error":"injected"}"#.to_owned()),
            }),
            "text" => Self::Text(argument.to_owned()),
            "bytes" => Self::Bytes(bytes(argument)?),
            "raw" => Self::Raw(bytes(argument)?),
            "ping" => Self::Ping(number(argument, "the count is no number")?),
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
            Self::Http(answer) => write!(f, "HTTP {}", answer.status),
            Self::Hang => f.write_str("hang"),
            Self::Delay(time) => write!(f, "delay {time:?}"),
            Self::Trickle(time, None) => write!(f, "trickle {time:?}"),
            Self::Trickle(time, Some(count)) => write!(f, "trickle {count} bytes {time:?}"),
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
    match text.strip_suffix("ms") {
        Some(ms) => ms.parse().ok().map(Duration::from_millis),
        None => text
            .strip_suffix('s')?
            .parse()
            .ok()
            .map(Duration::from_secs),
    }
}

/// Bytes from pairs of hexadecimal digits.
pub(crate) fn hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let byte = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    pairs.iter().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
