//! The application's threads: none is blocked, and any may call, those of its own runtime too.

use crate::common::*;
use volcasr_loopback::{Gate, Options};

fn whole_session() {
    let service = service(Options::default());
    let mut rig = TestPipeline::new(sink(&service));
    rig.speak(1);
    for state in [gst::State::Ready, gst::State::Paused, gst::State::Null] {
        rig.go(state);
    }
}

/// Entering a runtime from within another one panics: the element must not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_a_runtime() {
    whole_session();
    for session in [
        tokio::spawn(async { whole_session() }),
        tokio::task::spawn_blocking(whole_session),
    ] {
        session.await.expect("no panic");
    }
}

/// Its last reference goes on a worker of the application's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_by_a_worker_of_a_runtime() {
    let service = service(Options::default());
    service.hold(Gate::Ack);
    let mut rig = TestPipeline::new(sink(&service));
    rig.begin(&speech(1).0, 100);
    until_connection(&service, |c| !c.path.is_empty());
    let dropped = tokio::spawn(async move { drop(rig) });
    dropped.await.expect("no panic");
}

/// A host that does not answer at all.
#[test]
fn an_address_without_a_host() {
    let mut calls = Calls::default();
    for _ in 0..3 {
        let sink = sink_for("wss://192.0.2.1/api/v3/sauc/bigmodel_async");
        let mut rig = TestPipeline::new(sink);
        calls.time("PLAYING", || rig.go(gst::State::Playing));
        rig.push(&speech(1).0, 100);
        rig.eos();
        calls.time("NULL", || rig.go(gst::State::Null));
    }
    calls.assert_at_once("no host answers");
}
