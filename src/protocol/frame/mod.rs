//! The binary frame. Every WebSocket message holds one; integers are big-endian.
//!
//! ```text
//! byte 0   version = 1 (4 bits)   | header size in words of 4 bytes (4 bits)
//! byte 1   message type (4 bits)  | flags (4 bits)
//! byte 2   serialization (4 bits) | compression (4 bits)
//! byte 3   reserved, 0
//!          header extensions, up to the header size
//!          int32  sequence            if flags & 0b0001
//!          int32  event               if flags & 0b0100
//!          uint32 error code          in error frames
//!          uint32 payload size, payload
//! ```
//!
//! The layout is documented, the service's behaviour was seen in recorded traffic. It counts the
//! client's packets from 1 and refuses a wrong number, so the caller keeps the numbers. Byte 2
//! states the compression of each frame: against the documentation, the service answers
//! uncompressed to a client that compresses.

mod decode;
mod encode;

pub use decode::{FrameError, ServerFrame, ServerKind, decode};
pub use encode::FrameEncoder;

/// Bytes before the payload of every client frame: header 4, sequence 4, payload size 4.
///
/// A chunk of audio that begins with as many free bytes becomes a frame in place:
/// [`FrameEncoder::audio_chunk`].
pub const HEADROOM: usize = 12;

const VERSION: u8 = 1;
const FULL_REQUEST: u8 = 0b0001;
const AUDIO: u8 = 0b0010;
const RESPONSE: u8 = 0b1001;
const ACK: u8 = 0b1011;
const ERROR: u8 = 0b1111;

const SEQUENCE: u8 = 0b0001;
const LAST: u8 = 0b0010;
const EVENT: u8 = 0b0100;

/// Compression of a payload: the low half of byte 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compression {
    /// None.
    None,
    /// One gzip member.
    Gzip,
}

impl Compression {
    fn nibble(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Gzip => 1,
        }
    }
}

#[cfg(test)]
mod tests;
