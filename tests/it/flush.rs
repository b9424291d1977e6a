//! A flush drops the session with what it had not said; nothing of it shows afterwards, and times
//! follow the new segment.

use std::time::Duration;

use crate::common::faults::*;
use crate::common::pad_harness::{PadHarness, Segment, ms};
use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::marks::{Layout, Mark};
use volcasr_loopback::{Gate, Options};

/// Marks from number `first` on.
fn sentence(first: u32) -> (Vec<u8>, Vec<Mark>) {
    let layout = Layout {
        first,
        ..Layout::default()
    };
    layout.sentences(1)
}

fn flush(harness: &PadHarness) {
    Calls::default().time("a flush", || harness.flush());
    harness.take();
}

/// The segment maps times to themselves, and its running time begins at `begin`.
fn assert_times_since(transcript: &Transcript, begin: u64) {
    let times = transcript.times;
    assert_eq!(times.stream_time, times.timestamp, "{transcript:?}");
    let since = times.timestamp.expect("a time") - ms(begin);
    assert_eq!(times.running_time, Some(since), "{transcript:?}");
}

/// Marks 10, 11, 12 at `at` in a segment that begins there, as stream `stream`; nothing else is
/// reported.
fn assert_goes_on(harness: &PadHarness, at: u64, stream: u32) {
    let mut segment = Segment::new();
    segment.set_start(ms(at));
    segment.set_time(ms(at));
    assert!(harness.segment(&segment));
    let (pcm, marks) = sentence(10);
    harness.push_all(at, &pcm, 20);
    let log = harness.end();
    log.assert_clean();
    log.assert_said(&marks, at);
    for transcript in log.transcripts() {
        let place = (transcript.stream, transcript.session);
        assert_eq!(place, (stream, 0), "{transcript:?}");
        assert_eq!(transcript.stream_id.as_deref(), Some("first"));
        assert_times_since(&transcript, at);
    }
    assert_eq!(log.finals()[0].utterance, 0);
}

/// Text that was not posted never comes, in PLAYING or in PAUSED.
#[test]
fn a_session_is_dropped_with_its_text() {
    for paused in [false, true] {
        let (service, harness) = PadHarness::start("");
        service.hold(Gate::Responses);
        harness.push_all(0, &sentence(0).0, 20);
        until_connection(&service, |c| c.audio_bytes > 100_000);
        if paused {
            harness.go(gst::State::Paused);
        }
        flush(&harness);
        service.release(Gate::Responses);
        until_connection(&service, |c| c.end.is_some());
        std::thread::scope(|scope| {
            scope.spawn(|| harness.go(gst::State::Playing));
            assert_goes_on(&harness, 5000, 1);
        });
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
    let service = service(Options::default());
    let harness = PadHarness::new(blocking_sink(&service));
    service.hold(Gate::Reading);
    std::thread::scope(|scope| {
        let pusher = scope.spawn(|| {
            let (pcm, _) = speech(150);
            harness.push_until_refused(pcm.chunks(4800), 100)
        });
        until_blocked(&harness.sink, Duration::from_millis(400));
        let flow = Calls::default().time("a flush", || {
            harness.flush_start();
            pusher.join().expect("no panic")
        });
        assert_eq!(flow, Some(gst::FlowError::Flushing));
    });
    harness.flush_stop();
    harness.take();
    service.release(Gate::Reading);
    assert_goes_on(&harness, 1000, 1);
}

#[test]
fn while_draining() {
    let (service, harness) = PadHarness::start("");
    service.hold(Gate::Final);
    harness.push_all(0, &sentence(0).0, 20);
    std::thread::scope(|scope| {
        let end = scope.spawn(|| harness.eos());
        until_connection(&service, |c| c.finish_at.is_some());
        harness.flush_start();
        assert!(!end.join().expect("no panic"), "it was flushed");
    });
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
        let (pcm, _) = sentence(stream * 10);
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
    let (pcm, marks) = sentence(9000);
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
        std::thread::scope(|scope| {
            let pusher = scope.spawn(|| {
                // Long enough for each to be reported.
                harness.push_until_refused(std::iter::repeat(&pcm[..48_000]), 1000)
            });
            let kinds = [gst::MessageType::Warning];
            harness.bus.timed_pop_filtered(LONG_TIME, &kinds);
            harness.flush_start();
            let flow = pusher.join().expect("no panic");
            assert_eq!(flow, Some(gst::FlowError::Flushing));
        });
        harness.flush_stop();
        harness.take();
        harness.segment_at(0, 0);
        harness.push(0, &pcm[..960]);
        let late = harness.take().warnings();
        assert!(late.is_empty(), "{late:?}");
    }
}

/// A source that seeks, as a player does it, in PLAYING or in PAUSED: words come from every place
/// that is sought.
#[test]
fn seeks_in_a_recording() {
    for paused in [false, true] {
        // With an exact lag each sentence is final in the pause behind it.
        let service = service(faulty(&[], false));
        let (pcm, marks) = speech(20);
        let mut rig = TestPipeline::at(&service, "");
        rig.source.set_stream_type(gst_app::AppStreamType::Seekable);
        rig.source.set_duration(gst::ClockTime::from_seconds(52));
        let (seeks, sought) = std::sync::mpsc::channel();
        let callbacks = gst_app::AppSrcCallbacks::builder();
        let callbacks = callbacks.seek_data(move |_, to| seeks.send(to).is_ok());
        rig.source.set_callbacks(callbacks.build());
        rig.begin(&pcm[..48 * 8000], 20);
        rig.listen_until(is_final);
        for (n, to) in [26_200u64, 200, 13_200].into_iter().enumerate() {
            if paused {
                rig.go(gst::State::Paused);
            }
            let flags = gst::SeekFlags::FLUSH | gst::SeekFlags::ACCURATE;
            rig.pipeline.seek_simple(flags, ms(to)).expect("a seek");
            rig.take();
            assert_eq!(sought.try_iter().last(), Some(to * 1_000_000));
            rig.next = ms(to);
            // A sentence, and its pause.
            let from = (48 * to) as usize;
            rig.push(&pcm[from..from + 48 * 2600], 20);
            if paused {
                rig.play();
            }
            let log = rig.listen_until(is_final);
            log.assert_clean();
            let all = log.transcripts();
            assert!(
                all.iter().all(|t| t.stream == n as u32 + 1),
                "{paused} {all:?}"
            );
            let mut wanted = marks.clone();
            wanted.retain(|mark| mark.start >= to && mark.end <= to + 2600);
            log.assert_said(&wanted, 0);
            let last = log.finals().pop().expect("one");
            assert_times_since(&last, to);
        }
    }
}
