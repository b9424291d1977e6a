//! What a session asks for: the JSON of the first frame.
//!
//! The service ignores fields that it does not know and is strict about the types of those that it does: a
//! string where a number is due ends the session with 55000000, an error that looks like a passing one.
//! That is why every documented field has its type here, and why a field that the user did not
//! set is left out rather than sent as null.

use serde::Serialize;
use serde_json::{Map, Value, json};
use thiserror::Error;

/// The one sample format that is sent, S16LE: `audio.bits` and `audio.channel`.
pub struct SampleFormat;

impl SampleFormat {
    /// Bits of a sample.
    pub const BITS: u32 = 16;
    /// Channels.
    pub const CHANNELS: u32 = 1;
    /// Bytes of one sample of all channels.
    pub const BYTES: usize = (Self::BITS / 8 * Self::CHANNELS) as usize;
}

/// Which utterances a response lists: `request.result_type`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ResultType {
    /// All of the session, in every response. The service's default, and not sent.
    #[default]
    Full,
    /// Only those that are not settled yet, and those just settled.
    Single,
}

/// All that the first frame of a session says. The default is what the element asks for when nobody
/// set anything.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// `user.uid`: shows in the vendor's logs.
    pub uid: String,
    /// `audio.rate` in hertz: 24000, or 16000, the only one that older documentation names.
    pub rate: u32,
    /// `audio.language`, such as `en-US`; honoured by `bigmodel_nostream`.
    pub language: Option<String>,
    /// `model_name`; only `bigmodel` is documented.
    pub model_name: String,
    /// Numbers as digits.
    pub enable_itn: bool,
    /// Punctuation. Sent always, because the documented default varies.
    pub enable_punc: bool,
    /// Fillers and repetitions removed.
    pub enable_ddc: bool,
    /// Utterances, their times and their words in the responses.
    pub show_utterances: bool,
    /// A second pass over each finished sentence (`bigmodel_async` only).
    pub enable_nonstream: bool,
    /// Which utterances a response lists.
    pub result_type: ResultType,
    /// Milliseconds of silence after which an utterance is settled; 200 or 300 to 5000, by documentation.
    /// Recordings made without it hold nothing settled before the very end.
    pub end_window_size: Option<u32>,
    /// No end of an utterance before so many milliseconds of audio, at least 1.
    pub force_to_speech_time: Option<u32>,
    /// Milliseconds for the split by meaning; without effect beside `end_window_size`.
    pub vad_segment_duration: Option<u32>,
    /// Words to expect, before those of [`context`](Self::context). Empty ones are left out.
    pub hotwords: Vec<String>,
    /// Further content of `corpus.context`, from [`parse_context`].
    pub context: Option<Map<String, Value>>,
    /// A table of hot words kept at the vendor, by id; the id beats the name.
    pub boosting_table_id: Option<String>,
    /// The same, by name.
    pub boosting_table_name: Option<String>,
    /// A table of replacements kept at the vendor, by id; the id beats the name.
    pub correct_table_id: Option<String>,
    /// The same, by name.
    pub correct_table_name: Option<String>,
    /// Tell speakers apart; sent with `ssd_version` "200", which it needs.
    pub enable_speaker_info: bool,
    /// Further fields of `request`, put in last: one that is known here replaces the value above, except
    /// that an object (`corpus`) is merged field by field.
    pub extra: Map<String, Value>,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            uid: "gst-volcasrsink".into(),
            rate: 24_000,
            language: None,
            model_name: "bigmodel".into(),
            enable_itn: true,
            enable_punc: true,
            enable_ddc: true,
            show_utterances: true,
            enable_nonstream: false,
            result_type: ResultType::Full,
            end_window_size: Some(800),
            force_to_speech_time: None,
            vad_segment_duration: None,
            hotwords: Vec::new(),
            context: None,
            boosting_table_id: None,
            boosting_table_name: None,
            correct_table_id: None,
            correct_table_name: None,
            enable_speaker_info: false,
            extra: Map::new(),
        }
    }
}

impl Request {
    /// The JSON of the full client request, for
    /// [`FrameEncoder::request`](super::frame::FrameEncoder::request).
    pub fn to_json(&self) -> Vec<u8> {
        let fields = Fields::of(self);
        let request = if self.extra.is_empty() {
            Section::Typed(fields)
        } else {
            let mut merged = json!(fields);
            merge(&mut merged, &self.extra);
            Section::Merged(merged)
        };
        let body = Body {
            user: User { uid: &self.uid },
            audio: Audio {
                format: "pcm",
                codec: "raw",
                rate: self.rate,
                bits: SampleFormat::BITS,
                channel: SampleFormat::CHANNELS,
                language: self.language.as_deref(),
            },
            request,
        };
        serde_json::to_vec(&body)
            .expect("strings, numbers and maps with string keys always serialise")
    }

    /// `corpus.context`, a string that holds JSON.
    fn corpus_context(&self) -> Option<String> {
        let words = self.hotwords.iter().filter(|word| !word.trim().is_empty());
        let mut hotwords: Vec<Value> = words.map(|word| json!({ "word": word })).collect();
        let mut context = self.context.clone().unwrap_or_default();
        if !hotwords.is_empty() {
            if let Some(Value::Array(more)) = context.remove("hotwords") {
                hotwords.extend(more);
            }
            context.insert("hotwords".into(), hotwords.into());
        }
        (!context.is_empty()).then(|| Value::Object(context).to_string())
    }
}

/// Puts `extra` into the object `target`, objects field by field, anything else in place of what is there.
fn merge(target: &mut Value, extra: &Map<String, Value>) {
    for (key, value) in extra {
        match (value, target.get_mut(key)) {
            (Value::Object(inner), Some(known @ Value::Object(_))) => merge(known, inner),
            _ => target[key] = value.clone(),
        }
    }
}

/// Why a text can't be `corpus.context`. The message is for the user who set it.
#[derive(Debug, Error)]
pub enum ContextError {
    /// No JSON.
    #[error("not valid JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// JSON, but not an object; what it is instead.
    #[error(
        "a JSON object is needed, such as {{\"context_type\":\"dialog_ctx\",\"context_data\":[…]}}, not {0}"
    )]
    NotAnObject(&'static str),
    /// `hotwords` has another shape than the documented one.
    #[error("\"hotwords\" must be a list of objects such as {{\"word\":\"…\"}}")]
    Hotwords,
}

/// Reads the text of a context, which must be a JSON object; `hotwords` in it must be a list of objects that
/// each have a `word`, as documented, because it is joined with [`Request::hotwords`].
///
/// # Errors
/// [`ContextError`], which says what is wrong with the text.
pub fn parse_context(text: &str) -> Result<Map<String, Value>, ContextError> {
    let context = match serde_json::from_str(text)? {
        Value::Object(context) => context,
        Value::Array(_) => return Err(ContextError::NotAnObject("a list")),
        Value::String(_) => return Err(ContextError::NotAnObject("a string")),
        Value::Number(_) => return Err(ContextError::NotAnObject("a number")),
        Value::Bool(_) => return Err(ContextError::NotAnObject("a boolean")),
        Value::Null => return Err(ContextError::NotAnObject("null")),
    };
    let sound = |entry: &Value| entry.get("word").is_some_and(Value::is_string);
    match context.get("hotwords") {
        None => Ok(context),
        Some(Value::Array(words)) if words.iter().all(sound) => Ok(context),
        Some(_) => Err(ContextError::Hotwords),
    }
}

#[derive(Serialize)]
struct Body<'a> {
    user: User<'a>,
    audio: Audio<'a>,
    request: Section<'a>,
}

#[derive(Serialize)]
struct User<'a> {
    uid: &'a str,
}

#[derive(Serialize)]
struct Audio<'a> {
    format: &'a str,
    codec: &'a str,
    rate: u32,
    bits: u32,
    channel: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Section<'a> {
    Typed(Fields<'a>),
    Merged(Value),
}

/// The typed fields of `request`, in the order of the documentation.
#[derive(Serialize)]
struct Fields<'a> {
    model_name: &'a str,
    enable_itn: bool,
    enable_punc: bool,
    enable_ddc: bool,
    show_utterances: bool,
    enable_nonstream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    result_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_window_size: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    force_to_speech_time: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vad_segment_duration: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enable_speaker_info: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ssd_version: Option<&'a str>,
    #[serde(skip_serializing_if = "Corpus::is_empty")]
    corpus: Corpus<'a>,
}

impl<'a> Fields<'a> {
    fn of(request: &'a Request) -> Self {
        let speakers = request.enable_speaker_info;
        Self {
            model_name: &request.model_name,
            enable_itn: request.enable_itn,
            enable_punc: request.enable_punc,
            enable_ddc: request.enable_ddc,
            show_utterances: request.show_utterances,
            enable_nonstream: request.enable_nonstream,
            result_type: match request.result_type {
                ResultType::Full => None,
                ResultType::Single => Some("single"),
            },
            end_window_size: request.end_window_size,
            force_to_speech_time: request.force_to_speech_time,
            vad_segment_duration: request.vad_segment_duration,
            enable_speaker_info: speakers.then_some(true),
            ssd_version: speakers.then_some("200"),
            corpus: Corpus {
                boosting_table_id: request.boosting_table_id.as_deref(),
                boosting_table_name: request.boosting_table_name.as_deref(),
                correct_table_id: request.correct_table_id.as_deref(),
                correct_table_name: request.correct_table_name.as_deref(),
                context: request.corpus_context(),
            },
        }
    }
}

#[derive(Serialize, PartialEq, Default)]
struct Corpus<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    boosting_table_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    boosting_table_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correct_table_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correct_table_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<String>,
}

impl Corpus<'_> {
    fn is_empty(&self) -> bool {
        *self == Corpus::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(request: &Request) -> Value {
        serde_json::from_slice(&request.to_json()).unwrap()
    }

    /// What `corpus.context`, a string, holds.
    fn context(request: &Request) -> Value {
        let sent = sent(request);
        let text = sent["request"]["corpus"]["context"].as_str();
        serde_json::from_str(text.unwrap()).unwrap()
    }

    fn object(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            other => panic!("{other} is no object"),
        }
    }

    #[test]
    fn the_default_is_exactly_this() {
        let expected = concat!(
            r#"{"user":{"uid":"gst-volcasrsink"},"#,
            r#""audio":{"format":"pcm","codec":"raw","rate":24000,"bits":16,"channel":1},"#,
            r#""request":{"model_name":"bigmodel","enable_itn":true,"enable_punc":true,"enable_ddc":true,"#,
            r#""show_utterances":true,"enable_nonstream":false,"end_window_size":800}}"#
        );
        assert_eq!(
            String::from_utf8(Request::default().to_json()).unwrap(),
            expected
        );
    }

    #[test]
    fn every_field_goes_to_its_place_with_its_type() {
        let request = Request {
            uid: "me".into(),
            rate: 16_000,
            language: Some("en-US".into()),
            model_name: "other".into(),
            enable_itn: false,
            enable_punc: false,
            enable_ddc: false,
            show_utterances: false,
            enable_nonstream: true,
            result_type: ResultType::Single,
            end_window_size: Some(300),
            force_to_speech_time: Some(1000),
            vad_segment_duration: Some(3000),
            hotwords: vec!["Brandenburg Gate".into()],
            context: None,
            boosting_table_id: Some("b1".into()),
            boosting_table_name: Some("b2".into()),
            correct_table_id: Some("c1".into()),
            correct_table_name: Some("c2".into()),
            enable_speaker_info: true,
            extra: object(json!({"enable_poi_fc": true})),
        };
        let expected = json!({
            "user": {"uid": "me"},
            "audio": {"format": "pcm", "codec": "raw", "rate": 16000, "bits": 16, "channel": 1, "language": "en-US"},
            "request": {
                "model_name": "other", "enable_itn": false, "enable_punc": false, "enable_ddc": false,
                "show_utterances": false, "enable_nonstream": true, "result_type": "single",
                "end_window_size": 300, "force_to_speech_time": 1000, "vad_segment_duration": 3000,
                "enable_speaker_info": true, "ssd_version": "200", "enable_poi_fc": true,
                "corpus": {
                    "boosting_table_id": "b1", "boosting_table_name": "b2",
                    "correct_table_id": "c1", "correct_table_name": "c2",
                    "context": r#"{"hotwords":[{"word":"Brandenburg Gate"}]}"#,
                },
            },
        });
        assert_eq!(sent(&request), expected);
    }

    #[test]
    fn what_is_not_set_is_not_sent() {
        let request = Request {
            end_window_size: None,
            hotwords: vec![String::new(), " ".into()],
            context: Some(Map::new()),
            ..Request::default()
        };
        let sent = object(sent(&request)["request"].take());
        assert_eq!(sent.len(), 6, "{sent:?}");
    }

    #[test]
    fn hot_words_and_context_become_one() {
        let mut request = Request {
            hotwords: vec!["a \"quoted\" one".into(), "二".into()],
            context: Some(
                parse_context(
                    r#"{"hotwords":[{"word":"three","weight":2}],"context_type":"dialog_ctx"}"#,
                )
                .unwrap(),
            ),
            ..Request::default()
        };
        let words =
            json!([{"word": "a \"quoted\" one"}, {"word": "二"}, {"word": "three", "weight": 2}]);
        assert_eq!(
            context(&request),
            json!({"hotwords": words, "context_type": "dialog_ctx"})
        );
        request.hotwords.clear();
        assert_eq!(
            context(&request),
            json!({"hotwords": [{"word": "three", "weight": 2}], "context_type": "dialog_ctx"})
        );
    }

    #[test]
    fn extra_fields_win_and_join_the_corpus() {
        let request = Request {
            hotwords: vec!["kept".into()],
            boosting_table_id: Some("old".into()),
            extra: object(json!({
                "enable_itn": false, "accelerate_score": 10, "result_type": {"odd": 1},
                "corpus": {"boosting_table_id": "new", "further": "x"},
            })),
            ..Request::default()
        };
        let sent = sent(&request);
        let sent = &sent["request"];
        assert_eq!(sent["enable_itn"], json!(false));
        assert_eq!(sent["enable_punc"], json!(true));
        assert_eq!(sent["accelerate_score"], json!(10));
        assert_eq!(sent["result_type"], json!({"odd": 1}));
        assert_eq!(
            sent["corpus"],
            json!({"boosting_table_id": "new", "further": "x", "context": r#"{"hotwords":[{"word":"kept"}]}"#})
        );
    }

    #[test]
    fn a_context_of_another_shape_is_refused_with_the_reason() {
        let refused = |text| parse_context(text).unwrap_err().to_string();
        assert!(refused("{").starts_with("not valid JSON"));
        assert!(refused("").starts_with("not valid JSON"));
        assert!(refused("[1]").ends_with("not a list"));
        assert!(refused("\"{}\"").ends_with("not a string"));
        for text in [
            r#"{"hotwords":"a"}"#,
            r#"{"hotwords":["a"]}"#,
            r#"{"hotwords":[{"word":1}]}"#,
        ] {
            assert!(refused(text).starts_with("\"hotwords\" must be"), "{text}");
        }
        assert!(parse_context("{}").unwrap().is_empty());
    }
}
