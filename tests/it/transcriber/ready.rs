//! The change to READY: it is fast, and nothing begins or is posted after it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use gst::prelude::*;
use volcasr_loopback::Options;

use super::live::transcriber_at_nowhere;
use super::{on_message, pad, playing};
use crate::common::faults::is_progress;
use crate::common::pad_harness::PadHarness;
use crate::common::*;

/// Another thread posts them than the one that holds the pad's stream lock: a handler may wait for
/// READY, which nothing follows, or for a flush.
#[test]
fn a_handler_of_the_first_message_may_wait_for_the_pad() {
    use gst::MessageType::{Error, Progress};
    for (kind, app_key) in [(Error, "app\n1"), (Progress, "app-1")] {
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
                        harness.flush();
                    }
                    let _ = waits.send(flushes || is_ready_meanwhile(&harness.sink));
                } else if message.type_() != gst::MessageType::StateChanged {
                    let is_ready = harness.sink.current_state() <= gst::State::Ready;
                    follows.fetch_or(is_ready, Ordering::SeqCst);
                }
                gst::BusSyncReply::Drop
            });
            let push = || harness.pad.push(harness.buffer(None, &[0; 960]));
            let flow = push();
            if kind == Error {
                assert_eq!(flow, Err(gst::FlowError::Flushing), "{flushes}");
            }
            assert_eq!(waited.recv_timeout(LONG), Ok(true), "{kind:?} {flushes}");
            if flushes {
                harness.segment_at(0, 0);
                assert_eq!(push().is_ok(), kind == Progress, "{kind:?}");
            }
            harness.go(gst::State::Null);
            wait_until("no handler runs", || Arc::strong_count(&harness) == 1);
            assert!(!late.load(Ordering::SeqCst), "{kind:?} {flushes}");
        }
    }
}

/// The text pad's task may be downstream for long while the element goes to READY.
#[test]
fn a_buffer_on_the_way_to_ready_begins_no_other_run() {
    let (service, harness) = playing("");
    let gate = Arc::new(Mutex::new(()));
    let held = gate.lock().expect("no panic");
    let (reached, blocked) = mpsc::channel();
    let at_gate = gate.clone();
    pad(&harness, "src").add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        let _ = reached.send(());
        drop(at_gate.lock());
        gst::PadProbeReturn::Ok
    });
    let (pcm, _) = speech(1);
    harness.push_all(0, &pcm, 100);
    blocked.recv_timeout(LONG).expect("text");
    let element = harness.sink.clone();
    let stopper = thread::spawn(move || element.set_state(gst::State::Ready));
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
    let harness = Arc::new(PadHarness::new(transcriber_at_nowhere()));
    let responses = set(element("fakesink"), "async=false");
    harness.pipeline.add(&responses).expect("a new element");
    let unsynced = Some("unsynced_src");
    let linked = harness.sink.link_pads(unsynced, &responses, None);
    linked.expect("JSON");
    responses.sync_state_with_parent().expect("PLAYING");
    let (begins, begun) = mpsc::channel();
    let (flushes, flushed) = mpsc::channel();
    // No server answers there: the element posts this one itself, before its pads are deactivated.
    let is_end = move |message: &gst::Message| {
        if is_progress(message, gst::ProgressType::Start) {
            let _ = begins.send(());
        }
        is_progress(message, gst::ProgressType::Canceled)
    };
    on_message(&harness, is_end, move |harness| {
        let harness = harness.clone();
        let flush = thread::spawn(move || harness.flush());
        let _ = flushes.send(flush.join().is_ok());
    });
    harness.push(0, &[0; 960]);
    begun.recv_timeout(LONG).expect("it begins to connect");
    let ready = harness.sink.set_state(gst::State::Ready);
    assert_eq!(ready, Ok(gst::StateChangeSuccess::Success));
    assert_eq!(flushed.try_recv(), Ok(true));
}
