use super::*;
use crate::volcasrtranscriber::schedule::tests::{ms, utterance, word};

#[test]
fn revised_texts_owe_what_stands_behind_the_last_word_that_left() {
    let left = [("he", 100, 180), ("said", 400, 480)];
    for (case, revised, owed) in [
        (
            "the same",
            vec![("He", 100, 180), ("said,", 400, 480), ("so", 700, 780)],
            vec!["so"],
        ),
        (
            "later",
            vec![("He", 300, 380), ("said", 560, 640), ("so", 700, 780)],
            vec!["so"],
        ),
        (
            "earlier",
            vec![("he", 10, 90), ("said", 300, 380), ("so", 460, 500)],
            vec!["so"],
        ),
        (
            "another word",
            vec![("he", 100, 180), ("sat", 400, 480), ("so", 700, 780)],
            vec!["so"],
        ),
        (
            "one more before",
            vec![("so", 20, 60), ("he", 100, 180), ("said", 400, 480)],
            vec![],
        ),
        (
            "joined",
            vec![("hesaid", 100, 480), ("so", 700, 780)],
            vec!["so"],
        ),
        (
            "repeated",
            vec![("he", 100, 180), ("said", 400, 480), ("said", 700, 780)],
            vec!["said"],
        ),
        ("shorter", vec![("he", 100, 180)], vec![]),
        ("all new", vec![("nothing", 600, 700)], vec!["nothing"]),
    ] {
        let mut early = Early::default();
        for (text, start, end) in left {
            early.left(0, &word(text, start, end));
        }
        let revised = utterance(0, true, &revised);
        let rest = early.settle(&revised, ms(400));
        let rest: Vec<&str> = rest.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(rest, owed, "{case}");
    }
}

#[test]
fn chinese_words_that_are_joined_later_owe_their_rest() {
    let mut early = Early::default();
    early.left(0, &word("今天", 100, 400));
    let revised = utterance(0, true, &[("今天下雨，", 100, 900), ("路滑。", 1000, 1300)]);
    let rest = early.settle(&revised, ms(400));
    assert_eq!(rest, [word("下雨，", 400, 900), word("路滑。", 1000, 1300)]);
}
