//! When something was said, in the pipeline's own time, exact to the millisecond.

use crate::common::pad_harness::{PadHarness, Segment, ms};
use crate::common::*;
use gst::prelude::*;
use gstvolcasr::Times;
use volcasr_loopback::Options;
use volcasr_loopback::marks::Mark;

/// Pushes two sentences in `segment` from `pts` on, and checks the times of utterances and words:
/// a mark's place in the audio, later by these milliseconds in `timestamp`, `stream-time` and
/// `running-time`.
fn assert_times(segment: &gst::Segment, pts: Option<u64>, offsets: [Option<u64>; 3]) {
    let service = service(Options {
        exact: true,
        ..Options::default()
    });
    let harness = PadHarness::held(unpaced_sink(&service));
    harness.go(gst::State::Playing);
    assert!(harness.begin("a-stream"));
    assert!(harness.pad.push_event(gst::event::Segment::new(segment)));
    let (pcm, marks) = speech(2);
    match pts {
        Some(pts) => harness.push_all(pts, &pcm, 100),
        None => pcm.chunks(4800).for_each(|piece| harness.push(None, piece)),
    }
    let log = harness.end();
    log.assert_no_errors("the run");
    let finals = log.finals();
    assert_eq!(finals.len(), 2, "{finals:#?}");
    let assert_at = |times: Times, first: &Mark, last: &Mark| {
        let own = [times.timestamp, times.stream_time, times.running_time];
        let expected = offsets.map(|offset| offset.map(|offset| ms(first.start + offset)));
        assert_eq!(own, expected, "{first:?}");
        assert_eq!(times.duration, Some(ms(last.end - first.start)));
    };
    for (t, marks) in finals.iter().zip(marks.chunks(3)) {
        assert_at(t.times, &marks[0], &marks[2]);
        assert_eq!(t.words.len(), 3, "{t:?}");
        for (word, mark) in t.words.iter().zip(marks) {
            assert_at(word.times, mark, mark);
        }
        let joined: String = t.words.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(joined, t.text);
    }
}

#[test]
pub fn a_segment_maps_to_stream_and_running_time() {
    init();
    let mut segment = Segment::new();
    segment.set_start(ms(10_000));
    segment.set_time(ms(110_000));
    segment.set_base(ms(3000));
    let offsets = [12_000, 112_000, 5000].map(Some);
    assert_times(segment.upcast_ref(), Some(12_000), offsets);
    // As after `gst_pad_set_offset`, or when a segment begins late: running time begins within it.
    let mut segment = Segment::new();
    segment.set_start(ms(1000));
    segment.set_time(ms(1000));
    segment.set_offset(ms(500));
    let offsets = [2000, 2000, 500].map(Some);
    assert_times(segment.upcast_ref(), Some(2000), offsets);
}

/// Without timestamps, or in a segment of bytes, only the axis is known: `timestamp` counts from
/// the first sample.
#[test]
pub fn without_a_timeline_there_is_the_stream_s_own() {
    init();
    let time = Segment::new();
    let bytes = gst::FormattedSegment::<gst::format::Bytes>::new();
    for (segment, pts) in [
        (time.upcast_ref(), None),
        (bytes.upcast_ref(), None),
        (bytes.upcast_ref(), Some(70_000)),
    ] {
        assert_times(segment, pts, [Some(0), None, None]);
    }
}
