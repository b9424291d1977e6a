//! Requests that are taken, and requests that are refused.

use super::*;
use crate::codes::{FORMAT, INTERNAL, PARAMETERS};
use serde_json::json;

/// The code where nothing is refused.
const TAKEN: u32 = 0;

/// The reference client's request, with another value at a path.
fn with(path: &str, value: Value) -> Result<Request, Refusal> {
    let mut json = json!({"user": {"uid": "u"},
        "audio": {"format": "pcm", "codec": "raw", "rate": 24000, "bits": 16, "channel": 1},
        "request": {"model_name": "bigmodel", "enable_itn": true, "enable_punc": true,
            "enable_ddc": true, "show_utterances": true, "enable_nonstream": false}});
    *path.split('.').fold(&mut json, |at, key| &mut at[key]) = value;
    check(&json, RATES, true)
}

#[test]
fn values_that_are_taken_and_refused() {
    for (path, value, expected) in [
        ("user", json!([]), INTERNAL),
        ("user", Value::Null, TAKEN),
        ("user.uid", json!(7), INTERNAL),
        ("audio.format", Value::Null, PARAMETERS),
        ("audio.codec", json!("pcm"), TAKEN),
        ("audio.rate", json!(24000.0), INTERNAL),
        ("audio.rate", json!(0), FORMAT),
        ("audio.bits", json!(true), INTERNAL),
        ("audio.bits", json!(24), FORMAT),
        ("audio.bits", Value::Null, TAKEN),
        ("audio.channel", json!(2), TAKEN),
        ("audio.channel", json!(3), FORMAT),
        ("request.model_name", json!("another"), TAKEN),
        ("request.enable_itn", json!("true"), INTERNAL),
        ("request.enable_poi_fc", json!(true), TAKEN),
        ("request.accelerate_score", json!(21), PARAMETERS),
        ("request.end_window_size", json!(199), PARAMETERS),
        ("request.end_window_size", json!(200), TAKEN),
        ("request.end_window_size", json!(5000), TAKEN),
        ("request.end_window_size", json!(5001), PARAMETERS),
        ("request.force_to_speech_time", json!(0), TAKEN),
        ("request.vad_segment_duration", json!(0), TAKEN),
        ("request.result_type", json!("partial"), PARAMETERS),
        ("request.sensitive_words_filter", json!("no"), PARAMETERS),
        ("request.corpus", Value::Null, TAKEN),
        ("request.corpus.context", json!(7), INTERNAL),
        ("request.corpus.context", json!("[]"), PARAMETERS),
        ("request.corpus.context", json!("{}"), TAKEN),
        ("request.no_such_thing", json!([1]), TAKEN),
    ] {
        let (code, text) = with(path, value.clone()).err().unwrap_or_default();
        assert_eq!(code, expected, "{path} {value}: {text}");
        // In the text of a wrong type the whole path, in others the field.
        let is_named = code != INTERNAL || text.contains(&format!("field {path} "));
        assert!(is_named, "{path}: {text}");
    }
}

#[test]
fn pauses_end_utterances_where_that_is_asked_for() {
    for (path, value, window) in [
        ("user.uid", json!("u"), None),
        ("request.end_window_size", json!(300), Some(300)),
        ("request.enable_lid", json!(true), Some(800)),
        ("request.enable_nonstream", json!(true), Some(800)),
        ("request.enable_speaker_info", json!(true), None),
    ] {
        let request = with(path, value).unwrap();
        assert_eq!(request.end_window, window, "{path}");
        assert_eq!(request.two_pass, path.ends_with("nonstream"));
    }
    let json = json!({"audio": {"format": "pcm"}, "request": {"enable_nonstream": true}});
    let request = check(&json, RATES, false).unwrap();
    assert!(!request.two_pass, "the endpoint knows none");
}
