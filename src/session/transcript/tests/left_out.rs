//! Times and words that the service leaves out, as its second pass does: an utterance without a
//! start begins where the one before it ended, and its end or its text tells which one it is.
use proptest::prelude::*;

use super::script::script;
use super::*;

#[test]
fn in_single_each_sentence_of_the_second_pass_comes_once() {
    script(
        "single
        3302: A@-2902!  | 0 A F
        3402: A@-2902!  |
        5400: B@-5000!  | 1 B F
        5500: B@-5000!  |
        9400: C@-9000!  | 2 C F
        9500: C@-9000!  |
        times 0         | 0-2902
        times 1         | 2902-5000
        times 2         | 5000-9000",
    );
}

#[test]
fn in_full_each_sentence_of_the_second_pass_comes_once() {
    script(
        "2800: a@2000-2500                  | 0 a
        3300: A@-2902!                      | 0 A F
        4900: A@-2902! / b@4300-4500        | 1 b
        5400: A@-2902! / B@-5000!           | 1 B F
        5500: A@-2902! / B@-5000!           |
        5500 last: A@-2902! / B@-5000!      |
        times 0                             | 2000-2902
        times 1                             | 4300-5000",
    );
}

#[test]
fn a_late_second_pass_without_starts_finds_its_own() {
    script(
        "single
        1500: won@500-1000    | 0 won
        3000: two@2100-2600   | 1 two
        4000: Two.@-2620!     | 1 Two. F
        4500: One.@-1020!     | 0 One. F",
    );
    // A new one matches no open one, and covers none.
    script(
        "single
        1500: won@500-1000    | 0 won
        4000: Two.@-2620!     | 1 Two. F
        times 1               | 1000-2620
        4500: One.@-1020!     | 0 One. F",
    );
}

/// A second pass may end an utterance as soft and then as hard, with other ends. The text tells
/// that, unless the sentence could have been said twice.
#[test]
fn in_single_an_utterance_that_is_ended_twice_is_one() {
    let sentence = "The rain has stopped.";
    let interim = "2650: the rain has stopped@700-2600 | 0 the rain has stopped";
    // Whether it was announced, the second text and end, and what follows.
    for (announced, text, end, follows) in [
        (interim, sentence, 3000, ""),
        ("", sentence, 3000, ""),
        ("", "the rain has stopped", 2300, ""),
        (interim, sentence, 3300, ""),
        ("", sentence, 3400, "1 The rain has stopped. F"),
        (interim, "Why?", 3000, "1 Why? F"),
    ] {
        script(&format!(
            "single
            {announced}
            2900: {sentence}@-2700!  | 0 {sentence} F
            3900: {text}@-{end}!     | {follows}"
        ));
    }
    script("single\n 1500: 今天天气好。@-1300! | 0 今天天气好。 F\n 1900: 今天天气好。@-1700! |");
}

#[test]
fn the_same_words_said_again_are_another_sentence() {
    script(
        "single
        680: Yes.@-580!     | 0 Yes. F
        1020: Yes.@-920!    | 1 Yes. F
        1360: Yes.@-1260!   | 2 Yes. F
        9100: Yes.@-9000!   | 3 Yes. F",
    );
    script(
        "680: Yes.@-580!                                              | 0 Yes. F
        1020: Yes.@-580! / Yes.@-920!                                 | 1 Yes. F
        1360: Yes.@-580! / Yes.@-920! / Yes.@-1260!                   | 2 Yes. F
        9100: Yes.@-580! / Yes.@-920! / Yes.@-1260! / Yes.@-9000!     | 3 Yes. F",
    );
}

#[derive(Debug, Clone)]
struct Sentence {
    text: &'static str,
    pause: i64,
    word: i64,
    /// Number of its interim results.
    interim: usize,
}

fn sentences() -> impl Strategy<Value = Vec<Sentence>> {
    let text = prop::sample::select(vec![
        "Yes.",
        "No, not that.",
        "The rain has stopped.",
        "Let us go for a walk.",
        "Why?",
        "今天 天气 好。",
    ]);
    let sentence = (text, 300i64..3000, 90i64..500, 0usize..4);
    let sentence = sentence.prop_map(|(text, pause, word, interim)| Sentence {
        text,
        pause,
        word,
        interim,
    });
    prop::collection::vec(sentence, 1..7)
}

/// The last word ends with the utterance, however short that is.
fn timed_to_end(text: &str, start: i64, end: i64) -> Utterance {
    let mut timed_to_end = timed(text, start, end);
    if let Some(last) = timed_to_end.words.last_mut() {
        last.2 = end;
    }
    timed_to_end
}

/// Parts that one response leaves out of an utterance: start, end, words.
type Mask = (bool, bool, bool);

fn masked(utterance: &Utterance, mask: Mask) -> Utterance {
    let mut utterance = utterance.clone();
    let (start, end) = utterance.times.unwrap_or((-1, -1));
    utterance.times = Some((
        if mask.0 { -1 } else { start },
        if mask.1 { -1 } else { end },
    ));
    if mask.2 {
        utterance.words.clear();
    }
    utterance
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Any subset of starts, ends and words, another one for each utterance of each response: one
    /// final for each sentence, in order.
    #[test]
    fn one_final_for_each_sentence_in_order(
        full in any::<bool>(),
        sentences in sentences(),
        masks in prop::collection::vec(any::<Mask>(), 1..50),
        last in any::<bool>(),
    ) {
        let mut stream = if full { Stream::full() } else { Stream::single() };
        let mut masks = masks.into_iter().cycle();
        let mut respond = |settled: &[Utterance], now: &[Utterance], at: i64, last| {
            let settled = if full { settled } else { &[] };
            let list = settled.iter().chain(now);
            let list: Vec<_> = list.map(|u| masked(u, masks.next().unwrap())).collect();
            stream.respond_with(at as u64, &list, last);
        };
        let mut settled: Vec<Utterance> = Vec::new();
        let mut at = 0;
        for sentence in &sentences {
            let start = at + sentence.pause;
            let words: Vec<&str> = sentence.text.split(' ').collect();
            let interim = (words.len() * sentence.interim / 4).min(words.len());
            for count in 1..=interim {
                at = start + sentence.word * count as i64;
                let now = [timed_to_end(&words[..count].join(" "), start, at)];
                respond(&settled, &now, at + 300, false);
            }
            at = start + sentence.word * words.len() as i64;
            let now = [timed_to_end(sentence.text, start, at).definite()];
            respond(&settled, &now, at + 260, false);
            settled.extend(now);
        }
        if last {
            respond(&settled, &[], at + 500, true);
        } else {
            stream.finalize();
        }
        let finals: Vec<_> = stream.latest.values().filter(|u| !u.text.is_empty()).collect();
        prop_assert!(finals.iter().all(|u| u.is_final && !u.unconfirmed), "{finals:#?}");
        let texts: Vec<_> = finals.iter().map(|u| u.text.as_str()).collect();
        let expected: Vec<_> = sentences.iter().map(|s| s.text).collect();
        prop_assert_eq!(texts, expected);
    }
}
