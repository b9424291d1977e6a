//! The JSON of the full client request: known fields strictly typed, unknown ones ignored.

use crate::codes;
use serde_json::Value;

/// What of the request changes the service's behaviour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub rate: u32,
    pub show_utterances: bool,
    pub punctuation: bool,
    pub two_pass: bool,
    pub single: bool,
    /// Milliseconds of silence after which an utterance is definite; none: not before the end.
    pub end_window: Option<i64>,
    /// No end of an utterance before this many milliseconds of audio.
    pub force_to_speech: i64,
    /// What each utterance's `additions` hold besides: names, and values for its turn among the others.
    pub extras: Vec<(&'static str, &'static [&'static str])>,
}

/// A refusal of the request: an error frame's code and text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub code: u32,
    pub text: String,
}

fn refuse<T>(code: u32, text: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal {
        code,
        text: text.into(),
    })
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

/// Each of these switches segmentation by pauses on, as `end_window_size` does.
const SEGMENTING: &[&str] = &[
    "request.show_speech_rate",
    "request.show_volume",
    "request.enable_lid",
    "request.enable_emotion_detection",
    "request.enable_gender_detection",
];

/// What is asked for, and what it puts into `additions`. All values are strings; which ones is modelled.
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

fn look<'a>(root: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(root, |value, key| value.get(key))
}

/// Checks the request.
///
/// A field of a wrong type is 55000000 naming it, as users report it; that values out of range are
/// 45000001 and formats 45000151 follows the documentation; the exact texts are modelled.
pub(crate) fn check(
    json: &Value,
    rates: &[u32],
    nonstream_allowed: bool,
) -> Result<Request, Refusal> {
    if !json.is_object() {
        return refuse(
            codes::INTERNAL,
            "unmarshal request: cannot unmarshal into an object",
        );
    }
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
            return refuse(
                codes::INTERNAL,
                format!("unmarshal request: cannot unmarshal field {path} into {name}"),
            );
        }
        if let (Type::TextOfJson, Some(text)) = (expected, value.as_str())
            && !serde_json::from_str::<Value>(text).is_ok_and(|v| v.is_object())
        {
            return refuse(
                codes::PARAMETERS,
                format!("invalid parameters: {path} does not hold a JSON object"),
            );
        }
    }
    let text = |path| look(json, path).and_then(Value::as_str);
    let int = |path| look(json, path).and_then(Value::as_i64);
    let on = |path: &str| look(json, path).and_then(Value::as_bool).unwrap_or(false);

    match text("request.model_name") {
        Some("bigmodel") => {}
        Some(other) => {
            return refuse(
                codes::PARAMETERS,
                format!("invalid parameters: request.model_name {other}"),
            );
        }
        None => return refuse(codes::PARAMETERS, "missing field: request.model_name"),
    }
    match text("audio.format") {
        Some("pcm") => {}
        Some(other) => return refuse(codes::FORMAT, format!("audio format wrong: format {other}")),
        None => return refuse(codes::PARAMETERS, "missing field: audio.format"),
    }
    if let Some(codec) = text("audio.codec").filter(|&codec| codec != "raw") {
        return refuse(codes::FORMAT, format!("audio format wrong: codec {codec}"));
    }
    // The documented defaults of absent fields.
    let rate = int("audio.rate").unwrap_or(16_000);
    let Some(rate) = u32::try_from(rate).ok().filter(|rate| rates.contains(rate)) else {
        return refuse(codes::FORMAT, format!("audio format wrong: rate {rate}"));
    };
    for (path, fits, default) in [("audio.bits", 16, 16), ("audio.channel", 1, 1)] {
        let value = int(path).unwrap_or(default);
        if value != fits {
            return refuse(codes::FORMAT, format!("audio format wrong: {path} {value}"));
        }
    }
    type Fits = fn(i64) -> bool;
    let fits: [(&str, Fits); 4] = [
        ("request.accelerate_score", |score| {
            (0..=20).contains(&score)
        }),
        // 200 is from before the least was 300, and still taken.
        ("request.end_window_size", |ms| {
            ms == 200 || (300..=5000).contains(&ms)
        }),
        ("request.force_to_speech_time", |ms| ms >= 1),
        ("request.vad_segment_duration", |ms| ms >= 1),
    ];
    for (path, fits) in fits {
        if let Some(value) = int(path).filter(|value| !fits(*value)) {
            return refuse(
                codes::PARAMETERS,
                format!("invalid parameters: {path} {value} out of range"),
            );
        }
    }
    for (path, allowed) in [
        ("request.result_type", &["full", "single"][..]),
        ("request.output_zh_variant", &["traditional", "tw", "hk"]),
    ] {
        if let Some(value) = text(path).filter(|value| !allowed.contains(value)) {
            return refuse(
                codes::PARAMETERS,
                format!("invalid parameters: {path} {value}"),
            );
        }
    }
    let two_pass = on("request.enable_nonstream");
    if two_pass && !nonstream_allowed {
        return refuse(
            codes::PARAMETERS,
            "invalid parameters: enable_nonstream is not supported by this endpoint",
        );
    }
    // Documented for this endpoint; the refusal is modelled.
    for path in ["request.enable_poi_fc", "request.enable_music_fc"] {
        if on(path) && nonstream_allowed && !two_pass {
            return refuse(
                codes::PARAMETERS,
                format!("invalid parameters: {path} needs request.enable_nonstream"),
            );
        }
    }
    if let Some(path) = text("request.corpus.context").and_then(wrong_in_context) {
        return refuse(
            codes::PARAMETERS,
            format!("invalid parameters: request.corpus.context: {path}"),
        );
    }
    let segmenting = two_pass || SEGMENTING.iter().any(|name| on(name));
    Ok(Request {
        rate,
        show_utterances: on("request.show_utterances"),
        punctuation: on("request.enable_punc"),
        two_pass,
        single: text("request.result_type") == Some("single"),
        end_window: int("request.end_window_size").or(segmenting.then_some(800)),
        force_to_speech: int("request.force_to_speech_time").unwrap_or(0),
        extras: EXTRAS
            .iter()
            .filter(|(path, ..)| on(path))
            .map(|&(_, name, values)| (name, values))
            .collect(),
    })
}

/// Which of the documented keys of the context does not have its documented shape. Others are ignored.
fn wrong_in_context(context: &str) -> Option<&'static str> {
    let context: Value = serde_json::from_str(context).ok()?;
    let holds = |key: &str, inner: &str| {
        context.get(key).is_none_or(|list| {
            let texts = |item: &Value| item.get(inner).is_some_and(Value::is_string);
            list.as_array().is_some_and(|list| list.iter().all(texts))
        })
    };
    if !holds("hotwords", "word") {
        return Some("hotwords is no list of {\"word\":\"…\"}");
    }
    if !holds("context_data", "text") {
        return Some("context_data is no list of {\"text\":\"…\"}");
    }
    let kind = context.get("context_type");
    kind.is_some_and(|kind| !kind.is_string())
        .then_some("context_type is no string")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn reference() -> Value {
        json!({"user": {"uid": "u"},
            "audio": {"format": "pcm", "codec": "raw", "rate": 24000, "bits": 16, "channel": 1},
            "request": {"model_name": "bigmodel", "enable_itn": true, "enable_punc": true, "enable_ddc": true,
                "show_utterances": true, "enable_nonstream": false}})
    }

    fn with(path: &[&str], value: Value) -> Result<Request, Refusal> {
        let mut json = reference();
        let (last, above) = path.split_last().unwrap();
        let mut at = &mut json;
        for key in above {
            at = &mut at[*key];
        }
        at[*last] = value;
        check(&json, &[16_000, 24_000], true)
    }

    #[test]
    fn the_reference_request_passes_and_settles_nothing_early() {
        let request = check(&reference(), &[16_000, 24_000], true).unwrap();
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
            assert_eq!(refusal.code, codes::INTERNAL);
            assert!(
                refusal.text.contains(&format!("field {path} ")),
                "{}",
                refusal.text
            );
        }
    }

    #[test]
    fn unknown_fields_are_ignored() {
        assert!(with(&["request", "no_such_thing"], json!([1])).is_ok());
    }

    #[test]
    fn a_float_or_a_bool_is_no_integer() {
        assert_eq!(
            with(&["audio", "rate"], json!(24000.0)).unwrap_err().code,
            codes::INTERNAL
        );
        assert_eq!(
            with(&["audio", "bits"], json!(true)).unwrap_err().code,
            codes::INTERNAL
        );
    }

    #[test]
    fn values_out_of_range_are_invalid_parameters() {
        for (key, value) in [
            ("model_name", json!("small")),
            ("end_window_size", json!(199)),
            ("end_window_size", json!(201)),
            ("end_window_size", json!(299)),
            ("end_window_size", json!(5001)),
            ("accelerate_score", json!(21)),
            ("result_type", json!("partial")),
            ("sensitive_words_filter", json!("not json")),
            ("corpus", json!({"context": "[]"})),
            ("corpus", json!({"context": r#"{"hotwords":["word"]}"#})),
            ("corpus", json!({"context": r#"{"hotwords":{"word":"a"}}"#})),
            ("corpus", json!({"context": r#"{"context_data":[{}]}"#})),
            ("corpus", json!({"context": r#"{"context_type":1}"#})),
            ("enable_poi_fc", json!(true)),
            ("enable_music_fc", json!(true)),
        ] {
            assert_eq!(
                with(&["request", key], value).unwrap_err().code,
                codes::PARAMETERS,
                "{key}"
            );
        }
        for (key, value) in [
            ("rate", json!(8000)),
            ("bits", json!(24)),
            ("channel", json!(2)),
            ("format", json!("ogg")),
        ] {
            assert_eq!(
                with(&["audio", key], value).unwrap_err().code,
                codes::FORMAT,
                "{key}"
            );
        }
    }

    #[test]
    fn a_context_of_the_documented_shape() {
        let context = r#"{"hotwords":[{"word":"a","scale":2}],"context_type":"dialog_ctx",
            "context_data":[{"text":"b"}],"other":1}"#;
        assert!(with(&["request", "corpus"], json!({ "context": context })).is_ok());
    }

    #[test]
    fn what_segments_by_pauses() {
        assert_eq!(
            with(&["request", "end_window_size"], json!(300))
                .unwrap()
                .end_window,
            Some(300)
        );
        assert_eq!(
            with(&["request", "enable_lid"], json!(true))
                .unwrap()
                .end_window,
            Some(800)
        );
        assert_eq!(
            with(&["request", "enable_nonstream"], json!(true))
                .unwrap()
                .end_window,
            Some(800)
        );
    }

    #[test]
    fn two_passes_only_where_they_work() {
        let mut json = reference();
        json["request"]["enable_nonstream"] = json!(true);
        assert_eq!(
            check(&json, &[24_000], false).unwrap_err().code,
            codes::PARAMETERS
        );
    }
}
