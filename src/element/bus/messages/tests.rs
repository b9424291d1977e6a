//! The structures, field by field.

use std::time::Duration;

use super::*;
use crate::element::timeline::Anchor;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A stream whose first sample had the timestamp 5 s.
fn timeline() -> Timeline {
    gst::init().expect("GStreamer");
    let mut timeline = Timeline::new(24_000);
    timeline.begin_stream(3, Some("a-stream".into()));
    timeline.add(
        3,
        Anchor {
            position: 0,
            time: 5_000_000_000,
            ahead: 0,
            segment: Some(gst::FormattedSegment::new()),
        },
    );
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

/// Times are those of the anchor, and what is not known is left out.
#[test]
fn an_utterance_in_the_pipeline_s_time() {
    let s = transcript(&timeline(), 3, 1, &update());
    let times = "timestamp=(guint64)T, stream-time=(guint64)T, running-time=(guint64)T";
    let times = times.replace('T', "5100000000");
    let expected = format!(
        "volcasr-transcript, text=(string)\"Hello, world.\", final=(boolean)true, \
         unconfirmed=(boolean)false, utterance=(uint)7, stream=(uint)3, \
         stream-id=(string)a-stream, session=(uint)1, {times}, duration=(guint64)800000000, \
         attributes=[attributes, source=(string)stream];"
    );
    let mut rest = s.clone();
    rest.remove_field("words");
    assert_eq!(rest, expected.parse::<gst::Structure>().expect("one"));
    let words: Vec<gst::Structure> = s
        .get::<gst::Array>("words")
        .expect("words")
        .iter()
        .map(|word| word.get().expect("a word"))
        .collect();
    let word = format!("word, text=\"Hello, \", {times}, duration=(guint64)80000000;");
    let expected = [word.as_str(), "word, text=world.;"];
    assert_eq!(
        words,
        expected.map(|word| word.parse::<gst::Structure>().expect("one"))
    );
    // A beginning without an end has no duration.
    let open = Update {
        end: None,
        ..update()
    };
    let s = transcript(&timeline(), 3, 0, &open);
    assert!(s.has_field("timestamp") && !s.has_field("duration"));
}

#[test]
fn unknown_fields_are_left_out() {
    let update = Update {
        start: None,
        end: None,
        words: Vec::new(),
        // No name that a field can have.
        attributes: vec![("1st".to_owned(), "x".to_owned())],
        ..update()
    };
    let s = transcript(&timeline(), 9, 0, &update);
    let mut fields: Vec<_> = s.fields().map(|field| field.as_str()).collect();
    fields.sort_unstable();
    let expected = "final session stream text unconfirmed utterance words";
    assert_eq!(fields.join(" "), expected);
}

#[test]
fn attributes_that_gstreamer_could_not_take_are_left_out() {
    let names = ["speaker_id", "a.b-c", "1st", "with space", "", "é", "nul\0"];
    let attributes = names.map(|name| (name.to_owned(), "x".to_owned())).into();
    let update = Update {
        attributes,
        ..update()
    };
    let s = transcript(&timeline(), 3, 0, &update);
    let attributes = s.get::<gst::Structure>("attributes").expect("attributes");
    let kept: Vec<_> = attributes.fields().map(|field| field.as_str()).collect();
    assert_eq!(kept, ["speaker_id", "a.b-c"]);
    // And what is left can be written down and read again, as loggers and tests do.
    let again: gst::Structure = s.to_string().parse().expect("a structure");
    assert_eq!(again.get::<gst::Structure>("attributes"), Ok(attributes));
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
