//! What the service answers.
//!
//! ```json
//! {"audio_info":{"duration":4300},
//!  "result":{"additions":{"log_id":"…"},"text":"The rain has stopped.",
//!   "utterances":[{"additions":{"source":"stream"},"definite":false,"start_time":592,"end_time":4252,
//!     "text":"The rain has stopped.",
//!     "words":[{"start_time":592,"end_time":672,"text":"The"},{"start_time":-1,"end_time":-1,"text":" "}]}]}}
//! ```
//!
//! In recorded traffic each of these fields is absent from one response or another, `result` is an object
//! where the documentation has a list, and spaces carry the time −1. So each field is optional here, and
//! one of another type counts as absent.
//!
//! A `full` response repeats the whole session and grows to megabytes, several times a second, of which only the
//! end is new. So the types borrow from the payload, and words and attributes stay JSON text until somebody
//! asks for them: an utterance that is settled is recognised by its text and times alone.

use std::borrow::Cow;
use std::time::Duration;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess};
use thiserror::Error;

pub use super::utterance::{Additions, MAX_ADDITIONS, MAX_WORDS, Utterance, Word, WordIter, Words};

use super::lenient::{Entries, Entry, Reader, Shape, milliseconds, nested, raw, skip, string};

/// Most utterances that a response may list; further ones are not read. An honest session of ten minutes
/// has some hundreds, and with their words so many would not go into one payload.
pub const MAX_UTTERANCES: usize = 16_384;

/// One response of the service.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Response<'a> {
    /// How much of the connection's audio the service has worked through. It only grows.
    pub duration: Option<Duration>,
    /// All that was said, or as much of it as `result_type` asks for. It may change until the end.
    pub text: Option<Cow<'a, str>>,
    /// The utterances in their order; absent when the service left them out, which is not the same as
    /// none.
    pub utterances: Option<Vec<Utterance<'a>>>,
    /// So many utterances at the beginning of the list are left out, because they were settled before and are as they were; so is
    /// most of `text`: [`Repeats::decode`](super::repeats::Repeats::decode).
    pub repeated: usize,
    /// The id by which the vendor finds the session; in the first answer of `bigmodel_async`.
    pub log_id: Option<Cow<'a, str>>,
    /// An error that came in a response instead of an error frame. A success has no code, or one of those
    /// that sister services use for it: 0, 1000, 20000000.
    pub code: Option<u32>,
    /// What goes with `code`.
    pub message: Option<Cow<'a, str>>,
}

/// Why a payload is no response. The caller logs it and goes on: the next response repeats what counts.
#[derive(Debug, Error)]
pub enum ResponseError {
    /// Text that is not UTF-8.
    #[error("a response that is not UTF-8: {0}")]
    Utf8(#[from] std::str::Utf8Error),
    /// No JSON, or JSON nested too deeply.
    #[error("a response that is not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// JSON, but no object.
    #[error("a response that is not a JSON object")]
    NotAnObject,
}

impl<'a> Response<'a> {
    /// Reads an unpacked payload. An empty one is a response that says nothing.
    ///
    /// # Errors
    /// [`ResponseError`] when the payload as a whole is no JSON object. Single fields of another type are not
    /// an error, with one exception: where an object or a list is due, a number beyond `f64` or a broken
    /// escape ends the reading.
    pub fn decode(payload: &'a [u8]) -> Result<Self, ResponseError> {
        let text = std::str::from_utf8(payload)?;
        let mut response = Self::default();
        match text.trim_start().bytes().next() {
            None => return Ok(response),
            Some(b'{') => {}
            Some(_) => return Err(ResponseError::NotAnObject),
        }
        let mut json = serde_json::Deserializer::from_str(text);
        Reader(&mut response).deserialize(&mut json)?;
        json.end()?;
        Ok(response)
    }
}

impl<'de> Shape<'de> for Response<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "result" => nested(map, &mut ResultBody(self)),
            "audio_info" => {
                let mut info = Entries::of(raw(map)?);
                let duration = info.find(|(key, _)| key == "duration");
                self.duration = duration.and_then(|(_, raw)| milliseconds(raw));
                Ok(())
            }
            "code" => {
                let code = raw(map)?.parse().ok();
                self.code = code.filter(|code| ![0, 1000, 20_000_000].contains(code));
                Ok(())
            }
            "message" | "error" => {
                let message = string(raw(map)?);
                self.message = message.or(self.message.take());
                Ok(())
            }
            _ => skip(map),
        }
    }
}

/// `result`: an object, or a list of them, whose utterances are then one list, and of whose texts the first
/// that says something counts.
struct ResultBody<'s, 'de>(&'s mut Response<'de>);

impl<'de> Shape<'de> for ResultBody<'_, 'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let response = &mut *self.0;
        match key {
            "text" => {
                let text = string(raw(map)?);
                if response.text.as_deref().is_none_or(str::is_empty) {
                    response.text = text.or(response.text.take());
                }
                Ok(())
            }
            "utterances" => nested(map, &mut UtteranceList(&mut response.utterances)),
            "additions" => {
                let log_id = Additions::from_raw(raw(map)?).get("log_id");
                response.log_id = log_id.or(response.log_id.take());
                Ok(())
            }
            _ => skip(map),
        }
    }

    fn list<A: SeqAccess<'de>>(&mut self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Reader(self))?.is_some() {}
        Ok(())
    }
}

struct UtteranceList<'s, 'de>(&'s mut Option<Vec<Utterance<'de>>>);

impl<'de> Shape<'de> for UtteranceList<'_, 'de> {
    fn list<A: SeqAccess<'de>>(&mut self, mut list: A) -> Result<(), A::Error> {
        let utterances = self.0.get_or_insert_default();
        while utterances.len() < MAX_UTTERANCES {
            let mut entry = Entry(None);
            if list.next_element_seed(Reader(&mut entry))?.is_none() {
                return Ok(());
            }
            utterances.extend(entry.0);
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn decode(json: &str) -> Response<'_> {
        Response::decode(json.as_bytes()).unwrap()
    }

    const RESULT: &str = r#"{"audio_info":{"duration":4300},
        "result":{"additions":{"log_id":"2025"},"prefetch":true,"text":"The \"rain\" stops",
          "utterances":[{"additions":{"source":"stream"},"definite":true,"start_time":592,"end_time":4252,
            "text":"The rain","words":[{"start_time":592,"end_time":672,"text":"The"},
              {"start_time":-1,"end_time":-1,"text":" "},{"start_time":900,"end_time":980,"text":"rain"}]}]}}"#;

    #[test]
    fn every_field_is_read() {
        let response = decode(RESULT);
        assert_eq!(response.duration, Some(ms(4300)));
        assert_eq!(response.text.as_deref(), Some("The \"rain\" stops"));
        assert_eq!(response.log_id.as_deref(), Some("2025"));
        assert_eq!((response.code, &response.message), (None, &None));
        let utterances = response.utterances.unwrap();
        let [utterance] = &utterances[..] else {
            panic!("{utterances:?}")
        };
        assert_eq!(utterance.text, "The rain");
        assert!(utterance.definite);
        assert_eq!(
            (utterance.start, utterance.end),
            (Some(ms(592)), Some(ms(4252)))
        );
        let words: Vec<_> = utterance
            .words
            .iter()
            .map(|word| (word.text, word.start, word.end))
            .collect();
        assert_eq!(
            words,
            [
                ("The".into(), Some(ms(592)), Some(ms(672))),
                (" ".into(), None, None),
                ("rain".into(), Some(ms(900)), Some(ms(980))),
            ]
        );
        assert_eq!(utterance.additions.get("source").as_deref(), Some("stream"));
    }

    #[test]
    fn nothing_is_copied_but_escapes() {
        let response = decode(RESULT);
        assert!(matches!(response.text, Some(Cow::Owned(_))));
        assert!(matches!(response.log_id, Some(Cow::Borrowed(_))));
        let utterance = &response.utterances.unwrap()[0];
        assert!(matches!(utterance.text, Cow::Borrowed(_)));
        assert!(
            utterance
                .words
                .iter()
                .all(|word| matches!(word.text, Cow::Borrowed(_)))
        );
    }

    #[test]
    fn the_first_answers() {
        let response = decode(r#"{"result":{"additions":{"log_id":"x"}}}"#);
        assert_eq!(response.log_id.as_deref(), Some("x"));
        assert_eq!((response.text, response.utterances), (None, None));
        let response = decode(r#"{"audio_info":{"duration":0},"result":{"text":""}}"#);
        assert_eq!(
            (response.duration, response.text.as_deref()),
            (Some(ms(0)), Some(""))
        );
        for nothing in ["", " \n", "{}", r#"{"result":{}}"#, r#"{"result":[]}"#] {
            assert_eq!(decode(nothing), Response::default(), "{nothing:?}");
        }
    }

    #[test]
    fn absent_utterances_are_not_the_same_as_none() {
        assert_eq!(
            decode(r#"{"result":{"utterances":[]}}"#).utterances,
            Some(vec![])
        );
        assert_eq!(decode(r#"{"result":{"utterances":null}}"#).utterances, None);
        let list =
            decode(r#"{"result":{"utterances":[null,1,"x",[{"text":"no"}],{},{"text":"yes"}]}}"#);
        assert_eq!(
            list.utterances
                .unwrap()
                .iter()
                .map(|u| &u.text)
                .collect::<Vec<_>>(),
            ["yes"]
        );
    }

    #[test]
    fn the_placeholder_has_neither_text_nor_time() {
        let response = decode(
            r#"{"result":{"utterances":[{"definite":false,"start_time":-1,"end_time":-1,"text":""}]}}"#,
        );
        assert_eq!(response.utterances, Some(vec![Utterance::default()]));
    }

    #[test]
    fn a_list_of_results_is_one() {
        let response = decode(
            r#"{"result":[7,{"text":"","utterances":[{"text":"a"}]},{"text":"a b","utterances":[{"text":"b"}]},{"text":"c"}]}"#,
        );
        assert_eq!(response.text.as_deref(), Some("a b"));
        let texts: Vec<_> = response
            .utterances
            .iter()
            .flatten()
            .map(|u| &*u.text)
            .collect();
        assert_eq!(texts, ["a", "b"]);
    }

    #[test]
    fn codes_of_success_are_none() {
        for success in [
            "0",
            "1000",
            "20000000",
            "null",
            "\"45000001\"",
            "-1",
            "1e999",
        ] {
            assert_eq!(
                decode(&format!(r#"{{"code":{success}}}"#)).code,
                None,
                "{success}"
            );
        }
        let error = decode(r#"{"code":45000001,"message":"bad"}"#);
        assert_eq!(
            (error.code, error.message.as_deref()),
            (Some(45_000_001), Some("bad"))
        );
    }

    /// Each field in turn with each wrong type: that field is absent, every other one is still there.
    #[test]
    fn a_wrong_type_costs_its_own_field_only() {
        let odd = [
            "null",
            "true",
            "-7",
            "1e999",
            "123456789012345678901234567890",
            "\"odd\"",
            r#""\ud800""#,
            "[]",
            "[[1e999],{\"a\":2}]",
            "{}",
            r#"{"\u0061":{"b":[1]}}"#,
        ];
        let fields = [
            (r#"{"duration":4300}"#, "duration"),
            ("4300", "duration"),
            (r#""The \"rain\" stops""#, "text"),
            (r#"{"log_id":"2025"}"#, "log_id"),
            (r#""2025""#, "log_id"),
            ("true", "definite"),
            ("592", "start"),
            ("4252", "end"),
            (r#""The rain""#, "utterance"),
            (r#"{"source":"stream"}"#, "additions"),
        ];
        let seen = |json: &str| {
            let response = decode(json);
            let utterance = response
                .utterances
                .unwrap_or_default()
                .into_iter()
                .next()
                .unwrap_or_default();
            [
                ("duration", format!("{:?}", response.duration)),
                ("text", format!("{:?}", response.text)),
                ("log_id", format!("{:?}", response.log_id)),
                ("definite", format!("{:?}", utterance.definite)),
                ("start", format!("{:?}", utterance.start)),
                ("end", format!("{:?}", utterance.end)),
                ("utterance", utterance.text.to_string()),
                (
                    "additions",
                    format!("{:?}", utterance.additions.get("source")),
                ),
                ("words", utterance.words.iter().count().to_string()),
            ]
        };
        // `prefetch` is "true", too, and the first word begins with its utterance.
        let base = RESULT.replace(r#""prefetch":true,"#, "");
        let expected = seen(&base);
        for (value, name) in fields {
            for odd in odd {
                if value == "true" && odd == "true" || value.starts_with('"') && odd == "\"odd\"" {
                    continue;
                }
                let changed = base.replacen(&format!(":{value}"), &format!(":{odd}"), 1);
                assert_ne!(changed, base);
                for ((field, now), (_, before)) in seen(&changed).iter().zip(&expected) {
                    assert_eq!(now == before, *field != name, "{field} in {changed}");
                }
            }
        }
        for odd in odd {
            for (field, rest) in [("result", 0), ("utterances", 1)] {
                let cut = base.find(&format!("\"{field}\":")).unwrap();
                let closing = if field == "result" { "}" } else { "}}" };
                let changed = format!("{}\"{field}\":{odd}{closing}", &base[..cut]);
                let Ok(response) = Response::decode(changed.as_bytes()) else {
                    let exception = odd.contains("1e999") || odd.contains("ud800");
                    assert!(exception, "{changed}");
                    continue;
                };
                assert_eq!(response.duration, Some(ms(4300)));
                assert_eq!(response.text.is_some(), rest == 1, "{changed}");
                // `{"a":2}` is an utterance, though one that says nothing.
                let mut utterances = response.utterances.into_iter().flatten();
                assert!(utterances.all(|utterance| utterance == Utterance::default()));
            }
        }
    }

    #[test]
    fn what_is_no_response_says_why() {
        let error = |payload: &[u8]| Response::decode(payload).unwrap_err();
        assert!(matches!(
            error(b"{\"result\":\"\xff\"}"),
            ResponseError::Utf8(_)
        ));
        assert!(matches!(error(b"[]"), ResponseError::NotAnObject));
        assert!(matches!(error(b"ok"), ResponseError::NotAnObject));
        for broken in [
            "{",
            "{\"result\":{\"text\":\"a\"}",
            "{}{}",
            "{\"a\" 1}",
            "{\"a\":\"\n\"}",
        ] {
            assert!(
                matches!(error(broken.as_bytes()), ResponseError::Json(_)),
                "{broken}"
            );
        }
        let deep = format!(
            "{{\"result\":{}1{}}}",
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        assert!(matches!(error(deep.as_bytes()), ResponseError::Json(_)));
    }

    #[test]
    fn depth_is_harmless_where_nothing_is_read() {
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        let json =
            format!(r#"{{"x":{deep},"result":{{"utterances":[{{"text":"a","words":{deep}}}]}}}}"#);
        let response = decode(&json);
        let utterance = &response.utterances.unwrap()[0];
        assert_eq!(utterance.text, "a");
        assert!(utterance.words.is_empty());
    }

    #[test]
    fn large_lists_are_bounded() {
        let entries = |n: usize| vec![r#"{"text":"a"}"#; n].join(",");
        let json = format!(
            r#"{{"result":{{"utterances":[{}],"text":"after"}}}}"#,
            entries(MAX_UTTERANCES + 10)
        );
        let response = decode(&json);
        assert_eq!(response.utterances.unwrap().len(), MAX_UTTERANCES);
        assert_eq!(response.text.as_deref(), Some("after"));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,6}".prop_map(Value::from),
        ];
        let key = prop_oneof![
            Just("result"),
            Just("utterances"),
            Just("words"),
            Just("text"),
            Just("additions"),
            Just("start_time"),
            Just("end_time"),
            Just("definite"),
            Just("audio_info"),
            Just("duration"),
            Just("log_id"),
            Just("code"),
            Just("x"),
        ];
        leaf.prop_recursive(5, 60, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((key.clone(), inner), 0..6).prop_map(|fields| fields
                    .into_iter()
                    .map(|(k, v)| (k.to_owned(), v))
                    .collect()),
            ]
        })
    }

    fn visit_all(response: &Response<'_>) {
        for utterance in response.utterances.iter().flatten() {
            utterance.words.iter().for_each(drop);
            utterance.additions.iter().for_each(drop);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            if let Ok(response) = Response::decode(&bytes) {
                visit_all(&response);
            }
        }

        #[test]
        fn no_damage_makes_it_panic(at in 0..RESULT.len(), byte: u8, cut in 0..RESULT.len()) {
            let mut bytes = RESULT.as_bytes().to_vec();
            bytes[at] = byte;
            for bytes in [&bytes[..], &bytes[..cut]] {
                if let Ok(response) = Response::decode(bytes) {
                    visit_all(&response);
                }
                let text = String::from_utf8_lossy(bytes);
                Words::from_raw(&text[text.find('[').unwrap_or(0)..]).iter().for_each(drop);
                Additions::from_raw(&text).iter().for_each(drop);
            }
        }

        #[test]
        fn no_object_is_an_error(result in any_json(), other in any_json()) {
            let json = json!({"result": result, "audio_info": other}).to_string();
            let response = Response::decode(json.as_bytes());
            prop_assert!(response.is_ok(), "{json}");
            visit_all(&response.unwrap());
        }

        #[test]
        fn what_is_written_is_read(
            duration in 0u64..1 << 32,
            said in prop::collection::vec(
                ("\\PC{0,9}", any::<bool>(), -1i64..1 << 31, prop::collection::vec(("\\PC{0,4}", -1i64..1 << 31), 0..5)),
                0..5,
            ),
            pretty: bool,
        ) {
            let time = |t: i64| u64::try_from(t).ok().map(ms);
            let utterances: Vec<_> = said.iter().map(|(text, definite, start, words)| {
                let words: Vec<_> = words.iter().map(|(text, end)| json!({"text": text, "end_time": end})).collect();
                json!({"text": text, "definite": definite, "start_time": start, "words": words, "additions": {text: text}})
            }).collect();
            let json = json!({"audio_info": {"duration": duration}, "result": {"utterances": utterances}});
            let json = if pretty { format!("{json:#}") } else { json.to_string() };
            let response = decode(&json);
            prop_assert_eq!(response.duration, Some(ms(duration)));
            let read = response.utterances.unwrap();
            prop_assert_eq!(read.len(), said.len());
            for (read, (text, definite, start, words)) in read.iter().zip(&said) {
                prop_assert_eq!((&*read.text, read.definite, read.start), (&**text, *definite, time(*start)));
                let read_words: Vec<_> = read.words.iter().map(|w| (w.text.to_string(), w.end)).collect();
                let words: Vec<_> = words.iter().map(|(text, end)| (text.clone(), time(*end))).collect();
                prop_assert_eq!(read_words, words);
                let value = read.additions.get(text);
                prop_assert_eq!(value.as_deref(), Some(&**text));
            }
        }
    }
}
