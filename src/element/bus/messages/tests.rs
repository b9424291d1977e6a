//! The structures, field by field.

use super::*;
use crate::element::timeline::Anchor;
use crate::session::tests::ms;

/// A stream whose first sample had the timestamp 5 s.
fn timeline() -> Timeline {
    gst::init().expect("GStreamer");
    let mut timeline = Timeline::new(24_000);
    timeline.begin_stream(3, Some("a-stream".into()));
    let first = Anchor {
        position: 0,
        time: 5_000_000_000,
        ahead: 0,
        segment: Some(gst::FormattedSegment::new()),
    };
    timeline.add(3, first);
    timeline
}

fn word(text: &str, times: Option<(u64, u64)>) -> Word {
    Word {
        text: text.into(),
        start: times.map(|(start, _)| ms(start)),
        end: times.map(|(_, end)| ms(end)),
    }
}

fn update() -> Update {
    Update {
        number: 7,
        text: "Hello, world.".into(),
        is_final: true,
        unconfirmed: false,
        start: Some(ms(100)),
        end: Some(ms(900)),
        words: vec![word("Hello, ", Some((100, 180))), word("world.", None)],
        attributes: vec![("source".into(), "stream".into())],
    }
}

/// The same without words and end, and with attributes of these names.
fn wordless(names: &[&str]) -> Update {
    let attributes = names.iter().map(|&name| (name.to_owned(), "x".to_owned()));
    Update {
        end: None,
        words: Vec::new(),
        attributes: attributes.collect(),
        ..update()
    }
}

#[test]
fn times_are_those_of_the_anchor_and_what_is_not_known_is_left_out() {
    let times = "timestamp=(guint64)T, stream-time=(guint64)T, running-time=(guint64)T";
    let times = times.replace('T', "5100000000");
    let of_stream = "stream=(uint)3, stream-id=a-stream, session=(uint)1";
    let source = "attributes=[attributes, source=stream]";
    for (stream, update, expected) in [
        (
            3,
            update(),
            format!(
                "{of_stream}, {times}, duration=(guint64)800000000, \
                 words=<[word, text=\"Hello, \", \
                 {times}, duration=(guint64)80000000], [word, text=world.]>, {source};"
            ),
        ),
        // A beginning without an end has no duration. GStreamer could not take the other names.
        (
            3,
            wordless(&["a.b-c", "1st", "with space", "", "é", "nul\0"]),
            format!("{of_stream}, {times}, words=<>, attributes=[attributes, a.b-c=x];"),
        ),
        (
            9,
            Update {
                start: None,
                ..wordless(&["1st"])
            },
            "stream=(uint)9, session=(uint)1, words=<>;".to_owned(),
        ),
    ] {
        let s = transcript(&timeline(), stream, 1, &update);
        let head = "volcasr-transcript, text=\"Hello, world.\", final=true, unconfirmed=false, \
                    utterance=(uint)7";
        let expected = format!("{head}, {expected}").parse::<gst::Structure>();
        assert_eq!(s, expected.expect("a structure"));
        // It can be written down and read again, as loggers and tests do.
        assert_eq!(s.to_string().parse().ok(), Some(s));
    }
}

#[test]
fn the_service_can_t_invent_names_without_end() {
    let mut names = FieldNames(BTreeSet::new());
    for n in 0..1000 {
        let kept = names.get(&format!("invented-{n}")).is_some();
        assert_eq!(kept, n < MAX_ATTRIBUTES, "{n}");
    }
    assert!(names.get("invented-7").is_some());
    assert_eq!(names.get("no name"), None);
}
