//! Each failure posts one error, before others, that names the way out.

use crate::common::faults::*;
use crate::common::pad_harness::{PadHarness, Segment, ms};
use crate::common::*;
use gst::ResourceError::{Busy, NotAuthorized, Settings};
use gst::prelude::*;
use volcasr_loopback::marks::Layout;
use volcasr_loopback::{Oddity, Options};

/// A cause, and what the bus must say of it.
struct Case {
    name: &'static str,
    /// Fault of the first connection.
    fault: Option<&'static str>,
    /// Properties, wrong ones among them.
    properties: &'static str,
    is_error: fn(&Report),
    /// Number of the service, and status of HTTP.
    numbers: (Option<u32>, Option<u32>),
    retryable: bool,
    /// In the details' message.
    message: &'static str,
}

/// One of each kind: `element::bus::errors` has a table of all of them.
const CASES: [Case; 5] = [
    Case {
        name: "400, an unknown resource",
        fault: None,
        properties: "resource-id=volc.nonsense",
        is_error: |e| e.assert_is(Settings, &["HTTP 400", "volc.nonsense", "resource-id"]),
        numbers: (None, Some(400)),
        retryable: false,
        message: "resourceId volc.nonsense is not allowed",
    },
    Case {
        name: "401, a wrong key",
        fault: None,
        properties: "api-key=wrong-api-key",
        is_error: |e| {
            e.assert_is(
                NotAuthorized,
                &["VOLCENGINE_API_KEY", "VOLCENGINE_ACCESS_KEY"],
            )
        },
        numbers: (None, Some(401)),
        retryable: false,
        message: "Invalid X-Api-Key",
    },
    Case {
        name: "a web server",
        fault: Some("http:200:<html><title>It works!</title></html>@handshake#1"),
        properties: "",
        is_error: |e| e.assert_is(gst::StreamError::Decode, &["uri", "v3/sauc"]),
        numbers: (None, Some(200)),
        retryable: false,
        message: "It works!",
    },
    Case {
        name: "45000001",
        fault: Some(r#"error:45000001:{"error":"invalid parameters: nonsense"}@ack#1"#),
        properties: "",
        is_error: |e| {
            e.assert_is(
                Settings,
                &["45000001", "nonsense", "extra-request", "context"],
            )
        },
        numbers: (Some(45_000_001), None),
        retryable: false,
        message: "invalid parameters: nonsense",
    },
    Case {
        name: "45000292, concurrency",
        fault: Some(r#"error:45000292:{"error":"quota exceeded for types: concurrency"}@ack#1"#),
        properties: "max-reconnects=0",
        is_error: |e| e.assert_is(Busy, &["45000292", "sessions", "console"]),
        numbers: (Some(45_000_292), None),
        retryable: true,
        message: "quota exceeded for types: concurrency",
    },
];

#[test]
fn each_cause_has_its_error() {
    for case in CASES {
        let name = case.name;
        let service = service(faulty(case.fault.as_slice(), false));
        // The stream is still under way when the error comes: it has more audio than may wait.
        let sink = set(sink(&service), "max-queue-time=1000");
        let mut rig = TestPipeline::new(set(sink, case.properties));
        rig.play();
        rig.push(&speech(3).0, 100);
        // Ours, the source's, and then EOS, which needs no drain.
        let log = rig.listen_until(|message| message.type_() == gst::MessageType::Eos);
        let errors = log.errors();
        assert_eq!(errors.len(), 2, "{name}: {errors:#?}");
        let error = &errors[0];
        assert_eq!(
            error.source.as_deref(),
            Some(rig.sink.name().as_str()),
            "{name}"
        );
        (case.is_error)(error);
        assert_eq!(error.is_retryable(), case.retryable, "{name}");
        let numbers = (error.number("code"), error.number("http-status"));
        assert_eq!(numbers, case.numbers, "{name}");
        let details = error.details.as_ref().expect("details");
        let text = |field| details.get::<&str>(field).ok();
        assert!(
            text("message").is_some_and(|text| text.contains(case.message)),
            "{error:?}"
        );
        log.assert_no_warnings(name);

        // Not tried again, and nothing follows.
        assert!(service.wait(LONG, |all| all.iter().any(|c| !c.headers.is_empty())));
        let connections = service.connections();
        assert_eq!(connections.len(), 1, "{name}");
        assert_eq!(
            text("connect-id"),
            connections[0].header("X-Api-Connect-Id"),
            "{name}"
        );
        assert_eq!(
            text("log-id"),
            Some(connections[0].log_id.as_str()),
            "{name}"
        );

        // A second run starts clean.
        rig.go_to_ready_after_an_error();
        assert!(rig.take().errors().is_empty(), "{name}");
        set(
            rig.sink.clone(),
            "api-key= resource-id=volc.seedasr.sauc.duration",
        );
        rig.next = gst::ClockTime::ZERO;
        let (pcm, marks) = speech(1);
        let log = rig.run(&pcm, 100);
        log.assert_said_in(name, &marks, 0);
        assert!(log.saw_eos(), "{name}");
        assert_eq!(service.connections().len(), 2, "{name}");
    }
}

/// The way out that the error names is one.
#[test]
fn a_refused_rate() {
    let service = service(Options {
        oddities: vec![Oddity::Refuse24000],
        ..Options::default()
    });
    let sink = set(sink(&service), "rate=16000");
    let layout = Layout {
        rate: 16_000,
        ..Layout::default()
    };
    let (pcm, marks) = layout.sentences(1);
    let log = TestPipeline::new(sink).run(&pcm, 100);
    log.assert_said(&marks, 0);
}

/// After the error all input is refused until READY.
#[test]
fn after_the_error_every_buffer_is_refused() {
    let service = service(faulty(&["error:45000001@ack#1"], false));
    // With an error on its bus the pipeline does not go on to PLAYING behind a flush.
    let harness = PadHarness::new(set(sink(&service), "async=false"));
    let pcm = [1; 9600];
    // Until it knows, it takes what comes.
    let mut taken = 0;
    let mut refused = None;
    wait_until("a buffer is refused", || {
        let pushed = harness.pad.push(harness.buffer(Some(taken * 200), &pcm));
        taken += 1;
        refused = pushed.err();
        refused.is_some()
    });
    assert_eq!(refused, Some(gst::FlowError::Error));
    // It is on the bus by then.
    let errors = harness.take().errors();
    assert_eq!(errors.len(), 1, "{errors:?}");
    let refuses = |when: &str, at: Option<u64>, pcm: &[u8]| {
        let flow = harness.pad.push(harness.buffer(at, pcm));
        assert_eq!(flow, Err(gst::FlowError::Error), "{when}");
    };
    refuses("again", Some(10_000), &pcm);
    refuses("empty", Some(10_200), &[]);
    refuses("without a time", None, &pcm);
    let mut backwards = Segment::new();
    backwards.set_rate(-1.0);
    backwards.set_stop(ms(20_000));
    assert!(harness.segment(&backwards));
    refuses("backwards", Some(11_000), &pcm);
    harness.flush_start();
    harness.flush_stop();
    assert!(harness.segment(&Segment::new()));
    refuses("after a flush", Some(0), &pcm);
    assert!(harness.begin("another"));
    assert!(harness.segment(&Segment::new()));
    refuses("in another stream", Some(0), &pcm);
    let log = harness.end();
    assert!(log.saw_eos() && log.errors().is_empty(), "{log:?}");
    assert!(log.transcripts().is_empty() && log.warnings().is_empty());
}
