//! Answers from a script, by audio position: anything that a test wants to send, unaltered.
//!
//! As a file, a JSON object with the list `steps`. Each step has one `at` and one thing to send:
//!
//! ```json
//! {"steps": [
//!   {"at": "ack",    "json": {"result": {"additions": {"log_id": "scripted"}}}},
//!   {"at": 600,      "json": {"audio_info": {"duration": 600}, "result": {"text": "he"}}},
//!   {"at": 900,      "raw": "{\"result\": this is no JSON"},
//!   {"at": 1000,     "frame": "1190100000000002 7b7d"},
//!   {"at": 1200,     "text": "a text message"},
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
//!   same as the final one; `raw`, `raw_last`: the same from a string, which need not be JSON;
//!   `frame`: a binary message in hexadecimal, spaces ignored.
//! - `connection`: only on the connection with this number, counted from 1.

use crate::fault::hex;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::time::Duration;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// After the request.
    Ack,
    /// When so much audio has come.
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
    #[must_use]
    pub fn responses<'a>(responses: impl IntoIterator<Item = (u64, &'a str)>, last: &str) -> Self {
        let mut script = Self::default();
        for (ms, json) in responses {
            script = script.step(
                At::Audio(Duration::from_millis(ms)),
                Send::Json(json.to_owned()),
            );
        }
        script.step(At::Finish, Send::Last(last.to_owned()))
    }

    /// Adds a step for every connection.
    #[must_use]
    pub fn step(mut self, at: At, send: Send) -> Self {
        self.steps.push(Step {
            at,
            send,
            connection: None,
        });
        self
    }

    /// Adds a step for one connection.
    #[must_use]
    pub fn step_on(mut self, connection: usize, at: At, send: Send) -> Self {
        self.steps.push(Step {
            at,
            send,
            connection: Some(connection),
        });
        self
    }

    /// Reads the file format of this module.
    ///
    /// # Errors
    /// A text that says what is wrong and where.
    pub fn from_json(json: &str) -> Result<Self, String> {
        let file: File = serde_json::from_str(json).map_err(|e| e.to_string())?;
        let steps = file
            .steps
            .into_iter()
            .enumerate()
            .map(|(n, step)| step.read().map_err(|e| format!("step {n}: {e}")));
        Ok(Self {
            steps: steps.collect::<Result<_, _>>()?,
        })
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
    raw: Option<String>,
    raw_last: Option<String>,
    frame: Option<String>,
    text: Option<String>,
    error: Option<u32>,
    body: Option<String>,
    close: Option<u16>,
}

impl FileStep {
    fn read(self) -> Result<Step, String> {
        let at = match &self.at {
            serde_json::Value::String(s) if s == "ack" => At::Ack,
            serde_json::Value::String(s) if s == "finish" => At::Finish,
            other => At::Audio(Duration::from_millis(other.as_u64().ok_or_else(|| {
                format!("`at` is {other}, not milliseconds, \"ack\" or \"finish\"")
            })?)),
        };
        let mut sends = Vec::new();
        sends.extend(self.json.map(|json| Send::Json(json.get().to_owned())));
        sends.extend(self.last.map(|json| Send::Last(json.get().to_owned())));
        sends.extend(self.raw.map(Send::Json));
        sends.extend(self.raw_last.map(Send::Last));
        if let Some(frame) = self.frame {
            sends.push(Send::Frame(
                hex(&frame.replace(' ', "")).ok_or("`frame` is not hexadecimal")?,
            ));
        }
        sends.extend(self.text.map(Send::Text));
        sends.extend(
            self.error
                .map(|code| Send::Error(code, self.body.unwrap_or_default())),
        );
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
    steps: std::collections::VecDeque<Step>,
    has_finish: bool,
}

impl Player {
    pub(crate) fn new(script: &Script, connection: usize) -> Self {
        let mut steps: Vec<Step> = script
            .steps
            .iter()
            .filter(|s| s.connection.is_none_or(|n| n == connection))
            .cloned()
            .collect();
        // Stable: what is for the same moment keeps its order.
        steps.sort_by_key(|step| match step.at {
            At::Ack => (0, Duration::ZERO),
            At::Audio(at) => (1, at),
            At::Finish => (2, Duration::ZERO),
        });
        let has_finish = steps.iter().any(|s| s.at == At::Finish);
        Self {
            steps: steps.into(),
            has_finish,
        }
    }

    /// Returns the steps that replace the ack.
    pub(crate) fn ack(&mut self) -> Vec<Send> {
        self.take(|at| at == At::Ack)
    }

    /// Returns the steps that are due when `received` of audio has come.
    pub(crate) fn audio(&mut self, received: Duration) -> Vec<Send> {
        self.take(|at| matches!(at, At::Audio(at) if at <= received))
    }

    /// Returns the steps of the finish, or none if the script has no step for it.
    pub(crate) fn finish(&mut self) -> Option<Vec<Send>> {
        // Positions that the audio never reached are passed over.
        self.take(|at| at != At::Finish).clear();
        self.has_finish.then(|| self.take(|_| true))
    }

    fn take(&mut self, due: impl Fn(At) -> bool) -> Vec<Send> {
        let count = self.steps.iter().take_while(|s| due(s.at)).count();
        self.steps.drain(..count).map(|s| s.send).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_format_keeps_json_as_it_is() {
        let script = Script::from_json(
            r#"{"steps":[{"at":600,"json":{"b" : 1.50, "a":[]}},{"at":"finish","raw_last":"{"},
                {"at":"ack","frame":"11 90"},{"at":7,"error":5,"body":"x","connection":2}]}"#,
        )
        .unwrap();
        let ms = |ms| At::Audio(Duration::from_millis(ms));
        let expected = Script::default()
            .step(ms(600), Send::Json(r#"{"b" : 1.50, "a":[]}"#.into()))
            .step(At::Finish, Send::Last("{".into()))
            .step(At::Ack, Send::Frame(vec![0x11, 0x90]))
            .step_on(2, ms(7), Send::Error(5, "x".into()));
        assert_eq!(script.steps, expected.steps);
    }

    #[test]
    fn mistakes_are_explained() {
        for (json, part) in [
            (r#"{"steps":[{"at":"soon","raw":""}]}"#, "step 0: `at`"),
            (r#"{"steps":[{"at":1}]}"#, "sends 0"),
            (r#"{"steps":[{"at":1,"raw":"","text":""}]}"#, "sends 2"),
            (r#"{"steps":[{"at":1,"frame":"xy"}]}"#, "hexadecimal"),
            (r#"{"steps":[{"at":1,"jsn":{}}]}"#, "unknown field"),
        ] {
            let error = Script::from_json(json).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn steps_come_at_their_moment_on_their_connection() {
        let script = Script::responses([(500, "late"), (100, "early")], "end").step_on(
            2,
            At::Audio(Duration::from_millis(200)),
            Send::Close(1011),
        );
        let mut player = Player::new(&script, 1);
        assert_eq!(player.ack(), []);
        assert_eq!(
            player.audio(Duration::from_millis(400)),
            [Send::Json("early".into())]
        );
        assert_eq!(player.finish(), Some(vec![Send::Last("end".into())]));
        assert_eq!(
            Player::new(&script, 2)
                .audio(Duration::from_millis(400))
                .len(),
            2
        );
    }
}
