//! Responses whose settled start is skipped. [`Stream`] compares every update of every test with
//! those of a tracker that reads everything each time; these are the edge cases.
use proptest::prelude::*;

use super::script::table;
use super::*;

fn sentence(n: i64) -> Utterance {
    timed(&format!("Sentence {n}."), n * 2000, n * 2000 + 1500)
}

#[test]
fn what_a_response_begins_with_again() {
    table(
        "
        # Settled sentences are passed over, from when they come again
        2000: One.@500-1500!                          | 0 One. F
        repeated                                      | 0
        3000: One.@500-1500! / two@2500-2900          | 1 two
        repeated                                      | 1
        4000: One.@500-1500! / Two.@2500-3500!        | 1 Two. F
        repeated                                      | 1
        4100: One.@500-1500! / Two.@2500-3500!        |
        repeated                                      | 2
        // Other words for a settled one are too late.
        4200: Another.@510-1490! / Two.@2500-3500!    |
        repeated                                      | 2
        connect 5000
        repeated                                      | 0

        # Without times the same words may be said again
        1000: One.@0-900! / Yes.@-!                   | 0 One. F / 1 Yes. F
        1500: One.@0-900! / Yes.@-!                   |
        repeated                                      | 1
        2000: One.@0-900! / Yes.@-! / Yes.@-!         | 2 Yes. F
        2500: One.@0-900! / Yes.@-! / Yes.@-!         |
        repeated                                      | 1

        # Placeholders alone list nothing: the text beside them is the utterance each time
        ? json: {\"utterances\":[{\"text\":\"\"}]}                           |
        ? json: {\"utterances\":[{\"text\":\"\"}],\"text\":\"one\"}          | 0 one
        ? json: {\"utterances\":[{\"text\":\"\"}],\"text\":\"one two\"}      | 0 one two
        ",
    );
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
            stream.respond(next as u64 * 2000, &result(&list), false);
        }
        stream.respond(next as u64 * 2000 + 500, &result(&list), true);
    }
}
