//! The content of answers, and their oddities.

use super::*;
use crate::{
    Lag, Recogniser,
    marks::Layout,
    session::tests::{Talk, json, request},
    transcript::News,
};
use std::time::Duration;

/// A session whose answers do not lag. `m1` lies from 0 to 300, `m2` from 500 to 800, and `m3` from
/// 2000 to 2300 ms; `m4` follows.
struct Asked {
    talk: Talk,
    position: u64,
}

impl Asked {
    /// `fields`: of the request, beside those that every client sends.
    fn new(endpoint: Endpoint, change: impl FnOnce(&mut Options), fields: Value) -> Self {
        let mut talk = Talk::new(endpoint, |options| {
            options.lag = Lag::Exact(Duration::ZERO);
            change(options);
        });
        let mut request = request();
        for (name, value) in fields.as_object().into_iter().flatten() {
            request["request"][name] = value.clone();
        }
        talk.request(&request);
        Self { talk, position: 0 }
    }

    /// Without oddities, and then with some.
    fn exact(fields: Value) -> Self {
        Self::new(Endpoint::Async, |_| {}, fields)
    }

    fn odd(endpoint: Endpoint, oddities: &[Oddity], fields: Value) -> Self {
        let change = |options: &mut Options| {
            (options.exact, options.oddities) = (false, oddities.to_vec());
        };
        Self::new(endpoint, change, fields)
    }

    /// The answer when all audio up to `position` has come.
    fn at(&mut self, position: u64) -> Value {
        let speech = Layout {
            lead: 0,
            sentence: 2,
            pause: 1200,
            first: 1,
            ..Layout::default()
        };
        let audio = speech.part(self.position, position);
        self.position = position;
        json(self.talk.audio(&audio).last().unwrap())
    }

    fn last(&mut self) -> Value {
        json(&self.talk.finish()[0])
    }
}

fn texts(answer: &Value) -> Vec<&str> {
    let utterances = answer["result"]["utterances"].as_array();
    let texts = utterances.into_iter().flatten();
    texts.filter_map(|u| u["text"].as_str()).collect()
}

#[test]
fn an_utterance_ends_by_its_window_or_at_the_end() {
    let mut without = Asked::exact(json!({"end_window_size": null}));
    assert_eq!(texts(&without.at(9000))[0][..8], *"m1 m2 m3");
    assert_eq!(texts(&without.last())[..2], ["M1 m2.", "M3 m4."]);
    assert_eq!(texts(&Asked::exact(json!({})).at(2300)), ["M1 m2.", "m3"]);

    let forced = Asked::exact(json!({"force_to_speech_time": 1900}));
    // The pause is one of the sound, not of the times in answers.
    let spikes = |o: &mut Options| o.recogniser = Recogniser::Marks { spikes: true };
    let spikes = Asked::new(Endpoint::Async, spikes, json!({}));
    for (mut asked, end) in [
        (Asked::exact(json!({})), 1600),
        (forced, 1900),
        (spikes, 1600),
    ] {
        assert_eq!(texts(&asked.at(end - 1)), ["m1 m2"]);
        assert_eq!(texts(&asked.at(end)), ["M1 m2."]);
    }
}

#[test]
fn each_change_makes_one_answer() {
    let mut t = Transcript::new(Request::default(), &Options::default());
    t.word(Word::new("m1", 0, 300));
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
    let mut asked = Asked::exact(json!({}));
    let words = json!([{"end_time": 300, "text": "m1"},
        {"start_time": 500, "end_time": 800, "text": "m2"}]);
    let utterances = json!([{"additions": {"source": "stream"}, "definite": false,
        "end_time": 800, "text": "m1 m2", "words": words}]);
    let expected = json!({"audio_info": {"duration": 900}, "result": {
        "additions": {"log_id": "log"}, "text": "m1 m2", "utterances": utterances}});
    assert_eq!(asked.at(900), expected);
    let settled = &asked.at(1600)["result"]["utterances"][0];
    assert_eq!(
        [&settled["text"], &settled["definite"]],
        [&json!("M1 m2."), &json!(true)]
    );
}

#[test]
fn single_lists_a_definite_utterance_once() {
    let mut asked = Asked::exact(json!({"result_type": "single"}));
    assert_eq!(asked.at(1600)["result"]["text"], "M1 m2.");
    let next = asked.at(2300);
    assert_eq!(texts(&next), ["m3"]);
    assert_eq!(next["result"]["text"], "m3");
}

#[test]
fn requested_additions() {
    let mut asked = Asked::exact(json!({"enable_speaker_info": true,
        "enable_gender_detection": true, "enable_nonstream": true}));
    let first = json!({"gender": "female", "invoke_type": "soft_vad", "source": "two_pass",
        "speaker_id": "1"});
    let mut second = json!({"gender": "male", "source": "stream", "speaker_id": "2"});
    let additions =
        |answer: Value, n: usize| answer["result"]["utterances"][n]["additions"].clone();
    let answer = asked.at(2300);
    assert_eq!(additions(answer.clone(), 0), first);
    assert_eq!(additions(answer, 1), second);
    (second["source"], second["invoke_type"]) = (json!("two_pass"), json!("hard_vad"));
    assert_eq!(additions(asked.last(), 1), second);
}

#[test]
fn second_passes_lack_a_start_and_by_request_words() {
    for (result_type, has_words) in [("full", true), ("single", false)] {
        let fields = json!({"enable_nonstream": true, "result_type": result_type});
        let odd = [Oddity::SecondPassWithoutWords];
        let mut asked = Asked::odd(Endpoint::Async, &odd, fields);
        asked.at(1600);
        let answer = asked.at(3600);
        let utterances = answer["result"]["utterances"].as_array().unwrap();
        let second = utterances.iter().find(|u| u["text"] == "M3 m4.").unwrap();
        assert_eq!(
            (second.get("start_time"), &second["end_time"]),
            (None, &json!(2860))
        );
        assert_eq!(second.get("words").is_some(), has_words);
    }
}

#[test]
fn starts_and_last_words_are_revised() {
    let mut asked = Asked::odd(Endpoint::Bigmodel, &[], json!({}));
    let first = asked.at(800)["result"]["utterances"][0].take();
    let space = json!({"start_time": -1, "end_time": -1, "text": " "});
    let late = json!({"start_time": 501, "end_time": 801, "text": "m2"});
    assert_eq!([&first["words"][1], &first["words"][2]], [&space, &late]);
    assert_eq!(first["end_time"], 801);
    let second = asked.at(1000)["result"].take();
    assert_eq!(second["utterances"][0]["words"][2]["end_time"], 800);
    assert_eq!(second["prefetch"], true);
    asked.at(1600);
    asked.at(2300);
    assert_eq!(asked.at(2500)["result"]["last_stream_duration"], 2500);

    let mut asked = Asked::odd(Endpoint::Bigmodel, &[], json!({}));
    let starts = [1000, 1010, 1020, 1030, 1040]
        .map(|ms| asked.at(ms)["result"]["utterances"][0]["start_time"].as_i64());
    assert_eq!(starts, [Some(140), Some(0), Some(0), Some(0), None]);
}

#[test]
fn empty_utterances_and_lists() {
    let odd = [Oddity::EmptyDefinite, Oddity::ResultList];
    let result = Asked::odd(Endpoint::Async, &odd, json!({})).at(2000)["result"].take();
    let empty = json!({"definite": true, "start_time": 800, "end_time": 800, "text": ""});
    let placeholder = json!({"definite": false, "start_time": -1, "end_time": -1, "text": ""});
    let list = result[0]["utterances"].as_array().unwrap();
    assert_eq!(list[1..], [empty, placeholder]);
}

#[test]
fn texts_are_revised_and_fields_absent() {
    let odd = [Oddity::RevisedText, Oddity::AbsentFields];
    let mut asked = Asked::odd(Endpoint::Bigmodel, &odd, json!({}));
    for (position, expected, absent) in [
        (900, "M1, m2", Some("/audio_info")),
        (910, "m1 m2", Some("/result/text")),
        (920, "M1, m2", Some("/result/utterances/0/words")),
        (930, "m1 m2", None),
    ] {
        let answer = asked.at(position);
        assert_eq!(texts(&answer), [expected]);
        let fields = ["/audio_info", "/result/text", "/result/utterances/0/words"];
        let lacks = fields.into_iter().find(|f| answer.pointer(f).is_none());
        assert_eq!(lacks, absent);
    }
}

#[test]
fn text_only_begins_anew() {
    let odd = [Oddity::TextOnly, Oddity::TextResets];
    let mut asked = Asked::odd(Endpoint::Async, &odd, json!({}));
    for (position, text) in [(900, "m1 m2"), (2000, "M1 m2."), (2300, "m3")] {
        let result = asked.at(position)["result"].take();
        assert_eq!(result["text"], text);
        assert_eq!(result.get("utterances"), None);
    }
}
