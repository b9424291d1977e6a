//! A connection that is lost and restored: numbers, and interim results that are held.
use super::script::script;
use super::*;

#[test]
fn interim_results_are_held_until_their_text_reaches_as_far() {
    let stream = script(
        "3000: One.@500-1000! / two three four@1260-2900  | 0 One. F / 1 two three four
        lose                                              | from 1130
        700: two@130-370                                  |
        1869: two three@130-1270                          |
        1870: two three four@130-1770                     |
        2000: two three four five@130-1970                | 1 two three four five",
    );
    assert_eq!(stream.latest[&1].start, Some(ms(1260)));
}

/// Text comes up to two seconds after the service reports its audio as processed.
#[test]
fn text_that_lags_does_not_go_back() {
    for then in [
        "10950: A b c d@1000-8000      | 0 A b c d",
        "10950: A b c.@1000-7900!      | 0 A b c. F",
        // Text that has not come after two seconds does not come.
        "11000: a b c@1000-7900        | 0 a b c",
    ] {
        script(&format!(
            "9000: a b c d@1000-8000    | 0 a b c d
            lose                        | from 0
            9000: a b@1000-4000         |
            10900: a b c@1000-7900      |
            {then}"
        ));
    }
}

/// The end of a word that was just recognised is up to 140 ms late.
#[test]
fn a_beginning_of_the_shown_text_is_held_however_late_it_ends() {
    for (text, is) in [
        ("one", ""),
        ("One.", ""),
        ("one two", "0 one two"),
        ("12", "0 12"),
        ("one to", "0 one to"),
    ] {
        script(&format!(
            "3000: One, two@1000-1380  | 0 One, two
            lose                       | from 0
            1500: {text}@1140-1400     | {is}"
        ));
    }
}

#[test]
fn without_ends_the_longer_text_reaches_farther() {
    script(
        "9000 text: The rain has stopped      | 0 The rain has stopped
        lose                                  | from 0
        9500 text: The rain has               |
        10000 text: The rain has stopped.     | 0 The rain has stopped.",
    );
}

/// Text without a duration may be of all the audio that was sent.
#[test]
fn text_without_a_duration_is_held_too() {
    for (before, sent, shorter) in [
        ("3000 text: The rain | 0 The rain", 5000, 7000),
        // A connection without any duration.
        ("sent 1000", 4000, 6000),
    ] {
        script(&format!(
            "{before}
            sent {sent}
            - text: The rain has stopped     | 0 The rain has stopped
            lose                             | from 0
            {} text: The rain has            |
            {shorter} text: The rain has     | 0 The rain has",
            shorter - 100
        ));
    }
    // Unless a duration followed; and longer text is not waited for.
    script(
        "sent 9000
        - text: The rain                    | 0 The rain
        4000 text: The rain has stopped     | 0 The rain has stopped
        lose                                | from 0
        5900 text: The rain has             |
        6000 text: The rain has             | 0 The rain has
        - text: The rain has stopped        | 0 The rain has stopped
        lose                                | from 0
        - text: The rain has stopped. Let   | 0 The rain has stopped. Let",
    );
}

/// It has neither text nor duration.
#[test]
fn the_answer_to_the_request_does_not_end_the_wait() {
    let mut stream = script(
        "9000: a b c@1000-8000   | 0 a b c
        lose                     | from 0
        sent 20000",
    );
    assert_eq!(stream.raw(r#"{"result":{}}"#, false), []);
    stream.play("9000: a b@1000-4000 |");
}

/// Still held: the first connection had processed 3000 ms.
#[test]
fn the_held_text_is_posted_when_the_connection_is_lost_for_good() {
    script(
        "3000: two three four@1260-2900  | 0 two three four
        lose                             | from 0
        1000: two@1260-1340              |
        lose                             | from 0
        1500: two three@1260-2000        |
        finalize                         | 0 two three four U",
    );
}

#[test]
fn finals_are_not_held() {
    script(
        "9000: one@500-1000 / two@5000-6000         | 0 one / 1 two
        lose                                        | from 0
        2000: One.@500-1000!                        | 0 One. F
        6000 last: One.@500-1000! / Two@5000-6000   | 1 Two F",
    );
}

#[test]
fn with_nothing_open_nothing_is_held() {
    script(
        "9000: One.@500-1000!  | 0 One. F
        lose                   | from 7000
        1000: two@300-700      | 1 two",
    );
}

/// Two open ones now: the second would show the words again that the first still has.
#[test]
fn a_new_cut_while_held_is_not_doubled() {
    script(
        "6000: one two three four@592-4252                 | 0 one two three four
        lose                                               | from 0
        3000: one two@600-2000 / three@2400-2600           |
        6000: one two@600-2000 / three four@2400-4256      | 1 one two / 0 three four",
    );
}

/// Processed to 40 s, one utterance open from 15 s on, lost; the next connection is at 16.9 s, and
/// cuts it at 16 s.
fn cut_shorter(list: &str) -> Stream {
    let stream = script(&format!(
        "14000: Zero.@500-13000!                                   | 0 Zero. F
        40000: Zero.@500-13000! / a b c d e f g h@15000-39000      | 1 a b c d e f g h
        lose                                                       | from 13400
        2000:                                                      |
        3500: {list}"
    ));
    assert!(stream.tracker.replay_needed_from() <= stream.tracker.processed_until());
    stream
}

/// The speech after the cut belongs to no utterance now, so the next connection must recognise it.
#[test]
fn an_utterance_that_is_cut_shorter_leaves_no_hole() {
    cut_shorter("A b.@1600-2600! | 1 A b. F").play("lose | from 16400");
    // It was taken back.
    cut_shorter("@1600-2600!~ | 1 F").play("lose | from 14900");
    // Where its rest was recognised already, no word of it is cut, and nothing stands that it could
    // take back.
    cut_shorter("A b.@1600-2600! / c@2800-2880 | 1 A b. F").play(
        "lose                                     | from 16100
        1000: c d@100-600                         | 2 c d
        24000 last: C d e f g h.@100-22900        | 2 C d e f g h. F
        shown                                     | Zero. / A b. / C d e f g h.",
    );
}

/// The rest of the first is held because of the second, which is still open: it is not cut by
/// another loss.
#[test]
fn held_text_survives_another_loss() {
    script(
        "40000: a b c@15000-20000 / x y@35000-39000    | 0 a b c / 1 x y
        lose                                           | from 0
        16900: A b.@15000-16000! / c@16200-16280       | 0 A b. F
        lose                                           | from 16100",
    );
}

/// Audio before the replay is not requested. If it is sent all the same, speech that ends in it is
/// a repeat.
#[test]
fn entries_that_end_before_the_replay_are_dropped() {
    script(
        "9000: One.@500-1000! / two@5000-6000      | 0 One. F / 1 two
        restart                                    | from 1400
        connect 0                                  |
        9000: hm@1100-1390! / Two.@5000-6000!      | 1 Two. F",
    );
}

#[test]
fn a_final_response_speaks_for_the_lost_connection_too() {
    for (mode, follows) in [("", "0 One. F / 1 F"), ("single", "0 One. F / 1 two U")] {
        script(&format!(
            "{mode}
            9000: one@500-1000 / two@5000-6000  | 0 one / 1 two
            lose                                | from 0
            9000 last: One.@500-1000!           | {follows}"
        ));
    }
}
