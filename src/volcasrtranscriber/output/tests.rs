//! Waits of the task that pushes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use super::*;

/// Upper bound on each wait of a test.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The audio may come while the task waits already: that ends its wait without a limit.
#[test]
fn text_leaves_where_the_audio_is_held_up_after_the_task_began_to_wait() {
    let output = Arc::new(TextPad::new());
    output.start();
    output.set_playing(true);
    let (waits, waiting) = mpsc::channel();
    let (leaves, left) = mpsc::channel();
    let task = Arc::clone(&output);
    thread::spawn(move || {
        let now = || {
            let _ = waits.send(());
            None
        };
        loop {
            match task.step(now, || true) {
                Step::Again => {}
                step => return leaves.send(step),
            }
        }
    });
    waiting.recv_timeout(TIMEOUT).expect("a task");
    for end in (100..=2000).step_by(100) {
        output.audio(Duration::from_millis(end));
    }
    match left.recv_timeout(TIMEOUT).expect("an action") {
        Step::Act(Action::Gap { start, duration }) => {
            assert_eq!(start, Duration::ZERO);
            assert_eq!(duration, Duration::from_secs(2) - STARVED_MARGIN);
        }
        step => panic!("{step:?}"),
    }
}

/// A seek goes back after a pause, and the audio from there takes its time.
#[test]
fn text_of_audio_before_a_flush_or_another_segment_is_not_missing() {
    gst::init().expect("GStreamer");
    let again: [fn(&TextPad); 2] = [
        |output| output.flush(None),
        |output| {
            let segment = gst::FormattedSegment::<gst::ClockTime>::new();
            output.event(gst::event::Segment::new(&segment), Some(Origin::default()));
            assert!(matches!(output.step(|| None, || true), Step::Act(_)));
        },
    ];
    for again in again {
        let output = TextPad::new();
        output.start();
        output.audio(Duration::from_secs(60));
        assert!(lock(&output.state).missing_until().is_some());
        again(&output);
        assert_eq!(lock(&output.state).missing_until(), None);
    }
}

/// Events wait as audio does while downstream takes nothing.
#[test]
fn events_wait_for_space() {
    const EVENTS: usize = 100_000;
    // 4 MiB of entries of 128 bytes, and some.
    const WAITING: usize = 40_000;
    gst::init().expect("GStreamer");
    let output = Arc::new(TextPad::new());
    output.start();
    let sent = Arc::new(AtomicUsize::new(0));
    let (writer, count) = (Arc::clone(&output), Arc::clone(&sent));
    let writer = thread::spawn(move || {
        for _ in 0..EVENTS {
            let event = gst::event::CustomDownstream::new(gst::Structure::new_empty("event"));
            writer.event(event, None);
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    while !lock(&output.state).schedule.is_full() {
        thread::yield_now();
    }
    for taken in 0..EVENTS {
        assert!(sent.load(Ordering::SeqCst).saturating_sub(taken) < WAITING);
        while !matches!(output.step(|| None, || false), Step::Act(_)) {}
    }
    writer.join().expect("no panic");
}

/// Its error may reach a slow handler after the element has begun again.
#[test]
fn a_run_that_is_over_changes_nothing() {
    gst::init().expect("GStreamer");
    let output = TextPad::new();
    output.start();
    let old = output.run();
    output.reset();
    output.barrier(1, None);
    output.fail(old);
    output.posted(old, 1);
    output.update((old, 0), |schedule| schedule.done(1));
    let has_failed = |output: &TextPad| {
        let mut state = lock(&output.state);
        state
            .schedule
            .event(gst::event::Eos::new(), Effect::Unchanged);
        !matches!(state.schedule.next(None), Action::Wait(None))
    };
    assert!(!has_failed(&output));
    output.fail(output.run());
    assert!(has_failed(&output));
}

/// The element may leave or reach PLAYING while the task asks for the time.
#[test]
fn a_time_of_before_a_pause_is_not_used() {
    let output = TextPad::new();
    output.start();
    output.set_playing(true);
    let now = || {
        output.set_playing(false);
        output.set_playing(true);
        Some(Duration::from_secs(10))
    };
    assert!(matches!(output.step(now, || false), Step::Again));
    let is_sent = || {
        output.set_playing(false);
        false
    };
    assert!(matches!(output.step(|| None, is_sent), Step::Again));
    let is_sent = || {
        output.set_playing(true);
        false
    };
    let now = || panic!("no time in PAUSED");
    assert!(matches!(output.step(now, is_sent), Step::Again));
}
