//! The JSON of the full client request: known fields strictly typed, unknown ones ignored.

use crate::{audio::Format, codes};
use serde_json::Value;
use std::{fmt::Display, ops::RangeInclusive};

/// The rates that are taken: any, as documented in 2026.
pub(crate) const RATES: RangeInclusive<u32> = 8_000..=192_000;

/// Fields of the request that change the service's behaviour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub rate: u32,
    pub channels: usize,
    /// Format of the audio, or why it is not known, which is said after the ack.
    pub format: Result<Format, String>,
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

#[derive(Clone, Copy)]
enum Type {
    Object,
    Bool,
    Int,
    Text,
    /// A string that holds a JSON object.
    TextOfJson,
}

/// Every documented field, by path.
const FIELDS: &[(&str, Type)] = &[
    ("user", Type::Object),
    ("user.uid", Type::Text),
    ("user.did", Type::Text),
    ("user.platform", Type::Text),
    ("user.sdk_version", Type::Text),
    ("user.app_version", Type::Text),
    ("audio", Type::Object),
    ("audio.format", Type::Text),
    ("audio.codec", Type::Text),
    ("audio.rate", Type::Int),
    ("audio.bits", Type::Int),
    ("audio.channel", Type::Int),
    ("audio.language", Type::Text),
    ("request", Type::Object),
    ("request.model_name", Type::Text),
    ("request.enable_itn", Type::Bool),
    ("request.enable_punc", Type::Bool),
    ("request.enable_ddc", Type::Bool),
    ("request.show_utterances", Type::Bool),
    ("request.enable_nonstream", Type::Bool),
    ("request.result_type", Type::Text),
    ("request.enable_accelerate_text", Type::Bool),
    ("request.accelerate_score", Type::Int),
    ("request.end_window_size", Type::Int),
    ("request.force_to_speech_time", Type::Int),
    ("request.vad_segment_duration", Type::Int),
    ("request.sensitive_words_filter", Type::TextOfJson),
    ("request.enable_speaker_info", Type::Bool),
    ("request.ssd_version", Type::Text),
    ("request.ssd_mode", Type::Int),
    ("request.enable_auto_lang", Type::Bool),
    ("request.enable_age_detection", Type::Bool),
    ("request.enable_channel_split", Type::Bool),
    ("request.show_speech_rate", Type::Bool),
    ("request.show_volume", Type::Bool),
    ("request.enable_lid", Type::Bool),
    ("request.enable_emotion_detection", Type::Bool),
    ("request.enable_gender_detection", Type::Bool),
    ("request.output_zh_variant", Type::Text),
    ("request.enable_poi_fc", Type::Bool),
    ("request.enable_music_fc", Type::Bool),
    ("request.corpus", Type::Object),
    ("request.corpus.boosting_table_name", Type::Text),
    ("request.corpus.boosting_table_id", Type::Text),
    ("request.corpus.correct_table_name", Type::Text),
    ("request.corpus.correct_table_id", Type::Text),
    ("request.corpus.regex_correct_table_name", Type::Text),
    ("request.corpus.regex_correct_table_id", Type::Text),
    ("request.corpus.context", Type::TextOfJson),
];

/// Fields of the request with the `additions` that they ask for. The values, all strings, are
/// modelled. All but the first switch segmentation by pauses on, as `end_window_size` does.
const EXTRAS: &[(&str, &str, &[&str])] = &[
    ("request.enable_speaker_info", "speaker_id", &["1", "2"]),
    ("request.show_speech_rate", "speech_rate", &["2.5", "4.1"]),
    ("request.show_volume", "volume", &["61.2", "58.9"]),
    ("request.enable_lid", "lid_lang", &["speech_en"]),
    (
        "request.enable_emotion_detection",
        "emotion",
        &["neutral", "happy", "sad"],
    ),
    (
        "request.enable_gender_detection",
        "gender",
        &["female", "male"],
    ),
];

/// The value at a path; null is the same as no value.
fn look<'a>(root: &'a Value, path: &str) -> Option<&'a Value> {
    let value = path.split('.').try_fold(root, |value, key| value.get(key));
    value.filter(|value| !value.is_null())
}

/// Checks the request. `two_pass`: the endpoint knows second passes.
///
/// A field of a wrong type is 55000000 naming it, as users report it. That values out of the
/// documented ranges are 45000001 follows the documentation. The exact texts are modelled.
pub(crate) fn check(
    json: &Value,
    rates: &RangeInclusive<u32>,
    two_pass: bool,
) -> Result<Request, Refusal> {
    if !json.is_object() {
        let text = "unmarshal request: cannot unmarshal into an object";
        return refuse(codes::INTERNAL, text);
    }
    check_types(json)?;
    check_ranges(json)?;
    let text = |path| look(json, path).and_then(Value::as_str);
    let int = |path| look(json, path).and_then(Value::as_i64);
    let on = |path: &str| look(json, path).and_then(Value::as_bool).unwrap_or(false);

    let Some(format) = text("audio.format") else {
        return refuse(codes::PARAMETERS, "missing field: audio.format");
    };
    let known = Format::of(format, text("audio.codec").unwrap_or_default());
    // The documented defaults of absent fields.
    let rate = int("audio.rate").unwrap_or(16_000);
    let Some(rate) = u32::try_from(rate).ok().filter(|rate| rates.contains(rate)) else {
        return refuse(codes::FORMAT, format!("audio format wrong: rate {rate}"));
    };
    let bits = int("audio.bits").unwrap_or(16);
    if bits != 16 {
        return refuse(codes::FORMAT, format!("audio format wrong: bits {bits}"));
    }
    let channels = int("audio.channel").unwrap_or(1);
    if !(1..=2).contains(&channels) {
        let text = format!("audio format wrong: channel {channels}");
        return refuse(codes::FORMAT, text);
    }
    let two_pass = two_pass && on("request.enable_nonstream");
    let extras = EXTRAS.iter().filter(|(path, ..)| on(path));
    let segmenting = two_pass || EXTRAS[1..].iter().any(|(path, ..)| on(path));
    Ok(Request {
        rate,
        channels: channels.unsigned_abs() as usize,
        format: known.ok_or_else(|| format.to_owned()),
        show_utterances: on("request.show_utterances"),
        punctuation: on("request.enable_punc"),
        two_pass,
        single: text("request.result_type") == Some("single"),
        end_window: int("request.end_window_size").or(segmenting.then_some(800)),
        force_to_speech: int("request.force_to_speech_time").unwrap_or(0),
        extras: extras.map(|&(_, name, values)| (name, values)).collect(),
    })
}

fn check_types(json: &Value) -> Result<(), Refusal> {
    for &(path, expected) in FIELDS {
        let Some(value) = look(json, path) else {
            continue;
        };
        let (fits, name) = match expected {
            Type::Object => (value.is_object(), "an object"),
            Type::Bool => (value.is_boolean(), "a bool"),
            Type::Int => (value.is_i64(), "an integer"),
            Type::Text | Type::TextOfJson => (value.is_string(), "a string"),
        };
        if !fits {
            let text = format!("unmarshal request: cannot unmarshal field {path} into {name}");
            return refuse(codes::INTERNAL, text);
        }
        if let (Type::TextOfJson, Some(text)) = (expected, value.as_str())
            && !serde_json::from_str::<Value>(text).is_ok_and(|v| v.is_object())
        {
            return invalid(format_args!("{path} does not hold a JSON object"));
        }
    }
    Ok(())
}

fn check_ranges(json: &Value) -> Result<(), Refusal> {
    for (path, range) in [
        ("request.accelerate_score", 0..=20),
        // Documented from 300; 200 is sent in production.
        ("request.end_window_size", 200..=5000),
        // Documented from 1; 0 is sent in production.
        ("request.force_to_speech_time", 0..=i64::MAX),
        // No range is documented.
        ("request.vad_segment_duration", 0..=i64::MAX),
    ] {
        let value = look(json, path).and_then(Value::as_i64);
        if let Some(value) = value.filter(|value| !range.contains(value)) {
            return invalid(format_args!("{path} {value} out of range"));
        }
    }
    for (path, allowed) in [
        ("request.result_type", &["full", "single"][..]),
        ("request.output_zh_variant", &["traditional", "tw", "hk"]),
    ] {
        let value = look(json, path).and_then(Value::as_str);
        if let Some(value) = value.filter(|value| !allowed.contains(value)) {
            return invalid(format_args!("{path} {value}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
