//! Not a sample is lost, doubled or altered, and every word comes at its time.

use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::Options;
use volcasr_loopback::marks::Layout;

/// An hour as fast as it goes: every mark once, in order, at its exact time; every byte as it was.
#[test]
fn an_hour_arrives_as_it_was() {
    let _permit = heavy();
    let service = service(Options::default());
    let sink = sink(&service);
    sink.set_property("max-speed", 0.0);
    sink.set_property_from_str("compression", "none");
    sink.set_property_from_str("result-type", "single");
    sink.set_property("max-session-time", 0u32);
    let layout = Layout::default();
    let sentences = 3_600_000 / layout.period();
    let (pcm, marks) = layout.sentences(sentences);
    let mut rig = TestPipeline::new(sink);
    let log = rig.run(&pcm, 1000);
    assert!(log.errors().is_empty(), "{:?}", log.errors());
    assert_eq!(marks_of(&log.finals()), expected(&marks, 0));
    assert_ends_once(&log.transcripts());
    let connections = service.connections();
    assert_eq!(connections.len(), 1);
    assert!(*connections[0].pcm == pcm, "the audio differs");
}

/// Buffers of any size, gzip, `full`: the same.
#[test]
fn buffers_of_any_size_arrive_as_they_were() {
    for ms in [1, 7, 10, 200, 333, 5000] {
        let service = service(Options::default());
        let sink = sink(&service);
        sink.set_property("max-speed", 0.0);
        let (pcm, marks) = speech(4);
        let mut rig = TestPipeline::new(sink);
        let log = rig.run(&pcm, ms);
        assert_eq!(marks_of(&log.finals()), expected(&marks, 0), "{ms} ms");
        assert!(
            *service.connections()[0].pcm == pcm,
            "the audio differs at {ms} ms"
        );
    }
}
