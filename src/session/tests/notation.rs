//! Utterances and updates in words.

use serde_json::{Value, json};

use crate::session::transcript::Update;

/// An utterance as a service lists it; a time of −1 is absent.
#[derive(Debug, Clone)]
pub struct Utterance {
    pub text: String,
    pub times: Option<(i64, i64)>,
    pub definite: bool,
    pub words: Vec<(String, i64, i64)>,
    pub source: Option<String>,
}

/// An utterance with a word time for each word: spikes of 80 ms, the first at its start, the last
/// at its end, the others evenly between.
pub fn timed(text: &str, start: i64, end: i64) -> Utterance {
    let words: Vec<&str> = words(text).collect();
    let last = (words.len() as i64 - 1).max(1);
    let step = end.saturating_sub(start).saturating_sub(80).max(0) / last;
    let words = words.iter().enumerate().map(|(i, word)| {
        let at = start.saturating_add(step * i as i64);
        ((*word).to_owned(), at, at.saturating_add(80))
    });
    Utterance {
        words: words.collect(),
        ..Utterance::bare(text, Some((start, end)))
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split_whitespace();
    words.map(|word| word.trim_matches(['.', ',', '?']))
}

impl Utterance {
    /// Without words.
    pub fn bare(text: &str, times: Option<(i64, i64)>) -> Self {
        Self {
            text: text.into(),
            times,
            definite: false,
            words: Vec::new(),
            source: None,
        }
    }

    pub fn definite(mut self) -> Self {
        self.definite = true;
        self
    }

    /// Between its words stand those for spaces, as the service lists them.
    fn json(&self) -> Value {
        let words = self.words.iter().flat_map(|(text, start, end)| {
            let space = text_at(" ", (-1, -1));
            [space, text_at(text, (*start, *end))]
        });
        let mut utterance = text_at(&self.text, self.times.unwrap_or((-1, -1)));
        utterance["definite"] = self.definite.into();
        utterance["additions"] = json!({"source": self.source});
        utterance["words"] = words.skip(1).collect();
        utterance
    }
}

fn text_at(text: &str, (start, end): (i64, i64)) -> Value {
    json!({"text": text, "start_time": start, "end_time": end})
}

/// Returns a result with a list.
pub fn result(list: &[Utterance]) -> Value {
    json!({"utterances": list.iter().map(Utterance::json).collect::<Vec<_>>()})
}

/// Returns a response with this result, which may leave out the duration.
pub fn response(duration: Option<u64>, result: &Value) -> String {
    let mut response = json!({"result": result});
    if let Some(duration) = duration {
        response["audio_info"] = json!({"duration": duration});
    }
    response.to_string()
}

/// Reads `text@start-end`, where either time may be left out. Behind it, `!` marks it as definite,
/// `~` leaves out its words, `[start-end …]` gives the times of each word, and `#a` its source.
/// Otherwise its words are those of [`timed`].
pub fn utterance(part: &str) -> Utterance {
    let (text, rest) = part.rsplit_once('@').expect("text@start-end");
    let (rest, source) = rest.split_once('#').unwrap_or((rest, ""));
    let (rest, spikes) = rest.split_once('[').unwrap_or((rest, ""));
    let (start, end) = times(rest.trim_end_matches(['!', '~']));
    let spikes: Vec<_> = spikes.trim_end_matches(']').split_whitespace().collect();
    if !spikes.is_empty() {
        assert_eq!(spikes.len(), words(text).count(), "times of words: {part}");
    }
    let given = words(text).zip(spikes.into_iter().map(times));
    let mut words: Vec<_> = given
        .map(|(word, (s, e))| (word.to_owned(), s, e))
        .collect();
    if words.is_empty() && !rest.contains('~') && start >= 0 && end >= 0 {
        words = timed(text, start, end).words;
    }
    Utterance {
        definite: rest.contains('!'),
        words,
        source: (!source.is_empty()).then(|| source.into()),
        ..Utterance::bare(text, Some((start, end)))
    }
}

fn times(text: &str) -> (i64, i64) {
    let (start, end) = text.split_once('-').expect("start-end");
    let time = |text: &str| match text {
        "" => -1,
        text => text.parse().expect("a time"),
    };
    (time(start), time(end))
}

/// Returns its number and text, with `F` behind if final, and `U` if unconfirmed as well.
pub fn described(update: &Update) -> String {
    let kind = match (update.is_final, update.unconfirmed) {
        (false, _) => "",
        (true, false) => " F",
        (true, true) => " U",
    };
    let text = if update.text.is_empty() { "" } else { " " };
    format!("{}{text}{}{kind}", update.number, update.text)
}
