//! No input makes the decoder panic, and what is written is read.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,6}".prop_map(Value::from),
    ];
    let keys = "result utterances words text additions start_time end_time definite audio_info \
                duration log_id code error payload_msg speaker_id x";
    let key = prop::sample::select(Vec::from_iter(keys.split(' ')));
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..6)
                .prop_map(|fields| fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
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
    fn responses_survive_a_round_trip(
        duration in 0u64..1 << 32,
        said in prop::collection::vec(
            (
                "\\PC{0,9}",
                any::<bool>(),
                -1i64..1 << 31,
                prop::collection::vec(("\\PC{0,4}", -1i64..1 << 31), 0..5),
            ),
            0..5,
        ),
        pretty: bool,
    ) {
        let time = |t: i64| u64::try_from(t).ok().map(ms);
        let utterances: Vec<_> = said.iter().map(|(text, definite, start, words)| {
            let word = |(text, end): &(String, i64)| json!({"text": text, "end_time": end});
            let words: Vec<_> = words.iter().map(word).collect();
            json!({
                "text": text, "definite": definite, "start_time": start, "words": words,
                "additions": {text: text},
            })
        }).collect();
        let json = json!({
            "audio_info": {"duration": duration},
            "result": {"utterances": utterances},
        });
        let json = if pretty { format!("{json:#}") } else { json.to_string() };
        let response = decode(&json);
        prop_assert_eq!(response.duration, Some(ms(duration)));
        let read = response.utterances.unwrap();
        prop_assert_eq!(read.len(), said.len());
        for (read, (text, definite, start, words)) in read.iter().zip(&said) {
            prop_assert_eq!(&*read.text, &**text);
            prop_assert_eq!((read.definite, read.start), (*definite, time(*start)));
            let read_words = read.words.iter().map(|w| (w.text.to_string(), w.end));
            let words = words.iter().map(|(text, end)| (text.clone(), time(*end)));
            prop_assert_eq!(read_words.collect::<Vec<_>>(), words.collect::<Vec<_>>());
            let value = read.additions.get(text);
            prop_assert_eq!(value.as_deref(), Some(&**text));
        }
    }
}
