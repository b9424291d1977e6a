//! Sync handlers of the bus that call back, block or shut down. There is no deadlock, and no other
//! element of the process waits.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use crate::common::pad_harness::PadHarness;
use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::Options;

/// Handles each transcript on the thread that posts it.
fn on_transcript(bus: &gst::Bus, handle: impl Fn(&Transcript) + Send + Sync + 'static) {
    bus.set_sync_handler(move |_, message| {
        if let Some(transcript) = Transcript::from_message(message) {
            handle(&transcript);
        }
        gst::BusSyncReply::Pass
    });
}

/// Blocks each thread that posts a transcript until the door opens, and counts it.
fn block(bus: &gst::Bus, door: &Door, inside: &Arc<AtomicUsize>) {
    let (door, inside) = (door.clone(), inside.clone());
    on_transcript(bus, move |_| {
        inside.fetch_add(1, Ordering::SeqCst);
        door.wait();
    });
}

#[test]
fn that_call_back_into_the_element() {
    let service = service(Options::default());
    let (pcm, marks) = speech(5);
    let mut rig = TestPipeline::at(&service, "");
    let calls = Arc::new(AtomicUsize::new(0));
    let (sink, count) = (rig.sink.clone(), calls.clone());
    rig.bus.set_sync_handler(move |_, message| {
        // Ours; the base class posts its own with its locks held, as in every sink.
        use gst::MessageType::{Element, Progress, Tag};
        let is_ours = [Element, Tag, Progress].contains(&message.type_());
        if is_ours && message.src().is_some_and(|source| *source == sink) {
            assert!(stat(&sink, "frames-sent") < 1_000_000);
            let _ = sink.property::<Option<String>>("log-id");
            sink.set_property("post-tags", true);
            sink.set_property("interim-results", true);
            sink.set_property("connect-timeout", 9000u32);
            let _ = sink.query_position::<gst::ClockTime>();
            let custom = gst::Structure::new_empty("anything");
            let _ = sink.send_event(gst::event::CustomUpstream::new(custom));
            count.fetch_add(1, Ordering::SeqCst);
        }
        gst::BusSyncReply::Pass
    });
    let log = rig.run(&pcm, 20);
    log.assert_said(&marks, 0);
    assert!(calls.load(Ordering::SeqCst) > marks.len());
}

/// Audio goes on, getters answer, states change, others are not held up; the words wait, and the
/// end for them.
#[test]
fn that_block() {
    let service = service(Options::default());
    let (pcm, marks) = speech(5);
    let mut rig = TestPipeline::at(&service, "");
    let (door, inside) = (Door::default(), Arc::default());
    block(&rig.bus, &door, &inside);
    rig.begin(&pcm, 20);
    rig.eos();
    wait_until("the handler blocks", || inside.load(Ordering::SeqCst) > 0);
    // All of it arrives, and is answered.
    until_connection(&service, |c| c.final_at.is_some());
    assert!(stat(&rig.sink, "rendered") > 0);
    // The others in the process.
    TestPipeline::at(&service, "").speak(1);
    let mut calls = Calls::default();
    for _ in 0..5 {
        calls.time("PAUSED", || rig.go(gst::State::Paused));
        calls.time("PLAYING", || rig.go(gst::State::Playing));
    }
    calls.assert_at_once("a handler blocks");
    assert!(!rig.take().saw_eos());
    door.open();
    let log = rig.listen();
    log.assert_said(&marks, 0);
}

/// Nearly as many as the pool has threads; all the while READY is at hand.
#[test]
fn that_block_in_many_elements() {
    let service = service(Options::default());
    let (pcm, _) = speech(1);
    let (door, inside) = (Door::default(), Arc::default());
    let rigs: Vec<TestPipeline> = (0..40)
        .map(|_| {
            let mut rig = TestPipeline::at(&service, "");
            block(&rig.bus, &door, &inside);
            rig.begin(&pcm, 100);
            rig
        })
        .collect();
    wait_until("all block", || inside.load(Ordering::SeqCst) == rigs.len());
    TestPipeline::at(&service, "").speak(1);
    let mut calls = Calls::default();
    for rig in &rigs {
        calls.time("READY", || rig.go(gst::State::Ready));
    }
    calls.assert_at_once("many handlers block");
    door.open();
}

/// In the handler itself, or on another thread that the handler waits for; with audio to come, or
/// while the end is awaited.
#[test]
fn that_shut_the_pipeline_down() {
    for (other_thread, at_end) in [(true, false), (false, false), (true, true)] {
        let service = service(Options::default());
        let (pcm, _) = speech(if at_end { 1 } else { 3 });
        let mut rig = TestPipeline::at(&service, "");
        let pipeline = rig.pipeline.downgrade();
        let (done, is_done) = mpsc::channel();
        // Nothing gets to the bus, which the next run reads.
        rig.bus.set_sync_handler(move |_, message| {
            let is_time = |transcript: Transcript| transcript.is_final || !at_end;
            if Transcript::from_message(message).is_some_and(is_time)
                && let Some(pipeline) = pipeline.upgrade()
            {
                let down = move || pipeline.set_state(gst::State::Null).expect("NULL");
                if other_thread {
                    std::thread::spawn(down).join().expect("no panic");
                } else {
                    down();
                }
                let _ = done.send(());
            }
            gst::BusSyncReply::Drop
        });
        rig.play();
        if at_end {
            rig.push(&pcm[..pcm.len() - 48_000], 20);
            rig.eos();
        } else {
            rig.push(&pcm, 20);
        }
        let is_down = is_done.recv_timeout(LONG).is_ok();
        assert!(
            is_down,
            "on another thread {other_thread}, at the end {at_end}"
        );
        assert_eq!(rig.pipeline.current_state(), gst::State::Null);
        until_connection(&service, |c| c.end.is_some());
        // And once more, with a clean bus.
        rig.bus.unset_sync_handler();
        rig.take();
        rig.speak(1);
    }
}

/// Messages that were to follow the progress's end do not come after READY.
#[test]
fn that_stop_at_the_end_of_the_progress() {
    let nowhere = sink_for("ws://127.0.0.1:1/api/v3/sauc/bigmodel_async");
    let mut rig = TestPipeline::new(set(nowhere, "max-reconnects=0"));
    let pipeline = rig.pipeline.downgrade();
    let (done, is_done) = mpsc::channel();
    rig.bus.set_sync_handler(move |_, message| {
        if let gst::MessageView::Progress(progress) = message.view()
            && progress.get().0 == gst::ProgressType::Error
            && let Some(pipeline) = pipeline.upgrade()
        {
            pipeline.set_state(gst::State::Ready).expect("READY");
            let _ = done.send(());
        }
        gst::BusSyncReply::Pass
    });
    rig.play();
    is_done.recv_timeout(LONG).expect("no deadlock");
    // A whole run later nothing has come, and nothing will.
    let service = service(Options::default());
    rig.sink.set_property("uri", service.uri());
    rig.bus.unset_sync_handler();
    rig.speak(1);
}

/// The flush waits for messages that are on their way, but not for the one that it comes from. That
/// would take 100 ms each time; a busy machine does not delay every flush as long.
#[test]
fn that_flush() {
    let at_once = (0..5).any(|_| flush_in_a_handler() < Duration::from_millis(90));
    assert!(at_once, "each flush waited");
}

/// Flushes in the handler of the first transcript. Returns how long it took.
fn flush_in_a_handler() -> Duration {
    let (_service, harness) = PadHarness::start("");
    let (pcm, _) = speech(1);
    let pad = harness.pad.clone();
    let (done, is_done) = mpsc::channel();
    on_transcript(&harness.bus, move |transcript| {
        if transcript.stream == 0 {
            let began = Instant::now();
            pad.push_event(gst::event::FlushStart::new());
            pad.push_event(gst::event::FlushStop::new(true));
            let _ = done.send(began.elapsed());
        }
    });
    // Flushed, or after the flush without a segment.
    harness.push_until_refused(pcm.chunks(4800), 100);
    is_done.recv_timeout(LONG).expect("no deadlock")
}
