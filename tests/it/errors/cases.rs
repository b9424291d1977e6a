//! Causes of errors, and what the bus must say of each.

use gst::prelude::*;
use volcasr_loopback::{Fault, FaultKind, Options, Quirks, Trigger};

/// One cause, and what the bus must say of it.
pub struct Case {
    pub name: &'static str,
    pub service: Options,
    /// What is wrong with the element.
    pub spoil: fn(&gst::Element),
    pub error: Kind,
    pub code: Option<u32>,
    pub status: Option<u32>,
    /// In the details' message.
    pub message: &'static str,
    pub retryable: bool,
    /// In the text: what to act upon.
    pub text: &'static [&'static str],
    /// What the sink needs before it works.
    pub mend: fn(&gst::Element),
}

#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Resource(gst::ResourceError),
    Stream(gst::StreamError),
}

impl Kind {
    pub fn is(self, error: &gst::glib::Error) -> bool {
        match self {
            Kind::Resource(kind) => error.kind() == Some(kind),
            Kind::Stream(kind) => error.kind() == Some(kind),
        }
    }
}

use gst::ResourceError::{Busy, NotAuthorized, OpenWrite, Settings};

impl Default for Case {
    fn default() -> Self {
        Case {
            name: "",
            service: Options::default(),
            spoil: |_| {},
            error: Kind::Resource(OpenWrite),
            code: None,
            status: None,
            message: "",
            retryable: false,
            text: &[],
            mend: |_| {},
        }
    }
}

/// A session that ends with this error frame instead of the ack; the second connection goes well.
pub fn frame(code: u32, text: &str) -> Options {
    let body = format!(r#"{{"error":"{text}"}}"#);
    options(FaultKind::Error { code, body }, Trigger::Ack)
}

pub fn options(what: FaultKind, when: Trigger) -> Options {
    Options {
        faults: vec![Fault::nth(1, what, when)],
        ..Options::default()
    }
}

fn http(status: u16, body: &str) -> Options {
    let headers = vec![("Location".into(), "ws://127.0.0.1:1/".into())];
    let body = body.into();
    options(
        FaultKind::Http {
            status,
            headers,
            body,
        },
        Trigger::Handshake,
    )
}

fn no_retry(sink: &gst::Element) {
    sink.set_property("max-reconnects", 0u32);
}

#[expect(clippy::too_many_lines, reason = "a table")]
pub fn cases() -> Vec<Case> {
    let resource = |sink: &gst::Element| {
        sink.set_property("resource-id", "volc.seedasr.sauc.duration");
    };
    let pair = |sink: &gst::Element| {
        sink.set_property("api-key", None::<&str>);
        sink.set_property("access-key", "secret-access-key");
    };
    vec![
        Case {
            name: "400, an unknown resource",
            spoil: |sink| sink.set_property("resource-id", "volc.nonsense"),
            error: Kind::Resource(Settings),
            status: Some(400),
            message: "resourceId volc.nonsense is not allowed",
            text: &["HTTP 400", "volc.nonsense", "resource-id"],
            mend: resource,
            ..Case::default()
        },
        Case {
            name: "400, no resource",
            service: http(400, r#"{"error":"get resource id empty"}"#),
            error: Kind::Resource(Settings),
            status: Some(400),
            message: "get resource id empty",
            text: &["resource-id"],
            ..Case::default()
        },
        Case {
            name: "401, a wrong key",
            spoil: |sink| sink.set_property("api-key", "wrong-api-key"),
            error: Kind::Resource(NotAuthorized),
            status: Some(401),
            message: "Invalid X-Api-Key",
            text: &["api-key", "VOLCENGINE_API_KEY", "VOLCENGINE_ACCESS_KEY"],
            mend: pair,
            ..Case::default()
        },
        Case {
            name: "401, a wrong pair",
            spoil: |sink| sink.set_property("access-key", "wrong-access-key"),
            error: Kind::Resource(NotAuthorized),
            status: Some(401),
            message: "load grant: requested grant not found in SaaS storage",
            text: &[
                "app-key",
                "access-key",
                "VOLCENGINE_APP_ID",
                "VOLCENGINE_ACCESS_KEY",
            ],
            mend: pair,
            ..Case::default()
        },
        Case {
            name: "403",
            service: Options {
                granted_resources: vec!["volc.seedasr.sauc.duration".into()],
                ..Options::default()
            },
            spoil: |sink| sink.set_property("resource-id", "volc.bigasr.sauc.duration"),
            error: Kind::Resource(NotAuthorized),
            status: Some(403),
            message: "[resource_id=volc.bigasr.sauc.duration] requested resource not granted",
            text: &["volc.bigasr.sauc.duration", "console", "resource-id"],
            mend: resource,
            ..Case::default()
        },
        Case {
            name: "402",
            service: http(
                402,
                r#"{"error":{"code":"Overdue","message":"account overdue"}}"#,
            ),
            error: Kind::Resource(NotAuthorized),
            status: Some(402),
            message: "account overdue",
            text: &["HTTP 402 \"account overdue\"", "Pay", "console"],
            ..Case::default()
        },
        Case {
            name: "403, overdue",
            service: http(403, r#"{"error":"the account is overdue"}"#),
            error: Kind::Resource(NotAuthorized),
            status: Some(403),
            message: "the account is overdue",
            text: &["HTTP 403", "Pay", "console"],
            ..Case::default()
        },
        Case {
            name: "403, lifetime",
            service: http(
                403,
                r#"{"error":"quota exceeded for types: text_lifetime"}"#,
            ),
            error: Kind::Resource(Busy),
            status: Some(403),
            message: "quota exceeded for types: text_lifetime",
            text: &["HTTP 403", "quota", "console"],
            ..Case::default()
        },
        Case {
            name: "407",
            service: http(407, "who are you?"),
            error: Kind::Resource(NotAuthorized),
            status: Some(407),
            message: "who are you?",
            text: &["A proxy", "HTTP 407", "proxy-id", "proxy-pw"],
            ..Case::default()
        },
        Case {
            name: "a redirect",
            service: http(302, ""),
            status: Some(302),
            text: &["HTTP 302", "uri"],
            ..Case::default()
        },
        Case {
            name: "404",
            service: http(404, "404 page not found"),
            status: Some(404),
            message: "404 page not found",
            text: &["HTTP 404", "uri"],
            ..Case::default()
        },
        Case {
            name: "429",
            service: http(429, ""),
            spoil: no_retry,
            error: Kind::Resource(Busy),
            status: Some(429),
            retryable: true,
            text: &["max-reconnects"],
            ..Case::default()
        },
        Case {
            name: "a web server",
            service: http(200, "<html><title>It works!</title></html>"),
            error: Kind::Stream(gst::StreamError::Decode),
            status: Some(200),
            message: "It works!",
            text: &["uri", "v3/sauc"],
            ..Case::default()
        },
        Case {
            name: "garbage",
            service: options(
                FaultKind::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
                Trigger::Accept,
            ),
            error: Kind::Stream(gst::StreamError::Decode),
            text: &["uri", "v3/sauc"],
            ..Case::default()
        },
        Case {
            name: "45000001",
            service: frame(45_000_001, "invalid parameters: nonsense"),
            error: Kind::Resource(Settings),
            code: Some(45_000_001),
            message: "invalid parameters: nonsense",
            text: &["45000001", "nonsense", "extra-request", "context"],
            ..Case::default()
        },
        Case {
            name: "45000001, nested",
            service: options(
                FaultKind::Error {
                    code: 45_000_001,
                    body: r#"{"error":{"message":"bad field x","code":45000001}}"#.into(),
                },
                Trigger::Ack,
            ),
            error: Kind::Resource(Settings),
            code: Some(45_000_001),
            message: "bad field x",
            text: &["45000001 \"bad field x\""],
            ..Case::default()
        },
        Case {
            name: "45000010",
            service: frame(45_000_010, "bad credentials"),
            error: Kind::Resource(NotAuthorized),
            code: Some(45_000_010),
            message: "bad credentials",
            text: &["45000010", "access-key", "VOLCENGINE_ACCESS_KEY"],
            ..Case::default()
        },
        Case {
            name: "45000030",
            service: frame(45_000_030, "resource not granted"),
            error: Kind::Resource(NotAuthorized),
            code: Some(45_000_030),
            message: "resource not granted",
            text: &["45000030", "volc.seedasr.sauc.duration", "console"],
            ..Case::default()
        },
        Case {
            name: "45000151",
            service: Options {
                quirks: Quirks {
                    refuse_24000: true,
                    ..Quirks::default()
                },
                ..Options::default()
            },
            error: Kind::Stream(gst::StreamError::Format),
            code: Some(45_000_151),
            text: &["45000151", "rate=16000"],
            // The rig's caps are at 24000: `a_refused_rate` goes on with 16000.
            mend: |_| {},
            ..Case::default()
        },
        Case {
            name: "45000292, concurrency",
            service: frame(45_000_292, "quota exceeded for types: concurrency"),
            spoil: no_retry,
            error: Kind::Resource(Busy),
            code: Some(45_000_292),
            message: "quota exceeded for types: concurrency",
            retryable: true,
            text: &["45000292", "sessions", "console"],
            ..Case::default()
        },
        Case {
            name: "45000292, lifetime",
            service: frame(
                45_000_292,
                "quota exceeded for types: audio_duration_lifetime",
            ),
            error: Kind::Resource(Busy),
            code: Some(45_000_292),
            message: "quota exceeded for types: audio_duration_lifetime",
            text: &["45000292", "quota", "console"],
            ..Case::default()
        },
        Case {
            name: "55000031",
            service: frame(55_000_031, "server busy"),
            spoil: no_retry,
            error: Kind::Resource(Busy),
            code: Some(55_000_031),
            message: "server busy",
            retryable: true,
            text: &["55000031", "max-reconnects"],
            ..Case::default()
        },
        Case {
            name: "55000000, a wrong type",
            spoil: |sink| {
                sink.set_property(
                    "extra-request",
                    gst::Structure::builder("request")
                        .field("accelerate_score", "10")
                        .build(),
                );
            },
            error: Kind::Resource(Settings),
            code: Some(55_000_000),
            message: "accelerate_score",
            text: &["55000000", "accelerate_score", "extra-request"],
            mend: |sink| sink.set_property("extra-request", None::<gst::Structure>),
            ..Case::default()
        },
    ]
}
