use super::*;

const RATE: u32 = 24_000;

fn ms(ms: u64) -> gst::ClockTime {
    gst::ClockTime::from_mseconds(ms)
}

fn bytes(ms: usize) -> usize {
    ms * 48
}

fn anchor(position: u64, time: gst::ClockTime, segment: &Segment) -> Anchor {
    Anchor {
        position,
        time,
        segment: Some(segment.clone()),
    }
}

fn input() -> (Input, Segment) {
    gst::init().expect("GStreamer");
    let limits = GapLimits {
        longest: ms(4000),
        settling: ms(1000),
    };
    (Input::new(RATE, limits), Segment::new())
}

#[test]
fn audio_that_goes_on_needs_one_anchor() {
    let (mut input, segment) = input();
    let plan = input.buffer(Some(ms(500)), bytes(20), Some(&segment), 0);
    let Some((pts, _)) = plan.anchor else {
        panic!("no anchor")
    };
    assert_eq!(pts, ms(500));
    input.anchored(anchor(0, pts, &segment));
    for i in 1..100 {
        let plan = input.buffer(Some(ms(500 + 20 * i)), bytes(20), Some(&segment), 480 * i);
        assert!(plan.anchor.is_none() && plan.silence == 0 && plan.skip == 0 && !plan.pause);
    }
}

#[test]
fn jitter_moves_the_anchor_and_nothing_else() {
    for pts in [59, 21] {
        let (mut input, segment) = input();
        input.buffer(Some(ms(0)), bytes(20), Some(&segment), 0);
        input.anchored(anchor(0, ms(0), &segment));
        let plan = input.buffer(Some(ms(pts)), bytes(20), Some(&segment), 480);
        assert!(plan.anchor.is_some(), "{pts}");
        assert_eq!(
            (plan.silence, plan.skip, plan.pause),
            (0, 0, false),
            "{pts}"
        );
    }
}

#[test]
fn a_short_jump_becomes_silence_and_a_long_one_a_pause() {
    for (jump, silence, pause) in [
        (41, 41 * 24, false),
        (4000, 96_000, false),
        (4001, 24_000, true),
    ] {
        let (mut input, segment) = input();
        input.buffer(Some(ms(0)), bytes(20), Some(&segment), 0);
        let plan = input.buffer(Some(ms(20 + jump)), bytes(20), Some(&segment), 480);
        assert_eq!(
            (plan.silence, plan.pause, plan.skip),
            (silence, pause, 0),
            "{jump}"
        );
        assert!(plan.anchor.is_some());
    }
}

#[test]
fn what_overlaps_is_skipped() {
    let (mut input, segment) = input();
    input.buffer(Some(ms(0)), bytes(200), Some(&segment), 0);
    let plan = input.buffer(Some(ms(100)), bytes(200), Some(&segment), 4800);
    assert_eq!(plan.skip, bytes(100));
    assert_eq!(input.place.as_ref().map(|place| place.next), Some(ms(300)));
    let plan = input.buffer(Some(ms(200)), bytes(50), Some(&segment), 7200);
    assert_eq!(plan.skip, bytes(50));
    assert_eq!(input.place.as_ref().map(|place| place.next), Some(ms(300)));
}

#[test]
fn far_back_is_another_place() {
    let (mut input, segment) = input();
    input.buffer(Some(ms(9000)), bytes(200), Some(&segment), 0);
    let plan = input.buffer(Some(ms(100)), bytes(200), Some(&segment), 4800);
    assert_eq!((plan.skip, plan.silence, plan.pause), (0, 0, false));
    assert!(plan.anchor.is_some());
}

#[test]
fn a_new_segment_that_goes_on_in_running_time_is_no_jump() {
    let (mut input, first) = input();
    input.buffer(Some(ms(0)), bytes(200), Some(&first), 0);
    let mut second = Segment::new();
    second.set_base(ms(200));
    second.set_start(ms(70_000));
    input.segment();
    let plan = input.buffer(Some(ms(70_000)), bytes(200), Some(&second), 4800);
    assert_eq!((plan.skip, plan.silence, plan.pause), (0, 0, false));
    assert!(plan.anchor.is_some());
}

#[test]
fn short_gaps_add_up() {
    let (mut input, segment) = input();
    input.buffer(Some(ms(0)), bytes(20), Some(&segment), 0);
    let mut silence = 0;
    let mut pauses = 0;
    for i in 1..=300 {
        let plan = input.gap_until(ms(20 + 20 * i), &segment);
        silence += plan.silence;
        pauses += u32::from(plan.pause);
    }
    assert_eq!(silence, 4000 * 24);
    assert_eq!(pauses, 1, "one pause for the whole gap");
    let plan = input.buffer(Some(ms(6020)), bytes(20), Some(&segment), 480);
    assert_eq!((plan.silence, plan.pause), (0, false));
    assert!(plan.anchor.is_some());
}

#[test]
fn times_at_the_end_of_time_do_not_overflow() {
    let end = gst::ClockTime::MAX;
    let (mut input, segment) = input();
    let plan = input.buffer(Some(end), bytes(20), Some(&segment), 0);
    assert!(matches!(plan.anchor, Some((pts, _)) if pts == end));
    assert_eq!(input.buffer(None, bytes(20), None, 480).skip, 0);

    let (mut input, segment) = self::input();
    input.buffer(Some(ms(0)), bytes(20), Some(&segment), 0);
    assert!(input.gap_until(end, &segment).pause);
    let plan = input.buffer(Some(end), bytes(20), Some(&segment), 480);
    assert!(!plan.pause, "one pause for the whole gap");
}

#[test]
fn without_timestamps_there_is_only_the_axis() {
    let (mut input, segment) = input();
    let plan = input.buffer(None, bytes(20), Some(&segment), 0);
    assert!(matches!(plan.anchor, Some((time, None)) if time.is_zero()));
    input.anchored(Anchor {
        position: 0,
        time: ms(0),
        segment: None,
    });
    assert!(input.buffer(None, bytes(20), None, 480).anchor.is_none());
    input.dropped(480);
    let plan = input.buffer(None, bytes(20), Some(&segment), 480);
    assert!(matches!(plan.anchor, Some((time, None)) if time == ms(40)));
}

#[test]
fn what_has_no_timestamp_goes_on_where_the_one_before_ended() {
    let (mut input, segment) = input();
    input.buffer(Some(ms(5000)), bytes(20), Some(&segment), 0);
    input.anchored(anchor(0, ms(5000), &segment));
    let plan = input.buffer(None, bytes(20), Some(&segment), 480);
    assert!(plan.anchor.is_none());
    input.dropped(480);
    let plan = input.buffer(None, bytes(20), Some(&segment), 480);
    assert!(matches!(plan.anchor, Some((pts, Some(_))) if pts == ms(5040)));
    // The gap is part of it.
    assert!(input.gap_until(ms(15_060), &segment).pause);
    let plan = input.buffer(None, bytes(20), Some(&segment), 960);
    assert!(matches!(plan.anchor, Some((pts, Some(_))) if pts == ms(15_060)));
}

#[test]
fn without_a_timestamp_in_another_segment_there_is_only_the_axis() {
    let (mut input, first) = input();
    input.buffer(Some(ms(5000)), bytes(20), Some(&first), 0);
    input.anchored(anchor(0, ms(5000), &first));
    // Only an update: it goes on.
    let mut update = first.clone();
    update.set_stop(ms(90_000));
    input.segment();
    let plan = input.buffer(None, bytes(20), Some(&update), 480);
    assert!(matches!(plan.anchor, Some((pts, Some(_))) if pts == ms(5020)));
    input.anchored(anchor(480, ms(5020), &update));
    let mut second = Segment::new();
    second.set_start(ms(70_000));
    second.set_base(ms(5040));
    input.segment();
    let plan = input.buffer(None, bytes(20), Some(&second), 960);
    assert!(matches!(plan.anchor, Some((time, None)) if time == ms(40)));
    input.anchored(Anchor {
        position: 960,
        time: ms(40),
        segment: None,
    });
    assert!(
        input
            .buffer(None, bytes(20), Some(&second), 1440)
            .anchor
            .is_none()
    );
    // What was heard meanwhile is no gap.
    let plan = input.buffer(Some(ms(75_000)), bytes(20), Some(&second), 1920);
    assert_eq!((plan.skip, plan.silence, plan.pause), (0, 0, false));
    assert!(matches!(plan.anchor, Some((pts, Some(_))) if pts == ms(75_000)));
}

#[test]
fn audio_in_a_gap_that_claimed_too_much_is_heard() {
    let (mut input, segment) = input();
    input.buffer(Some(ms(0)), bytes(1000), Some(&segment), 0);
    input.anchored(anchor(0, ms(0), &segment));
    assert_eq!(input.gap_until(ms(2000), &segment).silence, 24_000);
    let plan = input.buffer(Some(ms(1500)), bytes(1000), Some(&segment), 48_000);
    assert_eq!((plan.skip, plan.silence, plan.pause), (0, 0, false));
    assert!(matches!(plan.anchor, Some((pts, _)) if pts == ms(1500)));
    // What was heard is still heard once.
    assert_eq!(input.gap_until(ms(3500), &segment).silence, 24_000);
    let plan = input.buffer(Some(ms(2300)), bytes(1000), Some(&segment), 96_000);
    assert_eq!(plan.skip, bytes(200));
    assert!(matches!(plan.anchor, Some((pts, _)) if pts == ms(2500)));
}

#[test]
fn a_gap_in_another_segment_is_as_long_as_its_rate_says() {
    for (rate, applied) in [(2.0, 1.0), (1.0, 2.0), (2.0, 0.5)] {
        let (mut input, first) = input();
        input.buffer(Some(ms(0)), bytes(1000), Some(&first), 0);
        let mut second = Segment::new();
        second.set_base(ms(1000));
        second.set_rate(rate);
        second.set_applied_rate(applied);
        input.segment();
        let plan = input.buffer(Some(ms(1200)), bytes(20), Some(&second), 24_000);
        assert_eq!(plan.silence, 1200 * 24, "{rate} {applied}");

        let (mut input, first) = self::input();
        input.buffer(Some(ms(0)), bytes(1000), Some(&first), 0);
        input.segment();
        assert_eq!(input.gap_until(ms(500), &second).silence, 500 * 24);
        let plan = input.buffer(Some(ms(1200)), bytes(20), Some(&second), 36_000);
        assert_eq!(plan.silence, 700 * 24, "{rate} {applied}");
    }
}

/// An instant rate change places it around the clock's time, which may be far from the buffer's.
#[test]
fn a_segment_that_is_altered_without_an_event_makes_no_jump() {
    let (mut input, first) = input();
    input.buffer(Some(ms(60_000)), bytes(1000), Some(&first), 0);
    input.anchored(anchor(0, ms(60_000), &first));
    let mut altered = Segment::new();
    altered.set_rate(0.5);
    let plan = input.buffer(Some(ms(61_000)), bytes(1000), Some(&altered), 24_000);
    assert_eq!((plan.skip, plan.silence, plan.pause), (0, 0, false));
    assert!(plan.anchor.is_some(), "its times are other ones");
    let plan = input.buffer(Some(ms(61_800)), bytes(1000), Some(&first), 48_000);
    assert_eq!(plan.skip, bytes(200));
    // An event that says the same as before means as little.
    input.segment();
    let plan = input.buffer(Some(ms(62_700)), bytes(1000), Some(&first), 67_200);
    assert_eq!(plan.skip, bytes(100));
}

/// Where it lies is not known, so that neither a gap nor an overlap is before what comes next.
#[test]
fn what_has_no_timestamp_first_in_another_segment_makes_no_jump() {
    for (before, base, start) in [(200, 200, 70_000), (900, 900, 0)] {
        let (mut input, first) = input();
        input.buffer(Some(ms(0)), bytes(before), Some(&first), 0);
        let mut second = Segment::new();
        second.set_base(ms(base));
        second.set_start(ms(start));
        input.segment();
        let plan = input.buffer(None, bytes(20), Some(&second), base * 24);
        assert_eq!((plan.skip, plan.silence, plan.pause), (0, 0, false));
        let plan = input.buffer(
            Some(ms(start + 20)),
            bytes(20),
            Some(&second),
            base * 24 + 480,
        );
        assert_eq!((plan.skip, plan.silence, plan.pause), (0, 0, false));
    }
}
