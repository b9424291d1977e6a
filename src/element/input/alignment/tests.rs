use super::*;

const RATE: u32 = 1000;

const fn ms(ms: Nanos) -> Nanos {
    ms * MILLISECOND
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
