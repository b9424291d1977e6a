use super::*;

const RATE: u32 = 1000;

const fn ms(ms: Nanos) -> Nanos {
    ms * MILLISECOND
}

#[test]
fn a_deviation_is_jitter_a_gap_a_repeat_or_another_place() {
    use Announcement::{Flag, Gap, None, Repeat};
    use Discontinuity as D;
    for (announcement, deviation, overlap, expected) in [
        (None, 0, 0, D::None),
        (None, 41, -41, D::None),
        (None, 1000, -1000, D::None),
        (None, 1001, -1001, D::Gap(ms(1001))),
        (None, -1000, 1000, D::None),
        (None, -1001, 1001, D::Unrelated),
        (Flag, 0, 0, D::Realign),
        (Flag, 40, -40, D::Realign),
        (Flag, -40, 40, D::Realign),
        (Flag, 41, -41, D::Gap(ms(41))),
        (Repeat, -41, 41, D::Repeat(ms(41))),
        (Repeat, -1000, 1000, D::Repeat(ms(1000))),
        (Repeat, -1001, 1001, D::Unrelated),
        // The last part of one, or what the segment leaves of it.
        (Repeat, -1, 1, D::Repeat(ms(1))),
        (Repeat, -40, 40, D::Repeat(ms(40))),
        (Repeat, 0, 0, D::Realign),
        (Repeat, 40, -40, D::Realign),
        (Repeat, 41, -41, D::Gap(ms(41))),
        (Repeat, -41, -20, D::Unrelated),
        // The GAP event claimed too much, or the buffer came early.
        (Gap, -500, -500, D::Unrelated),
        (Gap, -500, 0, D::Unrelated),
        (Gap, -1200, 200, D::Unrelated),
        (Gap, 300, -1300, D::Gap(ms(300))),
        (Gap, 300, 0, D::Gap(ms(300))),
        (Gap, -300, 300, D::Unrelated),
        (Gap, 20, 0, D::Realign),
    ] {
        let found = judge(announcement, ms(deviation), ms(overlap));
        assert_eq!(found, expected, "{announcement:?} {deviation} {overlap}");
    }
}

/// Buffers of 20 ms, with their deviations from the first mapping, and the corrections: at which of
/// them, from where on, and by how much.
#[test]
fn a_deviation_of_a_second_moves_the_times_from_its_start() {
    let steady = |by: Nanos, count: usize| vec![by; count];
    let stall = (0..15).map(|n| 300 - 20 * n).collect();
    let jitter = [320, 300, 340, 310].repeat(20);
    let drift = (0..66).map(|n| n / 5).collect();
    #[rustfmt::skip]
    let rows = [
        ("none", steady(0, 200), &[][..]),
        ("stall", [steady(0, 10), stall, steady(0, 60)].concat(), &[]),
        ("less than a second", [steady(0, 9), steady(300, 49), steady(0, 60)].concat(), &[]),
        ("a step", [steady(0, 9), steady(300, 100)].concat(), &[(58, 180, 300)]),
        ("a step with jitter", [steady(0, 9), jitter].concat(), &[(58, 180, 300)]),
        ("the first was late", [steady(0, 1), steady(-150, 100)].concat(), &[(1, 0, -150)]),
        ("earlier than known", [steady(0, 100), steady(-150, 100)].concat(), &[(100, 1020, -150)]),
        (
            "one burst at the beginning",
            vec![0, -20, -40, -60, -60, -60],
            &[(1, 0, -20), (2, 0, -20), (3, 0, -20)],
        ),
        ("drift of 1 in 100", drift, &[(54, 100, 1), (59, 200, 1), (64, 300, 1)]),
    ];
    for (name, deviations, expected) in rows {
        let mut window = Window::new(RATE);
        let mut mapping = 0;
        let mut found = Vec::new();
        for (n, deviation) in deviations.into_iter().enumerate() {
            let position = 20 * n as u64;
            if let Some(shift) = window.observe(ms(deviation) - mapping, position, position + 20) {
                mapping += shift.by;
                found.push((n, shift.position, shift.by / MILLISECOND));
            }
        }
        assert_eq!(found, expected, "{name}");
    }
}

/// With any jitter, a source is as late as its least late buffer of the last second.
#[test]
fn times_follow_the_least_deviation() {
    let mut window = Window::new(RATE);
    let mut mapping = 0;
    let mut recent = VecDeque::new();
    let mut dice: u64 = 7;
    for n in 0..5000u64 {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let deviation = ms(Nanos::from(dice >> 33) % 150) + ms(Nanos::from(n / 50));
        recent.push_back(deviation);
        if recent.len() > 50 {
            recent.pop_front();
        }
        let shift = window.observe(deviation - mapping, 20 * n, 20 * n + 20);
        let shift = shift.unwrap_or(Shift {
            position: 20 * n,
            by: 0,
        });
        assert!(shift.position <= 20 * n && shift.position + 1000 >= 20 * n);
        mapping += shift.by;
        let least = recent.iter().min().copied().unwrap_or(0);
        assert!((mapping - least).abs() < ROUNDING, "{n}: {mapping} {least}");
    }
}

fn shift(position: u64, by: Nanos) -> Option<Shift> {
    let by = ms(by);
    Some(Shift { position, by })
}

#[test]
fn no_shift_reaches_behind_the_beginning_of_a_mapping() {
    let mut window = Window::new(RATE);
    window.observe(0, 0, 5000);
    window.restart(5000);
    assert_eq!(window.observe(0, 5000, 5500), None);
    assert_eq!(window.observe(ms(-90), 5500, 5600), shift(5000, -90));
    window.limit(5600);
    assert_eq!(window.observe(ms(-20), 5600, 5700), shift(5600, -20));
}

/// Deviations of flagged buffers of 500 ms. Behind `!` the flag is not believed, and the deviation
/// lasts.
#[test]
fn a_flag_is_believed_until_jitter_refutes_it() {
    for (name, buffers) in [
        ("no jump", "0 0 0"),
        ("a repeat", "0 0 -400"),
        ("a gap", "0 300 0 300"),
        ("a repeat behind a gap", "0 300 0 0 -400"),
        ("the first was late", "0 !-90 300"),
        ("a gap that was none", "0 120 !-100 !90 !-90"),
        ("none, as shows after a while", "0 120 0 0 !-120 !500"),
        ("none, as shows bit by bit", "0 90 35 !-35 !-60 !60"),
        ("too long to be jitter", "0 5000 0 0 -1000"),
    ] {
        let mut flags = Flags::new(RATE);
        for buffer in buffers.split(' ') {
            let deviation = buffer.trim_start_matches('!').parse();
            let (by, believed) = (ms(deviation.expect("a number")), !buffer.starts_with('!'));
            assert_eq!(flags.announce(by), believed, "{name}: {buffer}");
            if !believed {
                flags.shifted(by);
            } else if by >= -THRESHOLD {
                flags.moved(by);
            }
            flags.advance(500);
        }
    }
}

/// A source that drifts back for longer than the gap was takes nothing back.
#[test]
fn drift_refutes_no_flag() {
    let mut flags = Flags::new(RATE);
    flags.moved(ms(300));
    for _ in 0..1000 {
        flags.advance(1000);
        flags.shifted(ms(-1));
    }
    assert!(flags.announce(ms(300)));
}
