//! The fields of a `volcasr-transcript` message.

use crate::common::script::*;
use crate::common::*;
use gst::prelude::*;
use serde_json::json;
use volcasr_loopback::{Options, Recogniser, Script};

#[test]
#[expect(clippy::too_many_lines, reason = "a message in full")]
fn the_message_has_the_documented_fields() {
    let words = json!([
        {"start_time": 100, "end_time": 180, "text": "hello"},
        {"start_time": -1, "end_time": -1, "text": " "},
        {"start_time": 300, "end_time": 380, "text": "world"},
    ]);
    let additions = json!({"speaker_id": "1", "emotion": "happy", "speech_rate": "3.5"});
    let both = json!([
        {"definite": true, "start_time": 100, "end_time": 400, "text": "\u{201c}Hello, world!\u{201d}", "words": words,
         "additions": additions},
        {"definite": true, "start_time": 1000, "end_time": 1400, "text": "Plain."},
    ]);
    let service = scripted(&[], response(2000, both));
    let mut rig = TestPipeline::new(sink(&service));
    let log = rig.run(&audio(), 100);
    let structures: Vec<&gst::StructureRef> = log
        .messages
        .iter()
        .filter_map(|message| message.structure())
        .filter(|s| s.name() == "volcasr-transcript")
        .collect();
    let fields = |n: usize| {
        let mut fields: Vec<String> = structures[n].fields().map(|f| f.to_string()).collect();
        fields.sort_unstable();
        fields
    };
    let mut documented = vec![
        "attributes",
        "duration",
        "final",
        "running-time",
        "session",
        "stream",
        "stream-id",
        "stream-time",
        "text",
        "timestamp",
        "unconfirmed",
        "utterance",
        "words",
    ];
    assert_eq!(fields(0), documented);
    documented.remove(0);
    assert_eq!(fields(1), documented, "no attributes");
    for (field, expected) in [
        ("text", String::static_type()),
        ("final", bool::static_type()),
        ("unconfirmed", bool::static_type()),
        ("utterance", u32::static_type()),
        ("stream", u32::static_type()),
        ("session", u32::static_type()),
        ("stream-id", String::static_type()),
        ("timestamp", u64::static_type()),
        ("stream-time", u64::static_type()),
        ("running-time", u64::static_type()),
        ("duration", u64::static_type()),
        ("words", gst::Array::static_type()),
        ("attributes", gst::Structure::static_type()),
    ] {
        let value = structures[0].value(field).expect(field);
        assert_eq!(value.type_(), expected, "{field}");
    }
    let finals = log.finals();
    let texts: Vec<&str> = finals[0]
        .words
        .iter()
        .map(|word| word.text.as_str())
        .collect();
    assert_eq!(texts, ["\u{201c}Hello, ", "world!\u{201d}"]);
    let attributes = finals[0].attributes.as_ref().expect("attributes");
    assert_eq!(attributes.name(), "attributes");
    for (name, value) in [
        ("speaker_id", "1"),
        ("emotion", "happy"),
        ("speech_rate", "3.5"),
    ] {
        assert_eq!(
            attributes.get::<String>(name).as_deref(),
            Ok(value),
            "{name}"
        );
    }
    assert_eq!(attributes.n_fields(), 3);
    assert!(finals[1].words.is_empty());
    let stream_id = rig.source.static_pad("src").and_then(|pad| pad.stream_id());
    assert_eq!(
        finals[0].stream_id.as_deref(),
        stream_id.as_ref().map(|id| id.as_str())
    );
    assert_eq!(
        (finals[0].stream, finals[0].session, finals[0].utterance),
        (0, 0, 0)
    );
}

/// A change of attributes is news; their order is not. Names that GStreamer could not take are left
/// out.
#[test]
fn attributes_are_news() {
    let said = |additions: &str| {
        let text = format!(
            r#"{{"audio_info":{{"duration":200}},"result":{{"utterances":[{{"definite":false,"start_time":1,
                "end_time":200,"text":"hello","additions":{additions}}}]}}}}"#
        );
        serde_json::value::RawValue::from_string(text).expect("JSON")
    };
    let responses = [
        said(r#"{"source":"stream","speaker_id":"0"}"#),
        said(r#"{"speaker_id":"0","source":"stream"}"#),
        said(r#"{"speaker_id":"1","source":"stream","1st":"x","with space":"x","é":"x","":"x"}"#),
    ];
    let script = Script::responses(
        (1..)
            .map(|n| n * 200)
            .zip(responses.iter().map(|r| r.get())),
        r#"{"audio_info":{"duration":2000},"result":{"utterances":[{"definite":true,"start_time":1,"end_time":200,
            "text":"hello","additions":{"source":"two_pass"}}]}}"#,
    );
    let service = service(Options {
        recogniser: Recogniser::Scripted(script),
        ..Options::default()
    });
    let log = TestPipeline::new(sink(&service)).run(&audio(), 100);
    let attributes: Vec<String> = log
        .transcripts()
        .iter()
        .map(|t| {
            let attributes = t.attributes.as_ref().expect("attributes");
            let mut all: Vec<String> = attributes
                .iter()
                .map(|(name, value)| format!("{name}={}", value.get::<&str>().expect("a string")))
                .collect();
            all.sort_unstable();
            all.join(" ")
        })
        .collect();
    assert_eq!(
        attributes,
        [
            "source=stream speaker_id=0",
            "source=stream speaker_id=1",
            "source=two_pass"
        ]
    );
}

/// A service that answers, but in a form of which nothing is known, must not look like silence.
#[test]
fn a_session_without_a_readable_response_draws_one_warning() {
    let unknown = json!({"data": {"text": "hello"}});
    let several: Vec<_> = (1..=4).map(|n| (n * 200, unknown.clone())).collect();
    let many: Vec<_> = (1..=20).map(|n| (n * 100, unknown.clone())).collect();
    let known = response(2000, json!([utterance(true, (100, 900), "hello")]));
    for (responses, last, count) in [
        (&several, &unknown, Some(5)),
        (&many, &unknown, Some(16)),
        (&several, &known, None),
    ] {
        let service = scripted(responses, last.clone());
        let log = TestPipeline::new(sink(&service)).run(&audio(), 100);
        assert!(log.errors().is_empty() && log.saw_eos(), "{log:?}");
        let warnings = log.warnings();
        let counts: Vec<_> = warnings
            .iter()
            .map(|warning| {
                let details = warning.details.as_ref().expect("details");
                assert_eq!(details.name(), "volcasr-unreadable");
                assert!(warning.error.message().contains("uri"), "{warning:?}");
                details.get::<u32>("responses").expect("a number")
            })
            .collect();
        assert_eq!(counts, Vec::from_iter(count), "{warnings:?}");
    }
}

/// JSON may hold a character that no string of C can: what is said is not lost for it, nor is
/// anything else.
#[test]
fn a_zero_character_ends_nothing() {
    let odd = "a\0b";
    let said = json!([{
        "definite": true, "start_time": 100, "end_time": 900, "text": format!("{odd}, c."),
        "words": [{"start_time": 100, "end_time": 180, "text": odd}, {"start_time": 300, "end_time": 380, "text": "c"}],
        "additions": {"source": "x\0y", "na\0me": "z", "\0": "z"},
    }]);
    let mut last = response(2000, said);
    last["result"]["additions"] = json!({"log_id": odd});
    let service = scripted(&[], last);
    let sink = sink(&service);
    sink.set_property("post-responses", true);
    let log = TestPipeline::new(sink).run(&audio(), 100);
    assert!(log.errors().is_empty(), "{:?}", log.errors());
    assert!(log.saw_eos());
    let finals = log.finals();
    assert_eq!(finals[0].text, "ab, c.");
    let texts: Vec<&str> = finals[0]
        .words
        .iter()
        .map(|word| word.text.as_str())
        .collect();
    assert_eq!(texts, ["ab, ", "c."]);
    let attributes = finals[0].attributes.as_ref().expect("attributes");
    assert_eq!(attributes.get::<String>("source").as_deref(), Ok("xy"));
    assert_eq!(attributes.n_fields(), 1, "{attributes}");
    assert_eq!(log.tags(), ["ab, c."]);
}
