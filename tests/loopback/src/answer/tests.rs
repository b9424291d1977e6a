//! Answers and their oddities.

use super::*;
use crate::transcript::tests::{exact, request, word};

/// A session with this end window, and two words from 0 to 300 and from 500 to 800 ms.
fn setup(endpoint: Endpoint, options: Options, window: Option<i64>) -> (Answers, Transcript) {
    let options = Arc::new(options);
    let mut transcript = Transcript::new(request(window), options.clone());
    transcript.word(word("m1", 0, 300));
    transcript.word(word("m2", 500, 800));
    (Answers::new(endpoint, "log".into(), options), transcript)
}

fn odd(oddities: &[Oddity]) -> Options {
    Options {
        oddities: oddities.to_vec(),
        ..Options::default()
    }
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The result when all audio up to `position` was worked through.
fn at(position: i64, answers: &mut Answers, transcript: &mut Transcript) -> Value {
    transcript.advance(position);
    parsed(&answers.answer(transcript, false))["result"].take()
}

#[test]
fn acks_as_recorded() {
    let (answers, _) = setup(Endpoint::Async, exact(), None);
    assert_eq!(
        answers.ack(),
        r#"{"result":{"additions":{"log_id":"log"}}}"#
    );
    let (answers, _) = setup(Endpoint::Bigmodel, exact(), None);
    let result = json!({"additions": {"log_id": "log"}, "text": ""});
    let expected = json!({"audio_info": {"duration": 0}, "result": result});
    assert_eq!(parsed(&answers.ack()), expected);
}

#[test]
fn an_open_and_then_a_definite_utterance() {
    let (mut answers, mut t) = setup(Endpoint::Async, exact(), Some(800));
    let open = at(900, &mut answers, &mut t);
    let words = json!([{"end_time": 300, "text": "m1"},
        {"start_time": 500, "end_time": 800, "text": "m2"}]);
    let utterances = json!([{"additions": {"source": "stream"}, "definite": false,
        "end_time": 800, "text": "m1 m2", "words": words}]);
    let expected =
        json!({"additions": {"log_id": "log"}, "text": "m1 m2", "utterances": utterances});
    assert_eq!(open, expected);
    t.advance(1600);
    let settled = parsed(&answers.answer(&mut t, false));
    assert_eq!(settled["result"]["utterances"][0]["text"], "M1 m2.");
    assert_eq!(settled["result"]["utterances"][0]["definite"], true);
    assert_eq!(settled["audio_info"]["duration"], 1600);
}

#[test]
fn single_lists_a_definite_utterance_once() {
    let (mut answers, mut t) = setup(Endpoint::Async, exact(), Some(800));
    t.request.single = true;
    assert_eq!(at(1600, &mut answers, &mut t)["text"], "M1 m2.");
    t.word(word("m3", 2000, 2300));
    let next = at(2300, &mut answers, &mut t);
    assert_eq!(next["utterances"].as_array().unwrap().len(), 1);
    assert_eq!(next["text"], "m3");
}

#[test]
fn requested_additions() {
    let (mut answers, mut t) = setup(Endpoint::Async, exact(), Some(800));
    t.request.extras = vec![("speaker_id", &["1", "2"]), ("gender", &["female", "male"])];
    t.request.two_pass = true;
    t.word(word("m3", 2000, 2300));
    let result = at(2300, &mut answers, &mut t);
    let of = |n: usize| &result["utterances"][n]["additions"];
    let first = json!({"gender": "female", "invoke_type": "soft_vad", "source": "two_pass",
        "speaker_id": "1"});
    let second = json!({"gender": "male", "source": "stream", "speaker_id": "2"});
    assert_eq!((of(0), of(1)), (&first, &second));
    t.finish();
    let last = at(2300, &mut answers, &mut t);
    assert_eq!(
        last["utterances"][1]["additions"]["invoke_type"],
        "hard_vad"
    );
}

#[test]
fn second_passes_lack_a_start_and_by_request_words() {
    for single in [false, true] {
        let options = odd(&[Oddity::SecondPassWithoutWords]);
        let (mut answers, mut t) = setup(Endpoint::Bigmodel, options, Some(800));
        (t.request.two_pass, t.request.single) = (true, single);
        // The second answer corrects what the first one said of the start and the last word.
        at(900, &mut answers, &mut t);
        let interim = &at(900, &mut answers, &mut t)["utterances"][0];
        let times = (&interim["start_time"], &interim["end_time"]);
        assert_eq!(times, (&json!(0), &json!(800)));
        let last = &at(1600, &mut answers, &mut t)["utterances"][0];
        assert_eq!(
            (&last["definite"], &last["end_time"]),
            (&json!(true), &json!(860))
        );
        assert_eq!(last.get("start_time"), None);
        assert_eq!(last.get("words").is_none(), single);
    }
}

#[test]
fn starts_and_last_words_are_revised() {
    let (mut answers, mut t) = setup(Endpoint::Async, Options::default(), None);
    let first = at(800, &mut answers, &mut t)["utterances"][0].take();
    assert_eq!(
        (&first["start_time"], &first["end_time"]),
        (&json!(140), &json!(801))
    );
    let space = json!({"start_time": -1, "end_time": -1, "text": " "});
    assert_eq!(first["words"][1], space);
    assert_eq!(
        first["words"][2],
        json!({"start_time": 501, "end_time": 801, "text": "m2"})
    );
    let second = parsed(&answers.answer(&mut t, true))["result"].take();
    let utterance = &second["utterances"][0];
    assert_eq!(
        (
            utterance.get("start_time"),
            &utterance["words"][2]["end_time"]
        ),
        (None, &json!(800))
    );
    assert_eq!(second["prefetch"], true);
    t.finish();
    answers.answer(&mut t, false);
    let third = parsed(&answers.answer(&mut t, true));
    assert_eq!(third["result"]["last_stream_duration"], 800);
}

#[test]
fn each_fifth_start_is_left_out() {
    let (mut answers, mut t) = setup(Endpoint::Bigmodel, Options::default(), None);
    let starts =
        [(); 5].map(|()| at(1000, &mut answers, &mut t)["utterances"][0]["start_time"].as_i64());
    assert_eq!(starts, [Some(140), Some(0), Some(0), Some(0), None]);
}

#[test]
fn empty_utterances_and_lists() {
    let options = odd(&[Oddity::EmptyDefinite, Oddity::ResultList]);
    let (mut answers, mut t) = setup(Endpoint::Async, options, Some(800));
    let result = at(2000, &mut answers, &mut t)[0].take();
    let empty = json!({"definite": true, "start_time": 800, "end_time": 800, "text": ""});
    let placeholder = json!({"definite": false, "start_time": -1, "end_time": -1, "text": ""});
    assert_eq!(
        result["utterances"].as_array().unwrap()[1..],
        [empty, placeholder]
    );
}

#[test]
fn texts_are_revised_and_fields_absent() {
    let options = Options {
        oddities: vec![Oddity::RevisedText, Oddity::AbsentFields],
        ..exact()
    };
    let (mut answers, mut t) = setup(Endpoint::Async, options, None);
    t.advance(900);
    let seen = [(); 4].map(|()| {
        let answer = parsed(&answers.answer(&mut t, false));
        let utterance = &answer["result"]["utterances"][0];
        (
            utterance["text"].as_str().unwrap().to_owned(),
            answer.get("audio_info").is_some(),
            answer["result"].get("text").is_some(),
            utterance.get("words").is_some(),
        )
    });
    let expected = [
        ("M1, m2", false, true, true),
        ("m1 m2", true, false, true),
        ("M1, m2", true, true, false),
        ("m1 m2", true, true, true),
    ];
    assert_eq!(seen, expected.map(|(t, a, b, c)| (t.to_owned(), a, b, c)));
}

#[test]
fn text_only_begins_anew() {
    let options = odd(&[Oddity::TextOnly, Oddity::TextResets]);
    let (mut answers, mut t) = setup(Endpoint::Async, options, Some(800));
    for (position, text) in [(900, "m1 m2"), (2000, "M1 m2.")] {
        let result = at(position, &mut answers, &mut t);
        assert_eq!(
            (&result["text"], result.get("utterances")),
            (&json!(text), None)
        );
    }
    t.word(word("m3", 2000, 2100));
    assert_eq!(
        at(2100, &mut answers, &mut t)["text"],
        "m3",
        "not what came before"
    );
}

/// A client may take audio for silent that was claimed some time ago without a text.
#[test]
fn blank_answers_claim_no_audio_whose_text_was_not_sent() {
    let (mut answers, _) = setup(Endpoint::Async, exact(), None);
    let blank = [(); 2].map(|()| answers.blank(1000));
    assert_eq!(blank, ["{}", r#"{"result":{}}"#]);
    let empty = parsed(&answers.blank(1000));
    assert_eq!(empty["audio_info"]["duration"], 1000);
    assert_eq!(empty["result"]["text"], "");
}
