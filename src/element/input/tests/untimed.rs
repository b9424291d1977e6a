//! Buffers without timestamps.

use super::*;

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
fn a_buffer_without_a_timestamp_continues_the_one_before() {
    let mut fed = Fed::new();
    fed.push(5000, 20);
    assert_eq!(fed.push(None, 20), NOTHING);
    fed.dropped(0, 20);
    assert_eq!(fed.push(None, 20), NOTHING);
    assert_eq!(fed.push(5060, 20), NOTHING);
    // The gap is part of it.
    assert!(fed.gap_until(15_060).ends_session);
    assert_eq!(fed.push(None, 20), anchored(1060, 15_060));
}

/// Buffers whose duration is no whole number of nanoseconds.
#[test]
fn time_without_timestamps_is_exact() {
    let mut fed = Fed::new();
    fed.push(0, 20);
    let segment = fed.segment.clone();
    for _ in 0..24_000 {
        let plan = fed.input.judge(Start::default(), 14, Some(&segment));
        assert!(fed.input.take(&plan, 7).is_none());
    }
    let place = fed.input.place.as_ref().map(|place| place.expected(RATE));
    assert_eq!(place, Some(7_020_000_000));
}

#[test]
fn without_a_timestamp_in_another_segment_there_is_only_the_axis() {
    let mut fed = Fed::new();
    fed.push(5000, 20);
    // An update of the segment changes nothing.
    fed.segment(|segment| segment.set_stop(ms(90_000)));
    assert_eq!(fed.push(None, 20), anchored(20, 5020));
    fed.segment(|segment| {
        segment.set_start(ms(70_000));
        segment.set_base(ms(5040));
    });
    assert_eq!(fed.push(None, 20), anchored(40, 40));
    assert_eq!(fed.push(None, 20), NOTHING);
    // The audio without times is no gap.
    assert_eq!(fed.push(75_000, 20), anchored(80, 75_000));
}

/// Its place is unknown, so the next buffer has neither a gap nor an overlap before it.
#[test]
fn a_segment_that_starts_without_a_timestamp_makes_no_jump() {
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
