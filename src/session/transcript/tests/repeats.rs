//! Responses whose settled start is skipped. [`Stream`] compares every update of every test with
//! those of a tracker that reads everything each time; these tests are the edge cases.
use proptest::prelude::*;

use super::*;

fn sentence(n: i64) -> Utterance {
    timed(&format!("Sentence {n}."), n * 2000, n * 2000 + 1500)
}

#[test]
fn settled_sentences_at_the_beginning_are_passed_over() {
    let mut stream = Stream::full();
    let mut list = Vec::new();
    for n in 0..20 {
        list.push(sentence(n));
        stream.respond(n as u64 * 2000 + 1000, &list);
        list[n as usize].definite = true;
        assert_eq!(stream.respond(n as u64 * 2000 + 1900, &list).len(), 1);
        assert_eq!(
            stream.tracker.repeated(),
            n as usize,
            "the last is just settled"
        );
    }
    list[3] = timed("Another sentence.", 6010, 7490).definite();
    assert_eq!(stream.respond(39_950, &list), [], "too late");
    assert_eq!(stream.tracker.repeated(), 20);
    assert_eq!(stream.respond(39_960, &list), []);
    stream.connect(ms(40_000));
    assert_eq!(stream.tracker.repeated(), 0);
}

#[test]
fn without_times_the_same_words_may_be_said_again() {
    let mut stream = Stream::full();
    let yes = Utterance::bare("Yes.", None).definite();
    let timed = timed("First.", 0, 900).definite();
    for n in 1..5u32 {
        let mut list = vec![timed.clone()];
        list.extend(vec![yes.clone(); n as usize]);
        let updates = stream.respond(u64::from(n) * 1000, &list);
        let news = updates.iter().filter(|u| u.text == "Yes.").count();
        assert_eq!(news, 1, "{updates:?}");
        assert_eq!(stream.respond(u64::from(n) * 1000 + 500, &list), []);
        assert_eq!(stream.tracker.repeated(), 1);
    }
}

/// A list of placeholders alone lists nothing: the text beside it is the utterance, however often
/// they come again.
#[test]
fn a_text_beside_placeholders_is_read_each_time() {
    let mut stream = Stream::full();
    let blank = r#"{"definite":false,"start_time":-1,"end_time":-1,"text":""}"#;
    for (text, last) in [
        ("", false),
        ("one", false),
        ("one two", false),
        ("One two.", true),
    ] {
        let json = format!(r#"{{"result":{{"text":"{text}","utterances":[{blank},{blank}]}}}}"#);
        let updates = stream.raw(&json, last);
        let reported: Vec<_> = updates.iter().map(|u| u.text.as_str()).collect();
        let expected: &[&str] = if text.is_empty() { &[] } else { &[text] };
        assert_eq!(reported, expected);
    }
}

#[derive(Debug, Clone)]
enum Change {
    /// The last sentence grows.
    Grow,
    /// It is settled, and the next begins.
    Settle,
    /// A settled one is worded or timed anew.
    Revise(usize, i64),
    /// It is gone, or another stands before it.
    Remove(usize),
    Insert(usize),
    /// An entry that is no sentence comes between them.
    Blank(usize),
    /// Nothing.
    Again,
}

fn change() -> impl Strategy<Value = Change> {
    let at = 0usize..40;
    prop_oneof![
        8 => Just(Change::Grow),
        8 => Just(Change::Settle),
        2 => (at.clone(), -300i64..300).prop_map(|(at, by)| Change::Revise(at, by)),
        1 => at.clone().prop_map(Change::Remove),
        1 => at.clone().prop_map(Change::Insert),
        1 => at.prop_map(Change::Blank),
        2 => Just(Change::Again),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_change_is_reported_as_without_skipping(
        full in prop::bool::weighted(0.9),
        changes in prop::collection::vec(change(), 1..60),
    ) {
        let mut stream = if full { Stream::full() } else { Stream::single() };
        let mut list = vec![sentence(0)];
        let (mut next, mut words) = (1, 0);
        for change in changes {
            let length = list.len();
            match change {
                Change::Grow => {
                    words += 1;
                    let last = &mut list[length - 1];
                    let more = " more".repeat(words % 3);
                    last.text = format!("{}{more}", last.text.trim_end_matches('.'));
                }
                Change::Settle => {
                    list[length - 1].definite = true;
                    list.push(sentence(next));
                    next += 1;
                }
                Change::Revise(at, by) => {
                    let one = &mut list[at % length];
                    one.times = one.times.map(|(start, end)| (start + by, end + by / 2));
                    one.text.push('!');
                }
                Change::Remove(at) if length > 1 => drop(list.remove(at % length)),
                Change::Insert(at) => list.insert(at % length, sentence(at as i64).definite()),
                Change::Blank(at) => list.insert(at % length, Utterance::bare("", None)),
                Change::Remove(_) | Change::Again => {}
            }
            stream.respond(next as u64 * 2000, &list);
        }
        stream.respond_last(next as u64 * 2000 + 500, &list);
    }
}
