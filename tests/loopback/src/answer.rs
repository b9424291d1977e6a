//! A transcript as the service's JSON, with its oddities.

use crate::{
    options::Endpoint,
    transcript::{Standing, Transcript, Utterance, Word},
};
use std::fmt::Write;

/// How late a revised time is at first, as in a recording: 732, then 592.
const REVISION: i64 = 140;

/// How much later the second pass says that an utterance ends. That it is later is reported by
/// users.
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

    /// An answer that says nothing at all. It claims no audio after `answered`, up to where the
    /// last answer said the text: words that it leaves out would lag without a bound.
    pub(crate) fn blank(&mut self, transcript: &Transcript, answered: i64) -> String {
        self.blanks += 1;
        match self.blanks % 3 {
            1 => "{}".to_owned(),
            2 => r#"{"result":{}}"#.to_owned(),
            _ => self.empty(transcript, answered),
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
            let listed = match utterance.listed.take().filter(|_| utterance.announced) {
                Some(listed) => listed,
                None => self.settled(transcript, utterance, turn, definite),
            };
            utterance.announced = definite;
            list.push(listed.0.clone());
            texts.push(listed.1.clone());
            utterance.listed = Some(listed);
        }
        transcript.done = done;
        let left_out = if transcript.quirks.absent_fields && !settles {
            LeftOut::ALL[self.count as usize % LeftOut::ALL.len()]
        } else {
            LeftOut::Nothing
        };
        let open = self.under_way(transcript);
        if open.is_empty() {
            if !transcript.quirks.exact && !list.is_empty() {
                list.push(
                    r#"{"definite":false,"start_time":-1,"end_time":-1,"text":""}"#.to_owned(),
                );
            }
        } else {
            list.push(self.open(transcript, &open, left_out));
            texts.push(text(&open, false));
            transcript.listed = (transcript.listed.0 + 1, open.len());
        }
        let whole = if transcript.quirks.text_resets {
            texts.pop().unwrap_or_default()
        } else {
            texts.join(" ")
        };
        let mut fields = String::new();
        let needs_text = transcript.quirks.text_only || left_out != LeftOut::Text;
        if needs_text && (!whole.is_empty() || self.endpoint != Endpoint::Async) {
            let _ = write!(fields, r#","text":{}"#, quoted(&whole));
        }
        if transcript.request.show_utterances && !transcript.quirks.text_only && !list.is_empty() {
            let _ = write!(fields, r#","utterances":[{}]"#, list.join(","));
        }
        let duration = (left_out != LeftOut::Duration).then_some(transcript.duration);
        self.wrap(transcript, duration, fields, prefetch)
    }

    /// The words that are not settled, as this answer has them.
    fn under_way(&self, transcript: &Transcript) -> Vec<Word> {
        let open = transcript.open.iter().chain(&transcript.guess);
        let mut words: Vec<Word> = open.cloned().collect();
        if transcript.quirks.revised_text && !self.count.is_multiple_of(2) {
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
        let result = if transcript.quirks.result_list {
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
        let quirks = &transcript.quirks;
        let second_pass = definite && transcript.request.two_pass;
        let bare = second_pass && !quirks.exact;
        let wordless = second_pass && quirks.second_pass_without_words && transcript.request.single;
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
        if definite && transcript.quirks.empty_definite {
            let _ = write!(
                json,
                r#",{{"definite":true,"end_time":{end},"start_time":{end},"text":""}}"#
            );
        }
        (json, text)
    }

    fn open(&self, transcript: &Transcript, words: &[Word], left_out: LeftOut) -> String {
        let quirks = &transcript.quirks;
        let (mut start, mut end) = span(words);
        let mut listed = words.to_vec();
        if !quirks.exact {
            if transcript.listed.0 == 0 {
                start = (start + REVISION).min(end);
            }
            if let Some(last) = listed
                .last_mut()
                .filter(|_| words.len() > transcript.listed.1)
            {
                let shift = REVISION.min(transcript.duration + 1 - last.end).max(0);
                last.start += shift;
                last.end += shift;
                end = end.max(last.end);
            }
        }
        let reaches = words
            .last()
            .is_some_and(|last| transcript.duration - last.sound.1 < 20);
        if !quirks.exact && reaches {
            end = end.max(transcript.duration + 1);
        }
        let absent = !quirks.exact && self.count.is_multiple_of(5);
        let start = (!absent).then_some(start);
        let additions = r#""source":"stream""#;
        self.utterance(
            transcript,
            &with_extras(additions, transcript, transcript.done.len()),
            false,
            start,
            end,
            &text(words, false),
            Some(&listed[..]).filter(|_| left_out != LeftOut::Words),
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
            if n > 0 && !transcript.quirks.exact {
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

/// A field that an answer leaves out.
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

/// Adds the additions that the request asked for, with the values of this utterance.
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
mod tests;
