//! Steps and instant rate changes while the sink waits for the service: no buffer comes twice, none
//! is lost.

use std::time::Duration;

use crate::common::pad_harness::{PadHarness, Segment, each_way, ms};
use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::{Gate, Options};

/// The clock must not reach this place before a step begins: the base class drops the buffers
/// before it.
const AHEAD: u64 = 60;

/// Does `disturb` while a buffer waits for room, and then sees everything arrive, once.
fn disturbed(is_async: bool, disturb: impl Fn(&PadHarness)) -> BusLog {
    // Made before anything connects: a connection that is not used is given up after a while.
    let (pcm, marks) = speech(150);
    let (service, harness) = PadHarness::start(&format!("{BLOCKING} async={is_async}"));
    let (begun, rest) = pcm.split_at(harness.bytes(AHEAD * 1000));
    harness.push_all(0, begun, 100);
    until_connection(&service, |c| c.audio_bytes > 0);
    service.hold(Gate::Reading);
    let end = || {
        harness.push_all(AHEAD * 1000, rest, 100);
        assert!(harness.eos());
    };
    beside(end, || {
        until_blocked(&harness.sink, Duration::from_millis(400));
        Calls::default().time("it", || disturb(&harness));
        service.release(Gate::Reading);
    });
    let log = harness.listen();
    log.assert_said(&marks, 0);
    assert!(*service.connections()[0].pcm == pcm);
    log
}

/// The amounts of the steps that STEP_DONE messages report.
fn steps_done(log: &BusLog) -> Vec<gst::GenericFormattedValue> {
    let amount = |message: &gst::Message| match message.view() {
        gst::MessageView::StepDone(done) => Some(done.get().0),
        _ => None,
    };
    log.messages.iter().filter_map(amount).collect()
}

/// One buffer, as an amount of a step.
fn one() -> gst::GenericFormattedValue {
    gst::format::Buffers::from_u64(1).into()
}

fn step(harness: &PadHarness, amount: gst::GenericFormattedValue) {
    let step = gst::event::Step::new(amount, 1.0, true, false);
    assert!(harness.sink.send_event(step));
}

/// Ends the stream in another thread, and does `meanwhile`.
fn end(harness: &PadHarness, meanwhile: impl FnOnce()) -> BusLog {
    assert!(beside(|| harness.eos(), meanwhile));
    harness.listen()
}

/// The change of `element` to PAUSED is over. A thread may wait for what follows it.
fn is_paused(harness: &PadHarness, element: &impl IsA<gst::Element>, case: &str) {
    let (done, ..) = element.state(gst::ClockTime::from_seconds(10));
    if done != Ok(gst::StateChangeSuccess::Success) {
        // Or it would wait for ever.
        let _ = harness.pipeline.set_state(gst::State::Null);
    }
    assert_eq!(done, Ok(gst::StateChangeSuccess::Success), "{case}");
}

/// Like [`is_paused`], and playing goes on.
fn goes_on(harness: &PadHarness, element: &impl IsA<gst::Element>, case: &str) {
    is_paused(harness, element, case);
    harness.go(gst::State::Playing);
}

#[test]
fn steps_in_playing_and_in_paused() {
    for is_async in [true, false] {
        let log = disturbed(is_async, |harness| step(harness, one()));
        assert_eq!(steps_done(&log), [one()], "async={is_async}");
        let log = disturbed(is_async, |harness| {
            harness.go(gst::State::Paused);
            step(harness, one());
            step(harness, one());
            harness.go(gst::State::Playing);
        });
        // The second may come before the first is done, and in its place.
        let done = steps_done(&log);
        let is_done = done == [one()] || done == [one(), one()];
        assert!(is_done, "async={is_async}: {done:?}");
    }
}

/// Over more than the one buffer that waits: each ends in PAUSED without a word of the service,
/// however much the same pause and the steps before it took, and drops no audio.
#[test]
fn long_steps_in_paused() {
    let buffers = |count| gst::format::Buffers::from_u64(count).into();
    let seconds = gst::ClockTime::from_seconds(2).into();
    for (amount, times) in [(buffers(100), 1), (seconds, 1), (buffers(600), 3)] {
        let log = disturbed(true, |harness| {
            harness.go(gst::State::Paused);
            for number in 1..=times {
                step(harness, amount);
                let case = format!("{amount:?}, step {number}");
                is_paused(harness, &harness.pipeline, &case);
            }
            harness.go(gst::State::Playing);
        });
        assert_eq!(steps_done(&log).len(), times, "{amount:?}");
    }
}

/// The step finds the streaming thread idle, and begins with a buffer for which there is no room:
/// the pause is over only when that has gone by.
#[test]
fn a_step_in_paused_that_begins_with_a_buffer_without_room() {
    for is_async in [true, false] {
        let service = service(Options::default());
        // Nothing leaves the queue.
        service.hold(Gate::Ack);
        let properties = format!("async={is_async} max-queue-time=1000 leaky=no");
        let harness = PadHarness::at(&service, &properties);
        let (pcm, marks) = speech(2);
        let (begun, rest) = pcm.split_at(harness.bytes(1000));
        harness.push_all(AHEAD * 1000, begun, 500);
        // There is nothing to preroll with.
        let _ = harness.pipeline.set_state(gst::State::Paused);
        step(&harness, one());
        let end = || {
            harness.push_all(AHEAD * 1000 + 1000, rest, 500);
            assert!(harness.eos());
        };
        beside(end, || {
            goes_on(&harness, &harness.sink, &properties);
            service.release(Gate::Ack);
        });
        harness
            .listen()
            .assert_said_in(properties, &marks, AHEAD * 1000);
        assert!(*service.connections()[0].pcm == pcm, "async={is_async}");
    }
}

/// Running time goes half as fast behind the change.
#[test]
fn an_instant_rate_change() {
    for is_async in [true, false] {
        let log = disturbed(is_async, |harness| {
            let change = gst::event::InstantRateChange::new(2.0, gst::SegmentFlags::empty());
            // Serialised it is not, and asks the pipeline for the moment.
            harness.pad.push_event(change);
        });
        let finals = log.finals();
        let times = |t: &Transcript| {
            let times = [t.times.timestamp, t.times.stream_time, t.times.running_time];
            times.map(|time| time.expect("a time").nseconds())
        };
        let [last, before] = [1, 2].map(|n| times(&finals[finals.len() - n]));
        let [timestamp, stream, running] = last;
        let (stream, running) = (stream - before[1], running - before[2]);
        assert_eq!(timestamp - before[0], stream);
        assert!(running.abs_diff(stream / 2) <= 1, "{running} of {stream}");
        let [timestamp, _, running] = times(&finals[0]);
        assert_eq!(running, timestamp, "before it");
    }
}

/// A step lets the segment start where the step ends. Audio behind it that is stamped earlier, by
/// jitter, is out of the segment: it is cut, as in playback, and no silence takes its place.
#[test]
fn a_step_that_ends_with_a_late_buffer() {
    each_way(|service, harness, case| {
        let (pcm, _) = speech(2);
        let part = |from, to| &pcm[harness.bytes(from)..harness.bytes(to)];
        let at = AHEAD * 1000;
        harness.push_all(at, part(0, 1000), 20);
        step(harness, one());
        let push = || {
            harness.push(at + 1000, part(1000, 1020));
            // The step ends here, at 1120 ms.
            harness.push(at + 1120, part(1020, 1040));
            harness.push_all(at + 1040, &pcm[harness.bytes(1040)..], 20);
        };
        beside(push, || goes_on(harness, &harness.pipeline, case));
        let log = harness.end();
        assert_eq!(steps_done(&log), [one()], "{case}");
        let kept = [&pcm[..harness.bytes(1040)], &pcm[harness.bytes(1120)..]].concat();
        assert!(*service.connections()[0].pcm == kept, "{case}");
    });
}

/// While the last words are awaited there is no buffer to step over, and the end comes all the
/// same. So it does where a pause finds no buffer to preroll with, and the steps nothing but the
/// end of the stream.
#[test]
fn steps_at_the_end() {
    for (steps, paused, after_pause) in [
        (1, false, false),
        (1, true, false),
        (1, true, true),
        (2, true, true),
        (3, true, true),
    ] {
        each_way(|service, harness, case| {
            let case = format!("{case} {steps} {paused} {after_pause}");
            let begin = || {
                if paused {
                    harness.go(gst::State::Paused);
                }
                (0..steps).for_each(|_| step(harness, one()));
            };
            let marks = harness.say(2);
            service.hold(Gate::Final);
            if after_pause {
                begin();
            }
            let log = end(harness, || {
                until_connection(service, |c| c.finish_at.is_some());
                if !after_pause {
                    begin();
                }
                if paused {
                    harness.go(gst::State::Playing);
                }
                service.release(Gate::Final);
            });
            log.assert_said_in(&case, &marks, 0);
            assert!(after_pause || steps_done(&log) == [one()], "{case}");
        });
    }
}

/// GStreamer 1.22 restores the segment that a step began in, its start and stop, in the one that
/// it ends in. Then nothing lies in the segment any more that the sink could preroll with before it
/// awaits the final text.
#[test]
fn a_step_into_another_segment_and_the_end_in_paused() {
    each_way(|_, harness, case| {
        let mut segment = Segment::new();
        segment.set_base(ms(AHEAD * 1000));
        segment.set_stop(ms(100_000));
        assert!(harness.segment(&segment));
        let marks = harness.say(2);
        step(harness, gst::format::Buffers::from_u64(2).into());
        let silence = vec![0; harness.bytes(100)];
        harness.push(marks[5].end + 5000, &silence);
        segment.set_stop(gst::ClockTime::NONE);
        segment.set_start(ms(500_000));
        assert!(harness.segment(&segment));
        harness.push(500_000, &silence);
        harness.push(500_100, &silence);
        // Completes with the end.
        let _ = harness.pipeline.set_state(gst::State::Paused);
        let log = end(harness, || goes_on(harness, &harness.pipeline, case));
        log.assert_said_in(case, &marks, 0);
    });
}
