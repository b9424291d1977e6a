//! Each failure posts one error, before others, that names the way out.

use crate::common::faults::*;
use crate::common::pad_harness::{PadHarness, Segment, ms};
use crate::common::*;
use gst::ResourceError::{Busy, NotAuthorized, Settings};
use gst::StreamError::Decode;
use gst::prelude::*;

/// A cause and what the bus must say of it: the fault of the first connection, properties (wrong
/// ones among them), parts of the text, `code` and `http-status`, and a part of the details'
/// message. One of each kind: `element::bus::errors` has a table of all of them.
type Case<'a> = (
    &'a str,
    &'a str,
    fn(&Report, &[&str]),
    &'a str,
    [Option<u32>; 2],
    &'a str,
);

const WEB: &str = "http:200:<html><title>It works!</title></html>@handshake#1";
const PARAMETER: &str = r#"error:45000001:{"error":"invalid parameters: nonsense"}@ack#1"#;
const QUOTA: &str = r#"error:45000292:{"error":"quota exceeded for types: concurrency"}@ack#1"#;

#[rustfmt::skip]
const CASES: [Case; 5] = [
    ("", "resource-id=volc.nonsense", |e, parts| e.assert_is(Settings, parts),
        "HTTP 400,volc.nonsense,resource-id", [None, Some(400)],
        "resourceId volc.nonsense is not allowed"),
    ("", "api-key=wrong-api-key", |e, parts| e.assert_is(NotAuthorized, parts),
        "VOLCENGINE_API_KEY,VOLCENGINE_ACCESS_KEY", [None, Some(401)], "Invalid X-Api-Key"),
    (WEB, "", |e, parts| e.assert_is(Decode, parts), "uri,v3/sauc", [None, Some(200)], "It works!"),
    (PARAMETER, "", |e, parts| e.assert_is(Settings, parts),
        "45000001,nonsense,extra-request,context", [Some(45_000_001), None],
        "invalid parameters: nonsense"),
    (QUOTA, "max-reconnects=0", |e, parts| e.assert_is(Busy, parts),
        "45000292,sessions,console", [Some(45_000_292), None],
        "quota exceeded for types: concurrency"),
];

#[test]
pub fn each_cause_has_its_error() {
    for (fault, properties, is_error, parts, numbers, said) in CASES {
        let name = format!("{fault} {properties}");
        let faults = if fault.is_empty() { &[][..] } else { &[fault] };
        let service = service(faulty(faults, false));
        // The stream is still under way when the error comes: it has more audio than may wait.
        let sink = set(sink(&service), "max-queue-time=1000");
        let mut rig = TestPipeline::new(set(sink, properties));
        rig.begin(&speech(3).0, 100);
        // Ours, the source's, and then EOS, which needs no drain.
        let log = rig.listen_until(|message| message.type_() == gst::MessageType::Eos);
        let errors = log.errors();
        assert_eq!(errors.len(), 2, "{name}: {errors:#?}");
        let error = &errors[0];
        assert_eq!(error.source, Some(rig.sink.name().into()), "{name}");
        is_error(error, &parts.split(',').collect::<Vec<_>>());
        assert_eq!(error.is_retryable(), fault == QUOTA, "{name}");
        let found = ["code", "http-status"].map(|number| error.number(number));
        assert_eq!(found, numbers, "{name}");
        let details = error.details.as_ref().expect("details");
        let detail = |field| details.get::<&str>(field).ok();
        assert!(
            detail("message").is_some_and(|text| text.contains(said)),
            "{error:?}"
        );
        log.assert_no_warnings(&name);

        // A transcriber's downstream has ended, too.
        let out = rig.text.as_ref().map(|text| text.until_eos(0));
        assert!(text::texts(&out.unwrap_or_default()).is_empty(), "{name}");

        // Not tried again, and nothing follows.
        until_connection(&service, |c| !c.headers.is_empty());
        let [connection] = &service.connections()[..] else {
            panic!("{name}: tried again")
        };
        assert_eq!(
            detail("connect-id"),
            connection.header("X-Api-Connect-Id"),
            "{name}"
        );
        assert_eq!(detail("log-id"), Some(connection.log_id.as_str()), "{name}");

        // A second run starts clean.
        rig.go_to_ready_after_an_error();
        assert!(rig.take().errors().is_empty(), "{name}");
        let right = "api-key= resource-id=volc.seedasr.sauc.duration";
        set(rig.sink.clone(), right);
        rig.speak(1);
        assert_eq!(service.connections().len(), 2, "{name}");
    }
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
    harness.flush();
    harness.segment_at(0, 0);
    refuses("after a flush", Some(0), &pcm);
    assert!(harness.begin("another"));
    harness.segment_at(0, 0);
    refuses("in another stream", Some(0), &pcm);
    let log = harness.end();
    assert!(log.saw_eos() && log.errors().is_empty(), "{log:?}");
    assert!(log.transcripts().is_empty() && log.warnings().is_empty());
}
