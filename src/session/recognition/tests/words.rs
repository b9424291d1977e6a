//! Inputs and outputs of a harness, in words.

use crate::protocol::failure::{Cause, Retry};
use crate::session::error::{ConnectionError, SessionError};
use crate::session::event::Event;

/// Any error: one of the network has a class and may be that of a stale connection.
#[derive(Debug, Clone)]
pub(super) enum TestError {
    Session(SessionError),
    Network(Retry),
    Stale,
}

impl From<SessionError> for TestError {
    fn from(error: SessionError) -> Self {
        TestError::Session(error)
    }
}

impl ConnectionError for TestError {
    fn retry(&self) -> Retry {
        match self {
            TestError::Session(SessionError::Failure(failure)) => failure.retry(),
            TestError::Session(SessionError::Protocol(_)) => Retry::Never,
            TestError::Session(_) | TestError::Stale => Retry::Soon,
            TestError::Network(retry) => *retry,
        }
    }

    fn cause(&self) -> Option<Cause> {
        match self {
            TestError::Session(SessionError::Failure(failure)) => Some(failure.cause),
            _ => None,
        }
    }

    fn is_stale_connection(&self) -> bool {
        matches!(self, TestError::Stale)
    }
}

impl TestError {
    pub fn brief(&self) -> String {
        match self {
            TestError::Session(error) => match error {
                SessionError::Failure(failure) => {
                    format!("error {}", failure.code.unwrap_or_default())
                }
                SessionError::Closed { code, .. } => format!("closed {code}"),
                SessionError::Stalled(after) => format!("stalled {}", after.as_millis()),
                SessionError::ResponseTimeout(after) => {
                    format!("no answer {}", after.as_millis())
                }
                SessionError::FinalResponseTimeout(after) => {
                    format!("no final {}", after.as_millis())
                }
                SessionError::Protocol(_) => "protocol".into(),
            },
            TestError::Network(_) | TestError::Stale => "network".into(),
        }
    }
}

pub(super) fn describe(event: &Event<TestError>) -> String {
    let after = std::time::Duration::as_millis;
    match event {
        Event::NetworkReady => "Ready".into(),
        Event::Ids { .. } | Event::Response { .. } => "?".into(),
        Event::Transcript { update, .. } => {
            let kind = match (update.is_final, update.unconfirmed) {
                (false, _) => "",
                (true, false) => " F",
                (true, true) => " U",
            };
            format!("{} {}{kind}", update.number, update.text)
        }
        Event::Quiet { until, .. } => format!("quiet {}", after(until)),
        Event::Settled { until, .. } => format!("settled {}", after(until)),
        Event::Reconnecting {
            lost,
            error,
            attempt,
            backoff,
            from,
            ..
        } => {
            let kind = if *lost { "lost" } else { "retry" };
            let (backoff, from) = (after(backoff), after(from));
            format!("{kind} {attempt} +{backoff} from {from}: {}", error.brief())
        }
        Event::FinishTimedOut { waited, error } => {
            let error = error.as_ref().map_or("nothing".into(), TestError::brief);
            format!("unconfirmed after {}: {error}", after(waited))
        }
        Event::SampleRateMismatch { .. } => "rate mismatch".into(),
        Event::NotUnderstood { responses } => format!("unreadable {responses}"),
        Event::Failed { lost, error } => {
            let lost = if *lost { " lost" } else { "" };
            format!("failed{lost}: {}", error.brief())
        }
        Event::BoundaryDone { token } => format!("done {token}"),
    }
}

pub(super) fn network(class: &str) -> TestError {
    TestError::Network(match class {
        "soon" => Retry::Soon,
        "later" => Retry::Later,
        "limited" => Retry::Limited,
        "never" => Retry::Never,
        "stale" => return TestError::Stale,
        _ => panic!("no class: {class}"),
    })
}

/// Returns a response: a duration, and utterances as `text@start-end`, with `!` behind if definite
/// and `~` behind if its word has no times. `-` stands for a duration that is left out.
pub(super) fn response(text: &str, last: bool) -> Vec<u8> {
    let mut parts = text.split_whitespace();
    let duration = parts.next().filter(|duration| *duration != "-");
    let utterances: Vec<String> = parts.map(utterance).collect();
    let duration = duration.map_or(String::new(), |duration| {
        format!(r#""audio_info":{{"duration":{duration}}},"#)
    });
    let list = match utterances.is_empty() {
        true => String::new(),
        false => format!(r#""utterances":[{}]"#, utterances.join(",")),
    };
    let json = format!(r#"{{{duration}"result":{{{list}}}}}"#);
    frame(0x90 | if last { 2 } else { 0 }, json.as_bytes())
}

fn utterance(part: &str) -> String {
    let (text, times) = part.split_once('@').expect("text@start-end");
    let (definite, untimed) = (times.contains('!'), times.contains('~'));
    let times = times.trim_end_matches(['!', '~']);
    let (start, end) = times.split_once('-').expect("start-end");
    let words = match untimed {
        true => String::new(),
        false => {
            format!(r#","words":[{{"text":"{text}","start_time":{start},"end_time":{end}}}]"#)
        }
    };
    format!(
        r#"{{"text":"{text}","start_time":{start},"end_time":{end},"definite":{definite}{words}}}"#
    )
}

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x11, kind, 0x10, 0];
    frame.extend((payload.len() as u32).to_be_bytes());
    frame.extend(payload);
    frame
}

pub(super) fn error_frame(text: &str) -> Vec<u8> {
    let (code, body) = text.split_once(' ').unwrap_or((text, "said"));
    let code: u32 = code.parse().expect("a code");
    let mut frame = vec![0x11, 0xf0, 0x10, 0];
    frame.extend(code.to_be_bytes());
    frame.extend((body.len() as u32).to_be_bytes());
    frame.extend(body.as_bytes());
    frame
}
