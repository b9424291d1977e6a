//! Buffers and segments of all kinds: each has a defined result.

use std::time::Instant;

use crate::common::pad_harness::{PadHarness, Segment, ms};
use crate::common::seconds::*;
use crate::common::*;
use gst::prelude::*;

#[test]
fn odd_bytes_and_empty_buffers_do_no_harm() {
    let (service, harness) = PadHarness::start("");
    harness.push(0, &[]);
    harness.push(0, &[1]);
    assert!(service.inspect(|all| all.iter().all(|c| c.request.is_none())));
    let mut odd = second(0);
    odd.push(17);
    harness.push(0, &odd);
    harness.push(1000, &[9]);
    harness.push(1000, &[]);
    harness.push(1000, &second(1));
    assert_recognised(&harness, &[0, 1000]);
    assert_eq!(lengths(&service), [2000]);
}

/// The last buffer's place is outside the new segment: the drain must preroll nevertheless.
#[test]
fn the_end_may_come_in_a_segment_without_audio() {
    let (_service, harness) = PadHarness::start("");
    harness.push(0, &second(0));
    harness.segment_at(70_000, 1000);
    assert_recognised(&harness, &[0]);
}

#[test]
fn lists_of_buffers_are_taken_whole() {
    let (service, harness) = PadHarness::start("");
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
    let (service, harness) = PadHarness::start("");
    harness.push(0, &second(0));
    let event = |rate| gst::event::Caps::new(&caps(rate));
    assert!(harness.pad.push_event(event(24_000)));
    harness.push(1000, &second(1));
    let refused = || {
        assert!(!harness.pad.peer_query_accept_caps(&caps(16_000)));
        // A sticky event tells of its refusal with the next buffer.
        harness.pad.push_event(event(16_000));
        let flow = harness.pad.push(harness.buffer(Some(2000), &second(9)));
        assert_eq!(flow, Err(gst::FlowError::NotNegotiated));
    };
    refused();
    // Written now, it waits for the next start.
    harness.sink.set_property("rate", 16_000);
    refused();
    assert!(harness.pad.push_event(event(24_000)));
    harness.push(2000, &second(2));
    assert_recognised(&harness, &[0, 1000, 2000]);
    assert_eq!(lengths(&service), [3000]);
}

#[test]
fn forwards_backwards_and_forwards_again() {
    let (service, harness) = PadHarness::start("");
    harness.push(0, &second(0));
    let mut segment = Segment::new();
    segment.set_rate(-1.0);
    segment.set_stop(ms(10_000));
    segment.set_base(ms(1000));
    assert!(harness.segment(&segment));
    harness.push(2000, &second(8));
    harness.push(1000, &second(9));
    harness.segment_at(1000, 3000);
    harness.push(1000, &second(1));
    harness.push(2000, &second(2));
    let log = harness.end();
    assert_eq!(log.warnings().len(), 1, "{:?}", log.warnings());
    log.assert_no_errors("the run");
    assert_ends_once(&log.transcripts());
    assert_eq!(marks_of(&log.finals()), at(&[0, 1000, 2000]));
    let last = log.finals().last().and_then(|t| t.times.running_time);
    assert_eq!(last, Some(ms(4300)));
    // The audio that was not taken is a gap of two seconds.
    assert_eq!(lengths(&service), [5000]);
}

/// A time of one segment is another one in the next: the end does not wait for it there.
#[test]
fn the_end_in_another_segment_is_prompt() {
    let (_service, harness) = PadHarness::start("sync=true");
    harness.segment_at(59_000, 0);
    harness.push_all(59_000, &second(0), 20);
    harness.segment_at(0, 1000);
    let began = Instant::now();
    assert_recognised(&harness, &[59_000]);
    assert!(began.elapsed().as_secs() < 30, "{:?}", began.elapsed());
}
