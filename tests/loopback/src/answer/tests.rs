//! Answers and their oddities.

use super::*;
use crate::{
    options::Quirks,
    transcript::tests::{request, word},
};
use serde_json::{Value, json};

fn setup(endpoint: Endpoint, quirks: Quirks, window: Option<i64>) -> (Answers, Transcript) {
    (
        Answers::new(endpoint, "log".into(), false),
        Transcript::new(request(window), quirks),
    )
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn acks_as_recorded() {
    let (answers, t) = setup(Endpoint::Async, Quirks::none(), None);
    assert_eq!(
        answers.ack(&t),
        r#"{"result":{"additions":{"log_id":"log"}}}"#
    );
    let (answers, t) = setup(Endpoint::Bigmodel, Quirks::none(), None);
    let expected = json!({"audio_info": {"duration": 0}, "result": {"additions": {"log_id": "log"}, "text": ""}});
    assert_eq!(parsed(&answers.ack(&t)), expected);
}

#[test]
fn an_open_and_then_a_definite_utterance() {
    let (mut answers, mut t) = setup(Endpoint::Async, Quirks::none(), Some(800));
    t.word(word("m1", 0, 300));
    t.word(word("m2", 500, 800));
    t.advance(900);
    let interim = parsed(&answers.answer(&mut t, false));
    assert_eq!(interim["result"]["text"], "m1 m2");
    let words = json!([{"end_time": 300, "text": "m1"},
        {"start_time": 500, "end_time": 800, "text": "m2"}]);
    assert_eq!(
        interim["result"]["utterances"],
        json!([{"additions": {"source": "stream"}, "definite": false, "end_time": 800, "text": "m1 m2", "words": words}])
    );
    t.advance(1600);
    let settled = parsed(&answers.answer(&mut t, false));
    assert_eq!(settled["result"]["utterances"][0]["text"], "M1 m2.");
    assert_eq!(settled["result"]["utterances"][0]["definite"], true);
    assert_eq!(settled["audio_info"]["duration"], 1600);
}

#[test]
fn single_lists_what_is_settled_once() {
    let (mut answers, mut t) = setup(Endpoint::Async, Quirks::none(), Some(800));
    t.request.single = true;
    t.word(word("m1", 0, 300));
    t.advance(1500);
    assert_eq!(
        parsed(&answers.answer(&mut t, false))["result"]["text"],
        "M1."
    );
    t.word(word("m2", 2000, 2300));
    t.advance(2300);
    let next = parsed(&answers.answer(&mut t, false));
    assert_eq!(next["result"]["utterances"].as_array().unwrap().len(), 1);
    assert_eq!(next["result"]["text"], "m2");
}

#[test]
fn what_is_asked_for_goes_to_additions() {
    let (mut answers, mut t) = setup(Endpoint::Async, Quirks::none(), Some(800));
    t.request.extras = vec![("speaker_id", &["1", "2"]), ("gender", &["female", "male"])];
    t.request.two_pass = true;
    t.word(word("m1", 0, 300));
    t.word(word("m2", 2000, 2300));
    t.advance(2300);
    let answer = parsed(&answers.answer(&mut t, false));
    let additions = |n: usize| answer["result"]["utterances"][n]["additions"].clone();
    assert_eq!(
        additions(0),
        json!({"gender": "female", "invoke_type": "soft_vad", "source": "two_pass", "speaker_id": "1"})
    );
    assert_eq!(
        additions(1),
        json!({"gender": "male", "source": "stream", "speaker_id": "2"})
    );
    t.finish();
    let last = parsed(&answers.answer(&mut t, false));
    let additions = &last["result"]["utterances"][1]["additions"];
    assert_eq!(additions["invoke_type"], "hard_vad");
}

#[test]
fn second_passes_lack_a_start_and_by_request_words() {
    let quirks = Quirks {
        second_pass_without_words: true,
        ..Quirks::default()
    };
    for single in [false, true] {
        let (mut answers, mut t) = setup(Endpoint::Async, quirks.clone(), Some(800));
        t.request.two_pass = true;
        t.request.single = single;
        t.word(word("m1", 100, 300));
        t.advance(400);
        // The second answer puts right what the first one said of the start and the last word.
        answers.answer(&mut t, false);
        let interim = parsed(&answers.answer(&mut t, false))["result"]["utterances"][0].clone();
        let times = (&interim["start_time"], &interim["end_time"]);
        assert_eq!(times, (&json!(100), &json!(300)));
        t.advance(1500);
        let last = parsed(&answers.answer(&mut t, false))["result"]["utterances"][0].clone();
        assert_eq!(last["definite"], true);
        assert_eq!(
            (&last["end_time"], last.get("start_time")),
            (&json!(360), None)
        );
        assert_eq!(last.get("words").is_none(), single);
    }
}

#[test]
fn starts_and_last_words_are_revised() {
    let (mut answers, mut t) = setup(Endpoint::Async, Quirks::default(), None);
    t.word(word("m1", 592, 892));
    t.advance(900);
    let first = parsed(&answers.answer(&mut t, false));
    let utterance = &first["result"]["utterances"][0];
    assert_eq!(
        (&utterance["start_time"], &utterance["end_time"]),
        (&json!(732), &json!(901))
    );
    assert_eq!(
        utterance["words"][0],
        json!({"start_time": 601, "end_time": 901, "text": "m1"})
    );
    let second = parsed(&answers.answer(&mut t, true));
    let utterance = &second["result"]["utterances"][0];
    assert_eq!(
        (&utterance["start_time"], &utterance["words"][0]["end_time"]),
        (&json!(592), &json!(892))
    );
    assert_eq!(second["result"]["prefetch"], true);
    t.finish();
    answers.answer(&mut t, false);
    let third = parsed(&answers.answer(&mut t, true));
    assert_eq!(third["result"]["last_stream_duration"], 900);
}

#[test]
fn spaces_are_words_and_each_fifth_start_is_left_out() {
    let (mut answers, mut t) = setup(Endpoint::Async, Quirks::default(), None);
    t.word(word("m1", 100, 300));
    t.word(word("m2", 500, 800));
    t.advance(1000);
    let mut starts = Vec::new();
    for _ in 0..5 {
        let answer = parsed(&answers.answer(&mut t, false));
        let utterance = &answer["result"]["utterances"][0];
        let space = json!({"start_time": -1, "end_time": -1, "text": " "});
        assert_eq!(utterance["words"][1], space);
        starts.push(utterance["start_time"].as_i64());
    }
    assert_eq!(starts, [Some(240), Some(100), Some(100), Some(100), None]);
}

#[test]
fn the_other_oddities() {
    let mut all = Quirks {
        empty_definite: true,
        result_list: true,
        ..Quirks::default()
    };
    let (mut answers, mut t) = setup(Endpoint::Async, all.clone(), Some(800));
    t.word(word("m1", 100, 400));
    t.advance(2000);
    let result = parsed(&answers.answer(&mut t, false))["result"][0].clone();
    let list = result["utterances"].as_array().unwrap();
    assert_eq!(list.len(), 3);
    assert_eq!(
        list[1],
        json!({"definite": true, "start_time": 400, "end_time": 400, "text": ""})
    );
    assert_eq!(
        list[2],
        json!({"definite": false, "start_time": -1, "end_time": -1, "text": ""})
    );

    let quirks = Quirks {
        revised_text: true,
        absent_fields: true,
        ..Quirks::none()
    };
    let (mut answers, mut t) = setup(Endpoint::Async, quirks, None);
    let mut seen = Vec::new();
    for n in 0..4 {
        t.word(word("m1", n * 500, n * 500 + 300));
        t.advance(n * 500 + 300);
        let answer = parsed(&answers.answer(&mut t, false));
        let utterance = &answer["result"]["utterances"][0];
        seen.push((
            utterance["text"].as_str().unwrap().to_owned(),
            answer.get("audio_info").is_some(),
            answer["result"].get("text").is_some(),
            utterance.get("words").is_some(),
        ));
    }
    let expected = [
        ("M1", false, true, true),
        ("m1 m1", true, false, true),
        ("M1, m1 m1", true, true, false),
        ("m1 m1 m1 m1", true, true, true),
    ];
    assert_eq!(seen, expected.map(|(t, a, b, c)| (t.to_owned(), a, b, c)));

    all.text_only = true;
    all.text_resets = true;
    let (mut answers, mut t) = setup(Endpoint::Async, all, Some(800));
    for n in 0..5 {
        t.word(word("m1", n * 1000, n * 1000 + 100));
        t.advance(n * 1000 + 100);
        let answer = parsed(&answers.answer(&mut t, false));
        assert_eq!(answer["result"][0].get("utterances"), None);
        assert_eq!(answer["result"][0]["text"], "m1", "not what came before");
    }
}

/// A client may take audio for silent that was claimed some time ago without a text.
#[test]
fn blank_answers_claim_no_audio_whose_text_was_not_said() {
    let (mut answers, mut t) = setup(Endpoint::Async, Quirks::none(), Some(800));
    t.word(word("m1", 2000, 2300));
    t.advance(2400);
    t.duration = 3000;
    assert_eq!(
        [answers.blank(&t, 1000), answers.blank(&t, 1000)],
        ["{}", r#"{"result":{}}"#]
    );
    let empty = parsed(&answers.blank(&t, 1000));
    assert_eq!(empty["audio_info"]["duration"], 1000);
    assert_eq!(empty["result"]["text"], "");
}
