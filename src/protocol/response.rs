//! The service's responses.
//!
//! ```json
//! {"audio_info":{"duration":4300},
//!  "result":{"additions":{"log_id":"…"},"text":"The rain has stopped.",
//!   "utterances":[{"additions":{"source":"stream"},"definite":false,"start_time":592,
//!     "end_time":4252,"text":"The rain has stopped.",
//!     "words":[{"start_time":592,"end_time":672,"text":"The"},
//!       {"start_time":-1,"end_time":-1,"text":" "}]}]}}
//! ```
//!
//! In recorded traffic each of these fields is absent from one response or another. `result` is an
//! object where the documentation has a list, and spaces carry the time −1. So each field is
//! optional here, and a mistyped one counts as absent. Numbers and booleans may be strings.
//! Documentation also shows the object wrapped,
//! `{"code":0,"payload_msg":{"audio_info":…,"result":…}}`. Both forms are read.
//!
//! A `full` response repeats the whole session and grows to megabytes, several times a second; only
//! its end is new. So the types borrow from the payload, and words and attributes stay JSON text
//! until they are needed: text and times are enough to recognise a final utterance.

use std::borrow::Cow;
use std::time::Duration;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess};
use thiserror::Error;

pub use super::utterance::{Additions, Utterance, Word, Words};

use super::tolerant_json::{
    JsonVisitor, ObjectOrNone, Seed, code, entries, has_content, milliseconds, nested, raw, skip,
    string,
};

/// Upper bound on the utterances that are read from a response. A session of ten minutes has some
/// hundreds.
pub const MAX_UTTERANCES: usize = 4096;

/// Upper bound on the bytes of a response's words, as JSON; those of earlier utterances are
/// left out. As types they take several times as much. An hour of speech has some three megabytes.
pub const MAX_WORD_BYTES: usize = 4 << 20;

/// Response of the service.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Response<'a> {
    /// Audio of the connection that the service has worked through. It only grows.
    pub duration: Option<Duration>,
    /// Text of the whole session, or of the part that `result_type` asks for. It may change until
    /// the end.
    pub text: Option<Cow<'a, str>>,
    /// Utterances in their order. `None` when the service left them out, which differs from an
    /// empty list.
    pub utterances: Option<Vec<Utterance<'a>>>,
    /// Number of utterances that are left out at the beginning of the list, because they were final
    /// before and have not changed. Most of `text` is left out with them. See
    /// [`PrefixCache::decode`](super::prefix_cache::PrefixCache::decode).
    pub repeated: usize,
    /// Id by which the vendor finds the session. It comes in the first answer of `bigmodel_async`.
    pub log_id: Option<Cow<'a, str>>,
    /// Code of an error that came in a response instead of an error frame. A success has no code,
    /// or one that sister services use for it: 0, 1000, 20000000.
    pub code: Option<u32>,
    /// Whether text, an object or a list stands under an unknown name, or a string in place of an
    /// object.
    pub has_unknown: bool,
}

/// Degree to which a response can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Results or progress: a text, a list of utterances, or a duration.
    Results,
    /// None of these and nothing unknown, like an acknowledgement.
    Nothing,
    /// Unknown content only.
    Unknown,
}

/// Reason why a payload is no response. The caller logs it and goes on, because the next response
/// repeats what counts.
#[derive(Debug, Error)]
pub enum ResponseError {
    /// Not UTF-8.
    #[error("a response that is not UTF-8: {0}")]
    Utf8(#[from] std::str::Utf8Error),
    /// Not JSON, or nested too deeply.
    #[error("a response that is not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// JSON, but no object.
    #[error("a response that is not a JSON object")]
    NotAnObject,
}

impl<'a> Response<'a> {
    /// Reads an uncompressed payload. An empty one is a response without content.
    ///
    /// # Errors
    /// [`ResponseError`] when the payload as a whole is no JSON object. Mistyped fields are no
    /// error, with one exception: where an object or a list is expected, a number beyond `f64` or a
    /// broken escape ends the reading.
    pub fn decode(payload: &'a [u8]) -> Result<Self, ResponseError> {
        let text = std::str::from_utf8(payload)?;
        let mut response = Self::default();
        match text.trim_start().bytes().next() {
            None => return Ok(response),
            Some(b'{') => {}
            Some(_) => return Err(ResponseError::NotAnObject),
        }
        let mut json = serde_json::Deserializer::from_str(text);
        Seed(&mut response).deserialize(&mut json)?;
        json.end()?;
        let mut word_bytes = 0;
        // The last ones are news.
        for utterance in response.utterances.iter_mut().flatten().rev() {
            word_bytes += utterance.words.raw().len();
            if word_bytes > MAX_WORD_BYTES {
                utterance.words = Words::default();
            }
        }
        Ok(response)
    }

    /// Returns how much of the response can be read.
    pub fn content(&self) -> Content {
        let known = self.duration.is_some() || self.text.is_some() || self.utterances.is_some();
        match (known, self.has_unknown) {
            (true, _) => Content::Results,
            (false, true) => Content::Unknown,
            (false, false) => Content::Nothing,
        }
    }

    fn set_code(&mut self, code: Option<u32>) {
        self.code = code.filter(|code| ![0, 1000, 20_000_000].contains(code));
    }
}

impl<'de> JsonVisitor<'de> for Response<'de> {
    fn field<A: MapAccess<'de>>(
        &mut self,
        key: Cow<'de, str>,
        map: &mut A,
    ) -> Result<(), A::Error> {
        match &*key {
            "payload_msg" => nested(map, self),
            "result" => nested(map, &mut ResultBody(self)),
            "audio_info" => {
                let mut info = entries(raw(map)?);
                let duration = info.find(|(key, _)| key == "duration");
                self.duration = duration.and_then(|(_, raw)| milliseconds(raw));
                Ok(())
            }
            "code" => {
                self.set_code(code(raw(map)?));
                Ok(())
            }
            // An object with a code is an error as well. Its message is read together with the
            // failure.
            "error" => {
                let raw = raw(map)?;
                self.has_unknown |= has_content(raw);
                if let Some((_, raw)) = entries(raw).find(|(key, _)| key == "code") {
                    self.set_code(code(raw));
                }
                Ok(())
            }
            // The text of a code, that of success too.
            "message" => skip(map),
            _ => {
                self.has_unknown |= has_content(raw(map)?);
                Ok(())
            }
        }
    }

    /// Reads `payload_msg` if it is a string.
    fn string(&mut self, text: &str) {
        self.has_unknown |= !text.is_empty();
    }
}

/// Reads `result`: an object or a list of them. Of a list, the utterances become one list, and the
/// first text that is not empty counts.
struct ResultBody<'s, 'de>(&'s mut Response<'de>);

impl<'de> JsonVisitor<'de> for ResultBody<'_, 'de> {
    fn field<A: MapAccess<'de>>(
        &mut self,
        key: Cow<'de, str>,
        map: &mut A,
    ) -> Result<(), A::Error> {
        let response = &mut *self.0;
        match &*key {
            "text" => {
                let text = string(raw(map)?);
                if response.text.as_deref().is_none_or(str::is_empty) {
                    response.text = text.or(response.text.take());
                }
                Ok(())
            }
            "utterances" => nested(map, &mut UtteranceList(response)),
            "additions" => {
                let log_id = Additions::from_raw(raw(map)?).get("log_id");
                response.log_id = log_id.or(response.log_id.take());
                Ok(())
            }
            _ => {
                response.has_unknown |= has_content(raw(map)?);
                Ok(())
            }
        }
    }

    fn list<A: SeqAccess<'de>>(&mut self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Seed(self))?.is_some() {}
        Ok(())
    }

    fn string(&mut self, text: &str) {
        self.0.has_unknown |= !text.is_empty();
    }
}

struct UtteranceList<'s, 'de>(&'s mut Response<'de>);

impl<'de> JsonVisitor<'de> for UtteranceList<'_, 'de> {
    fn list<A: SeqAccess<'de>>(&mut self, mut list: A) -> Result<(), A::Error> {
        let utterances = self.0.utterances.get_or_insert_default();
        while utterances.len() < MAX_UTTERANCES {
            let mut entry = ObjectOrNone(None);
            if list.next_element_seed(Seed(&mut entry))?.is_none() {
                return Ok(());
            }
            utterances.extend(entry.0);
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn string(&mut self, text: &str) {
        self.0.has_unknown |= !text.is_empty();
    }
}

#[cfg(test)]
mod tests;
