//! Gaps, jumps and overlaps in time: the service counts samples, the pipeline has timestamps, and every
//! word is heard once, at its time.

use crate::common::direct::{Direct, Segment, ms};
use crate::common::seconds::*;
use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::marks::{Layout, Mark};
use volcasr_loopback::{Options, Service};

/// A deviation that holds for a second of audio is in the times, but nothing is sent for it.
#[test]
fn a_jump_of_forty_milliseconds_is_jitter() {
    let (service, direct) = start();
    direct.push(0, &second(0));
    direct.push(1040, &second(1));
    direct.push(2000, &second(2));
    assert_heard(&direct, &[0, 1040, 2000]);
    assert_eq!(lengths(&service), [3000]);
}

#[test]
fn a_jump_up_to_the_idle_timeout_becomes_silence() {
    let (service, direct) = start();
    direct.push(0, &second(0));
    direct.jump(1041, &second(1));
    direct.push(6041, &second(2));
    assert_heard(&direct, &[0, 1041, 6041]);
    assert_eq!(lengths(&service), [7041]);
}

#[test]
fn a_longer_jump_ends_the_session_after_the_end_window() {
    let (service, direct) = start();
    direct.push(0, &second(0));
    direct.push(5001, &second(1));
    direct.push(60_000, &second(2));
    let heard = assert_heard(&direct, &[0, 5001, 60_000]);
    assert_eq!(lengths(&service), [2000, 2000, 1000]);
    let sessions: Vec<u32> = heard.finals().iter().map(|t| t.session).collect();
    assert_eq!(sessions, [0, 1, 2]);
    assert!(heard.finals().iter().all(|t| t.stream == 0));
}

#[test]
fn the_end_window_is_the_user_s() {
    let service = service(Options::default());
    let sink = quick(&service);
    sink.set_property("end-window-size", 1500u32);
    sink.set_property("idle-timeout", 2000u32);
    let direct = Direct::new(sink);
    direct.push(0, &second(0));
    direct.push(3001, &second(1));
    assert_heard(&direct, &[0, 3001]);
    assert_eq!(lengths(&service), [2700, 1000]);
}

/// What is less than a chunk waits for the next buffer, which must not wait for it.
#[test]
fn a_buffer_as_long_as_the_queue_is_taken_behind_a_bit_of_another() {
    let service = service(Options::default());
    let sink = quick(&service);
    sink.set_property("max-queue-time", 1000u32);
    sink.set_property("idle-timeout", 0u32);
    sink.set_property_from_str("leaky", "no");
    let direct = Direct::new(sink);
    let (pcm, marks) = speech(4);
    direct.push(0, &pcm[..direct.bytes(130)]);
    direct.push_all(130, &pcm[direct.bytes(130)..], 1000);
    let heard = direct.end();
    assert_eq!(marks_of(&heard.finals()), expected(&marks, 0));
}

/// A gap's silence takes the room that the buffer behind it was promised.
#[test]
fn a_buffer_behind_silence_is_not_lost_for_want_of_room() {
    let service = service(Options::default());
    let sink = quick(&service);
    sink.set_property("max-queue-time", 1000u32);
    sink.set_property_from_str("leaky", "no");
    let direct = Direct::new(sink);
    let times: Vec<u64> = (0..8).map(|n| n * 4500).collect();
    for (n, time) in times.iter().enumerate() {
        direct.push(*time, &second(n as u32));
    }
    assert_heard(&direct, &times);
    assert_eq!(lengths(&service), [32_500]);
}

#[test]
fn gap_events_become_silence_or_an_end() {
    let (service, direct) = start();
    direct.push(0, &second(0));
    assert!(direct.gap(1000, 3000));
    direct.push(4000, &second(1));
    assert!(direct.gap(5000, 4001));
    direct.push(9001, &second(2));
    assert_heard(&direct, &[0, 4000, 9001]);
    assert_eq!(lengths(&service), [6000, 1000]);
}

/// At once, without waiting for the next buffer, which may never come.
#[test]
fn a_long_gap_posts_its_words() {
    let (service, direct) = start();
    direct.push(0, &second(0));
    assert!(direct.gap(1000, 10_000));
    let heard = direct.listen_for(|t| !t.text.is_empty());
    assert_eq!(marks_of(&heard.finals()), at(&[0]));
    assert!(service.wait(LONG, |c| c[0].final_at.is_some()));
}

#[test]
fn short_gap_events_add_up() {
    let (service, direct) = start();
    direct.push(0, &second(0));
    for n in 0..50 {
        assert!(direct.gap(1000 + 20 * n, 20));
    }
    direct.push(2000, &second(1));
    for n in 0..300 {
        assert!(direct.gap(3000 + 20 * n, 20));
    }
    direct.push(9000, &second(2));
    assert_heard(&direct, &[0, 2000, 9000]);
    assert_eq!(lengths(&service)[1..], [1000]);
    assert_eq!(lengths(&service)[0], 3000 + 4000);
}

#[test]
fn gap_events_without_a_duration_reach_to_their_start() {
    let (service, direct) = start();
    direct.push(0, &second(0));
    assert!(direct.gap(1000, None));
    assert!(direct.gap(2500, None));
    direct.push(3000, &second(1));
    assert_heard(&direct, &[0, 3000]);
    assert_eq!(lengths(&service), [4000]);
}

#[test]
fn a_gap_before_any_audio_is_nothing() {
    let (service, direct) = start();
    assert!(direct.gap(0, 60_000));
    direct.push(60_000, &second(0));
    assert_heard(&direct, &[60_000]);
    assert_eq!(lengths(&service), [1000]);
}

#[test]
fn what_overlaps_is_heard_once() {
    let (service, direct) = start();
    let (pcm, marks) = speech(2);
    let cut = |from: u64, to: u64| &pcm[direct.bytes(from)..direct.bytes(to)];
    direct.push(0, cut(0, 1000));
    direct.jump(700, cut(700, 1500));
    // Altogether within what was heard.
    direct.jump(600, cut(600, 900));
    direct.push(900, cut(900, 1100));
    direct.jump(1400, cut(1400, 5000));
    direct.push_all(5000, &pcm[direct.bytes(5000)..], 100);
    let heard = direct.end();
    assert_eq!(marks_of(&heard.finals()), expected(&marks, 0));
    assert!(*service.connections()[0].pcm == pcm);
}

#[test]
fn a_jump_far_back_is_another_place() {
    let (service, direct) = start();
    direct.push(10_000, &second(0));
    direct.push(2000, &second(1));
    direct.push(3000, &second(2));
    let heard = direct.end();
    assert_eq!(marks_of(&heard.finals()), at(&[10_000, 2000, 3000]));
    assert_eq!(lengths(&service), [3000]);
}

#[test]
fn a_long_idle_timeout_takes_no_gigabytes() {
    let service = service(Options {
        record_audio: false,
        ..Options::default()
    });
    let sink = quick(&service);
    sink.set_property("idle-timeout", u32::MAX);
    let direct = Direct::new(sink);
    direct.push(0, &second(0));
    direct.push(1_000_000_000, &second(1));
    assert_heard(&direct, &[0, 1_000_000_000]);
    assert_eq!(lengths(&service), [2000, 1000]);
}

/// Less than a chunk, in bits: it must neither wait for the rest for ever nor end the session early.
#[test]
fn an_idle_timeout_shorter_than_a_chunk() {
    let service = service(Options::default());
    let sink = sink(&service);
    sink.set_property("chunk-duration", 2000u32);
    sink.set_property("idle-timeout", 500u32);
    sink.set_property("sync", true);
    let direct = Direct::new(sink);
    let layout = Layout {
        sentence: 1,
        every: 300,
        pause: 700,
        ..Layout::default()
    };
    let marks: Vec<Mark> = (0..3).map(|n| layout.mark(n)).collect();
    direct.push_all(0, &layout.pcm(2900), 20);
    // Nothing more comes, and no end.
    let heard = direct.listen_for(|t| t.words.iter().any(|w| w.text.contains('2')));
    assert_eq!(marks_of(&heard.finals()), expected(&marks, 0));
    // A line that waited for the first chunk for longer than the idle timeout was hung up.
    let connections = service.connections();
    assert_eq!(
        connections.iter().filter(|c| c.request.is_some()).count(),
        1
    );
}

/// Waits until nothing is left of the first session, which has ended for want of audio.
fn until_idle(service: &Service) {
    assert!(service.wait(LONG, |c| c.first().is_some_and(|c| c.final_at.is_some())));
}

/// Milliseconds of silence at the beginning of each session's audio, and of all of it.
fn beginnings(service: &Service) -> Vec<(u64, u64)> {
    let silent = |pcm: &[u8]| pcm.iter().take_while(|byte| **byte == 0).count() as u64;
    let sessions = service.connections();
    let spoken = sessions.iter().filter(|c| c.request.is_some());
    spoken
        .map(|c| (silent(&c.pcm) / 48, c.audio_bytes / 48))
        .collect()
}

/// The session is over: there is no silence to send, and nothing to end.
#[test]
fn a_jump_after_an_idle_end_opens_one_session_which_begins_with_the_audio() {
    for (idle, jump) in [(500, 10_000), (2000, 1500)] {
        let service = service(Options::default());
        let sink = quick(&service);
        sink.set_property("idle-timeout", idle as u32);
        let direct = Direct::new(sink);
        direct.push(0, &second(0));
        until_idle(&service);
        direct.push(1000 + jump, &second(1));
        direct.push(2000 + jump, &second(2));
        assert_heard(&direct, &[0, 1000 + jump, 2000 + jump]);
        assert_eq!(beginnings(&service), [(300, 1000), (300, 2000)], "{jump}");
    }
}

#[test]
fn gap_events_after_an_idle_end_open_no_session() {
    let service = service(Options::default());
    let sink = quick(&service);
    sink.set_property("idle-timeout", 500u32);
    let direct = Direct::new(sink);
    direct.push(0, &second(0));
    until_idle(&service);
    assert!(direct.gap(1000, 400));
    assert!(direct.gap(1400, 10_000));
    direct.push(11_400, &second(1));
    assert_heard(&direct, &[0, 11_400]);
    assert_eq!(beginnings(&service), [(300, 1000), (300, 1000)]);
}

/// Nothing but audio was heard already: what comes where a GAP event said that nothing would, is heard.
#[test]
fn a_gap_event_that_claims_too_much_costs_no_audio() {
    let (service, direct) = start();
    direct.push(0, &second(0));
    assert!(direct.gap(1000, 1000));
    direct.push(1500, &second(1));
    // Without a duration, and ahead.
    assert!(direct.gap(4000, None));
    direct.push(3000, &second(2));
    // Altogether.
    assert!(direct.gap(4000, 1000));
    direct.push(4000, &second(3));
    // It ends the session too early.
    assert!(direct.gap(5000, 60_000));
    direct.push(6000, &second(4));
    assert_heard(&direct, &[0, 1500, 3000, 4000, 6000]);
    assert_eq!(lengths(&service), [7500 + 1000, 1000]);
}

/// Running time goes by the rate alone; what was done to the rate before is the stream's time.
#[test]
fn a_gap_across_segments_is_as_long_as_the_rate_says() {
    for (rate, applied) in [(2.0, 1.0), (1.0, 2.0), (2.0, 0.5)] {
        let (service, direct) = start();
        direct.push(0, &second(0));
        let mut segment = Segment::new();
        segment.set_rate(rate);
        segment.set_applied_rate(applied);
        segment.set_base(ms(1000));
        assert!(direct.segment(&segment));
        assert!(direct.gap(0, 500));
        direct.push(1500, &second(1));
        assert_heard(&direct, &[0, 1500]);
        assert_eq!(lengths(&service), [3500], "{rate} {applied}");
    }
}
