use super::*;

const RATE: u32 = 24_000;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn segment() -> Segment {
    gst::init().expect("GStreamer");
    Segment::new()
}

fn anchor(position: u64, ms: u64, segment: Segment) -> Anchor {
    Anchor {
        position,
        time: nanos(gst::ClockTime::from_mseconds(ms)),
        ahead: 0,
        segment: Some(segment),
    }
}

/// Anchors in milliseconds: positions and timestamps.
fn timeline(anchors: &[(u64, u64)]) -> Timeline {
    let mut timeline = Timeline::new(RATE);
    timeline.begin_stream(0, None);
    for &(position, timestamp) in anchors {
        timeline.add(0, anchor(position * 24, timestamp, segment()));
    }
    timeline
}

fn assert_timestamps<const N: usize>(timeline: &Timeline, expected: [(u64, u64); N]) {
    for (at, timestamp) in expected {
        let times = timeline.times(0, Some(ms(at)), None);
        let found = times.timestamp.map(gst::ClockTime::mseconds);
        assert_eq!(found, Some(timestamp), "at {at}");
    }
}

fn times_us(timeline: &Timeline, start: u64, end: u64) -> (Option<u64>, Option<u64>) {
    let micros = |time: Option<gst::ClockTime>| time.map(gst::ClockTime::useconds);
    let us = Duration::from_micros;
    let times = timeline.times(0, Some(us(start)), Some(us(end)));
    (micros(times.timestamp), micros(times.duration))
}

/// The service rounds to milliseconds, up, down or to the nearest: an edge at a distance of a whole
/// one is not meant.
#[test]
fn a_rounding_error_does_not_reach_over_an_anchor() {
    for (edge, us) in [(1_000_000, 0), (1_000_500, 12)] {
        let mut timeline = timeline(&[(0, 5000)]);
        timeline.add(0, anchor(24_000 + us, 9000, segment()));
        let beside = |by: i64| u64::saturating_add_signed(edge, by);
        // An end near it belongs to the audio before.
        for by in [0, 400, 999] {
            let found = times_us(&timeline, 800_000, beside(by));
            assert_eq!(found, (Some(5_800_000), Some(edge - 800_000)), "{by}");
        }
        let (_, duration) = times_us(&timeline, 800_000, beside(1000));
        assert_eq!(duration, Some(9_001_000 - 5_800_000));
        // A start near it belongs to the audio after.
        for by in [-999, -600, 0] {
            let found = times_us(&timeline, beside(by), edge + 200_000);
            assert_eq!(found, (Some(9_000_000), Some(200_000)), "{by}");
        }
        let before = beside(-1000);
        let (start, _) = times_us(&timeline, before, edge + 200_000);
        assert_eq!(start, Some(before + 5_000_000));
    }
}

/// In microseconds: a stretch on the stream's axis, its timestamp and its duration.
#[test]
fn a_stretch_has_the_times_of_the_anchors_that_it_lies_in() {
    let jump: &[_] = &[(0, 5000), (1000, 9000)];
    let back: &[_] = &[(0, 5000), (1000, 5500)];
    // After a drop the next buffer gets an anchor, also where it continues.
    let none: &[_] = &[(0, 5000), (1001, 6001)];
    let late: &[_] = &[(1000, 9000)];
    for (anchors, start, end, at, duration) in [
        (jump, 0, 998_000, 5_000_000, 998_000),
        (jump, 3_000_000, 3_000_000, 11_000_000, 0),
        // An end belongs to what was before it.
        (jump, 800_000, 1_000_000, 5_800_000, 200_000),
        (jump, 800_000, 1_200_000, 5_800_000, 3_400_000),
        // A stretch as short as the error keeps its place.
        (jump, 1_000_000, 1_000_000, 9_000_000, 0),
        (jump, 999_500, 999_500, 5_999_500, 0),
        (jump, 999_000, 1_000_000, 5_999_000, 1000),
        (jump, 1_000_000, 1_001_000, 9_000_000, 1000),
        // A duration across a move back is never left out.
        (back, 700_000, 1_000_000, 5_700_000, 300_000),
        (back, 800_000, 1_100_000, 5_800_000, 300_000),
        (back, 800_000, 1_200_000, 5_800_000, 400_000),
        (back, 1_200_000, 1_600_000, 5_700_000, 400_000),
        (back, 1_200_000, 2_000_000, 5_700_000, 800_000),
        // An anchor without a jump is no edge.
        (none, 1_000_000, 1_300_000, 6_000_000, 300_000),
        (none, 700_000, 1_002_000, 5_700_000, 302_000),
        // A start before the first anchor is mapped by it.
        (late, 500_000, 800_000, 8_500_000, 300_000),
        // Without timestamps the axis is the timestamp.
        (&[], 100_000, 300_000, 100_000, 200_000),
    ] {
        let found = times_us(&timeline(anchors), start, end);
        assert_eq!(
            found,
            (Some(at), Some(duration)),
            "{anchors:?} {start} to {end}"
        );
    }
    let times = timeline(&[]).times(0, Some(ms(100)), Some(ms(300)));
    assert_eq!((times.stream_time, times.running_time), (None, None));
}

#[test]
fn dropped_audio_does_not_lengthen_a_word_that_ends_there() {
    let mut timeline = timeline(&[(0, 0)]);
    // Anchors lie between two milliseconds: 1000.5.
    timeline.remove(0, 24_012, 48_000);
    for end in [1_000_000, 1_000_500, 1_001_000] {
        let (start, duration) = times_us(&timeline, 700_000, end);
        assert_eq!(start, Some(700_000));
        assert!(
            duration.is_some_and(|d| (300_000..=300_500).contains(&d)),
            "{duration:?}"
        );
    }
    assert_eq!(times_us(&timeline, 1_000_000, 1_300_000).0, Some(3_000_500));
}

#[test]
fn a_sample_has_the_times_of_its_anchor() {
    let timeline = timeline(&[(100, 5000), (1000, 9000)]);
    for (position, expected) in [(0, 4900), (100, 5000), (999, 5899), (1000, 9000)] {
        let times = timeline.times_at(0, position * 24);
        assert_eq!(
            times.timestamp.map(gst::ClockTime::mseconds),
            Some(expected)
        );
    }
    assert_eq!(timeline.times_at(7, 0), Times::default());
}

#[test]
fn segments_give_stream_and_running_time() {
    let seconds = gst::ClockTime::from_seconds;
    let mut segment = segment();
    segment.set_start(seconds(10));
    segment.set_time(seconds(110));
    segment.set_base(seconds(3));
    segment.set_rate(2.0);
    let mut timeline = timeline(&[]);
    timeline.add(0, anchor(48, 12_000, segment));
    let times = timeline.times(0, Some(ms(2002)), Some(ms(3002)));
    assert_eq!(times.timestamp, Some(seconds(14)));
    assert_eq!(times.stream_time, Some(seconds(114)));
    assert_eq!(times.running_time, Some(seconds(5)));
    assert_eq!(times.duration, Some(seconds(1)));
}

/// Audio before the segment is clipped: a word only seems to begin there.
#[test]
fn a_time_just_before_zero_is_zero() {
    let mut segment = segment();
    segment.set_start(gst::ClockTime::from_seconds(10));
    let mut timeline = timeline(&[]);
    timeline.add(0, anchor(48, 10_000, segment));
    assert_timestamps(&timeline, [(0, 9998)]);
    let times = timeline.times(0, Some(ms(0)), None);
    assert_eq!(times.running_time, Some(gst::ClockTime::ZERO));
}

#[test]
fn removed_audio_moves_up_the_positions_behind_it() {
    let mut timeline = timeline(&[(0, 0), (1000, 5000), (2000, 9000)]);
    timeline.remove(0, 500 * 24, 700 * 24);
    assert_timestamps(
        &timeline,
        [(498, 498), (500, 5200), (1298, 5998), (1300, 9000)],
    );
}

/// Many drops, at positions that no nanosecond matches.
#[test]
fn times_do_not_wear_off() {
    let mut timeline = timeline(&[(0, 5000)]);
    for n in 0..24_000 {
        timeline.remove(0, n % 7, 1000);
    }
    assert_timestamps(&timeline, [(1000, 5000 + 1_000_000 + 1000)]);
}

/// As after a burst with one time, which tells of samples that are older than the pipeline.
#[test]
fn times_below_zero_are_zero() {
    let mut timeline = timeline(&[]);
    let early = |time| Anchor {
        time,
        ..anchor(0, 0, segment())
    };
    timeline.add(0, early(-150_000_000));
    let found = times_us(&timeline, 100_000, 400_000);
    assert_eq!(found, (Some(0), Some(250_000)));
    let times = timeline.times(0, Some(ms(100)), None);
    assert_eq!(times.running_time, Some(gst::ClockTime::ZERO));
    timeline.add(0, early(-2_000_000_000));
    assert_eq!(times_us(&timeline, 100_000, 400_000), (None, None));
}

/// A lasting deviation is known a second late.
#[test]
fn an_anchor_may_be_added_where_audio_has_been() {
    let mut timeline = timeline(&[(0, 5000), (1000, 9000), (1200, 9300), (1500, 9700)]);
    timeline.add(0, anchor(1100 * 24, 20_000, segment()));
    assert_timestamps(&timeline, [(1050, 9050), (1600, 20_500)]);
}

#[test]
fn forgetting_keeps_what_is_still_spoken_in() {
    let mut timeline = timeline(&[(0, 0), (1000, 5000), (2000, 9000)]);
    timeline.forget(0, ms(1500));
    assert_timestamps(&timeline, [(1500, 5500)]);
    assert_eq!(timeline.streams[0].anchors.len(), 2);
}

/// Clips of half a second, and half a minute of them in the queue.
#[test]
fn many_streams_may_wait() {
    let mut timeline = Timeline::new(RATE);
    for number in 0..200 {
        timeline.begin_stream(number, Some(format!("clip {number}")));
        timeline.add(number, anchor(0, u64::from(number) * 1000, segment()));
    }
    for number in [0, 100, 199] {
        let times = timeline.times(number, Some(ms(500)), None);
        let at = times.timestamp.map(gst::ClockTime::mseconds);
        assert_eq!(at, Some(u64::from(number) * 1000 + 500));
    }
}
