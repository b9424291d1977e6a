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
//! client's frames from 1 and refuses a wrong number, so the caller keeps the numbers. Byte 2
//! states the compression of each frame: against the documentation, the service answers
//! uncompressed to a client that compresses.

mod decode;
mod encode;
mod layout;

pub use decode::{FrameError, ServerKind, decode};
pub use encode::FrameEncoder;
pub use layout::{Compression, HEADROOM};

#[cfg(test)]
mod tests;
