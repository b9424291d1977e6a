//! Times across segments.

use super::*;

#[test]
fn a_segment_that_continues_the_running_time_is_no_jump() {
    let mut fed = Fed::new();
    fed.push(0, 200);
    fed.segment(|segment| {
        segment.set_base(ms(200));
        segment.set_start(ms(70_000));
    });
    assert_eq!(fed.push(70_000, 200), anchored(200, 70_000));
}

/// Also with running times below zero.
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

/// An instant rate change moves the segment to the clock's time, which may be far from the
/// buffer's.
#[test]
fn a_segment_that_changes_without_an_event_makes_no_jump() {
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
    // So does an event with the same segment.
    fed.input.segment();
    assert_eq!(fed.jump(62_700, 1000).skip, 100);
}
