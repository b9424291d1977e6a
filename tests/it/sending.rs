//! Audio as the service reads it: in frames, whose bytes are tables of `protocol::frame`, and what
//! waited at `max-speed` times real time, after a burst of a second.

use crate::common::faults::*;
use crate::common::*;
use volcasr_loopback::{Connection, Options};

/// Not a byte is lost with buffers of any length. The table of lengths is in the tests of
/// `session::queue`.
#[test]
fn audio_becomes_frames_of_the_chunk_duration() {
    for (properties, buffers, expected) in [
        // The rest comes before the finish.
        ("chunk-duration=200", 333, &[200, 200, 150][..]),
        ("chunk-duration=200 compression=none", 7, &[200, 200, 150]),
        // Each buffer is a frame.
        ("chunk-duration=0", 110, &[110; 5]),
    ] {
        let (service, mut rig) = TestPipeline::start(properties);
        // Samples that no two places have in common.
        let samples = (0..550 * 24).map(|n: u32| n.wrapping_mul(0x9e37_79b1).to_be_bytes());
        let pcm: Vec<u8> = samples.flat_map(|bytes| [bytes[0], bytes[1]]).collect();
        rig.run(&pcm, buffers).assert_clean();
        let connection = &service.connections()[0];
        assert!(*connection.pcm == pcm, "{properties}: the audio differs");
        let [request, audio @ .., finish] = &connection.frames[..] else {
            panic!("{properties}: {:?}", connection.frames);
        };
        let lengths: Vec<_> = audio.iter().map(|frame| frame.size / 48).collect();
        assert_eq!(lengths, expected, "{properties}");
        let compression = u8::from(!properties.contains("none"));
        for frame in audio.iter().chain([request, finish]) {
            assert_eq!(frame.compression, compression, "{properties}: {frame:?}");
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
