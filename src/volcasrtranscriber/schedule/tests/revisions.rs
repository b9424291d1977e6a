//! Random revisions and deadlines: each word leaves once, in order, without holes.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

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

impl Response {
    /// Spoken words, 400 ms apart, as they are revised: their numbers are their texts.
    fn word(&self, number: u64) -> Word {
        let moved = self.moved[number as usize % self.moved.len()];
        let start = (200 + number * 400).saturating_add_signed(moved);
        let text = format!("m{number}");
        let text = if self.upper {
            text.to_uppercase()
        } else {
            text
        };
        word(&text, start, start + 80)
    }
}

prop_compose! {
    fn response()(
        words in 0usize..8,
        ends in prop::bool::weighted(0.3),
        moved in vec(-140i64..140, 8),
        upper in any::<bool>(),
        pause in 0u64..900,
    ) -> Response {
        Response { words, ends, moved, upper, pause }
    }
}

proptest! {
    #[test]
    fn each_word_leaves_once_in_order(
        responses in vec(response(), 1..30),
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
            let words = (first..first + shown as u64).map(|number| response.word(number));
            let mut words: Vec<Word> = words.collect();
            words.sort_by_key(|word| word.start);
            schedule.utterance(said(number, response.ends, words));
            if response.ends {
                (number, first, shown) = (number + 1, first + shown as u64, 0);
            }
            collect(&mut schedule, now);
            if starves && latency.is_none() {
                schedule.starve(ms(now.saturating_sub(1200)));
                collect(&mut schedule, now);
            }
        }
        let (words, moved) = (0, Vec::from([0]));
        let plain = Response { words, ends: true, moved, upper: false, pause: 0 };
        let words = (first..first + shown as u64).map(|number| plain.word(number));
        schedule.utterance(said(number, true, words.collect()));
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
