//! Random responses in any order, which no real service sends: the checks of [`Stream`] hold for
//! them, too.
use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Event {
    Result(u64, Value, bool),
    Lose(u64),
    Connect(u64),
    Finalize,
}

fn time() -> impl Strategy<Value = i64> {
    prop_oneof![20 => 0i64..6000, 1 => Just(-1i64), 1 => Just(i64::MAX), 1 => any::<i64>()]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-d]( [a-d]){0,4}[.,?]?", 1 => "[ a-c.哈]{0,6}", 1 => Just(String::new())]
}

fn utterance() -> impl Strategy<Value = Utterance> {
    let times = prop::option::weighted(0.8, (time(), 0i64..3000));
    let words = prop::collection::vec(("[a-d哈 ]{0,2}", time(), time()), 0..4);
    (
        text(),
        times,
        any::<bool>(),
        prop::option::of(words),
        prop::option::weighted(0.3, "[ab]"),
    )
        .prop_map(|(text, times, definite, words, source)| {
            let times = times.map(|(start, width)| (start, start.saturating_add(width)));
            let spoken = match times {
                Some((start, end)) => {
                    timed(&text, start, end.min(start.saturating_add(9000))).words
                }
                None => Vec::new(),
            };
            Utterance {
                definite,
                source,
                words: words.unwrap_or(spoken),
                ..Utterance::bare(&text, times)
            }
        })
}

fn event() -> impl Strategy<Value = Event> {
    let result = prop_oneof![
        20 => prop::collection::vec(utterance(), 0..6).prop_map(|list| result(&list)),
        3 => text().prop_map(|text| json!({"text": text})),
    ];
    prop_oneof![
        23 => (0u64..8000, result, prop::bool::weighted(0.05))
            .prop_map(|(duration, result, last)| Event::Result(duration, result, last)),
        3 => (0u64..9000).prop_map(Event::Lose),
        3 => (0u64..9000).prop_map(Event::Connect),
        1 => Just(Event::Finalize),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_every_number_ends_once(
        full in any::<bool>(),
        events in prop::collection::vec(event(), 0..40),
        confirmed in any::<bool>(),
    ) {
        let mut stream = if full { Stream::full() } else { Stream::single() };
        let mut latest = Duration::ZERO;
        for event in events {
            match event {
                Event::Result(duration, result, last) => {
                    stream.respond(duration, &result, last);
                }
                Event::Lose(window) => {
                    let (begin, _) = stream.restart(window);
                    prop_assert!(begin >= ms(window));
                    stream.connect(begin);
                }
                Event::Connect(origin) => stream.connect(ms(origin)),
                Event::Finalize => drop(stream.finalize()),
            }
            latest = latest.max(stream.sent).max(ms(stream.origin));
            prop_assert!(stream.tracker.processed_until() <= latest);
        }
        let end = match confirmed {
            true => stream.respond(9000, &result(&[]), true),
            false => stream.finalize(),
        };
        prop_assert!(end.iter().all(|u| u.is_final));
        // A final response may come when none is awaited; giving up always helps.
        stream.finalize();
        prop_assert!(stream.latest.values().all(|u| u.is_final));
        prop_assert!(!stream.tracker.has_open());
    }
}
