//! Mapping from positions in a stream to the pipeline's times.
//!
//! The service counts samples; the pipeline has timestamps, segments and jumps in both. An anchor
//! marks each place where the mapping changes: a position, and its time in the pipeline.

use std::collections::VecDeque;
use std::time::Duration;

pub(crate) use crate::message::Times;
use crate::session::time_to_samples;

/// Upper bound on the anchors of one stream; the oldest are dropped.
const MAX_ANCHORS: usize = 4096;
/// Upper bound on the streams that wait or are being recognised: some minutes of the shortest
/// clips.
const MAX_STREAMS: usize = 4096;

/// Error of the service's times, which it rounds to milliseconds: a sound that starts or ends at an
/// anchor is reported at a smaller distance from it.
const ROUNDING: Nanos = 1_000_000;

/// A segment that counts time.
pub(crate) type Segment = gst::FormattedSegment<gst::ClockTime>;

/// Signed nanoseconds: `i128` holds the difference of any two times, multiplied by a rate.
pub(crate) type Nanos = i128;

const SECOND: Nanos = 1_000_000_000;

/// Lower bound on times that count as zero: rounding, or samples that are older than their buffer's
/// time of arrival. Times below it are left out.
const MIN_TIME: Nanos = -SECOND;

/// Where a stretch of samples lies in the pipeline's time.
#[derive(Clone, Debug)]
pub(crate) struct Anchor {
    /// Position of its first sample.
    pub position: u64,
    /// A time in nanoseconds, which is not rounded again when the anchor moves.
    pub time: Nanos,
    /// Number of samples before `position` that the time belongs to.
    pub ahead: u64,
    /// Segment of the audio. `None`: the time counts from the stream's first sample.
    pub segment: Option<Segment>,
}

#[derive(Debug)]
struct Stream {
    number: u32,
    id: Option<String>,
    anchors: VecDeque<Anchor>,
}

/// The anchors of the streams that are being recognised.
#[derive(Debug)]
pub(crate) struct Timeline {
    rate: u32,
    streams: VecDeque<Stream>,
}

impl Timeline {
    pub fn new(rate: u32) -> Self {
        Timeline {
            rate,
            streams: VecDeque::new(),
        }
    }

    /// Begins a stream, with position 0.
    pub fn begin_stream(&mut self, number: u32, id: Option<String>) {
        if self.streams.len() == MAX_STREAMS {
            self.streams.pop_front();
        }
        self.streams.push_back(Stream {
            number,
            id,
            anchors: VecDeque::new(),
        });
    }

    /// Adds an anchor. It may lie some samples back.
    pub fn add(&mut self, number: u32, anchor: Anchor) {
        let rate = self.rate;
        let Some(stream) = self.stream_mut(number) else {
            return;
        };
        let before = stream.index(|last| last.position < anchor.position);
        let anchors = &mut stream.anchors;
        anchors.truncate(before);
        // Without a jump no anchor is needed.
        let last = anchors.back();
        if last.is_some_and(|last| last.leads_to(&anchor, rate)) {
            return;
        }
        if anchors.len() == MAX_ANCHORS {
            anchors.pop_front();
        }
        anchors.push_back(anchor);
    }

    /// Removes `samples` at `position`, which were dropped. Positions behind them move up.
    pub fn remove(&mut self, number: u32, position: u64, samples: u64) {
        let Some(stream) = self.stream_mut(number) else {
            return;
        };
        let behind = position + samples;
        let first = stream.index(|anchor| anchor.position < position);
        let next = stream.index(|anchor| anchor.position <= behind);
        for anchor in stream.anchors.range_mut(next..) {
            anchor.position -= samples;
        }
        // The last one before the audio behind still holds for it.
        let resumed = next.checked_sub(1).map(|last| {
            let last = &stream.anchors[last];
            let ahead = last.ahead + (behind - last.position);
            Anchor {
                position,
                ahead,
                ..last.clone()
            }
        });
        stream.anchors.drain(first..next);
        if let Some(resumed) = resumed {
            stream.anchors.insert(first, resumed);
        }
    }

    /// Forgets older streams, and anchors that are not needed for times after `until`.
    pub fn forget(&mut self, number: u32, until: Duration) {
        let until = time_to_samples(until, self.rate);
        let older = self
            .streams
            .partition_point(|stream| stream.number < number);
        self.streams.drain(..older);
        if let Some(stream) = self.stream_mut(number) {
            let next = stream.index(|anchor| anchor.position <= until);
            stream.anchors.drain(..next.saturating_sub(1));
        }
    }

    /// Returns the STREAM_START id of a stream.
    pub fn id(&self, number: u32) -> Option<&str> {
        self.stream(number)?.id.as_deref()
    }

    /// Returns the pipeline's times of a stretch that the service reports, to the millisecond. It
    /// does not reach over an anchor by a rounding error alone.
    pub fn times(&self, number: u32, start: Option<Duration>, end: Option<Duration>) -> Times {
        let (Some(stream), Some(start)) = (self.stream(number), start) else {
            return Times::default();
        };
        let rate = self.rate;
        let end = end.filter(|end| *end >= start);
        // A stretch as short as the error can't tell its side of an anchor: taken to the
        // nanosecond.
        let short = Duration::from_nanos(2 * ROUNDING as u64);
        let long = end.is_none_or(|end| end - start > short);
        let error = if long { ROUNDING } else { 1 } * Nanos::from(rate);
        let (place, start) = stream.start(Moment::at(start, rate), error);
        let mut times = map(start, place, rate);
        if let Some(end) = end {
            let (place, end) = stream.end(Moment::at(end, rate), start, error);
            let ends = map(end, place, rate).timestamp;
            times.duration = times.timestamp.zip(ends).and_then(|(begins, ends)| {
                // Where times move back by more than the length, the samples give it.
                let samples = (end.0 - start.0) / Nanos::from(rate.max(1));
                ends.checked_sub(begins).or_else(|| floor_at_zero(samples))
            });
        }
        times
    }

    /// Returns the times of a sample.
    pub fn times_at(&self, number: u32, position: u64) -> Times {
        let Some(stream) = self.stream(number) else {
            return Times::default();
        };
        map(
            Moment::of_sample(position),
            stream.anchor_at(position),
            self.rate,
        )
    }

    fn stream(&self, number: u32) -> Option<&Stream> {
        self.streams.iter().rfind(|stream| stream.number == number)
    }

    fn stream_mut(&mut self, number: u32) -> Option<&mut Stream> {
        self.streams
            .iter_mut()
            .rfind(|stream| stream.number == number)
    }
}

/// A moment on a stream's axis, in nanoseconds times the rate: exact for samples and for times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Moment(Nanos);

impl Moment {
    fn of_sample(position: u64) -> Self {
        Moment(Nanos::from(position) * SECOND)
    }

    fn at(time: Duration, rate: u32) -> Self {
        Moment(time.as_nanos() as Nanos * Nanos::from(rate))
    }
}

impl Stream {
    /// Returns the anchor of a sample; before the first anchor, that one.
    fn anchor_at(&self, position: u64) -> Option<&Anchor> {
        self.before(self.index(|anchor| anchor.position <= position))
    }

    /// Returns the anchor of a start that is reported with an error below `error`, and the moment
    /// that is meant: that of an anchor within the error.
    fn start(&self, start: Moment, error: Nanos) -> (Option<&Anchor>, Moment) {
        let index = self.index(|anchor| anchor.begin().0 < start.0 + error);
        let begun = index.checked_sub(1).and_then(|last| self.anchors.get(last));
        let start = begun.map_or(start, |anchor| start.max(anchor.begin()));
        (self.before(index), start)
    }

    /// Returns the anchor and moment of an end, which follows the last sample: the audio from there
    /// on may have another anchor.
    fn end(&self, end: Moment, start: Moment, error: Nanos) -> (Option<&Anchor>, Moment) {
        let index = self.index(|anchor| {
            let begin = anchor.begin();
            begin <= start || begin.0 <= end.0 - error
        });
        let next = self.anchors.get(index);
        let end = next.map_or(end, |anchor| end.min(anchor.begin()));
        (self.before(index), end)
    }

    fn index(&self, is_before: impl FnMut(&Anchor) -> bool) -> usize {
        self.anchors.partition_point(is_before)
    }

    fn before(&self, index: usize) -> Option<&Anchor> {
        self.anchors.get(index.saturating_sub(1))
    }
}

impl Anchor {
    fn begin(&self) -> Moment {
        Moment::of_sample(self.position)
    }

    /// Returns the time of `position` by this anchor.
    pub fn time_at(&self, position: u64, rate: u32) -> Nanos {
        self.time_of(Moment::of_sample(position), rate)
    }

    /// Returns the time of a moment by this anchor, to the nearest nanosecond.
    fn time_of(&self, moment: Moment, rate: u32) -> Nanos {
        let rate = Nanos::from(rate.max(1));
        let since = moment.0 - self.begin().0 + Nanos::from(self.ahead) * SECOND;
        self.time + (since + rate / 2).div_euclid(rate)
    }

    /// Whether nothing jumps between the two, apart from the rounding of timestamps.
    fn leads_to(&self, next: &Anchor, rate: u32) -> bool {
        let by = self.time_at(next.position, rate) - next.time_at(next.position, rate);
        self.segment == next.segment && by.abs() <= 1000
    }

    fn times(&self, moment: Moment, rate: u32) -> Times {
        let timestamp = floor_at_zero(self.time_of(moment, rate));
        let mapped = |full: Option<gst::Signed<gst::ClockTime>>| floor_at_zero(signed_nanos(full?));
        let placed = self.segment.as_ref().zip(timestamp);
        Times {
            timestamp,
            stream_time: placed.and_then(|(s, time)| mapped(s.to_stream_time_full(time))),
            running_time: placed.and_then(|(s, time)| mapped(s.to_running_time_full(time))),
            duration: None,
        }
    }
}

/// Returns the times of a moment by its anchor; without one, its time on the axis.
fn map(moment: Moment, anchor: Option<&Anchor>, rate: u32) -> Times {
    match anchor {
        Some(anchor) => anchor.times(moment, rate),
        None => Times {
            timestamp: floor_at_zero(moment.0 / Nanos::from(rate.max(1))),
            ..Times::default()
        },
    }
}

pub(crate) fn nanos(time: gst::ClockTime) -> Nanos {
    time.nseconds().into()
}

pub(crate) fn signed_nanos(time: gst::Signed<gst::ClockTime>) -> Nanos {
    let distance = nanos(time.abs());
    match time.is_negative() {
        true => -distance,
        false => distance,
    }
}

/// Converts a time for GStreamer. `None` far below zero.
fn floor_at_zero(time: Nanos) -> Option<gst::ClockTime> {
    let time = match time {
        MIN_TIME..0 => 0,
        time => u64::try_from(time).ok()?,
    };
    gst::ClockTime::try_from(Duration::from_nanos(time)).ok()
}

#[cfg(test)]
mod tests;
