//! Gzip (RFC 1952), both ways.
//!
//! An encoder's state takes some hundred kilobytes, and to make one costs more than to compress 200
//! ms of audio with it. It holds nothing between two members, so the connections of a thread share
//! one. A decoder's state is made for each payload: the service answers uncompressed as a rule.

use std::cell::RefCell;
use std::io::{self, Read};

use bytes::BytesMut;
use flate2::bufread::GzDecoder;
use libdeflater::{CompressionLvl, Compressor};
use thiserror::Error;

use super::MAX_PAYLOAD;

/// Member that holds nothing, as other encoders write it. The library's own is three bytes longer.
const EMPTY: [u8; 20] = [
    0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0,
];

/// Compression level of the library.
///
/// To deflate, loud speech is noise: it can use the frequencies of its bytes, but finds few
/// matches. Quiet speech and pauses have matches, most of them of three bytes, which level 1 does
/// not look for.
///
/// `benches/packing.py` measures CPU time and bytes, frame by frame. For 200 ms of read English at
/// 24 kHz, level 1 takes 0.22 ms a second of audio and leaves 86.11 % of the bytes. zlib takes five
/// times as long for 85.2 to 85.4 %, and levels 2 to 9 twice as long for 85.3 %. From level 10 on,
/// libdeflate leaves fewer bytes than zlib, but takes 3 to 12 ms for a frame of a quiet room's
/// hiss. Huffman coding alone, without matches, leaves 86.6 %.
const LEVEL: i32 = 1;

thread_local! {
    // The level exists, so the default, 6, is not used.
    static COMPRESSOR: RefCell<Compressor> =
        RefCell::new(Compressor::new(CompressionLvl::new(LEVEL).unwrap_or_default()));
}

/// Appends one gzip member that holds `data` to `out`.
pub fn gzip(data: &[u8], out: &mut BytesMut) {
    if data.is_empty() {
        out.extend_from_slice(&EMPTY);
        return;
    }
    COMPRESSOR.with_borrow_mut(|compressor| {
        let start = out.len();
        out.resize(start + compressor.gzip_compress_bound(data.len()), 0);
        let written = compressor
            .gzip_compress(data, &mut out[start..])
            .expect("only too little room fails, and this is the library's own bound");
        out.truncate(start + written);
    });
}

/// Capacity in bytes with which [`gzip`] need not grow its output for `len` bytes of input: the
/// library's own bound, rounded up.
pub fn gzip_bound(len: usize) -> usize {
    len + len / 64 + 128
}

/// Reason why a gzip payload can't be read. The caller logs it and drops the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InflateError {
    /// It inflates to more than [`MAX_PAYLOAD`]: a broken or hostile peer.
    #[error("gzip payload inflates to more than {MAX_PAYLOAD} bytes")]
    TooLarge,
    /// It ends before its trailer does, or has no bytes at all.
    #[error("gzip payload ends too early")]
    Truncated,
    /// Header, deflate data, checksum or length is wrong.
    #[error("gzip payload is corrupt")]
    Corrupt,
    /// Bytes follow the end of the member.
    #[error("gzip payload has {0} bytes after its end")]
    Trailing(usize),
}

/// Reads gzip members into one buffer.
#[derive(Debug, Default)]
pub struct Inflater {
    out: Vec<u8>,
}

impl Inflater {
    /// Capacity that is kept between frames; a larger one, after a large response, is freed.
    const KEEP: usize = 1 << 20;

    /// Returns the content of the one gzip member in `payload`, at most [`MAX_PAYLOAD`] bytes. It
    /// is valid until the next call.
    ///
    /// # Errors
    /// [`InflateError`]: the payload is not exactly one valid gzip member of bounded size.
    pub fn inflate(&mut self, payload: &[u8]) -> Result<&[u8], InflateError> {
        self.out.clear();
        if self.out.capacity() > Self::KEEP {
            self.out = Vec::new();
        }
        let mut decoder = GzDecoder::new(payload);
        // One byte above the limit tells a payload of just that size from a larger one.
        let mut limited = decoder.by_ref().take(MAX_PAYLOAD as u64 + 1);
        match limited.read_to_end(&mut self.out) {
            Ok(length) if length > MAX_PAYLOAD => return Err(InflateError::TooLarge),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(InflateError::Truncated);
            }
            Err(_) => return Err(InflateError::Corrupt),
        }
        match decoder.into_inner() {
            [] => Ok(&self.out),
            rest => Err(InflateError::Trailing(rest.len())),
        }
    }
}

#[cfg(test)]
mod tests;
