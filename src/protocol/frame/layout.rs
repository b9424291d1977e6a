//! Numbers of the frame's layout.

/// Bytes before the payload of every client frame: header 4, sequence 4, payload size 4.
///
/// A chunk of audio that begins with as many free bytes becomes a frame in place:
/// [`FrameEncoder::audio_chunk`](super::FrameEncoder::audio_chunk).
pub const HEADROOM: usize = 12;

pub(super) const VERSION: u8 = 1;
pub(super) const FULL_REQUEST: u8 = 0b0001;
pub(super) const AUDIO: u8 = 0b0010;
pub(super) const RESPONSE: u8 = 0b1001;
pub(super) const ACK: u8 = 0b1011;
pub(super) const ERROR: u8 = 0b1111;

pub(super) const SEQUENCE: u8 = 0b0001;
pub(super) const LAST: u8 = 0b0010;
pub(super) const EVENT: u8 = 0b0100;

/// Compression of a payload: the low half of byte 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compression {
    /// None.
    None,
    /// One gzip member.
    Gzip,
}

impl Compression {
    pub(super) fn nibble(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Gzip => 1,
        }
    }
}
