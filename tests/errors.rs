//! What goes wrong reaches the bus once, first, and says what to do.

mod common;

use common::direct::{Direct, Segment, ms};
use common::*;
use gst::prelude::*;
use volcasr_loopback::{Fault, FaultKind, Options, Quirks, Trigger};

/// One cause, and what the bus must say of it.
struct Case {
    name: &'static str,
    service: Options,
    /// What is wrong with the element.
    spoil: fn(&gst::Element),
    error: Kind,
    code: Option<u32>,
    status: Option<u32>,
    /// In the details' message.
    message: &'static str,
    retryable: bool,
    /// In the text: what to act upon.
    text: &'static [&'static str],
    /// What the sink needs before it works.
    mend: fn(&gst::Element),
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Resource(gst::ResourceError),
    Stream(gst::StreamError),
}

impl Kind {
    fn is(self, error: &gst::glib::Error) -> bool {
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
fn frame(code: u32, text: &str) -> Options {
    let body = format!(r#"{{"error":"{text}"}}"#);
    options(FaultKind::Error { code, body }, Trigger::Ack)
}

fn options(what: FaultKind, when: Trigger) -> Options {
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

fn cases() -> Vec<Case> {
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

/// The fields of `volcasr-error` that depend on the cause.
fn assert_details(case: &Case, details: &gst::StructureRef) {
    let name = case.name;
    assert_eq!(details.name(), "volcasr-error", "{name}");
    assert_eq!(details.get::<u32>("code").ok(), case.code, "{name}");
    assert_eq!(
        details.get::<u32>("http-status").ok(),
        case.status,
        "{name}"
    );
    assert_eq!(
        details.get::<bool>("retryable"),
        Ok(case.retryable),
        "{name}"
    );
    let message = details.get::<&str>("message").expect("message");
    assert!(message.contains(case.message), "{name}: {message}");
}

/// Audio for longer than may wait: the stream is still under way when the error comes.
fn push_much(rig: &mut Rig) {
    let (pcm, _) = speech(3);
    rig.push(&pcm, 100);
}

#[test]
fn each_cause_has_its_error() {
    for case in cases() {
        let name = case.name;
        let service = service(case.service.clone());
        let sink = sink(&service);
        sink.set_property("max-queue-time", 1000u32);
        (case.spoil)(&sink);
        let mut rig = Rig::new(sink);
        rig.play();
        push_much(&mut rig);
        // Ours, the source's, and then EOS, which needs no drain.
        let heard = rig.listen_until(|message| message.type_() == gst::MessageType::Eos);
        let errors = heard.errors();
        let sources: Vec<_> = errors.iter().map(|e| e.source.as_deref()).collect();
        let [ours, _] = sources.as_slice() else {
            panic!("{name}: {errors:#?}");
        };
        assert_eq!(*ours, Some(rig.sink.name().as_str()), "{name}: {errors:#?}");
        let error = &errors[0].error;
        assert!(case.error.is(error), "{name}: {error:?}");
        for part in case.text {
            assert!(
                error.message().contains(part),
                "{name}: no {part} in {error}"
            );
        }
        let details = errors[0].details.as_ref().expect("details");
        assert_details(&case, details);
        assert!(heard.warnings().is_empty(), "{name}");

        // Not tried again, and nothing follows.
        assert!(
            service.wait(LONG, |all| all
                .first()
                .is_some_and(|c| !c.headers.is_empty())),
            "{name}"
        );
        let connections = service.connections();
        assert_eq!(connections.len(), 1, "{name}");
        assert_eq!(
            details.get::<&str>("connect-id").ok(),
            connections[0].header("X-Api-Connect-Id"),
            "{name}"
        );
        if name != "garbage" {
            assert_eq!(
                details.get::<&str>("log-id"),
                Ok(connections[0].log_id.as_str()),
                "{name}"
            );
        }

        // A second run starts clean.
        if name == "45000151" {
            continue;
        }
        rig.pipeline.set_state(gst::State::Ready).expect("READY");
        assert!(rig.take().errors().is_empty(), "{name}");
        (case.mend)(&rig.sink);
        rig.next = gst::ClockTime::ZERO;
        let (pcm, marks) = speech(1);
        let heard = rig.run(&pcm, 100);
        assert!(heard.errors().is_empty(), "{name}: {:?}", heard.errors());
        assert_eq!(marks_of(&heard.finals()), expected(&marks, 0), "{name}");
        assert!(heard.saw_eos(), "{name}");
        assert_eq!(service.connections().len(), 2, "{name}");
    }
}

/// The way out that the error names is one.
#[test]
fn a_refused_rate() {
    let service = service(Options {
        quirks: Quirks {
            refuse_24000: true,
            ..Quirks::default()
        },
        ..Options::default()
    });
    let sink = sink(&service);
    sink.set_property("rate", 16_000i32);
    let layout = volcasr_loopback::marks::Layout {
        rate: 16_000,
        ..Default::default()
    };
    let (pcm, marks) = layout.sentences(1);
    let heard = Rig::new(sink).run(&pcm, 100);
    assert!(heard.errors().is_empty(), "{:?}", heard.errors());
    assert_eq!(marks_of(&heard.finals()), expected(&marks, 0));
}

/// At the rate that the other advice names, it would be none.
#[test]
fn a_refused_format_at_the_rate_that_always_works() {
    let service = service(frame(45_000_151, "unsupported format"));
    let sink = sink(&service);
    sink.set_property("rate", 16_000i32);
    let heard = Rig::new(sink).run(&[0; 32_000], 100);
    let errors = heard.errors();
    let error = &errors[0].error;
    assert!(Kind::Stream(gst::StreamError::Format).is(error), "{error}");
    let text = error.message();
    assert!(
        text.contains("16000 Hz") && !text.contains("rate=16000"),
        "{text}"
    );
}

/// Whatever comes after the error is refused until READY, and once READY was there it is taken.
#[test]
fn after_the_error_every_buffer_is_refused() {
    let service = service(options(
        FaultKind::Error {
            code: 45_000_001,
            body: "no".into(),
        },
        Trigger::Ack,
    ));
    let sink = sink(&service);
    // With an error on its bus the pipeline does not go on to PLAYING behind a flush.
    sink.set_property("async", false);
    let direct = Direct::new(sink);
    let pcm = [1; 9600];
    // Until it knows, it takes what comes.
    let mut taken = 0;
    let refused = loop {
        match direct.pad.push(direct.buffer(Some(taken * 200), &pcm)) {
            Ok(_) => taken += 1,
            Err(error) => break error,
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    assert_eq!(refused, gst::FlowError::Error);
    // It is on the bus by then.
    let errors = direct.take().errors();
    assert_eq!(errors.len(), 1, "{errors:?}");
    let refuses = |when: &str, at: Option<u64>, pcm: &[u8]| {
        let flow = direct.pad.push(direct.buffer(at, pcm));
        assert_eq!(flow, Err(gst::FlowError::Error), "{when}");
    };
    refuses("again", Some(10_000), &pcm);
    refuses("empty", Some(10_200), &[]);
    refuses("without a time", None, &pcm);
    let mut backwards = Segment::new();
    backwards.set_rate(-1.0);
    backwards.set_stop(ms(20_000));
    assert!(direct.segment(&backwards));
    refuses("backwards", Some(11_000), &pcm);
    direct.flush_start();
    direct.flush_stop();
    assert!(direct.segment(&Segment::new()));
    refuses("after a flush", Some(0), &pcm);
    assert!(direct.begin("another"));
    assert!(direct.segment(&Segment::new()));
    refuses("in another stream", Some(0), &pcm);
    let heard = direct.end();
    assert!(heard.saw_eos() && heard.errors().is_empty(), "{heard:?}");
    assert!(heard.transcripts().is_empty() && heard.warnings().is_empty());
}
