//! Upper bound on what waits.

use super::*;

#[test]
fn every_entry_counts_and_so_much_waits_and_no_more() {
    type Input = fn(&mut Machine, u64);
    let inputs: [(usize, Input); 4] = [
        (ENTRY_BYTES, |schedule, _| {
            schedule.event("tag", Effect::Unchanged)
        }),
        // No text, but what it says of the time, and an event between.
        (2 * ENTRY_BYTES, |schedule, number| {
            schedule.silence(ms(number));
            schedule.event("tag", Effect::Unchanged);
        }),
        (ENTRY_BYTES, |schedule, number| {
            let mut utterance = utterance(number as u32, true, "");
            utterance.text = "?".into();
            schedule.utterance(utterance);
        }),
        // A word for those upstream, and the text itself.
        (2 * (MAX_BYTES / 3), |schedule, number| {
            let text = format!("{} 0-1", "x".repeat(MAX_BYTES / 3));
            schedule.utterance(utterance(number as u32, true, &text));
        }),
    ];
    for (size, input) in inputs {
        let mut schedule = Machine::new(Unit::Word);
        let most = (MAX_BYTES / size + 1) as u64;
        let full = (1..=most).find(|&number| {
            input(&mut schedule, number);
            schedule.is_full()
        });
        assert_eq!(full, Some(most), "{size}");
        all(&mut schedule, None);
        assert_eq!(schedule.bytes, 0);
    }
}

/// As upstream does that has GAPs alone, while downstream takes nothing.
#[test]
fn gaps_that_wait_are_one() {
    let mut schedule = Machine::new(Unit::Word);
    for end in 1..=100_000 {
        schedule.silence(ms(end * 20));
    }
    assert_eq!(schedule.bytes, ENTRY_BYTES);
    assert_eq!(all(&mut schedule, None), ["gap 0-2000000"]);
}
