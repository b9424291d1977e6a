use super::*;
use crate::session::tests::ms;

const RATE: u32 = 24_000;

fn segment() -> Segment {
    gst::init().expect("GStreamer");
    Segment::new()
}

/// An anchor at a position, with a timestamp in microseconds.
fn anchor(position: u64, us: u64, segment: Segment) -> Anchor {
    Anchor {
        position,
        time: Nanos::from(us) * 1000,
        ahead: 0,
        segment: Some(segment),
    }
}

/// Anchors in microseconds: positions and timestamps.
fn timeline(anchors: &[(u64, u64)]) -> Timeline {
    let mut timeline = Timeline::new(RATE);
    timeline.begin_stream(0, None);
    for &(position, timestamp) in anchors {
        timeline.add(0, anchor(position * 24 / 1000, timestamp, segment()));
    }
    timeline
}

fn times_us(timeline: &Timeline, start: u64, end: u64) -> (Option<u64>, Option<u64>) {
    let micros = |time: Option<gst::ClockTime>| time.map(gst::ClockTime::useconds);
    let us = Duration::from_micros;
    let times = timeline.times(0, Some(us(start)), Some(us(end)));
    (micros(times.timestamp), micros(times.duration))
}

/// In microseconds: a stretch on the stream's axis, its timestamp and its duration.
#[test]
fn a_stretch_has_the_times_of_the_anchors_that_it_lies_in() {
    let jump: &[_] = &[(0, 5_000_000), (1_000_000, 9_000_000)];
    // Anchors lie between two milliseconds, as after a drop.
    let odd: &[_] = &[(0, 0), (1_000_500, 3_000_500)];
    let back: &[_] = &[(0, 5_000_000), (1_000_000, 5_500_000)];
    // After a drop the next buffer gets an anchor, also where it continues.
    let none: &[_] = &[(0, 5_000_000), (1_001_000, 6_001_000)];
    let late: &[_] = &[(1_000_000, 9_000_000)];
    for (anchors, start, end, at, duration) in [
        (jump, 0, 998_000, 5_000_000, 998_000),
        (jump, 3_000_000, 3_000_000, 11_000_000, 0),
        (jump, 800_000, 1_200_000, 5_800_000, 3_400_000),
        // The service rounds to milliseconds, up, down or to the nearest: an edge at a distance of
        // a whole one is not meant. An end near it belongs to the audio before.
        (jump, 800_000, 1_000_000, 5_800_000, 200_000),
        (jump, 800_000, 1_000_999, 5_800_000, 200_000),
        (jump, 800_000, 1_001_000, 5_800_000, 3_201_000),
        (odd, 700_000, 1_000_000, 700_000, 300_000),
        (odd, 700_000, 1_001_000, 700_000, 300_500),
        (odd, 700_000, 1_001_499, 700_000, 300_500),
        (odd, 700_000, 1_001_500, 700_000, 2_301_500),
        // A start near it belongs to the audio after.
        (jump, 999_001, 1_200_000, 9_000_000, 200_000),
        (jump, 999_000, 1_200_000, 5_999_000, 3_201_000),
        (odd, 999_501, 1_300_500, 3_000_500, 300_000),
        (odd, 999_500, 1_300_500, 999_500, 2_301_000),
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
        let expected = (Some(at), Some(duration));
        assert_eq!(found, expected, "{anchors:?} {start} to {end}");
    }
    let times = timeline(&[]).times(0, Some(ms(100)), Some(ms(300)));
    assert_eq!((times.stream_time, times.running_time), (None, None));
}

/// Anchors, what happens to them, and samples with their times, in milliseconds.
#[test]
fn a_sample_has_the_times_of_its_anchor() {
    type Change = fn(&mut Timeline);
    type Pairs<'a> = &'a [(u64, u64)];
    let three: &[_] = &[(0, 0), (1_000_000, 5_000_000), (2_000_000, 9_000_000)];
    let four: &[_] = &[
        (0, 0),
        (1_000_000, 4_000_000),
        (1_200_000, 4_300_000),
        (1_500_000, 4_700_000),
    ];
    let rows: [(&str, Pairs<'_>, Change, Pairs<'_>); 5] = [
        (
            "as they are",
            &[(100_000, 5_000_000), (1_000_000, 9_000_000)],
            |_| {},
            &[(0, 4900), (100, 5000), (999, 5899), (1000, 9000)],
        ),
        (
            "removed audio moves up the positions behind it",
            three,
            |timeline| timeline.remove(0, 500 * 24, 700 * 24),
            &[(499, 499), (500, 5200), (1299, 5999), (1300, 9000)],
        ),
        (
            "times do not wear off by drops at positions that no nanosecond matches",
            &[(0, 5_000_000)],
            |timeline| (0..24_000).for_each(|n| timeline.remove(0, n % 7, 1000)),
            &[(1000, 5000 + 1_000_000 + 1000)],
        ),
        (
            "an anchor where audio has been: a lasting deviation is known a second late",
            four,
            |timeline| timeline.add(0, anchor(1100 * 24, 20_000_000, segment())),
            &[(1050, 4050), (1600, 20_500)],
        ),
        (
            "forgetting keeps what is still spoken in",
            three,
            |timeline| {
                timeline.forget(0, ms(1500));
                assert_eq!(timeline.streams[0].anchors.len(), 2);
            },
            &[(1500, 5500), (2000, 9000)],
        ),
    ];
    for (name, anchors, change, expected) in rows {
        let mut timeline = timeline(anchors);
        change(&mut timeline);
        for &(at, timestamp) in expected {
            let found = timeline.times_at(0, at * 24).timestamp;
            let expected = gst::ClockTime::from_mseconds(timestamp);
            assert_eq!(found, Some(expected), "{name}, at {at}");
        }
    }
    assert_eq!(timeline(three).times_at(7, 0), Times::default());
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
    timeline.add(0, anchor(48, 12_000_000, segment));
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
    timeline.add(0, anchor(48, 10_000_000, segment));
    let times = timeline.times(0, Some(ms(0)), None);
    assert_eq!(times.timestamp, Some(gst::ClockTime::from_mseconds(9998)));
    assert_eq!(times.running_time, Some(gst::ClockTime::ZERO));
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

/// Clips of half a second, and half a minute of them in the queue.
#[test]
fn many_streams_may_wait() {
    let mut timeline = Timeline::new(RATE);
    for number in 0..200 {
        timeline.begin_stream(number, Some(format!("clip {number}")));
        timeline.add(number, anchor(0, u64::from(number) * 1_000_000, segment()));
    }
    for number in [0, 100, 199] {
        let times = timeline.times(number, Some(ms(500)), None);
        let at = times.timestamp.map(gst::ClockTime::mseconds);
        assert_eq!(at, Some(u64::from(number) * 1000 + 500));
    }
}
