//! JSON of the request: sections, names and types.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Request, Tables};

impl Request {
    /// Returns the JSON of the full client request, for
    /// [`FrameEncoder::request`](crate::protocol::frame::FrameEncoder::request).
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(&Body::of(self))
            .expect("strings, numbers and maps with string keys always serialise")
    }
}

#[derive(Serialize)]
struct Body<'a> {
    user: User<'a>,
    audio: Audio<'a>,
    request: Section<'a>,
}

impl<'a> Body<'a> {
    /// Makes the body, with the fields of `extra` added or replaced.
    fn of(request: &'a Request) -> Self {
        let corpus = Corpus {
            tables: &request.tables,
            context: request.corpus_context(),
        };
        let fields = Fields { request, corpus };
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
                bits: 16,
                channel: 1,
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

#[derive(Serialize)]
struct Fields<'a> {
    #[serde(flatten)]
    request: &'a Request,
    #[serde(skip_serializing_if = "Corpus::is_empty")]
    corpus: Corpus<'a>,
}

#[derive(Serialize)]
struct Corpus<'a> {
    #[serde(flatten)]
    tables: &'a Tables,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<String>,
}

impl Corpus<'_> {
    fn is_empty(&self) -> bool {
        self.context.is_none() && *self.tables == Tables::default()
    }
}

/// Merges `extra` into the object `target`: objects field by field, other values in place of the
/// existing ones.
fn merge(target: &mut Value, extra: &Map<String, Value>) {
    for (key, value) in extra {
        match (value, target.get_mut(key)) {
            (Value::Object(inner), Some(known @ Value::Object(_))) => merge(known, inner),
            _ => target[key] = value.clone(),
        }
    }
}
