//! Not a sample is lost, doubled or altered, and every word comes at its time.

use crate::common::*;
use volcasr_loopback::Options;
use volcasr_loopback::marks::Layout;

/// Ten minutes as fast as they go: every mark once, in order, at its exact time; every byte as it
/// was. The bench `long` has hours.
#[test]
fn a_long_session_arrives_as_it_was() {
    let service = service(Options::default());
    let sink = set(
        unpaced_sink(&service),
        "compression=none result-type=single max-session-time=0",
    );
    let layout = Layout::default();
    let sentences = 600_000 / layout.period();
    let (pcm, marks) = layout.sentences(sentences);
    let mut rig = TestPipeline::new(sink);
    let log = rig.run(&pcm, 1000);
    log.assert_said(&marks, 0);
    let connections = service.connections();
    assert_eq!(connections.len(), 1);
    assert!(*connections[0].pcm == pcm, "the audio differs");
}

/// Buffers of any size, gzip, `full`: the same.
#[test]
fn buffers_of_any_size_arrive_as_they_were() {
    for ms in [1, 7, 10, 200, 333, 5000] {
        let service = service(Options::default());
        let sink = unpaced_sink(&service);
        let (pcm, marks) = speech(4);
        let mut rig = TestPipeline::new(sink);
        let log = rig.run(&pcm, ms);
        log.assert_said_in(ms, &marks, 0);
        assert!(
            *service.connections()[0].pcm == pcm,
            "the audio differs at {ms} ms"
        );
    }
}
