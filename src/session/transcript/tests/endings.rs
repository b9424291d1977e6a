//! How utterances end, and responses without a list (rules 5 to 9).
use super::*;

// Rule 5.

#[test]
fn rule_5_an_empty_definite_ends_its_match() {
    let mut stream = Stream::full();
    assert_eq!(
        brief(&stream.hear(500, &[Said::bare("", Some((100, 200))).definite()])),
        []
    );
    stream.hear(1500, &[said("uh", 500, 1000)]);
    let updates = stream.hear(2000, &[Said::bare("", Some((500, 1000))).definite()]);
    assert_eq!(brief(&updates), [(0, "", "F")]);
    assert_eq!(
        brief(&stream.hear(2000, &[Said::bare("", Some((500, 1000))).definite()])),
        []
    );
    // Nothing is settled there: it may turn out to be speech after all.
    assert_eq!(
        brief(&stream.hear(3000, &[said("Yes", 500, 1000)])),
        [(1, "Yes", "")]
    );
}

#[test]
fn rule_5_the_final_response_settles_all_that_it_lists() {
    let mut stream = Stream::full();
    stream.hear(1500, &[said("one", 500, 1000)]);
    let updates = stream.hear_last(3000, &[said("One", 500, 1000), said("two", 2000, 2500)]);
    assert_eq!(brief(&updates), [(0, "One", "F"), (1, "two", "F")]);
    assert_eq!(stream.tracker.final_until(), ms(3000));
    assert_eq!(stream.tracker.replay_needed_from(), ms(3000));
}

// Rule 6.

#[test]
fn rule_6_an_open_one_covered_by_others_is_withdrawn() {
    let mut stream = Stream::full();
    stream.hear(
        4000,
        &[said("one", 500, 1000), said("two three", 1300, 3000)],
    );
    let updates = stream.hear(4000, &[said("one two three", 500, 3000)]);
    assert_eq!(brief(&updates), [(1, "one two three", ""), (0, "", "F")]);
    assert_eq!(stream.transcript(), ["one two three"]);
}

#[test]
fn rule_6_half_is_not_enough_and_absence_means_nothing() {
    let mut stream = Stream::single();
    stream.hear(2000, &[said("one", 500, 1500)]);
    let updates = stream.hear(4000, &[said("two three", 1000, 3500)]);
    // By overlap of half the shorter they are the same.
    assert_eq!(brief(&updates), [(0, "two three", "")]);
    let mut stream = Stream::single();
    stream.hear(2000, &[said("one", 500, 1500), said("two", 1600, 3000)]);
    for _ in 0..3 {
        assert_eq!(brief(&stream.hear(4000, &[said("two", 1050, 3000)])), []);
    }
    assert!(stream.tracker.has_open());
}

#[test]
fn rule_6_two_speakers_at_once_stay() {
    let mut stream = Stream::full();
    let list = [
        said("Hello there", 0, 1000),
        said("Good morning", 100, 1100),
    ];
    stream.hear(2000, &list);
    let updates = stream.hear(3000, &[list[0].clone().definite(), list[1].clone()]);
    assert_eq!(brief(&updates), [(0, "Hello there", "F")]);
}

// Rule 7.

#[test]
fn rule_7_a_full_final_response_withdraws_what_it_leaves_out() {
    let mut stream = Stream::full();
    stream.hear(4000, &[said("one", 500, 1000), said("uh", 2100, 2400)]);
    let updates = stream.hear_last(4000, &[said("One.", 500, 1000).definite()]);
    assert_eq!(brief(&updates), [(0, "One.", "F"), (1, "", "F")]);
}

#[test]
fn rule_7_one_that_lists_settled_ones_only_does_too() {
    let mut stream = Stream::full();
    stream.hear(
        4000,
        &[said("One.", 500, 1000).definite(), said("uh", 2100, 2400)],
    );
    let updates = stream.hear_last(4000, &[said("One.", 500, 1000).definite()]);
    assert_eq!(brief(&updates), [(1, "", "F")]);
}

#[test]
fn rule_7_otherwise_open_ones_end_unconfirmed() {
    let mut stream = Stream::full();
    stream.hear(4000, &[said("one", 500, 1000)]);
    assert_eq!(brief(&stream.hear_last(4000, &[])), [(0, "one", "U")]);
    let mut stream = Stream::single();
    stream.hear(4000, &[said("one", 500, 1000), said("two", 2100, 2400)]);
    let updates = stream.hear_last(4000, &[said("Two.", 2100, 2400)]);
    assert_eq!(brief(&updates), [(1, "Two.", "F"), (0, "one", "U")]);
}

// Rule 8.

#[test]
fn rule_8_without_utterances_the_text_is_one() {
    let mut stream = Stream::full();
    assert_eq!(
        brief(&stream.hear_text(1000, "The", false)),
        [(0, "The", "")]
    );
    assert_eq!(brief(&stream.hear_text(1000, "The", false)), []);
    assert_eq!(brief(&stream.hear_text(1100, "", false)), []);
    assert_eq!(brief(&stream.raw("{}", false)), []);
    assert_eq!(
        brief(&stream.hear_text(2000, "The rain", false)),
        [(0, "The rain", "")]
    );
    let updates = stream.hear_text(3000, "The rain has stopped.", true);
    assert_eq!(brief(&updates), [(0, "The rain has stopped.", "F")]);
    assert!(updates[0].words.is_empty());
    assert_eq!((updates[0].start, updates[0].end), (None, None));
}

#[test]
fn rule_8_a_text_that_begins_anew_is_another() {
    let mut stream = Stream::full();
    stream.hear_text(1000, "The rain has stopped.", false);
    let updates = stream.hear_text(2000, "Let us", false);
    assert_eq!(
        brief(&updates),
        [(0, "The rain has stopped.", "U"), (1, "Let us", "")]
    );
    // Shorter, but the same beginning: revised.
    assert_eq!(
        brief(&stream.hear_text(2000, "Let", false)),
        [(1, "Let", "")]
    );
    // As long as before: revised.
    assert_eq!(
        brief(&stream.hear_text(2000, "bet", false)),
        [(1, "bet", "")]
    );
    assert_eq!(brief(&stream.hear_text(2000, "", true)), [(1, "bet", "U")]);
}

#[test]
fn rule_8_characters_count_not_bytes() {
    let mut stream = Stream::full();
    stream.hear_text(1000, "今天天气好", false);
    assert_eq!(
        brief(&stream.hear_text(2000, "oh no", false)),
        [(0, "oh no", "")]
    );
}

#[test]
fn rule_8_once_utterances_were_listed_their_sum_is_not_another() {
    let mut stream = Stream::full();
    assert_eq!(
        brief(&stream.hear_text(500, "The", false)),
        [(0, "The", "")]
    );
    assert_eq!(
        brief(&stream.hear(1000, &[said("The rain", 300, 900)])),
        [(0, "The rain", "")]
    );
    assert_eq!(brief(&stream.hear_text(2000, "The rain has", false)), []);
    assert_eq!(
        brief(&stream.hear_text(2000, "The rain has stopped.", true)),
        [(0, "The rain has stopped.", "F")]
    );
}

// Rule 9.

#[test]
fn rule_9_the_text_of_the_final_response_is_the_last_word() {
    let one = || said("The rain has stopped.", 500, 2000).definite();
    let (two, three) = (|| said("let us", 2500, 3000), || said("walk", 3300, 3600));
    let none: &[Said] = &[];
    for (open, text, expected) in [
        // It goes on where the open one or the settled one ended.
        (
            &[two()][..],
            "The rain has stopped. Let us go.",
            vec![(1, "Let us go.", "F")],
        ),
        (
            none,
            "The rain has stopped. Let us go.",
            vec![(1, "Let us go.", "F")],
        ),
        (none, "the rain has stopped", vec![]),
        // It differs, and is the last word all the same.
        (
            &[two()],
            "The rain has stopped. Lettuce.",
            vec![(1, "Lettuce.", "F")],
        ),
        (&[two()], "The rain has stopped.", vec![(1, "", "F")]),
        (
            &[two(), three()],
            "The rain has stopped. Let us. Walk on.",
            vec![(1, "Let us.", "F"), (2, "Walk on.", "F")],
        ),
        (
            &[two(), three()],
            "The rain has stopped. Lettuce walks.",
            vec![(1, "Lettuce walks.", "F"), (2, "", "F")],
        ),
        // What is settled is worded anew: there is no telling where the rest begins.
        (
            &[two()],
            "The train stopped. Let us go.",
            vec![(1, "let us", "U")],
        ),
        (&[two()], "", vec![(1, "let us", "U")]),
    ] {
        let mut stream = Stream::full();
        let list: Vec<_> = [one()].into_iter().chain(open.iter().cloned()).collect();
        stream.hear(4000, &list);
        let updates = stream.hear_text(4500, text, true);
        assert_eq!(brief(&updates), expected, "{text}");
        assert!(!stream.tracker.has_open());
    }
}

#[test]
fn rule_9_in_single_the_text_is_the_current_one_s() {
    for (open, text, expected) in [
        (true, "Let us go.", vec![(2, "Let us go.", "F")]),
        (true, "Lettuce.", vec![(2, "Lettuce.", "F")]),
        (true, "One. Two. Let us go.", vec![(2, "Let us go.", "F")]),
        (true, "Two. Let us go.", vec![(2, "Let us go.", "F")]),
        (false, "Two.", vec![]),
        (false, "Two. Let us go.", vec![(2, "Let us go.", "F")]),
        (false, "Let us go.", vec![(2, "Let us go.", "F")]),
    ] {
        let mut stream = Stream::single();
        stream.hear(1500, &[said("One.", 500, 1000).definite()]);
        stream.hear(2500, &[said("Two.", 1500, 2000).definite()]);
        if open {
            stream.hear(4000, &[said("let us", 2500, 3000)]);
        }
        let updates = stream.hear_text(4500, text, true);
        assert_eq!(brief(&updates), expected, "{text}");
    }
}

#[test]
fn rule_9_where_the_last_word_lies() {
    let mut stream = Stream::full();
    stream.hear(
        4000,
        &[
            said("The rain.", 500, 2000).definite(),
            said("let us", 2500, 3000),
        ],
    );
    let updates = stream.hear_text(4500, "The rain. Let us.", true);
    let times = |update: &Update| (update.start, update.end);
    assert_eq!(times(&updates[0]), (Some(ms(2500)), Some(ms(3000))));
    let mut stream = Stream::full();
    stream.hear(
        4000,
        &[
            said("The rain.", 500, 2000).definite(),
            said("let us", 2500, 3000),
        ],
    );
    let updates = stream.hear_text(4500, "The rain. Let us go.", true);
    assert_eq!(times(&updates[0]), (Some(ms(2500)), None));
}
