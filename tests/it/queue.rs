//! Audio that can't be sent yet: it waits. When the queue is full, the pipeline blocks, or the
//! oldest audio is dropped.

use std::time::Duration;

use crate::common::faults::*;
use crate::common::*;
use volcasr_loopback::marks::Mark;
use volcasr_loopback::{Gate, Options, Service};

/// A queue of `queue` milliseconds in front of a service that holds the upgrade back.
fn rig(leaky: &str, live: bool, queue: u32) -> (Service, TestPipeline) {
    let service = service(Options::default());
    service.hold(Gate::Upgrade);
    let properties = format!("max-queue-time={queue} leaky={leaky}");
    let rig = TestPipeline::at(&service, &properties);
    rig.source.set_is_live(live);
    (service, rig)
}

#[test]
fn a_full_queue_blocks_the_pipeline() {
    // A buffer longer than the queue is taken once that is empty.
    let cases = [("no", 20, 1000), ("auto", 20, 1000), ("no", 2600, 2600)];
    in_parallel(&cases, |&(leaky, buffers, taken)| {
        let (service, mut rig) = rig(leaky, false, 1000);
        let (pcm, marks) = open_ended_speech(4);
        rig.begin(&pcm, buffers);
        rig.eos();
        until_blocked(&rig.sink, Duration::from_secs(1));
        let received = stat(&rig.sink, "audio-received");
        assert_eq!(received, taken * 1_000_000, "{leaky} {buffers}");
        service.release(Gate::Upgrade);
        let log = rig.listen();
        assert_whole(&log, &marks, false, leaky);
        log.assert_no_warnings(leaky);
        assert_eq!(stat(&rig.sink, "audio-dropped"), 0, "{leaky}");
    });
}

/// The silence in place of a gap takes space as audio does.
#[test]
fn a_buffer_behind_a_gap_waits_for_space() {
    let service = service(Options::default());
    service.hold(Gate::Upgrade);
    let sink = set(sink(&service), "max-queue-time=1000 leaky=no");
    let harness = pad_harness::PadHarness::new(sink);
    harness.push(0, &vec![0; harness.bytes(300)]);
    assert!(harness.gap(300, 1000));
    let waits = || {
        until_blocked(&harness.sink, Duration::from_secs(1));
        assert_eq!(stat(&harness.sink, "audio-received"), 300_000_000);
        service.release(Gate::Upgrade);
    };
    beside(|| harness.push(1300, &[0; 960]), waits);
}

#[test]
fn a_full_queue_loses_its_oldest_audio() {
    let cases = [
        ("downstream", false, None),
        ("downstream", true, None),
        ("auto", true, None),
        // From here on it is one buffer, longer than the queue: it is taken whole, and what waited
        // before it is gone.
        ("downstream", false, Some(2600)),
    ];
    in_parallel(&cases, |&(leaky, live, long)| {
        let case = format!("{leaky} {live} {long:?}");
        let (service, mut rig) = rig(leaky, live, if long.is_some() { 1000 } else { 3000 });
        let (pcm, marks) = open_ended_speech(5);
        let (short, one) = pcm.split_at(long.map_or(pcm.len(), |from| from * 48));
        rig.begin(short, 20);
        rig.push(one, pcm.len());
        rig.until_taken(&pcm);
        rig.eos();
        service.release(Gate::Upgrade);
        let log = rig.listen();
        let lost = assert_dropped(&log, &rig.sink, &case);
        // Not for every chunk: at once, and by the second.
        let warnings = warnings_of(&log, "volcasr-dropped").len();
        let by_second = lost / 1000..=2 + lost / 1000;
        assert!(by_second.contains(&warnings), "{case}: {warnings} warnings");
        let kept = pcm.len() / 48 - lost;
        let is_right = long.map_or((2800..=3000).contains(&kept), |from| lost == from);
        assert!(is_right, "{case}: {lost}");
        assert_reported_behind(&log, &marks, lost as u64, &case);
    });
}

/// A chunk holds the end of the one segment and the beginning of the other: what is dropped is
/// reported in both.
#[test]
fn audio_that_is_dropped_across_segments_is_reported_in_each() {
    let service = service(Options::default());
    service.hold(Gate::Upgrade);
    let sink = set(sink(&service), "max-queue-time=1000 leaky=downstream");
    let harness = pad_harness::PadHarness::new(sink);
    let silence = vec![0; harness.bytes(300)];
    harness.push_all(0, &silence, 100);
    harness.segment_at(60_000, 300);
    harness.push_all(60_000, &vec![0; harness.bytes(3000)], 100);
    service.release(Gate::Upgrade);
    assert!(harness.eos());
    let log = listen(&harness.bus);
    log.assert_no_errors("the run");
    let range = |details: &gst::Structure| {
        let ms = |name| details.get::<u64>(name).expect("a field of it") / 1_000_000;
        (ms("timestamp"), ms("running-time"), ms("duration"))
    };
    let warnings = warnings_of(&log, "volcasr-dropped");
    let ranges: Vec<_> = warnings.iter().map(range).collect();
    // Each goes on where the one before ended, in running time: the segments do, too.
    let mut next = 0;
    for &(timestamp, running, duration) in &ranges {
        let segment = if next < 300 { 0 } else { 60_000 - 300 };
        assert_eq!((timestamp, running), (segment + next, next), "{ranges:?}");
        next += duration;
    }
    assert!(next > 300, "{ranges:?}");
    assert_eq!(stat(&harness.sink, "audio-dropped"), next * 1_000_000);
}

/// The warnings report one stretch from the beginning on, each where the one before ended, and as
/// much as `stats` says. Returns it in milliseconds.
fn assert_dropped(log: &BusLog, sink: &gst::Element, case: &str) -> usize {
    let warnings = warnings_of(log, "volcasr-dropped");
    let mut next = 0;
    for details in &warnings {
        let time = |name| details.get::<u64>(name).expect(name);
        let times = ["timestamp", "running-time", "stream-time"].map(time);
        assert_eq!(times, [next; 3], "{case}: {warnings:?}");
        next += time("duration");
    }
    assert_eq!(stat(sink, "audio-dropped"), next, "{case}");
    (next / 1_000_000) as usize
}

/// Every mark behind what was lost is reported once, in order and at its time.
fn assert_reported_behind(log: &BusLog, marks: &[Mark], lost: u64, case: &str) {
    log.assert_no_errors(case);
    assert_ends_once(&log.transcripts());
    let mut said = marks_of(&log.finals());
    // A mark of which only a part was sent is recognised as something else.
    said.retain(|mark| mark.0 != u32::MAX);
    let mut whole = marks.to_vec();
    whole.retain(|mark| mark.start >= lost);
    assert_eq!(said, expected(&whole, 0), "{case}: {lost}");
}
