use super::*;
use crate::volcasrtranscriber::schedule::tests::{ms, utterance, word, words};

/// Makes an utterance final, and returns the words that are owed. Those that move begin at 400 ms.
fn finish(early: &mut Early, number: u32, text: &str) -> Vec<Word> {
    early.finish(&utterance(number, true, text), ms(400)).0
}

fn texts(words: &[Word]) -> String {
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    texts.join(" ")
}

#[test]
fn revised_texts_owe_what_stands_behind_the_last_word_that_left() {
    for (case, revised, owed) in [
        ("the same", "He 100-180 | said, 400-480 | so 700-780", "so"),
        ("later", "He 300-380 | said 560-640 | so 700-780", "so"),
        ("earlier", "he 10-90 | said 300-380 | so 460-500", "so"),
        (
            "another word",
            "he 100-180 | sat 400-480 | so 700-780",
            "so",
        ),
        (
            "one more before",
            "so 20-60 | he 100-180 | said 400-480",
            "",
        ),
        ("joined", "hesaid 100-480 | so 700-780", "so"),
        (
            "repeated",
            "he 100-180 | said 400-480 | said 700-780",
            "said",
        ),
        ("shorter", "he 100-180", ""),
        ("all new", "nothing 600-700", "nothing"),
    ] {
        let mut early = Early::default();
        for word in words("he 100-180 | said 400-480") {
            early.on_pushed(0, &word);
        }
        let rest = finish(&mut early, 0, revised);
        assert_eq!(texts(&rest), owed, "{case}");
    }
}

#[test]
fn chinese_words_that_are_joined_later_owe_their_rest() {
    let mut early = Early::default();
    early.on_pushed(0, &word("今天", 100, 400));
    let rest = finish(&mut early, 0, "今天下雨， 100-900 | 路滑。 1000-1300");
    assert_eq!(rest, words("下雨， 400-900 | 路滑。 1000-1300"));
}

#[test]
fn the_first_part_of_an_utterance_that_is_divided_may_have_another_number() {
    let mut early = Early::default();
    for word in words("one 100-180 | two 300-380 | three 500-580") {
        early.on_pushed(0, &word);
    }
    assert_eq!(finish(&mut early, 1, "One 100-180 | two. 400-480"), []);
    let rest = finish(&mut early, 0, "Three 500-580 | four. 700-780");
    assert_eq!(rest, words("four. 700-780"));
}

#[test]
fn a_word_of_the_first_part_is_not_the_same_word_of_the_rest() {
    for (left, first, rest, owed) in [
        (
            "one 100-180 | two 300-380",
            "One 100-180 | two. 300-380",
            "two 700-780 | three 900-980",
            "two three",
        ),
        (
            "no 100-180",
            "No. 100-180",
            "no 500-580 | I 700-780",
            "no I",
        ),
        // The second one left as well, and is in the rest.
        (
            "no 100-180 | no 300-380",
            "No. 100-180",
            "No, 300-380 | I 500-580",
            "I",
        ),
        (
            "对 100-180",
            "对。 100-180",
            "对， 400-480 | 是 600-680",
            "对， 是",
        ),
        (
            "对 100-180 | 对 260-340",
            "对。 100-180",
            "对， 260-340 | 是 600-680",
            "是",
        ),
        // It is moved, so that its end is before what left.
        (
            "one 100-180 | two 300-380",
            "One 60-120 | two. 200-280",
            "two 700-780",
            "two",
        ),
    ] {
        let mut early = Early::default();
        for word in words(left) {
            early.on_pushed(0, &word);
        }
        assert_eq!(finish(&mut early, 1, first), [], "{first}");
        let open = early.owed(0, &words(rest), ms(400));
        assert_eq!(texts(&open), owed, "{rest}");
        assert_eq!(finish(&mut early, 0, rest), open, "{rest}");
    }
}
