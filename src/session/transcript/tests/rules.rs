//! Each clause of how responses become utterances.
use super::script::script;
use super::*;

#[test]
fn new_changed_and_final_are_reported_but_times_alone_are_not() {
    let stream = script(
        "500: The@732-812                | 0 The
        700: The@592-672                 |
        900: The rain@592-1200           | 0 The rain
        900: The rain@592-1200#stream    | 0 The rain
        900: The rain@592-1200#stream    |
        2000: The rain@600-1210!#stream  | 0 The rain F
        times 0                          | 600-1210",
    );
    let attributes = &stream.latest[&0].attributes;
    assert_eq!(attributes, &[("source".to_owned(), "stream".to_owned())]);
}

#[test]
fn times_are_on_the_axis_of_the_stream() {
    script(
        "connect 60000
        2000: The rain@592-1200  | 0 The rain
        times 0                  | 60592-61200
        words 0                  | The@60592-60672 / rain@61120-61200
        processed                | 62000",
    );
}

#[test]
fn the_words_of_a_final_have_its_last_times() {
    script(
        "900: The rain@732-1300  | 0 The rain
        900: The rain@592-1160   |
        finalize                 | 0 The rain U
        words 0                  | The@592-672 / rain@1080-1160",
    );
}

#[test]
fn rule_1_empty_entries_that_are_not_definite_are_ignored() {
    script(
        "500: @-                      |
        900: The rain@592-1200 / @-   | 0 The rain
        900: @-                       |
        900:   @592-1200~             |
        900 last: @-                  | 0 The rain U",
    );
}

/// Speech from the first sample on comes without its zeros. Such a zero is a start like any other.
#[test]
fn rule_1_absent_times_are_those_of_the_words() {
    let word = r#"{"text":"rain","start_time":900,"end_time":980}"#;
    for (utterance, times, first_word) in [
        // The start, where the first word has no times, and where it has.
        (
            format!(r#""end_time":1200,"words":[{{"text":"The"}},{word}]"#),
            (5900, 6200),
            None,
        ),
        (
            format!(r#""end_time":1200,"words":[{{"end_time":80,"text":"The"}},{word}]"#),
            (5000, 6200),
            Some(5000),
        ),
        // The end.
        (
            format!(r#""start_time":500,"words":[{word}]"#),
            (5500, 5980),
            Some(5900),
        ),
    ] {
        let mut stream = script("connect 5000\n400: x@140-300 | 0 x\nsent 9000");
        let json = format!(
            r#"{{"result":{{"utterances":[{{"text":"The rain","definite":true,{utterance}}}]}}}}"#
        );
        let updates = stream.raw(&json, false);
        let is = |update: &Update| (update.start, update.end);
        assert_eq!(
            is(&updates[0]),
            (Some(ms(times.0)), Some(ms(times.1))),
            "{json}"
        );
        assert_eq!(updates[0].words[0].start, first_word.map(ms), "{json}");
    }
}

/// Sorted by start, the third begins where it ends, before the second's end.
#[test]
fn rule_1_an_absent_start_is_the_end_of_the_one_before() {
    script(
        "connect 5000
        4000: One@-1200 / Two@-2000 / Three@-1900  | 0 One / 1 Two / 2 Three
        times 0                                    | 5000-6200
        times 1                                    | 6200-7000
        times 2                                    | 6900-6900",
    );
}

/// It is only known to lie before where the service has worked to.
#[test]
fn rule_1_an_end_that_is_not_known_is_left_out() {
    script("2000: stops@1500- | 0 stops\n times 0 | 1500-");
}

#[test]
fn rule_2_settled_ones_come_again_and_are_skipped() {
    script(
        "2000: One.@500-1000!                             | 0 One. F
        3000: One, revised.@380-1190! / Two@2100-2400     | 1 Two
        3000: One@500-1000 / Two@2100-2400                |",
    );
    script(
        "single
        2000: One.@500-1000!  | 0 One. F
        2000: One.@500-1000!  |
        3000: Two@2100-2400   | 1 Two",
    );
}

#[test]
fn rule_2_sentences_260_ms_apart_are_two() {
    let all = "2000: Yes.@500-580! / Yes.@840-920! / Yes.@1180-1260!";
    script(&format!("{all} | 0 Yes. F / 1 Yes. F / 2 Yes. F\n {all} |"));
    // And when they come one by one.
    script(&format!(
        "2000: Yes.@500-580!                 | 0 Yes. F
        2000: Yes.@500-580! / Yes.@840-920!  | 1 Yes. F
        {all}                                | 2 Yes. F"
    ));
}

/// Words at 500, 1306, 2112, 2918; the second is beyond 1000 + 200.
#[test]
fn rule_3_words_inside_settled_speech_are_lost() {
    script(
        "2000: One two.@500-1000!              | 0 One two. F
        3500: One two. Three four.@500-3000    | 1 two. Three four.
        times 1                                | 1306-2998
        3500: One two. Three four.@500-3000    |
        3500: One two. Three four.@500-3000!   | 1 two. Three four. F
        3500: One two. Three four.@500-3000!   |",
    );
}

#[test]
fn rule_3_with_no_words_left_it_is_a_repeat() {
    script(
        "2000: One two three.@500-1500!            | 0 One two three. F
        2000: Two three@950-1600 / Four@1760-1840  | 1 Four",
    );
    // Without timed words, half of it covered is enough.
    script(
        "2000: One.@500-1000!~    | 0 One. F
        2000: One two@500-1500~   |
        2000: One two@600-1600~   | 1 One two",
    );
}

/// Two speakers at once.
#[test]
fn rule_3_utterances_of_one_response_do_not_trim_each_other() {
    let list = "3000: Hello there.@0-1000! / Good morning.@400-1600!";
    script(&format!(
        "{list} | 0 Hello there. F / 1 Good morning. F\n {list} |"
    ));
}

// Rule 4: also in `matching`.

#[test]
fn rule_4_lists_shrink_and_grow() {
    script(
        "3000: One@500-1000 / Two@2100-2400       | 0 One / 1 Two
        3000: Two@2100-2400                       |
        3000:                                     |
        3000: One@500-1000                        |
        4000: Two more@2100-2800                  | 1 Two more
        4000: One@500-1000 / Two more@2100-2800   |",
    );
}

#[test]
fn rule_4_a_late_second_pass_out_of_order() {
    script(
        "single
        1500: won@500-1000                                | 0 won
        3000: two@2100-2600                               | 1 two
        4000: Two.@2100-2620!#two_pass                    | 1 Two. F
        final                                             | 0
        4500: three@3600-3900 / One.@480-1020!#two_pass   | 0 One. F / 2 three
        final                                             | 2620
        shown                                             | One. / Two. / three",
    );
}

#[test]
fn rule_4_without_times_by_order() {
    script(
        "1000: one@-                      | 0 one
        2000: one@- / two@-               | 1 two
        3000: One.@-! / two and@-         | 0 One. F / 1 two and
        times 0                           | -
        4000: One.@-! / Two.@-! / One.@-  | 1 Two. F / 2 One.
        4000 last: One.@-! / Two.@-! / One.@-! | 2 One. F",
    );
}

#[test]
fn rule_4_times_that_come_late_are_taken_up() {
    script(
        "1000: one@-               | 0 one
        2000: one more@300-900     | 0 one more
        times 0                    | 300-900",
    );
}
