//! Times and words that the service leaves out, as its second pass does: an utterance without a
//! start begins where the one before it ended, and its end or its text tells which one it is.
use proptest::prelude::*;

use super::*;

/// An utterance of the second pass: no start and no words.
fn ends(text: &str, end: i64) -> Said {
    Said::bare(text, Some((-1, end))).definite()
}

#[test]
fn in_single_each_sentence_of_the_second_pass_comes_once() {
    let mut stream = Stream::single();
    for (number, text, end) in [(0, "A", 2902), (1, "B", 5000), (2, "C", 9000)] {
        let updates = stream.hear(end as u64 + 400, &[ends(text, end)]);
        assert_eq!(brief(&updates), [(number, text, "F")]);
        assert_eq!(stream.hear(end as u64 + 500, &[ends(text, end)]), []);
    }
    let times: Vec<_> = stream.latest.values().map(|u| (u.start, u.end)).collect();
    let at = |start, end| (Some(ms(start)), Some(ms(end)));
    assert_eq!(times, [at(0, 2902), at(2902, 5000), at(5000, 9000)]);
}

#[test]
fn in_full_each_sentence_of_the_second_pass_comes_once() {
    let mut stream = Stream::full();
    let a = || said("a", 2000, 2500);
    assert_eq!(brief(&stream.hear(2800, &[a()])), [(0, "a", "")]);
    let list = [ends("A", 2902)];
    assert_eq!(brief(&stream.hear(3300, &list)), [(0, "A", "F")]);
    let list = [ends("A", 2902), said("b", 4300, 4500)];
    assert_eq!(brief(&stream.hear(4900, &list)), [(1, "b", "")]);
    let list = [ends("A", 2902), ends("B", 5000)];
    assert_eq!(brief(&stream.hear(5400, &list)), [(1, "B", "F")]);
    assert_eq!(stream.hear(5500, &list), []);
    assert_eq!(stream.hear_last(5500, &list), []);
    assert_eq!(
        stream.latest[&0].start,
        Some(ms(2000)),
        "as it was reported"
    );
    assert_eq!(stream.latest[&1].start, Some(ms(4300)));
}

#[test]
fn a_late_second_pass_without_starts_finds_its_own() {
    let mut stream = Stream::single();
    stream.hear(1500, &[said("won", 500, 1000)]);
    stream.hear(3000, &[said("two", 2100, 2600)]);
    let updates = stream.hear(4000, &[ends("Two.", 2620)]);
    assert_eq!(brief(&updates), [(1, "Two.", "F")]);
    let updates = stream.hear(4500, &[ends("One.", 1020)]);
    assert_eq!(brief(&updates), [(0, "One.", "F")]);
    // A new one matches no open one, and covers none.
    let mut stream = Stream::single();
    stream.hear(1500, &[said("won", 500, 1000)]);
    let updates = stream.hear(4000, &[ends("Two.", 2620)]);
    assert_eq!(brief(&updates), [(1, "Two.", "F")]);
    assert_eq!(updates[0].start, Some(ms(1000)));
    let updates = stream.hear(4500, &[ends("One.", 1020)]);
    assert_eq!(brief(&updates), [(0, "One.", "F")]);
}

/// A second pass may end an utterance as soft and then as hard, with other ends. The text tells
/// that, unless the sentence could have been said twice.
#[test]
fn in_single_an_utterance_that_is_ended_twice_is_one() {
    let sentence = "The rain has stopped.";
    let interim = || said("the rain has stopped", 700, 2600);
    // Whether it was announced, the second text and end, and whether that makes another utterance.
    for (announced, text, end, is_new) in [
        (true, sentence, 3000, false),
        (false, sentence, 3000, false),
        (false, "the rain has stopped", 2300, false),
        (true, sentence, 3300, false),
        (false, sentence, 3400, true),
        (true, "Why?", 3000, true),
    ] {
        let mut stream = Stream::single();
        if announced {
            stream.hear(2650, &[interim()]);
        }
        assert_eq!(
            brief(&stream.hear(2900, &[ends(sentence, 2700)])),
            [(0, sentence, "F")]
        );
        let second = stream.hear(3900, &[ends(text, end)]);
        let expected = is_new.then_some((1, text, "F"));
        assert_eq!(
            brief(&second),
            Vec::from_iter(expected),
            "{announced} {text} {end}"
        );
    }
    let chinese = "今天天气好。";
    let mut stream = Stream::single();
    assert_eq!(stream.hear(1500, &[ends(chinese, 1300)]).len(), 1);
    assert_eq!(stream.hear(1900, &[ends(chinese, 1700)]), []);
}

#[test]
fn the_same_words_said_again_are_another_sentence() {
    for (mut stream, full) in [(Stream::full(), true), (Stream::single(), false)] {
        let mut list = Vec::new();
        for (number, end) in [580, 920, 1260, 9000].into_iter().enumerate() {
            list.push(ends("Yes.", end));
            let listed = if full { &list[..] } else { &list[number..] };
            let updates = stream.hear(end as u64 + 100, listed);
            assert_eq!(brief(&updates), [(number as u32, "Yes.", "F")]);
        }
    }
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
fn spoken(text: &str, start: i64, end: i64) -> Said {
    let mut spoken = said(text, start, end);
    if let Some(last) = spoken.words.last_mut() {
        last.2 = end;
    }
    spoken
}

/// Parts that one response leaves out of an utterance: start, end, words.
type Mask = (bool, bool, bool);

fn masked(utterance: &Said, mask: Mask) -> Said {
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
        let mut hear = |settled: &[Said], now: &[Said], at: i64, last| {
            let settled = if full { settled } else { &[] };
            let list = settled.iter().chain(now);
            let list: Vec<_> = list.map(|u| masked(u, masks.next().unwrap())).collect();
            stream.listed(at as u64, &list, last);
        };
        let mut settled: Vec<Said> = Vec::new();
        let mut at = 0;
        for sentence in &sentences {
            let start = at + sentence.pause;
            let words: Vec<&str> = sentence.text.split(' ').collect();
            let interim = (words.len() * sentence.interim / 4).min(words.len());
            for count in 1..=interim {
                at = start + sentence.word * count as i64;
                hear(&settled, &[spoken(&words[..count].join(" "), start, at)], at + 300, false);
            }
            at = start + sentence.word * words.len() as i64;
            let now = [spoken(sentence.text, start, at).definite()];
            hear(&settled, &now, at + 260, false);
            settled.extend(now);
        }
        if last {
            hear(&settled, &[], at + 500, true);
        } else {
            stream.give_up();
        }
        let finals: Vec<_> = stream.latest.values().filter(|u| !u.text.is_empty()).collect();
        prop_assert!(finals.iter().all(|u| u.is_final && !u.unconfirmed), "{finals:#?}");
        let texts: Vec<_> = finals.iter().map(|u| u.text.as_str()).collect();
        let expected: Vec<_> = sentences.iter().map(|s| s.text).collect();
        prop_assert_eq!(texts, expected);
    }
}
