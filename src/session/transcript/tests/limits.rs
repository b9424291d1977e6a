//! Around the rules: the ends of connections, and what a peer may say without bound.
use super::*;

#[test]
fn after_the_final_response_everything_is_ignored_until_another_connection() {
    let mut stream = Stream::full();
    stream.hear_last(1000, &[said("One.", 300, 900).definite()]);
    assert_eq!(brief(&stream.hear(2000, &[said("Two.", 1300, 1900)])), []);
    assert_eq!(
        brief(&stream.hear_last(2000, &[said("Two.", 1300, 1900)])),
        []
    );
    stream.connect(ms(5000));
    assert_eq!(stream.tracker.settled_until(), ms(5000));
    // The same text at the same time of another connection is another utterance.
    assert_eq!(
        brief(&stream.hear(1000, &[said("One.", 300, 900)])),
        [(1, "One.", "")]
    );
}

#[test]
fn giving_up_ends_everything_once() {
    let mut stream = Stream::full();
    stream.hear(4000, &[said("one", 500, 1000), said("two", 2100, 2400)]);
    assert_eq!(brief(&stream.give_up()), [(0, "one", "U"), (1, "two", "U")]);
    assert_eq!(brief(&stream.give_up()), []);
    assert_eq!(brief(&stream.hear(4000, &[said("three", 3000, 3500)])), []);
}

#[test]
fn work_is_bounded_by_what_was_sent() {
    let mut stream = Stream::full();
    stream.sent = ms(1000);
    stream.raw(r#"{"audio_info":{"duration":1500}}"#, false);
    assert_eq!(stream.tracker.worked_until(), ms(1000));
    stream.sent = ms(9000);
    stream.raw(r#"{"audio_info":{"duration":400}}"#, false);
    assert_eq!(stream.tracker.worked_until(), ms(1000));
    // Without a duration, it has at least heard what it lists.
    stream.raw(
        r#"{"result":{"utterances":[{"text":"a","start_time":3000,"end_time":3500}]}}"#,
        false,
    );
    assert_eq!(stream.tracker.worked_until(), ms(3500));
}

#[test]
fn times_out_of_any_range_do_no_harm() {
    let mut stream = Stream::full();
    stream.sent = ms(1000);
    let huge = u64::MAX;
    for definite in [false, true] {
        let json = format!(
            r#"{{"audio_info":{{"duration":{huge}}},"result":{{"utterances":[
                {{"text":"a b","definite":{definite},"start_time":{huge},"end_time":{huge},"words":[{{"text":"a","start_time":{huge},"end_time":1}}]}},
                {{"text":"b","definite":{definite},"start_time":9,"end_time":3}},
                {{"text":"c","definite":{definite},"start_time":0,"end_time":9223372036854775807}}]}}}}"#
        );
        stream.raw(&json, false);
        assert!(stream.tracker.needed_from() <= ms(1000));
    }
    stream.restart(u64::MAX);
    stream.give_up();
}

#[test]
fn thousands_of_settled_utterances_are_repeated_in_no_time() {
    let mut stream = Stream::full();
    let mut list: Vec<Said> = Vec::new();
    for i in 0..3000 {
        list.push(Said::bare("Yes.", Some((i * 1000, i * 1000 + 700))).definite());
    }
    assert_eq!(stream.hear(3_000_000, &list).len(), 3000);
    for _ in 0..20 {
        assert_eq!(stream.hear(3_000_000, &list).len(), 0);
    }
    assert_eq!(stream.tracker.settled_until(), ms(2_999_700));
}

#[test]
fn the_number_of_open_utterances_is_bounded() {
    let mut stream = Stream::full();
    let list: Vec<_> = (0..crate::session::transcript::MAX_OPEN as i64 + 10)
        .map(|i| Said::bare("a", Some((i * 1000, i * 1000 + 500))))
        .collect();
    let updates = stream.hear(9_000_000, &list);
    assert_eq!(updates.iter().filter(|u| u.unconfirmed).count(), 10);
}
