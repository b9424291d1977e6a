//! The property `stats`, and the ids that the vendor's support asks for.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::common::*;
use gst::glib::types::Type;
use gst::prelude::*;
use volcasr_loopback::Gate;

/// Names of the fields that are numbers.
const NUMBERS: &str = "dropped rendered sessions reconnects frames-sent bytes-sent audio-received \
    audio-sent audio-replayed audio-dropped audio-queued responses utterances result-latency-last \
    result-latency-avg result-latency-max send-latency-last send-latency-max connect-time";

/// Every field, with its type, before the first run, in it, and after it.
#[test]
fn every_field_has_its_type() {
    let (_service, rig) = TestPipeline::start("");
    let numbers = NUMBERS.split_whitespace().map(|name| (name, Type::U64));
    let others = [("average-rate", Type::F64), ("connected", Type::BOOL)];
    let expected: BTreeMap<_, _> = numbers.chain(others).collect();
    let check = |when: &str| {
        let stats: gst::Structure = rig.sink.property("stats");
        assert_eq!(stats.name(), "application/x-volcasr-stats");
        let fields = stats
            .iter()
            .map(|(name, value)| (name.as_str(), value.type_()));
        assert_eq!(fields.collect::<BTreeMap<_, _>>(), expected, "{when}");
    };
    check("before");
    rig.play();
    check("while it plays");
    rig.go(gst::State::Null);
    check("after");
}

/// After a session the figures agree with what the service saw.
#[test]
fn the_figures_are_those_of_the_service() {
    let (service, mut rig) = TestPipeline::start("");
    let (pcm, _) = speech(2);
    let log = rig.run(&pcm, 100);
    let audio = rig.time_of(&pcm).nseconds();
    let connection = &service.connections()[0];
    let stats: gst::Structure = rig.sink.property("stats");
    // As the base class has it: it does not know without qos.
    assert_eq!(stats.get("average-rate"), Ok(-1.0));
    assert_eq!(stats.get("connected"), Ok(false), "the stream has ended");
    // A header of 4 bytes, a sequence and a size for each.
    let bytes: usize = connection.frames.iter().map(|f| f.wire_size + 12).sum();
    for (name, expected) in [
        ("rendered", pcm.len().div_ceil(4800) as u64),
        ("dropped", 0),
        ("sessions", 1),
        ("reconnects", 0),
        ("frames-sent", connection.packets),
        ("bytes-sent", bytes as u64),
        ("audio-received", audio),
        ("audio-sent", audio),
        ("audio-replayed", 0),
        ("audio-dropped", 0),
        ("audio-queued", 0),
        ("responses", connection.responses.len() as u64),
        ("utterances", log.finals().len() as u64),
    ] {
        assert_eq!(stat(&rig.sink, name), expected, "{name}");
    }
    let latency = ["last", "avg", "max"].map(|of| format!("result-latency-{of}"));
    let [last, average, longest] = latency.map(|name| stat(&rig.sink, &name));
    assert!(last <= longest && average <= longest, "{stats:?}");
    for time in [average, longest, stat(&rig.sink, "connect-time")] {
        assert!(0 < time && time < LONG.as_nanos() as u64, "{stats:?}");
    }
    // They stay until the next start, even if `rate` changes for that.
    rig.go(gst::State::Ready);
    let after: gst::Structure = rig.sink.property("stats");
    rig.sink.set_property("rate", 16_000);
    assert_eq!(rig.sink.property::<gst::Structure>("stats"), after);
    assert_eq!(stat(&rig.sink, "audio-sent"), audio);
    rig.go(gst::State::Paused);
    assert_eq!(stat(&rig.sink, "audio-sent"), 0);
}

/// The latency covers the service's delay, and is no longer than the whole took.
#[test]
fn the_latency_is_the_service_s() {
    const LAG: std::time::Duration = std::time::Duration::from_millis(400);
    let (service, mut rig) = TestPipeline::start("");
    rig.play();
    service.hold(Gate::Responses);
    let began = Instant::now();
    rig.push(&speech(1).0, 100);
    until_connection(&service, |c| c.audio_bytes > 48_000);
    let arrived = Instant::now();
    wait_until("the lag", || arrived.elapsed() >= LAG);
    service.release(Gate::Responses);
    rig.listen_until(is_transcript);
    let longest = u128::from(stat(&rig.sink, "result-latency-max"));
    let passed = began.elapsed();
    assert!(longest >= LAG.as_nanos(), "{longest}");
    assert!(longest <= passed.as_nanos(), "{longest} of {passed:?}");
}
