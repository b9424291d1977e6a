//! The application's threads: none is blocked, and any may call, those of its own runtime too.

use std::time::Duration;

use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::tls::Authority;
use volcasr_loopback::{Fault, FaultKind, Gate, Options, Trigger};

/// Changes the state, which is to take no time.
fn go(calls: &mut Calls, rig: &TestPipeline, state: gst::State) {
    let what = match state {
        gst::State::Playing => "PLAYING",
        gst::State::Paused => "PAUSED",
        gst::State::Ready => "READY",
        _ => "NULL",
    };
    let changed = calls.time(what, || rig.pipeline.set_state(state));
    changed.expect(what);
}

fn whole_session() {
    let service = service(Options::default());
    let (pcm, marks) = speech(1);
    let mut rig = TestPipeline::new(sink(&service));
    let log = rig.run(&pcm, 100);
    log.assert_said(&marks, 0);
    for state in [gst::State::Ready, gst::State::Paused, gst::State::Null] {
        rig.go(state);
    }
}

/// Entering a runtime from within another one panics: the element must not.
#[tokio::test(flavor = "current_thread")]
async fn from_the_thread_of_a_runtime() {
    whole_session();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_a_worker_of_a_runtime() {
    tokio::spawn(async { whole_session() })
        .await
        .expect("no panic");
    tokio::task::spawn_blocking(whole_session)
        .await
        .expect("no panic");
}

/// Its last reference goes on a worker of the application's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_by_a_worker_of_a_runtime() {
    let service = service(Options::default());
    service.hold(Gate::Ack);
    let mut rig = TestPipeline::new(sink(&service));
    rig.play();
    rig.push(&speech(1).0, 100);
    until_connection(&service, |c| !c.path.is_empty());
    tokio::spawn(async move { drop(rig) })
        .await
        .expect("no panic");
}

/// A service that hangs at `when` holds up no state change, with audio under way and at the end.
fn hangs(when: Trigger, tls: bool) {
    let authority = Authority::new().expect("a key");
    let service = service(Options {
        tls: tls.then(|| authority.good().expect("a key")),
        faults: vec![Fault::each(FaultKind::Hang, when)],
        ..Options::default()
    });
    let mut calls = Calls::default();
    for end in [false, true, false, true] {
        let struck = |all: &[volcasr_loopback::Connection]| {
            all.iter().filter(|c| !c.faults.is_empty()).count()
        };
        let before = service.inspect(struck);
        let mut rig = TestPipeline::new(set(sink(&service), "max-queue-time=1000"));
        go(&mut calls, &rig, gst::State::Playing);
        rig.push(&speech(if end { 1 } else { 3 }).0, 100);
        if end {
            rig.sink.set_property("max-queue-time", 30_000u32);
            rig.end();
        }
        assert!(service.wait(LONG, |all| struck(all) > before));
        let _: gst::Structure = calls.time("stats", || rig.sink.property("stats"));
        for state in [
            gst::State::Paused,
            gst::State::Playing,
            gst::State::Ready,
            gst::State::Playing,
            gst::State::Null,
        ] {
            go(&mut calls, &rig, state);
        }
        assert!(rig.take().errors().is_empty());
    }
    calls.assert_at_once(&format!("{when:?}"));
}

#[test]
fn hanging_before_tls() {
    child::alone(module_path!(), "hanging_before_tls", || {
        hangs(Trigger::Accept, true)
    });
}

#[test]
fn hanging_before_the_upgrade_and_in_the_audio() {
    hangs(Trigger::Accept, false);
    hangs(Trigger::Audio(Duration::from_millis(500)), false);
}

/// A host that does not answer at all.
#[test]
fn an_address_without_a_host() {
    let mut calls = Calls::default();
    for _ in 0..3 {
        let sink = sink_for("wss://192.0.2.1/api/v3/sauc/bigmodel_async");
        let mut rig = TestPipeline::new(sink);
        go(&mut calls, &rig, gst::State::Playing);
        rig.push(&speech(1).0, 100);
        rig.end();
        go(&mut calls, &rig, gst::State::Null);
    }
    calls.assert_at_once("no host answers");
}
