//! The request that opens a session: the JSON of the first frame.
//!
//! The service ignores unknown fields and is strict about the types of known ones. A string in
//! place of a number ends the session with 55000000, which looks like a passing error. So every
//! documented field has its type here, and one that the user did not set is left out instead of
//! sent as null.

mod json;

use serde::Serialize;
use serde_json::{Map, Value, json};
use thiserror::Error;

/// Choice of the utterances that a response lists: `request.result_type`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ResultType {
    /// All of the session, in every response. The service's default, and not sent.
    #[default]
    Full,
    /// Only the open ones, and those just become definite.
    Single,
}

/// Content of a session's first frame. The default is what the element asks for when no property is
/// set.
///
/// The serialised fields are those of the JSON's section `request`, in the order of the
/// documentation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Request {
    /// `user.uid`, which appears in the vendor's logs.
    #[serde(skip)]
    pub uid: String,
    /// `audio.rate` in hertz: 24000, or 16000, the only one that older documentation names.
    #[serde(skip)]
    pub rate: u32,
    /// `audio.language`, such as `en-US`; honoured by `bigmodel_nostream`.
    #[serde(skip)]
    pub language: Option<String>,
    /// `model_name`; only `bigmodel` is documented.
    pub model_name: String,
    /// Writes numbers as digits.
    pub enable_itn: bool,
    /// Adds punctuation. Always sent, because the documented default varies.
    pub enable_punc: bool,
    /// Removes fillers and repetitions.
    pub enable_ddc: bool,
    /// Includes utterances, times and words in the responses.
    pub show_utterances: bool,
    /// Recognises each finished sentence a second time (`bigmodel_async` only).
    pub enable_nonstream: bool,
    /// Which utterances a response lists.
    #[serde(skip_serializing_if = "ResultType::is_default")]
    pub result_type: ResultType,
    /// Silence in milliseconds that makes an utterance definite: 200 or 300 to 5000, by
    /// documentation. In recordings made without it, no utterance is definite before the very end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_window_size: Option<u32>,
    /// Audio in milliseconds, at least 1, before which no utterance ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force_to_speech_time: Option<u32>,
    /// Length in milliseconds for the split by meaning. No effect beside `end_window_size`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vad_segment_duration: Option<u32>,
    /// Tells speakers apart.
    #[serde(skip_serializing_if = "is_false")]
    pub enable_speaker_info: bool,
    /// Version of the speaker model: "200" for short talk, "300" for long meetings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssd_version: Option<String>,
    /// Tables kept at the vendor.
    #[serde(skip)]
    pub tables: Tables,
    /// Words to expect, sent before those of [`context`](Self::context). Empty ones are left out.
    #[serde(skip)]
    pub hotwords: Vec<String>,
    /// Further content of `corpus.context`, from [`parse_context`].
    #[serde(skip)]
    pub context: Option<Map<String, Value>>,
    /// Further fields of `request`, merged last. One that is known here replaces the value above;
    /// an object (`corpus`) is merged field by field.
    #[serde(skip)]
    pub extra: Map<String, Value>,
}

/// Tables in `corpus`. An id beats a name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tables {
    /// Table of hot words, by id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boosting_table_id: Option<String>,
    /// Table of hot words, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boosting_table_name: Option<String>,
    /// Table of replacements, by id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correct_table_id: Option<String>,
    /// Table of replacements, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correct_table_name: Option<String>,
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
            enable_speaker_info: false,
            ssd_version: None,
            tables: Tables::default(),
            hotwords: Vec::new(),
            context: None,
            extra: Map::new(),
        }
    }
}

impl ResultType {
    fn is_default(&self) -> bool {
        *self == ResultType::default()
    }
}

/// serde passes a reference.
fn is_false(value: &bool) -> bool {
    !value
}

impl Request {
    /// Returns `corpus.context`, a string that holds JSON.
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

/// Reason why a text can't be `corpus.context`, for the user who set it.
#[derive(Debug, Error)]
pub enum ContextError {
    /// Not JSON.
    #[error("not valid JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// JSON, but no object; names what it is instead.
    #[error(
        "a JSON object is needed, such as \
         {{\"context_type\":\"dialog_ctx\",\"context_data\":[…]}}, not {0}"
    )]
    NotAnObject(&'static str),
    /// `hotwords` does not have the documented shape.
    #[error("\"hotwords\" must be a list of objects such as {{\"word\":\"…\"}}")]
    Hotwords,
}

/// Reads a context, which must be a JSON object. Its `hotwords` must be a list of objects that each
/// have a `word`, as documented, because it is joined with [`Request::hotwords`].
///
/// # Errors
/// [`ContextError`] says what is wrong with the text.
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

#[cfg(test)]
mod tests;
