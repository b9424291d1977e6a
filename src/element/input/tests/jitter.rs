//! Whole streams of jittering timestamps: what is sent, and the time of each sample.

use super::*;

/// A stream of buffers through a detector and a timeline.
struct Played {
    fed: Fed,
    timeline: Timeline,
    rate: u32,
    silence: u64,
    skipped: u64,
    pauses: u32,
    /// Of each buffer: its first sample's position, and how long it is. Milliseconds.
    buffers: Vec<(u64, u64)>,
}

/// A name, how late times are at most, and how late each buffer is.
type Row<'a> = (&'a str, i64, &'a dyn Fn(u64) -> u64);

/// A buffer: its timestamp, its flag and its length. Milliseconds.
type Buffer = (Option<u64>, bool, u64);

impl Played {
    fn new() -> Self {
        let mut timeline = Timeline::new(RATE);
        timeline.begin_stream(0, None);
        Played {
            fed: Fed::new(),
            timeline,
            rate: RATE,
            silence: 0,
            skipped: 0,
            pauses: 0,
            buffers: Vec::new(),
        }
    }

    fn push(&mut self, (at, discont, length): Buffer) {
        let segment = self.fed.segment.clone();
        let samples_per_ms = u64::from(self.rate / 1000);
        let bytes = (length * samples_per_ms * 2) as usize;
        let plan = self
            .fed
            .input
            .judge(start(at, discont), bytes, Some(&segment));
        self.add(&plan);
        self.skipped += plan.skip as u64 / samples_per_ms / 2;
        let samples = ((bytes - plan.skip) / 2) as u64;
        self.buffers.push((self.fed.position, length));
        if samples > 0 {
            if let Some(anchor) = self.fed.input.take(&plan, samples, self.fed.position) {
                self.timeline.add(0, anchor);
            }
            self.fed.position += samples;
        }
    }

    fn gap(&mut self, end: u64) {
        let plan = self.fed.input.gap_until(ms(end), &self.fed.segment.clone());
        self.add(&plan);
    }

    fn add(&mut self, plan: &BufferPlan) {
        let per_ms = u64::from(self.rate / 1000);
        self.silence += plan.silence / per_ms;
        self.fed.position += plan.silence;
        self.pauses += u32::from(plan.pause);
    }

    fn time(&self, position: u64) -> i64 {
        let times = self.timeline.times_at(0, position);
        times.timestamp.map_or(-1, |time| time.mseconds() as i64)
    }
}

fn chance(n: u64, limit: u64) -> u64 {
    let mut hash = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^= hash >> 29;
    hash.wrapping_mul(0xbf58_476d_1ce4_e5b9) % limit
}

/// Plays buffers whose stamps are late. Nothing is made of it, and times are late by `most`.
fn assert_follows(
    name: &str,
    length: u64,
    count: u64,
    rate: u32,
    most: i64,
    late: &dyn Fn(u64) -> Option<u64>,
) {
    let mut played = Played::new();
    played.rate = rate;
    let limits = played.fed.input.limits;
    played.fed.input = GapDetector::new(rate, limits);
    played.timeline = Timeline::new(rate);
    played.timeline.begin_stream(0, None);
    let mut last = 0;
    for n in 0..count {
        let at = late(n).map(|late| {
            last = last.max(length * n + late);
            last
        });
        played.push((at, false, length));
    }
    assert_eq!(
        (played.silence, played.skipped, played.pauses),
        (0, 0, 0),
        "{name}"
    );
    for (n, (position, length)) in (0..).zip(&played.buffers) {
        let off = played.time(*position) - (n * length) as i64;
        assert!(
            (-1..=most + 1).contains(&off),
            "{name}: buffer {n} off by {off}"
        );
    }
}

#[test]
fn late_timestamps_make_no_silence_and_times_as_late_as_they_are_at_most() {
    for rate in [16_000, 24_000] {
        for length in [5, 10, 20, 37, 100, 250, 999, 1000, 1500] {
            let count = 20_000 / length + 2;
            let play = |name: &str, most: i64, late: &dyn Fn(u64) -> Option<u64>| {
                assert_follows(
                    &format!("{name}, {length} ms at {rate}"),
                    length,
                    count,
                    rate,
                    most,
                    late,
                );
            };
            play("exact", 0, &|_| Some(0));
            play("jitter", 150, &|n| Some(chance(n, 151)));
            play("first late", 150, &|n| Some(if n == 0 { 150 } else { 0 }));
            play("some untimed", 150, &|n| {
                (n % 3 == 0).then(|| chance(n, 151))
            });
            play("most untimed", 150, &|n| {
                (n % 40 == 0).then(|| chance(n, 151))
            });
            play("sawtooth", 150, &|n| Some(n % 151));
            play("slow sawtooth", 150, &|n| Some((n / 10) % 151));
            play("falling sawtooth", 150, &|n| Some(150 - (n / 10) % 151));
            play("chunks", 200, &|n| Some(200 - (n * length) % 200));
            play("stalls", 300, &|n| {
                Some(300u64.saturating_sub((n * length) % 3000))
            });
            play("long stalls", 1000, &|n| {
                Some(1000u64.saturating_sub((n * length) % 5000))
            });
        }
    }
}

/// An unannounced gap of 300 ms, in jitter or right behind a burst: times are later from there on.
#[test]
fn an_unannounced_gap_moves_the_times_in_any_jitter() {
    let rows: [Row<'_>; 5] = [
        ("exact", 0, &|_| 0),
        ("jitter", 150, &|n| chance(n, 151)),
        ("chunks", 200, &|n| 200 - (n * 20) % 200),
        ("burst before", 400, &|n| {
            if n < 20 { 400 - 20 * n } else { 0 }
        }),
        ("a burst just before", 300, &|n| {
            if (80..95).contains(&n) {
                300 - 20 * (n - 80)
            } else {
                0
            }
        }),
    ];
    for (name, most, late) in rows {
        let mut played = Played::new();
        let truth = |n: u64| 20 * n + if n >= 100 { 300 } else { 0 };
        for n in 0..300 {
            played.push((Some(truth(n) + late(n)), false, 20));
        }
        assert_eq!(
            (played.silence, played.skipped, played.pauses),
            (0, 0, 0),
            "{name}"
        );
        for n in 0..300 {
            let off = played.time(played.buffers[n as usize].0) - truth(n) as i64;
            let least = if (99..110).contains(&n) { -300 } else { -1 };
            assert!(
                (least..=most + 301).contains(&off),
                "{name}: {n} off by {off}"
            );
            if !(50..=150).contains(&n) {
                assert!((-1..=most + 1).contains(&off), "{name}: {n} off by {off}");
            }
        }
    }
}

/// The mapping has become late with the timestamps; what comes back from that repeats nothing.
#[test]
fn a_flag_that_takes_back_a_lasting_deviation_cuts_no_audio() {
    for ramp in [1, 5, 50, 150] {
        let mut played = Played::new();
        let late = |n: u64| match n {
            0..100 => 0,
            100..400 => 150.min((n - 99) * ramp),
            _ => 0,
        };
        for n in 0..600 {
            played.push((Some(20 * n + late(n)), n == 400, 20));
        }
        assert_eq!((played.silence, played.skipped), (0, 0), "{ramp}");
        assert_eq!(played.time(played.buffers[500].0), 10_000, "{ramp}");
    }
}

/// A repeat is what a flag announces.
#[test]
fn a_gap_event_cuts_no_audio() {
    for late in [20, 60, 150, 300] {
        let mut played = Played::new();
        for n in 0..100 {
            played.push((Some(20 * n + if n > 0 { late } else { 0 }), false, 20));
        }
        // On time, all of a sudden.
        played.gap(2020);
        for n in 101..200 {
            played.push((Some(20 * n), false, 20));
        }
        assert_eq!(played.skipped, 0, "{late}");
        assert_eq!(played.time(played.buffers[150].0), 20 * 151, "{late}");
    }
}

#[test]
fn gap_events_in_jitter_keep_all_audio() {
    let mut played = Played::new();
    let mut truth = Vec::new();
    for n in 0..3000 {
        let at = 20 * n + chance(n, 151);
        if n % 50 >= 45 {
            played.gap(at + 20);
        } else {
            truth.push(20 * n);
            played.push((Some(at), false, 20));
        }
    }
    assert_eq!((played.skipped, played.pauses), (0, 0));
    for (n, truth) in truth.iter().enumerate() {
        let off = played.time(played.buffers[n].0) - *truth as i64;
        assert!((-1..=151).contains(&off), "{n} off by {off}");
    }
}

/// A segment whose stop became known maps times as before.
#[test]
fn an_update_of_the_segment_announces_no_jump() {
    for at in [2120, 1900, 2000] {
        let mut fed = Fed::new();
        fed.push(0, 2000);
        fed.segment(|segment| {
            segment.set_stop(ms(3_600_000));
            segment.set_position(ms(2000));
        });
        let outcome = fed.push(at, 20);
        assert_eq!((outcome.silence, outcome.skip), (0, 0), "{at}");
        fed.push(2020, 1000);
        let outcome = fed.push(3020, 1000);
        assert_eq!((outcome.silence, outcome.skip), (0, 0), "{at}");
    }
}

/// A flagged gap within jitter: its length is right by the jitter.
#[test]
fn a_flagged_gap_in_jitter_is_as_long_as_it_was_but_for_the_jitter() {
    for seed in 0..50 {
        let mut played = Played::new();
        let truth = |n: u64| 20 * n + if n >= 100 { 300 } else { 0 };
        for n in 0..300 {
            let late = chance(n + 1000 * seed, 151);
            played.push((Some(truth(n) + late), n == 100, 20));
        }
        assert!(
            (150..=450).contains(&played.silence),
            "{seed}: {}",
            played.silence
        );
        assert_eq!(played.skipped, 0);
        for n in 0..300 {
            let off = played.time(played.buffers[n as usize].0) - truth(n) as i64;
            assert!((-1..=151).contains(&off), "{seed}, {n}: off by {off}");
        }
    }
}

/// Both ways, for an hour, with jitter on top.
#[test]
fn an_hour_of_drift_with_jitter_keeps_times_within_the_jitter() {
    for by in [-1i64, 1] {
        let mut played = Played::new();
        let truth = |n: u64| 10_000 + (20 * n).saturating_add_signed((20 * n) as i64 * by / 1000);
        for n in 0..3600 * 50 {
            played.push((Some(truth(n) + chance(n, 151)), false, 20));
            if n > 50 && n % 50 == 0 {
                let position = played.buffers[n as usize - 50].0;
                let off = played.time(position) - truth(n - 50) as i64;
                assert!((-5..=156).contains(&off), "{n}: {off}");
                played
                    .timeline
                    .forget(0, Duration::from_millis(position / 24));
            }
        }
        assert_eq!((played.silence, played.skipped, played.pauses), (0, 0, 0));
    }
}

/// A source that flags each buffer, or each that wobbles: its flags cost one silence at most.
#[test]
fn flags_of_a_source_that_jitters_cost_one_silence_at_most() {
    let rows: [Row<'_>; 6] = [
        ("small jitter", 40, &|n| chance(n, 41)),
        ("jitter", 150, &|n| chance(n, 151)),
        ("chunks", 200, &|n| 200 - (n * 20) % 200),
        ("stalls", 300, &|n| 300u64.saturating_sub((n * 20) % 3000)),
        ("late stalls", 300, &|n| {
            300u64.saturating_sub((n * 20 + 1500) % 3000)
        }),
        ("sawtooth", 150, &|n| (n / 10) % 151),
    ];
    for (name, most, late) in rows {
        for wobble in [0, 31] {
            let mut played = Played::new();
            let mut before = late(0);
            for n in 0..3000 {
                let flag = late(n).abs_diff(before) >= wobble;
                before = late(n);
                played.push((Some(20 * n + late(n)), flag, 20));
            }
            assert_eq!((played.skipped, played.pauses), (0, 0), "{name}, {wobble}");
            assert!(
                played.silence <= most as u64,
                "{name}, {wobble}: {}",
                played.silence
            );
            for (n, (position, length)) in (0..).zip(&played.buffers) {
                let off = played.time(*position) - (n * length) as i64;
                assert!(
                    (-1..=most + 1).contains(&off),
                    "{name}, {wobble}: {n} off by {off}"
                );
            }
        }
    }
}
