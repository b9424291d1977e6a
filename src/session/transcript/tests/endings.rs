//! How utterances end, and responses without a list (rules 5 to 9).
use super::script::script;

/// Nothing is settled there: it may turn out to be speech after all.
#[test]
fn rule_5_an_empty_definite_ends_its_match() {
    script(
        "500: @100-200!~    |
        1500: uh@500-1000   | 0 uh
        2000: @500-1000!~   | 0 F
        2000: @500-1000!~   |
        3000: Yes@500-1000  | 1 Yes",
    );
}

#[test]
fn rule_5_the_final_response_settles_all_that_it_lists() {
    script(
        "1500: one@500-1000                        | 0 one
        3000 last: One@500-1000 / two@2000-2500    | 0 One F / 1 two F
        final                                      | 3000
        needed                                     | 3000",
    );
}

#[test]
fn rule_6_an_open_one_covered_by_others_is_withdrawn() {
    script(
        "4000: one@500-1000 / two three@1300-3000  | 0 one / 1 two three
        4000: one two three@500-3000               | 1 one two three / 0 F
        shown                                      | one two three",
    );
}

#[test]
fn rule_6_half_is_not_enough_and_absence_means_nothing() {
    // By overlap of half the shorter they are the same.
    script(
        "single
        2000: one@500-1500         | 0 one
        4000: two three@1000-3500  | 0 two three",
    );
    let stream = script(
        "single
        2000: one@500-1500 / two@1600-3000  | 0 one / 1 two
        4000: two@1050-3000                 |
        4000: two@1050-3000                 |",
    );
    assert!(stream.tracker.has_open());
}

#[test]
fn rule_6_two_speakers_at_once_stay() {
    script(
        "2000: Hello there@0-1000 / Good morning@100-1100   | 0 Hello there / 1 Good morning
        3000: Hello there@0-1000! / Good morning@100-1100   | 0 Hello there F",
    );
}

#[test]
fn rule_7_a_full_final_response_withdraws_what_it_leaves_out() {
    script(
        "4000: one@500-1000 / uh@2100-2400  | 0 one / 1 uh
        4000 last: One.@500-1000!           | 0 One. F / 1 F",
    );
    // Also if it lists settled ones only.
    script(
        "4000: One.@500-1000! / uh@2100-2400  | 0 One. F / 1 uh
        4000 last: One.@500-1000!             | 1 F",
    );
}

#[test]
fn rule_7_otherwise_open_ones_end_unconfirmed() {
    script("4000: one@500-1000 | 0 one\n 4000 last: | 0 one U");
    script(
        "single
        4000: one@500-1000 / two@2100-2400  | 0 one / 1 two
        4000 last: Two.@2100-2400           | 1 Two. F / 0 one U",
    );
}

#[test]
fn rule_8_without_utterances_the_text_is_one() {
    let mut stream = script("1000 text: The | 0 The");
    assert_eq!(stream.raw("{}", false), []);
    stream.play(
        "1000 text: The                           |
        1100 text:                                |
        2000 text: The rain                       | 0 The rain
        3000 last-text: The rain has stopped.     | 0 The rain has stopped. F
        words 0                                   |
        times 0                                   | -",
    );
}

#[test]
fn rule_8_a_text_that_begins_anew_is_another() {
    script(
        "1000 text: The rain has stopped.  | 0 The rain has stopped.
        2000 text: Let us                  | 0 The rain has stopped. U / 1 Let us
        2000 text: Let                     | 1 Let
        2000 text: bet                     | 1 bet
        2000 last-text:                    | 1 bet U",
    );
    // A short text ends like the other one by chance.
    script(
        "1000 text: The rain has stopped.  | 0 The rain has stopped.
        2000 text: Red                     | 0 The rain has stopped. U / 1 Red",
    );
    // Characters count, not bytes.
    script("1000 text: 今天天气好 | 0 今天天气好\n 2000 text: oh no | 0 oh no");
}

#[test]
fn rule_8_once_utterances_were_listed_their_sum_is_not_another() {
    script(
        "500 text: The                          | 0 The
        1000: The rain@300-900                  | 0 The rain
        2000 text: The rain has                 |
        2000 last-text: The rain has stopped.   | 0 The rain has stopped. F",
    );
}

#[test]
fn rule_9_the_text_of_the_final_response_is_the_last_word() {
    let one = "4000: The rain has stopped.@500-2000!";
    let none = format!("{one} | 0 The rain has stopped. F");
    let open = format!("{one} / let us@2500-3000 | 0 The rain has stopped. F / 1 let us");
    for (before, last) in [
        // It continues where the open one or the settled one ended.
        (&open, "The rain has stopped. Let us go. | 1 Let us go. F"),
        (&none, "The rain has stopped. Let us go. | 1 Let us go. F"),
        (&none, "the rain has stopped |"),
        // It differs, and is the last word all the same.
        (&open, "The rain has stopped. Lettuce. | 1 Lettuce. F"),
        (&open, "The rain has stopped. | 1 F"),
        (&open, "Let us go. | 1 Let us go. F"),
        // The settled text is worded anew: there is no telling where the rest begins.
        (&open, "The train stopped. Let us go. | 1 let us U"),
        (&open, "| 1 let us U"),
    ] {
        let stream = script(&format!("{before}\n 4500 last-text: {last}"));
        assert!(!stream.tracker.has_open());
    }
    // Those that it repeats are utterances of their own.
    let two = "4000: One.@500-1000! / two@1500-2000 / three@2500-3000 | 0 One. F / 1 two / 2 three";
    for last in [
        "One. Two. Three four. | 1 Two. F / 2 Three four. F",
        "One. To three. | 2 To three. F / 1 F",
    ] {
        script(&format!("{two}\n 4500 last-text: {last}"));
    }
}

#[test]
fn rule_9_in_single_the_text_is_the_current_one_s() {
    let (open, none) = ("4000: let us@2500-3000 | 2 let us", "");
    for (open, last) in [
        (open, "Let us go. | 2 Let us go. F"),
        (open, "Lettuce. | 2 Lettuce. F"),
        (open, "One. Two. Let us go. | 2 Let us go. F"),
        (open, "Two. Let us go. | 2 Let us go. F"),
        (none, "Two. |"),
        (none, "Two. Let us go. | 2 Let us go. F"),
        (none, "Let us go. | 2 Let us go. F"),
    ] {
        script(&format!(
            "single
            1500: One.@500-1000!    | 0 One. F
            2500: Two.@1500-2000!   | 1 Two. F
            {open}
            4500 last-text: {last}"
        ));
    }
}

/// Beside settled text that the current one begins with.
#[test]
fn rule_9_in_single_an_open_one_may_begin_like_a_settled_one() {
    for (settled, open, last) in [
        ("Yes.", "Yes I know", "Yes, I know. | 1 Yes, I know. F"),
        ("Yes.", "Yes", "Yes. | 1 Yes. F"),
        ("Yes.", "Yes", "Yes. Yes. | 1 Yes. F"),
        ("好。", "好的", "好的，我们走。 | 1 好的，我们走。 F"),
        ("好。", "没有", "好的，我们走。 | 1 好的，我们走。 F"),
        (
            "Yes.",
            "let us / go",
            "Let us. Go on. | 1 Let us. F / 2 Go on. F",
        ),
        ("Yes.", "let us / go", "Go on. | 2 Go on. F / 1 let us U"),
    ] {
        let open: Vec<&str> = open.split(" / ").collect();
        let said =
            |(n, text): (usize, &&str)| format!("{text}@{}-{}", 2500 + 700 * n, 3000 + 700 * n);
        let said: Vec<String> = open.iter().enumerate().map(said).collect();
        let shown: Vec<String> = (1..)
            .zip(&open)
            .map(|(n, text)| format!("{n} {text}"))
            .collect();
        script(&format!(
            "single
            1500: {settled}@500-1000! | 0 {settled} F
            4000: {}                  | {}
            4500 last-text: {last}",
            said.join(" / "),
            shown.join(" / "),
        ));
    }
}

#[test]
fn rule_9_where_the_last_word_lies() {
    let open = "4000: The rain.@500-2000! / let us@2500-3000 | 0 The rain. F / 1 let us";
    for (text, last, times) in [
        ("The rain. Let us.", "Let us.", "2500-3000"),
        ("The rain. Let us go.", "Let us go.", "2500-"),
    ] {
        script(&format!(
            "{open}\n 4500 last-text: {text} | 1 {last} F\n times 1 | {times}"
        ));
    }
}
