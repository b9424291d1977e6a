//! Where a stream's next sample is expected, and how a time lies to that.

use super::alignment::is_aligned;
use crate::element::timeline::{Nanos, Segment, nanos};
use crate::session::samples_to_time;

/// Where the next sample is expected.
#[derive(Debug)]
pub(crate) struct Place {
    /// A time in the segment, and the samples that came since.
    pub base: Nanos,
    pub samples: u64,
    /// Where audio ended: before the expected time, if a GAP event has come since.
    pub audio_end: Nanos,
    pub segment: Segment,
    /// Another one may have begun. Steps and instant rate changes alter it as well, but nothing
    /// jumps with those: timestamps go on.
    pub segment_changed: bool,
    /// A GAP event has come since the last audio.
    pub after_gap: bool,
    /// How much of the current gap has become silence.
    pub gap: gst::ClockTime,
    /// The current gap has ended the session.
    pub paused: bool,
    /// Where a repeat goes on, of which a whole buffer was left out.
    pub repeat: Option<Nanos>,
}

impl Place {
    /// Audio begins at `time`.
    pub fn new(time: Nanos, segment: &Segment) -> Self {
        Place {
            base: time,
            samples: 0,
            audio_end: time,
            segment: segment.clone(),
            segment_changed: false,
            after_gap: false,
            gap: gst::ClockTime::ZERO,
            paused: false,
            repeat: None,
        }
    }

    /// The time of the next sample.
    pub fn expected(&self, rate: u32) -> Nanos {
        self.base + samples_to_time(self.samples, rate).as_nanos() as Nanos
    }

    /// Audio comes at the expected time, or about then.
    pub fn go_on(&mut self, segment: &Segment) {
        self.segment = segment.clone();
        self.segment_changed = false;
        self.after_gap = false;
        self.gap = gst::ClockTime::ZERO;
        self.paused = false;
        self.repeat = None;
    }

    /// Whether a buffer at `time` goes on with a repeat.
    pub fn repeats_at(&self, time: Nanos) -> bool {
        self.repeat.is_some_and(|next| is_aligned(time - next))
    }

    /// Whether timestamps of `segment` count on from those of before: a stop, a position or a
    /// duration that became known changes nothing.
    pub fn is_continuous_with(&self, segment: &Segment) -> bool {
        let mapping = |s: &Segment| {
            let rates = (s.rate(), s.applied_rate());
            (rates, s.start(), s.base(), s.offset(), s.time())
        };
        !self.segment_changed || mapping(&self.segment) == mapping(segment)
    }

    /// Whether `time` is the same moment in `segment`, as in an update of the segment that it came
    /// in.
    pub fn is_same_position_in(&self, time: Nanos, segment: &Segment) -> bool {
        let times = |segment: &Segment| {
            let time = to_clock_time(time);
            let running = segment.to_running_time_full(time);
            (running, segment.to_stream_time_full(time), segment.rate())
        };
        self.is_continuous_with(segment) || times(&self.segment) == times(segment)
    }

    /// By how much `time` in `segment` is later than `from` in the place's own, in the units of
    /// buffers.
    pub fn deviation(&self, from: Nanos, time: Nanos, segment: &Segment) -> Option<Nanos> {
        if self.is_continuous_with(segment) {
            return Some(time - from);
        }
        let running = |segment: &Segment, time: Nanos| {
            let running = segment.to_running_time_full(to_clock_time(time))?;
            let nanos = nanos(running.abs());
            Some(if running.is_negative() { -nanos } else { nanos })
        };
        let by = running(segment, time)? - running(&self.segment, from)?;
        Some((by as f64 * segment.rate().abs()) as Nanos)
    }

    /// A gap has come as far as `end`.
    pub fn move_to(&mut self, end: Nanos, segment: &Segment, rate: u32) {
        if self.is_continuous_with(segment) {
            self.base += end - self.expected(rate);
        } else {
            let gap = self.deviation(self.audio_end, end, segment);
            self.audio_end = gap.map_or(end, |gap| end - gap.max(0));
            self.base = end;
            self.samples = 0;
        }
        self.segment = segment.clone();
        self.segment_changed = false;
    }
}

/// The nearest time that there is.
pub(crate) fn to_clock_time(time: Nanos) -> gst::ClockTime {
    let last = gst::ClockTime::MAX.nseconds();
    gst::ClockTime::from_nseconds(u64::try_from(time.max(0)).map_or(last, |time| time.min(last)))
}
