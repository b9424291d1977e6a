use bytes::BytesMut;
use proptest::prelude::*;

use super::layout::{AUDIO, RESPONSE};
use super::*;
use crate::protocol::MAX_PAYLOAD;
use crate::protocol::compression::Inflater;

fn server(header: &[u8], payload: &[u8]) -> Vec<u8> {
    let size = (payload.len() as u32).to_be_bytes();
    [header, &size, payload].concat()
}

#[test]
fn plain_frames_are_these_bytes() {
    let encoder = FrameEncoder::new(Compression::None);
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
    let encoder = FrameEncoder::new(Compression::Gzip);
    let request = encoder.request(1, b"{\"user\":{}}");
    assert_eq!(request[..8], [0x11, 0x11, 0x11, 0, 0, 0, 0, 1]);
    assert_eq!(request[8..12], (request.len() as u32 - 12).to_be_bytes());
    let mut inflater = Inflater::default();
    assert_eq!(inflater.inflate(&request[12..]), Ok(&b"{\"user\":{}}"[..]));
    assert_eq!(encoder.audio(2, &[0; 9600])[..4], [0x11, 0x21, 0x11, 0]);
    assert_eq!(
        encoder.finish(260)[..],
        [
            0x11, 0x23, 0x11, 0, 0xff, 0xff, 0xfe, 0xfc, 0, 0, 0, 20, 0x1f, 0x8b, 8, 0, 0, 0, 0, 0,
            0, 0xff, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0
        ]
    );
}

#[test]
fn a_chunk_becomes_its_frame_where_it_is_or_packed_without_its_free_bytes() {
    for (compression, is_in_place) in [(Compression::None, true), (Compression::Gzip, false)] {
        let mut chunk = BytesMut::zeroed(HEADROOM);
        chunk.extend_from_slice(&[5; 4000]);
        let place = chunk.as_ptr();
        let frame = FrameEncoder::new(compression).audio_chunk(7, chunk);
        assert_eq!(frame, FrameEncoder::new(compression).audio(7, &[5; 4000]));
        assert_eq!(frame.as_ptr() == place, is_in_place, "{compression:?}");
        assert_eq!(frame.len() > 4000, is_in_place, "{compression:?}");
    }
}

/// A header, the payload behind its length, and what is read: `E` is an error with code 9, `A` an
/// acknowledgement, `R` a response, and `L` the final one. Behind it `z` stands for gzip.
#[test]
fn frames_of_the_service_are_read_by_their_headers() {
    let body = br#"{"result":{"additions":{"log_id":"2025"}}}"#;
    #[rustfmt::skip]
    let frames = [
        // The first answers of the endpoints.
        (&[0x11, 0x90, 0x10, 0][..], &body[..], "R"),
        (&[0x11, 0x91, 0x10, 0, 0, 0, 0, 1], body, "R"),
        // The final response is known by its flag and not by its number's sign.
        (&[0x11, 0x93, 0x10, 0, 0, 0, 0, 27], b"{}", "L"),
        (&[0x11, 0x93, 0x10, 0, 0xff, 0xff, 0xff, 0xe5], b"{}", "L"),
        (&[0x11, 0x91, 0x10, 0, 0xff, 0xff, 0xff, 0xe5], b"{}", "R"),
        (&[0x11, 0x92, 0x11, 0], b"", "Lz"),
        // Errors have a code and no number. An unknown compression is none.
        (&[0x11, 0xf0, 0x10, 0, 0, 0, 0, 9], &[b'x'; 0x89], "E"),
        (&[0x11, 0xf0, 0x17, 0, 0, 0, 0, 9], b"body", "E"),
        (&[0x11, 0xb1, 0x10, 0, 0, 0, 0, 1], b"", "A"),
        (&[0x11, 0xb1, 0x10, 0, 0, 0, 0, 1], b"{}", "A"),
        // Extensions of the header and events are stepped over.
        (
            &[0x13, 0x95, 0x20, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 2, 0, 0, 0, 99],
            b"{}",
            "R",
        ),
    ];
    for (header, payload, is) in frames {
        let bytes = server(header, payload);
        let frame = decode(&bytes).unwrap();
        let kind = match (frame.kind, frame.last) {
            (ServerKind::Response, false) => "R",
            (ServerKind::Response, true) => "L",
            (ServerKind::Error { code: 9 }, false) => "E",
            (ServerKind::Ack, false) => "A",
            other => panic!("{other:?}"),
        };
        let gzip = match frame.compression {
            Compression::Gzip => "z",
            Compression::None => "",
        };
        assert_eq!(format!("{kind}{gzip}"), is, "{header:x?}");
        assert_eq!(frame.payload, payload, "{header:x?}");
        if payload.is_empty() {
            assert_eq!(frame.unpack(&mut Inflater::default()), Ok(&[][..]));
        }
    }
}

/// A code is worth more than the text behind it, and an acknowledgement may have none.
#[test]
fn errors_and_acknowledgements_may_be_bare() {
    let error = ServerKind::Error { code: 9 };
    let code = [0x11, 0xf0, 0x11, 0, 0, 0, 0, 9];
    let too_large = server(&code, &vec![0; MAX_PAYLOAD + 1]);
    for (head, size, kind) in [
        (&code[..], &[][..], error),
        (&code, &[0, 0], error),
        (&code, &[0, 0, 0, 9, b'x'], error),
        (&code, &too_large[8..], error),
        (&[0x11, 0xb0, 0x10, 0], &[], ServerKind::Ack),
        (&[0x11, 0xb1, 0x10, 0, 0, 0, 0, 1], &[], ServerKind::Ack),
        (&[0x11, 0xb0, 0x10, 0], &[0, 0, 0, 1], ServerKind::Ack),
    ] {
        let bytes = [head, size].concat();
        let frame = decode(&bytes).unwrap();
        assert_eq!(
            (frame.kind, frame.payload),
            (kind, &[][..]),
            "{head:x?} {}",
            size.len()
        );
    }
}

#[test]
fn each_lie_has_its_own_error() {
    let size = |claimed, actual| FrameError::Size { claimed, actual };
    #[rustfmt::skip]
    let lies: [(&[u8], FrameError); 11] = [
        (&[], FrameError::Truncated(0)),
        (&[0x11, 0x90, 0x10], FrameError::Truncated(3)),
        (&[0x21, 0x90, 0x10, 0], FrameError::Version(2)),
        (&[0x10, 0x90, 0x10, 0], FrameError::HeaderSize),
        (&[0x12, 0x90, 0x10, 0], FrameError::Truncated(4)),
        (&[0x11, 0x91, 0x10, 0, 0, 0, 0], FrameError::Truncated(7)),
        (&[0x11, 0xf0, 0x10, 0, 0, 0, 1], FrameError::Truncated(7)),
        (&[0x11, 0x90, 0x10, 0, 0, 0, 0, 3, 1, 2], size(3, 2)),
        (&[0x11, 0x90, 0x10, 0, 0, 0, 0, 1, 1, 2], size(1, 2)),
        (&[0x11, 0x21, 0x10, 0], FrameError::UnknownType(2)),
        (&[0x11, 0x90, 0x12, 0, 0, 0, 0, 0], FrameError::UnknownCompression(2)),
    ];
    for (bytes, error) in lies {
        assert_eq!(decode(bytes), Err(error), "{bytes:x?}");
    }
    let large = server(&[0x11, 0x90, 0x10, 0], &vec![0; MAX_PAYLOAD + 1]);
    assert_eq!(decode(&large), Err(FrameError::TooLarge(MAX_PAYLOAD + 1)));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        mut bytes in prop::collection::vec(any::<u8>(), 0..64),
        likely: bool,
    ) {
        if likely && let Some(first) = bytes.first_mut() {
            *first = 0x11;
        }
        let _ = decode(&bytes);
    }

    #[test]
    fn frames_survive_a_round_trip(
        gzip: bool,
        sequence: i32,
        payload in prop::collection::vec(any::<u8>(), 0..2000),
    ) {
        let compression = if gzip { Compression::Gzip } else { Compression::None };
        let mut bytes = FrameEncoder::new(compression).audio(sequence, &payload).to_vec();
        prop_assert_eq!(decode(&bytes), Err(FrameError::UnknownType(AUDIO)));
        bytes[1] = RESPONSE << 4 | bytes[1] & 0xf;
        let frame = decode(&bytes).unwrap();
        prop_assert_eq!(frame.compression, compression);
        let mut inflater = Inflater::default();
        prop_assert_eq!(frame.unpack(&mut inflater), Ok(&payload[..]));
    }
}
