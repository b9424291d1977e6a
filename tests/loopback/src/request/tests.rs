//! Requests that are taken, and requests that are refused.

use super::*;
use serde_json::json;

fn reference() -> Value {
    json!({"user": {"uid": "u"},
        "audio": {"format": "pcm", "codec": "raw", "rate": 24000, "bits": 16, "channel": 1},
        "request": {"model_name": "bigmodel", "enable_itn": true, "enable_punc": true,
            "enable_ddc": true, "show_utterances": true, "enable_nonstream": false}})
}

fn with(path: &[&str], value: Value) -> Result<Request, Refusal> {
    let mut json = reference();
    let (last, above) = path.split_last().unwrap();
    let mut at = &mut json;
    for key in above {
        at = &mut at[*key];
    }
    at[*last] = value;
    check(&json, &RATES, true)
}

#[test]
fn the_reference_request_passes_and_settles_nothing_early() {
    let request = check(&reference(), &RATES, true).unwrap();
    assert_eq!(
        (request.rate, request.end_window, request.punctuation),
        (24_000, None, true)
    );
}

#[test]
fn every_known_field_of_a_wrong_type_is_named() {
    for (path, expected) in FIELDS {
        let wrong = match expected {
            Type::Text | Type::TextOfJson => json!(7),
            _ => json!("7"),
        };
        let keys: Vec<&str> = path.split('.').collect();
        let refusal = with(&keys, wrong).unwrap_err();
        assert_eq!(refusal.0, codes::INTERNAL);
        assert!(
            refusal.1.contains(&format!("field {path} ")),
            "{}",
            refusal.1
        );
    }
}

#[test]
fn values_out_of_range_are_invalid_parameters() {
    for (key, value) in [("rate", json!(24000.0)), ("bits", json!(true))] {
        let (code, _) = with(&["audio", key], value).unwrap_err();
        assert_eq!(code, codes::INTERNAL, "{key} is no integer");
    }
    for (key, value) in [
        ("end_window_size", json!(199)),
        ("end_window_size", json!(5001)),
        ("accelerate_score", json!(21)),
        ("result_type", json!("partial")),
        ("sensitive_words_filter", json!("not json")),
        ("corpus", json!({"context": "[]"})),
    ] {
        let refusal = with(&["request", key], value).unwrap_err();
        assert_eq!(refusal.0, codes::PARAMETERS, "{key}");
    }
    for (key, value) in [("rate", 0), ("bits", 24), ("channel", 3)] {
        let refusal = with(&["audio", key], json!(value)).unwrap_err();
        assert_eq!(refusal.0, codes::FORMAT, "{key}");
    }
}

#[test]
fn what_clients_in_production_send_is_taken() {
    for (path, value) in [
        ("request.model_name", json!("another")),
        ("request.model_name", Value::Null),
        ("request.end_window_size", json!(200)),
        ("request.end_window_size", json!(201)),
        ("request.end_window_size", json!(5000)),
        ("request.force_to_speech_time", json!(0)),
        ("request.vad_segment_duration", json!(0)),
        ("request.enable_poi_fc", json!(true)),
        (
            "request.corpus",
            json!({"context": r#"{"hotwords":["word"]}"#}),
        ),
        ("request.no_such_thing", json!([1])),
        ("audio.codec", json!("pcm")),
        ("audio.channel", json!(2)),
    ] {
        let keys: Vec<&str> = path.split('.').collect();
        assert!(with(&keys, value).is_ok(), "{path}");
    }
    for (path, _) in FIELDS.iter().filter(|(path, _)| *path != "audio.format") {
        let keys: Vec<&str> = path.split('.').collect();
        if keys.len() > 1 && !path.contains("corpus.") {
            assert!(with(&keys, Value::Null).is_ok(), "{path}");
        }
    }
}

#[test]
fn formats() {
    for (format, expected) in [
        ("pcm", Ok(Format::Pcm)),
        ("wav", Ok(Format::Wav)),
        ("mp3", Ok(Format::Compressed)),
        ("ogg", Ok(Format::Compressed)),
        ("midi", Err("midi".to_owned())),
    ] {
        let request = with(&["audio", "format"], json!(format)).unwrap();
        assert_eq!(request.format, expected);
    }
    assert!(with(&["audio", "format"], Value::Null).is_err());
}

#[test]
fn pauses_end_utterances_where_that_is_asked_for() {
    for (key, value, window) in [
        ("end_window_size", json!(300), Some(300)),
        ("enable_lid", json!(true), Some(800)),
        ("enable_nonstream", json!(true), Some(800)),
        ("enable_speaker_info", json!(true), None),
    ] {
        let request = with(&["request", key], value).unwrap();
        assert_eq!(request.end_window, window, "{key}");
    }
}

#[test]
fn two_passes_only_where_they_work() {
    let mut json = reference();
    json["request"]["enable_nonstream"] = json!(true);
    for two_pass in [true, false] {
        let request = check(&json, &RATES, two_pass).unwrap();
        assert_eq!(request.two_pass, two_pass);
    }
}
