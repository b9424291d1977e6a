//! The request as the service reads it: sections, names and types of the JSON.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Request, ResultType, SampleFormat};

#[derive(Serialize)]
pub(super) struct Body<'a> {
    user: User<'a>,
    audio: Audio<'a>,
    request: Section<'a>,
}

impl<'a> Body<'a> {
    /// With what `extra` adds or replaces.
    pub fn of(request: &'a Request) -> Self {
        let fields = Fields::of(request);
        let section = if request.extra.is_empty() {
            Section::Typed(fields)
        } else {
            let mut merged = json!(fields);
            merge(&mut merged, &request.extra);
            Section::Merged(merged)
        };
        Self {
            user: User { uid: &request.uid },
            audio: Audio {
                format: "pcm",
                codec: "raw",
                rate: request.rate,
                bits: SampleFormat::BITS,
                channel: SampleFormat::CHANNELS,
                language: request.language.as_deref(),
            },
            request: section,
        }
    }
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
            ssd_version: request.ssd_version.as_deref().filter(|_| speakers),
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

/// Puts `extra` into the object `target`, objects field by field, anything else in place of what is there.
fn merge(target: &mut Value, extra: &Map<String, Value>) {
    for (key, value) in extra {
        match (value, target.get_mut(key)) {
            (Value::Object(inner), Some(known @ Value::Object(_))) => merge(known, inner),
            _ => target[key] = value.clone(),
        }
    }
}
