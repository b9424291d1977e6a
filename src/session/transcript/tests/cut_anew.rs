//! A new connection settles a part of an open utterance under a number of its own: no word is
//! recognised twice.
use super::script::{described, script};
use super::*;

/// The utterance of the lost connection, with the words at 182, 3155, 6128 and 9101. The new one
/// cuts off its first word, and the rest keeps the number.
const FIRST: &str = "single
    9500: one two three four@182-9182     | 0 one two three four
    lose                                  | from 0
    5000: One.@171-316! / two@3050-3250   | 1 One. F";

/// Another loss cuts off the second word.
const SECOND: &str = "
    lose                                  | from 716
    6284: Two.@2384-2584! / three@5284-5584  | 2 Two. F";

/// From the pause before "two", not from where "one" ends: its tail would be a word once more.
#[test]
fn a_settled_part_of_an_open_utterance_is_not_replayed() {
    script(&format!("{FIRST}\n lose | from 716"));
}

#[test]
fn nor_when_it_is_too_long_ago_to_be_compared() {
    script(&format!(
        "{FIRST}{SECOND}\n lose | from 3700\n lose | from 3700\n lose | from 3700"
    ));
}

#[test]
fn an_unconfirmed_end_leaves_out_the_settled_part() {
    script(&format!(
        "{FIRST}{SECOND}
        finalize | 0 three four U
        shown    | One. / Two. / three four"
    ));
    // So does what the window has moved past.
    script(&format!(
        "{FIRST}{SECOND}\n restart 7000 | from 7000 / 0 three U"
    ));
}

/// A start that is early: before the end of the one before.
#[test]
fn an_utterance_that_touches_a_settled_one_keeps_its_words() {
    script(
        "4000: One.@500-1000! / two three four five@950-3000  | 0 One. F / 1 two three four five
        finalize                                              | 1 two three four five U",
    );
}

/// A start may be reported so early that it lies in the words before.
#[test]
fn utterances_that_end_together_keep_their_words() {
    let yes = Utterance {
        times: Some((2700, 3140)),
        ..timed("Yes", 3060, 3140)
    };
    let list = [
        timed("one two three", 500, 3000),
        yes,
        timed("four five", 4000, 8000),
    ];
    for (end, follows) in [
        ("finalize", "0 one two three U / 1 Yes U / 2 four five U"),
        ("restart 3500", "from 3540 / 0 one two three U / 1 Yes U"),
    ] {
        let mut stream = Stream::full();
        stream.respond(9000, &list);
        stream.play(&format!("{end} | {follows}"));
    }
}

/// It begins so early that less than half of it lies in the open one. Its word tells.
#[test]
fn a_settled_word_with_an_early_start_is_a_part() {
    let mut stream = script(
        "single
        5000: one two three@1090-4000  | 0 one two three
        lose                           | from 0",
    );
    let one = Utterance {
        times: Some((1000, 1168)),
        ..timed("One.", 1088, 1168).definite()
    };
    let list = [one, timed("two", 2500, 2700)];
    assert_eq!(described(&stream.respond(3000, &list)), ["1 One. F"]);
    stream.play("lose | from 1568\n finalize | 0 two three U");
}

/// Less than half of the open one lies in it, and not the middle of the word that they share.
#[test]
fn a_settled_utterance_that_begins_with_an_open_word_has_it() {
    let one = Utterance {
        times: Some((1090, 1294)),
        ..timed("one", 1214, 1294)
    };
    let mut stream = Stream::new(ResultType::Single);
    let list = [one, timed("two three", 1800, 2337)];
    let updates = described(&stream.respond(2600, &list));
    assert_eq!(updates, ["0 one", "1 two three"]);
    stream.play(
        "lose                            | from 0
        5000: One two three.@1256-2337!  | 1 One two three. F
        finalize                         | 0 F",
    );
}

/// The one before ends with its first word, the one after begins with its second.
#[test]
fn nothing_is_replayed_for_one_whose_words_are_all_settled() {
    script(
        "single
        9000: zero@4000-4766 / one two@5964-6598 / four@7427-8000  | 0 zero / 1 one two / 2 four
        lose                                                        | from 0
        9000: Zero one.@4000-6054! / Two four.@6529-8000!           | 0 Zero one. F / 2 Two four. F
        lose                                                        | from 8400
        finalize                                                    | 1 F",
    );
}
