//! A transcript as the service's JSON, with its oddities.

use crate::{
    options::Endpoint,
    transcript::{Standing, Transcript, Utterance, Word},
};
use std::fmt::Write;

/// How late a revised time is at first, as in a recording: 732, then 592.
const REVISION: i64 = 140;

/// How much later the second pass says that an utterance ends. That it is later is reported by users.
const LATER_END: i64 = 60;

/// Makes the answers of one session.
#[derive(Debug)]
pub(crate) struct Answers {
    pub endpoint: Endpoint,
    pub log_id: String,
    told_at: bool,
    count: u32,
    blanks: u32,
}

impl Answers {
    pub(crate) fn new(endpoint: Endpoint, log_id: String, told_at: bool) -> Self {
        Self {
            endpoint,
            log_id,
            told_at,
            count: 0,
            blanks: 0,
        }
    }

    /// The first answer.
    pub(crate) fn ack(&self, transcript: &Transcript) -> String {
        match self.endpoint {
            Endpoint::Async => self.wrap(transcript, None, String::new(), false),
            Endpoint::Bigmodel | Endpoint::Nostream => self.empty(transcript, 0),
        }
    }

    /// An answer without text.
    pub(crate) fn empty(&self, transcript: &Transcript, duration: i64) -> String {
        self.wrap(
            transcript,
            Some(duration),
            r#","text":"""#.to_owned(),
            false,
        )
    }

    /// An answer that says nothing at all.
    pub(crate) fn blank(&mut self, transcript: &Transcript) -> String {
        self.blanks += 1;
        match self.blanks % 3 {
            1 => "{}".to_owned(),
            2 => r#"{"result":{}}"#.to_owned(),
            _ => self.empty(transcript, transcript.duration),
        }
    }

    /// The transcript as it stands.
    pub(crate) fn answer(&mut self, transcript: &mut Transcript, prefetch: bool) -> String {
        self.count += 1;
        if transcript.position == 0 && self.endpoint == Endpoint::Async {
            return self.wrap(transcript, None, String::new(), prefetch);
        }
        let mut texts: Vec<String> = Vec::new();
        let mut list: Vec<String> = Vec::new();
        let single = transcript.request.single;
        let mut settles = false;
        let mut done = std::mem::take(&mut transcript.done);
        for (turn, utterance) in done.iter_mut().enumerate() {
            if single && utterance.announced {
                continue;
            }
            let definite = utterance.standing == Standing::Definite;
            settles |= definite && !utterance.announced;
            let told = match utterance.told.take().filter(|_| utterance.announced) {
                Some(told) => told,
                None => self.settled(transcript, utterance, turn, definite),
            };
            utterance.announced = definite;
            list.push(told.0.clone());
            texts.push(told.1.clone());
            utterance.told = Some(told);
        }
        transcript.done = done;
        let left_out = if transcript.oddities.absent_fields && !settles {
            LeftOut::ALL[self.count as usize % LeftOut::ALL.len()]
        } else {
            LeftOut::Nothing
        };
        let open = self.under_way(transcript);
        if open.is_empty() {
            if transcript.oddities.placeholder && !list.is_empty() {
                list.push(
                    r#"{"definite":false,"start_time":-1,"end_time":-1,"text":""}"#.to_owned(),
                );
            }
        } else {
            list.push(self.open(transcript, &open, left_out));
            texts.push(text(&open, false));
            transcript.told = (transcript.told.0 + 1, open.len());
        }
        let whole = if transcript.oddities.text_resets {
            texts.pop().unwrap_or_default()
        } else {
            texts.join(" ")
        };
        let mut fields = String::new();
        let needs_text = transcript.oddities.text_only || left_out != LeftOut::Text;
        if needs_text && (!whole.is_empty() || self.endpoint != Endpoint::Async) {
            let _ = write!(fields, r#","text":{}"#, quoted(&whole));
        }
        if transcript.request.show_utterances && !transcript.oddities.text_only && !list.is_empty()
        {
            let _ = write!(fields, r#","utterances":[{}]"#, list.join(","));
        }
        let duration = (left_out != LeftOut::Duration).then_some(transcript.duration);
        self.wrap(transcript, duration, fields, prefetch)
    }

    /// The words that are not settled, as this answer has them.
    fn under_way(&self, transcript: &Transcript) -> Vec<Word> {
        let open = transcript.open.iter().chain(&transcript.guess);
        let mut words: Vec<Word> = open.cloned().collect();
        if transcript.oddities.revised_text && !self.count.is_multiple_of(2) {
            words = sentence(&words, true);
            if let [first, _, ..] = words.as_mut_slice() {
                first.text.push(',');
            }
        }
        words
    }

    fn wrap(
        &self,
        transcript: &Transcript,
        duration: Option<i64>,
        fields: String,
        prefetch: bool,
    ) -> String {
        // One or the other was all that was new in such an answer.
        let prefetch = match (prefetch, transcript.done.len() % 2) {
            (false, _) => String::new(),
            (true, 0) => r#","prefetch":true"#.to_owned(),
            (true, _) => format!(r#","last_stream_duration":{}"#, transcript.duration),
        };
        let result = format!(
            r#"{{"additions":{{"log_id":{}}}{prefetch}{fields}}}"#,
            quoted(&self.log_id)
        );
        let result = if transcript.oddities.result_list {
            format!("[{result}]")
        } else {
            result
        };
        match duration {
            Some(ms) if ms > 0 || self.endpoint != Endpoint::Async => {
                format!(r#"{{"audio_info":{{"duration":{ms}}},"result":{result}}}"#)
            }
            _ => format!(r#"{{"result":{result}}}"#),
        }
    }

    /// The JSON and the text of an utterance that a pause has ended.
    fn settled(
        &self,
        transcript: &Transcript,
        utterance: &Utterance,
        turn: usize,
        definite: bool,
    ) -> (String, String) {
        let additions = match (definite, transcript.request.two_pass, utterance.hard) {
            (true, true, false) => r#""invoke_type":"soft_vad","source":"two_pass""#,
            (true, true, true) => r#""invoke_type":"hard_vad","source":"two_pass""#,
            _ => r#""source":"stream""#,
        };
        let additions = &with_extras(additions, transcript, turn);
        let punctuation = definite && transcript.request.punctuation;
        let words = sentence(&utterance.words, punctuation);
        let text = text(&words, punctuation);
        let (start, end) = span(&words);
        let odd = &transcript.oddities;
        let second_pass = definite && transcript.request.two_pass;
        let bare = second_pass && odd.second_pass_without_start;
        let wordless = second_pass && odd.second_pass_without_words && transcript.request.single;
        let end = if bare { end + LATER_END } else { end };
        let mut json = self.utterance(
            transcript,
            additions,
            definite,
            (!bare).then_some(start),
            end,
            &text,
            (!wordless).then_some(&words[..]),
        );
        if definite && transcript.oddities.empty_definite {
            let _ = write!(
                json,
                r#",{{"definite":true,"end_time":{end},"start_time":{end},"text":""}}"#
            );
        }
        (json, text)
    }

    fn open(&self, transcript: &Transcript, words: &[Word], left_out: LeftOut) -> String {
        let odd = &transcript.oddities;
        let (mut start, mut end) = span(words);
        let mut told = words.to_vec();
        if odd.revised_starts {
            if transcript.told.0 == 0 {
                start = (start + REVISION).min(end);
            }
            if let Some(last) = told.last_mut().filter(|_| words.len() > transcript.told.1) {
                let shift = REVISION.min(transcript.duration + 1 - last.end).max(0);
                last.start += shift;
                last.end += shift;
                end = end.max(last.end);
            }
        }
        let reaches = words
            .last()
            .is_some_and(|last| transcript.duration - last.sound.1 < 20);
        if odd.end_past_duration && reaches {
            end = end.max(transcript.duration + 1);
        }
        let absent = odd.absent_starts && self.count.is_multiple_of(5);
        let start = (!absent).then_some(start);
        let additions = r#""source":"stream""#;
        self.utterance(
            transcript,
            &with_extras(additions, transcript, transcript.done.len()),
            false,
            start,
            end,
            &text(words, false),
            Some(&told[..]).filter(|_| left_out != LeftOut::Words),
        )
    }

    #[allow(clippy::too_many_arguments, reason = "one for each field of the JSON")]
    fn utterance(
        &self,
        transcript: &Transcript,
        additions: &str,
        definite: bool,
        start: Option<i64>,
        end: i64,
        text: &str,
        words: Option<&[Word]>,
    ) -> String {
        let told_at = if self.told_at {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            format!(r#","told_at":"{}""#, now.unwrap_or_default().as_nanos())
        } else {
            String::new()
        };
        let mut json = format!(
            r#"{{"additions":{{{additions}{told_at}}},"definite":{definite},"end_time":{end}"#
        );
        // Zero values are left out on `bigmodel_async`, as seen in recorded traffic.
        if let Some(start) = start.filter(|&ms| ms != 0 || self.endpoint != Endpoint::Async) {
            let _ = write!(json, r#","start_time":{start}"#);
        }
        let _ = write!(json, r#","text":{}"#, quoted(text));
        let Some(words) = words else {
            json.push('}');
            return json;
        };
        json.push_str(r#","words":["#);
        for (n, word) in words.iter().enumerate() {
            if n > 0 && transcript.oddities.space_words {
                json.push_str(r#",{"end_time":-1,"start_time":-1,"text":" "}"#);
            }
            let comma = if n > 0 { "," } else { "" };
            let _ = write!(json, r#"{comma}{{"end_time":{},"#, word.end);
            if word.start != 0 || self.endpoint != Endpoint::Async {
                let _ = write!(json, r#""start_time":{},"#, word.start);
            }
            let _ = write!(json, r#""text":{}}}"#, quoted(&word.text));
        }
        json.push_str("]}");
        json
    }
}

/// What an answer is without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LeftOut {
    Nothing,
    Duration,
    Text,
    Words,
}

impl LeftOut {
    const ALL: [Self; 4] = [Self::Nothing, Self::Duration, Self::Text, Self::Words];
}

/// What the request asked for besides, for the utterance whose turn it is.
fn with_extras(additions: &str, transcript: &Transcript, turn: usize) -> String {
    let mut additions = additions.to_owned();
    for (name, values) in &transcript.request.extras {
        let value = values[turn % values.len()];
        let _ = write!(additions, r#","{name}":"{value}""#);
    }
    additions
}

fn span(words: &[Word]) -> (i64, i64) {
    (
        words.first().map_or(0, |w| w.start),
        words.last().map_or(0, |w| w.end),
    )
}

/// The words of a finished sentence: with a capital if it has punctuation.
fn sentence(words: &[Word], punctuation: bool) -> Vec<Word> {
    let mut words = words.to_vec();
    if let Some(first) = words.first_mut().filter(|_| punctuation) {
        let mut chars = first.text.chars();
        first.text = chars
            .next()
            .map(|c| c.to_uppercase().chain(chars).collect())
            .unwrap_or_default();
    }
    words
}

fn text(words: &[Word], full_stop: bool) -> String {
    let mut text = words
        .iter()
        .map(|w| w.text.as_str())
        .collect::<Vec<_>>()
        .join(" ");
    if full_stop && !text.is_empty() {
        text.push('.');
    }
    text
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        options::Oddities,
        transcript::tests::{request, word},
    };
    use serde_json::{Value, json};

    fn setup(endpoint: Endpoint, oddities: Oddities, window: Option<i64>) -> (Answers, Transcript) {
        (
            Answers::new(endpoint, "log".into(), false),
            Transcript::new(request(window), oddities),
        )
    }

    fn parsed(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn acks_as_recorded() {
        let (answers, t) = setup(Endpoint::Async, Oddities::none(), None);
        assert_eq!(
            answers.ack(&t),
            r#"{"result":{"additions":{"log_id":"log"}}}"#
        );
        let (answers, t) = setup(Endpoint::Bigmodel, Oddities::none(), None);
        let expected = json!({"audio_info": {"duration": 0}, "result": {"additions": {"log_id": "log"}, "text": ""}});
        assert_eq!(parsed(&answers.ack(&t)), expected);
    }

    #[test]
    fn an_open_and_then_a_definite_utterance() {
        let (mut answers, mut t) = setup(
            Endpoint::Async,
            Oddities {
                space_words: true,
                ..Oddities::none()
            },
            Some(800),
        );
        t.word(word("m1", 0, 300));
        t.word(word("m2", 500, 800));
        t.advance(900);
        let interim = parsed(&answers.answer(&mut t, false));
        assert_eq!(interim["result"]["text"], "m1 m2");
        let words = json!([{"end_time": 300, "text": "m1"}, {"start_time": -1, "end_time": -1, "text": " "},
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
        let (mut answers, mut t) = setup(Endpoint::Async, Oddities::none(), Some(800));
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
        let (mut answers, mut t) = setup(Endpoint::Async, Oddities::none(), Some(800));
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
        let odd = Oddities {
            second_pass_without_start: true,
            second_pass_without_words: true,
            ..Oddities::none()
        };
        for single in [false, true] {
            let (mut answers, mut t) = setup(Endpoint::Async, odd.clone(), Some(800));
            t.request.two_pass = true;
            t.request.single = single;
            t.word(word("m1", 100, 300));
            t.advance(400);
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
        let odd = Oddities {
            revised_starts: true,
            end_past_duration: true,
            ..Oddities::none()
        };
        let (mut answers, mut t) = setup(Endpoint::Async, odd, None);
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
    fn the_other_oddities() {
        let mut all = Oddities {
            placeholder: true,
            empty_definite: true,
            result_list: true,
            ..Oddities::none()
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

        let odd = Oddities {
            revised_text: true,
            absent_fields: true,
            ..Oddities::none()
        };
        let (mut answers, mut t) = setup(Endpoint::Async, odd, None);
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
        assert_eq!(
            [answers.blank(&t), answers.blank(&t)],
            ["{}", r#"{"result":{}}"#]
        );
    }
}
