//! Times and words that the service leaves out, as its second pass does: an utterance without a
//! start begins where the one before it ended, and its end or its text tells which one it is.
use proptest::prelude::*;

use super::script::table;
use super::*;

#[test]
fn sentences_without_starts() {
    table(
        "
        # In single each sentence of the second pass comes once
        single
        3302: A@-2902!  | 0 A F
        3402: A@-2902!  |
        5400: B@-5000!  | 1 B F
        5500: B@-5000!  |
        9400: C@-9000!  | 2 C F
        9500: C@-9000!  |
        times 0         | 0-2902
        times 1         | 2902-5000
        times 2         | 5000-9000

        # In full each comes once too, with the start that an interim result had
        2800: a@2000-2500                   | 0 a
        3300: A@-2902!                      | 0 A F
        4900: A@-2902! / b@4300-4500        | 1 b
        5400: A@-2902! / B@-5000!           | 1 B F
        5500: A@-2902! / B@-5000!           |
        5500 last: A@-2902! / B@-5000!      |
        times 0                             | 2000-2902
        times 1                             | 4300-5000

        # A late second pass finds its own; a new one matches no open one, and covers none
        single
        1500: won@500-1000      | 0 won
        - 3000: two@2100-2600   | 1 two
          4000: Two.@-2620!     | 1 Two. F
          4500: One.@-1020!     | 0 One. F
        - 4000: Two.@-2620!     | 1 Two. F
          times 1               | 1000-2620
          4500: One.@-1020!     | 0 One. F

        # Nor does one before its end cover it: it may begin later
        single
        3000: one@-2850~        | 0 one
        4000: two@300-1800      | 1 two

        # The same words said again are another sentence
        - single
          680: Yes.@-580!     | 0 Yes. F
          1020: Yes.@-920!    | 1 Yes. F
          1360: Yes.@-1260!   | 2 Yes. F
          9100: Yes.@-9000!   | 3 Yes. F
        - 680: Yes.@-580!                                             | 0 Yes. F
          1020: Yes.@-580! / Yes.@-920!                               | 1 Yes. F
          1360: Yes.@-580! / Yes.@-920! / Yes.@-1260!                 | 2 Yes. F
          9100: Yes.@-580! / Yes.@-920! / Yes.@-1260! / Yes.@-9000!   | 3 Yes. F
        ",
    );
}

/// A second pass may end an utterance as soft and then as hard, with other ends. The text tells
/// that, unless the sentence could have been said twice.
#[test]
fn in_single_an_utterance_that_is_ended_twice_is_one() {
    table(
        "
        # One that began as interim has both ends, unless the text is another
        single
        2650: the rain has stopped@700-2600   | 0 the rain has stopped
        2900: The rain has stopped.@-2700!    | 0 The rain has stopped. F
        - 3900: The rain has stopped.@-3000!  |
        - 3900: The rain has stopped.@-3300!  |
        - 3900: Why?@-3000!                   | 1 Why? F

        # One without interim results has both, unless the sentence fits between the ends
        single
        2900: The rain has stopped.@-2700!    | 0 The rain has stopped. F
        - 3900: The rain has stopped.@-3000!  |
        - 3900: the rain has stopped@-2300!   |
        - 3900: The rain has stopped.@-3400!  | 1 The rain has stopped. F

        # One that is written without spaces has both
        single
        1500: 今天天气好。@-1300!             | 0 今天天气好。 F
        1900: 今天天气好。@-1700!             |
        ",
    );
}

/// A text, the pause before it, the duration of a word, and the number of interim results.
type Sentence = (&'static str, i64, i64, usize);

fn sentences() -> impl Strategy<Value = Vec<Sentence>> {
    let text = prop::sample::select(vec![
        "Yes.",
        "No, not that.",
        "The rain has stopped.",
        "Let us go for a walk.",
        "Why?",
        "今天 天气 好。",
    ]);
    prop::collection::vec((text, 300i64..3000, 90i64..500, 0usize..4), 1..7)
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
    let known = |time, is_left_out| if is_left_out { -1 } else { time };
    let times = utterance.times;
    utterance.times = times.map(|(start, end)| (known(start, mask.0), known(end, mask.1)));
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
            stream.respond(at as u64, &result(&list), last);
        };
        let mut settled: Vec<Utterance> = Vec::new();
        let mut at = 0;
        for &(text, pause, word, interim) in &sentences {
            let start = at + pause;
            let words: Vec<&str> = text.split(' ').collect();
            for count in 1..=words.len() * interim / 4 {
                at = start + word * count as i64;
                let now = [timed_to_end(&words[..count].join(" "), start, at)];
                respond(&settled, &now, at + 300, false);
            }
            at = start + word * words.len() as i64;
            let now = [timed_to_end(text, start, at).definite()];
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
        let expected: Vec<_> = sentences.iter().map(|s| s.0).collect();
        prop_assert_eq!(texts, expected);
    }
}
