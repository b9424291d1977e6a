use super::*;
use crate::volcasrtranscriber::schedule::tests::{ms, utterance, words};

/// The memory of these words of utterance 0, which have left.
fn early(left: &str) -> Early {
    let mut early = Early::default();
    for word in words(left) {
        early.on_pushed(0, &word);
    }
    early
}

/// Makes an utterance final, and returns the words that are owed. Those that move begin at 400 ms.
fn finish(early: &mut Early, number: u32, text: &str) -> Vec<Word> {
    early.finish(&utterance(number, true, text), ms(400)).0
}

#[test]
#[rustfmt::skip]
fn a_revised_text_owes_what_stands_behind_the_last_word_that_left() {
    let said = "he 100-180 / said 400-480";
    for (case, left, revised, owed) in [
        ("the same", said, "He 100-180 / said, 400-480 / so 700-780", "so 700-780"),
        ("later", said, "He 300-380 / said 560-640 / so 700-780", "so 700-780"),
        ("earlier", said, "he 10-90 / said 300-380 / so 460-500", "so 460-500"),
        ("another word", said, "he 100-180 / sat 400-480 / so 700-780", "so 700-780"),
        ("one more before", said, "so 20-60 / he 100-180 / said 400-480", ""),
        ("joined", said, "hesaid 100-480 / so 700-780", "so 700-780"),
        ("repeated", said, "he 100-180 / said 400-480 / said 700-780", "said 700-780"),
        ("shorter", said, "he 100-180", ""),
        ("all new", said, "nothing 600-700", "nothing 600-700"),
        ("Chinese that is joined", "今天 100-400", "今天下雨， 100-900 / 路滑。 1000-1300",
            "下雨， 400-900 / 路滑。 1000-1300"),
    ] {
        assert_eq!(finish(&mut early(left), 0, revised), words(owed), "{case}");
    }
}

/// An utterance is divided, and its first part has another number. A word of that is not the same
/// word of the rest.
#[test]
#[rustfmt::skip]
fn the_rest_of_a_divided_utterance_owes_what_stands_behind_the_last_word_that_left() {
    // Words that left, the first part, the rest, and the words that it owes.
    for (left, first, rest, owed) in [
        ("one 100-180 / two 300-380 / three 500-580", "One 100-180 / two. 400-480",
            "Three 500-580 / four. 700-780", "four. 700-780"),
        ("one 100-180 / two 300-380", "One 100-180 / two. 300-380",
            "two 700-780 / three 900-980", "two 700-780 / three 900-980"),
        ("no 100-180", "No. 100-180",
            "no 500-580 / I 700-780", "no 500-580 / I 700-780"),
        // The second one left as well, and is in the rest.
        ("no 100-180 / no 300-380", "No. 100-180",
            "No, 300-380 / I 500-580", "I 500-580"),
        ("对 100-180", "对。 100-180",
            "对， 400-480 / 是 600-680", "对， 400-480 / 是 600-680"),
        ("对 100-180 / 对 260-340", "对。 100-180",
            "对， 260-340 / 是 600-680", "是 600-680"),
        // It is moved, so that its end is before what left.
        ("one 100-180 / two 300-380", "One 60-120 / two. 200-280",
            "two 700-780", "two 700-780"),
    ] {
        let mut early = early(left);
        assert_eq!(finish(&mut early, 1, first), [], "{first}");
        let open = early.owed(0, &words(rest), ms(400));
        assert_eq!(open, words(owed), "{rest}");
        assert_eq!(finish(&mut early, 0, rest), open, "{rest}");
    }
}
