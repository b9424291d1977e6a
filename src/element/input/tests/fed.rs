//! A detector that is fed buffers and events, and what comes of them.

use std::fmt;

use super::*;
use crate::element::timeline::Timeline;
use crate::session::{bytes_of, samples_in};

const RATE: u32 = 24_000;

pub(super) fn ms(ms: u64) -> gst::ClockTime {
    gst::ClockTime::from_mseconds(ms)
}

/// A detector and a timeline, used as a run does it.
pub(super) struct Fed {
    pub input: GapDetector,
    pub timeline: Timeline,
    rate: u32,
    pub segment: Segment,
    /// No session is open, so silence is not sent.
    idle: bool,
    /// Sum of the outcomes but for their anchors.
    pub total: Outcome,
    /// Of each buffer: its first sample's position.
    pub buffers: Vec<u64>,
}

/// Outcome of a buffer or a GAP event, in milliseconds.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Outcome {
    pub silence: u64,
    pub ends_session: bool,
    pub skip: u64,
    /// Position and time of the new anchor.
    anchor: Option<(u64, i64)>,
}

/// As in `silence 1000, end, 1020=4021`: an anchor is its position and its time.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |name: &str, by: u64| (by > 0).then(|| format!("{name} {by}"));
        let end = self.ends_session.then(|| "end".to_owned());
        let anchor = self
            .anchor
            .map(|(position, time)| format!("{position}={time}"));
        let parts = [
            of("silence", self.silence),
            end,
            of("skip", self.skip),
            anchor,
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

/// Runs scripts. Steps stand between bars, and behind a colon what comes of one: an [`Outcome`].
///
/// - `500+20`, `!500+20`, `?+20`: a buffer of 20 ms at 500 ms, with DISCONT, or without a time;
/// - `gap 500`, `segment base=200 rate=2`: a GAP event up to 500 ms, a SEGMENT event;
/// - `alter rate=2`: the segment changes without an event;
/// - `dropped 0+20`: 20 ms are dropped from 0 ms on;
/// - `discont`: a buffer with DISCONT is skipped;
/// - `idle`: no session is open any more.
pub(super) fn run(scripts: &[(&str, &str)]) {
    for (name, script) in scripts {
        let mut fed = Fed::new();
        for step in script.split(" | ") {
            let (step, expected) = step.split_once(": ").unwrap_or((step, ""));
            let found = fed.step(step).to_string();
            assert_eq!(found, expected, "{name}: {step}");
        }
    }
}

fn number(text: &str) -> u64 {
    text.parse()
        .unwrap_or_else(|_| panic!("not a number: {text}"))
}

/// Two numbers, as in `500+20`; the first one may be `?`.
fn sum(text: &str) -> (Option<u64>, u64) {
    let (at, length) = text.split_once('+').expect("a time and a length");
    ((at != "?").then(|| number(at)), number(length))
}

impl Fed {
    pub fn new() -> Self {
        Fed::at(RATE)
    }

    pub fn at(rate: u32) -> Self {
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
            total: Outcome::default(),
            buffers: Vec::new(),
        }
    }

    fn step(&mut self, step: &str) -> Outcome {
        let (verb, rest) = step.split_once(' ').unwrap_or((step, ""));
        match verb {
            "gap" => return self.gap_until(number(rest)),
            "segment" => {
                self.segment = Segment::new();
                self.alter(rest);
                self.input.segment();
            }
            "alter" => self.alter(rest),
            "dropped" => {
                let (at, length) = sum(rest);
                self.input
                    .dropped(at.expect("a position") * 24, length * 24);
            }
            "discont" => self.input.discont(),
            "idle" => self.idle = true,
            buffer => {
                let (at, length) = sum(buffer.trim_start_matches('!'));
                return self.buffer(at, buffer.starts_with('!'), length);
            }
        }
        Outcome::default()
    }

    fn alter(&mut self, fields: &str) {
        for field in fields.split(' ').filter(|field| !field.is_empty()) {
            let (name, value) = field.split_once('=').expect("a field and its value");
            let rate = || value.parse().expect("a rate");
            match name {
                "start" => self.segment.set_start(ms(number(value))),
                "stop" => self.segment.set_stop(ms(number(value))),
                "position" => self.segment.set_position(ms(number(value))),
                "base" => self.segment.set_base(ms(number(value))),
                "offset" => self.segment.set_offset(ms(number(value))),
                "rate" => self.segment.set_rate(rate()),
                "applied" => self.segment.set_applied_rate(rate()),
                other => panic!("no field {other}"),
            }
        }
    }

    pub fn push(&mut self, at: impl Into<Option<u64>>, length: u64) -> Outcome {
        self.buffer(at.into(), false, length)
    }

    /// Clips a buffer and takes what is left, as the elements do it.
    pub fn buffer(&mut self, at: Option<u64>, discont: bool, length: u64) -> Outcome {
        let per_ms = u64::from(self.rate / 1000);
        let mut buffer = gst::Buffer::from_slice(vec![0; bytes_of(length * per_ms)]);
        let fields = buffer.get_mut().expect("the only owner");
        fields.set_pts(at.map(ms));
        if discont {
            fields.set_flags(gst::BufferFlags::DISCONT);
        }
        let Some((part, start)) = clip::clip(&buffer, Some(&self.segment), self.rate) else {
            return Outcome::default();
        };
        let plan = self.input.judge(start, part.size(), Some(&self.segment));
        let mut outcome = self.silence(&plan);
        outcome.skip = samples_in(plan.skip) / per_ms;
        self.total.skip += outcome.skip;
        self.buffers.push(self.input.position());
        let samples = samples_in(part.size() - plan.skip);
        if samples > 0
            && let Some(anchor) = self.input.take(&plan, samples)
        {
            let time = anchor.time_at(anchor.position, self.rate) / 1_000_000;
            outcome.anchor = Some((anchor.position / per_ms, time as i64));
            self.timeline.add(0, anchor);
        }
        outcome
    }

    pub fn gap_until(&mut self, end: u64) -> Outcome {
        let plan = self.input.gap_until(ms(end), &self.segment);
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
            ..Outcome::default()
        }
    }

    /// Returns the time of a buffer's first sample in milliseconds.
    pub fn time(&self, buffer: u64) -> i64 {
        let times = self.timeline.times_at(0, self.buffers[buffer as usize]);
        times.timestamp.map_or(-1, |time| time.mseconds() as i64)
    }
}
