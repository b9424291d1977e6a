use std::time::Duration;

use super::*;

mod fed;
mod jitter;
use fed::*;

#[test]
#[rustfmt::skip]
fn a_jump_is_nothing_silence_or_the_end_of_the_session() {
    run(&[
        ("continuous audio needs one anchor", "500+20: 0=500 | 520+20 | 540+20 | 560+20"),
        ("a flag without a jump", "0+20: 0=0 | !20+20 | !40+20 | !80+20: 60=80"),
        ("short", "0+20: 0=0 | !61+20: silence 41 | 81+20"),
        ("a second", "0+20: 0=0 | !1020+20: silence 1000"),
        ("without a flag", "0+20: 0=0 | 1021+20: silence 1001"),
        ("the longest", "0+20: 0=0 | !4020+20: silence 4000"),
        ("the longest without a flag", "0+20: 0=0 | 4020+20: silence 4000"),
        ("too long", "0+20: 0=0 | !4021+20: silence 1000, end, 1020=4021"),
        ("too long without a flag", "0+20: 0=0 | 4021+20: silence 1000, end, 1020=4021"),
        ("far back", "9000+200: 0=9000 | 100+200: 200=100"),
        ("far back with a flag", "9000+200: 0=9000 | !100+200: 200=100"),
        ("the flag of a skipped buffer holds for the next",
            "0+20: 0=0 | discont | 320+20: silence 300 | 640+20"),
        ("silence without a session is only in the times",
            "0+1000: 0=0 | idle | !1500+1000: silence 500, 1000=1500 | gap 3000: silence 500 \
             | 3000+20: 2000=3000"),
        // As of a burst.
        ("one time", "200+20: 0=200 | 200+20: 0=180 | 200+20: 0=160"),
    ]);
}

#[test]
#[rustfmt::skip]
fn a_gap_event_is_silence_or_the_end_of_the_session() {
    run(&[
        ("short gaps add up, and end the session once",
            "0+20: 0=0 | gap 2020: silence 2000 | gap 4020: silence 2000 | gap 4040: end \
             | gap 6020 | 6020+20: 4020=6020"),
        ("audio begins another gap",
            "0+20: 0=0 | gap 3020: silence 3000 | 3020+20 | gap 6040: silence 3000"),
        ("a gap that claims too much", "0+1000: 0=0 | gap 2000: silence 1000 \
             | 1500+1000: 2000=1500"),
        // Audio that was taken before is skipped if a flag tells the repeat from jitter.
        ("a repeat behind it", "0+1000: 0=0 | gap 2000: silence 1000 | 1500+1000: 2000=1500 \
             | gap 3500: silence 1000 | !2300+1000: skip 200, 4000=2500"),
        ("jitter behind it", "0+1000: 0=0 | gap 2000: silence 1000 | 1500+1000: 2000=1500 \
             | gap 3500: silence 1000 | 2300+1000: 4000=2300"),
    ]);
}

/// A lasting deviation is found late: the times move from its start on.
#[test]
#[rustfmt::skip]
fn a_deviation_of_a_second_moves_the_times_from_its_start() {
    run(&[
        ("a buffer of a second lasts by itself",
            "0+2000: 0=0 | 2300+2000: 2000=2300 | 4000+1000: 4000=4000 | 5000+999"),
        ("audio without timestamps deviates as what was before it",
            "0+100: 0=0 | 150+100 | ?+800 | ?+100: 100=150"),
        ("the least deviation counts, behind a greater one",
            "0+200: 0=0 | 290+200 | 450+990: 200=250"),
        ("and before one", "0+200: 0=0 | 250+200 | 490+990: 200=250"),
        // The start lies in audio that was not dropped.
        ("a drop before it", "0+200: 0=0 | 250+200 | dropped 0+150 | 450+990: 50=250"),
        ("a drop up to it", "0+200: 0=0 | 250+200 | dropped 0+200 | 450+990: 0=250"),
        ("a drop over it", "0+200: 0=0 | 250+200 | dropped 0+300 | 450+990: 0=350"),
        ("a drop in it", "0+200: 0=0 | 250+200 | dropped 250+100 | 450+990: 250=400"),
        ("a drop to its end", "0+200: 0=0 | 250+200 | dropped 300+100 | 450+990: 300=450"),
    ]);
}

#[test]
fn times_at_the_end_of_time_do_not_overflow() {
    let end = gst::ClockTime::MAX.mseconds();
    let at = |time: Option<u64>| clip::Start {
        time: time.map(ms),
        ..clip::Start::default()
    };
    let segment = Segment::new();
    let mut fed = Fed::new();
    let mut take = |time| {
        let plan = fed.input.judge(at(time), 960, Some(&segment));
        (plan.ends_session, fed.input.take(&plan, 480).is_some())
    };
    assert_eq!(take(Some(end)), (false, true));
    assert_eq!(take(None), (false, false));
    let mut fed = Fed::new();
    fed.push(0, 20);
    assert!(fed.gap_until(end).ends_session);
    let plan = fed.input.judge(at(Some(end)), 960, Some(&segment));
    assert!(!plan.ends_session, "one end for the whole gap");
}

#[test]
#[rustfmt::skip]
fn what_reaches_back_is_skipped_if_a_flag_announces_it() {
    run(&[
        // The whole buffer, and the rest of the same repeat in a buffer without a flag.
        ("a repeat", "0+1000: 0=0 | !900+200: skip 100 | !700+100: skip 100 | 800+100: skip 100 \
            | 900+250: skip 200 | 1150+20"),
        ("the longest repeat", "0+2000: 0=0 | !1000+1100: skip 1000 | 2100+20"),
        ("one that is longer is another place", "0+2000: 0=0 | !999+1100: 2000=999"),
        ("an overlap without a flag is taken", "0+1000: 0=0 | 700+200: 200=-100"),
        // The first buffers of a stream often are late. What comes on time then repeats nothing,
        // also if the segment hides most of it.
        ("an early buffer", "200+500: 0=200 | alter start=680 | !550+200: 500=680 | 750+20"),
    ]);
}

/// Five flagged buffers that overlap, behind 1000 ms of audio, in a segment that begins later by
/// then.
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
        for n in 0..5 {
            fed.buffer(Some(1000 + n * length - overlap), true, length + overlap);
        }
        let found = (fed.input.position() / 24 - 1000, fed.total.silence);
        assert_eq!(found, (taken, 0), "{start} {overlap} {length}");
        assert!(!fed.total.ends_session, "{start} {overlap} {length}");
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
        let mut end = 1000 - back;
        while end < 1200 {
            fed.buffer(Some(end), end == 1000 - back, length);
            end += length;
        }
        assert_eq!(fed.input.position() / 24, end, "{length} {back}");
    }
}

#[test]
#[rustfmt::skip]
fn a_segment_moves_times_and_a_gap_is_one_in_running_time() {
    run(&[
        ("the running time goes on", "0+200: 0=0 | segment base=200 start=70000 \
            | 70000+200: 200=70000"),
        ("a gap between", "0+200: 0=0 | segment base=500 | 0+200: silence 300, 500=0"),
        ("also with running times below zero", "segment offset=60000 | 0+200: 0=0 \
            | segment offset=60000 base=500 | 0+200: silence 300, 500=0"),
        // A gap is as long as the other segment's rate says.
        ("rate", "0+1000: 0=0 | segment base=1000 rate=2 | 1200+20: silence 1200, 2200=1200"),
        ("applied", "0+1000: 0=0 | segment base=1000 applied=2 | 1200+20: silence 1200, 2200=1200"),
        ("both", "0+1000: 0=0 | segment base=1000 rate=2 applied=0.5 \
            | 1200+20: silence 1200, 2200=1200"),
        ("GAP", "0+1000: 0=0 | segment base=1000 rate=2 | gap 500: silence 500 \
            | 1200+20: silence 700, 2200=1200"),
        ("GAP, applied", "0+1000: 0=0 | segment base=1000 applied=2 | gap 500: silence 500 \
            | 1200+20: silence 700, 2200=1200"),
        // A segment whose stop became known maps times as before.
        ("an update, late", "0+2000: 0=0 | segment stop=3600000 position=2000 | 2120+20: 2000=2000 \
            | 2020+1000 | 3020+1000"),
        ("an update, early", "0+2000: 0=0 | segment stop=3600000 position=2000 \
            | 1900+20: 2000=1900 | 2020+1000: 2020=2020 | 3020+1000"),
        // An instant rate change moves the segment to the clock's time, which may be far from the
        // buffer's. The times are others then.
        ("without an event there is no jump", "60000+1000: 0=60000 | alter rate=0.5 \
            | 61000+1000: 1000=61000 | alter rate=1 | !61800+1000: skip 200, 2000=62000"),
        ("nor with an event for the same segment",
            "60000+1000: 0=60000 | segment rate=1 | !60800+1000: skip 200"),
    ]);
}

#[test]
#[rustfmt::skip]
fn a_buffer_without_a_timestamp_goes_on_or_counts_from_the_first_sample() {
    run(&[
        // The timeline moves its own anchor when audio is dropped.
        ("no timestamps at all", "?+20: 0=0 | ?+20 | dropped 0+20 | ?+20"),
        ("it continues the one before", "5000+20: 0=5000 | ?+20 | dropped 0+20 | ?+20 | 5060+20"),
        ("it continues a gap", "5000+20: 0=5000 | gap 15020: silence 1000, end \
            | ?+20: 1020=15020"),
        ("an update of the segment changes nothing",
            "5000+20: 0=5000 | segment stop=90000 | ?+20: 20=5020"),
        // The audio without times is no gap.
        ("in another segment there is only the axis", "5000+20: 0=5000 \
            | segment start=70000 base=5040 | ?+20: 20=20 | ?+20 | 75000+20: 60=75000"),
        // Its place is unknown, so the next buffer has neither a gap nor an overlap before it.
        ("a segment that starts with it", "0+200: 0=0 | segment base=200 start=70000 \
            | ?+20: 200=200 | 70020+20: 220=70020"),
        ("a segment that goes back", "0+900: 0=0 | segment base=900 | ?+20: 900=900 \
            | 20+20: 920=20"),
    ]);
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
    let place = fed.input.place.as_ref().map(|place| place.expected(24_000));
    assert_eq!(place, Some(7_020_000_000));
}
