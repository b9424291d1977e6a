//! Launch lines that are played to their end.

use gst::prelude::*;

use super::{BusLog, LONG_TIME, init, listen};

fn parse(line: &str) -> gst::Pipeline {
    init();
    let pipeline = gst::parse::launch(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    pipeline.downcast().expect("a pipeline")
}

/// Returns the messages until EOS or an error, both included.
pub fn launched(line: &str) -> BusLog {
    let pipeline = parse(line);
    pipeline.set_state(gst::State::Playing).expect(line);
    let log = listen(&pipeline.bus().expect("a bus"));
    pipeline.set_state(gst::State::Null).expect("NULL");
    log
}

/// Plays a line and hands over each sample of the sink `out`, until `take` wants no more or there
/// is none. Returns whether there was none.
fn samples(line: &str, mut take: impl FnMut(&gst::BufferRef) -> bool) -> bool {
    let pipeline = parse(line);
    pipeline.set_state(gst::State::Playing).expect(line);
    let mut goes_on = true;
    if let Some(sink) = pipeline.by_name("out") {
        let sink = sink.downcast::<gst_app::AppSink>().expect("an appsink");
        while goes_on && let Some(sample) = sink.try_pull_sample(LONG_TIME) {
            goes_on = take(sample.buffer().expect("a buffer"));
        }
        assert!(!goes_on || sink.is_eos(), "{line}: nothing more came");
    }
    if goes_on {
        listen(&pipeline.bus().expect("a bus")).assert_no_errors(line);
    }
    pipeline.set_state(gst::State::Null).expect("NULL");
    goes_on
}

/// Plays a line to its good end, and hands over each sample of the sink `out`.
pub fn play(line: &str, mut take: impl FnMut(&gst::BufferRef)) {
    samples(line, |buffer| {
        take(buffer);
        true
    });
}

/// Returns the times of a picture's first frames, in milliseconds, and whether there is something
/// bright in each: the pictures here are dark. Its input and the audio need not end behind them.
pub fn first_bright(line: &str, count: usize) -> Vec<(u64, bool)> {
    let mut frames = Vec::new();
    samples(line, |buffer| {
        let map = buffer.map_readable().expect("a frame");
        let white = map.iter().filter(|pixel| **pixel > 180).count();
        frames.push((buffer.pts().expect("a PTS").mseconds(), white > 40));
        frames.len() < count
    });
    frames
}

/// Plays a line whose input does not end until the sink `out` has what comes at a time.
pub fn play_until(line: &str, end: gst::ClockTime) {
    let has_ended = samples(line, |buffer| buffer.pts() < Some(end));
    assert!(!has_ended, "{line}");
}

/// Asserts that every frame in the ranges is as it says.
pub fn assert_frames(frames: &[(u64, bool)], expected: &[(std::ops::Range<u64>, bool)]) {
    for (range, caption) in expected {
        let within: Vec<_> = frames.iter().filter(|(at, _)| range.contains(at)).collect();
        assert!(!within.is_empty(), "no frame in {range:?}: {frames:?}");
        let same = within.iter().all(|(_, bright)| bright == caption);
        assert!(same, "{range:?} {caption}: {frames:?}");
    }
}
