//! The ends of connections, and limits on what a peer may send.
use super::script::table;
use super::*;
use crate::protocol::response::MAX_UTTERANCES;
use crate::session::transcript::utterances::MAX_OPEN;

#[test]
fn the_ends_of_connections() {
    table(
        "
        # After the final response everything is ignored until another connection
        1000 last: One.@300-900!            | 0 One. F
        2000: Two.@1300-1900!               |
        2000 last: Two.@1300-1900           |
        connect 5000
        final                               | 5000
        // The same text at the same time of another connection is another utterance.
        1000: One.@300-900                  | 1 One.

        # Between connections everything is ignored, and giving up ends everything once
        4000: one@500-1000 / two@2100-2400  | 0 one / 1 two
        restart                             | from 0
        4100: one more@500-1400             |
        finalize                            | 0 one U / 1 two U
        finalize                            |
        4200: three@3000-3500               |
        connect 9000
        final                               | 9000
        ",
    );
}

#[test]
fn work_is_bounded_by_what_was_sent() {
    let mut stream = Stream::full();
    for (json, sent, processed) in [
        (r#"{"audio_info":{"duration":1500}}"#, 1000, 1000),
        (r#"{"audio_info":{"duration":400}}"#, 9000, 1000),
        // Without a duration, it has processed at least what it lists.
        (
            r#"{"result":{"utterances":[{"text":"a","end_time":3500}]}}"#,
            9000,
            3500,
        ),
    ] {
        stream.sent = ms(sent);
        stream.raw(json, false);
        assert_eq!(stream.tracker.processed_until(), ms(processed), "{json}");
    }
}

/// Each response opens another utterance and revises none; the earliest end with their last text.
#[test]
fn open_utterances_are_bounded() {
    let mut stream = Stream::full();
    for i in 0..40 {
        let text = "and so on ".repeat(50_000);
        let said = Utterance::bare(&text, Some((i * 1000, i * 1000 + 500)));
        stream.respond(1_000_000, &result(&[said]), false);
        let open = stream.latest.values().filter(|u| !u.is_final);
        let held: usize = open.map(|u| u.text.len()).sum();
        assert!(
            held <= crate::session::transcript::utterances::MAX_OPEN_BYTES,
            "{held} bytes"
        );
    }
    let ended: Vec<_> = stream.latest.values().map(|u| u.is_final).collect();
    assert!(
        ended.is_sorted_by(|a, b| a >= b),
        "the first ones end: {ended:?}"
    );
    assert!(ended[0] && !ended[39]);
}

/// More new ones than can be open, in one response: those beyond end at once.
#[test]
fn one_response_opens_no_more_than_can_be_let_go() {
    let all = 5 * MAX_OPEN;
    for timed in [true, false] {
        let said = |i: i64| {
            let times = timed.then_some((i * 1000, i * 1000 + 500));
            Utterance::bare(&format!("a{i}"), times)
        };
        let list: Vec<_> = (0..all as i64).map(said).collect();
        let mut stream = Stream::full();
        stream.respond(9_000_000, &result(&list), false);
        let open = stream.latest.values().filter(|u| !u.is_final).count();
        assert_eq!((open, stream.latest.len()), (MAX_OPEN, all));
    }
}

/// As many as are read, settled and open, again and again.
#[test]
fn a_response_as_long_as_may_be_is_taken_up() {
    let utterance = |n: i64| Utterance {
        definite: n % 9 > 0,
        ..timed(&"word ".repeat(20), n * 2000, n * 2000 + 1700)
    };
    let list: Vec<_> = (0..MAX_UTTERANCES as i64).map(utterance).collect();
    let mut stream = Stream::full();
    let result = result(&list);
    let updates = stream.respond(9_000_000, &result, false);
    let settled = updates.iter().filter(|u| u.is_final && !u.unconfirmed);
    assert_eq!(settled.count(), list.iter().filter(|u| u.definite).count());
    assert_eq!(
        stream.respond(9_000_000, &result, false),
        [],
        "nothing is new"
    );
    assert_eq!(stream.respond(9_000_000, &result, true).len(), MAX_OPEN);
}

/// Hours of one connection. In `full` mode every response repeats what is settled.
#[test]
fn what_is_settled_is_forgotten_where_it_is_not_listed_again() {
    let said = |text: &str, n: i64| Utterance {
        definite: true,
        ..timed(text, n * 2000, n * 2000 + 1700)
    };
    for (mut stream, kept) in [(Stream::single(), 512), (Stream::full(), 2000)] {
        for n in 0..2000 {
            stream.respond(n as u64 * 2000 + 2000, &result(&[said("word", n)]), false);
        }
        // A service may list everything in spite of `single`, and change it.
        let list: Vec<_> = (0..2000).map(|n| said("word!", n)).collect();
        assert_eq!(stream.respond(4_000_000, &result(&list), false), []);
        assert_eq!(stream.tracker.utterances.settled().len(), kept);
    }
}
