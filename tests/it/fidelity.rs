//! Not a sample is lost, doubled or altered, and every word comes at its time.

use crate::common::*;
use volcasr_loopback::Options;
use volcasr_loopback::marks::Layout;

/// Ten minutes as fast as they go: every mark once, in order, at its exact time; every byte as it
/// was. The bench `long` has hours.
#[test]
fn a_long_session_arrives_as_it_was() {
    let service = service(Options::default());
    let properties = "compression=none result-type=single max-session-time=0";
    let layout = Layout::default();
    let (pcm, marks) = layout.sentences(600_000 / layout.period());
    let log = TestPipeline::at(&service, properties).run(&pcm, 1000);
    log.assert_said(&marks, 0);
    let [connection] = &service.connections()[..] else {
        panic!("another connection")
    };
    assert!(*connection.pcm == pcm, "the audio differs");
}
