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

#[test]
fn unset_fields_are_not_sent() {
    let request = Request {
        end_window_size: None,
        hotwords: vec![String::new(), " ".into()],
        context: Some(Map::new()),
        ..Request::default()
    };
    let sent = sent(&request)["request"].take();
    assert_eq!(sent.as_object().map(Map::len), Some(6), "{sent}");
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
    let extra = json!({
        "enable_itn": false, "accelerate_score": 10, "result_type": {"odd": 1},
        "corpus": {"boosting_table_id": "new", "further": "x"},
    });
    let request = Request {
        hotwords: vec!["kept".into()],
        tables: Tables {
            boosting_table_id: Some("old".into()),
            ..Tables::default()
        },
        extra: extra.as_object().cloned().expect("an object"),
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
