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
use std::{
    io::{ErrorKind, Read, Write},
    time::Instant,
};

/// The message types that clients send: the full client request, and audio.
pub(crate) const REQUEST: u8 = 0b0001;
pub(crate) const AUDIO: u8 = 0b0010;

/// A frame of a client, without its payload.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientFrame {
    /// When it came.
    pub at: Instant,
    /// 0b0001 request, 0b0010 audio.
    pub message_type: u8,
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
    /// Bytes of payload, inflated.
    pub size: usize,
}

impl ClientFrame {
    /// Whether the flags say that this is the client's last packet.
    pub(crate) fn is_last(&self) -> bool {
        self.flags & 0b0010 != 0
    }
}

/// The largest size that a payload may inflate to.
const MAX_INFLATED: usize = 16 * 1024 * 1024;

/// Reads one frame and its payload, inflated; the whole of `bytes` has to be accounted for.
///
/// # Errors
/// Anything that the documented layout does not allow. The text goes to the client behind
/// `decode ws request failed: `.
pub(crate) fn decode(bytes: &[u8], at: Instant) -> Result<(ClientFrame, Vec<u8>), String> {
    let (mut frame, rest) =
        layout(bytes, at).map_err(|e| format!("unable to decode V1 protocol message: {e}"))?;
    let payload = match frame.compression {
        0 => rest.to_vec(),
        _ => inflate(rest).map_err(|e| format!("ungzip payload: {e}"))?,
    };
    frame.size = payload.len();
    Ok((frame, payload))
}

fn layout(bytes: &[u8], at: Instant) -> Result<(ClientFrame, &[u8]), String> {
    let short = |part: &str| format!("parse {part} failed: body too short");
    // The reserved byte is not looked at: whether the live service does is not known.
    let &[first, second, third, _] = bytes.first_chunk::<4>().ok_or_else(|| short("header"))?;
    let (version, words) = (first >> 4, first & 0x0f);
    let (message_type, flags) = (second >> 4, second & 0x0f);
    let (serialization, compression) = (third >> 4, third & 0x0f);
    let refused = match () {
        () if version != 1 => format!("unsupported version {version}"),
        () if words == 0 => "header size 0".to_owned(),
        () if !matches!(message_type, REQUEST | AUDIO) => {
            format!("unexpected message type {message_type:#06b}")
        }
        () if flags & 0b1000 != 0 => format!("unexpected flags {flags:#06b}"),
        () if serialization > 1 => format!("unsupported serialization {serialization}"),
        () if compression > 1 => format!("unsupported compression {compression}"),
        () => String::new(),
    };
    if !refused.is_empty() {
        return Err(refused);
    }
    let rest = bytes.get(usize::from(words) * 4..);
    let mut rest = rest.ok_or_else(|| short("header extensions"))?;
    let mut word = |part| -> Result<u32, String> {
        let (head, tail) = rest.split_first_chunk::<4>().ok_or_else(|| short(part))?;
        rest = tail;
        Ok(u32::from_be_bytes(*head))
    };
    let sequence = match flags & 0b0001 {
        0 => None,
        _ => Some(word("sequence")?.cast_signed()),
    };
    if flags & 0b0100 != 0 {
        word("event")?;
    }
    let (size, actual) = (word("payload size")?, rest.len());
    if size as usize != actual {
        return Err(format!(
            "declared body size does not match actual body size: expected={size} actual={actual}"
        ));
    }
    let frame = ClientFrame {
        at,
        message_type,
        flags,
        sequence,
        serialization,
        compression,
        wire_size: actual,
        size: actual,
    };
    Ok((frame, rest))
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

/// A full server response: its sequence is positive in the final one too, and left out in the ack
/// of `bigmodel_async`, as seen in recorded traffic. `gzip` false is what that shows for all
/// clients.
pub(crate) fn response(sequence: Option<i32>, is_last: bool, json: &[u8], gzip: bool) -> Vec<u8> {
    let flags = u8::from(sequence.is_some()) | u8::from(is_last) << 1;
    let mut out = vec![0x11, 0x90 | flags, 0x10 | u8::from(gzip), 0x00];
    out.extend(sequence.into_iter().flat_map(i32::to_be_bytes));
    let json = if gzip { compress(json) } else { json.to_vec() };
    put_payload(out, &json)
}

/// An error frame; flags 0, no sequence, JSON, not compressed, as seen in recorded traffic.
pub(crate) fn error(code: u32, body: &[u8]) -> Vec<u8> {
    let mut out = vec![0x11, 0xf0, 0x10, 0x00];
    out.extend(code.to_be_bytes());
    put_payload(out, body)
}

fn put_payload(mut out: Vec<u8>, payload: &[u8]) -> Vec<u8> {
    let size = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    out.extend(size.to_be_bytes());
    out.extend(payload);
    out
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

    /// Reads a frame of these hexadecimal bytes.
    fn decode(hex: &str) -> Result<(Option<i32>, Vec<u8>), String> {
        let hex: String = hex.split_whitespace().collect();
        let bytes = crate::fault::hex(&hex).unwrap();
        super::decode(&bytes, Instant::now()).map(|(frame, payload)| (frame.sequence, payload))
    }

    #[test]
    fn frames_are_read_strictly() {
        let numbered = decode("11211000 00000002 00000002 0708");
        assert_eq!(numbered, Ok((Some(2), vec![7, 8])));
        let with_extension_and_event = decode("12250000 09090909 00000003 01010101 00000001 05");
        assert_eq!(with_extension_and_event, Ok((Some(3), vec![5])));
        let gzip = compress(&[7, 8]);
        let packed = [b"\x11\x20\x11\0\0\0\0", &[gzip.len() as u8][..], &gzip].concat();
        let (_, payload) = super::decode(&packed, Instant::now()).unwrap();
        assert_eq!(payload, [7, 8]);
        for (hex, part) in [
            ("1120", "parse header failed: body too short"),
            ("21200000", "version 2"),
            ("10200000", "header size 0"),
            ("11900000", "type 0b1001"),
            ("11280000", "flags 0b1000"),
            ("11202000", "serialization 2"),
            ("11200200", "compression 2"),
            ("13200000", "extensions"),
            ("11210000 00", "parse sequence failed"),
            ("11201000", "parse payload size failed: body too short"),
            ("11200000 00000009", "body size: expected=9 actual=0"),
            // A sequence that the flags do not announce is read as the size.
            ("11221000 00000002 00000002 0708", "expected=2 actual=6"),
            ("11231100 fffffffe 00000000", "ungzip payload: EOF"),
        ] {
            let text = decode(hex).unwrap_err();
            assert!(text.contains(part), "{text:?} should name {part:?}");
        }
    }

    #[test]
    fn anything_but_one_whole_gzip_member_is_refused() {
        let whole = compress(b"some audio");
        assert_eq!(inflate(&whole), Ok(b"some audio".to_vec()));
        for cut in 1..whole.len() {
            assert_eq!(inflate(&whole[..cut]), Err("EOF".to_owned()), "{cut}");
        }
        let mut damaged = whole.clone();
        damaged[whole.len() - 8] ^= 1;
        let too_much = compress(&vec![0; MAX_INFLATED + 1]);
        let longer = [&whole[..], &[0]].concat();
        for bytes in [b"0123456789abc", &longer[..], &damaged, &too_much] {
            assert!(inflate(bytes).is_err());
        }
    }

    #[test]
    fn answers_have_the_recorded_bytes() {
        let ack = response(None, false, b"{}", false);
        assert_eq!(ack, *b"\x11\x90\x10\x00\x00\x00\x00\x02{}");
        let last = response(Some(4), true, b"", false);
        assert_eq!(last, *b"\x11\x93\x10\x00\x00\x00\x00\x04\x00\x00\x00\x00");
        let error = error(45_000_000, b"x");
        assert_eq!(error, *b"\x11\xf0\x10\x00\x02\xae\xa5\x40\x00\x00\x00\x01x");
    }
}
