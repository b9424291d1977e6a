//! Repeated audio: what reaches back by more than jitter, however little of it is left.

use super::*;

/// Five buffers that overlap, behind 1000 ms of audio, in a segment that begins later by then.
#[test]
fn what_a_segment_leaves_of_a_repeat_is_a_repeat() {
    // The segment's start, how far each buffer reaches back, its new audio, and what is taken.
    for (start, overlap, length, taken) in [
        // A step alters the segment: it begins with what the sink has seen last.
        (980, 328, 20, 100),
        (960, 328, 20, 100),
        (999, 328, 20, 100),
        (1000, 328, 20, 100),
        (980, 41, 20, 100),
        (980, 1000, 20, 100),
        (500, 328, 20, 100),
        // Audio before the segment is lost.
        (1010, 328, 20, 90),
        (1030, 328, 20, 70),
        // Jitter is taken whole.
        (0, 40, 100, 5 * 140),
    ] {
        let mut fed = Fed::new();
        fed.push(0, 1000);
        fed.segment.set_start(ms(start));
        let before = fed.input.position();
        for n in 0..5 {
            let at = 1000 + n * length - overlap;
            let outcome = fed.clipped_jump(at, length + overlap);
            assert_eq!(
                (outcome.silence, outcome.ends_session),
                (0, false),
                "{start} {n}"
            );
        }
        let found = (fed.input.position() - before) / 24;
        assert_eq!(found, taken, "{start} {overlap} {length}");
    }
}

/// A flag announces a repeat in many buffers: the last one may be shorter than jitter is.
#[test]
fn the_last_part_of_a_repeat_is_a_repeat() {
    for (length, back) in [
        (20, 100),
        (20, 90),
        (20, 330),
        (30, 100),
        (10, 999),
        (300, 310),
    ] {
        let mut fed = Fed::new();
        fed.push(0, 1000);
        let before = fed.input.position();
        let mut end = 1000 - back;
        while end < 1200 {
            let first = end == 1000 - back;
            fed.buffer(Some(end), first, length);
            end += length;
        }
        let found = (fed.input.position() - before) / 24;
        assert_eq!(found, end - 1000, "{length} {back}");
    }
}

/// The first buffers of a stream often are late. What comes on time then repeats nothing, also if
/// the segment hides most of it.
#[test]
fn what_a_segment_leaves_of_an_early_buffer_is_taken() {
    let mut fed = Fed::new();
    fed.push(200, 500);
    fed.segment.set_start(ms(680));
    assert_eq!(fed.clipped_jump(550, 200).skip, 0);
    assert_eq!(fed.input.position(), (500 + 70) * 24);
}
