//! The fields of a `volcasr-transcript` message.

use crate::common::faults::warnings_of;
use crate::common::script::*;
use crate::common::*;
use serde_json::{Value, json};

/// A change of attributes is news; their order is not. Names that GStreamer could not take are left
/// out.
#[test]
fn attributes_are_news() {
    let said = |at, definite, additions: Value| {
        let mut utterance = utterance(definite, (1, 200), "hello");
        utterance["additions"] = additions;
        (at, response(at, json!([utterance])))
    };
    let odd = json!({"speaker_id": "1", "source": "stream",
        "1st": "x", "with space": "x", "é": "x", "": "x"});
    let responses = [
        said(200, false, json!({"source": "stream", "speaker_id": "0"})),
        said(400, false, json!({"speaker_id": "0", "source": "stream"})),
        said(600, false, odd),
    ];
    let (_, last) = said(2000, true, json!({"source": "two_pass"}));
    let service = scripted(&responses, last);
    let log = TestPipeline::new(sink(&service)).run(&audio(), 100);
    let of = |t: &Transcript| {
        let texts = t
            .attributes
            .iter()
            .map(|(name, text)| format!("{name}={text}"));
        texts.collect::<Vec<_>>().join(" ")
    };
    let attributes: Vec<String> = log.transcripts().iter().map(of).collect();
    let streams = ["source=stream speaker_id=0", "source=stream speaker_id=1"];
    assert_eq!(attributes, [&streams[..], &["source=two_pass"]].concat());
}

/// A service that answers, but in a form of which nothing is known, must not look like silence. The
/// count of responses is a table of `session::response_check`.
#[test]
fn a_session_without_a_readable_response_draws_one_warning() {
    let unknown = json!({"data": {"text": "hello"}});
    let several: Vec<_> = (1..=4).map(|n| (n * 200, unknown.clone())).collect();
    let log = TestPipeline::new(sink(&scripted(&several, unknown))).run(&audio(), 100);
    log.assert_no_errors("the run");
    let warnings = log.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert_eq!(warnings_of(&log, "volcasr-unreadable").len(), 1);
    assert_eq!(warnings[0].number("responses"), Some(5));
    assert!(warnings[0].error.message().contains("uri"), "{warnings:?}");
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
    let finals = log.finals();
    assert_eq!(finals[0].text, "ab, c.");
    let words = finals[0].words.iter().map(|word| word.text.as_str());
    assert!(words.eq(["ab, ", "c."]), "{finals:?}");
    let attributes = [("source".to_owned(), "xy".to_owned())];
    assert_eq!(finals[0].attributes, attributes.into());
    assert_eq!(log.tags(), ["ab, c."]);
}
