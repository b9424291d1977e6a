//! Buffers and segments of all kinds: each has a defined result.

use std::time::Instant;

use crate::common::pad_harness::{PadHarness, Segment, ms};
use crate::common::seconds::*;
use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::Options;

#[test]
fn odd_bytes_and_empty_buffers_do_no_harm() {
    let (service, harness) = start();
    harness.push(0, &[]);
    let mut odd = second(0);
    odd.push(17);
    harness.push(0, &odd);
    harness.push(1000, &[9]);
    harness.push(1000, &[]);
    harness.push(1000, &second(1));
    assert_recognised(&harness, &[0, 1000]);
    assert_eq!(lengths(&service), [2000]);
}

#[test]
fn only_empty_buffers_open_no_session() {
    let (service, harness) = start();
    harness.push(0, &[]);
    harness.push(0, &[1]);
    let log = harness.end();
    assert!(log.saw_eos() && log.errors().is_empty());
    assert!(service.connections().iter().all(|c| c.request.is_none()));
}

#[test]
fn what_lies_outside_the_segment_is_not_recognised() {
    let (service, harness) = start();
    let mut segment = Segment::new();
    segment.set_start(ms(10_000));
    segment.set_stop(ms(13_000));
    segment.set_time(ms(500));
    assert!(harness.segment(&segment));
    harness.push(8000, &second(7));
    // Half of it, the mark's half, is inside.
    let mut before = second(0);
    before.splice(0..0, std::iter::repeat_n(0, 48_000));
    harness.push(9000, &before);
    harness.push(11_000, &second(1));
    let mut after = second(2);
    after.extend(second(8));
    harness.push(12_000, &after);
    // Past its stop the base class itself says that this is the end of the segment.
    let _ = harness.pad.push(harness.buffer(Some(13_000), &second(9)));
    let log = assert_recognised(&harness, &[10_000, 11_000, 12_000]);
    assert_eq!(lengths(&service), [3000]);
    let first = &log.finals()[0].words[0];
    assert_eq!(first.running_time, Some(300_000_000));
    assert_eq!(first.stream_time, Some(800_000_000));
}

/// The last buffer's place is outside the new segment: the drain must preroll nevertheless.
#[test]
fn the_end_may_come_in_a_segment_without_audio() {
    let (_service, harness) = start();
    harness.push(0, &second(0));
    let mut segment = Segment::new();
    segment.set_start(ms(70_000));
    segment.set_base(ms(1000));
    assert!(harness.segment(&segment));
    assert_recognised(&harness, &[0]);
}

/// One after the other, and the whole list at once.
#[test]
fn lists_of_buffers() {
    let (service, harness) = start();
    let (pcm, marks) = speech(3);
    for (n, part) in pcm.chunks(harness.bytes(2000)).enumerate() {
        let mut list = gst::BufferList::new();
        let pieces = list.get_mut().expect("a new list");
        for (k, piece) in part.chunks(harness.bytes(30)).enumerate() {
            pieces.add(harness.buffer(Some(n as u64 * 2000 + k as u64 * 30), piece));
        }
        harness.pad.push_list(list).expect("it is taken");
    }
    let log = harness.end();
    log.assert_said(&marks, 0);
    assert!(*service.connections()[0].pcm == pcm);
}

#[test]
fn the_same_caps_again_mean_nothing_and_other_ones_are_refused() {
    let (service, harness) = start();
    harness.push(0, &second(0));
    assert!(
        harness
            .pad
            .push_event(gst::event::Caps::new(&harness.caps(24_000)))
    );
    harness.push(1000, &second(1));
    let refused = || {
        let caps = harness.caps(16_000);
        let peer = harness.sink.static_pad("sink").expect("its pad");
        assert!(!peer.query_accept_caps(&caps));
        // A sticky event tells of its refusal with the next buffer.
        harness.pad.push_event(gst::event::Caps::new(&caps));
        let flow = harness.pad.push(harness.buffer(Some(2000), &second(9)));
        assert_eq!(flow, Err(gst::FlowError::NotNegotiated));
    };
    refused();
    // Written now, it waits for the next start.
    harness.sink.set_property("rate", 16_000);
    refused();
    assert!(
        harness
            .pad
            .push_event(gst::event::Caps::new(&harness.caps(24_000)))
    );
    harness.push(2000, &second(2));
    assert_recognised(&harness, &[0, 1000, 2000]);
    assert_eq!(lengths(&service), [3000]);
}

/// The other branch of a `tee` plays on while this one waits.
#[test]
fn a_branch_beside_a_playing_one() {
    let service = service(Options::default());
    init();
    let pipeline = gst::parse::launch(
        "appsrc name=in format=time ! tee name=t \
         t. ! queue max-size-buffers=0 max-size-bytes=0 max-size-time=0 ! \
         fakesink name=out sync=false \
         t. ! queue max-size-buffers=0 max-size-bytes=0 max-size-time=0 name=q",
    )
    .expect("a pipeline")
    .downcast::<gst::Pipeline>()
    .expect("a pipeline");
    let sink = blocking_sink(&service);
    pipeline.add(&sink).expect("a new one");
    pipeline
        .by_name("q")
        .expect("q")
        .link(&sink)
        .expect("any caps");
    let source: gst_app::AppSrc = pipeline
        .by_name("in")
        .expect("in")
        .downcast()
        .expect("appsrc");
    source.set_caps(Some(
        &sink.static_pad("sink").expect("sink").query_caps(None),
    ));
    source.set_max_bytes(0);
    service.hold(volcasr_loopback::Gate::Reading);
    pipeline.set_state(gst::State::Playing).expect("PLAYING");
    let (pcm, marks) = speech(150);
    for (n, piece) in pcm.chunks(4800).enumerate() {
        let mut buffer = gst::Buffer::from_slice(piece.to_vec());
        buffer.get_mut().expect("new").set_pts(ms(n as u64 * 100));
        source.push_buffer(buffer).expect("it is taken");
    }
    let _ = source.end_of_stream();
    let buffers = pcm.len().div_ceil(4800) as u64;
    let out = pipeline.by_name("out").expect("out");
    wait_until("the other branch has it all", || {
        let stats: gst::Structure = out.property("stats");
        stats.get::<u64>("rendered").expect("a count") == buffers
    });
    until_blocked(&sink, std::time::Duration::from_millis(400));
    service.release(volcasr_loopback::Gate::Reading);
    let bus = pipeline.bus().expect("its bus");
    let mut finals = Vec::new();
    loop {
        let message = bus.timed_pop(LONG_TIME).expect("EOS");
        assert_ne!(message.type_(), gst::MessageType::Error);
        finals.extend(Transcript::parse(&message).filter(|t| t.is_final));
        if message.type_() == gst::MessageType::Eos {
            break;
        }
    }
    pipeline.set_state(gst::State::Null).expect("NULL");
    assert_eq!(marks_of(&finals), expected(&marks, 0));
}

#[test]
fn forwards_backwards_and_forwards_again() {
    let (service, harness) = start();
    harness.push(0, &second(0));
    let mut segment = Segment::new();
    segment.set_rate(-1.0);
    segment.set_stop(ms(10_000));
    segment.set_base(ms(1000));
    assert!(harness.segment(&segment));
    harness.push(2000, &second(8));
    harness.push(1000, &second(9));
    let mut segment = Segment::new();
    segment.set_start(ms(1000));
    segment.set_base(ms(3000));
    assert!(harness.segment(&segment));
    harness.push(1000, &second(1));
    harness.push(2000, &second(2));
    let log = harness.end();
    assert_eq!(log.warnings().len(), 1, "{:?}", log.warnings());
    log.assert_no_errors("the run");
    assert_ends_once(&log.transcripts());
    assert_eq!(marks_of(&log.finals()), at(&[0, 1000, 2000]));
    let last = log.finals().last().and_then(|t| t.running_time);
    assert_eq!(last, Some(4_300_000_000));
    // The audio that was not taken is a gap of two seconds.
    assert_eq!(lengths(&service), [5000]);
}

/// A time of one segment is another one in the next: the end does not wait for it there.
#[test]
fn the_end_in_another_segment_is_prompt() {
    let service = service(Options::default());
    let harness = PadHarness::new(set(unpaced_sink(&service), "sync=true"));
    let mut segment = Segment::new();
    segment.set_start(ms(59_000));
    assert!(harness.segment(&segment));
    harness.push_all(59_000, &second(0), 20);
    let mut segment = Segment::new();
    segment.set_base(ms(1000));
    assert!(harness.segment(&segment));
    let began = Instant::now();
    assert_recognised(&harness, &[59_000]);
    assert!(began.elapsed().as_secs() < 30, "{:?}", began.elapsed());
}
