//! Requests that are taken, and requests that are refused.

use super::*;
use serde_json::json;

/// The reference client's request, with another value at a path.
fn with(path: &str, value: Value) -> Result<Request, Refusal> {
    let mut json = json!({"user": {"uid": "u"},
        "audio": {"format": "pcm", "codec": "raw", "rate": 24000, "bits": 16, "channel": 1},
        "request": {"model_name": "bigmodel", "enable_itn": true, "enable_punc": true,
            "enable_ddc": true, "show_utterances": true, "enable_nonstream": false}});
    *path.split('.').fold(&mut json, |at, key| &mut at[key]) = value;
    check(&json, &RATES, true)
}

#[test]
fn every_known_field_of_a_wrong_type_is_named() {
    for (path, expected) in FIELDS {
        let wrong = match expected {
            Type::Text | Type::TextOfJson => json!(7),
            _ => json!("7"),
        };
        let (code, text) = with(path, wrong).unwrap_err();
        assert_eq!(code, codes::INTERNAL);
        assert!(text.contains(&format!("field {path} ")), "{text}");
    }
    for (path, value) in [("audio.rate", json!(24000.0)), ("audio.bits", json!(true))] {
        assert_eq!(with(path, value).unwrap_err().0, codes::INTERNAL, "{path}");
    }
}

#[test]
fn wrong_values_are_refused() {
    for (path, value, code) in [
        ("request.end_window_size", json!(199), codes::PARAMETERS),
        ("request.end_window_size", json!(5001), codes::PARAMETERS),
        ("request.accelerate_score", json!(21), codes::PARAMETERS),
        ("request.result_type", json!("partial"), codes::PARAMETERS),
        (
            "request.sensitive_words_filter",
            json!("no"),
            codes::PARAMETERS,
        ),
        ("request.corpus.context", json!("[]"), codes::PARAMETERS),
        ("audio.format", Value::Null, codes::PARAMETERS),
        ("audio.rate", json!(0), codes::FORMAT),
        ("audio.bits", json!(24), codes::FORMAT),
        ("audio.channel", json!(3), codes::FORMAT),
    ] {
        assert_eq!(with(path, value).unwrap_err().0, code, "{path}");
    }
}

#[test]
fn values_of_clients_in_production_are_taken() {
    for (path, value) in [
        ("request.model_name", json!("another")),
        ("request.end_window_size", json!(200)),
        ("request.end_window_size", json!(5000)),
        ("request.force_to_speech_time", json!(0)),
        ("request.vad_segment_duration", json!(0)),
        ("request.enable_poi_fc", json!(true)),
        ("request.corpus.context", json!(r#"{"hotwords":["word"]}"#)),
        ("request.no_such_thing", json!([1])),
        ("audio.codec", json!("pcm")),
        ("audio.channel", json!(2)),
    ] {
        assert!(with(path, value).is_ok(), "{path}");
    }
    for (path, _) in FIELDS {
        if path.contains('.') && *path != "audio.format" {
            assert!(with(path, Value::Null).is_ok(), "{path}");
        }
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
    let request = check(&json, &RATES, false).unwrap();
    assert!(!request.two_pass, "the endpoint knows none");
}
