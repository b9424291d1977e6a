//! When something was said, in the pipeline's own time, exact to the millisecond.

use crate::common::pad_harness::{PadHarness, Segment, ms};
use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::{Options, Recogniser, Script, Service};

fn new_segment() -> Segment {
    init();
    Segment::new()
}

/// A sink that sends as fast as it can.
fn unpaced_sink(service: &Service) -> gst::Element {
    set(sink(service), "max-speed=0")
}

/// Marks, timed by a service without oddities.
fn exact() -> Service {
    service(Options {
        exact: true,
        ..Options::default()
    })
}

/// A sink that plays, with a stream in `segment`.
fn playing(sink: gst::Element, segment: &gst::Segment) -> PadHarness {
    let harness = PadHarness::held(sink);
    harness.go(gst::State::Playing);
    assert!(harness.begin("a-stream"));
    let segment = gst::event::Segment::new(segment);
    assert!(harness.pad.push_event(segment));
    harness
}

/// Pushes two sentences in `segment` from `pts` on, and gives the final utterances beside the marks
/// of each.
fn spoken(segment: &gst::Segment, pts: Option<gst::ClockTime>) -> Vec<(Transcript, Vec<u64>)> {
    let service = exact();
    let sink = unpaced_sink(&service);
    let (pcm, marks) = speech(2);
    let harness = playing(sink, segment);
    match pts {
        Some(pts) => harness.push_all(pts.mseconds(), &pcm, 100),
        None => pcm.chunks(4800).for_each(|piece| harness.push(None, piece)),
    }
    let log = harness.end();
    log.assert_no_errors("the run");
    let finals = log.finals();
    assert_eq!(finals.len(), 2, "{finals:#?}");
    let starts = marks
        .chunks(3)
        .map(|sentence| sentence.iter().map(|mark| mark.start).collect());
    finals.into_iter().zip(starts).collect()
}

/// The times of an utterance and its words: each 300 ms mark at what `timestamp`, `stream_time` and
/// `running_time` make of its place in the audio.
fn assert_times(
    spoken: &[(Transcript, Vec<u64>)],
    timestamp: impl Fn(gst::ClockTime) -> gst::ClockTime,
    stream_time: impl Fn(gst::ClockTime) -> Option<gst::ClockTime>,
    running_time: impl Fn(gst::ClockTime) -> Option<gst::ClockTime>,
) {
    let nanos = |time: Option<gst::ClockTime>| time.map(gst::ClockTime::nseconds);
    for (transcript, starts) in spoken {
        let first = ms(starts[0]);
        let length = ms(starts[2] - starts[0] + 300);
        assert_eq!(transcript.timestamp, nanos(Some(timestamp(first))));
        assert_eq!(transcript.stream_time, nanos(stream_time(first)));
        assert_eq!(transcript.running_time, nanos(running_time(first)));
        assert_eq!(transcript.duration, nanos(Some(length)));
        assert_eq!(transcript.words.len(), 3);
        for (word, start) in transcript.words.iter().zip(starts) {
            let start = ms(*start);
            assert_eq!(word.timestamp, nanos(Some(timestamp(start))), "{word:?}");
            assert_eq!(word.stream_time, nanos(stream_time(start)), "{word:?}");
            assert_eq!(word.running_time, nanos(running_time(start)), "{word:?}");
            assert_eq!(word.duration, nanos(Some(ms(300))), "{word:?}");
        }
        let joined: String = transcript
            .words
            .iter()
            .map(|word| word.text.as_str())
            .collect();
        assert_eq!(joined, transcript.text);
    }
}

#[test]
pub fn a_segment_maps_to_stream_and_running_time() {
    let mut segment = new_segment();
    segment.set_start(ms(10_000));
    segment.set_time(ms(110_000));
    segment.set_base(ms(3000));
    let spoken = spoken(segment.upcast_ref(), Some(ms(12_000)));
    assert_times(
        &spoken,
        |t| t + ms(12_000),
        |t| Some(t + ms(112_000)),
        |t| Some(t + ms(5000)),
    );
}

/// As after `gst_pad_set_offset`, or when a segment begins late: running time begins within it.
#[test]
pub fn a_segment_s_offset_shifts_running_time_alone() {
    let mut segment = new_segment();
    segment.set_start(ms(1000));
    segment.set_time(ms(1000));
    segment.set_offset(ms(500));
    let spoken = spoken(segment.upcast_ref(), Some(ms(2000)));
    assert_times(
        &spoken,
        |t| t + ms(2000),
        |t| Some(t + ms(2000)),
        |t| Some(t + ms(500)),
    );
}

/// Without timestamps, or in a segment of bytes, only the axis is known: `timestamp` counts from
/// the first sample.
#[test]
pub fn without_a_timeline_there_is_the_stream_s_own() {
    let time = new_segment();
    let bytes = gst::FormattedSegment::<gst::format::Bytes>::new();
    for (segment, pts) in [
        (time.upcast_ref(), None),
        (bytes.upcast_ref(), None),
        (bytes.upcast_ref(), Some(ms(70_000))),
    ] {
        let spoken = spoken(segment, pts);
        assert_times(&spoken, |t| t, |_| None, |_| None);
    }
}

/// Audio outside the segment is clipped, and the times of the rest stay.
#[test]
pub fn what_the_segment_leaves_out_is_clipped() {
    let service = exact();
    let sink = unpaced_sink(&service);
    let (pcm, marks) = speech(2);
    let mut segment = new_segment();
    // In the middle of a buffer, between the first two marks.
    segment.set_start(ms(650));
    segment.set_time(ms(650));
    segment.set_stop(ms(marks[4].start - 33));
    let harness = playing(sink, segment.upcast_ref());
    for (n, piece) in pcm.chunks(4800).enumerate() {
        let mut buffer = gst::Buffer::from_slice(piece.to_vec());
        let writable = buffer.get_mut().expect("a new buffer");
        writable.set_pts(n as u64 * ms(100));
        writable.set_duration(ms(100));
        if harness.pad.push(buffer) == Err(gst::FlowError::Eos) {
            break;
        }
    }
    let log = harness.end();
    log.assert_no_errors("the run");
    let finals = log.finals();
    assert_eq!(marks_of(&finals), expected(&marks[1..4], 0));
    let first = ms(marks[1].start);
    assert_eq!(finals[0].running_time, Some((first - ms(650)).nseconds()));
    let audio = (marks[4].start - 33 - 650) * 48;
    assert_eq!(service.connections()[0].pcm.len() as u64, audio);
}

/// Times that the service leaves out are left out, not invented.
#[test]
pub fn times_that_are_missing_stay_missing() {
    let last = r#"{"audio_info":{"duration":1000},"result":{"text":"one two","utterances":[
        {"definite":true,"start_time":100,"end_time":900,"text":"one two","words":[
            {"text":"one","start_time":100,"end_time":180},
            {"text":"two","start_time":-1,"end_time":-1}]},
        {"definite":true,"start_time":-1,"end_time":-1,"text":"somewhere"}]}}"#;
    let service = service(Options {
        recogniser: Recogniser::Scripted(Script::responses([], last)),
        ..Options::default()
    });
    let mut rig = TestPipeline::new(unpaced_sink(&service));
    let finals = rig.run(&[0; 48_000], 100).finals();
    let [timed, untimed] = &finals[..] else {
        panic!("{finals:#?}")
    };
    assert_eq!(
        (timed.timestamp, timed.duration),
        (Some(100_000_000), Some(800_000_000))
    );
    assert_eq!(timed.words[0].duration, Some(80_000_000));
    let word = &timed.words[1];
    assert_eq!(word.text, "two");
    assert_eq!(
        (
            word.timestamp,
            word.stream_time,
            word.running_time,
            word.duration
        ),
        (None, None, None, None)
    );
    assert_eq!(
        (
            untimed.timestamp,
            untimed.stream_time,
            untimed.running_time,
            untimed.duration
        ),
        (None, None, None, None)
    );
}
