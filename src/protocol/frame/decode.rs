//! Decoder of the service's frames. It checks every byte and copies none.

use thiserror::Error;

use super::layout::{ACK, Compression, ERROR, EVENT, LAST, RESPONSE, SEQUENCE, VERSION};
use crate::protocol::MAX_PAYLOAD;
use crate::protocol::compression::{InflateError, Inflater};

/// Kind of a message from the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerKind {
    /// Answer to the request, or a result.
    Response,
    /// Bare acknowledgement, from sister services. It needs no reaction.
    Ack,
    /// End of the session. The service does not close the connection after it and may send further
    /// ones: the first counts.
    Error {
        /// Code, for
        /// [`from_error_frame`](crate::protocol::failure::Failure::from_error_frame).
        code: u32,
    },
}

/// Message from the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerFrame<'a> {
    /// Response, acknowledgement or error.
    pub kind: ServerKind,
    /// Whether it is the session's final response, by its flag. The sign of its number does not
    /// tell.
    pub last: bool,
    /// Compression of the payload, independent of the client's own frames.
    pub compression: Compression,
    /// Payload as it came, still compressed.
    pub payload: &'a [u8],
}

impl<'a> ServerFrame<'a> {
    /// Whether the frame ends the session with a code.
    pub fn is_error(&self) -> bool {
        matches!(self.kind, ServerKind::Error { .. })
    }

    /// Returns the payload uncompressed. An empty one that is marked as gzip is empty.
    ///
    /// # Errors
    /// [`InflateError`] when the payload is not valid gzip of bounded size.
    pub fn unpack<'b>(&self, inflater: &'b mut Inflater) -> Result<&'b [u8], InflateError>
    where
        'a: 'b,
    {
        match self.compression {
            Compression::Gzip if !self.payload.is_empty() => inflater.inflate(self.payload),
            _ => Ok(self.payload),
        }
    }
}

/// Reason why a message can't be read as a frame.
///
/// [`UnknownType`](Self::UnknownType) and [`UnknownCompression`](Self::UnknownCompression) are
/// valid frames of a later protocol: log and skip them. After any other, the peer does not speak
/// this protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrameError {
    /// The message ends inside the header or one of the fields after it.
    #[error("the message ends after {0} bytes, before its payload begins")]
    Truncated(usize),
    /// A version other than 1.
    #[error("protocol version {0} instead of {VERSION}")]
    Version(u8),
    /// A header size of 0 words, which does not even hold the size itself.
    #[error("a header of no size")]
    HeaderSize,
    /// The payload size and the number of bytes that follow it differ.
    #[error("the payload size says {claimed} bytes, {actual} follow")]
    Size {
        /// Payload size in the frame.
        claimed: u32,
        /// Number of bytes that follow.
        actual: usize,
    },
    /// The payload is larger than [`MAX_PAYLOAD`].
    #[error("a payload of {0} bytes is above the limit of {MAX_PAYLOAD}")]
    TooLarge(usize),
    /// A message type that servers do not send.
    #[error("unknown message type {0:#06b}")]
    UnknownType(u8),
    /// A compression other than none and gzip.
    #[error("unknown compression {0}")]
    UnknownCompression(u8),
}

/// Reads one message of the service without copying it. The payload stays compressed.
///
/// # Errors
/// [`FrameError`] when `bytes` is not exactly one frame. An error frame keeps its code in two of
/// these cases, because the code says more than the body. With an unknown compression its payload
/// counts as plain; with a wrong or missing size it has none.
pub fn decode(bytes: &[u8]) -> Result<ServerFrame<'_>, FrameError> {
    let truncated = FrameError::Truncated(bytes.len());
    let [b0, b1, b2, _] = *bytes.first_chunk::<4>().ok_or(truncated)?;
    if b0 >> 4 != VERSION {
        return Err(FrameError::Version(b0 >> 4));
    }
    let header = usize::from(b0 & 0xf) * 4;
    if header == 0 {
        return Err(FrameError::HeaderSize);
    }
    let mut rest = bytes.get(header..).ok_or(truncated)?;
    let mut word = || {
        let (word, after) = rest.split_first_chunk::<4>().ok_or(truncated)?;
        rest = after;
        Ok(*word)
    };
    let (kind, flags) = (b1 >> 4, b1 & 0xf);
    if ![RESPONSE, ACK, ERROR].contains(&kind) {
        return Err(FrameError::UnknownType(kind));
    }
    // The sequence is the service's own count, unrelated to the client's. Events are documented for
    // sister services.
    for flag in [SEQUENCE, EVENT] {
        if flags & flag != 0 {
            word()?;
        }
    }
    let kind = match kind {
        RESPONSE => ServerKind::Response,
        ACK => ServerKind::Ack,
        _ => ServerKind::Error {
            code: u32::from_be_bytes(word()?),
        },
    };
    let compression = match b2 & 0xf {
        0 => Compression::None,
        1 => Compression::Gzip,
        _ if matches!(kind, ServerKind::Error { .. }) => Compression::None,
        other => return Err(FrameError::UnknownCompression(other)),
    };
    // Acknowledgements of sister services may end after the number, flagged or not.
    let payload = match kind {
        ServerKind::Ack if rest.len() <= 4 => &[],
        ServerKind::Error { .. } => sized(rest, truncated).unwrap_or_default(),
        _ => sized(rest, truncated)?,
    };
    Ok(ServerFrame {
        kind,
        last: flags & LAST != 0,
        compression,
        payload,
    })
}

/// Returns the payload after its size, which must be all that is left.
fn sized(rest: &[u8], truncated: FrameError) -> Result<&[u8], FrameError> {
    let (size, payload) = rest.split_first_chunk::<4>().ok_or(truncated)?;
    let claimed = u32::from_be_bytes(*size);
    if claimed as usize != payload.len() {
        return Err(FrameError::Size {
            claimed,
            actual: payload.len(),
        });
    }
    if payload.len() > MAX_PAYLOAD {
        return Err(FrameError::TooLarge(payload.len()));
    }
    Ok(payload)
}
