//! What the client sends: frames made in the memory that they are sent from.

use std::cell::RefCell;

use bytes::{Bytes, BytesMut};

use super::{AUDIO, Compression, FULL_REQUEST, HEADROOM, LAST, SEQUENCE, VERSION};
use crate::protocol::MAX_PAYLOAD;
use crate::protocol::compression::{gzip, gzip_bound};

/// Makes the frames of one connection.
///
/// The sequence of each frame is the caller's: 1 for the request, then 2, 3, 4 … without a hole.
/// Payloads must not be above [`MAX_PAYLOAD`].
#[derive(Debug)]
pub struct FrameEncoder {
    compression: Compression,
}

impl FrameEncoder {
    /// An encoder whose frames are packed with `compression`.
    pub fn new(compression: Compression) -> Self {
        Self { compression }
    }

    /// The full client request, which opens the session; `json` as
    /// [`Request::to_json`](crate::protocol::request::Request::to_json) makes it.
    pub fn request(&self, sequence: i32, json: &[u8]) -> Bytes {
        let mut out = BytesMut::new();
        self.frame(&mut out, (FULL_REQUEST, SEQUENCE, sequence), json)
    }

    /// A packet of samples, copied from `pcm`.
    pub fn audio(&self, sequence: i32, pcm: &[u8]) -> Bytes {
        let kind = (AUDIO, SEQUENCE, sequence);
        OUT.with_borrow_mut(|out| self.frame(out, kind, pcm))
    }

    /// A packet of samples from a chunk with [`HEADROOM`] free bytes before them.
    ///
    /// Without compression the chunk becomes the frame, and no sample is copied; with it, the frame's bytes are ones that a thread's
    /// frames have in turn, once they are dropped. A chunk of no more than the free bytes has no samples.
    pub fn audio_chunk(&self, sequence: i32, mut chunk: BytesMut) -> Bytes {
        debug_assert!(chunk.len() >= HEADROOM, "a chunk begins with its headroom");
        if chunk.len() < HEADROOM {
            chunk.resize(HEADROOM, 0);
        }
        if self.compression == Compression::Gzip {
            return self.audio(sequence, &chunk[HEADROOM..]);
        }
        let size = chunk.len() - HEADROOM;
        chunk[..HEADROOM].copy_from_slice(&prefix(
            AUDIO,
            SEQUENCE,
            Compression::None,
            sequence,
            size,
        ));
        chunk.freeze()
    }

    /// The finish: no samples, and the negative of `sequence`, the number that the next packet would have
    /// had.
    ///
    /// With compression its payload is an empty gzip member, 20 bytes: no bytes at all, marked as gzip,
    /// are refused.
    pub fn finish(&self, sequence: i32) -> Bytes {
        let sequence = sequence.wrapping_neg();
        let mut out = BytesMut::new();
        self.frame(&mut out, (AUDIO, SEQUENCE | LAST, sequence), &[])
    }

    /// A frame made in `out`, which is empty then, and can be used again once the frame is dropped.
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
        let mut compression = self.compression;
        if compression == Compression::None || gzip(payload, out).is_err() {
            // Each frame says itself how it is packed, so one that the encoder fails at goes plain.
            compression = Compression::None;
            out.extend_from_slice(payload);
        }
        let size = out.len() - HEADROOM;
        out[..HEADROOM].copy_from_slice(&prefix(kind, flags, compression, sequence, size));
        out.split().freeze()
    }
}

thread_local! {
    /// What a thread's frames of audio are packed into: with one for each connection, every session would hold some ten kilobytes
    /// more for the moments in which they are used.
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
    let [s0, s1, s2, s3] = sequence.to_be_bytes();
    let [n0, n1, n2, n3] = (size as u32).to_be_bytes();
    // Audio is marked as JSON, too: the vendor's own client does so, and the service takes both.
    let serialization = 1;
    [
        VERSION << 4 | 1,
        kind << 4 | flags,
        serialization << 4 | compression.nibble(),
        0,
        s0,
        s1,
        s2,
        s3,
        n0,
        n1,
        n2,
        n3,
    ]
}
