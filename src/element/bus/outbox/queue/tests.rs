use std::time::Duration;

use super::*;
use crate::client::Event;
use crate::session::transcript::Update;

fn transcript(stream: u32, number: u32, text: &str, is_final: bool) -> OutgoingMessage {
    OutgoingMessage::Event(Event::Transcript {
        stream,
        session: 0,
        update: Update {
            number,
            text: text.to_owned(),
            is_final,
            unconfirmed: false,
            start: None,
            end: None,
            words: Vec::new(),
            attributes: Vec::new(),
        },
    })
}

fn interim(number: u32) -> OutgoingMessage {
    transcript(0, number, "interim", false)
}

fn last(number: u32) -> OutgoingMessage {
    transcript(0, number, "final", true)
}

fn response(bytes: usize) -> OutgoingMessage {
    OutgoingMessage::Event(Event::Response {
        session: 0,
        json: "x".repeat(bytes),
    })
}

fn settled(ms: u64) -> OutgoingMessage {
    OutgoingMessage::Event(Event::Settled {
        stream: 0,
        until: Duration::from_millis(ms),
    })
}

/// A queue with `count` final texts, from number 0 on.
fn finals(count: u32) -> Queue {
    let mut queue = Queue::new();
    for number in 0..count {
        assert!(queue.push(0, last(number)));
    }
    queue
}

/// Texts and numbers of the messages that wait, whose bytes are counted right.
fn waiting(queue: &Queue) -> Vec<String> {
    let bytes = queue.messages.iter().map(|(_, message)| message.bytes());
    assert_eq!(queue.bytes, bytes.sum::<usize>());
    let brief = |(_, message): &(u64, OutgoingMessage)| match message {
        OutgoingMessage::Event(Event::Transcript { update, .. }) => {
            format!("{} {}", update.text, update.number)
        }
        OutgoingMessage::Event(Event::Settled { until, .. }) => {
            format!("settled {}", until.as_millis())
        }
        OutgoingMessage::Event(Event::Response { .. }) => "response".to_owned(),
        _ => "other".to_owned(),
    };
    queue.messages.iter().map(brief).collect()
}

/// Behind [`COALESCE_ABOVE`] final texts, messages are coalesced, and behind fewer they are not.
#[test]
fn with_many_waiting_a_post_gives_way_to_its_successor() {
    let many = COALESCE_ABOVE as u32;
    for (before, messages, left) in [
        (
            0,
            vec![interim(90), interim(90)],
            vec!["interim 90", "interim 90"],
        ),
        (
            0,
            vec![settled(1), settled(2)],
            vec!["settled 1", "settled 2"],
        ),
        (many, vec![interim(90), interim(90)], vec!["interim 90"]),
        (many, vec![interim(90), last(90)], vec!["final 90"]),
        (
            many,
            vec![interim(90), last(91), interim(90)],
            vec!["final 91", "interim 90"],
        ),
        (
            many,
            vec![interim(90), interim(91)],
            vec!["interim 90", "interim 91"],
        ),
        // The same number in another stream is another utterance.
        (
            many,
            vec![interim(90), transcript(1, 90, "other", false)],
            vec!["interim 90", "other 90"],
        ),
        (many, vec![last(90), last(90)], vec!["final 90", "final 90"]),
        (
            many,
            vec![settled(1), last(90), settled(2)],
            vec!["final 90", "settled 2"],
        ),
        (
            many,
            vec![response(1), response(1)],
            vec!["response", "response"],
        ),
    ] {
        let mut queue = finals(before);
        for message in messages {
            assert!(queue.push(0, message));
        }
        assert_eq!(waiting(&queue)[before as usize..], left);
    }
}

/// Posts that may be dropped are bounded by number and by bytes, and the newest stay.
#[test]
fn old_interim_texts_and_responses_are_dropped() {
    for make in [
        interim as fn(u32) -> OutgoingMessage,
        |_| response(10),
        |_| response(1 << 20),
    ] {
        let mut queue = finals(3);
        for n in 0..5000 {
            assert!(queue.push(0, make(n)));
            assert!(queue.messages.len() <= DROP_ABOVE);
            assert!(queue.bytes <= DROP_ABOVE_BYTES + (2 << 20));
        }
        let waiting = waiting(&queue);
        assert_eq!(waiting[..3], ["final 0", "final 1", "final 2"]);
        assert!(waiting.len() > 3, "the newest wait");
        if let Some(last) = waiting.last().filter(|last| last.starts_with("interim")) {
            assert_eq!(last, "interim 4999");
        }
    }
}

/// Final texts are never dropped: too many of them are one too many for the queue.
#[test]
fn final_texts_alone_exceed_the_limit() {
    let text = "word ".repeat(20_000);
    let mut queue = Queue::new();
    let most = (0..).find(|&number| !queue.push(0, transcript(0, number, &text, true)));
    let most = most.expect("a limit");
    assert!((most as usize) * text.len() > MAX_BYTES * 9 / 10);
    assert_eq!(queue.messages.len() as u32, most + 1);
    // Room comes back as they are posted.
    for _ in 0..2 {
        queue.pop();
    }
    assert!(queue.push(0, last(most)));
    assert_eq!(waiting(&queue).len() as u32, most);
    queue.retain(|_| false);
    assert!(waiting(&queue).is_empty() && queue.bytes == 0);
}
