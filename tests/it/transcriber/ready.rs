//! The way to READY: it is short, and nothing begins or is posted behind it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use gst::prelude::*;
use volcasr_loopback::Options;

use crate::common::pad_harness::{PadHarness, Segment};
use crate::common::*;

#[test]
fn states_are_left_at_once_while_the_service_hangs() {
    for fault in ["hang@handshake", "hang@ack", "hang@finish"] {
        let service = service(faults::faulty(&[fault], false));
        let mut rig = TestPipeline::new(transcriber(&service));
        rig.play();
        let (pcm, _) = speech(1);
        rig.push(&pcm, 20);
        rig.end();
        let mut calls = Calls::default();
        for _ in 0..3 {
            calls
                .time("READY", || rig.pipeline.set_state(gst::State::Ready))
                .expect("READY");
            calls
                .time("PLAYING", || rig.pipeline.set_state(gst::State::Playing))
                .expect("PLAYING");
            rig.push(&pcm[..9600], 20);
        }
        calls
            .time("NULL", || rig.pipeline.set_state(gst::State::Null))
            .expect("NULL");
        calls.assert_at_once(fault);
    }
}

/// Another thread posts them than the one that holds the pad's stream lock: a handler may wait for
/// READY, which nothing follows, or for a flush.
#[test]
fn a_handler_of_the_first_message_may_wait_for_the_pad() {
    for (kind, app_key) in [
        (gst::MessageType::Error, "app\n1"),
        (gst::MessageType::Progress, "app-1"),
    ] {
        for flushes in [false, true] {
            let service = service(Options::default());
            let element = transcriber(&service);
            element.set_property("app-key", app_key);
            let harness = Arc::new(PadHarness::new(element));
            let (waits, waited) = mpsc::channel();
            let weak = Arc::downgrade(&harness);
            let (first, late) = (AtomicBool::new(true), Arc::new(AtomicBool::new(false)));
            let follows = late.clone();
            harness.bus.set_sync_handler(move |_, message| {
                let Some(harness) = weak.upgrade() else {
                    return gst::BusSyncReply::Drop;
                };
                if message.type_() == kind && first.swap(false, Ordering::SeqCst) {
                    if flushes {
                        harness.flush_start();
                        harness.flush_stop();
                    }
                    let _ = waits.send(flushes || is_ready_meanwhile(&harness.sink));
                } else if message.type_() != gst::MessageType::StateChanged {
                    let is_ready = harness.sink.current_state() == gst::State::Ready;
                    follows.fetch_or(is_ready, Ordering::SeqCst);
                }
                gst::BusSyncReply::Drop
            });
            let push = || harness.pad.push(harness.buffer(None, &[0; 960]));
            let flow = push();
            if kind == gst::MessageType::Error {
                assert_eq!(flow, Err(gst::FlowError::Flushing), "{flushes}");
            }
            assert_eq!(waited.recv_timeout(LONG), Ok(true), "{kind:?} {flushes}");
            if flushes {
                assert!(harness.segment(&Segment::new()));
                let taken = kind == gst::MessageType::Progress;
                assert_eq!(push().is_ok(), taken, "{kind:?}");
            }
            assert!(!late.load(Ordering::SeqCst), "{kind:?}");
        }
    }
}

/// The text pad's task may be downstream for long while the element goes to READY.
#[test]
fn a_buffer_on_the_way_to_ready_begins_no_other_run() {
    let service = service(Options::default());
    let harness = PadHarness::new(transcriber(&service));
    let gate = Arc::new(Mutex::new(()));
    let held = gate.lock().expect("no panic");
    let (reached, blocked) = mpsc::channel();
    let text_pad = harness.sink.static_pad("src").expect("a pad");
    let at_gate = gate.clone();
    text_pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        let _ = reached.send(());
        drop(at_gate.lock());
        gst::PadProbeReturn::Ok
    });
    let (pcm, _) = speech(1);
    harness.push_all(0, &pcm, 100);
    blocked.recv_timeout(LONG).expect("text");
    let stopper = {
        let element = harness.sink.clone();
        thread::spawn(move || element.set_state(gst::State::Ready))
    };
    wait_until("the end of the run", || !is_connected(&harness.sink));
    let late = harness.buffer(None, &pcm[..9600]);
    assert_eq!(harness.pad.push(late), Err(gst::FlowError::Flushing));
    drop(held);
    assert!(stopper.join().expect("no panic").is_ok());
    assert!(!is_connected(&harness.sink));
    assert_eq!(service.connections().len(), 1);
}

/// FLUSH_STOP may come from another thread once both tasks were told to end.
#[test]
fn a_flush_on_the_way_to_ready_begins_nothing() {
    init();
    let transcriber = set(
        element("volcasrtranscriber"),
        "uri=ws://127.0.0.1:1/api/v3/sauc/bigmodel_async api-key=sesame-sesame max-reconnects=1000",
    );
    let harness = Arc::new(PadHarness::new(transcriber));
    let responses = set(element("fakesink"), "async=false");
    harness.pipeline.add(&responses).expect("a new element");
    let linked = harness
        .sink
        .link_pads(Some("unsynced_src"), &responses, None);
    linked.expect("JSON");
    responses.sync_state_with_parent().expect("PLAYING");
    let (begins, begun) = mpsc::channel();
    let (flushes, flushed) = mpsc::channel();
    let weak = Arc::downgrade(&harness);
    // No server answers there: the element posts this one itself, before its pads are deactivated.
    harness.bus.set_sync_handler(move |_, message| {
        let kind = match message.view() {
            gst::MessageView::Progress(progress) => Some(progress.get().0),
            _ => None,
        };
        if kind == Some(gst::ProgressType::Start) {
            let _ = begins.send(());
        }
        if kind == Some(gst::ProgressType::Canceled)
            && let Some(harness) = weak.upgrade()
        {
            let flush = thread::spawn(move || {
                harness.flush_start();
                harness.flush_stop();
            });
            let _ = flushes.send(flush.join().is_ok());
        }
        gst::BusSyncReply::Drop
    });
    harness.push(0, &[0; 960]);
    begun.recv_timeout(LONG).expect("it begins to connect");
    let ready = harness.sink.set_state(gst::State::Ready);
    assert_eq!(ready, Ok(gst::StateChangeSuccess::Success));
    assert_eq!(flushed.try_recv(), Ok(true));
}

fn is_connected(element: &gst::Element) -> bool {
    let stats = element.property::<gst::Structure>("stats");
    stats.get("connected").expect("a field of the statistics")
}
