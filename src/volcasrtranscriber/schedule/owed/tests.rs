use super::*;
use crate::volcasrtranscriber::schedule::tests::{ms, utterance, word, words};

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
            early.left(0, &word);
        }
        let rest = early.finish(&utterance(0, true, revised), ms(400));
        let rest: Vec<&str> = rest.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(rest.concat(), owed, "{case}");
    }
}

#[test]
fn chinese_words_that_are_joined_later_owe_their_rest() {
    let mut early = Early::default();
    early.left(0, &word("今天", 100, 400));
    let revised = utterance(0, true, "今天下雨， 100-900 | 路滑。 1000-1300");
    let rest = early.finish(&revised, ms(400));
    assert_eq!(rest, words("下雨， 400-900 | 路滑。 1000-1300"));
}

#[test]
fn the_first_part_of_an_utterance_that_is_divided_may_have_another_number() {
    let mut early = Early::default();
    for word in words("one 100-180 | two 300-380 | three 500-580") {
        early.left(0, &word);
    }
    let mut owed = |number, text| early.finish(&utterance(number, true, text), ms(0));
    assert_eq!(owed(1, "One 100-180 | two. 400-480"), []);
    let rest = owed(0, "Three 500-580 | four. 700-780");
    assert_eq!(rest, words("four. 700-780"));
}
