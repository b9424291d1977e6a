//! The property `stats`, and the ids that the vendor's support asks for.

use std::time::Instant;

use crate::common::*;
use gst::glib::types::Type;
use gst::prelude::*;
use volcasr_loopback::{Gate, Options};

fn nanos(stats: &gst::StructureRef, name: &str) -> u64 {
    stats.get(name).expect(name)
}

/// Every field, with its type, before the first run, in it, and after it.
#[test]
fn every_field_has_its_type() {
    let service = service(Options::default());
    let mut rig = TestPipeline::new(sink(&service));
    let check = |when: &str| {
        let stats: gst::Structure = rig.sink.property("stats");
        assert_eq!(stats.name(), "application/x-volcasr-stats");
        let mut fields: Vec<_> = stats
            .iter()
            .map(|(name, value)| (name.to_string(), value.type_()))
            .collect();
        fields.sort();
        let mut expected: Vec<_> = [("average-rate", Type::F64), ("connected", Type::BOOL)]
            .into_iter()
            .chain(
                [
                    "dropped",
                    "rendered",
                    "sessions",
                    "reconnects",
                    "frames-sent",
                    "bytes-sent",
                    "audio-received",
                    "audio-sent",
                    "audio-replayed",
                    "audio-dropped",
                    "audio-queued",
                    "responses",
                    "utterances",
                    "result-latency-last",
                    "result-latency-avg",
                    "result-latency-max",
                    "send-latency-last",
                    "send-latency-max",
                    "connect-time",
                ]
                .map(|name| (name, Type::U64)),
            )
            .map(|(name, type_)| (name.to_owned(), type_))
            .collect();
        expected.sort();
        assert_eq!(fields, expected, "{when}");
    };
    check("before");
    rig.play();
    check("while it plays");
    rig.go(gst::State::Null);
    check("after");
    rig.next = gst::ClockTime::ZERO;
    rig.run(&speech(1).0, 100);
}

/// After a session the figures agree with what the service saw.
#[test]
fn the_figures_are_those_of_the_service() {
    let service = service(Options::default());
    let mut rig = TestPipeline::new(sink(&service));
    let (pcm, _) = speech(2);
    let buffers = pcm.len().div_ceil(4800) as u64;
    let log = rig.run(&pcm, 100);
    let stats: gst::Structure = rig.sink.property("stats");
    let audio = rig.time_of(&pcm).nseconds();
    let connection = &service.connections()[0];
    assert_eq!(nanos(&stats, "rendered"), buffers);
    assert_eq!(nanos(&stats, "dropped"), 0);
    // As the base class has it: it does not know without qos.
    assert_eq!(stats.get("average-rate"), Ok(-1.0));
    assert_eq!(stats.get("connected"), Ok(false), "the stream has ended");
    assert_eq!(nanos(&stats, "sessions"), 1);
    assert_eq!(nanos(&stats, "reconnects"), 0);
    assert_eq!(nanos(&stats, "frames-sent"), connection.packets);
    // A header of 4 bytes, a sequence and a size for each.
    let bytes: usize = connection.frames.iter().map(|f| f.wire_size + 12).sum();
    assert_eq!(nanos(&stats, "bytes-sent"), bytes as u64);
    assert_eq!(nanos(&stats, "audio-received"), audio);
    assert_eq!(nanos(&stats, "audio-sent"), audio);
    for name in ["audio-replayed", "audio-dropped", "audio-queued"] {
        assert_eq!(nanos(&stats, name), 0, "{name}");
    }
    assert_eq!(
        nanos(&stats, "responses"),
        connection.responses.len() as u64
    );
    assert_eq!(nanos(&stats, "utterances"), log.finals().len() as u64);
    let latency =
        ["last", "avg", "max"].map(|name| nanos(&stats, &format!("result-latency-{name}")));
    assert!(
        latency[0] <= latency[2] && latency[1] <= latency[2],
        "{latency:?}"
    );
    assert!(
        0 < latency[1] && latency[2] < LONG.as_nanos() as u64,
        "{latency:?}"
    );
    let connect = nanos(&stats, "connect-time");
    assert!(0 < connect && connect < LONG.as_nanos() as u64, "{connect}");
    // They stay until the next start.
    rig.go(gst::State::Ready);
    let after: gst::Structure = rig.sink.property("stats");
    assert_eq!(nanos(&after, "audio-sent"), audio);
    rig.go(gst::State::Paused);
    let anew: gst::Structure = rig.sink.property("stats");
    assert_eq!(nanos(&anew, "audio-sent"), 0);
}

/// After READY no session is open, and the figures stay as they were, even if `rate` changes for
/// the next run.
#[test]
fn after_ready_the_figures_stay() {
    let service = service(Options::default());
    let mut rig = TestPipeline::new(sink(&service));
    rig.play();
    rig.push(&speech(1).0, 100);
    rig.listen_until(is_transcript);
    let stats = || rig.sink.property::<gst::Structure>("stats");
    assert_eq!(stats().get("connected"), Ok(true));
    rig.go(gst::State::Ready);
    let after = stats();
    assert_eq!(after.get("connected"), Ok(false));
    assert!(nanos(&after, "audio-sent") > 0);
    rig.sink.set_property("rate", 16_000);
    assert_eq!(stats(), after);
}

/// The latency covers the service's delay, and is no longer than the whole took.
#[test]
fn the_latency_is_the_service_s() {
    const LAG: std::time::Duration = std::time::Duration::from_millis(400);
    let service = service(Options::default());
    let mut rig = TestPipeline::new(sink(&service));
    rig.play();
    service.hold(Gate::Responses);
    let began = Instant::now();
    rig.push(&speech(1).0, 100);
    assert!(service.wait(LONG, |all| all.iter().any(|c| c.audio_bytes > 48_000)));
    let arrived = Instant::now();
    wait_until("the lag", || arrived.elapsed() >= LAG);
    service.release(Gate::Responses);
    rig.listen_until(is_transcript);
    let longest = u128::from(stat(&rig.sink, "result-latency-max"));
    let passed = began.elapsed();
    assert!(longest >= LAG.as_nanos(), "{longest}");
    assert!(longest <= passed.as_nanos(), "{longest} of {passed:?}");
}
