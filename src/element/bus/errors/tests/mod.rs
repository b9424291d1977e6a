//! Causes, and what the user is told about them.

mod documented;
mod redaction;

use std::io;
use std::time::Duration;

use gst::{ResourceError, StreamError};

use super::*;

/// The context of a run with these credentials.
fn context(credentials: Credentials, rate: u32) -> ErrorContext {
    gst::init().expect("GStreamer");
    ErrorContext {
        secrets: Secrets::new(&credentials, None),
        credentials,
        resource_id: "volc.seedasr.sauc.duration".into(),
        rate,
    }
}

fn pair() -> ErrorContext {
    let credentials = Credentials::Pair {
        app_key: "app-12345".into(),
        access_key: "hunter2hunter2".into(),
    };
    context(credentials, 24_000)
}

fn key() -> ErrorContext {
    context(Credentials::Key("hunter2hunter2".into()), 24_000)
}

fn report(error: &ClientError, lost: bool, context: &ErrorContext) -> Report {
    let ids = Ids {
        connect: Some("a-connect-id".into()),
        log: Some("a-log-id".into()),
    };
    super::report(error, lost, context, &ids)
}

fn code(code: u32, message: &str) -> ClientError {
    let body = format!(r#"{{"error":"{message}"}}"#);
    ClientError::Failure(Box::new(Failure::from_error_frame(code, body.as_bytes())))
}

fn http(status: u16, message: &str) -> ClientError {
    let body = format!(r#"{{"error":"{message}"}}"#);
    ClientError::Handshake(HandshakeError::Refused(Failure::from_http(
        status,
        body.as_bytes(),
    )))
}

/// A refusal without a body.
fn silent(status: Option<u16>) -> ClientError {
    ClientError::Failure(Box::new(match status {
        Some(status) => Failure::from_http(status, b""),
        None => Failure::from_error_frame(45_000_001, b""),
    }))
}

/// An error, and a part of its remedy.
enum Is {
    Resource(ResourceError),
    Stream(StreamError),
}

use Is::*;

/// An error, whether a session was lost, the error's domain, and a part of the way out.
type Case = (ClientError, bool, Is, &'static str);

fn refusals() -> Vec<Case> {
    vec![
        (
            http(400, "resourceId x is not allowed"),
            false,
            Resource(ResourceError::Settings),
            "resource-id",
        ),
        (
            http(401, "Invalid X-Api-Key"),
            false,
            Resource(ResourceError::NotAuthorized),
            "access-key",
        ),
        (
            http(403, "not granted"),
            false,
            Resource(ResourceError::NotAuthorized),
            "console",
        ),
        (
            http(404, "no such path"),
            false,
            Resource(ResourceError::OpenWrite),
            "uri",
        ),
        (
            http(402, "pay"),
            false,
            Resource(ResourceError::NotAuthorized),
            "overdue",
        ),
        (
            http(403, "AccountOverdue"),
            false,
            Resource(ResourceError::NotAuthorized),
            "Pay what is due",
        ),
        (
            http(403, "quota exceeded for types: x_lifetime"),
            false,
            Resource(ResourceError::Busy),
            "spent",
        ),
        (
            http(407, "who are you"),
            false,
            Resource(ResourceError::NotAuthorized),
            "proxy-pw",
        ),
        (
            http(429, "slow down"),
            false,
            Resource(ResourceError::Busy),
            "later",
        ),
        (
            http(503, "down"),
            false,
            Resource(ResourceError::OpenWrite),
            "later",
        ),
    ]
}

fn error_frames() -> Vec<Case> {
    vec![
        (
            code(45_000_001, "missing field"),
            false,
            Resource(ResourceError::Settings),
            "extra-request",
        ),
        (
            code(45_000_010, "no"),
            false,
            Resource(ResourceError::NotAuthorized),
            "VOLCENGINE_ACCESS_KEY",
        ),
        (
            code(45_000_030, "no"),
            false,
            Resource(ResourceError::NotAuthorized),
            "resource-id",
        ),
        (
            code(45_000_151, "rate"),
            false,
            Stream(StreamError::Format),
            "rate=16000",
        ),
        (
            code(45_000_292, "quota exceeded for types: concurrency"),
            false,
            Resource(ResourceError::Busy),
            "sessions",
        ),
        (
            code(45_000_292, "quota exceeded for types: x_lifetime"),
            true,
            Resource(ResourceError::Busy),
            "spent",
        ),
        (
            code(55_000_031, "busy"),
            true,
            Resource(ResourceError::Busy),
            "later",
        ),
        (
            code(55_000_000, "field request.a into an integer"),
            false,
            Resource(ResourceError::Settings),
            "type",
        ),
        (
            code(55_000_000, "oops"),
            false,
            Resource(ResourceError::OpenWrite),
            "log id",
        ),
        (
            code(55_000_000, "oops"),
            true,
            Resource(ResourceError::Write),
            "log id",
        ),
    ]
}

fn troubles_of_the_network() -> Vec<Case> {
    let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
    let resolve = DialError::Resolve {
        host: "no.such.host".into(),
        source: io::Error::other("unknown"),
    };
    let connect = DialError::Connect {
        address: ([127, 0, 0, 1], 9).into(),
        source: refused(),
    };
    vec![
        (
            ClientError::Dial(resolve),
            false,
            Resource(ResourceError::OpenWrite),
            "name service",
        ),
        (
            ClientError::Dial(connect),
            false,
            Resource(ResourceError::OpenWrite),
            "firewall",
        ),
        (
            ClientError::Dial(DialError::TimedOut {
                host: "asr.example".into(),
                port: 443,
                after: Duration::from_secs(10),
            }),
            true,
            Resource(ResourceError::Write),
            "max-reconnects",
        ),
        (
            ClientError::ResponseTimeout(Duration::from_secs(10)),
            false,
            Resource(ResourceError::OpenWrite),
            "uri",
        ),
        (
            ClientError::Stalled(Duration::from_secs(10)),
            true,
            Resource(ResourceError::Write),
            "max-reconnects",
        ),
        (
            ClientError::Protocol("x".into()),
            true,
            Stream(StreamError::Decode),
            "v3/sauc",
        ),
        (
            ClientError::Handshake(HandshakeError::NotWebSocket("x".into())),
            false,
            Stream(StreamError::Decode),
            "v3/sauc",
        ),
        (
            ClientError::Input(InputError::Unmappable),
            true,
            Resource(ResourceError::Failed),
            "audioconvert",
        ),
        (
            ClientError::Internal,
            true,
            Resource(ResourceError::Failed),
            "internal",
        ),
    ]
}

#[test]
fn every_cause_has_its_domain_and_a_way_out() {
    let all = [refusals(), error_frames(), troubles_of_the_network()];
    for (error, lost, is, advice) in all.into_iter().flatten() {
        let report = report(&error, lost, &pair());
        let text = report.error.message();
        match is {
            Resource(expected) => assert!(
                report.error.matches(expected),
                "{error}: {:?}",
                report.error
            ),
            Stream(expected) => assert!(
                report.error.matches(expected),
                "{error}: {:?}",
                report.error
            ),
        }
        assert!(text.contains(advice), "{text}");
        let retryable = report.details.get::<bool>("retryable");
        assert_eq!(retryable, Ok(error.retry() != Retry::Never), "{error}");
    }
}

/// A refused format is no reason to advise the rate that was refused.
#[test]
fn the_advice_for_a_refused_format_depends_on_the_rate() {
    for (rate, says, silent) in [
        (24_000, "rate=16000", "S16LE"),
        (16_000, "S16LE, one channel, 16000 Hz", "rate="),
    ] {
        let context = context(Credentials::Key("hunter2hunter2".into()), rate);
        let report = report(&code(45_000_151, "no"), false, &context);
        let text = report.error.message();
        assert!(text.contains(says) && !text.contains(silent), "{text}");
    }
}

#[test]
fn the_service_s_own_words_are_in_it() {
    for (error, expected) in [
        (
            silent(None),
            "The service says 45000001: it does not accept",
        ),
        (silent(Some(429)), "with HTTP 429: it has no capacity"),
        (
            http(407, "who"),
            "A proxy refused the connection with HTTP 407 \"who\"",
        ),
        (
            code(45_000_001, "missing field: x."),
            "45000001 \"missing field: x\"",
        ),
        (http(403, "not granted"), "HTTP 403 \"not granted\""),
    ] {
        let text = report(&error, false, &pair()).error.message().to_owned();
        assert!(text.contains(expected), "{text}");
    }
}

/// The advice names the kind of credentials that was sent, and the other one.
#[test]
fn credentials_are_named_by_their_kind() {
    let text = |context| {
        report(&http(401, "no"), false, &context)
            .error
            .message()
            .to_owned()
    };
    let (pair, key) = (text(pair()), text(key()));
    assert!(
        pair.find("app-key and access-key") < pair.find("api-key"),
        "{pair}"
    );
    assert!(
        key.find("api-key") < key.find("app-key and access-key"),
        "{key}"
    );
}

#[test]
fn details_have_what_is_known() {
    let mut failure = Failure::from_error_frame(45_000_001, b"bad");
    failure.log_id = Some("its-log-id".into());
    failure.connect_id = Some("its-connect-id".into());
    let error = ClientError::Failure(Box::new(failure));
    let details = report(&error, false, &pair()).details;
    assert_eq!(details.name(), "volcasr-error");
    assert_eq!(details.get("code"), Ok(45_000_001u32));
    assert!(!details.has_field("http-status"));
    assert_eq!(details.get("message"), Ok("bad"));
    assert_eq!(details.get("log-id"), Ok("its-log-id"));
    assert_eq!(details.get("connect-id"), Ok("its-connect-id"));
    assert_eq!(details.get("retryable"), Ok(false));
    let details = report(&http(503, "down"), false, &pair()).details;
    assert_eq!(details.get("http-status"), Ok(503u32));
    assert!(!details.has_field("code"));
    assert_eq!(details.get("log-id"), Ok("a-log-id"), "the connection's");
    assert_eq!(details.get("connect-id"), Ok("a-connect-id"), "likewise");
    assert_eq!(details.get("retryable"), Ok(true));
}

#[test]
fn a_refused_resource_names_those_that_there_are() {
    let report = report(&http(400, "resourceId x is not allowed"), false, &pair());
    for id in RESOURCE_IDS {
        assert!(report.error.message().contains(id), "{}", report.error);
    }
}
