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

/// An error, whether a session was open before, its domain, and a part of the way out in its text.
/// Those of the service are in `documented`, by their causes.
#[test]
#[rustfmt::skip]
fn every_error_has_its_domain_and_a_way_out() {
    let time = Duration::from_secs(10);
    let host = || "no.such.host".to_owned();
    let source = || io::ErrorKind::ConnectionRefused.into();
    let resolve = DialError::Resolve { host: host(), source: source() };
    let connect = DialError::Connect { address: ([127, 0, 0, 1], 9).into(), source: source() };
    let timed_out = DialError::TimedOut { host: "::1".into(), port: 443, after: time };
    for (error, lost, domain, advice) in [
        (http(404, "no such path"), true, "RESOURCE WRITE", "uri"),
        (resolve.into(), false, "RESOURCE OPEN_WRITE", "name service"),
        (connect.into(), false, "RESOURCE OPEN_WRITE", "firewall"),
        (timed_out.into(), true, "RESOURCE WRITE", "VOLCASR_URI"),
        (SessionError::ResponseTimeout(time).into(), false, "RESOURCE OPEN_WRITE", "property uri"),
        (SessionError::Stalled(time).into(), true, "RESOURCE WRITE", "max-reconnects"),
        (HandshakeError::NotWebSocket(host()).into(), false, "STREAM DECODE", "v3/sauc"),
        (SessionError::Protocol(host()).into(), false, "STREAM DECODE", "v3/sauc"),
        (Abort::Unmappable.into(), true, "RESOURCE FAILED", "audioconvert"),
        (Abort::Backlog.into(), true, "RESOURCE FAILED", "sync handler"),
        (Abort::Internal.into(), true, "RESOURCE FAILED", "internal"),
        (Abort::NotNegotiated.into(), true, "STREAM FORMAT", "audioresample"),
    ] {
        let report = report(&error, lost, &pair());
        let text = report.error.message();
        assert_eq!(name(&report.error), domain, "{error}");
        assert!(text.contains(advice), "{text}");
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
    let (app, api) = ("app-key and access-key", "api-key");
    for (context, first, second) in [(pair(), app, api), (key(), api, app)] {
        let report = report(&http(401, "no"), false, &context);
        let text = report.error.message();
        let place = |name| text.find(name).expect(name);
        assert!(place(first) < place(second), "{text}");
    }
}

#[test]
fn details_have_what_is_known() {
    let ids = |failure: Failure| Failure {
        log_id: Some("its-log-id".into()),
        connect_id: Some("its-connect-id".into()),
        ..failure
    };
    let of = |error: ClientError| report(&error, false, &pair());
    let bad = ids(Failure::from_error_frame(45_000_001, b"bad"));
    for (report, expected) in [
        (
            of(failed(bad)),
            "code=(uint)45000001, message=bad, log-id=its-log-id, connect-id=its-connect-id, \
             retryable=false",
        ),
        // The ids are the connection's.
        (
            of(http(503, "down")),
            "http-status=(uint)503, message=down, log-id=a-log-id, connect-id=a-connect-id, \
             retryable=true",
        ),
        (
            refused_downstream(gst::FlowError::NotNegotiated),
            "message=\"Pad is not negotiated\", retryable=false",
        ),
    ] {
        let expected = format!("volcasr-error, {expected};");
        let expected = expected.parse::<gst::Structure>().expect("one");
        assert_eq!(report.details, Some(expected));
    }
}

#[test]
fn a_refused_resource_names_those_that_there_are() {
    let report = report(&http(400, "resourceId x is not allowed"), false, &pair());
    for id in RESOURCE_IDS {
        assert!(report.error.message().contains(id), "{}", report.error);
    }
}
