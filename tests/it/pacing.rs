//! Waiting audio is sent at `max-speed` times real time, after a burst of a second.

use crate::common::faults::*;
use crate::common::*;
use volcasr_loopback::{Connection, Options};

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
