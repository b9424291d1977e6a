use std::time::Duration;

use super::*;
use crate::element::timeline::Timeline;

mod jitter;

const RATE: u32 = 24_000;

fn ms(ms: u64) -> gst::ClockTime {
    gst::ClockTime::from_mseconds(ms)
}

fn bytes(ms: u64) -> usize {
    ms as usize * 48
}

/// A detector, and the stream's position as the sink counts it. Milliseconds everywhere.
struct Fed {
    input: GapDetector,
    position: u64,
    segment: Segment,
    /// Nothing takes silence: no session is open.
    idle: bool,
}

/// What a buffer or a GAP event came to.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    silence: u64,
    pause: bool,
    skip: u64,
    /// Position and time.
    anchor: Option<(u64, u64)>,
}

fn anchored(position: u64, time: u64) -> Outcome {
    Outcome {
        anchor: Some((position, time)),
        ..Outcome::default()
    }
}

const NOTHING: Outcome = Outcome {
    silence: 0,
    pause: false,
    skip: 0,
    anchor: None,
};

impl Fed {
    fn new() -> Self {
        gst::init().expect("GStreamer");
        let limits = GapLimits {
            longest: ms(4000),
            settling: ms(1000),
        };
        Fed {
            input: GapDetector::new(RATE, limits),
            position: 0,
            segment: Segment::new(),
            idle: false,
        }
    }

    fn push(&mut self, at: impl Into<Option<u64>>, length: u64) -> Outcome {
        self.buffer(at.into(), false, length)
    }

    /// With DISCONT.
    fn jump(&mut self, at: u64, length: u64) -> Outcome {
        self.buffer(Some(at), true, length)
    }

    fn buffer(&mut self, at: Option<u64>, discont: bool, length: u64) -> Outcome {
        let segment = self.segment.clone();
        let plan = self
            .input
            .judge(at.map(ms), discont, bytes(length), Some(&segment));
        let mut outcome = self.silence(&plan);
        outcome.skip = plan.skip as u64 / 48;
        let samples = (length - outcome.skip) * 24;
        if samples > 0 {
            let anchor = self.input.take(&plan, samples, self.position);
            outcome.anchor = anchor.map(|anchor| {
                let time = anchor.time_at(anchor.position, RATE) / 1_000_000;
                (anchor.position / 24, time as u64)
            });
            self.position += samples;
        }
        outcome
    }

    fn gap_until(&mut self, end: u64) -> Outcome {
        let plan = self.input.gap_until(ms(end), &self.segment.clone());
        self.silence(&plan)
    }

    fn silence(&mut self, plan: &BufferPlan) -> Outcome {
        self.position += if self.idle { 0 } else { plan.silence };
        Outcome {
            silence: plan.silence / 24,
            pause: plan.pause,
            ..Outcome::default()
        }
    }

    fn segment(&mut self, change: impl Fn(&mut Segment)) {
        self.segment = Segment::new();
        change(&mut self.segment);
        self.input.segment();
    }

    fn dropped(&mut self, position: u64, length: u64) {
        self.input.dropped(position * 24, length * 24);
        self.position -= length * 24;
    }
}

#[test]
fn audio_that_goes_on_needs_one_anchor() {
    let mut fed = Fed::new();
    assert_eq!(fed.push(500, 20), anchored(0, 500));
    for i in 1..100 {
        assert_eq!(fed.push(500 + 20 * i, 20), NOTHING);
    }
}

#[test]
fn what_comes_late_for_less_than_a_second_is_jitter() {
    for late in [1, 59, 300, 1000] {
        let mut fed = Fed::new();
        fed.push(100, 20);
        for i in 1..40 {
            assert_eq!(fed.push(100 + 20 * i + late, 20), NOTHING, "{late}");
        }
        assert_eq!(fed.push(900, 1000), NOTHING, "{late}");
    }
}

/// The times from the first late buffer on are the late ones, and nothing is sent for it.
#[test]
fn what_stays_late_moves_the_times_from_where_it_began() {
    let mut fed = Fed::new();
    fed.push(0, 200);
    for i in 1..5 {
        assert_eq!(fed.push(300 + 200 * i, 200), NOTHING);
    }
    assert_eq!(fed.push(1300, 200), anchored(200, 500));
    assert_eq!(fed.push(1500, 200), NOTHING);
}

#[test]
fn buffers_with_one_time_lose_nothing() {
    let mut fed = Fed::new();
    assert_eq!(fed.push(200, 20), anchored(0, 200));
    for i in 1..10 {
        assert_eq!(fed.push(200, 20), anchored(0, 200 - 20 * i));
    }
    for chunk in 2..50 {
        for _ in 0..10 {
            assert_eq!(fed.push(200 * chunk, 20), NOTHING);
        }
    }
    assert_eq!(fed.position, 490 * 20 * 24);
}

#[test]
fn a_short_jump_becomes_silence_and_a_long_one_a_pause() {
    for (jump, flag, silence, pause) in [
        (41, true, 41, false),
        (1000, true, 1000, false),
        (1001, false, 1001, false),
        (4000, true, 4000, false),
        (4000, false, 4000, false),
        (4001, true, 1000, true),
        (4001, false, 1000, true),
    ] {
        let mut fed = Fed::new();
        fed.push(0, 20);
        let outcome = fed.buffer(Some(20 + jump), flag, 20);
        let anchor = pause.then_some((20 + silence, 20 + jump));
        assert_eq!(
            (outcome.silence, outcome.pause, outcome.skip),
            (silence, pause, 0)
        );
        assert_eq!(outcome.anchor, anchor, "{jump} {flag}");
    }
}

#[test]
fn silence_that_nothing_takes_is_in_the_times_alone() {
    let mut fed = Fed::new();
    fed.push(0, 1000);
    fed.idle = true;
    let outcome = fed.jump(1500, 1000);
    assert_eq!((outcome.silence, outcome.anchor), (500, Some((1000, 1500))));
    fed.gap_until(3000);
    assert_eq!(fed.push(3000, 20), anchored(2000, 3000));
}

#[test]
fn what_is_repeated_is_skipped() {
    let mut fed = Fed::new();
    fed.push(0, 1000);
    let skipped = |skip| Outcome { skip, ..NOTHING };
    assert_eq!(fed.jump(900, 200), skipped(100));
    // All of it, and the rest of the same repeat, which is not flagged.
    assert_eq!(fed.jump(700, 100), skipped(100));
    assert_eq!(fed.push(800, 100), skipped(100));
    assert_eq!(fed.push(900, 250), skipped(200));
    assert_eq!(fed.push(1150, 20), NOTHING);
}

#[test]
fn what_overlaps_without_a_flag_is_taken() {
    let mut fed = Fed::new();
    fed.push(0, 1000);
    assert_eq!(fed.push(700, 200), anchored(200, -100i64 as u64));
}

/// As `audioresample` flags it: whatever wobbles by more than 31 ms.
#[test]
fn flags_that_jitter_refutes_cost_no_audio() {
    let mut fed = Fed::new();
    fed.push(100, 20);
    // The first one was late.
    assert_eq!(fed.jump(70, 20), anchored(0, 50));
    for i in 2..100 {
        fed.push(50 + 20 * i, 20);
    }
    // Nothing tells this from a real gap.
    assert_eq!(fed.jump(2150, 20).silence, 100);
    let mut silence = 0;
    for i in 101..400 {
        let late = if i % 7 == 0 { 120 } else { 0 };
        let outcome = fed.buffer(Some(50 + 20 * i + late), i % 7 < 2, 20);
        assert_eq!((outcome.skip, outcome.pause), (0, false), "{i}");
        silence += outcome.silence;
    }
    assert_eq!(silence, 0);
}

#[test]
fn a_flag_without_a_jump_means_nothing() {
    let mut fed = Fed::new();
    fed.push(0, 20);
    for i in 1..100 {
        assert_eq!(fed.jump(20 * i, 20), NOTHING);
    }
    assert_eq!(fed.jump(2020, 20), anchored(2000, 2020));
}

#[test]
fn the_flag_of_a_buffer_that_comes_to_nothing_is_the_next_one_s() {
    let mut fed = Fed::new();
    fed.push(0, 20);
    fed.input.discont();
    assert_eq!(fed.push(320, 20).silence, 300);
    assert_eq!(fed.push(640, 20), NOTHING);
}

#[test]
fn far_back_is_another_place() {
    for flag in [false, true] {
        let mut fed = Fed::new();
        fed.push(9000, 200);
        assert_eq!(fed.buffer(Some(100), flag, 200), anchored(200, 100));
    }
}

#[test]
fn a_new_segment_that_goes_on_in_running_time_is_no_jump() {
    let mut fed = Fed::new();
    fed.push(0, 200);
    fed.segment(|segment| {
        segment.set_base(ms(200));
        segment.set_start(ms(70_000));
    });
    assert_eq!(fed.push(70_000, 200), anchored(200, 70_000));
}

/// Nor is anything below zero out of the ordinary.
#[test]
fn a_gap_between_segments_is_one_in_running_time() {
    for offset in [0, 60_000] {
        let mut fed = Fed::new();
        fed.segment(|segment| segment.set_offset(ms(offset)));
        fed.push(0, 200);
        fed.segment(|segment| {
            segment.set_offset(ms(offset));
            segment.set_base(ms(500));
        });
        let outcome = fed.push(0, 200);
        assert_eq!((outcome.silence, outcome.anchor), (300, Some((500, 0))));
    }
}

#[test]
fn short_gaps_add_up() {
    let mut fed = Fed::new();
    fed.push(0, 20);
    let mut silence = 0;
    let mut pauses = 0;
    for i in 1..=300 {
        let plan = fed.gap_until(20 + 20 * i);
        silence += plan.silence;
        pauses += u32::from(plan.pause);
    }
    assert_eq!(silence, 4000);
    assert_eq!(pauses, 1, "one pause for the whole gap");
    assert_eq!(fed.push(6020, 20), anchored(4020, 6020));
}

#[test]
fn times_at_the_end_of_time_do_not_overflow() {
    let end = gst::ClockTime::MAX.mseconds();
    let mut fed = Fed::new();
    assert_eq!(fed.push(end, 20), anchored(0, end));
    assert_eq!(fed.push(None, 20), NOTHING);

    let mut fed = Fed::new();
    fed.push(0, 20);
    assert!(fed.gap_until(end).pause);
    assert!(!fed.push(end, 20).pause, "one pause for the whole gap");
}

#[test]
fn without_timestamps_there_is_only_the_axis() {
    let mut fed = Fed::new();
    assert_eq!(fed.push(None, 20), anchored(0, 0));
    assert_eq!(fed.push(None, 20), NOTHING);
    // The timeline has moved its own anchor.
    fed.dropped(0, 20);
    assert_eq!(fed.push(None, 20), NOTHING);
}

#[test]
fn what_has_no_timestamp_goes_on_where_the_one_before_ended() {
    let mut fed = Fed::new();
    fed.push(5000, 20);
    assert_eq!(fed.push(None, 20), NOTHING);
    fed.dropped(0, 20);
    assert_eq!(fed.push(None, 20), NOTHING);
    assert_eq!(fed.push(5060, 20), NOTHING);
    // The gap is part of it.
    assert!(fed.gap_until(15_060).pause);
    assert_eq!(fed.push(None, 20), anchored(1060, 15_060));
}

/// A third of a sample is in each buffer, of which none is lost.
#[test]
fn time_without_timestamps_is_exact() {
    let mut fed = Fed::new();
    fed.push(0, 20);
    let segment = fed.segment.clone();
    for n in 0..24_000 {
        let plan = fed.input.judge(None, false, 14, Some(&segment));
        assert!(fed.input.take(&plan, 7, 480 + 7 * n).is_none());
    }
    let place = fed.input.place.as_ref().map(|place| place.expected(RATE));
    assert_eq!(place, Some(7_020_000_000));
}

#[test]
fn without_a_timestamp_in_another_segment_there_is_only_the_axis() {
    let mut fed = Fed::new();
    fed.push(5000, 20);
    // Only an update: it goes on.
    fed.segment(|segment| segment.set_stop(ms(90_000)));
    assert_eq!(fed.push(None, 20), anchored(20, 5020));
    fed.segment(|segment| {
        segment.set_start(ms(70_000));
        segment.set_base(ms(5040));
    });
    assert_eq!(fed.push(None, 20), anchored(40, 40));
    assert_eq!(fed.push(None, 20), NOTHING);
    // What came meanwhile is no gap.
    assert_eq!(fed.push(75_000, 20), anchored(80, 75_000));
}

#[test]
fn audio_in_a_gap_that_claimed_too_much_is_taken() {
    for (flag, skip, time) in [(true, 200, 2500), (false, 0, 2300)] {
        let mut fed = Fed::new();
        fed.push(0, 1000);
        assert_eq!(fed.gap_until(2000).silence, 1000);
        assert_eq!(fed.push(1500, 1000), anchored(2000, 1500));
        // What was taken is not taken again, where a flag tells that from jitter.
        assert_eq!(fed.gap_until(3500).silence, 1000);
        let outcome = fed.buffer(Some(2300), flag, 1000);
        assert_eq!((outcome.skip, outcome.anchor), (skip, Some((4000, time))));
    }
}

#[test]
fn a_gap_in_another_segment_is_as_long_as_its_rate_says() {
    for (rate, applied) in [(2.0, 1.0), (1.0, 2.0), (2.0, 0.5)] {
        let second = |segment: &mut Segment| {
            segment.set_base(ms(1000));
            segment.set_rate(rate);
            segment.set_applied_rate(applied);
        };
        let mut fed = Fed::new();
        fed.push(0, 1000);
        fed.segment(second);
        assert_eq!(fed.push(1200, 20).silence, 1200, "{rate} {applied}");

        let mut fed = Fed::new();
        fed.push(0, 1000);
        fed.segment(second);
        assert_eq!(fed.gap_until(500).silence, 500);
        assert_eq!(fed.push(1200, 20).silence, 700, "{rate} {applied}");
    }
}

/// An instant rate change places it around the clock's time, which may be far from the buffer's.
#[test]
fn a_segment_that_is_altered_without_an_event_makes_no_jump() {
    let mut fed = Fed::new();
    fed.push(60_000, 1000);
    let first = fed.segment.clone();
    fed.segment.set_rate(0.5);
    assert_eq!(
        fed.push(61_000, 1000),
        anchored(1000, 61_000),
        "other times"
    );
    fed.segment = first;
    assert_eq!(fed.jump(61_800, 1000).skip, 200);
    // An event that says the same as before means as little.
    fed.input.segment();
    assert_eq!(fed.jump(62_700, 1000).skip, 100);
}

/// Where it lies is not known, so that neither a gap nor an overlap is before what comes next.
#[test]
fn what_has_no_timestamp_first_in_another_segment_makes_no_jump() {
    for (before, base, start) in [(200, 200, 70_000), (900, 900, 0)] {
        let mut fed = Fed::new();
        fed.push(0, before);
        fed.segment(|segment| {
            segment.set_base(ms(base));
            segment.set_start(ms(start));
        });
        assert_eq!(fed.push(None, 20), anchored(before, before));
        assert_eq!(fed.push(start + 20, 20), anchored(before + 20, start + 20));
    }
}

/// A lasting deviation is found at any time, its beginning in what was not dropped.
#[test]
fn drops_move_the_beginning_of_what_lasts() {
    let mut fed = Fed::new();
    fed.push(0, 200);
    for i in 1..5 {
        fed.push(300 + 200 * i, 200);
    }
    fed.dropped(0, 300);
    assert_eq!(fed.push(1300, 200), anchored(0, 600));
}

/// A clock that runs 1 in 1,000 too fast or too slow, for an hour.
#[test]
fn an_hour_of_drift_makes_neither_silence_nor_loss() {
    for by in [-1i64, 1] {
        let mut fed = Fed::new();
        let mut timeline = Timeline::new(RATE);
        timeline.begin_stream(0, None);
        let true_time = |at: u64| 10_000 + at.saturating_add_signed(at as i64 * by / 1000);
        for n in 0..3600 * 50 {
            let segment = fed.segment.clone();
            let (at, position) = (true_time(20 * n), n * 480);
            let plan = fed
                .input
                .judge(Some(ms(at)), false, bytes(20), Some(&segment));
            assert_eq!((plan.silence, plan.skip, plan.pause), (0, 0, false));
            if let Some(anchor) = fed.input.take(&plan, 480, position) {
                timeline.add(0, anchor);
            }
            if n > 50 && n % 50 == 0 {
                let heard = Duration::from_millis(20 * n - 1000);
                let times = timeline.times(0, Some(heard), None);
                let told = times.timestamp.map_or(0, gst::ClockTime::mseconds);
                assert!(told.abs_diff(true_time(20 * n - 1000)) <= 5, "{n}: {told}");
                timeline.forget(0, heard);
            }
        }
    }
}
