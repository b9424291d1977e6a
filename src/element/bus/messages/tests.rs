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

fn nanos(structure: &gst::StructureRef, field: &str) -> Option<u64> {
    structure.get(field).ok()
}

#[test]
fn an_utterance_in_the_pipeline_s_time() {
    let s = transcript(&timeline(), 3, 1, &update());
    assert_eq!(s.name(), "volcasr-transcript");
    assert_eq!(s.get("text"), Ok("Hello, world."));
    assert_eq!(s.get("final"), Ok(true));
    assert_eq!(s.get("unconfirmed"), Ok(false));
    assert_eq!(s.get("utterance"), Ok(7u32));
    assert_eq!(s.get("stream"), Ok(3u32));
    assert_eq!(s.get("stream-id"), Ok("a-stream"));
    assert_eq!(s.get("session"), Ok(1u32));
    for field in ["timestamp", "stream-time", "running-time"] {
        assert_eq!(nanos(&s, field), Some(5_100_000_000), "{field}");
    }
    assert_eq!(nanos(&s, "duration"), Some(800_000_000));
    let words = s.get::<gst::Array>("words").expect("words");
    let words: Vec<gst::Structure> = words
        .iter()
        .map(|word| word.get().expect("a word"))
        .collect();
    assert_eq!(words[0].name(), "word");
    assert_eq!(words[0].get("text"), Ok("Hello, "));
    assert_eq!(nanos(&words[0], "timestamp"), Some(5_100_000_000));
    assert_eq!(nanos(&words[0], "duration"), Some(80_000_000));
    assert_eq!(words[1].n_fields(), 1, "no times: {}", words[1]);
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
    let mut fields: Vec<String> = transcript(&timeline(), 9, 0, &update)
        .fields()
        .map(|field| field.to_string())
        .collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "final",
            "session",
            "stream",
            "text",
            "unconfirmed",
            "utterance",
            "words"
        ]
    );
}

/// A beginning without an end has no duration.
#[test]
fn an_open_end_has_no_duration() {
    let s = transcript(
        &timeline(),
        3,
        0,
        &Update {
            end: None,
            ..update()
        },
    );
    assert_eq!(nanos(&s, "timestamp"), Some(5_100_000_000));
    assert!(!s.has_field("duration"));
}

#[test]
fn attributes_that_gstreamer_could_not_take_are_left_out() {
    let names = ["speaker_id", "a.b-c", "1st", "with space", "", "é", "nul\0"];
    let attributes = names.map(|name| (name.to_owned(), "x".to_owned())).into();
    let s = transcript(
        &timeline(),
        3,
        0,
        &Update {
            attributes,
            ..update()
        },
    );
    let attributes = s.get::<gst::Structure>("attributes").expect("attributes");
    let kept: Vec<String> = attributes.fields().map(|field| field.to_string()).collect();
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
