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

/// An error with all its parts.
struct Whole {
    error: gst::glib::Error,
    debug: String,
    details: gst::Structure,
}

fn report(error: &ClientError, lost: bool, context: &ErrorContext) -> Whole {
    let ids = Ids {
        connect: Some("a-connect-id".into()),
        log: Some("a-log-id".into()),
    };
    let report = super::report(error, lost, context, &ids);
    Whole {
        error: report.error,
        debug: report.debug.expect("what the text leaves out"),
        details: report.details.expect("the details of an error"),
    }
}

fn failed(failure: Failure) -> ClientError {
    SessionError::Failure(Box::new(failure)).into()
}

fn code(code: u32, message: &str) -> ClientError {
    let body = format!(r#"{{"error":"{message}"}}"#);
    failed(Failure::from_error_frame(code, body.as_bytes()))
}

fn http(status: u16, message: &str) -> ClientError {
    let body = format!(r#"{{"error":"{message}"}}"#);
    HandshakeError::Refused(Failure::from_http(status, body.as_bytes())).into()
}

/// A domain and code as docs/errors.md writes them.
fn name(error: &gst::glib::Error) -> &'static str {
    match (error.kind::<ResourceError>(), error.kind::<StreamError>()) {
        (Some(ResourceError::NotAuthorized), _) => "RESOURCE NOT_AUTHORIZED",
        (Some(ResourceError::Settings), _) => "RESOURCE SETTINGS",
        (Some(ResourceError::OpenWrite), _) => "RESOURCE OPEN_WRITE",
        (Some(ResourceError::Write), _) => "RESOURCE WRITE",
        (Some(ResourceError::Busy), _) => "RESOURCE BUSY",
        (Some(ResourceError::Failed), _) => "RESOURCE FAILED",
        (_, Some(StreamError::Failed)) => "STREAM FAILED",
        (_, Some(StreamError::Format)) => "STREAM FORMAT",
        (_, Some(StreamError::Decode)) => "STREAM DECODE",
        other => panic!("{other:?}"),
    }
}

/// Each error has this domain, and this part of a way out in its text.
fn assert_reported(domain: &str, lost: bool, cases: &[(ClientError, &str)]) {
    for (error, advice) in cases {
        let report = report(error, lost, &pair());
        let text = report.error.message();
        assert_eq!(name(&report.error), domain, "{error}");
        assert!(text.contains(advice), "{text}");
        let retryable = report.details.get::<bool>("retryable");
        assert_eq!(retryable, Ok(error.retry() != Retry::Never), "{error}");
    }
}

#[test]
fn every_refusal_has_its_domain_and_a_way_out() {
    let not_authorized = [
        (http(401, "Invalid X-Api-Key"), "access-key"),
        (http(403, "not granted"), "console"),
        (http(402, "pay"), "overdue"),
        (http(403, "AccountOverdue"), "Pay what is due"),
        (http(407, "who are you"), "proxy-pw"),
        (code(45_000_010, "no"), "VOLCENGINE_ACCESS_KEY"),
        (code(45_000_030, "no"), "resource-id"),
    ];
    assert_reported("RESOURCE NOT_AUTHORIZED", false, &not_authorized);
    let settings = [
        (http(400, "resourceId x is not allowed"), "resource-id"),
        (code(45_000_001, "missing field"), "extra-request"),
        (code(55_000_000, "field request.a into an integer"), "type"),
    ];
    assert_reported("RESOURCE SETTINGS", false, &settings);
    let (one_too_many, spent) = ("concurrency", "quota exceeded for types: x_lifetime");
    let busy = [
        (http(403, spent), "spent"),
        (http(429, "slow down"), "later"),
        (code(45_000_292, one_too_many), "sessions"),
        (code(45_000_292, spent), "spent"),
        (code(55_000_031, "busy"), "later"),
    ];
    assert_reported("RESOURCE BUSY", true, &busy);
    let open = [
        (http(404, "no such path"), "uri"),
        (http(503, "down"), "later"),
        (code(55_000_000, "oops"), "log id"),
    ];
    assert_reported("RESOURCE OPEN_WRITE", false, &open);
    assert_reported("RESOURCE WRITE", true, &open);
    assert_reported(
        "STREAM FORMAT",
        false,
        &[(code(45_000_151, "no"), "rate=16000")],
    );
}

#[test]
fn every_trouble_has_its_domain_and_a_way_out() {
    let time = Duration::from_secs(10);
    let resolve = DialError::Resolve {
        host: "no.such.host".into(),
        source: io::Error::other("unknown"),
    };
    let connect = DialError::Connect {
        address: ([127, 0, 0, 1], 9).into(),
        source: io::ErrorKind::ConnectionRefused.into(),
    };
    let timed_out = DialError::TimedOut {
        host: "::1".into(),
        port: 443,
        after: time,
    };
    let open = [
        (resolve.into(), "name service"),
        (connect.into(), "firewall"),
        (SessionError::ResponseTimeout(time).into(), "property uri"),
    ];
    assert_reported("RESOURCE OPEN_WRITE", false, &open);
    let lost = [
        (timed_out.into(), "[::1]:443"),
        (SessionError::Stalled(time).into(), "max-reconnects"),
    ];
    assert_reported("RESOURCE WRITE", true, &lost);
    let not_web_socket = HandshakeError::NotWebSocket("x".into());
    let decode = [
        (not_web_socket.into(), "v3/sauc"),
        (SessionError::Protocol("x".into()).into(), "v3/sauc"),
    ];
    assert_reported("STREAM DECODE", false, &decode);
    let failed = [
        (Abort::Unmappable.into(), "audioconvert"),
        (Abort::Backlog.into(), "sync handler"),
        (Abort::Internal.into(), "internal"),
    ];
    assert_reported("RESOURCE FAILED", true, &failed);
    assert_reported(
        "STREAM FORMAT",
        true,
        &[(Abort::NotNegotiated.into(), "audioresample")],
    );
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
    let nameless = |status| failed(Failure::from_http(status, b""));
    let silent = failed(Failure::from_error_frame(45_000_001, b""));
    let by_proxy = "A proxy refused the connection with HTTP 407 \"who\"";
    for (error, expected) in [
        (silent, "The service says 45000001: it does not accept"),
        (nameless(429), "with HTTP 429: it has no capacity"),
        (http(407, "who"), by_proxy),
        (code(45_000_001, "no: x."), "45000001 \"no: x\""),
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
    let error = failed(failure);
    let details = report(&error, false, &pair()).details;
    assert_eq!(details.name(), "volcasr-error");
    assert_eq!(details.get("code"), Ok(45_000_001u32));
    assert!(!details.has_field("http-status"));
    assert_eq!(details.get("message"), Ok("bad"));
    assert_eq!(details.get("log-id"), Ok("its-log-id"));
    assert_eq!(details.get("connect-id"), Ok("its-connect-id"));
    assert_eq!(details.get("retryable"), Ok(false));
    let refused = refused_downstream(gst::FlowError::NotNegotiated).details;
    let refused = refused.expect("the details of an error");
    assert_eq!(refused.name(), "volcasr-error");
    assert_eq!(refused.get("message"), Ok("Pad is not negotiated"));
    assert_eq!(refused.get("retryable"), Ok(false));
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
