use std::time::Duration;

use super::*;
use crate::element::timeline::Timeline;
use crate::session::samples_in;

mod jitter;
mod repeats;
mod segments;
mod untimed;

const RATE: u32 = 24_000;

fn ms(ms: u64) -> gst::ClockTime {
    gst::ClockTime::from_mseconds(ms)
}

fn bytes(ms: u64) -> usize {
    ms as usize * 48
}

fn start(at: Option<u64>, discont: bool) -> Start {
    Start {
        time: at.map(ms),
        discont,
        ..Start::default()
    }
}

/// A detector and a timeline, used as a run does it.
struct Fed {
    input: GapDetector,
    timeline: Timeline,
    rate: u32,
    segment: Segment,
    /// No session is open, so silence is not sent.
    idle: bool,
    /// Sum of the outcomes, in milliseconds.
    total: Outcome,
    /// Of each buffer: its first sample's position, and how long it is in milliseconds.
    buffers: Vec<(u64, u64)>,
}

/// Outcome of a buffer or a GAP event, in milliseconds.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    silence: u64,
    ends_session: bool,
    skip: u64,
    /// Position and time of the new anchor.
    anchor: Option<(u64, u64)>,
}

fn anchored(position: u64, time: u64) -> Outcome {
    Outcome {
        anchor: Some((position, time)),
        ..Outcome::default()
    }
}

const NOTHING: Outcome = Outcome {
    silence: 0,
    ends_session: false,
    skip: 0,
    anchor: None,
};

impl Fed {
    fn new() -> Self {
        Fed::at(RATE)
    }

    fn at(rate: u32) -> Self {
        gst::init().expect("GStreamer");
        let limits = GapLimits {
            longest: ms(4000),
            settling: ms(1000),
        };
        let mut timeline = Timeline::new(rate);
        timeline.begin_stream(0, None);
        Fed {
            input: GapDetector::new(rate, limits),
            timeline,
            rate,
            segment: Segment::new(),
            idle: false,
            total: NOTHING,
            buffers: Vec::new(),
        }
    }

    fn push(&mut self, at: impl Into<Option<u64>>, length: u64) -> Outcome {
        self.buffer(at.into(), false, length)
    }

    /// With DISCONT.
    fn jump(&mut self, at: u64, length: u64) -> Outcome {
        self.buffer(Some(at), true, length)
    }

    fn buffer(&mut self, at: Option<u64>, discont: bool, length: u64) -> Outcome {
        self.start(start(at, discont), length)
    }

    /// As the elements do it, with DISCONT.
    fn clipped_jump(&mut self, at: u64, length: u64) -> Outcome {
        let mut buffer = gst::Buffer::from_slice(vec![0; bytes(length)]);
        let fields = buffer.get_mut().expect("the only owner");
        fields.set_pts(ms(at));
        fields.set_flags(gst::BufferFlags::DISCONT);
        match clip::clip(&buffer, Some(&self.segment), RATE) {
            Some((part, start)) => self.start(start, part.size() as u64 / 48),
            None => NOTHING,
        }
    }

    fn start(&mut self, start: Start, length: u64) -> Outcome {
        let segment = self.segment.clone();
        let per_ms = u64::from(self.rate / 1000);
        let bytes = bytes_of(length * per_ms);
        let plan = self.input.judge(start, bytes, Some(&segment));
        let mut outcome = self.silence(&plan);
        outcome.skip = plan.skip as u64 / 2 / per_ms;
        self.total.skip += outcome.skip;
        self.buffers.push((self.input.position(), length));
        let samples = samples_in(bytes - plan.skip);
        if samples > 0
            && let Some(anchor) = self.input.take(&plan, samples)
        {
            let time = anchor.time_at(anchor.position, self.rate) / 1_000_000;
            outcome.anchor = Some((anchor.position / per_ms, time as u64));
            self.timeline.add(0, anchor);
        }
        outcome
    }

    fn gap_until(&mut self, end: u64) -> Outcome {
        let plan = self.input.gap_until(ms(end), &self.segment.clone());
        self.silence(&plan)
    }

    fn silence(&mut self, plan: &BufferPlan) -> Outcome {
        self.input.silence(if self.idle { 0 } else { plan.silence });
        let silence = plan.silence / u64::from(self.rate / 1000);
        self.total.silence += silence;
        self.total.ends_session |= plan.ends_session;
        Outcome {
            silence,
            ends_session: plan.ends_session,
            ..NOTHING
        }
    }

    /// Returns the time at a position in milliseconds.
    fn time(&self, position: u64) -> i64 {
        let times = self.timeline.times_at(0, position);
        times.timestamp.map_or(-1, |time| time.mseconds() as i64)
    }

    fn segment(&mut self, change: impl Fn(&mut Segment)) {
        self.segment = Segment::new();
        change(&mut self.segment);
        self.input.segment();
    }

    fn dropped(&mut self, position: u64, length: u64) {
        self.input.dropped(position * 24, length * 24);
    }
}

#[test]
fn continuous_audio_needs_one_anchor() {
    let mut fed = Fed::new();
    assert_eq!(fed.push(500, 20), anchored(0, 500));
    for i in 1..100 {
        assert_eq!(fed.push(500 + 20 * i, 20), NOTHING);
    }
}

#[test]
fn buffers_with_one_time_lose_nothing() {
    let mut fed = Fed::new();
    assert_eq!(fed.push(200, 20), anchored(0, 200));
    for i in 1..10 {
        assert_eq!(fed.push(200, 20), anchored(0, 200 - 20 * i));
    }
    for chunk in 2..50 {
        for _ in 0..10 {
            assert_eq!(fed.push(200 * chunk, 20), NOTHING);
        }
    }
    assert_eq!(fed.input.position(), 490 * 20 * 24);
}

#[test]
fn a_short_jump_becomes_silence_and_a_long_one_ends_the_session() {
    for (jump, flag, silence, ends_session) in [
        (41, true, 41, false),
        (1000, true, 1000, false),
        (1001, false, 1001, false),
        (4000, true, 4000, false),
        (4000, false, 4000, false),
        (4001, true, 1000, true),
        (4001, false, 1000, true),
    ] {
        let mut fed = Fed::new();
        fed.push(0, 20);
        let outcome = fed.buffer(Some(20 + jump), flag, 20);
        let anchor = ends_session.then_some((20 + silence, 20 + jump));
        assert_eq!(
            (outcome.silence, outcome.ends_session, outcome.skip),
            (silence, ends_session, 0)
        );
        assert_eq!(outcome.anchor, anchor, "{jump} {flag}");
    }
}

#[test]
fn silence_without_a_session_is_only_in_the_times() {
    let mut fed = Fed::new();
    fed.push(0, 1000);
    fed.idle = true;
    let outcome = fed.jump(1500, 1000);
    assert_eq!((outcome.silence, outcome.anchor), (500, Some((1000, 1500))));
    fed.gap_until(3000);
    assert_eq!(fed.push(3000, 20), anchored(2000, 3000));
}

#[test]
fn a_flagged_repeat_is_skipped() {
    let mut fed = Fed::new();
    fed.push(0, 1000);
    let skipped = |skip| Outcome { skip, ..NOTHING };
    assert_eq!(fed.jump(900, 200), skipped(100));
    // The whole buffer, and the rest of the same repeat in a buffer without a flag.
    assert_eq!(fed.jump(700, 100), skipped(100));
    assert_eq!(fed.push(800, 100), skipped(100));
    assert_eq!(fed.push(900, 250), skipped(200));
    assert_eq!(fed.push(1150, 20), NOTHING);
}

#[test]
fn an_overlap_without_a_flag_is_taken() {
    let mut fed = Fed::new();
    fed.push(0, 1000);
    assert_eq!(fed.push(700, 200), anchored(200, -100i64 as u64));
}

#[test]
fn a_flag_without_a_jump_means_nothing() {
    let mut fed = Fed::new();
    fed.push(0, 20);
    for i in 1..100 {
        assert_eq!(fed.jump(20 * i, 20), NOTHING);
    }
    assert_eq!(fed.jump(2020, 20), anchored(2000, 2020));
}

#[test]
fn the_flag_of_a_skipped_buffer_holds_for_the_next() {
    let mut fed = Fed::new();
    fed.push(0, 20);
    fed.input.discont();
    assert_eq!(fed.push(320, 20).silence, 300);
    assert_eq!(fed.push(640, 20), NOTHING);
}

#[test]
fn a_jump_far_back_is_unrelated() {
    for flag in [false, true] {
        let mut fed = Fed::new();
        fed.push(9000, 200);
        assert_eq!(fed.buffer(Some(100), flag, 200), anchored(200, 100));
    }
}

#[test]
fn short_gaps_add_up() {
    let mut fed = Fed::new();
    fed.push(0, 20);
    let mut silence = 0;
    let mut ends = 0;
    for i in 1..=300 {
        let plan = fed.gap_until(20 + 20 * i);
        silence += plan.silence;
        ends += u32::from(plan.ends_session);
    }
    assert_eq!(silence, 4000);
    assert_eq!(ends, 1, "one end for the whole gap");
    assert_eq!(fed.push(6020, 20), anchored(4020, 6020));
}

#[test]
fn times_at_the_end_of_time_do_not_overflow() {
    let end = gst::ClockTime::MAX.mseconds();
    let mut fed = Fed::new();
    assert_eq!(fed.push(end, 20), anchored(0, end));
    assert_eq!(fed.push(None, 20), NOTHING);

    let mut fed = Fed::new();
    fed.push(0, 20);
    assert!(fed.gap_until(end).ends_session);
    assert!(!fed.push(end, 20).ends_session, "one end for the whole gap");
}

#[test]
fn audio_in_a_gap_that_claimed_too_much_is_taken() {
    for (flag, skip, time) in [(true, 200, 2500), (false, 0, 2300)] {
        let mut fed = Fed::new();
        fed.push(0, 1000);
        assert_eq!(fed.gap_until(2000).silence, 1000);
        assert_eq!(fed.push(1500, 1000), anchored(2000, 1500));
        // Audio that was taken before is skipped if a flag tells the repeat from jitter.
        assert_eq!(fed.gap_until(3500).silence, 1000);
        let outcome = fed.buffer(Some(2300), flag, 1000);
        assert_eq!((outcome.skip, outcome.anchor), (skip, Some((4000, time))));
    }
}

/// A lasting deviation is found late, and its start lies in audio that was not dropped.
#[test]
fn drops_move_the_start_of_a_lasting_deviation() {
    let mut fed = Fed::new();
    fed.push(0, 200);
    for i in 1..5 {
        fed.push(300 + 200 * i, 200);
    }
    fed.dropped(0, 300);
    assert_eq!(fed.push(1300, 200), anchored(0, 600));
}
