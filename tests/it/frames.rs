//! The frames of a session, byte by byte as the service gets them.

use std::io::Read;

use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::{Connection, Options, Service};

fn recording() -> Service {
    service(Options {
        record_bytes: true,
        ..Options::default()
    })
}

/// A frame, read anew from its bytes.
#[derive(Debug, PartialEq)]
struct Frame {
    kind: u8,
    flags: u8,
    serialization: u8,
    compression: u8,
    sequence: i32,
    payload: Vec<u8>,
}

impl Frame {
    fn read(bytes: &[u8]) -> Self {
        assert_eq!(bytes[0], 0x11, "version 1, a header of one word");
        assert_eq!(bytes[3], 0, "reserved");
        let word = |at: usize| {
            let word = bytes[at..at + 4].try_into().expect("four bytes");
            i32::from_be_bytes(word)
        };
        assert_eq!(word(8) as usize, bytes.len() - 12, "the payload's size");
        Frame {
            kind: bytes[1] >> 4,
            flags: bytes[1] & 0xf,
            serialization: bytes[2] >> 4,
            compression: bytes[2] & 0xf,
            sequence: word(4),
            payload: bytes[12..].to_vec(),
        }
    }

    /// The payload before compression.
    fn plain(&self) -> Vec<u8> {
        if self.compression == 0 {
            return self.payload.clone();
        }
        let mut plain = Vec::new();
        let mut inflated = flate2::bufread::GzDecoder::new(&self.payload[..]);
        inflated.read_to_end(&mut plain).expect("gzip");
        assert!(inflated.into_inner().is_empty(), "one member and no more");
        plain
    }
}

fn frames(connection: &Connection) -> Vec<Frame> {
    connection
        .frames
        .iter()
        .map(|frame| Frame::read(&frame.bytes))
        .collect()
}

/// Samples that no two places have in common.
fn noise(milliseconds: usize) -> Vec<u8> {
    (0..milliseconds as u32 * 24)
        .flat_map(|n| (n.wrapping_mul(0x9e37_79b1) >> 16).to_le_bytes()[..2].to_vec())
        .collect()
}

/// Runs `pcm` in buffers of `ms` through a session, and gives its frames, checked as all must be.
fn session(properties: &[(&str, &str)], pcm: &[u8], ms: usize) -> Vec<Frame> {
    let service = recording();
    let sink = unpaced_sink(&service);
    for (name, value) in properties {
        sink.set_property_from_str(name, value);
    }
    let compression = match &*gst::glib::Value::serialize(&sink.property_value("compression"))
        .expect("an enum")
    {
        "gzip" => 1,
        _ => 0,
    };
    let log = TestPipeline::new(sink).run(pcm, ms);
    log.assert_no_errors("the run");
    let connections = service.connections();
    let [connection] = &connections[..] else {
        panic!("{} connections", connections.len())
    };
    let frames = frames(connection);
    let (request, rest) = frames.split_first().expect("a request");
    let (finish, audio) = rest.split_last().expect("a finish");
    assert_eq!(
        (request.kind, request.flags, request.sequence),
        (1, 0b0001, 1)
    );
    for (frame, number) in audio.iter().zip(2..) {
        assert_eq!(
            (frame.kind, frame.flags, frame.sequence),
            (2, 0b0001, number)
        );
        assert!(!frame.plain().is_empty());
    }
    let number = -(audio.len() as i32 + 2);
    assert_eq!(
        (finish.kind, finish.flags, finish.sequence),
        (2, 0b0011, number)
    );
    for frame in &frames {
        assert_eq!((frame.serialization, frame.compression), (1, compression));
    }
    let sent: Vec<u8> = audio.iter().flat_map(Frame::plain).collect();
    assert!(
        sent == pcm,
        "{} bytes of {} arrived, or others",
        sent.len(),
        pcm.len()
    );
    frames
}

/// Milliseconds of audio in each frame.
fn lengths(frames: &[Frame]) -> Vec<usize> {
    let audio = &frames[1..frames.len() - 1];
    audio.iter().map(|frame| frame.plain().len() / 48).collect()
}

#[test]
fn chunks_have_their_duration_and_the_rest_comes_before_the_finish() {
    for compression in ["gzip", "none"] {
        for (chunk, expected) in [
            ("100", vec![100, 100, 100, 100, 100, 50]),
            ("200", vec![200, 200, 150]),
            ("2000", vec![550]),
            ("1", vec![1; 550]),
        ] {
            for ms in [1, 7, 20, 333, 1000] {
                let properties = [("compression", compression), ("chunk-duration", chunk)];
                let frames = session(&properties, &noise(550), ms);
                assert_eq!(
                    lengths(&frames),
                    expected,
                    "{compression}, {chunk}, buffers of {ms}"
                );
            }
        }
    }
}

#[test]
fn without_a_chunk_duration_each_buffer_is_a_frame() {
    for ms in [1, 20, 333] {
        let frames = session(&[("chunk-duration", "0")], &noise(999), ms);
        let mut expected = vec![ms; 999 / ms];
        expected.extend(Some(999 % ms).filter(|rest| *rest > 0));
        assert_eq!(lengths(&frames), expected);
    }
    // But for one so long that the first words would wait for it.
    let frames = session(&[("chunk-duration", "0")], &noise(5000), 5000);
    assert_eq!(lengths(&frames), [2000, 2000, 1000]);
}

/// 16 kHz: the same durations in fewer bytes.
#[test]
fn chunks_follow_the_rate() {
    let pcm = noise(300); // 450 ms at 16 kHz
    let frames = session(&[("rate", "16000"), ("compression", "none")], &pcm, 10);
    let sizes: Vec<usize> = frames[1..]
        .iter()
        .map(|frame| frame.payload.len())
        .collect();
    assert_eq!(sizes, [6400, 6400, 1600, 0]);
}
