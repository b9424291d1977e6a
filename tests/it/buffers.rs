//! Buffers, segments, gaps and jumps of all kinds: each has a defined result. The service counts
//! samples, the pipeline has timestamps, and every word is reported once, at its time.
//!
//! Streams are pushed by hand in seconds with one mark each: the words show where each came to
//! stand.

use std::time::Instant;

use crate::common::pad_harness::{PadHarness, Segment, ms};
use crate::common::text::{Out, gaps};
use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::Service;
use volcasr_loopback::marks::Layout;

/// A second with one mark from 300 ms to 600 ms.
fn second(number: u32) -> Vec<u8> {
    Layout {
        lead: 300,
        first: number,
        ..Layout::default()
    }
    .pcm(700)
    .into_iter()
    .chain(std::iter::repeat_n(0, 14_400))
    .collect()
}

/// Returns the words that [`second`]s at these times must give.
fn at(times: &[u64]) -> Vec<(u32, u64, u64)> {
    let mark = |(n, at): (usize, &u64)| (n as u32, at + 300, at + 600);
    times.iter().enumerate().map(mark).collect()
}

fn assert_recognised(harness: &PadHarness, times: &[u64]) -> BusLog {
    let log = harness.end();
    log.assert_clean();
    assert_eq!(marks_of(&log.finals()), at(times));
    log
}

/// Milliseconds of audio on each connection.
fn lengths(service: &Service) -> Vec<u64> {
    let sessions = service.connections();
    sessions.iter().map(|c| c.audio_bytes / 48).collect()
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
    let finals = log.finals();
    let ends = finals.iter().filter_map(|t| t.times.running_time);
    assert_eq!(ends.max(), Some(ms(4300)));
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

/// Within a segment, half a second would be jitter until it lasts for a second.
#[test]
pub fn another_segment_s_times_are_no_jitter() {
    let (_service, harness) = PadHarness::start("");
    harness.push_all(0, &second(0), 20);
    harness.segment_at(1500, 1000);
    harness.push_all(1500, &second(1)[..harness.bytes(800)], 20);
    assert_recognised(&harness, &[0, 1500]);
}

/// Up to the idle timeout a gap becomes silence. A longer one ends the session, behind the silence
/// that settles its last words. With an event it begins with that, however long.
#[test]
pub fn a_gap_becomes_silence_or_an_end() {
    // Times of the words; whether the second is a flagged jump; GAP events behind the first two;
    // the sessions.
    #[rustfmt::skip]
    let cases = [
        ([0, 1041, 6041], true, [None, None], &[7041][..]),
        // Without the flag it is jitter.
        ([0, 1041, 2041], false, [None, None], &[3000]),
        ([0, 5001, 60_000], false, [None, None], &[2000, 2000, 1000]),
        ([0, 4000, 9001], false, [Some(3000), Some(4001)], &[6000, 1000]),
    ];
    for (times, is_flagged, gaps, expected) in cases {
        let (service, harness) = PadHarness::start("");
        for (n, at) in times.into_iter().enumerate() {
            match n == 1 && is_flagged {
                true => harness.jump(at, &second(n as u32)),
                false => harness.push(at, &second(n as u32)),
            }
            let gap = gaps.get(n).copied().flatten();
            assert!(gap.is_none_or(|length| harness.gap(at + 1000, length)));
        }
        let log = assert_recognised(&harness, &times);
        assert_eq!(lengths(&service), expected, "{times:?}");
        let mut places: Vec<_> = log.finals().iter().map(|t| (t.stream, t.session)).collect();
        places.dedup();
        let sessions = 0..expected.len() as u32;
        let sessions: Vec<_> = sessions.map(|session| (0, session)).collect();
        assert_eq!(places, sessions, "{times:?}");
    }
}

/// The odd byte of a buffer is dropped. The flag of a buffer without a sample holds for the next
/// one.
#[test]
pub fn odd_bytes_and_flags_of_empty_buffers() {
    let (service, harness) = PadHarness::start("");
    harness.push(0, &[second(0), vec![17]].concat());
    harness.jump(1041, &[9]);
    harness.push(1041, &second(1));
    assert_recognised(&harness, &[0, 1041]);
    assert_eq!(lengths(&service), [2041]);
}

/// The session is over: there is no silence to send, and nothing to end.
#[test]
fn a_jump_after_an_idle_end_opens_one_session() {
    let (service, harness) = PadHarness::start("idle-timeout=500");
    harness.push(0, &second(0));
    until_connection(&service, |c| c.final_at.is_some());
    harness.push(11_000, &second(1));
    assert_recognised(&harness, &[0, 11_000]);
    assert_eq!(lengths(&service), [1000, 1000]);
}

/// A gap's silence takes the room that the buffer behind it was promised.
#[test]
fn a_buffer_behind_silence_is_not_lost_for_want_of_room() {
    let (service, harness) = PadHarness::start("max-queue-time=1000 leaky=no");
    let times: Vec<u64> = (0..8).map(|n| n * 4500).collect();
    for (n, time) in times.iter().enumerate() {
        harness.push(*time, &second(n as u32));
    }
    assert_recognised(&harness, &times);
    assert_eq!(lengths(&service), [32_500]);
}

/// At once, without waiting for the next buffer, which may never come.
#[test]
pub fn a_long_gap_posts_its_words() {
    // The idle timeout would post them as well, if later.
    let (service, harness) = PadHarness::start("idle-timeout=0");
    harness.push(0, &second(0));
    assert!(harness.gap(1000, 100_000));
    let log = harness.listen_for(|t| t.is_final && !t.text.is_empty());
    assert_eq!(marks_of(&log.finals()), at(&[0]));
    until_connection(&service, |c| c.final_at.is_some());
    if let Some(text) = &harness.text {
        // Nothing downstream waits for text where there is none.
        let ends = |out: &[Out]| gaps(out).last().is_some_and(|(_, end)| *end == 101_000);
        text.until("a gap to its end", ends);
    }
}
