//! Gzip (RFC 1952), both ways.
//!
//! A deflate state takes some hundred kilobytes, and to make one costs more than to compress 200 ms
//! of audio with it. The encoder's state holds nothing between two members, so the connections of a
//! thread share one. The decoder's is kept with its connection, once a compressed answer comes.
//! Header and trailer are read here, because only raw inflate can be reset without an allocation.

use std::cell::RefCell;

use bytes::BytesMut;
use flate2::{Crc, Decompress, FlushDecompress, Status};
use libdeflater::{CompressionLvl, Compressor};
use thiserror::Error;

use super::MAX_PAYLOAD;

/// Shortest header of a member: magic, deflate, no flags, no time, no extra flags, unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// Member that holds nothing, as other encoders write it. The library's own is three bytes longer.
const EMPTY: [u8; 20] = [
    0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0,
];
/// Length of the trailer: CRC-32 and length of the data, both little-endian.
const TRAILER: usize = 8;

/// Failure of the deflate library.
///
/// No input is known to cause it. The caller sends the frame uncompressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the deflate encoder failed")]
pub struct GzipError;

/// Compression level of the library.
///
/// To deflate, loud speech is noise: it can use the frequencies of its bytes, but finds few
/// matches. Quiet speech and pauses have matches, most of them of three bytes, which level 1 does
/// not look for.
///
/// CPU for a second of audio and the share of bytes that is left, for read English at 24 kHz, frame
/// by frame. `benches/packing.py` makes the table:
///
/// | | 100 ms | | 200 ms | |
/// |---|---|---|---|---|
/// | zlib 1 | 1.10 ms | 85.93 % | 1.05 ms | 85.43 % |
/// | zlib 6, 9 | 1.10 ms | 85.84 % | 1.16 ms | 85.18 % |
/// | zlib-ng 2 | 0.69 ms | 86.40 % | 0.51 ms | 86.14 % |
/// | zlib-ng 9 | 0.88 ms | 85.87 % | 0.80 ms | 85.34 % |
/// | isa-l 1 | 0.26 ms | 86.43 % | 0.18 ms | 86.18 % |
/// | libdeflate 1 | 0.24 ms | 86.38 % | 0.22 ms | 86.11 % |
/// | libdeflate 2 to 4 | 0.40 ms | 85.88 % | 0.37 ms | 85.26 % |
/// | libdeflate 5 to 7 | 0.42 ms | 85.89 % | 0.39 ms | 85.36 % |
/// | libdeflate 9 | 0.44 ms | 85.81 % | 0.42 ms | 85.27 % |
/// | libdeflate 10 | 1.11 ms | 85.32 % | 0.96 ms | 84.75 % |
///
/// Level 1 leaves less than 1 % more bytes than zlib at its best, for a fifth of its time. From
/// level 10 on, libdeflate leaves fewer than zlib, but then takes 3 to 12 ms for a frame of a quiet
/// room's hiss. Huffman coding alone, without matches, leaves 86.6 %.
const LEVEL: i32 = 1;

thread_local! {
    // The level exists, so the default, 6, is not used.
    static COMPRESSOR: RefCell<Compressor> =
        RefCell::new(Compressor::new(CompressionLvl::new(LEVEL).unwrap_or_default()));
}

/// Appends one gzip member that holds `data` to `out`.
///
/// # Errors
/// [`GzipError`] when the library fails; `out` is then as it was.
pub fn gzip(data: &[u8], out: &mut BytesMut) -> Result<(), GzipError> {
    if data.is_empty() {
        out.extend_from_slice(&EMPTY);
        return Ok(());
    }
    COMPRESSOR.with_borrow_mut(|compressor| {
        let start = out.len();
        out.resize(start + compressor.gzip_compress_bound(data.len()), 0);
        let written = compressor
            .gzip_compress(data, &mut out[start..])
            .map_err(|_| GzipError);
        out.truncate(start + written.unwrap_or(0));
        written.map(drop)
    })
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
    #[error("gzip payload is corrupt: {0}")]
    Corrupt(&'static str),
    /// Bytes follow the end of the member.
    #[error("gzip payload has {0} bytes after its end")]
    Trailing(usize),
}

/// Reads gzip members, with one inflate state and one buffer for all of them.
#[derive(Debug)]
pub struct Inflater {
    inflate: Decompress,
    out: Vec<u8>,
}

impl Inflater {
    /// Capacity that is kept between frames; a larger one, after a large response, is freed.
    const KEEP: usize = 1 << 20;
    /// Highest ratio that deflate can reach. A stated length above it is false.
    const MAX_RATIO: usize = 1032;

    /// Makes an inflater without a buffer; the first frame allocates one.
    pub fn new() -> Self {
        Self {
            inflate: Decompress::new(false),
            out: Vec::new(),
        }
    }

    /// Returns the content of the one gzip member in `payload`, at most [`MAX_PAYLOAD`] bytes. It
    /// is valid until the next call.
    ///
    /// # Errors
    /// [`InflateError`]: the payload is not exactly one valid gzip member of bounded size.
    pub fn inflate(&mut self, payload: &[u8]) -> Result<&[u8], InflateError> {
        let body = skip_header(payload)?;
        self.reserve(payload);
        let rest = self.deflated(body)?;
        let Some((trailer, rest)) = rest.split_first_chunk::<TRAILER>() else {
            return Err(InflateError::Truncated);
        };
        let [c0, c1, c2, c3, l0, l1, l2, l3] = *trailer;
        let mut crc = Crc::new();
        crc.update(&self.out);
        if u32::from_le_bytes([c0, c1, c2, c3]) != crc.sum() {
            return Err(InflateError::Corrupt("checksum"));
        }
        if u32::from_le_bytes([l0, l1, l2, l3]) as usize != self.out.len() {
            return Err(InflateError::Corrupt("length"));
        }
        if !rest.is_empty() {
            return Err(InflateError::Trailing(rest.len()));
        }
        Ok(&self.out)
    }

    /// Empties the buffer and makes it as large as the member says it will be, within what its own
    /// size makes possible.
    fn reserve(&mut self, payload: &[u8]) {
        let claimed = payload
            .last_chunk::<4>()
            .map_or(0, |length| u32::from_le_bytes(*length) as usize);
        let hint = claimed
            .min(MAX_PAYLOAD)
            .min(payload.len().saturating_mul(Self::MAX_RATIO));
        self.out.clear();
        if self.out.capacity() > Self::KEEP && hint <= Self::KEEP {
            self.out = Vec::new();
        }
        self.out.reserve(hint);
    }

    /// Inflates the raw deflate data at the beginning of `body` and returns the bytes behind it.
    fn deflated<'a>(&mut self, body: &'a [u8]) -> Result<&'a [u8], InflateError> {
        self.inflate.reset(false);
        let mut rest = body;
        loop {
            let (read, written) = (self.inflate.total_in(), self.out.len());
            let status = self
                .inflate
                .decompress_vec(rest, &mut self.out, FlushDecompress::None)
                .map_err(|_| InflateError::Corrupt("deflate data"))?;
            let read = (self.inflate.total_in() - read) as usize;
            rest = rest
                .get(read..)
                .ok_or(InflateError::Corrupt("deflate data"))?;
            if self.out.len() > MAX_PAYLOAD {
                return Err(InflateError::TooLarge);
            }
            if status == Status::StreamEnd {
                return Ok(rest);
            }
            if self.out.len() == self.out.capacity() {
                // One byte above the limit tells a payload of just that size from a larger one.
                let more = self.out.len().max(4096);
                self.out
                    .reserve_exact(more.min(MAX_PAYLOAD + 1 - self.out.len()));
            } else if read == 0 && self.out.len() == written {
                return Err(InflateError::Truncated);
            }
        }
    }
}

impl Default for Inflater {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns the bytes behind the gzip header at the beginning of `payload`.
fn skip_header(payload: &[u8]) -> Result<&[u8], InflateError> {
    const HEADER_CRC: u8 = 1 << 1;
    const EXTRA: u8 = 1 << 2;
    const NAME: u8 = 1 << 3;
    const COMMENT: u8 = 1 << 4;
    const RESERVED: u8 = 0b1110_0000;

    let compared = payload.len().min(3);
    if payload[..compared] != HEADER[..compared] {
        return Err(InflateError::Corrupt("header"));
    }
    let (header, mut rest) = payload
        .split_first_chunk::<10>()
        .ok_or(InflateError::Truncated)?;
    let flags = header[3];
    if flags & RESERVED != 0 {
        return Err(InflateError::Corrupt("header flags"));
    }
    if flags & EXTRA != 0 {
        let (length, extra) = rest
            .split_first_chunk::<2>()
            .ok_or(InflateError::Truncated)?;
        let length = usize::from(u16::from_le_bytes(*length));
        rest = extra.get(length..).ok_or(InflateError::Truncated)?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            let end = rest.iter().position(|&byte| byte == 0);
            rest = &rest[end.ok_or(InflateError::Truncated)? + 1..];
        }
    }
    if flags & HEADER_CRC != 0 {
        let (stored, after) = rest
            .split_first_chunk::<2>()
            .ok_or(InflateError::Truncated)?;
        let mut crc = Crc::new();
        crc.update(&payload[..payload.len() - rest.len()]);
        if u16::from_le_bytes(*stored) != crc.sum() as u16 {
            return Err(InflateError::Corrupt("header checksum"));
        }
        rest = after;
    }
    Ok(rest)
}

#[cfg(test)]
mod tests;
