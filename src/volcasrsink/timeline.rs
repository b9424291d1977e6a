//! From the stream's axis back to the pipeline's time.
//!
//! The service counts samples; the pipeline has timestamps, segments and jumps in both. Each place
//! where the two go apart is an anchor: a position on the axis, and the time it had in the pipeline.

use std::collections::VecDeque;
use std::time::Duration;

use crate::session::{samples_to_time, time_to_samples};

/// More anchors of one stream than this are not kept: the oldest go first.
const MAX_ANCHORS: usize = 4096;
/// Streams that are still being recognised, the current one included.
const MAX_STREAMS: usize = 64;

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

    /// A stream goes on elsewhere in the pipeline's time.
    pub fn add(&mut self, number: u32, anchor: Anchor) {
        let Some(stream) = self.stream_mut(number) else {
            return;
        };
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

    /// The pipeline's times of a stretch of a stream's axis.
    pub fn times(&self, number: u32, start: Option<Duration>, end: Option<Duration>) -> Times {
        let Some(stream) = self.stream(number) else {
            return Times::default();
        };
        let map = |time: Duration, anchor: Option<&Anchor>| match anchor {
            Some(anchor) => anchor.times(time, self.rate),
            None => unanchored(time),
        };
        let Some(start) = start else {
            return Times::default();
        };
        let mut times = map(start, stream.anchor_at(time_to_samples(start, self.rate)));
        if let Some(end) = end.filter(|end| *end >= start) {
            // The end is the moment after the last sample: what begins there may lie elsewhere.
            let last = time_to_samples(end, self.rate).saturating_sub(1);
            let last = last.max(time_to_samples(start, self.rate));
            let end = map(end, stream.anchor_at(last)).timestamp;
            times.duration = times
                .timestamp
                .zip(end)
                .and_then(|(start, end)| end.checked_sub(start));
        }
        times
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
mod tests {
    use super::*;

    const RATE: u32 = 24_000;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn segment() -> gst::FormattedSegment<gst::ClockTime> {
        gst::init().expect("GStreamer");
        gst::FormattedSegment::new()
    }

    fn timeline(anchors: &[(u64, u64)]) -> Timeline {
        let mut timeline = Timeline::new(RATE);
        timeline.begin(0, None);
        for (position_ms, pts_ms) in anchors {
            timeline.add(
                0,
                Anchor {
                    position: position_ms * 24,
                    time: gst::ClockTime::from_mseconds(*pts_ms),
                    segment: Some(segment()),
                },
            );
        }
        timeline
    }

    fn timestamp(timeline: &Timeline, at: u64) -> Option<u64> {
        let times = timeline.times(0, Some(ms(at)), None);
        times.timestamp.map(gst::ClockTime::mseconds)
    }

    #[test]
    fn positions_go_on_from_their_anchor() {
        let timeline = timeline(&[(0, 5000), (1000, 9000)]);
        assert_eq!(timestamp(&timeline, 0), Some(5000));
        assert_eq!(timestamp(&timeline, 999), Some(5999));
        assert_eq!(timestamp(&timeline, 1000), Some(9000));
        assert_eq!(timestamp(&timeline, 3000), Some(11_000));
    }

    #[test]
    fn an_end_belongs_to_what_was_before_it() {
        let timeline = timeline(&[(0, 5000), (1000, 9000)]);
        let times = timeline.times(0, Some(ms(800)), Some(ms(1000)));
        assert_eq!(times.duration, Some(gst::ClockTime::from_mseconds(200)));
        let across = timeline.times(0, Some(ms(800)), Some(ms(1200)));
        assert_eq!(across.duration, Some(gst::ClockTime::from_mseconds(3400)));
    }

    #[test]
    fn segments_give_stream_and_running_time() {
        let mut segment = segment();
        segment.set_start(gst::ClockTime::from_seconds(10));
        segment.set_time(gst::ClockTime::from_seconds(110));
        segment.set_base(gst::ClockTime::from_seconds(3));
        segment.set_rate(2.0);
        let mut timeline = Timeline::new(RATE);
        timeline.begin(0, None);
        timeline.add(
            0,
            Anchor {
                position: 0,
                time: gst::ClockTime::from_seconds(12),
                segment: Some(segment),
            },
        );
        let times = timeline.times(0, Some(ms(2000)), Some(ms(3000)));
        assert_eq!(times.timestamp, Some(gst::ClockTime::from_seconds(14)));
        assert_eq!(times.stream_time, Some(gst::ClockTime::from_seconds(114)));
        assert_eq!(times.running_time, Some(gst::ClockTime::from_seconds(5)));
        assert_eq!(times.duration, Some(gst::ClockTime::from_seconds(1)));
    }

    #[test]
    fn a_time_before_the_segment_is_left_out() {
        let mut segment = segment();
        segment.set_start(gst::ClockTime::from_seconds(10));
        let mut timeline = Timeline::new(RATE);
        timeline.begin(0, None);
        timeline.add(
            0,
            Anchor {
                position: 24,
                time: gst::ClockTime::from_seconds(10),
                segment: Some(segment),
            },
        );
        let times = timeline.times(0, Some(ms(0)), None);
        assert_eq!(times.timestamp, Some(gst::ClockTime::from_mseconds(9999)));
        assert_eq!(times.running_time, None);
    }

    #[test]
    fn without_timestamps_the_axis_is_the_timestamp() {
        let timeline = timeline(&[]);
        let times = timeline.times(0, Some(ms(100)), Some(ms(300)));
        assert_eq!(times.timestamp, Some(gst::ClockTime::from_mseconds(100)));
        assert_eq!(times.duration, Some(gst::ClockTime::from_mseconds(200)));
        assert_eq!((times.stream_time, times.running_time), (None, None));
    }

    #[test]
    fn what_is_cut_out_moves_up_what_follows() {
        let mut timeline = timeline(&[(0, 0), (1000, 5000), (2000, 9000)]);
        timeline.cut(0, 500 * 24, 700 * 24);
        assert_eq!(timestamp(&timeline, 499), Some(499));
        assert_eq!(timestamp(&timeline, 500), Some(5200));
        assert_eq!(timestamp(&timeline, 1299), Some(5999));
        assert_eq!(timestamp(&timeline, 1300), Some(9000));
    }

    #[test]
    fn forgetting_keeps_what_is_still_spoken_in() {
        let mut timeline = timeline(&[(0, 0), (1000, 5000), (2000, 9000)]);
        timeline.forget(0, ms(1500));
        assert_eq!(timestamp(&timeline, 1500), Some(5500));
        assert_eq!(timeline.streams[0].anchors.len(), 2);
    }
}
