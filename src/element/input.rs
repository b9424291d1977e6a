//! Decides what a buffer or a gap becomes: audio, silence, the end of a session, or nothing.
//!
//! Used by the streaming thread only. The service counts samples, and so does the expected time
//! here. Timestamps of real pipelines jitter, drift, jump and overlap: [`alignment`] tells these
//! apart.

mod alignment;
pub(crate) mod clip;
mod limits;
mod place;

use crate::element::timeline::{Anchor, Nanos, Segment, nanos};
use crate::session::{bytes_of, samples_to_time};
use alignment::{Announcement, Discontinuity, Flags, Window, judge};
use clip::Start;
use place::{Place, to_clock_time};

pub(crate) use limits::GapLimits;

/// Smallest deviation from the anchor that gets an anchor of its own: messages count in
/// milliseconds.
const DRIFT: Nanos = 1_000_000;

/// Actions before a buffer's audio, and how much of that to skip.
#[derive(Debug, Default)]
pub(crate) struct BufferPlan {
    /// Silence to send first, in samples.
    pub silence: u64,
    /// The session ends before the audio.
    pub ends_session: bool,
    /// Bytes at the buffer's start that repeat audio that was taken before.
    pub skip: usize,
    /// Time of the rest, if known.
    time: Option<Timestamp>,
}

#[derive(Debug)]
struct Timestamp {
    time: Nanos,
    segment: Segment,
    /// The time is the buffer's own timestamp, not the expected one.
    own: bool,
    /// The expected time starts again from here.
    restarts: bool,
}

/// Mapping from the stream's axis to times since the last anchor: the difference of the two.
#[derive(Debug)]
struct Mapping {
    offset: Nanos,
    segment: Option<Segment>,
}

/// Detector of gaps and jumps in one stream.
#[derive(Debug)]
pub(crate) struct GapDetector {
    rate: u32,
    limits: GapLimits,
    /// Position of the next sample: those that were handed over and not dropped.
    position: u64,
    place: Option<Place>,
    flags: Flags,
    window: Window,
    mapping: Option<Mapping>,
    /// Number of samples that were dropped, and so have no position.
    dropped: u64,
    /// A buffer with DISCONT was skipped: its flag holds for the next one.
    discont: bool,
}

impl GapDetector {
    pub fn new(rate: u32, limits: GapLimits) -> Self {
        GapDetector {
            rate,
            limits,
            position: 0,
            place: None,
            flags: Flags::new(rate),
            window: Window::new(rate),
            mapping: None,
            dropped: 0,
            discont: false,
        }
    }

    /// Returns the position of the next sample.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Notes that silence was sent.
    pub fn silence(&mut self, samples: u64) {
        self.position += samples;
    }

    /// Plans what to do with a buffer of `bytes` bytes. [`take`](Self::take) then takes the rest.
    pub fn judge(
        &mut self,
        mut start: Start,
        bytes: usize,
        segment: Option<&Segment>,
    ) -> BufferPlan {
        start.discont |= std::mem::take(&mut self.discont);
        let mut plan = BufferPlan::default();
        let expected = (self.place.as_ref().zip(segment)).and_then(|(place, segment)| {
            let expected = place.expected(self.rate);
            let same = place.is_same_position_in(expected, segment);
            same.then_some(expected)
        });
        // Without a timestamp it goes on where the one before ended.
        if let (Some(time), Some(segment)) = (start.time.map(nanos).or(expected), segment) {
            let (time, restarts) = self.jump(time, start, segment, bytes, &mut plan);
            plan.time = Some(Timestamp {
                time,
                segment: segment.clone(),
                own: start.time.is_some(),
                restarts,
            });
        }
        plan
    }

    /// Takes the samples that a plan leaves. Returns the anchor that they need.
    pub fn take(&mut self, plan: &BufferPlan, samples: u64) -> Option<Anchor> {
        let anchor = match &plan.time {
            Some(time) => self.timed(time, samples),
            None => self.untimed(),
        };
        self.position += samples;
        let anchor = anchor?;
        self.window.limit(anchor.position);
        let time = anchor.time_at(anchor.position, self.rate);
        self.mapping = Some(Mapping {
            offset: time - self.axis(anchor.position),
            segment: anchor.segment.clone(),
        });
        Some(anchor)
    }

    /// Plans what to do for a GAP event up to `end`.
    pub fn gap_until(&mut self, end: gst::ClockTime, segment: &Segment) -> BufferPlan {
        let mut plan = BufferPlan::default();
        let end = nanos(end);
        let Some(place) = &mut self.place else {
            return plan;
        };
        place.after_gap = true;
        let expected = place.expected(self.rate);
        if let Some(by) = place.deviation(expected, end, segment).filter(|by| *by > 0) {
            place.move_to(end, segment, self.rate);
            self.gap(by, &mut plan);
        }
        plan
    }

    /// Notes a SEGMENT event.
    pub fn segment(&mut self) {
        if let Some(place) = &mut self.place {
            place.segment_changed = true;
        }
    }

    /// Notes that a buffer with DISCONT was skipped.
    pub fn discont(&mut self) {
        self.discont = true;
    }

    /// Notes that samples were dropped from `position` on. Positions behind them move up.
    pub fn dropped(&mut self, position: u64, samples: u64) {
        self.position -= samples.min(self.position);
        self.dropped += samples;
        self.window.remove(position, samples);
    }

    /// Decides what the time of a buffer means, and moves the place to the first sample that is not
    /// skipped. Returns the time of that sample, and whether the expected time starts again there.
    fn jump(
        &mut self,
        time: Nanos,
        start: Start,
        segment: &Segment,
        bytes: usize,
        plan: &mut BufferPlan,
    ) -> (Nanos, bool) {
        let rate = self.rate;
        let Some(place) = &mut self.place else {
            self.place = Some(Place::new(time, segment));
            self.flags.jumped();
            return (time, true);
        };
        let expected = place.expected(rate);
        let deviation = place.deviation(expected, time, segment);
        // The buffer's own timestamp tells jitter from a repeat, also where it is clipped.
        let clipped = nanos(start.clipped);
        let reach = deviation.unwrap_or_default() - clipped;
        let announcement = if !place.is_continuous_with(segment) {
            Announcement::Gap
        } else if place.repeats_at(time - clipped) {
            Announcement::Repeat
        } else if start.discont && self.flags.announce(reach) {
            Announcement::of_flag(reach)
        } else if place.after_gap {
            Announcement::Gap
        } else {
            Announcement::None
        };
        let flag = matches!(announcement, Announcement::Flag | Announcement::Repeat);
        let overlap = place.audio_end - time;
        let jump = deviation.map_or(Discontinuity::Unrelated, |deviation| {
            judge(announcement, deviation, overlap)
        });
        match jump {
            Discontinuity::None => {
                place.go_on(segment);
                return (time, false);
            }
            Discontinuity::Repeat(by) => {
                plan.skip = bytes_of(to_samples(by, rate)).min(bytes);
                let end = place.audio_end;
                if plan.skip == bytes {
                    place.repeat = Some(time + nanos(clip::duration(bytes, rate)));
                    return (time, false);
                }
                if (expected - end).abs() < DRIFT {
                    place.go_on(segment);
                    return (end, false);
                }
                self.place = Some(Place::new(end, segment));
                return (end, true);
            }
            Discontinuity::Realign | Discontinuity::Gap(_) if flag => {
                self.flags.moved(deviation.unwrap_or_default());
            }
            Discontinuity::Realign => {}
            Discontinuity::Gap(_) | Discontinuity::Unrelated => self.flags.jumped(),
        }
        if let Discontinuity::Gap(by) = jump {
            self.gap(by, plan);
        }
        self.place = Some(Place::new(time, segment));
        (time, true)
    }

    /// Takes audio that has a time. Returns the anchor it needs.
    fn timed(&mut self, at: &Timestamp, samples: u64) -> Option<Anchor> {
        let (rate, position) = (self.rate, self.position);
        let axis = self.axis(position);
        if at.restarts {
            self.window.restart(position);
        }
        let end = position.saturating_add(samples);
        let place = self.place.as_mut()?;
        let expected = place.expected(rate);
        let deviation = at.time - expected;
        let shift = match at.own {
            true => self.window.observe(deviation, position, end),
            false => self.window.extend(end),
        };
        let mapping = self.mapping.as_ref();
        let mut back = 0;
        if let Some(shift) = shift {
            place.base += shift.by;
            self.flags.shifted(shift.by);
            // Another segment has no times for what came before it.
            if mapping.is_some_and(|mapping| mapping.segment.as_ref() == Some(&at.segment)) {
                back = position.saturating_sub(shift.position).min(place.samples);
            }
        }
        let wanted = back > 0
            || mapping.is_none_or(|mapping| {
                let off = place.expected(rate) - axis - mapping.offset;
                mapping.segment.as_ref() != Some(&at.segment) || off.abs() >= DRIFT
            });
        let anchor = wanted.then(|| Anchor {
            position: position - back,
            time: place.base,
            ahead: place.samples - back,
            segment: Some(at.segment.clone()),
        });
        place.samples += samples;
        place.audio_end = place.expected(rate);
        self.flags.advance(samples);
        anchor
    }

    /// Returns the anchor for audio without a time, which counts from the stream's first sample.
    /// Its place in a segment is unknown, and no time is better than one in the last segment. The
    /// next buffer with a time then has no gap before it.
    fn untimed(&mut self) -> Option<Anchor> {
        let position = self.position;
        self.place = None;
        let is_axis = |mapping: &Mapping| mapping.segment.is_none();
        (!self.mapping.as_ref().is_some_and(is_axis)).then(|| Anchor {
            position,
            time: 0,
            ahead: position.saturating_add(self.dropped),
            segment: None,
        })
    }

    fn gap(&mut self, by: Nanos, plan: &mut BufferPlan) {
        let (limits, rate) = (self.limits, self.rate);
        let Some(place) = &mut self.place else { return };
        if place.session_ended {
            return;
        }
        let silence = |time: gst::ClockTime| to_samples(nanos(time), rate);
        let total = place.gap.saturating_add(to_clock_time(by));
        if total <= limits.longest {
            place.gap = total;
            plan.silence = to_samples(by, rate);
        } else {
            let settling = limits.settling.saturating_sub(place.gap);
            place.session_ended = true;
            plan.silence = silence(settling);
            plan.ends_session = true;
        }
    }

    /// Returns the time from the stream's first sample to `position`, dropped samples included.
    fn axis(&self, position: u64) -> Nanos {
        let time = samples_to_time(position.saturating_add(self.dropped), self.rate);
        time.as_nanos() as Nanos
    }
}

/// Converts a time to the nearest number of samples.
fn to_samples(time: Nanos, rate: u32) -> u64 {
    let second: Nanos = 1_000_000_000;
    let samples = (time.max(0) * Nanos::from(rate) + second / 2) / second;
    samples.try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
