//! A connection that is lost and restored: each clause.
use super::script::{described, script};
use super::*;

// 1: where to begin.

#[test]
fn a_replay_begins_in_the_pause_before_the_first_speech_that_is_not_final() {
    // In the middle of a short pause; at most 400 ms into a long one.
    script(
        "3000: One.@500-1000! / two@1260-2000  | 0 One. F / 1 two
        final                                  | 1000
        needed                                 | 1130
        lose                                   | from 1130",
    );
    script("9000: One.@500-1000! / two@5000-6000 | 0 One. F / 1 two\n lose | from 1400");
    // At the origin without anything settled.
    script(
        "connect 10000
        3000: one@100-1000  | 0 one
        final               | 10000
        lose                | from 10000",
    );
    // Never before what is settled, however early a start is.
    script(
        "4000: One.@500-1000! / two three four five@950-3000 | 0 One. F / 1 two three four five
        lose                                                 | from 1000",
    );
}

#[test]
fn with_nothing_open_it_begins_as_far_back_as_results_may_be_late() {
    script(
        "needed                       | 0
        60000:                        |
        needed                        | 58000
        61000: One.@60000-60500!      | 0 One. F
        lose                          | from 60750",
    );
    Stream::with_delay(ResultType::Full, ms(20_000)).play(
        "14000:   |
        needed    | 0
        60000:    |
        lose      | from 40000",
    );
}

#[test]
fn the_replay_starts_before_the_first_open_utterance() {
    script(
        "single
        4000: one@500-1000 / Two.@2000-2500! / three@3000-3500    | 0 one / 1 Two. F / 2 three
        final                                                     | 0
        lose                                                      | from 0
        4000: One.@510-1000! / Two.@2000-2510! / Three.@3000-3500! | 0 One. F / 2 Three. F",
    );
}

#[test]
fn a_second_loss_begins_at_the_same_place() {
    script(
        "3000: One.@500-1000! / two@2260-2500  | 0 One. F / 1 two
        lose                                   | from 1400
        lose                                   | from 1400
        100:                                   |
        lose                                   | from 1400",
    );
    // Also with nothing open, and as long as the connection has processed less than the lost one.
    script(
        "9000: One.@500-1000!  | 0 One. F
        lose                   | from 7000
        500:                   |
        lose                   | from 7000
        2500:                  |
        lose                   | from 7500",
    );
}

// 2: the window has moved on.

#[test]
fn a_window_that_begins_right_behind_what_is_settled_leaves_its_tail_out() {
    script(
        "6000: a b@500-1500 / Three.@2000-2500! / d@3500-4000  | 0 a b / 1 Three. F / 2 d
        lose 2530                                              | from 2900 / 0 a b U",
    );
}

/// A start that is left out is shown as the end before it. The window may have moved on from there
/// before anything more was said.
#[test]
fn a_window_behind_what_is_settled_does_not_end_text_without_a_start() {
    script(
        "7000: One.@500-5000!                    | 0 One. F
        needed                                   | 5400
        9000: One.@500-5000! / two@-7000~        | 1 two
        lose 5150                                | from 5150
        2000 last: Two three.@100-2000           | 1 Two three. F",
    );
    script(
        "30000: One.@500-5000!                   | 0 One. F
        needed                                   | 28000
        30000: One.@500-5000! / two@-29500~      | 1 two
        lose 27750                               | from 27750
        2000 last: Two three.@100-2000           | 1 Two three. F",
    );
}

/// Words at 1000, 1640, 2280, 2920. The rest begins at the very start of the connection, and loses
/// nothing.
#[test]
fn words_before_the_window_end_unconfirmed_and_the_rest_comes_again() {
    script(
        "4000: one two, three four@1000-3000  | 0 one two, three four
        lose 2000                             | from 2000 / 0 one two, U
        times 0                               | 1000-1720
        1000: three@0-360                     | 1 three
        2000 last: Three four.@0-1000         | 1 Three four. F
        shown                                 | one two, / Three four.",
    );
}

/// A word that the window cuts can't be sent whole again: it ends with those before it, and the
/// replay begins behind it.
#[test]
fn each_word_around_the_window_comes_once() {
    // The window, and what the restart does.
    for (window, follows) in [
        (1400, "from 1400 / 0 one U"),
        (1499, "from 1499 / 0 one U"),
        (1501, "from 1900 / 0 one two U"),
        (1600, "from 1900 / 0 one two U"),
        (1799, "from 1900 / 0 one two U"),
        (1950, "from 1950 / 0 one two U"),
    ] {
        let mut stream = Stream::full();
        let mut all = timed("one two three", 1000, 2300);
        let word = |text: &str, start, end| (text.into(), start, end);
        all.words = vec![
            word("one", 1000, 1300),
            word("two", 1500, 1800),
            word("three", 2000, 2300),
        ];
        stream.respond(2500, &[all]);
        stream.play(&format!("lose {window} | {follows}"));
        // As early as the connection may report it.
        let rest = timed("three", 0, 200);
        let rest = match window < 1500 {
            true => timed("two three", 0, 800),
            false => rest,
        };
        let text = rest.text.clone();
        assert_eq!(
            described(&stream.respond(1500, &[rest])),
            [format!("1 {text}")]
        );
    }
}

#[test]
fn a_word_that_the_window_cuts_is_not_in_the_way_of_the_next() {
    let mut stream = Stream::full();
    let mut long = timed("one two", 1000, 3000);
    long.words = vec![("one".into(), 1000, 2400), ("two".into(), 2500, 3000)];
    stream.respond(4000, &[long]);
    stream.play("lose 2000 | from 2450 / 0 one U");
    let mut rest = timed("two", 0, 1000);
    rest.words = vec![("two".into(), 60, 140)];
    assert_eq!(described(&stream.respond(2000, &[rest])), ["1 two"]);
}

#[test]
fn an_utterance_with_only_an_early_start_before_the_window_keeps_its_number() {
    let mut stream = Stream::full();
    let mut early = timed("two", 1172, 2000);
    early.words = vec![("two".into(), 1532, 1612)];
    stream.respond(3000, &[early]);
    stream.play("lose 1400 | from 1400\n 2000 last: Two.@100-600 | 0 Two. F");
}

/// Also from within the pause after it, as after a settled one.
#[test]
fn without_timed_words_it_ends_whole_and_the_window_moves_to_its_end() {
    let stream = script(
        "9000: one@1000-3000~ / two@2900-4000~ / three@5000-6000~  | 0 one / 1 two / 2 three
        lose 2000                                                  | from 4400 / 0 one U / 1 two U",
    );
    assert!(stream.tracker.has_open());
}

/// The window may begin as late as where a restart would have begun before.
#[test]
fn a_start_that_is_left_out_is_no_earlier_one() {
    script(
        "6000: One.@500-1000! / two three@5000-5900        | 0 One. F / 1 two three
        needed                                             | 1400
        7000: One.@500-1000! / two three four@-6900        | 1 two three four
        times 1                                            | 5000-6900
        lose 1400                                          | from 1400",
    );
}

#[test]
fn what_lies_before_the_window_ends_if_it_is_speech() {
    script("9000: one two@1000-3000 | 0 one two\n lose 5000 | from 5000 / 0 one two U");
    script("9000: One.@500-1000! / two@5000-6000 | 0 One. F / 1 two\n lose 4000 | from 4000");
}

#[test]
fn a_text_without_utterances_is_recognised_again_from_the_start_or_ends_whole() {
    let mut stream = script(
        "3000 text: The rain has stopped       | 0 The rain has stopped
        lose                                   | from 0
        1000 text: The                         |
        4000 text: The rain has stopped. Let   | 0 The rain has stopped. Let",
    );
    // All of it is sent again; a part; nothing.
    for (window, loses) in [(0, false), (1000, true), (4000, false)] {
        assert_eq!(stream.tracker.would_lose_untimed_words(ms(window)), loses);
    }
    stream.play("lose 1000 | from 4000 / 0 The rain has stopped. Let U");
}

#[test]
fn an_end_that_no_audio_has_reached_does_not_skip_what_comes() {
    script("3000: one@1000-4294967296~ | 0 one\n lose 2000 | from 3000 / 0 one U");
}

/// Where the window has cut the utterance, its rest may be cut again.
#[test]
fn a_rest_that_is_cut_shorter_leaves_no_hole() {
    script(
        "40000: a b c d e f g h@15000-39000  | 0 a b c d e f g h
        lose 30000                           | from 30000 / 0 a b c d e U
        4000: F.@2000-2500!                  | 1 F. F
        lose 30000                           | from 32900",
    );
}

// 3: ends.

#[test]
fn between_connections_responses_are_ignored() {
    script(
        "3000: one@1260-2900       | 0 one
        restart                    | from 0
        3100: one two@1260-3000    |
        finalize                   | 0 one U
        connect 9000               |
        final                      | 9000",
    );
}

#[test]
fn memory_is_bounded_by_a_connection() {
    let mut stream = Stream::full();
    for connection in 0..20 {
        stream.connect(ms(connection * 100_000));
        let list: Vec<_> = (0..100)
            .map(|i| timed("Yes.", i * 1000, i * 1000 + 500).definite())
            .collect();
        assert_eq!(stream.respond_last(100_000, &list).len(), 100);
        assert!(stream.tracker.utterances.settled().len() <= 102);
    }
}

/// Audio that leaves the window is settled, or so old that its words are known.
#[test]
fn the_window_gives_up_settled_or_old_audio() {
    script(
        "sent 60000
        resolved                              | 0
        9000: one two three@500-8900          | 0 one two three
        needed                                | 0
        resolved                              | 7000
        10000: One two three.@500-9000!       | 0 One two three. F
        resolved                              | 9400",
    );
}

#[test]
fn audio_is_quiet_up_to_open_or_expected_text() {
    script(
        "quiet 1000                            | 0
        quiet 5000                             | 3000
        4000: one@2500-3500 / two@3600-3900    | 0 one / 1 two
        quiet 4000                             | 2000
        quiet 9000                             | 2500
        4500: One.@2500-3500! / two@3600-3900  | 0 One. F
        quiet 4500                             | 3500
        quiet 9000                             | 3600
        lose                                   | from 3550
        quiet 9000                             | 3600",
    );
}

#[test]
fn audio_behind_the_last_final_word_may_hold_more() {
    // The list, the progress, and the position from which words may be missing.
    for (list, processed, from) in [
        ("|", 300, 300),
        ("|", 900, 400),
        ("One.@500-1000! | 0 One. F", 1300, 1300),
        ("One.@500-1000! | 0 One. F", 2000, 1400),
        ("One.@500-1000! | 0 One. F", 60_000, 58_000),
        ("One.@500-1000 | 0 One.", 1100, 500),
        ("One.@500-1000 | 0 One.", 60_000, 500),
        (
            "One.@500-1000! / two@1100-1300 | 0 One. F / 1 two",
            1350,
            1100,
        ),
    ] {
        let mut stream = script(&format!("{processed}: {list}\n unconfirmed | {from}"));
        stream.respond_last(processed, &[]);
        stream.play(&format!("unconfirmed | {processed}"));
    }
}
