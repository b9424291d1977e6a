//! Whole streams of jittering timestamps: what is sent, and the time of each sample.

use std::ops::RangeInclusive;

use super::*;

/// A name, how late times are at most, and how late each buffer is.
type Row<'a> = (&'a str, i64, &'a dyn Fn(u64) -> u64);

fn chance(n: u64, limit: u64) -> u64 {
    let mut hash = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^= hash >> 29;
    hash.wrapping_mul(0xbf58_476d_1ce4_e5b9) % limit
}

/// Feeds buffers of 20 ms at these times, and with a flag or without.
fn stream(count: u64, at: impl Fn(u64) -> u64, is_flagged: impl Fn(u64) -> bool) -> Fed {
    let mut fed = Fed::new();
    for n in 0..count {
        fed.buffer(Some(at(n)), is_flagged(n), 20);
    }
    fed
}

/// Checks the time of each buffer against the truth: how many milliseconds it may be off.
fn assert_times(name: &str, fed: &Fed, off: RangeInclusive<i64>, truth: impl Fn(u64) -> u64) {
    for n in 0..fed.buffers.len() as u64 {
        let by = fed.time(n) - truth(n) as i64;
        assert!(off.contains(&by), "{name}: buffer {n} off by {by}");
    }
}

/// Nothing is made of late timestamps, and times are as late as they are at most.
#[test]
fn late_timestamps_make_no_silence_and_times_as_late_as_they_are_at_most() {
    /// A name, how late timestamps are at most, and how late that of buffer N is, which begins at
    /// a time, if it has one.
    type Late = (&'static str, i64, fn(u64, u64) -> Option<u64>);
    #[rustfmt::skip]
    let rows: [Late; 11] = [
        ("exact", 0, |_, _| Some(0)),
        ("jitter", 150, |n, _| Some(chance(n, 151))),
        ("first late", 150, |n, _| Some(if n == 0 { 150 } else { 0 })),
        ("some untimed", 150, |n, _| (n % 3 == 0).then(|| chance(n, 151))),
        ("most untimed", 150, |n, _| (n % 40 == 0).then(|| chance(n, 151))),
        ("sawtooth", 150, |n, _| Some(n % 151)),
        ("slow sawtooth", 150, |n, _| Some((n / 10) % 151)),
        ("falling sawtooth", 150, |n, _| Some(150 - (n / 10) % 151)),
        ("chunks", 200, |_, at| Some(200 - at % 200)),
        ("stalls", 300, |_, at| Some(300u64.saturating_sub(at % 3000))),
        ("long stalls", 1000, |_, at| Some(1000u64.saturating_sub(at % 5000))),
    ];
    for rate in [16_000, 24_000] {
        for length in [5, 10, 20, 37, 100, 250, 999, 1000, 1500] {
            for (name, most, late) in rows {
                let name = format!("{name}, {length} ms at {rate}");
                let mut fed = Fed::at(rate);
                let mut last = 0;
                for n in 0..20_000 / length + 2 {
                    let at = late(n, length * n).map(|late| {
                        last = last.max(length * n + late);
                        last
                    });
                    fed.push(at, length);
                }
                assert_eq!(fed.total, Outcome::default(), "{name}");
                assert_times(&name, &fed, -1..=most + 1, |n| n * length);
            }
        }
    }
}

/// An unannounced gap of 300 ms, in jitter or right behind a burst: times are later from there on.
#[test]
fn an_unannounced_gap_moves_the_times_in_any_jitter() {
    let burst = |n: u64, first: u64, late: u64| match n.checked_sub(first) {
        Some(n) => late.saturating_sub(20 * n),
        None => 0,
    };
    #[rustfmt::skip]
    let rows: [Row<'_>; 5] = [
        ("exact", 0, &|_| 0),
        ("jitter", 150, &|n| chance(n, 151)),
        ("chunks", 200, &|n| 200 - (n * 20) % 200),
        ("burst before", 400, &|n| burst(n, 0, 400)),
        ("a burst just before", 300, &|n| burst(n, 80, 300)),
    ];
    for (name, most, late) in rows {
        let truth = |n: u64| 20 * n + if n >= 100 { 300 } else { 0 };
        let fed = stream(300, |n| truth(n) + late(n), |_| false);
        assert_eq!(fed.total, Outcome::default(), "{name}");
        for n in 0..300 {
            let allowed = match n {
                99..110 => -300..=most + 301,
                50..=150 => -1..=most + 301,
                _ => -1..=most + 1,
            };
            let off = fed.time(n) - truth(n) as i64;
            assert!(allowed.contains(&off), "{name}: {n} off by {off}");
        }
    }
}

/// The mapping has become late with the timestamps; what comes back from that repeats nothing. A
/// flag takes it back, or a GAP event before audio that is on time, all of a sudden.
#[test]
fn what_takes_back_a_lasting_deviation_cuts_no_audio() {
    for (ramp, most) in [
        (1, 150),
        (5, 150),
        (50, 150),
        (150, 150),
        (20, 20),
        (300, 300),
    ] {
        for by_flag in [true, false] {
            let mut fed = Fed::new();
            let late = |n: u64| match n {
                100..400 => most.min((n - 99) * ramp),
                _ => 0,
            };
            for n in 0..600 {
                if n == 400 && !by_flag {
                    fed.gap_until(20 * n + 20);
                } else {
                    fed.buffer(Some(20 * n + late(n)), n == 400, 20);
                }
            }
            let name = format!("{ramp} {most} {by_flag}");
            assert_eq!(fed.total.skip, 0, "{name}");
            let missing = if by_flag { 0 } else { 1 };
            assert_eq!(fed.time(500), 20 * (500 + missing), "{name}");
        }
    }
}

#[test]
fn gap_events_in_jitter_keep_all_audio() {
    let mut fed = Fed::new();
    let mut truth = Vec::new();
    for n in 0..3000 {
        let at = 20 * n + chance(n, 151);
        if n % 50 >= 45 {
            fed.gap_until(at + 20);
        } else {
            truth.push(20 * n);
            fed.push(at, 20);
        }
    }
    assert_eq!((fed.total.skip, fed.total.ends_session), (0, false));
    assert_times("gaps", &fed, -1..=151, |n| truth[n as usize]);
}

/// A flagged gap within jitter: its length is right by the jitter.
#[test]
fn a_flagged_gap_in_jitter_is_as_long_as_it_was_but_for_the_jitter() {
    for seed in 0..50 {
        let truth = |n: u64| 20 * n + if n >= 100 { 300 } else { 0 };
        let late = |n: u64| chance(n + 1000 * seed, 151);
        let fed = stream(300, |n| truth(n) + late(n), |n| n == 100);
        let silence = fed.total.silence;
        assert!((150..=450).contains(&silence), "{seed}: {silence}");
        assert_eq!(fed.total.skip, 0);
        assert_times(&seed.to_string(), &fed, -1..=151, truth);
    }
}

/// A clock that runs 1 in 1,000 too fast or too slow for an hour, without jitter and with it.
#[test]
fn an_hour_of_drift_keeps_times_within_the_jitter() {
    for (by, jitter) in [(-1i64, 0), (1, 0), (-1, 150), (1, 150)] {
        let mut fed = Fed::new();
        let truth = |n: u64| 10_000 + (20 * n).saturating_add_signed((20 * n) as i64 * by / 1000);
        for n in 0..3600 * 50 {
            fed.push(truth(n) + chance(n, jitter + 1), 20);
            if n > 50 && n % 50 == 0 {
                let off = fed.time(n - 50) - truth(n - 50) as i64;
                assert!((-5..=jitter as i64 + 5).contains(&off), "{n}: {off}");
                let until = Duration::from_millis(fed.buffers[n as usize - 50] / 24);
                fed.timeline.forget(0, until);
            }
        }
        assert_eq!(fed.total, Outcome::default());
    }
}

/// A source that flags each buffer, or each that wobbles: its flags cost one silence at most.
#[test]
fn flags_of_a_source_that_jitters_cost_one_silence_at_most() {
    #[rustfmt::skip]
    let rows: [Row<'_>; 6] = [
        ("small jitter", 40, &|n| chance(n, 41)),
        ("jitter", 150, &|n| chance(n, 151)),
        ("chunks", 200, &|n| 200 - (n * 20) % 200),
        ("stalls", 300, &|n| 300u64.saturating_sub((n * 20) % 3000)),
        ("late stalls", 300, &|n| 300u64.saturating_sub((n * 20 + 1500) % 3000)),
        ("sawtooth", 150, &|n| (n / 10) % 151),
    ];
    for (name, most, late) in rows {
        for wobble in [0, 31] {
            let name = format!("{name}, {wobble}");
            let wobbles = |n: u64| late(n).abs_diff(late(n.saturating_sub(1))) >= wobble;
            let fed = stream(3000, |n| 20 * n + late(n), wobbles);
            let total = &fed.total;
            assert_eq!((total.skip, total.ends_session), (0, false), "{name}");
            assert!(total.silence <= most as u64, "{name}: {total:?}");
            assert_times(&name, &fed, -1..=most + 1, |n| 20 * n);
        }
    }
}
