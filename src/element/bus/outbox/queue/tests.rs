use std::time::Duration;

use super::*;
use crate::client::Event;
use crate::session::transcript::Update;

fn transcript(stream: u32, number: u32, text: &str) -> OutgoingMessage {
    OutgoingMessage::Event(Event::Transcript {
        stream,
        session: 0,
        update: Update {
            number,
            text: text.to_owned(),
            is_final: !["interim", "other"].contains(&text),
            unconfirmed: false,
            start: None,
            end: None,
            words: Vec::new(),
            attributes: Vec::new(),
        },
    })
}

/// `interim N`, `final N`, `other N` (an interim text of another stream), `settled MS`,
/// `response BYTES`.
fn message(text: &str) -> OutgoingMessage {
    let (kind, number) = text.split_once(' ').unwrap_or((text, "1"));
    let number: u32 = number.parse().expect("a number");
    match kind {
        "response" => OutgoingMessage::Event(Event::Response {
            session: 0,
            json: "x".repeat(number as usize),
        }),
        "settled" => OutgoingMessage::Event(Event::Settled {
            stream: 0,
            until: Duration::from_millis(number.into()),
        }),
        _ => transcript(u32::from(kind == "other"), number, kind),
    }
}

/// A queue with `count` final texts, from number 0 on.
fn finals(count: u32) -> Queue {
    let mut queue = Queue::new();
    for number in 0..count {
        assert!(queue.push(0, message(&format!("final {number}"))));
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
    #[rustfmt::skip]
    let rows = [
        (0, "interim 90, interim 90", "interim 90, interim 90"),
        (0, "settled 1, settled 2", "settled 1, settled 2"),
        (many, "interim 90, interim 90", "interim 90"),
        (many, "interim 90, final 90", "final 90"),
        (many, "interim 90, final 91, interim 90", "final 91, interim 90"),
        (many, "interim 90, interim 91", "interim 90, interim 91"),
        // The same number in another stream is another utterance.
        (many, "interim 90, other 90", "interim 90, other 90"),
        (many, "final 90, final 90", "final 90, final 90"),
        (many, "settled 1, final 90, settled 2", "final 90, settled 2"),
        (many, "response, response", "response, response"),
    ];
    for (before, messages, left) in rows {
        let mut queue = finals(before);
        for text in messages.split(", ") {
            assert!(queue.push(0, message(text)));
        }
        let found = waiting(&queue)[before as usize..].join(", ");
        assert_eq!(found, left, "{messages} behind {before}");
    }
}

/// Posts that may be dropped are bounded by number and by bytes, and the newest stay.
#[test]
fn old_interim_texts_and_responses_are_dropped() {
    for (kind, newest) in [
        ("interim #", "interim 4999"),
        ("response 10", "response"),
        ("response 1048576", "response"),
    ] {
        let mut queue = finals(3);
        for n in 0..5000 {
            assert!(queue.push(0, message(&kind.replace('#', &n.to_string()))));
            assert!(queue.messages.len() <= DROP_ABOVE);
            assert!(queue.bytes <= DROP_ABOVE_BYTES + (2 << 20));
        }
        let waiting = waiting(&queue);
        assert_eq!(waiting[..3], ["final 0", "final 1", "final 2"]);
        assert_eq!(waiting[3..].last().expect("the newest wait"), newest);
    }
}

/// Final texts are never dropped: too many of them are one too many for the queue.
#[test]
fn final_texts_alone_exceed_the_limit() {
    let text = "word ".repeat(20_000);
    let mut queue = Queue::new();
    let most = (0..).find(|&number| !queue.push(0, transcript(0, number, &text)));
    let most = most.expect("a limit");
    assert!((most as usize) * text.len() > MAX_BYTES * 9 / 10);
    assert_eq!(queue.messages.len() as u32, most + 1);
    // Room comes back as they are posted.
    for _ in 0..2 {
        queue.pop();
    }
    assert!(queue.push(0, message(&format!("final {most}"))));
    assert_eq!(waiting(&queue).len() as u32, most);
    queue.retain(|_| false);
    assert!(waiting(&queue).is_empty() && queue.bytes == 0);
}
