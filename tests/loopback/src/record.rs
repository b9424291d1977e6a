//! Records of connections, for tests to read.

use crate::{frame::ClientFrame, marks::FoundMark};
use serde_json::Value;
use std::{fmt, sync::Arc, time::Instant};

/// One connection, from its acceptance on.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Connection {
    /// Counted from 1 in the order of acceptance.
    pub number: usize,
    /// When it was accepted.
    pub accepted_at: Option<Instant>,
    /// The path that was asked for; empty until the upgrade request was read.
    pub path: String,
    /// The headers of the upgrade request, in order. **Credentials included**: do not print them.
    pub headers: Vec<(String, String)>,
    /// The `X-Tt-Logid` of the answer.
    pub log_id: String,
    /// The full client request's JSON, once it could be parsed, good or not.
    pub request: Option<Value>,
    /// When the ack was handed to the socket.
    pub ack_at: Option<Instant>,
    /// Packets of the client, in order; see
    /// [`Options::record_frames`](crate::Options::record_frames).
    pub frames: Vec<ClientFrame>,
    /// Packets that came, also when frames are not kept.
    pub packets: u64,
    /// Bytes of audio that came, inflated.
    pub audio_bytes: u64,
    /// The audio itself; see [`Options::record_audio`](crate::Options::record_audio).
    pub pcm: Arc<Vec<u8>>,
    /// The marks that were found, from the connection's first sample on (recogniser *marks*).
    pub marks: Vec<FoundMark>,
    /// The JSON of the answers, ack and final response included; a script's may be anything.
    pub responses: Vec<Arc<str>>,
    /// The error frames: code and body.
    pub errors: Vec<(u32, String)>,
    /// The faults that came, by name.
    pub faults: Vec<String>,
    /// When the finish came.
    pub finish_at: Option<Instant>,
    /// When the final response was handed to the socket.
    pub final_at: Option<Instant>,
    /// How it ended, if it did.
    pub end: Option<End>,
    /// When it ended.
    pub ended_at: Option<Instant>,
}

impl Connection {
    /// The first header of that name, without regard to case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(status) => write!(f, "refused with HTTP {status}"),
            Self::NoUpgrade => f.write_str("no WebSocket upgrade came"),
            Self::Finished => f.write_str("closed after the final response"),
            Self::ClientClosed(Some(code)) => write!(f, "the client closed with {code}"),
            Self::ClientClosed(None) => f.write_str("the client closed"),
            Self::ClientLost => f.write_str("the client was gone without a close frame"),
            Self::Fault => f.write_str("by a fault"),
        }
    }
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Refused over HTTP, with this status.
    Refused(u16),
    /// It never became a WebSocket: TLS failed, or the client left or sent no HTTP.
    NoUpgrade,
    /// The service closed with 1000 after the final response, and the client answered.
    Finished,
    /// The client closed, with this code if it gave one.
    ClientClosed(Option<u16>),
    /// The client was gone without a close frame.
    ClientLost,
    /// A fault ended it.
    Fault,
}
