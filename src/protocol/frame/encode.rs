//! Encoder of the client's frames, in the memory that they are sent from.

use std::cell::RefCell;

use bytes::{Bytes, BytesMut};

use super::layout::{AUDIO, Compression, FULL_REQUEST, HEADROOM, LAST, SEQUENCE, VERSION};
use crate::protocol::MAX_PAYLOAD;
use crate::protocol::compression::{gzip, gzip_bound};

/// Makes the frames of one connection.
///
/// The caller numbers the frames: 1 for the request, then 2, 3, 4 … without a gap. Payloads must
/// not be larger than [`MAX_PAYLOAD`].
#[derive(Debug)]
pub struct FrameEncoder {
    compression: Compression,
}

impl FrameEncoder {
    /// Makes an encoder that compresses payloads with `compression`.
    pub fn new(compression: Compression) -> Self {
        Self { compression }
    }

    /// Makes the full client request, which opens the session. `json` comes from
    /// [`Request::to_json`](crate::protocol::request::Request::to_json).
    pub fn request(&self, sequence: i32, json: &[u8]) -> Bytes {
        let mut out = BytesMut::new();
        self.frame(&mut out, (FULL_REQUEST, SEQUENCE, sequence), json)
    }

    /// Makes a frame of samples, copied from `pcm`.
    pub fn audio(&self, sequence: i32, pcm: &[u8]) -> Bytes {
        let kind = (AUDIO, SEQUENCE, sequence);
        OUT.with_borrow_mut(|out| self.frame(out, kind, pcm))
    }

    /// Makes a frame of samples from a chunk that begins with [`HEADROOM`] free bytes.
    ///
    /// Uncompressed, the chunk itself becomes the frame and no sample is copied. Compressed, the
    /// frame goes into a buffer that the thread's frames use in turn, once the one before is
    /// dropped. A chunk that is no longer than the free bytes has no samples.
    pub fn audio_chunk(&self, sequence: i32, mut chunk: BytesMut) -> Bytes {
        debug_assert!(chunk.len() >= HEADROOM, "a chunk begins with its headroom");
        if chunk.len() < HEADROOM {
            chunk.resize(HEADROOM, 0);
        }
        if self.compression == Compression::Gzip {
            return self.audio(sequence, &chunk[HEADROOM..]);
        }
        let size = chunk.len() - HEADROOM;
        let prefix = prefix(AUDIO, SEQUENCE, Compression::None, sequence, size);
        chunk[..HEADROOM].copy_from_slice(&prefix);
        chunk.freeze()
    }

    /// Makes the finish, which has no samples. Its number is negative: `sequence` is what the next
    /// frame would have had.
    ///
    /// Compressed, its payload is an empty gzip member of 20 bytes. The service refuses zero bytes
    /// that are marked as gzip.
    pub fn finish(&self, sequence: i32) -> Bytes {
        let sequence = sequence.wrapping_neg();
        let mut out = BytesMut::new();
        self.frame(&mut out, (AUDIO, SEQUENCE | LAST, sequence), &[])
    }

    /// Makes a frame in `out`, which is then empty. Its memory can be used again once the frame is
    /// dropped.
    fn frame(
        &self,
        out: &mut BytesMut,
        (kind, flags, sequence): (u8, u8, i32),
        payload: &[u8],
    ) -> Bytes {
        let room = match self.compression {
            Compression::Gzip => gzip_bound(payload.len()),
            Compression::None => payload.len(),
        };
        out.clear();
        out.reserve(HEADROOM + room);
        out.resize(HEADROOM, 0);
        match self.compression {
            Compression::Gzip => gzip(payload, out),
            Compression::None => out.extend_from_slice(payload),
        }
        let size = out.len() - HEADROOM;
        out[..HEADROOM].copy_from_slice(&prefix(kind, flags, self.compression, sequence, size));
        out.split().freeze()
    }
}

thread_local! {
    /// Buffer for a thread's compressed audio. One for each connection would hold some ten
    /// kilobytes in every session, for the moments in which it is used.
    static OUT: RefCell<BytesMut> = RefCell::new(BytesMut::new());
}

fn prefix(
    kind: u8,
    flags: u8,
    compression: Compression,
    sequence: i32,
    size: usize,
) -> [u8; HEADROOM] {
    debug_assert!(size <= MAX_PAYLOAD, "a payload of {size} bytes");
    // Audio is marked as JSON, as the vendor's own client does it. The service takes both.
    let serialization = 1;
    let mut bytes = [0; HEADROOM];
    bytes[0] = VERSION << 4 | 1;
    bytes[1] = kind << 4 | flags;
    bytes[2] = serialization << 4 | compression.nibble();
    bytes[4..8].copy_from_slice(&sequence.to_be_bytes());
    bytes[8..].copy_from_slice(&(size as u32).to_be_bytes());
    bytes
}
