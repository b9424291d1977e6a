//! Expected time of a stream's next sample, and the deviation of other times from it.

use super::alignment::is_aligned;
use crate::element::timeline::{Nanos, Segment, signed_nanos};
use crate::session::samples_to_time;

/// Expected time of the next sample.
#[derive(Debug)]
pub(crate) struct Place {
    /// A time in the segment, and the samples that came since.
    pub base: Nanos,
    pub samples: u64,
    /// End of the audio: before the expected time, if a GAP event has come since.
    pub audio_end: Nanos,
    pub segment: Segment,
    /// A SEGMENT event has come. Steps and instant rate changes alter the segment without one, and
    /// timestamps do not jump with those.
    pub segment_changed: bool,
    /// A GAP event has come since the last audio.
    pub after_gap: bool,
    /// Part of the current gap that has become silence.
    pub gap: gst::ClockTime,
    /// The current gap has ended the session.
    pub session_ended: bool,
    /// Time at which a repeat continues after a buffer that was skipped whole.
    pub repeat: Option<Nanos>,
}

impl Place {
    /// Returns the place of audio that starts at `time`.
    pub fn new(time: Nanos, segment: &Segment) -> Self {
        Place {
            base: time,
            samples: 0,
            audio_end: time,
            segment: segment.clone(),
            segment_changed: false,
            after_gap: false,
            gap: gst::ClockTime::ZERO,
            session_ended: false,
            repeat: None,
        }
    }

    /// Returns the time of the next sample.
    pub fn expected(&self, rate: u32) -> Nanos {
        self.base + samples_to_time(self.samples, rate).as_nanos() as Nanos
    }

    /// Notes audio at about the expected time.
    pub fn go_on(&mut self, segment: &Segment) {
        self.segment = segment.clone();
        self.segment_changed = false;
        self.after_gap = false;
        self.gap = gst::ClockTime::ZERO;
        self.session_ended = false;
        self.repeat = None;
    }

    /// Whether a buffer at `time` continues a repeat.
    pub fn repeats_at(&self, time: Nanos) -> bool {
        self.repeat.is_some_and(|next| is_aligned(time - next))
    }

    /// Whether timestamps of `segment` continue those before: stop, position and duration may
    /// change.
    pub fn is_continuous_with(&self, segment: &Segment) -> bool {
        let mapping = |s: &Segment| {
            let rates = (s.rate(), s.applied_rate());
            (rates, s.start(), s.base(), s.offset(), s.time())
        };
        !self.segment_changed || mapping(&self.segment) == mapping(segment)
    }

    /// Whether `time` is the same moment in `segment` as before, as in an update of the segment.
    pub fn is_same_position_in(&self, time: Nanos, segment: &Segment) -> bool {
        let times = |segment: &Segment| {
            let time = to_clock_time(time);
            let running = segment.to_running_time_full(time);
            (running, segment.to_stream_time_full(time), segment.rate())
        };
        self.is_continuous_with(segment) || times(&self.segment) == times(segment)
    }

    /// Returns how much later `time` in `segment` is than `from` in the segment before, in buffers'
    /// units.
    pub fn deviation(&self, from: Nanos, time: Nanos, segment: &Segment) -> Option<Nanos> {
        if self.is_continuous_with(segment) {
            return Some(time - from);
        }
        let running = |segment: &Segment, time: Nanos| {
            let running = segment.to_running_time_full(to_clock_time(time));
            running.map(signed_nanos)
        };
        let by = running(segment, time)? - running(&self.segment, from)?;
        Some((by as f64 * segment.rate().abs()) as Nanos)
    }

    /// Moves to the end of a gap.
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

/// Converts to the nearest valid time.
pub(crate) fn to_clock_time(time: Nanos) -> gst::ClockTime {
    let last = gst::ClockTime::MAX.nseconds();
    gst::ClockTime::from_nseconds(u64::try_from(time.max(0)).map_or(last, |time| time.min(last)))
}
