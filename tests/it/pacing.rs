//! Waiting audio is sent at `max-speed` times real time, after a burst of a second.

use std::time::Duration;

use crate::common::faults::*;
use crate::common::*;
use volcasr_loopback::{Connection, Options};

/// Nothing arrives ahead of its time, and the whole takes about as long as it should.
fn assert_paced(connection: &Connection, speed: f64, case: &str) {
    let audio: Vec<_> = connection
        .frames
        .iter()
        .filter(|f| f.message_type == 2 && f.size > 0)
        .collect();
    let first = audio.first().expect("audio").at;
    let mut sent = Duration::ZERO;
    for frame in &audio {
        // A frame may have been on its way for a while when the first one arrived, but not for
        // long.
        let allowed = 1.2 + (frame.at - first).as_secs_f64() * speed + 0.2 * speed;
        assert!(
            sent.as_secs_f64() <= allowed,
            "{case}: {sent:?} after {:?}",
            frame.at - first
        );
        sent += Duration::from_millis(frame.size as u64 / 48);
    }
    let took = (audio.last().expect("audio").at - first).as_secs_f64();
    let ideal = (sent.as_secs_f64() - 1.4) / speed;
    assert!(took >= ideal * 0.7 - 0.2, "{case}: {sent:?} in {took} s");
    assert!(took <= ideal * 2.0 + 2.0, "{case}: {sent:?} in {took} s");
}

/// Buffers of 20 ms, and one of ten seconds; chunks and none.
#[test]
fn audio_that_waits_goes_out_at_max_speed() {
    let cases = [(20, 10.0, 200u32), (60_000, 5.0, 0), (20, 4.0, 100)];
    in_parallel(&cases, |&(buffer, speed, chunk)| {
        let case = format!("{buffer} {speed} {chunk}");
        let service = service(Options::default());
        let sink = set(
            sink(&service),
            &format!("max-speed={speed} chunk-duration={chunk}"),
        );
        let (pcm, marks) = open_ended_speech(4);
        let log = TestPipeline::new(sink).run(&pcm, buffer);
        assert_whole(&log, &marks, false, &case);
        assert_paced(&service.connections()[0], speed, &case);
    });
}
