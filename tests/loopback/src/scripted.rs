//! Answers from a script, by audio position: anything that a test wants to send, unaltered.
//!
//! As a file, a JSON object with the list `steps`. Each step has one `at` and one thing to send:
//!
//! ```json
//! {"steps": [
//!   {"at": 600,      "json": {"audio_info": {"duration": 600}, "result": {"text": "he"}}},
//!   {"at": 5000,     "error": 55000031, "body": "busy", "connection": 1},
//!   {"at": "finish", "last": {"result": {"text": "he"}}}
//! ]}
//! ```
//!
//! - `at`: milliseconds of audio that must have come; `"ack"`: after the request, the first such
//!   answer instead of the ack; `"finish"`: after the finish. With steps at the finish of which
//!   none is `last`, `error` or `close`, no final response comes; without any, an empty one does.
//! - `json`: a response with these very characters (numbered as the service numbers); `last`: the
//!   same as the final one; `error` with `body`: an error frame; `close`: a close frame with this
//!   code. Other messages are faults: `bytes:HEX`, `text:TEXT`.
//! - `connection`: only on the connection with this number, counted from 1.

use serde::Deserialize;
use serde_json::value::RawValue;
use std::{collections::VecDeque, time::Duration};

/// A script: steps in the order in which they come.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// The steps; of those for the same moment, the first comes first.
    pub steps: Vec<Step>,
}

/// One step of a [`Script`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "FileStep")]
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
    /// Reads a file.
    pub(crate) fn read(
        path: &str,
    ) -> Result<Self, Box<dyn std::error::Error + std::marker::Send + Sync>> {
        Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?)
    }

    /// A script of responses at positions in milliseconds, and a final one.
    pub fn responses<'a>(responses: impl IntoIterator<Item = (u64, &'a str)>, last: &str) -> Self {
        let mut script = Self::default();
        for (ms, json) in responses {
            let at = At::Audio(Duration::from_millis(ms));
            script = script.step(at, Send::Json(json.to_owned()));
        }
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
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileStep {
    at: serde_json::Value,
    connection: Option<usize>,
    json: Option<Box<RawValue>>,
    last: Option<Box<RawValue>>,
    error: Option<u32>,
    #[serde(default)]
    body: String,
    close: Option<u16>,
}

impl TryFrom<FileStep> for Step {
    type Error = String;

    fn try_from(step: FileStep) -> Result<Self, String> {
        let text = |json: Box<RawValue>| json.get().to_owned();
        let send = match (step.json, step.last, step.error, step.close) {
            (Some(json), None, None, None) => Send::Json(text(json)),
            (None, Some(json), None, None) => Send::Last(text(json)),
            (None, None, Some(code), None) => Send::Error(code, step.body),
            (None, None, None, Some(code)) => Send::Close(code),
            _ => return Err("a step sends one thing: json, last, error or close".to_owned()),
        };
        let at = match (step.at.as_str(), step.at.as_u64()) {
            (Some("ack"), _) => At::Ack,
            (Some("finish"), _) => At::Finish,
            (_, Some(ms)) => At::Audio(Duration::from_millis(ms)),
            _ => {
                return Err(format!(
                    "`at` is {}, not ms, \"ack\" or \"finish\"",
                    step.at
                ));
            }
        };
        let connection = step.connection;
        Ok(Self {
            at,
            send,
            connection,
        })
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
        let here = |step: &Step| step.connection.is_none_or(|n| n == connection);
        let mut steps: Vec<Step> = steps.filter(here).collect();
        // Stable: steps for the same moment keep their order.
        steps.sort_by_key(|step| step.at);
        Self {
            has_finish: steps.iter().any(|step| step.at == At::Finish),
            steps: steps.into(),
        }
    }

    /// Returns the steps that are due. At the ack they replace it.
    pub(crate) fn until(&mut self, at: At) -> Vec<Send> {
        let due = self.steps.partition_point(|step| step.at <= at);
        self.steps.drain(..due).map(|step| step.send).collect()
    }

    /// Returns the steps of the finish, or none if the script has no step for it.
    pub(crate) fn finish(&mut self) -> Option<Vec<Send>> {
        // Positions that the audio never reached are passed over.
        self.until(At::Audio(Duration::MAX));
        self.has_finish.then(|| self.until(At::Finish))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_played_as_it_stands_on_its_connections() {
        let json = r#"{"steps":[{"at":600,"json":{"b" : 1.50, "a":[]}},{"at":"finish","last":{}},
            {"at":"ack","close":1011},{"at":7,"error":5,"body":"x","connection":2}]}"#;
        let script: Script = serde_json::from_str(json).unwrap();
        let at = |ms| At::Audio(Duration::from_millis(ms));
        let json = Send::Json(r#"{"b" : 1.50, "a":[]}"#.into());
        for (connection, early) in [(1, None), (2, Some(Send::Error(5, "x".into())))] {
            let mut player = Player::new(&script, connection);
            assert_eq!(player.until(At::Ack), [Send::Close(1011)]);
            assert_eq!(player.until(at(599)), Vec::from_iter(early));
            assert_eq!(player.until(at(600)), std::slice::from_ref(&json));
            assert_eq!(player.finish(), Some(vec![Send::Last("{}".into())]));
        }
        let mut unheard = Player::new(&Script::responses([(500, "late")], "end"), 1);
        assert_eq!(unheard.finish(), Some(vec![Send::Last("end".into())]));
    }

    #[test]
    fn mistakes_are_explained() {
        for (json, part) in [
            (r#"{"steps":[{"at":"soon","close":1}]}"#, "`at` is \"soon\""),
            (r#"{"steps":[{"at":1}]}"#, "one thing"),
            (r#"{"steps":[{"at":1,"json":{},"close":1}]}"#, "one thing"),
            (r#"{"steps":[{"at":1,"jsn":{}}]}"#, "unknown field"),
        ] {
            let error = serde_json::from_str::<Script>(json)
                .unwrap_err()
                .to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
