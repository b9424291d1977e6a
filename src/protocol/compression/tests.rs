use std::io::{Read, Write};

use proptest::prelude::*;

use super::*;

fn packed(data: &[u8]) -> Vec<u8> {
    let mut out = BytesMut::new();
    gzip(data, &mut out);
    out.to_vec()
}

#[test]
fn another_implementation_reads_every_member_of_a_reused_state() {
    let noise: Vec<u8> = (0..200_000u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let all = [&noise[..], b"", b"abc", &[0; 70_000], &noise[..9600]];
    for data in all {
        let mut out = BytesMut::from(&b"before"[..]);
        gzip(data, &mut out);
        assert!(out.len() <= 6 + gzip_bound(data.len()));
        let (before, member) = out.split_at(6);
        assert_eq!(before, b"before");
        let mut read = Vec::new();
        flate2::read::GzDecoder::new(member)
            .read_to_end(&mut read)
            .unwrap();
        assert!(read == data);
    }
}

#[test]
fn headers_with_every_optional_part_are_read() {
    let mut encoder = flate2::GzBuilder::new()
        .extra(b"extra".as_slice())
        .filename("name")
        .comment("comment")
        .write(Vec::new(), flate2::Compression::best());
    encoder.write_all(b"payload").unwrap();
    let plain = encoder.finish().unwrap();
    assert_eq!(Inflater::default().inflate(&plain), Ok(&b"payload"[..]));
}

#[test]
fn each_defect_has_its_own_error_and_spoils_no_later_frame() {
    let good = packed(b"the rain has stopped, the rain has stopped");
    let mut inflater = Inflater::default();
    for end in 0..good.len() {
        assert_eq!(
            inflater.inflate(&good[..end]),
            Err(InflateError::Truncated),
            "cut to {end}"
        );
    }
    let mut changed = |at: usize, bits: u8| {
        let mut bad = good.clone();
        bad[at] ^= bits;
        let result = inflater.inflate(&bad).map(<[u8]>::to_vec);
        assert!(inflater.inflate(&good).is_ok());
        result
    };
    let end = good.len();
    // Magic, method, reserved flags, a kind of block that does not exist, checksum, length.
    for (at, bits) in [
        (0, 1),
        (1, 1),
        (2, 1),
        (3, 0x80),
        (10, good[10] ^ 0b111),
        (end - 8, 1),
        (end - 4, 1),
    ] {
        assert_eq!(changed(at, bits), Err(InflateError::Corrupt), "at {at}");
    }

    let mut two = good.clone();
    two.extend_from_slice(&good);
    assert_eq!(
        inflater.inflate(&two),
        Err(InflateError::Trailing(good.len()))
    );
}

#[test]
fn the_limit_is_exact_and_a_bomb_leaves_no_large_buffer_behind() {
    let mut inflater = Inflater::default();
    let full = packed(&vec![0; MAX_PAYLOAD]);
    assert_eq!(inflater.inflate(&full).map(<[u8]>::len), Ok(MAX_PAYLOAD));
    for size in [MAX_PAYLOAD + 1, 4 * MAX_PAYLOAD] {
        let bomb = packed(&vec![0; size]);
        assert_eq!(inflater.inflate(&bomb), Err(InflateError::TooLarge));
        assert!(inflater.out.capacity() <= 2 * MAX_PAYLOAD, "{size}");
    }
    inflater.inflate(&packed(b"small")).unwrap();
    assert!(inflater.out.capacity() <= Inflater::KEEP);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        mut bytes in prop::collection::vec(any::<u8>(), 0..300),
        header: bool,
    ) {
        if header {
            bytes.splice(..bytes.len().min(10), [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
        }
        let _ = Inflater::default().inflate(&bytes);
    }
}
