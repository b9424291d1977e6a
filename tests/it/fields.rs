//! The fields of a `volcasr-transcript` message.

use crate::common::script::*;
use crate::common::*;
use serde_json::json;
use volcasr_loopback::{Options, Recogniser, Script};

/// A change of attributes is news; their order is not. Names that GStreamer could not take are left
/// out.
#[test]
fn attributes_are_news() {
    let said = |additions: &str| {
        let text = format!(
            r#"{{"audio_info":{{"duration":200}},"result":{{"utterances":[{{"definite":false,
                "start_time":1,"end_time":200,"text":"hello","additions":{additions}}}]}}}}"#
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
        r#"{"audio_info":{"duration":2000},"result":{"utterances":[{"definite":true,
            "start_time":1,"end_time":200,"text":"hello","additions":{"source":"two_pass"}}]}}"#,
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
        "words": [
            {"start_time": 100, "end_time": 180, "text": odd},
            {"start_time": 300, "end_time": 380, "text": "c"},
        ],
        "additions": {"source": "x\0y", "na\0me": "z", "\0": "z"},
    }]);
    let mut last = response(2000, said);
    last["result"]["additions"] = json!({"log_id": odd});
    let service = scripted(&[], last);
    let log = TestPipeline::new(set(sink(&service), "post-responses=true")).run(&audio(), 100);
    log.assert_no_errors("the run");
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
