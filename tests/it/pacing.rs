//! Waiting audio goes out at so many times real time, however it came; after a burst of a second.

use std::time::Duration;

use crate::common::faults::*;
use crate::common::*;
use gst::prelude::*;
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

#[derive(Clone, Copy, Debug)]
enum Cut {
    Buffers(usize),
    OneBuffer,
    Lists,
}

/// Buffers of 20 ms, one of ten seconds, lists of buffers; chunks and none.
#[test]
fn audio_that_waits_goes_out_at_max_speed() {
    let cases = [
        (Cut::Buffers(20), 10.0, 200u32),
        (Cut::OneBuffer, 10.0, 200),
        (Cut::OneBuffer, 5.0, 0),
        (Cut::Lists, 10.0, 200),
        (Cut::Buffers(20), 4.0, 100),
    ];
    in_parallel(&cases, |&(cut, speed, chunk)| {
        let case = format!("{cut:?} {speed} {chunk}");
        let service = service(Options::default());
        let sink = sink(&service);
        sink.set_property("max-speed", speed);
        sink.set_property("chunk-duration", chunk);
        let (pcm, marks) = open_ended_speech(4);
        let mut rig = TestPipeline::new(sink);
        let log = match cut {
            Cut::Buffers(ms) => rig.run(&pcm, ms),
            Cut::OneBuffer => rig.run(&pcm, 60_000),
            Cut::Lists => {
                rig.play();
                for (index, piece) in pcm.chunks(2000 * 48).enumerate() {
                    let mut list = gst::BufferList::new();
                    let entries = list.get_mut().expect("a new list");
                    for (n, part) in piece.chunks(20 * 48).enumerate() {
                        let mut buffer = gst::Buffer::from_slice(part.to_vec());
                        let writable = buffer.get_mut().expect("a new buffer");
                        writable.set_pts(gst::ClockTime::from_mseconds(
                            (index * 2000 + n * 20) as u64,
                        ));
                        writable
                            .set_duration(gst::ClockTime::from_mseconds(part.len() as u64 / 48));
                        entries.add(buffer);
                    }
                    rig.source.push_buffer_list(list).expect("taken");
                }
                rig.end();
                rig.listen()
            }
        };
        assert_whole(&log, &marks, false, &case);
        assert_paced(&service.connections()[0], speed, &case);
    });
}

/// A replay is no exception.
#[test]
fn what_is_sent_again_is_paced_too() {
    let service = service(faulty(&["reset@9s"], false));
    let sink = sink(&service);
    sink.set_property("max-speed", 5.0);
    // Nothing is settled before the end: all of it is sent again.
    sink.set_property("end-window-size", 0u32);
    let (pcm, marks) = open_ended_speech(4);
    let log = TestPipeline::new(sink.clone()).run(&pcm, 20);
    assert!(log.errors().is_empty(), "{:?}", log.errors());
    assert_eq!(marks_of(&log.finals()), expected_words(&marks, false));
    assert!(stat(&sink, "audio-replayed") >= 8_000_000_000);
    for connection in service.connections() {
        assert_paced(&connection, 5.0, "replay");
    }
}

#[test]
fn without_a_limit_it_goes_out_as_fast_as_it_goes() {
    let service = service(Options::default());
    let sink = unpaced_sink(&service);
    let (pcm, marks) = open_ended_speech(100);
    let log = TestPipeline::new(sink).run(&pcm, 20);
    assert_whole(&log, &marks, false, "no limit");
    let connection = &service.connections()[0];
    let took = connection.finish_at.expect("a finish") - connection.accepted_at;
    // 260 s of audio: at the default speed they would take 26 s.
    assert!(took < Duration::from_secs(13), "{took:?}");
}
