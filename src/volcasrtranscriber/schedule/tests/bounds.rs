//! Upper bound on what waits.

use super::*;

#[test]
fn so_much_waits_and_no_more() {
    let mut schedule = Machine::new(Unit::Utterance);
    // A word for those upstream, and the text itself.
    let text = format!("{} 0-1", "x".repeat(MAX_BYTES / 3));
    for number in 0..2 {
        assert!(!schedule.is_full());
        schedule.utterance(utterance(number, true, &text));
    }
    assert!(schedule.is_full());
    while !matches!(schedule.next(None), Action::Wait(_)) {}
    assert!(!schedule.is_full());
    assert_eq!(schedule.bytes, 0);
}

/// As upstream does that has GAPs alone, while downstream takes nothing.
#[test]
fn gaps_that_wait_are_one() {
    let mut schedule = Machine::new(Unit::Word);
    schedule.event("segment", Effect::Segment(Origin::default()));
    let bytes = schedule.bytes;
    for end in 1..=100_000 {
        schedule.silence(ms(end * 20));
    }
    assert_eq!(schedule.bytes, bytes + ENTRY_BYTES);
    assert_eq!(all(&mut schedule, None), ["segment", "gap 0-2000000"]);
    assert_eq!(schedule.bytes, 0);
}

#[test]
fn every_entry_counts() {
    let inputs: [fn(&mut Machine, u64); 3] = [
        |schedule, _| schedule.event("tag", Effect::Unchanged),
        // No text, but what it says of the time, and an event between.
        |schedule, number| {
            schedule.silence(ms(number));
            schedule.event("tag", Effect::Unchanged);
        },
        |schedule, number| {
            let mut utterance = utterance(number as u32, true, "");
            utterance.text = "?".into();
            schedule.utterance(utterance);
        },
    ];
    for input in inputs {
        let mut schedule = Machine::new(Unit::Word);
        let mut number = 0;
        while !schedule.is_full() {
            number += 1;
            assert!(number <= (MAX_BYTES / ENTRY_BYTES + 1) as u64);
            input(&mut schedule, number);
        }
        all(&mut schedule, None);
        assert_eq!(schedule.bytes, 0);
    }
}
