//! Decoder of messages: frames to responses or failures, with a budget for unreadable ones.

use super::event::Level;
use crate::protocol::compression::{InflateError, Inflater};
use crate::protocol::failure::Failure;
use crate::protocol::frame::{self, FrameError, ServerKind};
use crate::protocol::prefix_cache::PrefixCache;
use crate::protocol::response::Response;

/// Unreadable messages in a row after which the peer does not speak the protocol.
const MAX_BAD_MESSAGES: u32 = 16;

/// Ignored messages of a connection that are worth a warning. A peer that sends nothing else must
/// not fill the log.
const MAX_IGNORED_WARNINGS: u32 = 8;

/// Result of a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Decoded {
    /// A response, which was applied. Whether it is marked as final.
    Response {
        /// The frame's flag.
        last: bool,
    },
    /// An error of the service.
    Failure(Box<Failure>),
    /// Unreadable, and skipped.
    Ignored(String),
    /// Unreadable, and nothing readable can follow.
    Protocol(String),
}

/// Decoder of one client's messages. Its buffers last longer than a connection.
#[derive(Debug, Default)]
pub struct Decoder {
    inflater: Inflater,
    prefix_cache: PrefixCache,
    consecutive_bad: u32,
    ignored: u32,
}

impl Decoder {
    /// Begins a connection.
    pub fn connect(&mut self) {
        self.consecutive_bad = 0;
        self.ignored = 0;
    }

    /// Decodes a message. `repeated` utterances at the beginning of the list need not be read
    /// again. `apply` gets a response, its payload and whether it is marked as final, and returns
    /// how many utterances may be left out of the next one. Without an answer on the connection so
    /// far (`acknowledged`), the first unreadable message is the last.
    pub fn decode(
        &mut self,
        message: &[u8],
        repeated: usize,
        acknowledged: bool,
        apply: impl FnOnce(&Response<'_>, &[u8], bool) -> usize,
    ) -> Decoded {
        let frame = match frame::decode(message) {
            Ok(frame) => frame,
            Err(error @ FrameError::TooLarge(_)) => return Decoded::Protocol(error.to_string()),
            Err(error) => return self.skip(&error, acknowledged),
        };
        let payload = match frame.unpack(&mut self.inflater) {
            Ok(payload) => payload,
            // The code says more than any body.
            Err(_) if frame.is_error() => &[],
            Err(error @ InflateError::TooLarge) => return Decoded::Protocol(error.to_string()),
            Err(error) => return self.skip(&error, acknowledged),
        };
        if let ServerKind::Error { code } = frame.kind {
            return Decoded::Failure(Box::new(Failure::from_error_frame(code, payload)));
        }
        let response = match self.prefix_cache.decode(payload, repeated) {
            Ok(response) => response,
            Err(error) => return self.skip(&error, acknowledged),
        };
        if let Some(code) = response.code {
            return Decoded::Failure(Box::new(Failure::from_error_frame(code, payload)));
        }
        let repeated = apply(&response, payload, frame.last);
        self.prefix_cache.remember(payload, repeated);
        self.consecutive_bad = 0;
        Decoded::Response { last: frame.last }
    }

    /// Skips what can't be read, unless nothing else comes.
    fn skip(&mut self, error: &dyn std::error::Error, acknowledged: bool) -> Decoded {
        self.consecutive_bad += 1;
        match acknowledged && self.consecutive_bad < MAX_BAD_MESSAGES {
            true => Decoded::Ignored(error.to_string()),
            false => Decoded::Protocol(error.to_string()),
        }
    }

    /// Counts an ignored message. Returns how much that matters.
    pub fn on_ignored(&mut self) -> Level {
        self.ignored = self.ignored.saturating_add(1);
        match self.ignored {
            0..=MAX_IGNORED_WARNINGS => Level::Warning,
            _ => Level::Debug,
        }
    }
}
