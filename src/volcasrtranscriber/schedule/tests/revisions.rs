//! Random revisions and deadlines: each word leaves once, in order, without holes.

use proptest::prelude::*;

use super::*;

/// Spoken words, 400 ms apart: their numbers are their texts.
fn spoken(number: u64) -> Word {
    let start = 200 + number * 400;
    word(&format!("m{number}"), start, start + 80)
}

/// One response: the words up to one, as they are timed and written then.
#[derive(Clone, Debug)]
struct Response {
    /// Words that it has of the open utterance, at most.
    words: usize,
    /// The open utterance is final now.
    ends: bool,
    /// Milliseconds by which words move, one after the other.
    moved: Vec<i64>,
    upper: bool,
    /// Milliseconds until the next one.
    pause: u64,
}

fn response() -> impl Strategy<Value = Response> {
    let moved = proptest::collection::vec(-140i64..140, 8);
    (
        0usize..8,
        prop::bool::weighted(0.3),
        moved,
        any::<bool>(),
        0u64..900,
    )
        .prop_map(|(words, ends, moved, upper, pause)| Response {
            words,
            ends,
            moved,
            upper,
            pause,
        })
}

fn revised(number: u64, response: &Response) -> Word {
    let plain = spoken(number);
    let moved = response.moved[number as usize % response.moved.len()];
    let start = plain.start.as_millis() as i64 + moved;
    let start = ms(start.max(0) as u64);
    Word {
        text: if response.upper {
            plain.text.to_uppercase()
        } else {
            plain.text
        },
        start,
        end: start + ms(80),
    }
}

proptest! {
    #[test]
    fn each_word_leaves_once_in_order(
        responses in proptest::collection::vec(response(), 1..30),
        latency in proptest::option::of(300u64..3000),
        starves in any::<bool>(),
    ) {
        let mut schedule = match latency {
            Some(latency) => live(Unit::Word, latency),
            None => Machine::new(Unit::Word),
        };
        let (mut now, mut number, mut first, mut shown) = (1000, 0, 0, 0);
        let mut left = Vec::new();
        let mut collect = |schedule: &mut Machine, now: u64| {
            let now = latency.map(|_| ms(now));
            loop {
                match schedule.next(now) {
                    Action::Wait(_) => break,
                    action => left.push(action),
                }
            }
        };
        for response in &responses {
            now += response.pause;
            // Text that was shown stays; more may follow. No response has a word before it is
            // spoken.
            let spoken = (now.saturating_sub(600) / 400).saturating_sub(first) as usize;
            shown = shown.max(response.words.min(spoken));
            let words: Vec<Word> =
                (first..first + shown as u64).map(|word| revised(word, response)).collect();
            let mut words = words;
            words.sort_by_key(|word| word.start);
            let texts: Vec<String> = words.iter().map(|word| word.text.clone()).collect();
            schedule.utterance(Utterance {
                number,
                text: texts.join(" "),
                is_final: response.ends,
                start: words.first().map(|word| word.start),
                end: words.last().map(|word| word.end),
                words,
                has_times: true,
                speaker: None,
            });
            if response.ends {
                (number, first, shown) = (number + 1, first + shown as u64, 0);
            }
            collect(&mut schedule, now);
            if starves && latency.is_none() {
                schedule.starve(ms(now.saturating_sub(1200)));
                collect(&mut schedule, now);
            }
        }
        let words: Vec<Word> = (first..first + shown as u64).map(spoken).collect();
        schedule.utterance(Utterance { number, is_final: true, text: "x".into(), words,
            ..Utterance::default() });
        collect(&mut schedule, now);
        let (mut last, mut position, mut next) = (Duration::ZERO, Duration::ZERO, 0);
        for action in &left {
            match action {
                Action::Text { text, start, duration, .. } => {
                    prop_assert_eq!(text.to_lowercase(), format!("m{next}"), "{:?}", left);
                    prop_assert!(*start >= last && *start <= position, "{:?}", left);
                    (last, position, next) = (*start, position.max(*start + *duration), next + 1);
                }
                Action::Gap { start, duration } => {
                    prop_assert_eq!(*start, position, "{:?}", left);
                    (last, position) = (*start + *duration, *start + *duration);
                }
                _ => {}
            }
        }
        prop_assert_eq!(next, first + shown as u64, "{:?}", left);
    }
}
