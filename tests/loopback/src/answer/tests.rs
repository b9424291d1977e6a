//! The content of answers, and their oddities.

use super::*;
use crate::{
    Lag, Recogniser,
    marks::Layout,
    session::{
        Out,
        tests::{Talk, json},
    },
    transcript::News,
};
use Endpoint::{Async, Bigmodel};
use std::time::Duration;

/// Instead of a position: the finish.
const END: u64 = u64::MAX;

/// No oddity, not even those that are on by default.
const EXACT: Option<&[Oddity]> = None;

/// Up to where audio has come, in milliseconds; a place in the answer to that, and what is there.
/// `texts` are those of the utterances; `-`: nothing is there.
type Rows = &'static [(u64, &'static str, &'static str)];

/// Sessions: the endpoint, oddities, further fields of the request, and its answers, which do not
/// lag. `m1` lies from 0 to 300, `m2` from 500 to 800, `m3` from 2000 to 2300, `m4` from 2500 to
/// 2800 ms. A second pass comes 300 ms late, where it is late at all.
#[rustfmt::skip]
const SESSIONS: [(Endpoint, Option<&[Oddity]>, &str, Rows); 14] = [
    (Async, EXACT, r#"{"end_window_size": null}"#, &[
        (2800, "texts", "m1 m2 m3 m4"),
        (END, "texts", "M1 m2. | M3 m4."),
    ]),
    (Async, EXACT, "{}", &[
        (900, "/audio_info/duration", "900"),
        (900, "/result/additions/log_id", "log"),
        (900, "/result/text", "m1 m2"),
        (900, "/result/utterances/0", r#"{"additions": {"source": "stream"}, "definite": false,
            "end_time": 800, "text": "m1 m2", "words": [{"end_time": 300, "text": "m1"},
            {"start_time": 500, "end_time": 800, "text": "m2"}]}"#),
        (1599, "texts", "m1 m2"),
        (1600, "texts", "M1 m2."),
        (1600, "/result/utterances/0/definite", "true"),
        (2300, "texts", "M1 m2. | m3"),
    ]),
    (Async, EXACT, r#"{"force_to_speech_time": 1900}"#, &[
        (1899, "texts", "m1 m2"),
        (1900, "texts", "M1 m2."),
    ]),
    (Async, EXACT, r#"{"result_type": "single"}"#, &[
        (1600, "/result/text", "M1 m2."),
        (2300, "texts", "m3"),
        (2300, "/result/text", "m3"),
    ]),
    (Async, EXACT, r#"{"enable_speaker_info": true, "enable_gender_detection": true,
        "enable_nonstream": true}"#, &[
        (2300, "/result/utterances/0/additions", r#"{"gender": "female", "invoke_type": "soft_vad",
            "source": "two_pass", "speaker_id": "1"}"#),
        (2300, "/result/utterances/1/additions", r#"{"gender": "male", "source": "stream",
            "speaker_id": "2"}"#),
        (END, "/result/utterances/1/additions", r#"{"gender": "male", "invoke_type": "hard_vad",
            "source": "two_pass", "speaker_id": "2"}"#),
    ]),
    (Async, Some(&[Oddity::SecondPassWithoutWords]), r#"{"enable_nonstream": true}"#, &[
        (3600, "texts", "M1 m2. | m3 m4"),
        (3900, "texts", "M1 m2. | M3 m4."),
        (3900, "/result/utterances/1/start_time", "-"),
        (3900, "/result/utterances/1/end_time", "2860"),
        (3900, "/result/utterances/1/words/0/text", "M3"),
    ]),
    (Async, Some(&[Oddity::SecondPassWithoutWords]), r#"{"enable_nonstream": true,
        "result_type": "single"}"#, &[
        (1600, "texts", "m1 m2"),
        (1900, "texts", "M1 m2."),
        (1900, "/result/utterances/0/words", "-"),
    ]),
    (Async, Some(&[Oddity::OutOfOrder]), r#"{"enable_nonstream": true}"#, &[
        (3600, "texts", "m1 m2 | m3 m4"),
        (3900, "texts", "m1 m2 | M3 m4."),
        (3901, "texts", "M1 m2. | M3 m4."),
    ]),
    // Starts and last words are revised, and the same text comes again.
    (Bigmodel, Some(&[]), "{}", &[
        (800, "/result/utterances/0/words/1", r#"{"start_time": -1, "end_time": -1, "text": " "}"#),
        (800, "/result/utterances/0/words/2", r#"{"start_time": 501, "end_time": 801,
            "text": "m2"}"#),
        (800, "/result/utterances/0/end_time", "801"),
        (1000, "/result/utterances/0/words/2/end_time", "800"),
        (1000, "/result/prefetch", "true"),
        (1600, "texts", "M1 m2."),
        (2300, "texts", "M1 m2. | m3"),
        (2500, "/result/last_stream_duration", "2500"),
    ]),
    (Bigmodel, Some(&[]), "{}", &[
        (1000, "/result/utterances/0/start_time", "140"),
        (1010, "/result/utterances/0/start_time", "0"),
        (1020, "/result/utterances/0/start_time", "0"),
        (1030, "/result/utterances/0/start_time", "0"),
        (1040, "/result/utterances/0/start_time", "-"),
    ]),
    (Async, Some(&[Oddity::EmptyDefinite, Oddity::ResultList]), "{}", &[
        (2000, "/result/0/utterances/0/text", "M1 m2."),
        (2000, "/result/0/utterances/1", r#"{"definite": true, "start_time": 800, "end_time": 800,
            "text": ""}"#),
        (2000, "/result/0/utterances/2", r#"{"definite": false, "start_time": -1, "end_time": -1,
            "text": ""}"#),
        (2000, "/result/0/utterances/3", "-"),
    ]),
    (Bigmodel, Some(&[Oddity::RevisedText]), "{}", &[
        (900, "texts", "M1, m2"),
        (910, "texts", "m1 m2"),
    ]),
    (Bigmodel, Some(&[Oddity::AbsentFields]), "{}", &[
        (900, "/audio_info", "-"),
        (900, "/result/text", "m1 m2"),
        (910, "/result/text", "-"),
        (910, "/result/utterances/0/words/0/text", "m1"),
        (920, "/result/utterances/0/words", "-"),
        (920, "/audio_info/duration", "920"),
        (930, "/audio_info/duration", "930"),
        (930, "/result/text", "m1 m2"),
        (930, "/result/utterances/0/words/0/text", "m1"),
    ]),
    (Async, Some(&[Oddity::TextOnly, Oddity::TextResets]), "{}", &[
        (900, "/result/text", "m1 m2"),
        (900, "/result/utterances", "-"),
        (2000, "/result/text", "M1 m2."),
        (2300, "/result/text", "m3"),
    ]),
];

/// Sends the audio between two positions, and returns the last answer to it, if there is one.
fn answer(talk: &mut Talk, from: u64, to: u64) -> Option<Value> {
    let speech = Layout {
        lead: 0,
        sentence: 2,
        pause: 1200,
        first: 1,
        ..Layout::default()
    };
    let out = match to {
        END => talk.finish(),
        _ => talk.audio(&speech.part(from, to)),
    };
    let mut answers = out.iter().filter(|out| matches!(out, Out::Response(..)));
    answers.next_back().map(json)
}

fn find(answer: &Value, place: &str) -> Value {
    if place != "texts" {
        return answer.pointer(place).cloned().unwrap_or("-".into());
    }
    let utterances = answer["result"]["utterances"].as_array().unwrap();
    let texts = utterances.iter().filter_map(|u| u["text"].as_str());
    let texts: Vec<_> = texts.filter(|text| !text.is_empty()).collect();
    texts.join(" | ").into()
}

#[test]
fn answers_have_what_was_asked_for() {
    for (endpoint, oddities, fields, rows) in SESSIONS {
        let change = |options: &mut Options| {
            options.lag = Lag::Exact(Duration::ZERO);
            options.exact = oddities.is_none();
            options.oddities = oddities.unwrap_or_default().to_vec();
            let late = Duration::from_millis(300);
            options.second_pass_delay = oddities.map_or(Duration::ZERO, |_| late);
        };
        let mut talk = Talk::asked(endpoint, change, &serde_json::from_str(fields).unwrap());
        let (mut position, mut last) = (0, Value::Null);
        for &(to, place, expected) in rows {
            if to != position {
                last = answer(&mut talk, position, to).unwrap_or(last);
                position = to;
            }
            let expected = serde_json::from_str(expected).unwrap_or(Value::from(expected));
            let case = format!("{oddities:?} {fields} {to} {place}");
            assert_eq!(find(&last, place), expected, "{case}: {last}");
        }
    }
}

/// The pause is one of the sound, not of the times in answers.
#[test]
fn spikes_end_no_utterance_sooner() {
    let change = |options: &mut Options| {
        (options.recogniser, options.lag) = (Recogniser::Spikes, Lag::Exact(Duration::ZERO));
    };
    let mut talk = Talk::asked(Async, change, &json!({}));
    for (from, to, texts) in [(0, 1599, "m1 m2"), (1599, 1600, "M1 m2.")] {
        let answer = answer(&mut talk, from, to).unwrap();
        assert_eq!(find(&answer, "texts"), texts);
    }
}

#[test]
fn each_change_makes_one_answer() {
    let mut t = Transcript::new(Request::default(), &Options::default());
    t.word(Word::new("m1", 0, 300));
    assert_eq!((t.news(), t.news()), (Some(News::Changed), None));
    t.advance(199);
    assert_eq!(t.news(), None);
    t.advance(200);
    assert_eq!((t.news(), t.news()), (Some(News::Prefetch), None));
    t.guess(vec![Word::new("m3", 900, 1100)]);
    assert_eq!(t.news(), Some(News::Changed));
    t.guess(vec![Word::new("m3", 900, 1120)]);
    assert_eq!(t.news(), None, "other times alone make none");
}
