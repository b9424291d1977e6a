//! The last words at the end of a stream: in PAUSED, without preroll, and when the service never
//! says them.

use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::Options;

/// Without a single buffer, the end itself is the preroll.
#[test]
fn the_end_in_paused_without_audio() {
    let service = service(Options::default());
    let rig = TestPipeline::new(sink(&service));
    rig.go(gst::State::Paused);
    rig.eos();
    let (changed, ..) = rig.pipeline.state(LONG_TIME);
    assert_eq!(changed, Ok(gst::StateChangeSuccess::Success));
    rig.play();
    assert!(rig.listen().saw_eos());
    assert!(service.inspect(|all| all.iter().all(|c| c.path.is_empty())));
}

/// The clock's time does not make the end come early, nor twice.
#[test]
fn in_real_time() {
    let service = service(Options::default());
    let mut rig = TestPipeline::new(set(sink(&service), "sync=true"));
    rig.speak(1);
    rig.go(gst::State::Paused);
    rig.play();
    // The base class posts EOS anew; the stream is not finished anew.
    assert!(rig.listen().saw_eos());
    assert_eq!(service.connections().len(), 1);
}
