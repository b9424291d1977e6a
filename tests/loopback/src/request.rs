//! The JSON of the full client request: known fields strictly typed, unknown ones ignored.

use crate::codes;
use serde_json::Value;
use std::{fmt::Display, ops::RangeInclusive};

/// The rates that are taken: any, as documented in 2026.
pub(crate) const RATES: RangeInclusive<i64> = 8_000..=192_000;

/// Fields of the request that change the service's behaviour.
#[derive(Debug, Default)]
pub(crate) struct Request {
    pub rate: u32,
    pub channels: usize,
    pub format: String,
    pub codec: String,
    pub show_utterances: bool,
    pub punctuation: bool,
    pub two_pass: bool,
    pub single: bool,
    /// Milliseconds of silence after which an utterance is definite; none: not before the end.
    pub end_window: Option<i64>,
    /// No end of an utterance before this many milliseconds of audio.
    pub force_to_speech: i64,
    /// Further `additions` of each utterance: their names, and the values that take turns.
    pub extras: Vec<(&'static str, &'static [&'static str])>,
}

/// A refusal of the request: an error frame's code and text.
pub(crate) type Refusal = (u32, String);

fn refuse<T>(code: u32, text: impl Into<String>) -> Result<T, Refusal> {
    Err((code, text.into()))
}

fn invalid<T>(what: impl Display) -> Result<T, Refusal> {
    refuse(codes::PARAMETERS, format!("invalid parameters: {what}"))
}

/// Every documented field, with a value of its type. `"{}"` stands for a string that holds a JSON
/// object.
const FIELDS: &str = r#"{
    "user": {"uid": "", "did": "", "platform": "", "sdk_version": "", "app_version": ""},
    "audio": {"format": "", "codec": "", "rate": 0, "bits": 0, "channel": 0, "language": ""},
    "request": {
        "model_name": "", "enable_itn": true, "enable_punc": true, "enable_ddc": true,
        "show_utterances": true, "enable_nonstream": true, "result_type": "",
        "enable_accelerate_text": true, "accelerate_score": 0,
        "end_window_size": 0, "force_to_speech_time": 0, "vad_segment_duration": 0,
        "sensitive_words_filter": "{}", "enable_auto_lang": true, "enable_age_detection": true,
        "enable_speaker_info": true, "ssd_version": "", "ssd_mode": 0,
        "enable_channel_split": true, "show_speech_rate": true, "show_volume": true,
        "enable_lid": true, "enable_emotion_detection": true, "enable_gender_detection": true,
        "output_zh_variant": "", "enable_poi_fc": true, "enable_music_fc": true,
        "corpus": {
            "boosting_table_name": "", "boosting_table_id": "",
            "correct_table_name": "", "correct_table_id": "",
            "regex_correct_table_name": "", "regex_correct_table_id": "", "context": "{}"
        }
    }
}"#;

/// Fields of `request` with the `additions` that they ask for. The values, all strings, are
/// modelled. All but the first switch segmentation by pauses on, as `end_window_size` does.
const EXTRAS: &[(&str, &str, &[&str])] = &[
    ("enable_speaker_info", "speaker_id", &["1", "2"]),
    ("show_speech_rate", "speech_rate", &["2.5", "4.1"]),
    ("show_volume", "volume", &["61.2", "58.9"]),
    ("enable_lid", "lid_lang", &["speech_en"]),
    (
        "enable_emotion_detection",
        "emotion",
        &["neutral", "happy", "sad"],
    ),
    ("enable_gender_detection", "gender", &["female", "male"]),
];

/// Checks the request. `two_pass`: the endpoint knows second passes.
///
/// A field of a wrong type is 55000000 naming it, as users report it. That values out of the
/// documented ranges are 45000001 follows the documentation. The exact texts are modelled.
pub(crate) fn check(
    json: &Value,
    rates: RangeInclusive<i64>,
    two_pass: bool,
) -> Result<Request, Refusal> {
    let fields = serde_json::from_str(FIELDS).expect("the constant is JSON");
    check_types(&fields, json, "")?;
    let (audio, request) = (&json["audio"], &json["request"]);
    check_values(request)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let on = |field: &str| request[field] == true;

    if audio["format"].is_null() {
        return refuse(codes::PARAMETERS, "missing field: audio.format");
    }
    // The documented defaults of absent fields.
    let [rate, bits, channels] = [("rate", 16_000), ("bits", 16), ("channel", 1)]
        .map(|(field, default)| audio[field].as_i64().unwrap_or(default));
    for (field, value, range) in [
        ("rate", rate, rates),
        ("bits", bits, 16..=16),
        ("channel", channels, 1..=2),
    ] {
        if !range.contains(&value) {
            return refuse(
                codes::FORMAT,
                format!("audio format wrong: {field} {value}"),
            );
        }
    }
    let two_pass = two_pass && on("enable_nonstream");
    let extras = EXTRAS.iter().filter(|(field, ..)| on(field));
    let segmenting = two_pass || EXTRAS[1..].iter().any(|(field, ..)| on(field));
    let end_window = request["end_window_size"].as_i64();
    Ok(Request {
        rate: rate as u32,
        channels: channels as usize,
        format: text(&audio["format"]),
        codec: text(&audio["codec"]),
        show_utterances: on("show_utterances"),
        punctuation: on("enable_punc"),
        two_pass,
        single: request["result_type"] == "single",
        end_window: end_window.or(segmenting.then_some(800)),
        force_to_speech: request["force_to_speech_time"].as_i64().unwrap_or(0),
        extras: extras.map(|&(_, name, values)| (name, values)).collect(),
    })
}

/// Compares the types of the known fields. Null is the same as no value.
fn check_types(known: &Value, given: &Value, path: &str) -> Result<(), Refusal> {
    let (fits, name) = match known {
        Value::Object(_) => (given.is_object(), "an object"),
        Value::Bool(_) => (given.is_boolean(), "a bool"),
        Value::Number(_) => (given.is_i64(), "an integer"),
        _ => (given.is_string(), "a string"),
    };
    if !fits && !given.is_null() {
        let text = format!("unmarshal request: cannot unmarshal field {path} into {name}");
        return refuse(codes::INTERNAL, text);
    }
    let is_object = |json| serde_json::from_str(json).is_ok_and(|json: Value| json.is_object());
    if known == "{}" && !given.as_str().is_none_or(is_object) {
        return invalid(format_args!("{path} does not hold a JSON object"));
    }
    for (name, known) in known.as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        check_types(known, &given[name], path.trim_start_matches('.'))?;
    }
    Ok(())
}

fn check_values(request: &Value) -> Result<(), Refusal> {
    for (field, range) in [
        ("accelerate_score", 0..=20),
        // Documented from 300; 200 is sent in production.
        ("end_window_size", 200..=5000),
        // Documented from 1; 0 is sent in production.
        ("force_to_speech_time", 0..=i64::MAX),
        // No range is documented.
        ("vad_segment_duration", 0..=i64::MAX),
    ] {
        if let Some(value) = request[field].as_i64().filter(|n| !range.contains(n)) {
            return invalid(format_args!("request.{field} {value} out of range"));
        }
    }
    for (field, allowed) in [
        ("result_type", &["full", "single"][..]),
        ("output_zh_variant", &["traditional", "tw", "hk"]),
    ] {
        if let Some(value) = request[field]
            .as_str()
            .filter(|text| !allowed.contains(text))
        {
            return invalid(format_args!("request.{field} {value}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
