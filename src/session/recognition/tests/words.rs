//! Inputs and outputs of a harness, in words.

use crate::protocol::failure::{Cause, Retry};
use crate::session::error::{ConnectionError, SessionError};
use crate::session::event::Event;
use crate::session::tests::{described, utterance};

/// Any error, in words.
#[derive(Debug, Clone)]
pub(super) struct TestError {
    brief: String,
    retry: Retry,
    cause: Option<Cause>,
    is_stale: bool,
}

impl From<SessionError> for TestError {
    fn from(error: SessionError) -> Self {
        let cause = match &error {
            SessionError::Failure(failure) => Some(failure.cause),
            _ => None,
        };
        TestError {
            brief: brief(&error),
            retry: error.retry(),
            cause,
            is_stale: false,
        }
    }
}

impl ConnectionError for TestError {
    fn retry(&self) -> Retry {
        self.retry
    }

    fn cause(&self) -> Option<Cause> {
        self.cause
    }

    fn is_stale_connection(&self) -> bool {
        self.is_stale
    }
}

fn brief(error: &SessionError) -> String {
    match error {
        SessionError::Failure(failure) => format!("error {}", failure.code.unwrap_or_default()),
        SessionError::Closed { code, .. } => format!("closed {code}"),
        SessionError::Stalled(after) => format!("stalled {}", after.as_millis()),
        SessionError::ResponseTimeout(after) => format!("no answer {}", after.as_millis()),
        SessionError::FinalResponseTimeout(after) => format!("no final {}", after.as_millis()),
        SessionError::Protocol(_) => "protocol".into(),
    }
}

/// An error of the network, of a class.
pub(super) fn network(class: &str) -> TestError {
    TestError {
        brief: "network".into(),
        retry: match class {
            "soon" | "stale" => Retry::Soon,
            "later" => Retry::Later,
            "limited" => Retry::Limited,
            "never" => Retry::Never,
            _ => panic!("no class: {class}"),
        },
        cause: None,
        is_stale: class == "stale",
    }
}

/// An error of a write.
pub(super) fn not_written() -> TestError {
    TestError {
        brief: "not written".into(),
        ..network("soon")
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
            format!("{kind} {attempt} +{backoff} from {from}: {}", error.brief)
        }
        Event::FinishTimedOut { waited, error } => {
            let error = error.as_ref().map_or("nothing", |error| &error.brief);
            format!("unconfirmed after {}: {error}", after(waited))
        }
        Event::SampleRateMismatch { .. } => "rate mismatch".into(),
        Event::NotUnderstood { responses } => format!("unreadable {responses}"),
        Event::Failed { lost, error } => {
            let lost = if *lost { " lost" } else { "" };
            format!("failed{lost}: {}", error.brief)
        }
        Event::BoundaryDone { token } => format!("done {token}"),
    }
}

/// Returns a response: a duration, or `-` without one, and utterances of one word each.
pub(super) fn response(text: &str, last: bool) -> Vec<u8> {
    let mut parts = text.split_whitespace();
    let duration = parts.next().filter(|duration| *duration != "-");
    let duration = duration.map_or(String::new(), |duration| {
        format!(r#""audio_info":{{"duration":{duration}}},"#)
    });
    let utterances: Vec<String> = parts.map(|part| utterance(part).json()).collect();
    let list = match utterances.is_empty() {
        true => String::new(),
        false => format!(r#""utterances":[{}]"#, utterances.join(",")),
    };
    let json = format!(r#"{{{duration}"result":{{{list}}}}}"#);
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
