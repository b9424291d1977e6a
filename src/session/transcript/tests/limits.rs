//! The ends of connections, and limits on what a peer may send.
use super::script::script;
use super::*;
use crate::protocol::response::MAX_UTTERANCES;
use crate::session::transcript::utterances::MAX_OPEN;

/// The same text at the same time of another connection is another utterance.
#[test]
fn after_the_final_response_everything_is_ignored_until_another_connection() {
    script(
        "1000 last: One.@300-900!  | 0 One. F
        2000: Two.@1300-1900!      |
        2000 last: Two.@1300-1900  |
        connect 5000               |
        final                      | 5000
        1000: One.@300-900         | 1 One.",
    );
}

#[test]
fn giving_up_ends_everything_once() {
    script(
        "4000: one@500-1000 / two@2100-2400  | 0 one / 1 two
        finalize                             | 0 one U / 1 two U
        finalize                             |
        4000: three@3000-3500                |",
    );
}

#[test]
fn work_is_bounded_by_what_was_sent() {
    let mut stream = script("sent 1000");
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

#[test]
fn times_out_of_any_range_do_no_harm() {
    let mut stream = Stream::full();
    stream.sent = ms(1000);
    let huge = u64::MAX;
    for definite in [false, true] {
        let json = format!(
            r#"{{"audio_info":{{"duration":{huge}}},"result":{{"utterances":[
                {{"text":"a b","definite":{definite},"start_time":{huge},"end_time":{huge},
                 "words":[{{"text":"a","start_time":{huge},"end_time":1}}]}},
                {{"text":"b","definite":{definite},"start_time":9,"end_time":3}},
                {{"text":"c","definite":{definite},"start_time":0,
                 "end_time":9223372036854775807}}]}}}}"#
        );
        stream.raw(&json, false);
        assert!(stream.tracker.replay_needed_from() <= ms(1000));
    }
    stream.restart(u64::MAX);
    stream.finalize();
}

#[test]
fn thousands_of_settled_utterances_are_repeated_in_no_time() {
    let mut stream = Stream::full();
    let mut list: Vec<Utterance> = Vec::new();
    for i in 0..3000 {
        list.push(Utterance::bare("Yes.", Some((i * 1000, i * 1000 + 700))).definite());
    }
    assert_eq!(stream.respond(3_000_000, &list).len(), 3000);
    for _ in 0..20 {
        assert_eq!(stream.respond(3_000_000, &list).len(), 0);
    }
    assert_eq!(stream.tracker.final_until(), ms(2_999_700));
}

/// Each response opens another utterance and revises none; the earliest end with their last text.
#[test]
fn open_utterances_are_bounded() {
    let mut stream = Stream::full();
    for i in 0..40 {
        let text = "and so on ".repeat(50_000);
        stream.respond(
            1_000_000,
            &[Utterance::bare(&text, Some((i * 1000, i * 1000 + 500)))],
        );
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
        let list: Vec<_> = (0..all as i64)
            .map(|i| {
                Utterance::bare(
                    &format!("a{i}"),
                    timed.then_some((i * 1000, i * 1000 + 500)),
                )
            })
            .collect();
        let mut stream = Stream::full();
        stream.respond(9_000_000, &list);
        let open = stream.latest.values().filter(|u| !u.is_final).count();
        assert_eq!((open, stream.latest.len()), (MAX_OPEN, all));
    }
}

/// As much as goes into a payload: utterances with words, settled and open, again and again.
#[test]
fn a_response_as_large_as_may_be_is_taken_up() {
    let mut list = String::new();
    let mut count = 0u64;
    while list.len() < (15 << 20) {
        let (start, end) = (count * 300, count * 300 + 250);
        let word = format!(r#"{{"text":"w{count}","start_time":{start},"end_time":{end}}}"#);
        let words = vec![word; 20].join(",");
        let text = format!("w{count} ").repeat(600);
        let definite = !count.is_multiple_of(9);
        list += &format!(
            r#"{}{{"text":"{text}","definite":{definite},"start_time":{start},"end_time":{end},
            "words":[{words}]}}"#,
            if count == 0 { "" } else { "," }
        );
        count += 1;
    }
    let json =
        format!(r#"{{"audio_info":{{"duration":9000000}},"result":{{"utterances":[{list}]}}}}"#);
    let mut stream = Stream::full();
    stream.sent = ms(9_000_000);
    let updates = stream.raw(&json, false);
    assert!(count <= MAX_UTTERANCES as u64);
    assert_eq!(
        updates
            .iter()
            .filter(|u| u.is_final && !u.unconfirmed)
            .count() as u64,
        count - count.div_ceil(9)
    );
    let open = stream.latest.values().filter(|u| !u.is_final).count();
    assert!((1..=MAX_OPEN).contains(&open), "{open}");
    assert_eq!(stream.raw(&json, false).len(), 0, "nothing is new");
    assert_eq!(stream.raw(&json, true).len(), open);
    assert!(!stream.tracker.has_open());
}
