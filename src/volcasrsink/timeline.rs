//! From the stream's axis back to the pipeline's time.
//!
//! The service counts samples; the pipeline has timestamps, segments and jumps in both. Each place
//! where the two go apart is an anchor: a position on the axis, and the time it had in the pipeline.

use std::collections::VecDeque;
use std::time::Duration;

use crate::session::{samples_to_time, time_to_samples};

/// More anchors of one stream than this are not kept: the oldest go first.
const MAX_ANCHORS: usize = 4096;
/// Streams that wait or are being recognised, the current one included: some minutes of the shortest clips.
const MAX_STREAMS: usize = 4096;

/// The service rounds to milliseconds: a sound that begins or ends exactly at an anchor may be told by that much beside it.
const ROUNDING: Duration = Duration::from_millis(1);

/// Where a stretch of samples lies in the pipeline's time.
#[derive(Clone, Debug)]
pub(super) struct Anchor {
    /// The stream's sample that it begins with.
    pub position: u64,
    /// The time of that sample.
    pub time: gst::ClockTime,
    /// The segment that it came in; none: the time counts from the stream's first sample.
    pub segment: Option<gst::FormattedSegment<gst::ClockTime>>,
}

/// The pipeline's times of something that was said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Times {
    pub timestamp: Option<gst::ClockTime>,
    pub stream_time: Option<gst::ClockTime>,
    pub running_time: Option<gst::ClockTime>,
    pub duration: Option<gst::ClockTime>,
}

#[derive(Debug)]
struct Stream {
    number: u32,
    id: Option<String>,
    anchors: VecDeque<Anchor>,
}

/// The anchors of the streams that are being recognised.
#[derive(Debug)]
pub(super) struct Timeline {
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

    /// A stream begins, with position 0.
    pub fn begin(&mut self, number: u32, id: Option<String>) {
        if self.streams.len() == MAX_STREAMS {
            self.streams.pop_front();
        }
        self.streams.push_back(Stream {
            number,
            id,
            anchors: VecDeque::new(),
        });
    }

    /// A stream goes on elsewhere in the pipeline's time, or where it is.
    pub fn add(&mut self, number: u32, anchor: Anchor) {
        let rate = self.rate;
        let Some(stream) = self.stream_mut(number) else {
            return;
        };
        // Where nothing jumps there is no edge for times to keep to.
        if stream
            .anchors
            .back()
            .is_some_and(|last| last.leads_to(&anchor, rate))
        {
            return;
        }
        if stream
            .anchors
            .back()
            .is_some_and(|last| last.position == anchor.position)
        {
            stream.anchors.pop_back();
        }
        if stream.anchors.len() == MAX_ANCHORS {
            stream.anchors.pop_front();
        }
        stream.anchors.push_back(anchor);
    }

    /// `samples` that were to come at `position` will not: what is behind them moves up.
    pub fn cut(&mut self, number: u32, position: u64, samples: u64) {
        let rate = self.rate;
        let Some(stream) = self.stream_mut(number) else {
            return;
        };
        let behind = position + samples;
        let resumed = stream
            .anchor_at(behind)
            .and_then(|anchor| anchor.moved_to(behind, position, rate));
        stream
            .anchors
            .retain(|anchor| anchor.position < position || anchor.position > behind);
        for anchor in stream
            .anchors
            .iter_mut()
            .filter(|anchor| anchor.position > behind)
        {
            anchor.position -= samples;
        }
        if let Some(resumed) = resumed {
            let index = stream
                .anchors
                .partition_point(|anchor| anchor.position < position);
            stream.anchors.insert(index, resumed);
        }
    }

    /// Nothing before `until` will be asked for any more, nor about older streams.
    pub fn forget(&mut self, number: u32, until: Duration) {
        let until = time_to_samples(until, self.rate);
        while self
            .streams
            .front()
            .is_some_and(|stream| stream.number < number)
        {
            self.streams.pop_front();
        }
        let Some(stream) = self.stream_mut(number) else {
            return;
        };
        while stream
            .anchors
            .get(1)
            .is_some_and(|next| next.position <= until)
        {
            stream.anchors.pop_front();
        }
    }

    /// The STREAM_START id of a stream.
    pub fn id(&self, number: u32) -> Option<&str> {
        self.stream(number)?.id.as_deref()
    }

    /// The pipeline's times of a stretch of a stream's axis, as the service tells it: to the millisecond. Nothing that was said
    /// reaches over an anchor by a rounding error alone.
    pub fn times(&self, number: u32, start: Option<Duration>, end: Option<Duration>) -> Times {
        let (Some(stream), Some(start)) = (self.stream(number), start) else {
            return Times::default();
        };
        let rate = self.rate;
        let end = end.filter(|end| *end >= start);
        // What is no longer than an error can't tell on which side it is.
        let long = end.is_none_or(|end| end - start > 2 * ROUNDING);
        let error = if long { ROUNDING } else { Duration::ZERO };
        let first = time_to_samples(start + error, rate);
        let place = stream.anchor_at(first);
        let begins = place.filter(|anchor| anchor.position <= first);
        let start = begins.map_or(start, |a| start.max(samples_to_time(a.position, rate)));
        let mut times = map(start, place, rate);
        if let Some(end) = end {
            // The end is the moment after the last sample: what begins there may lie elsewhere.
            let last = time_to_samples(end.saturating_sub(error), rate).saturating_sub(1);
            let last = last.max(time_to_samples(start, rate));
            let next = stream.anchor_after(last);
            let end = next.map_or(end, |a| end.min(samples_to_time(a.position, rate)));
            let end = map(end, stream.anchor_at(last), rate).timestamp;
            times.duration = times
                .timestamp
                .zip(end)
                .and_then(|(start, end)| end.checked_sub(start));
        }
        times
    }

    /// The times where so many samples at `position` begin, and again at each anchor among them, each with how many there are up to
    /// the next one.
    pub fn parts(&self, number: u32, position: u64, samples: u64) -> Vec<(Times, u64)> {
        let end = position.saturating_add(samples);
        let stream = self.stream(number);
        let mut parts = Vec::new();
        let mut from = position;
        while from < end {
            let next = stream.and_then(|stream| stream.anchor_after(from));
            let until = next.map_or(end, |anchor| end.min(anchor.position));
            let place = stream.and_then(|stream| stream.anchor_at(from));
            let time = samples_to_time(from, self.rate);
            let times = stream.map_or(Times::default(), |_| map(time, place, self.rate));
            parts.push((times, until - from));
            from = until;
        }
        parts
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

impl Stream {
    /// The anchor that a sample belongs to; before the first one, that.
    fn anchor_at(&self, position: u64) -> Option<&Anchor> {
        let index = self
            .anchors
            .partition_point(|anchor| anchor.position <= position);
        self.anchors.get(index.saturating_sub(1))
    }

    /// The first anchor behind a sample.
    fn anchor_after(&self, position: u64) -> Option<&Anchor> {
        let index = self
            .anchors
            .partition_point(|anchor| anchor.position <= position);
        self.anchors.get(index)
    }
}

impl Anchor {
    /// The time of `position`, if it went on from here.
    pub fn timestamp_at(&self, position: u64, rate: u32) -> Option<gst::ClockTime> {
        shift(
            self.time,
            samples_to_time(self.position, rate),
            samples_to_time(position, rate),
        )
    }

    /// Whether nothing jumps between the two: what rounding makes of timestamps is no jump.
    fn leads_to(&self, next: &Anchor, rate: u32) -> bool {
        let time = self.timestamp_at(next.position, rate);
        self.segment == next.segment
            && time.is_some_and(|time| time.absdiff(next.time) <= gst::ClockTime::from_useconds(1))
    }

    /// What tells the time of the sample `from` once that is at `to`.
    fn moved_to(&self, from: u64, to: u64, rate: u32) -> Option<Anchor> {
        Some(Anchor {
            position: to,
            time: self.timestamp_at(from, rate)?,
            segment: self.segment.clone(),
        })
    }

    fn times(&self, time: Duration, rate: u32) -> Times {
        let timestamp = shift(self.time, samples_to_time(self.position, rate), time);
        let mapped =
            |full: Option<gst::Signed<gst::ClockTime>>| full.and_then(|time| time.positive());
        let placed = self.segment.as_ref().zip(timestamp);
        Times {
            timestamp,
            stream_time: placed.and_then(|(s, time)| mapped(s.to_stream_time_full(time))),
            running_time: placed.and_then(|(s, time)| mapped(s.to_running_time_full(time))),
            duration: None,
        }
    }
}

/// The times of a moment on the axis by its anchor.
fn map(time: Duration, anchor: Option<&Anchor>, rate: u32) -> Times {
    match anchor {
        Some(anchor) => anchor.times(time, rate),
        None => unanchored(time),
    }
}

/// Only the axis is known.
fn unanchored(time: Duration) -> Times {
    Times {
        timestamp: time.try_into().ok(),
        ..Times::default()
    }
}

/// `time`, moved as far as from `from` to `to`; none before 0.
fn shift(time: gst::ClockTime, from: Duration, to: Duration) -> Option<gst::ClockTime> {
    if to >= from {
        time.checked_add((to - from).try_into().ok()?)
    } else {
        time.checked_sub((from - to).try_into().ok()?)
    }
}

#[cfg(test)]
mod tests;
