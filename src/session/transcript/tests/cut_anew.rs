//! A new connection settles a part of an open utterance under a number of its own: no word is
//! recognised twice.
use super::*;

/// The utterance of the lost connection, with the words at 182, 3155, 6128 and 9101.
fn open() -> Stream {
    let mut stream = Stream::single();
    stream.hear(9500, &[said("one two three four", 182, 9182)]);
    assert_eq!(stream.restart(0).0, ms(0));
    stream.connect(ms(0));
    stream
}

/// The new connection cuts off its first word, and the rest keeps the number.
fn settle_first(stream: &mut Stream) {
    let updates = stream.hear(
        5000,
        &[said("One.", 171, 316).definite(), said("two", 3050, 3250)],
    );
    assert_eq!(brief(&updates), [(1, "One.", "F")]);
}

/// Another loss cuts off the second word.
fn settle_second(stream: &mut Stream) {
    let begin = stream.restart(0).0;
    stream.connect(begin);
    let from = begin.as_millis() as i64;
    let updates = stream.hear(
        7000 - from as u64,
        &[
            said("Two.", 3100 - from, 3300 - from).definite(),
            said("three", 6000 - from, 6300 - from),
        ],
    );
    assert_eq!(brief(&updates), [(2, "Two.", "F")]);
}

#[test]
fn a_settled_part_of_an_open_utterance_is_not_replayed() {
    let mut stream = open();
    settle_first(&mut stream);
    // From the pause before "two", not from where "one" ends: its tail would be a word once more.
    assert_eq!(stream.restart(0).0, ms(316 + 400));
}

#[test]
fn nor_when_it_is_too_long_ago_to_be_compared() {
    let mut stream = open();
    settle_first(&mut stream);
    settle_second(&mut stream);
    for _ in 0..3 {
        assert_eq!(stream.restart(0).0, ms(3300 + 400));
        stream.connect(ms(3700));
    }
}

#[test]
fn an_unconfirmed_end_leaves_out_the_settled_part() {
    let mut stream = open();
    settle_first(&mut stream);
    settle_second(&mut stream);
    assert_eq!(brief(&stream.give_up()), [(0, "three four", "U")]);
    assert_eq!(stream.transcript(), ["One.", "Two.", "three four"]);
}

#[test]
fn so_does_what_the_window_has_moved_past() {
    let mut stream = open();
    settle_first(&mut stream);
    settle_second(&mut stream);
    let (_, updates) = stream.restart(7000);
    assert_eq!(brief(&updates), [(0, "three", "U")]);
}

#[test]
fn an_utterance_that_touches_a_settled_one_keeps_its_words() {
    let mut stream = Stream::full();
    // A start that is early: before the end of the one before.
    stream.hear(
        4000,
        &[
            said("One.", 500, 1000).definite(),
            said("two three four five", 950, 3000),
        ],
    );
    let ended = stream.give_up();
    assert_eq!(brief(&ended), [(1, "two three four five", "U")]);
}

/// A start may be reported so early that it lies in the words before.
fn early(text: &str, start: i64, word: i64) -> Said {
    Said {
        times: Some((start, word + 80)),
        ..said(text, word, word + 80)
    }
}

#[test]
fn utterances_that_end_together_keep_their_words() {
    let mut stream = Stream::full();
    stream.hear(
        4000,
        &[said("one two three", 500, 3000), early("Yes", 2700, 3060)],
    );
    let ended = stream.give_up();
    assert_eq!(brief(&ended), [(0, "one two three", "U"), (1, "Yes", "U")]);
}

#[test]
fn so_does_what_leaves_the_window_together() {
    let mut stream = Stream::full();
    stream.hear(
        9000,
        &[
            said("one two three", 500, 3000),
            early("Yes", 2700, 3060),
            said("four five", 4000, 8000),
        ],
    );
    let (_, ended) = stream.restart(3500);
    assert_eq!(brief(&ended), [(0, "one two three", "U"), (1, "Yes", "U")]);
}
