mod properties;

use super::*;
use crate::protocol::utterance::{Word, Words};
use crate::session::tests::ms;

fn decode(json: &str) -> Response<'_> {
    Response::decode(json.as_bytes()).unwrap()
}

const RESULT: &str = r#"{"audio_info":{"duration":4300},
    "result":{"additions":{"log_id":"2025"},"prefetch":true,"text":"The \"rain\" stops",
      "utterances":[{"additions":{"source":"stream"},"definite":true,"start_time":592,
        "end_time":4252,"text":"The rain","words":[{"start_time":592,"end_time":672,"text":"The"},
          {"start_time":-1,"end_time":-1,"text":" "},
          {"start_time":900,"end_time":980,"text":"rain"}]}]}}"#;

#[test]
fn nothing_may_be_there() {
    for nothing in ["", " \n", "{}", r#"{"result":{}}"#, r#"{"result":[]}"#] {
        assert_eq!(decode(nothing), Response::default(), "{nothing:?}");
    }
}

/// A result, its text, and the texts of its utterances.
#[test]
fn odd_results_and_lists_of_them_are_read_as_far_as_they_go() {
    let placeholder = r#"{"utterances":[{"definite":false,"start_time":-1,"text":""}]}"#;
    let entries = r#"{"utterances":[null,1,"x",[{"text":"no"}],{},{"text":"yes"}]}"#;
    let list = r#"[7,{"text":"","utterances":[{"text":"a"}]},
        {"text":"a b","utterances":[{"text":"b"}]},{"text":"c"}]"#;
    for (result, text, utterances) in [
        (r#"{"text":""}"#, Some(""), None),
        // Absent utterances are not the same as none.
        (r#"{"utterances":null}"#, None, None),
        (r#"{"utterances":[]}"#, None, Some(&[][..])),
        (placeholder, None, Some(&[""])),
        (entries, None, Some(&["yes"])),
        (list, Some("a b"), Some(&["a", "b"])),
    ] {
        let json = format!(r#"{{"result":{result}}}"#);
        let response = decode(&json);
        assert_eq!(response.text.as_deref(), text, "{result}");
        let found = response.utterances.as_ref();
        let found = found.map(|list| list.iter().map(|u| &*u.text).collect::<Vec<_>>());
        assert_eq!(found.as_deref(), utterances, "{result}");
    }
    let json = format!(r#"{{"result":{placeholder}}}"#);
    assert_eq!(decode(&json).utterances, Some(vec![Utterance::default()]));
}

#[test]
fn numbers_and_booleans_may_be_strings() {
    let mut json = RESULT.to_owned();
    for (name, value) in [
        ("duration", "4300"),
        ("definite", "true"),
        ("start_time", "592"),
    ] {
        let [plain, string] = ["", "\""].map(|quote| format!("\"{name}\":{quote}{value}{quote}"));
        assert!(json.contains(&plain), "{name}");
        json = json.replacen(&plain, &string, 1);
    }
    assert_eq!(decode(&json), decode(RESULT));
}

#[test]
fn codes_of_success_are_none() {
    let codes = r#"0 1000 20000000 "0" "Success" null -1 1e999"#.split(' ');
    for success in codes {
        let json = format!(r#"{{"code":{success}}}"#);
        assert_eq!(decode(&json).code, None, "{success}");
    }
    for error in [
        r#"{"code":45000001,"message":"bad"}"#,
        r#"{"code":"45000001"}"#,
        r#"{"error":{"message":"bad","code":45000001}}"#,
        r#"{"payload_msg":{"error":"bad"},"code":45000001}"#,
    ] {
        assert_eq!(decode(error).code, Some(45_000_001), "{error}");
    }
}

#[test]
fn the_wrapped_form_is_the_plain_one() {
    let wrapped = format!(
        r#"{{"code":0,"event":0,"is_last_package":false,"payload_msg":{RESULT},"payload_size":9}}"#
    );
    assert_eq!(decode(&wrapped), decode(RESULT));
}

#[test]
fn scalars_beside_the_text_are_attributes_like_those_of_additions() {
    let response = decode(
        r#"{"result":{"utterances":[{"text":"a","speaker_id":1,"channel_id":"left","is_new":true,
            "confidence":0.50,"nothing":null,"list":["x"],"object":{"y":"z"},"source":"beside",
            "additions":{"source":"stream","share":1.50,"is_late":true,"none":null,"in":{"f":"g"},
            "many":["i"],"line":"\n"},"start_time":0,"definite":"odd"}]}}"#,
    );
    let additions = &response.utterances.as_ref().expect("utterances")[0].additions;
    let all: Vec<_> = additions.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let expected = "source=stream|share=1.50|is_late=true|line=\n|speaker_id=1|channel_id=left|\
                    is_new=true|confidence=0.50|source=beside";
    assert_eq!(all.join("|"), expected);
    let get = |name| additions.get(name);
    assert_eq!(get("source").as_deref(), Some("stream"), "the object's");
    assert_eq!(get("none"), None);
}

#[test]
fn content_tells_how_much_can_be_read() {
    let nothing = [
        "",
        "{}",
        r#"{"result":{}}"#,
        r#"{"code":0,"message":"Success","sequence":1}"#,
        r#"{"result":{"additions":{"log_id":"x"},"prefetch":true}}"#,
        r#"{"data":{},"list":[],"text":"","x":null}"#,
    ];
    let results = [
        RESULT,
        r#"{"audio_info":{"duration":200}}"#,
        r#"{"result":{"text":"","x":"y"}}"#,
        r#"{"result":{"utterances":[]},"data":"x"}"#,
    ];
    let unknown = [
        r#"{"data":{"text":"hello"}}"#,
        r#"{"text":"hello"}"#,
        r#"{"sentences":[{"text":"hello"}]}"#,
        r#"{"result":"hello"}"#,
        r#"{"result":{"sentences":[1]}}"#,
        r#"{"result":{"utterances":"hello"}}"#,
        r#"{"payload_msg":"hello"}"#,
        r#"{"payload_msg":{"data":"hello"}}"#,
        r#"{"error":"sorry"}"#,
    ];
    for (list, content) in [
        (&nothing[..], Content::Nothing),
        (&results[..], Content::Results),
        (&unknown[..], Content::Unknown),
    ] {
        for json in list {
            assert_eq!(decode(json).content(), content, "{json}");
        }
    }
}

/// Values of every type.
const ODD: [&str; 11] = [
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

/// `RESULT` without `prefetch`, whose value is that of `definite`.
fn plain_result() -> String {
    RESULT.replace(r#""prefetch":true,"#, "")
}

/// Every field that is read of a response with one utterance, by name.
fn fields(json: &str) -> [(&'static str, String); 9] {
    let response = decode(json);
    let mut utterances = response.utterances.unwrap_or_default().into_iter();
    let utterance = utterances.next().unwrap_or_default();
    let source = utterance.additions.get("source");
    let ms = |time: Option<Duration>| time.map_or(String::new(), |t| t.as_millis().to_string());
    let word = |w: Word<'_>| format!("{} {}-{}", w.text, ms(w.start), ms(w.end));
    let words = utterance.words.iter().map(word);
    [
        ("duration", format!("{:?}", response.duration)),
        ("text", format!("{:?}", response.text)),
        ("log_id", format!("{:?}", response.log_id)),
        ("definite", format!("{:?}", utterance.definite)),
        ("start", format!("{:?}", utterance.start)),
        ("end", format!("{:?}", utterance.end)),
        ("utterance", utterance.text.to_string()),
        ("additions", format!("{source:?}")),
        ("words", words.collect::<Vec<_>>().join(", ")),
    ]
}

#[test]
fn every_field_is_read() {
    let response = decode(RESULT);
    assert_eq!((response.code, response.has_unknown), (None, false));
    assert_eq!(response.utterances.map(|list| list.len()), Some(1));
    let read = [
        ("duration", "Some(4.3s)"),
        ("text", r#"Some("The \"rain\" stops")"#),
        ("log_id", r#"Some("2025")"#),
        ("definite", "true"),
        ("start", "Some(592ms)"),
        ("end", "Some(4.252s)"),
        ("utterance", "The rain"),
        ("additions", r#"Some("stream")"#),
        ("words", "The 592-672,   -, rain 900-980"),
    ];
    for ((name, value), expected) in fields(RESULT).iter().zip(read) {
        assert_eq!((*name, &**value), expected);
    }
}

/// Each field in turn with each wrong type: it is absent, and every other one is still read.
#[test]
fn a_wrong_type_costs_its_own_field_only() {
    let base = plain_result();
    let expected = fields(&base);
    for (value, name) in [
        (r#"{"duration":4300}"#, "duration"),
        ("4300", "duration"),
        (r#""The \"rain\" stops""#, "text"),
        (r#"{"log_id":"2025"}"#, "log_id"),
        (r#""2025""#, "log_id"),
        ("true", "definite"),
        // The first word begins with its utterance.
        ("592", "start"),
        ("4252", "end"),
        (r#""The rain""#, "utterance"),
        (r#"{"source":"stream"}"#, "additions"),
    ] {
        for odd in ODD {
            if value == "true" && odd == "true" || value.starts_with('"') && odd == "\"odd\"" {
                continue;
            }
            let changed = base.replacen(&format!(":{value}"), &format!(":{odd}"), 1);
            assert_ne!(changed, base);
            for ((field, now), (_, before)) in fields(&changed).iter().zip(&expected) {
                assert_eq!(now == before, *field != name, "{field} in {changed}");
            }
        }
    }
}

#[test]
fn a_wrong_type_of_a_list_costs_the_list_only() {
    let base = plain_result();
    for odd in ODD {
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
            // `{"a":2}` is an utterance, though one without a text.
            let mut utterances = response.utterances.into_iter().flatten();
            assert!(utterances.all(|utterance| Utterance {
                additions: Additions::default(),
                ..utterance
            } == Utterance::default()));
        }
    }
}

#[test]
fn other_payloads_are_errors_with_a_reason() {
    let deep = format!(
        r#"{{"result":{}1{}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    for (payload, reason) in [
        (&b"{\"result\":\"\xff\"}"[..], "Utf8"),
        (b"[]", "NotAnObject"),
        (b"ok", "NotAnObject"),
        (b"{", "Json"),
        (br#"{"result":{"text":"a"}"#, "Json"),
        (b"{}{}", "Json"),
        (br#"{"a" 1}"#, "Json"),
        (b"{\"a\":\"\n\"}", "Json"),
        (deep.as_bytes(), "Json"),
    ] {
        let error = format!("{:?}", Response::decode(payload).unwrap_err());
        let start = String::from_utf8_lossy(&payload[..payload.len().min(40)]);
        assert!(error.starts_with(reason), "{start}: {error}");
    }
}

#[test]
fn depth_is_harmless_where_nothing_is_read() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let json =
        format!(r#"{{"x":{deep},"result":{{"utterances":[{{"text":"a","words":{deep}}}]}}}}"#);
    let response = decode(&json);
    let utterance = &response.utterances.unwrap()[0];
    assert_eq!(utterance.text, "a");
    assert!(utterance.words.iter().next().is_none());
}

#[test]
fn utterances_and_the_words_of_all_of_them_are_bounded() {
    let many = |entry: &str, n: usize| format!("[{}]", vec![entry; n].join(","));
    let list = many(r#"{"text":"a"}"#, MAX_UTTERANCES + 10);
    let json = format!(r#"{{"result":{{"utterances":{list},"text":"after"}}}}"#);
    let response = decode(&json);
    assert_eq!(response.utterances.unwrap().len(), MAX_UTTERANCES);
    assert_eq!(response.text.as_deref(), Some("after"));

    let words = many(r#"{"text":"a"}"#, 90_000);
    let list = many(&format!(r#"{{"text":"a","words":{words}}}"#), 5);
    let json = format!(r#"{{"result":[{{"utterances":{list}}},{{"utterances":{list}}}]}}"#);
    let utterances = decode(&json).utterances.unwrap();
    let words: Vec<_> = utterances.iter().map(|u| u.words.iter().count()).collect();
    assert_eq!(words, [0, 0, 0, 0, 0, 0, 0, 90_000, 90_000, 90_000]);
    assert!(utterances.iter().all(|utterance| utterance.text == "a"));
}
