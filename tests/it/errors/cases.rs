//! Causes of errors, and what the bus must say of each.

use gst::prelude::*;
use volcasr_loopback::{Fault, FaultKind, Options, Trigger};

/// One cause, and what the bus must say of it.
pub struct Case {
    pub name: &'static str,
    pub service: Options,
    /// Sets the wrong property of the element.
    pub spoil: fn(&gst::Element),
    pub error: Kind,
    pub code: Option<u32>,
    pub status: Option<u32>,
    /// In the details' message.
    pub message: &'static str,
    pub retryable: bool,
    /// In the text: what to act upon.
    pub text: &'static [&'static str],
    /// Mends the sink, so that it works.
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

/// One of each kind: `element::bus::errors` has a table of all of them.
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
            name: "a web server",
            service: http(200, "<html><title>It works!</title></html>"),
            error: Kind::Stream(gst::StreamError::Decode),
            status: Some(200),
            message: "It works!",
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
    ]
}
