//! A transcript as the service's JSON, with its oddities.

use crate::{
    options::{Endpoint, Oddity, Options},
    request::Request,
    transcript::{Transcript, Utterance, Word},
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, sync::Arc, time::SystemTime};

/// How late a revised time is at first, as in a recording: 732, then 592.
const REVISION: i64 = 140;

/// How much later an utterance ends in the second pass. That it is later is reported by users.
const LATER_END: i64 = 60;

type Fields = Map<String, Value>;

/// A word or an utterance of an answer, which leaves out what is none.
#[derive(Default, Serialize)]
struct Piece {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    additions: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    definite: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time: Option<i64>,
    end_time: i64,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<Vec<Self>>,
}

impl Piece {
    /// One that is not spoken.
    fn silent(text: &str, definite: Option<bool>, at: i64) -> Self {
        Self {
            definite,
            start_time: Some(at),
            end_time: at,
            text: text.to_owned(),
            ..Self::default()
        }
    }

    fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Makes the answers of one session.
#[derive(Debug)]
pub(crate) struct Answers {
    pub endpoint: Endpoint,
    pub log_id: String,
    pub options: Arc<Options>,
    /// Answers so far, and those without content.
    pub count: u32,
    pub blanks: u32,
}

impl Answers {
    /// The first answer.
    pub(crate) fn ack(&self) -> String {
        match self.endpoint {
            Endpoint::Async => self.wrap(None, Fields::new(), &[]),
            Endpoint::Bigmodel | Endpoint::Nostream => self.empty(0),
        }
    }

    /// An answer without text.
    pub(crate) fn empty(&self, duration: i64) -> String {
        let text = Fields::from_iter([("text".to_owned(), "".into())]);
        self.wrap(Some(duration), text, &[])
    }

    /// An answer without content. It claims no audio after `answered`, the position of the last
    /// answer: words that it leaves out would lag without a bound.
    pub(crate) fn blank(&mut self, answered: i64) -> String {
        self.blanks += 1;
        match self.blanks % 3 {
            1 => "{}".to_owned(),
            2 => r#"{"result":{}}"#.to_owned(),
            _ => self.empty(answered),
        }
    }

    /// The transcript in its present state.
    pub(crate) fn answer(&mut self, transcript: &mut Transcript, prefetch: bool) -> String {
        self.count += 1;
        let mut fields = Fields::new();
        if prefetch {
            // One or the other was all that was new in such an answer.
            let (name, value) = match transcript.done.len() % 2 {
                0 => ("prefetch", true.into()),
                _ => ("last_stream_duration", transcript.duration.into()),
            };
            fields.insert(name.to_owned(), value);
        }
        if transcript.position == 0 && self.endpoint == Endpoint::Async {
            return self.wrap(None, fields, &[]);
        }
        let (mut list, mut texts) = (Vec::new(), Vec::new());
        let mut has_new = false;
        for (turn, utterance) in transcript.done.iter_mut().enumerate() {
            if utterance.announced && transcript.request.single {
                continue;
            }
            if !utterance.announced {
                utterance.listed = self.ended(&transcript.request, utterance, turn);
                utterance.announced = utterance.is_definite();
                has_new |= utterance.announced;
            }
            list.push(utterance.listed.0.clone());
            texts.push(utterance.listed.1.clone());
        }
        let left_out = match self.options.has(Oddity::AbsentFields) && !has_new {
            true => ["", "audio_info", "text", "words"][self.count as usize % 4],
            false => "",
        };
        let words = self.under_way(transcript);
        if !words.is_empty() {
            list.push(self.open(transcript, &words, left_out).json());
            texts.push(text(&words));
            transcript.listed = (transcript.listed.0 + 1, words.len());
        } else if !self.options.exact && !list.is_empty() {
            list.push(Piece::silent("", Some(false), -1).json());
        }
        let text_only = self.options.has(Oddity::TextOnly);
        if text_only || !transcript.request.show_utterances {
            list.clear();
        }
        let whole = match self.options.has(Oddity::TextResets) {
            true => texts.pop().unwrap_or_default(),
            false => texts.join(" "),
        };
        let shown = !whole.is_empty() || self.endpoint != Endpoint::Async;
        if shown && (text_only || left_out != "text") {
            fields.insert("text".to_owned(), whole.into());
        }
        let duration = Some(transcript.duration).filter(|_| left_out != "audio_info");
        self.wrap(duration, fields, &list)
    }

    /// The words of the utterance under way, as this answer has them.
    fn under_way(&self, transcript: &Transcript) -> Vec<Word> {
        let open = transcript.open.iter().chain(&transcript.guess);
        let mut words: Vec<Word> = open.cloned().collect();
        if self.options.has(Oddity::RevisedText) && !self.count.is_multiple_of(2) {
            capitalise(&mut words);
            if let [first, _, ..] = words.as_mut_slice() {
                first.text.push(',');
            }
        }
        words
    }

    fn wrap(&self, duration: Option<i64>, mut fields: Fields, utterances: &[String]) -> String {
        fields.insert("additions".to_owned(), json!({ "log_id": self.log_id }));
        let mut result = Value::Object(fields).to_string();
        if !utterances.is_empty() {
            // They are kept as JSON, as they come again and again.
            result.pop();
            result += &format!(r#","utterances":[{}]}}"#, utterances.join(","));
        }
        if self.options.has(Oddity::ResultList) {
            result = format!("[{result}]");
        }
        match duration.filter(|&ms| ms > 0 || self.endpoint != Endpoint::Async) {
            Some(ms) => format!(r#"{{"audio_info":{{"duration":{ms}}},"result":{result}}}"#),
            None => format!(r#"{{"result":{result}}}"#),
        }
    }

    /// The JSON and the text of an utterance that a pause has ended.
    fn ended(&self, request: &Request, utterance: &Utterance, turn: usize) -> (String, String) {
        let definite = utterance.is_definite();
        let punctuation = definite && request.punctuation;
        let mut words = utterance.words.clone();
        if punctuation {
            capitalise(&mut words);
        }
        let text = text(&words) + if punctuation { "." } else { "" };
        let mut piece = self.utterance(request, turn, &words);
        piece.text.clone_from(&text);
        piece.definite = Some(definite);
        if definite && request.two_pass {
            let vad = ["soft_vad", "hard_vad"][usize::from(utterance.hard)];
            let two_pass = [("source", "two_pass".into()), ("invoke_type", vad.into())];
            piece.additions.extend(two_pass);
            if !self.options.exact {
                piece.start_time = None;
                piece.end_time += LATER_END;
            }
            if request.single && self.options.has(Oddity::SecondPassWithoutWords) {
                piece.words = None;
            }
        }
        let mut list = piece.json();
        if definite && self.options.has(Oddity::EmptyDefinite) {
            let empty = Piece::silent("", Some(true), piece.end_time);
            list += &format!(",{}", empty.json());
        }
        (list, text)
    }

    /// The utterance under way.
    fn open(&self, transcript: &Transcript, words: &[Word], left_out: &str) -> Piece {
        let late = |on| REVISION * i64::from(on && !self.options.exact);
        let (answers, known) = transcript.listed;
        let (first, last) = (&words[0], &words[words.len() - 1]);
        let latest = transcript.duration + 1;
        let shift = late(words.len() > known).min(latest - last.end).max(0);
        let mut shown = words.to_vec();
        if let Some(last) = shown.last_mut() {
            (last.start, last.end) = (last.start + shift, last.end + shift);
        }
        let reaches = transcript.duration - last.sound.1 < 20 && !self.options.exact;
        let mut piece = self.utterance(&transcript.request, transcript.done.len(), &shown);
        piece.text = text(words);
        piece.start_time = self.start((first.start + late(answers == 0)).min(last.end));
        if reaches {
            piece.end_time = latest.max(last.end + shift);
        }
        if !self.options.exact && self.count.is_multiple_of(5) {
            piece.start_time = None;
        }
        piece.words.take_if(|_| left_out == "words");
        piece
    }

    /// An utterance of the first pass, as yet without a text.
    fn utterance(&self, request: &Request, turn: usize, words: &[Word]) -> Piece {
        let mut list = Vec::new();
        for word in words {
            if !list.is_empty() && !self.options.exact {
                list.push(Piece::silent(" ", None, -1));
            }
            list.push(Piece {
                start_time: self.start(word.start),
                end_time: word.end,
                text: word.text.clone(),
                ..Piece::default()
            });
        }
        let extras = request.extras.iter();
        let extras = extras.map(|(name, values)| (*name, values[turn % values.len()].to_owned()));
        let mut additions = BTreeMap::from([("source", "stream".to_owned())]);
        additions.extend(extras);
        if self.options.sent_at {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            additions.insert("sent_at", now.unwrap_or_default().as_nanos().to_string());
        }
        Piece {
            additions,
            definite: Some(false),
            start_time: self.start(words.first().map_or(0, |word| word.start)),
            end_time: words.last().map_or(0, |word| word.end),
            words: Some(list),
            ..Piece::default()
        }
    }

    /// A start, but for one of zero on `bigmodel_async`, as seen in recorded traffic.
    fn start(&self, at: i64) -> Option<i64> {
        Some(at).filter(|&at| at != 0 || self.endpoint != Endpoint::Async)
    }
}

fn capitalise(words: &mut [Word]) {
    if let Some(first) = words.first_mut() {
        let mut chars = first.text.chars();
        let capital = chars.next().into_iter().flat_map(char::to_uppercase);
        first.text = capital.chain(chars).collect();
    }
}

fn text(words: &[Word]) -> String {
    let words: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests;
