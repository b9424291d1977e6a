//! Utterances come out in the order of speech.

use super::*;
use crate::output::transcript::{Times, example as transcript};

fn open(utterance: u32, text: &str, start: u64) -> Transcript {
    Transcript {
        is_final: false,
        ..transcript(utterance, text, start, 100)
    }
}

/// The texts that come out for each message that goes in.
fn ordered(order: &mut Order, messages: &[Transcript]) -> Vec<Vec<String>> {
    let texts = |ready: Vec<Transcript>| ready.into_iter().map(|ready| ready.text).collect();
    messages
        .iter()
        .map(|message| texts(order.take(message.clone())))
        .collect()
}

fn none() -> Vec<String> {
    Vec::new()
}

#[test]
fn what_was_said_before_comes_before() {
    let mut order = Order::default();
    let out = ordered(
        &mut order,
        &[
            open(0, "first", 100),
            open(1, "second", 1000),
            transcript(2, "Third.", 3000, 500),
            transcript(1, "Second.", 1000, 500),
            transcript(0, "First.", 100, 500),
        ],
    );
    assert_eq!(out[..4], [none(), none(), none(), none()]);
    assert_eq!(out[4], ["First.", "Second.", "Third."]);
    assert!(order.finish().is_empty());
}

#[test]
fn nobody_waits_for_what_comes_later_or_is_withdrawn() {
    let mut order = Order::default();
    let out = ordered(
        &mut order,
        &[
            open(0, "later", 5000),
            transcript(1, "Now.", 100, 500),
            open(2, "noise", 600),
            transcript(3, "Next.", 1000, 500),
            transcript(2, "", 600, 0),
            transcript(0, "Later.", 5000, 500),
        ],
    );
    assert_eq!(out[1], ["Now."]);
    assert_eq!(out[3], none());
    assert_eq!(out[4], ["Next."]);
    assert_eq!(out[5], ["Later."]);
}

/// Starts are revised: one that turns out to be later gives way.
#[test]
fn a_revised_start_counts() {
    let mut order = Order::default();
    let out = ordered(
        &mut order,
        &[
            open(0, "early", 100),
            transcript(1, "Now.", 1000, 500),
            open(0, "late", 2000),
        ],
    );
    assert_eq!(out, [none(), none(), vec!["Now.".to_owned()]]);
}

#[test]
fn at_the_end_everything_comes() {
    let mut order = Order::default();
    ordered(
        &mut order,
        &[
            open(0, "open", 100),
            transcript(2, "C.", 3000, 1),
            transcript(1, "B.", 2000, 1),
        ],
    );
    let pending: Vec<&str> = order.pending().iter().map(|t| t.text.as_str()).collect();
    assert_eq!(pending, ["open", "B.", "C."]);
    let rest: Vec<String> = order.finish().into_iter().map(|t| t.text).collect();
    assert_eq!(rest, ["B.", "C."]);
}

/// A flush ends an open utterance without a message; later utterances do not wait for it.
#[test]
fn a_new_stream_does_not_wait_for_the_old_one() {
    let mut order = Order::default();
    ordered(
        &mut order,
        &[open(0, "lost", 100), transcript(1, "Held.", 1000, 1)],
    );
    let new = Transcript {
        stream: 1,
        ..transcript(0, "New.", 50, 1)
    };
    assert_eq!(ordered(&mut order, &[new]), [["Held.", "New."]]);
}

#[test]
fn without_times_numbers_decide() {
    let mut order = Order::default();
    let timeless = |transcript: Transcript| Transcript {
        times: Times::default(),
        ..transcript
    };
    let out = ordered(
        &mut order,
        &[
            timeless(open(0, "a", 0)),
            timeless(transcript(1, "B.", 0, 0)),
            timeless(transcript(0, "A.", 0, 0)),
        ],
    );
    assert_eq!(
        out,
        [none(), none(), vec!["A.".to_owned(), "B.".to_owned()]]
    );
}
