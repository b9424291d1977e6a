//! Audio as the service reads it: in frames, whose bytes are tables of `protocol::frame`, and what
//! waited at `max-speed` times real time, after a burst of a second.

use crate::common::faults::*;
use crate::common::*;
use volcasr_loopback::{ClientFrame, Connection, Options};

/// Samples that no two places have in common.
fn noise(milliseconds: usize) -> Vec<u8> {
    (0..milliseconds as u32 * 24)
        .flat_map(|n| (n.wrapping_mul(0x9e37_79b1) >> 16).to_le_bytes()[..2].to_vec())
        .collect()
}

/// Runs `pcm` in buffers of `ms` through a session. Returns the frames of audio, checked as all
/// must be.
fn session(properties: &str, pcm: &[u8], ms: usize) -> Vec<ClientFrame> {
    let service = service(Options::default());
    let sink = set(unpaced_sink(&service), properties);
    TestPipeline::new(sink).run(pcm, ms).assert_clean();
    let connections = service.connections();
    let [connection] = &connections[..] else {
        panic!("{} connections", connections.len())
    };
    assert!(*connection.pcm == pcm, "the audio differs");
    let compression = u8::from(!properties.contains("compression=none"));
    let last = connection.frames.len() as i32;
    for (frame, number) in connection.frames.iter().zip(1..) {
        let (kind, flags, sequence) = match number {
            1 => (1, 0b0001, 1),
            _ if number == last => (2, 0b0011, -number),
            _ => (2, 0b0001, number),
        };
        let kind_and_number = (frame.message_type, frame.flags, frame.sequence);
        assert_eq!(kind_and_number, (kind, flags, Some(sequence)), "{frame:?}");
        assert_eq!((frame.serialization, frame.compression), (1, compression));
        assert_eq!(frame.size == 0, number == last, "{frame:?}");
    }
    connection.frames[1..connection.frames.len() - 1].to_vec()
}

#[test]
fn audio_becomes_frames_of_the_chunk_duration() {
    #[rustfmt::skip]
    let rows: [(&str, usize, &[usize], Vec<usize>); 9] = [
        // The rest comes before the finish.
        ("chunk-duration=100", 550, &[1, 7, 333], vec![100, 100, 100, 100, 100, 50]),
        ("chunk-duration=200", 550, &[20, 333, 1000], vec![200, 200, 150]),
        ("chunk-duration=200 compression=none", 550, &[1, 7, 1000], vec![200, 200, 150]),
        ("chunk-duration=2000", 550, &[1, 20, 1000], vec![550]),
        ("chunk-duration=1", 550, &[1, 20, 1000], vec![1; 550]),
        // Each buffer is a frame, but for one so long that the first words would wait for it.
        ("chunk-duration=0", 99, &[1], vec![1; 99]),
        ("chunk-duration=0", 999, &[333], vec![333; 3]),
        ("chunk-duration=0", 70, &[20], vec![20, 20, 20, 10]),
        ("chunk-duration=0", 5000, &[5000], vec![2000, 2000, 1000]),
    ];
    for (properties, length, buffers, expected) in rows {
        for ms in buffers {
            let frames = session(properties, &noise(length), *ms);
            let lengths: Vec<_> = frames.iter().map(|frame| frame.size / 48).collect();
            assert_eq!(lengths, expected, "{properties}, buffers of {ms}");
        }
    }
}

/// Nothing arrives ahead of its time, and the whole takes about as long as it should.
fn assert_paced(connection: &Connection, speed: f64, case: &str) {
    let frames = connection.frames.iter();
    let audio: Vec<_> = frames
        .filter(|f| f.message_type == 2 && f.size > 0)
        .collect();
    let seconds = |n: usize| (audio[n].at - audio[0].at).as_secs_f64();
    let mut sent = 0.0;
    for (n, frame) in audio.iter().enumerate() {
        // A frame may have been on its way for a while when the first one arrived, but not for
        // long.
        let allowed = 1.2 + (seconds(n) + 0.2) * speed;
        assert!(sent <= allowed, "{case}: {sent} s after {}", seconds(n));
        sent += frame.size as f64 / 48_000.0;
    }
    let (took, ideal) = (seconds(audio.len() - 1), (sent - 1.4) / speed);
    let is_due = took >= ideal * 0.7 - 0.2 && took <= ideal * 2.0 + 2.0;
    assert!(is_due, "{case}: {sent} s in {took} s");
}

/// Buffers of 20 ms, and one of ten seconds; chunks and none.
#[test]
fn audio_that_waits_goes_out_at_max_speed() {
    let cases = [(20, 10.0, 200u32), (60_000, 5.0, 0), (20, 4.0, 100)];
    in_parallel(&cases, |&(buffer, speed, chunk)| {
        let case = format!("{buffer} {speed} {chunk}");
        let service = service(Options::default());
        let properties = format!("max-speed={speed} chunk-duration={chunk}");
        let sink = set(sink(&service), &properties);
        let (pcm, marks) = open_ended_speech(4);
        let log = TestPipeline::new(sink).run(&pcm, buffer);
        assert_whole(&log, &marks, false, &case);
        assert_paced(&service.connections()[0], speed, &case);
    });
}
