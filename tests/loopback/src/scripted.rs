//! Answers from a script, by audio position: anything that a test wants to send, unaltered.
//!
//! As a file, a JSON object with the list `steps`. Each step has one `at` and one thing to send:
//!
//! ```json
//! {"steps": [
//!   {"at": "ack",    "json": {"result": {"additions": {"log_id": "scripted"}}}},
//!   {"at": 600,      "json": {"audio_info": {"duration": 600}, "result": {"text": "he"}}},
//!   {"at": 5000,     "error": 55000031, "body": "busy", "connection": 1},
//!   {"at": 6000,     "close": 1011, "connection": 2},
//!   {"at": "finish", "last": {"result": {"text": "he"}}}
//! ]}
//! ```
//!
//! - `at`: milliseconds of audio that must have come; `"ack"`: after the request, the first such
//!   answer instead of the ack; `"finish"`: after the finish. With steps at the finish of which
//!   none is `last`, `error` or `close`, no final response comes; without any, an empty one does.
//! - `json`: a response with these very characters (numbered as the service numbers); `last`: the
//!   same as the final one. Other messages are faults: `bytes:HEX`, `text:TEXT`.
//! - `connection`: only on the connection with this number, counted from 1.

use serde::Deserialize;
use serde_json::value::RawValue;
use std::{collections::VecDeque, time::Duration};

/// A script: steps in the order in which they come.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// The steps; of those for the same moment, the first comes first.
    pub steps: Vec<Step>,
}

/// One step of a [`Script`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: At,
    /// The message.
    pub send: Send,
    /// On this connection only, counted from 1.
    pub connection: Option<usize>,
}

/// The moment of a [`Step`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum At {
    /// After the request.
    Ack,
    /// When this much audio has come.
    Audio(Duration),
    /// After the finish.
    Finish,
}

/// The message of a [`Step`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Send {
    /// A response with this payload.
    Json(String),
    /// The final response, with this payload.
    Last(String),
    /// A binary message.
    Frame(Vec<u8>),
    /// A text message.
    Text(String),
    /// An error frame.
    Error(u32, String),
    /// A close frame.
    Close(u16),
}

impl Script {
    /// A script of responses at positions in milliseconds, and a final one.
    pub fn responses<'a>(responses: impl IntoIterator<Item = (u64, &'a str)>, last: &str) -> Self {
        let responses = responses.into_iter();
        let script = responses.fold(Self::default(), |script, (ms, json)| {
            let at = At::Audio(Duration::from_millis(ms));
            script.step(at, Send::Json(json.to_owned()))
        });
        script.step(At::Finish, Send::Last(last.to_owned()))
    }

    /// Adds a step for every connection.
    pub fn step(mut self, at: At, send: Send) -> Self {
        self.steps.push(Step {
            at,
            send,
            connection: None,
        });
        self
    }

    /// Reads the file format of this module.
    ///
    /// # Errors
    /// A text that says what is wrong and where.
    pub fn from_json(json: &str) -> Result<Self, String> {
        let file: File = serde_json::from_str(json).map_err(|e| e.to_string())?;
        let steps = file.steps.into_iter().enumerate();
        let steps = steps.map(|(n, step)| step.read().map_err(|e| format!("step {n}: {e}")));
        let steps = steps.collect::<Result<_, _>>()?;
        Ok(Self { steps })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    steps: Vec<FileStep>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileStep {
    at: serde_json::Value,
    connection: Option<usize>,
    json: Option<Box<RawValue>>,
    last: Option<Box<RawValue>>,
    error: Option<u32>,
    body: Option<String>,
    close: Option<u16>,
}

impl FileStep {
    fn read(self) -> Result<Step, String> {
        let at = match &self.at {
            serde_json::Value::String(s) if s == "ack" => At::Ack,
            serde_json::Value::String(s) if s == "finish" => At::Finish,
            other => match other.as_u64() {
                Some(ms) => At::Audio(Duration::from_millis(ms)),
                None => return Err(format!("`at` is {other}, not ms, \"ack\" or \"finish\"")),
            },
        };
        let mut sends = Vec::new();
        sends.extend(self.json.map(|json| Send::Json(json.get().to_owned())));
        sends.extend(self.last.map(|json| Send::Last(json.get().to_owned())));
        let body = self.body.unwrap_or_default();
        sends.extend(self.error.map(|code| Send::Error(code, body)));
        sends.extend(self.close.map(Send::Close));
        match <[Send; 1]>::try_from(sends) {
            Ok([send]) => Ok(Step {
                at,
                send,
                connection: self.connection,
            }),
            Err(sends) => Err(format!("it sends {} things, not one", sends.len())),
        }
    }
}

/// A script that is being played on one connection.
#[derive(Debug)]
pub(crate) struct Player {
    steps: VecDeque<Step>,
    has_finish: bool,
}

impl Player {
    pub(crate) fn new(script: &Script, connection: usize) -> Self {
        let steps = script.steps.iter().cloned();
        let mut steps: Vec<Step> = steps
            .filter(|step| step.connection.is_none_or(|n| n == connection))
            .collect();
        // Stable: steps for the same moment keep their order.
        steps.sort_by_key(|step| step.at);
        Self {
            has_finish: steps.iter().any(|step| step.at == At::Finish),
            steps: steps.into(),
        }
    }

    /// Returns the steps that replace the ack.
    pub(crate) fn ack(&mut self) -> Vec<Send> {
        self.until(At::Ack)
    }

    /// Returns the steps that are due after `received` milliseconds of audio.
    pub(crate) fn audio(&mut self, received: i64) -> Vec<Send> {
        self.until(At::Audio(Duration::from_millis(received.cast_unsigned())))
    }

    /// Returns the steps of the finish, or none if the script has no step for it.
    pub(crate) fn finish(&mut self) -> Option<Vec<Send>> {
        // Positions that the audio never reached are passed over.
        self.until(At::Audio(Duration::MAX));
        self.has_finish.then(|| self.until(At::Finish))
    }

    fn until(&mut self, at: At) -> Vec<Send> {
        let due = self.steps.partition_point(|step| step.at <= at);
        self.steps.drain(..due).map(|step| step.send).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_format_keeps_json_as_it_is() {
        let json = r#"{"steps":[{"at":600,"json":{"b" : 1.50, "a":[]}},{"at":"finish","last":{}},
            {"at":"ack","close":1011},{"at":7,"error":5,"body":"x","connection":2}]}"#;
        let script = Script::from_json(json).unwrap();
        let ms = |ms| At::Audio(Duration::from_millis(ms));
        let mut expected = Script::default()
            .step(ms(600), Send::Json(r#"{"b" : 1.50, "a":[]}"#.into()))
            .step(At::Finish, Send::Last("{}".into()))
            .step(At::Ack, Send::Close(1011))
            .step(ms(7), Send::Error(5, "x".into()));
        expected.steps[3].connection = Some(2);
        assert_eq!(script.steps, expected.steps);
    }

    #[test]
    fn mistakes_are_explained() {
        for (json, part) in [
            (r#"{"steps":[{"at":"soon","close":1}]}"#, "step 0: `at`"),
            (r#"{"steps":[{"at":1}]}"#, "sends 0"),
            (r#"{"steps":[{"at":1,"json":{},"close":1}]}"#, "sends 2"),
            (r#"{"steps":[{"at":1,"jsn":{}}]}"#, "unknown field"),
        ] {
            let error = Script::from_json(json).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn steps_come_at_their_moment_on_their_connection() {
        let mut script = Script::responses([(500, "late"), (100, "early")], "end")
            .step(At::Audio(Duration::from_millis(200)), Send::Close(1011));
        script.steps[3].connection = Some(2);
        let mut player = Player::new(&script, 1);
        assert_eq!(player.ack(), []);
        assert_eq!(player.audio(400), [Send::Json("early".into())]);
        assert_eq!(player.finish(), Some(vec![Send::Last("end".into())]));
        assert_eq!(Player::new(&script, 2).audio(400).len(), 2);
    }
}
