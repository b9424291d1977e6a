//! Transcripts, answers and their oddities.

use super::*;
use crate::transcript::News;

/// A session with two words, from 0 to 300 and from 500 to 800 ms.
struct Asked {
    answers: Answers,
    transcript: Transcript,
}

impl Asked {
    /// At this endpoint, with these oddities, and with this end window.
    fn new(endpoint: Endpoint, oddities: &[Oddity], exact: bool, end_window: Option<i64>) -> Self {
        let options = Arc::new(Options {
            oddities: oddities.to_vec(),
            exact,
            ..Options::default()
        });
        let request = Request {
            show_utterances: true,
            punctuation: true,
            end_window,
            ..Request::default()
        };
        let mut transcript = Transcript::new(request, &options);
        transcript.word(Word::new("m1", 0, 300));
        transcript.word(Word::new("m2", 500, 800));
        Self {
            answers: Answers::new(endpoint, "log".into(), options),
            transcript,
        }
    }

    fn exact(end_window: Option<i64>) -> Self {
        Self::new(Endpoint::Async, &[], true, end_window)
    }

    /// The answer when all audio up to `position` was worked through.
    fn whole(&mut self, position: i64, prefetch: bool) -> Value {
        self.transcript.advance(position);
        let answer = self.answers.answer(&mut self.transcript, prefetch);
        serde_json::from_str(&answer).unwrap()
    }

    /// Its result.
    fn at(&mut self, position: i64) -> Value {
        self.whole(position, false)["result"].take()
    }
}

#[test]
fn an_utterance_ends_by_its_window_or_at_the_end() {
    let mut asked = Asked::exact(None);
    asked.transcript.word(Word::new("m3", 2000, 2300));
    assert_eq!(asked.at(9000)["utterances"][0]["text"], "m1 m2 m3");
    asked.transcript.finish();
    let last = asked.at(9000);
    let texts = [0, 1].map(|n| last["utterances"][n]["text"].as_str());
    assert_eq!(texts, [Some("M1 m2."), Some("M3.")]);

    let mut forced = Asked::exact(Some(800));
    forced.transcript.request.force_to_speech = 3000;
    // The pause is one of the sound, not of the times in answers.
    let mut spike = Asked::exact(Some(800));
    spike.transcript.open[1].end = 580;
    for (mut asked, end) in [
        (Asked::exact(Some(800)), 1600),
        (forced, 3000),
        (spike, 1600),
    ] {
        for (position, is_over) in [(end - 1, false), (end, true)] {
            let utterance = &asked.at(position)["utterances"][0];
            assert_eq!(utterance["definite"], is_over, "{position}");
        }
    }

    let mut at_once = Asked::exact(Some(800));
    at_once.transcript.word(Word::new("m3", 1600, 1900));
    assert_eq!(at_once.at(1900)["utterances"][0]["text"], "M1 m2.");
}

#[test]
fn each_change_makes_one_answer() {
    let mut asked = Asked::new(Endpoint::Async, &[], false, None);
    let t = &mut asked.transcript;
    assert_eq!((t.news(), t.news()), (Some(News::Changed), None));
    t.advance(1000);
    assert_eq!((t.news(), t.news()), (Some(News::Prefetch), None));
    t.guess(vec![Word::new("m3", 900, 1100)]);
    assert_eq!(t.news(), Some(News::Changed));
    t.guess(vec![Word::new("m3", 900, 1120)]);
    assert_eq!(t.news(), None, "other times alone make none");
}

#[test]
fn an_open_and_then_a_definite_utterance() {
    let mut asked = Asked::exact(Some(800));
    let ack = r#"{"result":{"additions":{"log_id":"log"}}}"#;
    assert_eq!(asked.answers.ack(), ack, "as recorded");
    let words = json!([{"end_time": 300, "text": "m1"},
        {"start_time": 500, "end_time": 800, "text": "m2"}]);
    let utterances = json!([{"additions": {"source": "stream"}, "definite": false,
        "end_time": 800, "text": "m1 m2", "words": words}]);
    let expected =
        json!({"additions": {"log_id": "log"}, "text": "m1 m2", "utterances": utterances});
    assert_eq!(asked.at(900), expected);
    let settled = asked.whole(1600, false);
    assert_eq!(settled["result"]["utterances"][0]["text"], "M1 m2.");
    assert_eq!(settled["audio_info"]["duration"], 1600);
}

#[test]
fn single_lists_a_definite_utterance_once() {
    let mut asked = Asked::exact(Some(800));
    asked.transcript.request.single = true;
    assert_eq!(asked.at(1600)["text"], "M1 m2.");
    asked.transcript.word(Word::new("m3", 2000, 2300));
    let next = asked.at(2300);
    assert_eq!(next["utterances"].as_array().unwrap().len(), 1);
    assert_eq!(next["text"], "m3");
}

#[test]
fn requested_additions() {
    let mut asked = Asked::exact(Some(800));
    let request = &mut asked.transcript.request;
    request.extras = vec![("speaker_id", &["1", "2"]), ("gender", &["female", "male"])];
    request.two_pass = true;
    asked.transcript.word(Word::new("m3", 2000, 2300));
    let result = asked.at(2300);
    let of = |n: usize| &result["utterances"][n]["additions"];
    let first = json!({"gender": "female", "invoke_type": "soft_vad", "source": "two_pass",
        "speaker_id": "1"});
    let second = json!({"gender": "male", "source": "stream", "speaker_id": "2"});
    assert_eq!((of(0), of(1)), (&first, &second));
    asked.transcript.finish();
    let last = &asked.at(2300)["utterances"][1];
    assert_eq!(last["additions"]["invoke_type"], "hard_vad");
}

#[test]
fn second_passes_lack_a_start_and_by_request_words() {
    for single in [false, true] {
        let odd = [Oddity::SecondPassWithoutWords];
        let mut asked = Asked::new(Endpoint::Bigmodel, &odd, false, Some(800));
        let request = &mut asked.transcript.request;
        (request.two_pass, request.single) = (true, single);
        let last = &asked.at(1600)["utterances"][0];
        assert_eq!(last["definite"], true);
        assert_eq!(last.get("start_time"), None);
        assert_eq!(last["end_time"], 860);
        assert_eq!(last.get("words").is_none(), single);
    }
}

#[test]
fn starts_and_last_words_are_revised() {
    let mut asked = Asked::new(Endpoint::Bigmodel, &[], false, None);
    let first = asked.at(800)["utterances"][0].take();
    let space = json!({"start_time": -1, "end_time": -1, "text": " "});
    let late = json!({"start_time": 501, "end_time": 801, "text": "m2"});
    assert_eq!([&first["words"][1], &first["words"][2]], [&space, &late]);
    assert_eq!(first["end_time"], 801);
    let second = asked.whole(800, true)["result"].take();
    assert_eq!(second["utterances"][0]["words"][2]["end_time"], 800);
    assert_eq!(second["prefetch"], true);
    asked.transcript.finish();
    let third = asked.whole(800, true);
    assert_eq!(third["result"]["last_stream_duration"], 800);

    let mut asked = Asked::new(Endpoint::Bigmodel, &[], false, None);
    let starts = [(); 5].map(|()| asked.at(1000)["utterances"][0]["start_time"].as_i64());
    assert_eq!(starts, [Some(140), Some(0), Some(0), Some(0), None]);
}

#[test]
fn empty_utterances_and_lists() {
    let odd = [Oddity::EmptyDefinite, Oddity::ResultList];
    let result = Asked::new(Endpoint::Async, &odd, false, Some(800)).at(2000);
    let empty = json!({"definite": true, "start_time": 800, "end_time": 800, "text": ""});
    let placeholder = json!({"definite": false, "start_time": -1, "end_time": -1, "text": ""});
    let list = result[0]["utterances"].as_array().unwrap();
    assert_eq!(list[1..], [empty, placeholder]);
}

#[test]
fn texts_are_revised_and_fields_absent() {
    let odd = [Oddity::RevisedText, Oddity::AbsentFields];
    let mut asked = Asked::new(Endpoint::Async, &odd, true, None);
    for (expected, absent) in [
        ("M1, m2", Some("/audio_info")),
        ("m1 m2", Some("/result/text")),
        ("M1, m2", Some("/result/utterances/0/words")),
        ("m1 m2", None),
    ] {
        let answer = asked.whole(900, false);
        assert_eq!(answer["result"]["utterances"][0]["text"], expected);
        let fields = ["/audio_info", "/result/text", "/result/utterances/0/words"];
        let lacks = fields.into_iter().find(|f| answer.pointer(f).is_none());
        assert_eq!(lacks, absent);
    }
}

#[test]
fn text_only_begins_anew() {
    let odd = [Oddity::TextOnly, Oddity::TextResets];
    let mut asked = Asked::new(Endpoint::Async, &odd, false, Some(800));
    for (position, text) in [(900, "m1 m2"), (2000, "M1 m2."), (2100, "m3")] {
        if position == 2100 {
            asked.transcript.word(Word::new("m3", 2000, 2100));
        }
        let result = asked.at(position);
        assert_eq!(result["text"], text);
        assert_eq!(result.get("utterances"), None);
    }
}

/// A client may take audio for silent that was claimed some time ago without a text.
#[test]
fn blank_answers_claim_no_audio_whose_text_was_not_sent() {
    let mut answers = Asked::exact(None).answers;
    let blank = [(); 3].map(|()| answers.blank(1000));
    assert_eq!(blank[..2], ["{}", r#"{"result":{}}"#]);
    let empty: Value = serde_json::from_str(&blank[2]).unwrap();
    assert_eq!(empty["audio_info"]["duration"], 1000);
    assert_eq!(empty["result"]["text"], "");
}
