//! The binary frame: one in every WebSocket message, integers big-endian.
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
//! The layout is documented; what the service makes of it was seen in recorded traffic. It counts the
//! client's packets itself, from 1, and refuses a wrong number, so numbers are the caller's to keep.
//! Compression is said by byte 2, frame by frame: the service answers uncompressed to a client that
//! compresses, against the documentation.

use std::cell::RefCell;

use bytes::{Bytes, BytesMut};
use thiserror::Error;

use super::MAX_PAYLOAD;
use super::compression::{Effort, InflateError, Inflater, gzip, gzip_bound};

/// Bytes before the payload of every client frame: header 4, sequence 4, payload size 4.
///
/// A chunk of audio that begins with as many free bytes becomes a frame where it is:
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

/// How a frame's payload is packed: the low half of byte 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compression {
    /// As it is.
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

/// What a frame's payload is: the high half of byte 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Serialization {
    /// Bytes.
    Raw,
    /// JSON in UTF-8.
    Json,
    /// A value that the documentation of this service does not have.
    Other(u8),
}

/// Makes the frames of one connection.
///
/// The sequence of each frame is the caller's: 1 for the request, then 2, 3, 4 … without a hole.
/// Payloads must not be above [`MAX_PAYLOAD`].
#[derive(Debug)]
pub struct FrameEncoder {
    compression: Compression,
    /// For the next packet of samples.
    effort: Effort,
}

impl FrameEncoder {
    /// An encoder whose frames are packed with `compression`.
    pub fn new(compression: Compression) -> Self {
        Self {
            compression,
            effort: Effort::default(),
        }
    }

    /// The full client request, which opens the session; `json` as
    /// [`Request::to_json`](super::request::Request::to_json) makes it.
    pub fn request(&mut self, sequence: i32, json: &[u8]) -> Bytes {
        let mut out = BytesMut::new();
        self.frame(
            &mut out,
            (FULL_REQUEST, SEQUENCE, sequence),
            json,
            Effort::Search,
        )
    }

    /// A packet of samples, copied from `pcm`.
    pub fn audio(&mut self, sequence: i32, pcm: &[u8]) -> Bytes {
        let kind = (AUDIO, SEQUENCE, sequence);
        let frame = OUT.with_borrow_mut(|out| self.frame(out, kind, pcm, self.effort));
        self.effort = Effort::after(pcm.len(), frame.len());
        frame
    }

    /// A packet of samples from a chunk with [`HEADROOM`] free bytes before them.
    ///
    /// Without compression the chunk becomes the frame, and no sample is copied; with it, the frame's bytes are ones that a thread's
    /// frames have in turn, once they are dropped. A chunk of no more than the free bytes has no samples.
    pub fn audio_chunk(&mut self, sequence: i32, mut chunk: BytesMut) -> Bytes {
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
    pub fn finish(&mut self, sequence: i32) -> Bytes {
        let sequence = sequence.wrapping_neg();
        let mut out = BytesMut::new();
        self.frame(
            &mut out,
            (AUDIO, SEQUENCE | LAST, sequence),
            &[],
            Effort::Fast,
        )
    }

    /// A frame made in `out`, which is empty then, and can be used again once the frame is dropped.
    fn frame(
        &self,
        out: &mut BytesMut,
        (kind, flags, sequence): (u8, u8, i32),
        payload: &[u8],
        effort: Effort,
    ) -> Bytes {
        let room = match self.compression {
            Compression::Gzip => gzip_bound(payload.len()),
            Compression::None => payload.len(),
        };
        out.clear();
        out.reserve(HEADROOM + room);
        out.resize(HEADROOM, 0);
        let mut compression = self.compression;
        if compression == Compression::None || gzip(payload, effort, out).is_err() {
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

/// What kind of message the service sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerKind {
    /// The answer to the request, and every result.
    Response,
    /// A bare acknowledgement. Sister services send it; there is nothing to do about it.
    Ack,
    /// The end of the session. The service does not close after it and may send more of them: the
    /// first one counts.
    Error {
        /// What happened: [`Failure::from_error_frame`](super::failure::Failure::from_error_frame).
        code: u32,
    },
}

/// A message from the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerFrame<'a> {
    /// Response, acknowledgement or error.
    pub kind: ServerKind,
    /// The service's own count of its messages; says nothing about the client's. The first answer of
    /// `bigmodel_async` has none.
    pub sequence: Option<i32>,
    /// Documented for sister services, never seen from this one.
    pub event: Option<i32>,
    /// The session's final response. The sequence is positive even then, so that only this tells.
    pub last: bool,
    /// What the payload is, once unpacked.
    pub serialization: Serialization,
    /// How the payload is packed, whatever the client's own frames are.
    pub compression: Compression,
    /// The payload, still packed.
    pub payload: &'a [u8],
}

impl<'a> ServerFrame<'a> {
    /// Whether it ends the session with a code.
    pub fn is_error(&self) -> bool {
        matches!(self.kind, ServerKind::Error { .. })
    }

    /// The payload as it was before it was packed. Nothing at all, marked as gzip, is nothing.
    ///
    /// # Errors
    /// [`InflateError`] when the payload is not sound gzip of bounded size.
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

/// Why a message is no frame that can be read.
///
/// [`UnknownType`](Self::UnknownType) and [`UnknownCompression`](Self::UnknownCompression) are sound frames of
/// a later protocol, to be logged and skipped. After any other the peer does not speak this protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrameError {
    /// The message ends inside the header or one of the fields after it.
    #[error("the message ends after {0} bytes, before its payload begins")]
    Truncated(usize),
    /// Another version than 1.
    #[error("protocol version {0} instead of {VERSION}")]
    Version(u8),
    /// A header size of 0 words, which does not even hold the size itself.
    #[error("a header of no size")]
    HeaderSize,
    /// The payload size and the bytes that follow it differ.
    #[error("the payload size says {claimed} bytes, {actual} follow")]
    Size {
        /// What the frame says.
        claimed: u32,
        /// What there is.
        actual: usize,
    },
    /// The payload is above [`MAX_PAYLOAD`].
    #[error("a payload of {0} bytes is above the limit of {MAX_PAYLOAD}")]
    TooLarge(usize),
    /// A message type that servers do not send.
    #[error("unknown message type {0:#06b}")]
    UnknownType(u8),
    /// A compression other than none and gzip.
    #[error("unknown compression {0}")]
    UnknownCompression(u8),
}

/// Reads one message of the service; nothing is copied, and the payload stays packed.
///
/// # Errors
/// [`FrameError`] when `bytes` is not exactly one frame. An error frame keeps its code when its compression
/// is unknown (the payload then counts as plain), and when its size is wrong or missing (it then has no
/// payload), because the code says more than the body.
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
    let mut optional = |flag| match flags & flag {
        0 => Ok(None),
        _ => word().map(|word| Some(i32::from_be_bytes(word))),
    };
    let sequence = optional(SEQUENCE)?;
    let event = optional(EVENT)?;
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
    // Sister services' acknowledgements may stop after the number, flagged or not.
    let payload = match kind {
        ServerKind::Ack if rest.len() <= 4 => &[],
        ServerKind::Error { .. } => sized(rest, truncated).unwrap_or_default(),
        _ => sized(rest, truncated)?,
    };
    Ok(ServerFrame {
        kind,
        sequence,
        event,
        last: flags & LAST != 0,
        serialization: match b2 >> 4 {
            0 => Serialization::Raw,
            1 => Serialization::Json,
            other => Serialization::Other(other),
        },
        compression,
        payload,
    })
}

/// The payload after its size, which must be all that is left.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn server(header: &[u8], payload: &[u8]) -> Vec<u8> {
        let size = (payload.len() as u32).to_be_bytes();
        [header, &size, payload].concat()
    }

    #[test]
    fn plain_frames_are_these_bytes() {
        let mut encoder = FrameEncoder::new(Compression::None);
        assert_eq!(
            encoder.request(1, b"{}")[..],
            [0x11, 0x11, 0x10, 0, 0, 0, 0, 1, 0, 0, 0, 2, b'{', b'}']
        );
        assert_eq!(
            encoder.audio(2, &[1, 2, 3])[..],
            [0x11, 0x21, 0x10, 0, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3]
        );
        assert_eq!(
            encoder.finish(3)[..],
            [0x11, 0x23, 0x10, 0, 0xff, 0xff, 0xff, 0xfd, 0, 0, 0, 0]
        );
    }

    #[test]
    fn gzip_frames_say_so_and_the_finish_has_an_empty_member() {
        let mut encoder = FrameEncoder::new(Compression::Gzip);
        let request = encoder.request(1, b"{\"user\":{}}");
        assert_eq!(request[..8], [0x11, 0x11, 0x11, 0, 0, 0, 0, 1]);
        assert_eq!(request[8..12], (request.len() as u32 - 12).to_be_bytes());
        let mut inflater = Inflater::new();
        assert_eq!(inflater.inflate(&request[12..]), Ok(&b"{\"user\":{}}"[..]));
        assert_eq!(encoder.audio(2, &[0; 9600])[..4], [0x11, 0x21, 0x11, 0]);
        assert_eq!(
            encoder.finish(260)[..],
            [
                0x11, 0x23, 0x11, 0, 0xff, 0xff, 0xfe, 0xfc, 0, 0, 0, 20, 0x1f, 0x8b, 8, 0, 0, 0,
                0, 0, 0, 0xff, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0
            ]
        );
    }

    #[test]
    fn a_plain_chunk_becomes_its_frame_where_it_is() {
        let mut chunk = BytesMut::zeroed(HEADROOM);
        chunk.extend_from_slice(&[1, 2, 3, 4]);
        let place = chunk.as_ptr();
        let mut encoder = FrameEncoder::new(Compression::None);
        let frame = encoder.audio_chunk(7, chunk);
        assert_eq!(frame, encoder.audio(7, &[1, 2, 3, 4]));
        assert_eq!(frame.as_ptr(), place);
    }

    #[test]
    fn a_gzip_chunk_is_packed_without_its_free_bytes() {
        let mut chunk = BytesMut::zeroed(HEADROOM);
        chunk.extend_from_slice(&[5; 4000]);
        let mut encoder = FrameEncoder::new(Compression::Gzip);
        let frame = encoder.audio_chunk(7, chunk);
        let mut other = FrameEncoder::new(Compression::Gzip);
        assert_eq!(frame, other.audio(7, &[5; 4000]));
        assert!(frame.len() < 1000);
    }

    #[test]
    fn the_first_answer_of_each_endpoint() {
        let body = br#"{"result":{"additions":{"log_id":"2025"}}}"#;
        let bytes = server(&[0x11, 0x90, 0x10, 0], body);
        let frame = decode(&bytes).unwrap();
        assert_eq!(
            frame,
            ServerFrame {
                kind: ServerKind::Response,
                sequence: None,
                event: None,
                last: false,
                serialization: Serialization::Json,
                compression: Compression::None,
                payload: body,
            }
        );

        let body = br#"{"audio_info":{"duration":0},"result":{"text":""}}"#;
        let bytes = server(&[0x11, 0x91, 0x10, 0, 0, 0, 0, 1], body);
        let frame = decode(&bytes).unwrap();
        assert_eq!((frame.sequence, frame.last), (Some(1), false));
        assert_eq!(frame.payload, body);
    }

    #[test]
    fn the_final_response_is_known_by_its_flag_and_not_by_its_sign() {
        for (flags, sequence, last) in [
            (0b0011, 27, true),
            (0b0011, -27, true),
            (0b0001, -27, false),
        ] {
            let [s0, s1, s2, s3] = i32::to_be_bytes(sequence);
            let bytes = server(&[0x11, 0x90 | flags, 0x10, 0, s0, s1, s2, s3], b"{}");
            let frame = decode(&bytes).unwrap();
            assert_eq!((frame.sequence, frame.last), (Some(sequence), last));
        }
        let bytes = server(&[0x11, 0x92, 0x11, 0], b"");
        let frame = decode(&bytes).unwrap();
        assert_eq!((frame.sequence, frame.last), (None, true));
        assert_eq!(frame.compression, Compression::Gzip);
        assert_eq!(frame.unpack(&mut Inflater::new()), Ok(&[][..]));
    }

    #[test]
    fn error_frames_have_a_code_and_no_number() {
        let body = vec![b'x'; 0x89];
        let bytes = server(&[0x11, 0xf0, 0x10, 0, 0x02, 0xae, 0xa5, 0x40], &body);
        let frame = decode(&bytes).unwrap();
        assert_eq!(frame.kind, ServerKind::Error { code: 45_000_000 });
        assert_eq!((frame.sequence, frame.payload), (None, &body[..]));

        let unknown = server(&[0x11, 0xf0, 0x17, 0, 0, 0, 0, 9], b"body");
        let frame = decode(&unknown).unwrap();
        assert_eq!(frame.kind, ServerKind::Error { code: 9 });
        assert_eq!(frame.compression, Compression::None);

        let too_large = server(
            &[0x11, 0xf0, 0x10, 0, 0, 0, 0, 9],
            &vec![0; MAX_PAYLOAD + 1],
        );
        for size in [&[][..], &[0, 0], &[0, 0, 0, 9, b'x'], &too_large[8..]] {
            let bytes = [&[0x11, 0xf0, 0x11, 0, 0, 0, 0, 9][..], size].concat();
            let frame = decode(&bytes).unwrap();
            assert_eq!(frame.kind, ServerKind::Error { code: 9 });
            assert_eq!(frame.payload, b"");
        }
    }

    #[test]
    fn a_payload_that_is_not_the_gzip_it_says_is_an_error() {
        let bytes = server(&[0x11, 0x90, 0x11, 0], b"{}");
        let frame = decode(&bytes).unwrap();
        let error = frame.unpack(&mut Inflater::new()).unwrap_err();
        assert_eq!(error, InflateError::Corrupt("header"));
    }

    #[test]
    fn extensions_and_events_are_stepped_over() {
        let header = [
            0x13, 0x95, 0x20, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 2, 0, 0, 0, 99,
        ];
        let bytes = server(&header, b"{}");
        let frame = decode(&bytes).unwrap();
        assert_eq!((frame.sequence, frame.event), (Some(2), Some(99)));
        assert_eq!(frame.serialization, Serialization::Other(2));
        assert_eq!(frame.payload, b"{}");
    }

    #[test]
    fn acknowledgements_may_be_bare() {
        for bytes in [
            &[0x11, 0xb0, 0x10, 0][..],
            &[0x11, 0xb1, 0x10, 0, 0, 0, 0, 1],
            &[0x11, 0xb0, 0x10, 0, 0, 0, 0, 1],
            &[0x11, 0xb1, 0x10, 0, 0, 0, 0, 1, 0, 0, 0, 0],
        ] {
            let frame = decode(bytes).unwrap();
            assert_eq!((frame.kind, frame.payload), (ServerKind::Ack, &[][..]));
        }
        let with_body = server(&[0x11, 0xb1, 0x10, 0, 0, 0, 0, 1], b"{}");
        assert_eq!(decode(&with_body).unwrap().payload, b"{}");
    }

    #[test]
    fn each_lie_has_its_own_error() {
        let cases: [(&[u8], FrameError); 11] = [
            (&[], FrameError::Truncated(0)),
            (&[0x11, 0x90, 0x10], FrameError::Truncated(3)),
            (&[0x21, 0x90, 0x10, 0], FrameError::Version(2)),
            (&[0x10, 0x90, 0x10, 0], FrameError::HeaderSize),
            (&[0x12, 0x90, 0x10, 0], FrameError::Truncated(4)),
            (&[0x11, 0x91, 0x10, 0, 0, 0, 0], FrameError::Truncated(7)),
            (&[0x11, 0xf0, 0x10, 0, 0, 0, 1], FrameError::Truncated(7)),
            (
                &[0x11, 0x90, 0x10, 0, 0, 0, 0, 3, 1, 2],
                FrameError::Size {
                    claimed: 3,
                    actual: 2,
                },
            ),
            (
                &[0x11, 0x90, 0x10, 0, 0, 0, 0, 1, 1, 2],
                FrameError::Size {
                    claimed: 1,
                    actual: 2,
                },
            ),
            (&[0x11, 0x21, 0x10, 0], FrameError::UnknownType(2)),
            (
                &[0x11, 0x90, 0x12, 0, 0, 0, 0, 0],
                FrameError::UnknownCompression(2),
            ),
        ];
        for (bytes, error) in cases {
            assert_eq!(decode(bytes), Err(error), "{bytes:x?}");
        }
        let large = server(&[0x11, 0x90, 0x10, 0], &vec![0; MAX_PAYLOAD + 1]);
        assert_eq!(decode(&large), Err(FrameError::TooLarge(MAX_PAYLOAD + 1)));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..64), likely: bool) {
            if likely && let Some(first) = bytes.first_mut() {
                *first = 0x11;
            }
            let _ = decode(&bytes);
        }

        #[test]
        fn what_is_encoded_is_decoded(gzip: bool, sequence: i32, payload in prop::collection::vec(any::<u8>(), 0..2000)) {
            let compression = if gzip { Compression::Gzip } else { Compression::None };
            let mut bytes = FrameEncoder::new(compression).audio(sequence, &payload).to_vec();
            prop_assert_eq!(decode(&bytes), Err(FrameError::UnknownType(AUDIO)));
            bytes[1] = RESPONSE << 4 | bytes[1] & 0xf;
            let frame = decode(&bytes).unwrap();
            prop_assert_eq!((frame.sequence, frame.compression), (Some(sequence), compression));
            let mut inflater = Inflater::new();
            prop_assert_eq!(frame.unpack(&mut inflater), Ok(&payload[..]));
        }
    }
}
