use super::*;

fn sent(request: &Request) -> Value {
    serde_json::from_slice(&request.to_json()).unwrap()
}

/// Returns the JSON in `corpus.context`, which is a string.
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
        r#""request":{"model_name":"bigmodel","enable_itn":true,"enable_punc":true,"#,
        r#""enable_ddc":true,"show_utterances":true,"enable_nonstream":false,"#,
        r#""end_window_size":800}}"#
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
        tables: Tables {
            boosting_table_id: Some("b1".into()),
            boosting_table_name: Some("b2".into()),
            correct_table_id: Some("c1".into()),
            correct_table_name: Some("c2".into()),
        },
        enable_speaker_info: true,
        ssd_version: Some("300".into()),
        extra: object(json!({"enable_poi_fc": true})),
    };
    let expected = json!({
        "user": {"uid": "me"},
        "audio": {
            "format": "pcm", "codec": "raw", "rate": 16000, "bits": 16, "channel": 1,
            "language": "en-US",
        },
        "request": {
            "model_name": "other", "enable_itn": false, "enable_punc": false, "enable_ddc": false,
            "show_utterances": false, "enable_nonstream": true, "result_type": "single",
            "end_window_size": 300, "force_to_speech_time": 1000, "vad_segment_duration": 3000,
            "enable_speaker_info": true, "ssd_version": "300", "enable_poi_fc": true,
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
fn unset_fields_are_not_sent() {
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
        tables: Tables {
            boosting_table_id: Some("old".into()),
            ..Tables::default()
        },
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
        json!({
            "boosting_table_id": "new", "further": "x",
            "context": r#"{"hotwords":[{"word":"kept"}]}"#,
        })
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
