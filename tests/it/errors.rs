//! Each failure posts one error, before others, that names the way out.

mod cases;

use crate::common::pad_harness::{PadHarness, Segment, ms};
use crate::common::*;
use cases::*;
use gst::prelude::*;
use volcasr_loopback::{FaultKind, Oddity, Options, Trigger};

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
fn push_much(rig: &mut TestPipeline) {
    let (pcm, _) = speech(3);
    rig.push(&pcm, 100);
}

#[test]
fn each_cause_has_its_error() {
    for case in cases() {
        let name = case.name;
        let service = service(case.service.clone());
        let sink = set(sink(&service), "max-queue-time=1000");
        (case.spoil)(&sink);
        let mut rig = TestPipeline::new(sink);
        rig.play();
        push_much(&mut rig);
        // Ours, the source's, and then EOS, which needs no drain.
        let log = rig.listen_until(|message| message.type_() == gst::MessageType::Eos);
        let errors = log.errors();
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
        log.assert_no_warnings(name);

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
        let log_id = Ok(connections[0].log_id.as_str());
        assert_eq!(details.get::<&str>("log-id"), log_id, "{name}");

        // A second run starts clean.
        rig.go(gst::State::Ready);
        assert!(rig.take().errors().is_empty(), "{name}");
        (case.mend)(&rig.sink);
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
    let layout = volcasr_loopback::marks::Layout {
        rate: 16_000,
        ..Default::default()
    };
    let (pcm, marks) = layout.sentences(1);
    let log = TestPipeline::new(sink).run(&pcm, 100);
    log.assert_said(&marks, 0);
}

/// After the error all input is refused until READY.
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
    let harness = PadHarness::new(sink);
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
