//! Faults: what goes wrong with a connection, and when.

use crate::upgrade::HttpAnswer;
use std::{fmt, str::FromStr, time::Duration};

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
/// # Ok::<(), String>(())
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
        Self {
            kind,
            trigger,
            target: Target::Once,
        }
    }

    /// A fault of every connection.
    pub fn each(kind: FaultKind, trigger: Trigger) -> Self {
        Self {
            target: Target::Each,
            ..Self::once(kind, trigger)
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
    /// `handshake`. Does nothing after it. BODY is a redirection's `Location`, too.
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

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        read(text).map_err(|reason| {
            let grammar = "WHAT[:ARGUMENT]@WHEN[#N|*], for example reset@3s";
            format!("`{text}` is no fault: {reason} ({grammar})")
        })
    }
}

fn read(text: &str) -> Result<Fault, &'static str> {
    let (kind, when) = text.rsplit_once('@').ok_or("no @WHEN")?;
    let (when, target) = match (when.strip_suffix('*'), when.split_once('#')) {
        (Some(when), _) => (when, Target::Each),
        (_, Some((when, n))) => {
            let n = n.parse().ok().filter(|&n| n > 0);
            (
                when,
                Target::Connection(n.ok_or("#N is not a number from 1")?),
            )
        }
        _ => (when, Target::Once),
    };
    let trigger = match (when, when.strip_prefix("wall:")) {
        ("accept", _) => Trigger::Accept,
        ("handshake", _) => Trigger::Handshake,
        ("ack", _) => Trigger::Ack,
        ("finish", _) => Trigger::Finish,
        (_, Some(time)) => Trigger::Wall(duration(time).ok_or("not a time")?),
        (time, None) => Trigger::Audio(duration(time).ok_or("unknown WHEN")?),
    };
    let kind = read_kind(kind)?;
    Ok(Fault {
        kind,
        trigger,
        target,
    })
}

fn read_kind(text: &str) -> Result<FaultKind, &'static str> {
    fn number<T: FromStr>(text: &str) -> Result<T, &'static str> {
        text.parse()
            .map_err(|_| "a code, status or count is no number")
    }
    let time = |text| duration(text).ok_or("not a time such as 2s or 100ms");
    let bytes = |text| hex(text).ok_or("not hexadecimal bytes");
    let (name, argument) = text.split_once(':').unwrap_or((text, ""));
    let (first, second) = match argument.split_once(':') {
        Some((first, second)) => (first, Some(second)),
        None => (argument, None),
    };
    let body = |default: String| second.map_or(default, str::to_owned);
    Ok(match name {
        "reset" => FaultKind::Reset,
        "drop" => FaultKind::Drop,
        "hang" => FaultKind::Hang,
        "no-final" => FaultKind::NoFinal,
        "delay" => FaultKind::Delay(time(argument)?),
        "trickle" => FaultKind::Trickle(time(first)?, second.map(number).transpose()?),
        "close" => FaultKind::Close(number(argument)?),
        "error" => {
            let code = number(first)?;
            let body = body(format!(r#"{{"error":"injected error {code}"}}"#));
            FaultKind::Error { code, body }
        }
        "http" => FaultKind::Http(HttpAnswer {
            status: Some(number(first)?)
                .filter(|status| (200..600).contains(status))
                .ok_or("the status is none")?,
            body: body(r#"{"error":"injected"}"#.to_owned()),
        }),
        "text" => FaultKind::Text(argument.to_owned()),
        "bytes" => FaultKind::Bytes(bytes(argument)?),
        "raw" => FaultKind::Raw(bytes(argument)?),
        "ping" => FaultKind::Ping(number(argument)?),
        _ => return Err("unknown WHAT"),
    })
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
    let (number, unit) = match text.strip_suffix("ms") {
        Some(milliseconds) => (milliseconds, 1),
        None => (text.strip_suffix('s')?, 1000),
    };
    let number: u64 = number.parse().ok()?;
    number.checked_mul(unit).map(Duration::from_millis)
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
            ("close:x@3s", "no number"),
            ("bytes:abc@3s", "hexadecimal"),
            ("reset@3s#0", "from 1"),
            ("http:42@handshake", "status"),
        ] {
            let text = text.parse::<Fault>().unwrap_err();
            assert!(text.contains(part), "{text}");
        }
    }
}
