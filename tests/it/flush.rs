//! A flush drops the session with words that have not come; nothing of it is posted afterwards, and
//! times follow the new segment.

use std::time::Duration;

use crate::common::pad_harness::{PadHarness, Segment, ms};
use crate::common::*;
use volcasr_loopback::{Gate, Options};

fn flush(harness: &PadHarness) {
    Calls::default().time("a flush", || harness.flush());
    harness.take();
}

/// Marks 10, 11, 12 at `at` in a segment that begins there, as stream `stream`; nothing else is
/// reported.
fn assert_goes_on(harness: &PadHarness, at: u64, stream: u32) {
    let mut segment = Segment::new();
    segment.set_start(ms(at));
    segment.set_time(ms(at));
    assert!(harness.segment(&segment));
    let (pcm, marks) = speech_from(10, 1);
    harness.push_all(at, &pcm, 20);
    let log = harness.end();
    log.assert_clean();
    log.assert_said(&marks, at);
    for transcript in log.transcripts() {
        let place = (transcript.stream, transcript.session);
        assert_eq!(place, (stream, 0), "{transcript:?}");
        assert_eq!(transcript.stream_id.as_deref(), Some("first"));
        let times = transcript.times;
        assert_eq!(times.stream_time, times.timestamp, "{transcript:?}");
        let since = times.timestamp.map(|time| time - ms(at));
        assert_eq!(times.running_time, since, "{transcript:?}");
    }
    assert_eq!(log.finals()[0].utterance, 0);
}

/// Text that was not posted never comes, in PLAYING or in PAUSED.
#[test]
fn a_session_is_dropped_with_its_text() {
    for paused in [false, true] {
        let (service, harness) = PadHarness::start("");
        service.hold(Gate::Responses);
        harness.push_all(0, &speech_from(0, 1).0, 20);
        until_connection(&service, |c| c.audio_bytes > 100_000);
        if paused {
            harness.go(gst::State::Paused);
        }
        flush(&harness);
        service.release(Gate::Responses);
        until_connection(&service, |c| c.end.is_some());
        let play = || harness.go(gst::State::Playing);
        beside(play, || assert_goes_on(&harness, 5000, 1));
        // Not finished.
        assert!(service.connections()[0].finish_at.is_none(), "{paused}");
    }
}

#[test]
fn before_any_audio_it_only_counts() {
    let (service, harness) = PadHarness::start("");
    flush(&harness);
    flush(&harness);
    assert_goes_on(&harness, 7000, 2);
    let sessions = service.inspect(|c| c.iter().filter(|c| c.request.is_some()).count());
    assert_eq!(sessions, 1);
}

#[test]
fn while_a_send_is_blocked() {
    let (service, harness) = PadHarness::start(BLOCKING);
    service.hold(Gate::Reading);
    let (pcm, _) = speech(150);
    let push = || harness.push_until_refused(pcm.chunks(4800), 100);
    let flow = beside(push, || {
        until_blocked(&harness.sink, Duration::from_millis(400));
        Calls::default().time("a flush", || harness.flush_start());
    });
    assert_eq!(flow, Some(gst::FlowError::Flushing));
    harness.flush_stop();
    harness.take();
    service.release(Gate::Reading);
    assert_goes_on(&harness, 1000, 1);
}

#[test]
fn while_draining() {
    let (service, harness) = PadHarness::start("");
    service.hold(Gate::Final);
    harness.push_all(0, &speech_from(0, 1).0, 20);
    let has_ended = beside(
        || harness.eos(),
        || {
            until_connection(&service, |c| c.finish_at.is_some());
            harness.flush_start();
        },
    );
    assert!(!has_ended, "it was flushed");
    harness.flush_stop();
    assert!(!harness.take().saw_eos());
    service.release(Gate::Final);
    assert_goes_on(&harness, 3000, 1);
}

#[test]
fn after_the_end() {
    let (_service, harness) = PadHarness::start("");
    let marks = harness.say(1);
    harness.end().assert_said(&marks, 0);
    flush(&harness);
    assert_goes_on(&harness, 3000, 1);
}

/// A message on its way to the bus when the flush comes is there before the flush is done, or
/// never.
#[test]
fn nothing_comes_late() {
    let service = service(Options::default());
    // A flush before the pipeline has resumed from the one before can leave any sink in PAUSED
    // otherwise.
    let harness = PadHarness::at(&service, "async=false");
    for stream in 0..100 {
        let (pcm, _) = speech_from(stream * 10, 1);
        harness.push_all(0, &pcm, 200);
        // Some in the middle of the words, some before.
        let mut said = BusLog::default();
        if stream % 3 > 0 {
            let kinds = [gst::MessageType::Element];
            let message = harness.bus.timed_pop_filtered(LONG_TIME, &kinds);
            said.messages.extend(message);
        }
        said.add(harness.take());
        let said = said.transcripts();
        assert!(
            said.iter().all(|t| t.stream == stream),
            "{stream}: {said:?}"
        );
        flush(&harness);
        harness.segment_at(0, 0);
        let late = harness.take().transcripts();
        assert!(late.is_empty(), "{late:?}");
    }
    let (pcm, marks) = speech_from(9000, 1);
    harness.push_all(0, &pcm, 200);
    let log = harness.end();
    assert!(log.transcripts().iter().all(|t| t.stream == 100));
    log.assert_said(&marks, 0);
}

/// A leaky queue tells what it lost: before the flush is done, or never.
#[test]
fn while_audio_is_dropped() {
    let service = service(Options::default());
    service.hold(Gate::Upgrade);
    // A bin that is flushed again before it has resumed may stay in PAUSED with any sink.
    let properties = "max-queue-time=1000 leaky=downstream async=false";
    let harness = PadHarness::at(&service, properties);
    let (pcm, _) = speech(1);
    for _ in 0..200 {
        // Long enough for each to be reported.
        let pieces = std::iter::repeat(&pcm[..48_000]);
        let flow = beside(
            || harness.push_until_refused(pieces, 1000),
            || {
                let kinds = [gst::MessageType::Warning];
                harness.bus.timed_pop_filtered(LONG_TIME, &kinds);
                harness.flush_start();
            },
        );
        assert_eq!(flow, Some(gst::FlowError::Flushing));
        harness.flush_stop();
        harness.take();
        harness.segment_at(0, 0);
        harness.push(0, &pcm[..960]);
        let late = harness.take().warnings();
        assert!(late.is_empty(), "{late:?}");
    }
}
