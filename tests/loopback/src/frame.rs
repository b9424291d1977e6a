//! The service's side of the binary frames: strict decoding of what clients send, encoding of
//! answers.
//!
//! This is written independently of any client, from the documented layout: a client that agrees
//! with it agrees with the documentation, not with its own mistakes.
//!
//! ```text
//! byte 0   version (4 bits) = 1      | header size in 4-byte words (4 bits)
//! byte 1   message type (4 bits)     | flags (4 bits)
//! byte 2   serialization (4 bits)    | compression (4 bits)
//! byte 3   reserved, 0
//!          extensions of the header, skipped
//!          int32 sequence if flags & 1, int32 event if flags & 4, uint32 size, payload
//! ```

use flate2::{Compression, bufread::GzDecoder, write::GzEncoder};
use std::io::{ErrorKind, Read, Write};
use thiserror::Error;

/// A frame of a client, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The message type.
    pub kind: Kind,
    /// The four bits of flags.
    pub flags: u8,
    /// The sequence field, if the flags announce one.
    pub sequence: Option<i32>,
    /// 0 raw, 1 JSON.
    pub serialization: u8,
    /// 0 none, 1 gzip.
    pub compression: u8,
    /// Bytes of payload as sent.
    pub wire_size: usize,
    /// The payload, inflated.
    pub payload: Vec<u8>,
}

impl Frame {
    /// Whether the flags say that this is the client's last packet.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.flags & 0b0010 != 0
    }
}

/// The two message types that clients send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The full client request, 0b0001.
    Request = 0b0001,
    /// Audio, 0b0010.
    Audio = 0b0010,
}

/// The largest size that a payload may inflate to.
const MAX_INFLATED: usize = 16 * 1024 * 1024;

/// Why a frame can't be decoded. The text goes to the client behind `decode ws request failed: `.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum DecodeError {
    /// The frame is not laid out as documented.
    #[error("unable to decode V1 protocol message: {0}")]
    Layout(String),
    /// The payload is not the gzip that the header says.
    #[error("ungzip payload: {0}")]
    Gzip(String),
}

/// Reads one frame; the whole of `bytes` has to be accounted for.
///
/// # Errors
/// [`DecodeError`], for anything that the documented layout does not allow.
pub fn decode(bytes: &[u8]) -> Result<Frame, DecodeError> {
    let fail = |text: String| Err(DecodeError::Layout(text));
    let short = |part: &str| DecodeError::Layout(format!("parse {part} failed: body too short"));
    // The reserved byte is not looked at: whether the live service does is not known.
    let &[first, second, third, _] = bytes.first_chunk::<4>().ok_or_else(|| short("header"))?;
    if first >> 4 != 1 {
        return fail(format!("unsupported version {}", first >> 4));
    }
    let words = first & 0x0f;
    if words == 0 {
        return fail("header size 0".to_owned());
    }
    let kind = match second >> 4 {
        0b0001 => Kind::Request,
        0b0010 => Kind::Audio,
        other => return fail(format!("unexpected message type {other:#06b}")),
    };
    let flags = second & 0x0f;
    if flags & 0b1000 != 0 {
        return fail(format!("unexpected flags {flags:#06b}"));
    }
    let (serialization, compression) = (third >> 4, third & 0x0f);
    if serialization > 1 {
        return fail(format!("unsupported serialization {serialization}"));
    }
    if compression > 1 {
        return fail(format!("unsupported compression {compression}"));
    }
    let mut rest = bytes
        .get(usize::from(words) * 4..)
        .ok_or_else(|| short("header extensions"))?;
    let mut word = |part| -> Result<u32, DecodeError> {
        let (head, tail) = rest.split_first_chunk::<4>().ok_or_else(|| short(part))?;
        rest = tail;
        Ok(u32::from_be_bytes(*head))
    };
    let sequence = if flags & 0b0001 != 0 {
        Some(word("sequence")?.cast_signed())
    } else {
        None
    };
    if flags & 0b0100 != 0 {
        word("event")?;
    }
    let size = word("payload size")?;
    if size as usize != rest.len() {
        return fail(format!(
            "declared body size does not match actual body size: expected={size} actual={}",
            rest.len()
        ));
    }
    let payload = match compression {
        0 => rest.to_vec(),
        _ => inflate(rest).map_err(DecodeError::Gzip)?,
    };
    Ok(Frame {
        kind,
        flags,
        sequence,
        serialization,
        compression,
        wire_size: rest.len(),
        payload,
    })
}

/// Inflates exactly one gzip member, its checksum and size right, with nothing behind it.
fn inflate(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut decoder = GzDecoder::new(bytes);
    let mut plain = Vec::new();
    let mut limited = decoder.by_ref().take(MAX_INFLATED as u64 + 1);
    match limited.read_to_end(&mut plain) {
        Ok(_) if plain.len() > MAX_INFLATED => {
            return Err(format!("gzip: inflates to more than {MAX_INFLATED} bytes"));
        }
        Ok(_) => {}
        // The text is the live service's, as users report it.
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Err("EOF".to_owned()),
        Err(error) => return Err(format!("gzip: {error}")),
    }
    match decoder.into_inner().len() {
        0 => Ok(plain),
        behind => Err(format!("gzip: {behind} bytes after the member")),
    }
}

/// How an answer is numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbering {
    /// Flags 0b0000, no sequence: the ack of `bigmodel_async`, as seen in recorded traffic.
    None,
    /// Flags 0b0001.
    Numbered(i32),
    /// Flags 0b0011 with a positive sequence, as seen in recorded traffic.
    Last(i32),
}

/// A full server response. `gzip` false is what recorded traffic shows for all clients.
#[must_use]
pub fn response(numbering: Numbering, json: &[u8], gzip: bool) -> Vec<u8> {
    let (flags, sequence) = match numbering {
        Numbering::None => (0b0000, None),
        Numbering::Numbered(n) => (0b0001, Some(n)),
        Numbering::Last(n) => (0b0011, Some(n)),
    };
    let packed = gzip.then(|| compress(json));
    let payload = packed.as_deref().unwrap_or(json);
    let mut out = Vec::with_capacity(payload.len() + 12);
    out.extend([0x11, 0x90 | flags, 0x10 | u8::from(gzip), 0x00]);
    out.extend(sequence.into_iter().flat_map(i32::to_be_bytes));
    put_payload(&mut out, payload);
    out
}

/// An error frame; flags 0, no sequence, JSON, not compressed, as seen in recorded traffic.
#[must_use]
pub fn error(code: u32, body: &[u8]) -> Vec<u8> {
    let mut out = vec![0x11, 0xf0, 0x10, 0x00];
    out.extend(code.to_be_bytes());
    put_payload(&mut out, body);
    out
}

fn put_payload(out: &mut Vec<u8>, payload: &[u8]) {
    out.extend(
        u32::try_from(payload.len())
            .unwrap_or(u32::MAX)
            .to_be_bytes(),
    );
    out.extend(payload);
}

fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing into a Vec does not fail; were it to, the client would see an empty payload.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audio(flags: u8, compression: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x11, 0x20 | flags, 0x10 | compression, 0];
        bytes.extend(body);
        bytes
    }

    #[test]
    fn numbered_audio() {
        let frame = decode(&audio(1, 0, &[0, 0, 0, 2, 0, 0, 0, 2, 7, 8])).unwrap();
        assert_eq!(
            (frame.sequence, frame.is_last(), frame.payload),
            (Some(2), false, vec![7, 8])
        );
    }

    #[test]
    fn a_sequence_under_unnumbered_flags_is_read_as_the_size() {
        let error = decode(&audio(2, 0, &[0, 0, 0, 2, 0, 0, 0, 2, 7, 8])).unwrap_err();
        assert!(
            error.to_string().ends_with("expected=2 actual=6"),
            "{error}"
        );
    }

    #[test]
    fn zero_bytes_marked_gzip_are_refused() {
        let error = decode(&audio(3, 1, &[0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 0])).unwrap_err();
        assert_eq!(error.to_string(), "ungzip payload: EOF");
    }

    #[test]
    fn anything_but_one_whole_gzip_member_is_refused() {
        for size in [0, 1, 9600, 3_000_000] {
            let plain: Vec<u8> = (0..size)
                .map(|i: u32| i.wrapping_mul(i).to_be_bytes()[1])
                .collect();
            assert_eq!(inflate(&compress(&plain)), Ok(plain));
        }
        let whole = compress(b"some audio");
        for cut in 1..whole.len() {
            assert_eq!(
                inflate(&whole[..cut]),
                Err("EOF".to_owned()),
                "cut at {cut}"
            );
        }
        assert!(inflate(b"0123456789abc").is_err());
        assert!(inflate(&[&whole[..], &[0]].concat()).is_err());
        let mut damaged = whole.clone();
        let at = damaged.len() - 8;
        damaged[at] ^= 1;
        assert!(inflate(&damaged).is_err());
        assert!(inflate(&compress(&vec![0; MAX_INFLATED + 1])).is_err());
    }

    #[test]
    fn extensions_and_events_are_skipped() {
        let bytes = [
            0x12, 0x25, 0, 0, 9, 9, 9, 9, 0, 0, 0, 3, 1, 1, 1, 1, 0, 0, 0, 1, 5,
        ];
        let frame = decode(&bytes).unwrap();
        assert_eq!((frame.sequence, frame.payload), (Some(3), vec![5]));
    }

    #[test]
    fn every_broken_field_is_named() {
        for (bytes, part) in [
            (vec![0x11, 0x20], "parse header failed: body too short"),
            (vec![0x21, 0x20, 0, 0], "version 2"),
            (vec![0x10, 0x20, 0, 0], "header size 0"),
            (vec![0x11, 0x90, 0, 0], "type 0b1001"),
            (vec![0x11, 0x28, 0, 0], "flags 0b1000"),
            (vec![0x11, 0x20, 0x20, 0], "serialization 2"),
            (vec![0x11, 0x20, 0x02, 0], "compression 2"),
            (vec![0x13, 0x20, 0, 0], "extensions"),
            (vec![0x11, 0x21, 0, 0, 0], "parse sequence failed"),
            (
                vec![0x11, 0x20, 0x10, 0],
                "parse payload size failed: body too short",
            ),
            (
                vec![0x11, 0x20, 0, 0, 0, 0, 0, 9],
                "declared body size does not match actual body size: expected=9 actual=0",
            ),
        ] {
            let text = decode(&bytes).unwrap_err().to_string();
            assert!(text.contains(part), "{text:?} should name {part:?}");
        }
    }

    #[test]
    fn answers_have_the_recorded_bytes() {
        assert_eq!(
            response(Numbering::None, b"{}", false),
            *b"\x11\x90\x10\x00\x00\x00\x00\x02{}"
        );
        assert_eq!(
            response(Numbering::Last(4), b"", false),
            *b"\x11\x93\x10\x00\x00\x00\x00\x04\x00\x00\x00\x00"
        );
        assert_eq!(
            error(45_000_000, b"x"),
            *b"\x11\xf0\x10\x00\x02\xae\xa5\x40\x00\x00\x00\x01x"
        );
    }
}
