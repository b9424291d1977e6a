//! PLAYING → PAUSED → PLAYING in the middle of anything loses nothing.

use std::time::Duration;

use crate::common::pad_harness::{PadHarness, Segment, each_way, ways_to_preroll};
use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::{Gate, Options};

/// A state change that has nothing to wait for is done within this, also on a busy machine.
const SOON: gst::ClockTime = gst::ClockTime::from_seconds(2);

/// Changes the state, which is done soon and does not block.
fn change(pipeline: &gst::Pipeline, state: gst::State) {
    let changed = Calls::default().time("set_state", || pipeline.set_state(state));
    changed.expect("to change");
    let (changed, now, _) = pipeline.state(SOON);
    let done = Ok(gst::StateChangeSuccess::Success);
    assert_eq!(changed, done, "still {now:?}");
}

fn pause(pipeline: &gst::Pipeline) {
    change(pipeline, gst::State::Paused);
}

fn play(pipeline: &gst::Pipeline) {
    change(pipeline, gst::State::Playing);
}

/// Changes the sink's state faster than its streaming thread wakes up, which must not keep what the
/// next change needs.
fn hurry(sink: &gst::Element) {
    let mut calls = Calls::default();
    for _ in 0..2000 {
        for state in [gst::State::Paused, gst::State::Playing] {
            let changed = calls.time("set_state", || sink.set_state(state));
            changed.expect("to change");
        }
    }
}

/// The peer takes nothing, the queue is full, and the streaming thread waits for room. The end
/// waits behind it all.
#[test]
pub fn while_a_send_is_blocked() {
    ways_to_preroll().iter().for_each(|case| {
        let (service, mut rig) = TestPipeline::start(&format!("{BLOCKING} {case}"));
        let (pcm, marks) = speech(150);
        rig.begin(&pcm[..96_000], 100);
        until_connection(&service, |c| c.audio_bytes > 0);
        service.hold(Gate::Reading);
        rig.push(&pcm[96_000..], 100);
        rig.eos();
        until_blocked(&rig.sink, Duration::from_millis(400));
        let queued = stat(&rig.sink, "audio-queued");
        hurry(&rig.sink);
        // Being woken so often makes no room.
        assert!(stat(&rig.sink, "audio-queued") <= queued.max(1_000_000_000));
        for _ in 0..10 {
            pause(&rig.pipeline);
            play(&rig.pipeline);
        }
        pause(&rig.pipeline);
        // A filter does not count it, and takes buffers in PAUSED.
        let rendered = || {
            let stats = rig.sink.property::<gst::Structure>("stats");
            stats.get::<u64>("rendered").ok()
        };
        let before = rendered();
        service.release(Gate::Reading);
        // Queued audio goes out in PAUSED, too; a sink takes nothing new.
        wait_until("the queue runs dry", || {
            stat(&rig.sink, "audio-queued") < 200_000_000
        });
        assert_eq!(rendered(), before, "{case}");
        play(&rig.pipeline);
        let log = rig.listen();
        log.assert_clean();
        log.assert_said(&marks, 0);
        let connections = service.connections();
        assert_eq!(connections.len(), 1);
        assert!(*connections[0].pcm == pcm);
    });
}

/// While audio flows, not a sample of it is lost or doubled.
#[test]
fn while_audio_flows() {
    ways_to_preroll().iter().for_each(|case| {
        let (service, mut rig) = TestPipeline::start(case);
        let (pcm, marks) = speech(40);
        let (first, rest) = pcm.split_at(48 * 600);
        rig.begin(first, 20);
        rig.until_taken(first);
        let sink = rig.sink.clone();
        beside(|| hurry(&sink), || rig.push(rest, 20));
        let log = rig.end();
        log.assert_clean_in(case);
        log.assert_said_in(case, &marks, 0);
        let connections = service.connections();
        assert_eq!(connections.len(), 1, "{case}");
        assert!(*connections[0].pcm == pcm, "{case}: the audio differs");
    });
}

#[test]
pub fn the_end_comes_in_paused() {
    for timed in [true, false] {
        each_way(|service, harness, case| {
            let (pcm, marks) = speech(2);
            for (n, piece) in pcm.chunks(harness.bytes(100)).enumerate() {
                harness.push(timed.then_some(n as u64 * 100), piece);
            }
            service.hold(Gate::Final);
            let pad = harness.pad.clone();
            // Not awaited: without a buffer to preroll with it is done with the EOS.
            let _ = harness.pipeline.set_state(gst::State::Paused);
            let eos = std::thread::spawn(move || pad.push_event(gst::event::Eos::new()));
            let (result, ..) = harness.pipeline.state(SOON);
            assert!(result.is_ok(), "{case}: EOS does not preroll");
            let mut log = harness.take();
            assert!(!log.saw_eos());
            // The drain does not keep PLAYING from being reached, though its words are still due.
            play(&harness.pipeline);
            until_connection(service, |c| c.finish_at.is_some());
            pause(&harness.pipeline);
            play(&harness.pipeline);
            service.release(Gate::Final);
            assert!(eos.join().expect("no panic"));
            log.add(harness.listen());
            log.assert_clean_in(case);
            log.assert_said_in(case, &marks, 0);
        });
    }
}

#[test]
pub fn during_the_drain() {
    ways_to_preroll().iter().for_each(|case| {
        let service = service(Options::default());
        let (pcm, marks) = speech(2);
        let mut rig = TestPipeline::at(&service, case);
        service.hold(Gate::Final);
        rig.begin(&pcm[..pcm.len() - 48_000], 20);
        rig.eos();
        until_connection(&service, |c| c.finish_at.is_some());
        hurry(&rig.sink);
        for _ in 0..5 {
            pause(&rig.pipeline);
            play(&rig.pipeline);
        }
        pause(&rig.pipeline);
        service.release(Gate::Final);
        // The words come in PAUSED, the end only in PLAYING.
        let mut log = rig.listen_for(|t| t.is_final && t.text.contains('5'));
        assert!(!log.saw_eos());
        play(&rig.pipeline);
        log.add(rig.listen());
        log.assert_clean_in(case);
        log.assert_said_in(case, &marks, 0);
        // The base class says EOS again after a pause; the session is not finished again.
        pause(&rig.pipeline);
        play(&rig.pipeline);
        let again = rig.listen();
        assert!(again.transcripts().is_empty() && again.errors().is_empty());
        let [connection] = &service.connections()[..] else {
            panic!("another connection")
        };
        let finishes = connection.frames.iter().filter(|f| f.flags == 0b0011);
        assert_eq!(finishes.count(), 1);
        assert!(connection.errors.is_empty());
    });
}

/// The base class goes from the preroll to PLAYING by itself then.
#[test]
fn an_element_without_a_pipeline_waits_for_room() {
    let service = service(Options::default());
    let properties = "max-queue-time=1000 leaky=no";
    let harness = PadHarness::held(set(unpaced_sink(&service), properties));
    let sink = &harness.sink;
    sink.set_state(gst::State::Null).expect("NULL");
    harness.pipeline.remove(sink).expect("it is there");
    let bus = gst::Bus::new();
    sink.set_bus(Some(&bus));
    let peer = sink.static_pad("sink").expect("its pad");
    harness.pad.link(&peer).expect("a free pad");
    sink.set_state(gst::State::Playing).expect("to play");
    assert!(harness.begin("alone") && harness.segment(&Segment::new()));
    let (pcm, marks) = speech(40);
    harness.push_all(0, &pcm, 1000);
    assert!(harness.eos());
    let log = listen(&bus);
    log.assert_clean();
    log.assert_said(&marks, 0);
    sink.set_state(gst::State::Null).expect("NULL");
    sink.set_bus(None);
}
