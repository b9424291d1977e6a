//! Inputs and outputs of a harness, in words.

use crate::protocol::failure::{Cause, Retry};
use crate::session::error::{ConnectionError, SessionError};
use crate::session::event::Event;
use crate::session::tests::{self, described, utterance};

/// An error of the session, of the network with its class, or of a write.
#[derive(Debug)]
pub(super) enum TestError {
    Session(SessionError),
    Network(String),
    NotWritten,
}

impl From<SessionError> for TestError {
    fn from(error: SessionError) -> Self {
        TestError::Session(error)
    }
}

impl ConnectionError for TestError {
    fn retry(&self) -> Retry {
        match self {
            TestError::Session(error) => error.retry(),
            TestError::NotWritten => Retry::Soon,
            TestError::Network(class) => match &**class {
                "soon" | "stale" => Retry::Soon,
                "later" => Retry::Later,
                "limited" => Retry::Limited,
                "never" => Retry::Never,
                _ => panic!("no class: {class}"),
            },
        }
    }

    fn cause(&self) -> Option<Cause> {
        match self {
            TestError::Session(SessionError::Failure(failure)) => Some(failure.cause),
            _ => None,
        }
    }

    fn is_stale_connection(&self) -> bool {
        matches!(self, TestError::Network(class) if class == "stale")
    }
}

fn brief(error: &TestError) -> String {
    let error = match error {
        TestError::Session(error) => error,
        TestError::Network(_) => return "network".into(),
        TestError::NotWritten => return "not written".into(),
    };
    match error {
        SessionError::Failure(failure) => format!("error {}", failure.code.unwrap_or_default()),
        SessionError::Closed { code, .. } => format!("closed {code}"),
        SessionError::Stalled(after) => format!("stalled {}", after.as_millis()),
        SessionError::ResponseTimeout(after) => format!("no answer {}", after.as_millis()),
        SessionError::FinalResponseTimeout(after) => format!("no final {}", after.as_millis()),
        SessionError::Protocol(_) => "protocol".into(),
    }
}

pub(super) fn describe(event: &Event<TestError>) -> String {
    let after = std::time::Duration::as_millis;
    match event {
        Event::NetworkReady => "Ready".into(),
        Event::Ids { .. } | Event::Response { .. } => "?".into(),
        Event::Transcript { update, .. } => described(update),
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
            format!("{kind} {attempt} +{backoff} from {from}: {}", brief(error))
        }
        Event::FinishTimedOut { waited, error } => {
            let error = error.as_ref().map_or("nothing".into(), brief);
            format!("unconfirmed after {}: {error}", after(waited))
        }
        Event::SampleRateMismatch { .. } => "rate mismatch".into(),
        Event::NotUnderstood { responses } => format!("unreadable {responses}"),
        Event::Failed { lost, error } => {
            let lost = if *lost { " lost" } else { "" };
            format!("failed{lost}: {}", brief(error))
        }
        Event::BoundaryDone { token } => format!("done {token}"),
    }
}

/// Returns a response: a duration, or `-` without one, and utterances of one word each.
pub(super) fn response(text: &str, last: bool) -> Vec<u8> {
    let mut parts = text.split_whitespace();
    let duration = parts.next().filter(|duration| *duration != "-");
    let duration = duration.map(|duration| duration.parse().expect("a duration"));
    let list: Vec<_> = parts.map(utterance).collect();
    let result = match list.is_empty() {
        true => serde_json::json!({}),
        false => tests::result(&list),
    };
    let json = tests::response(duration, &result);
    frame(0x90 | if last { 2 } else { 0 }, &[], json.as_bytes())
}

pub(super) fn error_frame(text: &str) -> Vec<u8> {
    let (code, body) = text.split_once(' ').unwrap_or((text, "said"));
    let code: u32 = code.parse().expect("a code");
    frame(0xf0, &code.to_be_bytes(), body.as_bytes())
}

fn frame(kind: u8, code: &[u8], payload: &[u8]) -> Vec<u8> {
    let size = (payload.len() as u32).to_be_bytes();
    [&[0x11, kind, 0x10, 0], code, &size, payload].concat()
}
