//! Caps that the sink takes, and caps that it refuses before it sends.

use crate::common::pad_harness::{PadHarness, Segment};
use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::Options;

fn raw(format: &str, rate: i32, channels: i32) -> gst::Caps {
    gst::Caps::builder("audio/x-raw")
        .field("format", format)
        .field("layout", "interleaved")
        .field("rate", rate)
        .field("channels", channels)
        .build()
}

/// Asserts that the caps query answers with the one format.
fn assert_takes(sink: &gst::Element, rate: i32) {
    let caps = sink.static_pad("sink").expect("the pad").query_caps(None);
    assert!(caps.is_strictly_equal(&raw("S16LE", rate, 1)), "{caps}");
}

/// The caps query says what would be taken now; the template says what could be.
#[test]
fn only_the_one_format_is_accepted() {
    let sink = sink_for("ws://127.0.0.1:1/");
    let pad = sink.static_pad("sink").expect("the pad");
    for rate in [24_000, 16_000, 24_000] {
        sink.set_property("rate", rate);
        assert_takes(&sink, rate);
        let asked = |rate: i32| {
            let filter = gst::Caps::builder("audio/x-raw").field("rate", rate);
            pad.query_caps(Some(&filter.build()))
        };
        assert!(asked(rate).is_strictly_equal(&raw("S16LE", rate, 1)));
        assert!(asked(48_000).is_empty());
        sink.set_state(gst::State::Ready).expect("READY");
        assert!(pad.query_accept_caps(&raw("S16LE", rate, 1)));
        for other in [
            raw("S16BE", rate, 1),
            raw("U16LE", rate, 1),
            raw("S32LE", rate, 1),
            raw("F32LE", rate, 1),
            raw("S16LE", rate, 2),
            raw("S16LE", 40_000 - rate, 1),
            raw("S16LE", 48_000, 1),
            gst::Caps::new_empty_simple("audio/x-opus"),
        ] {
            assert!(!pad.query_accept_caps(&other), "{other}");
        }
        sink.set_state(gst::State::Null).expect("NULL");
    }
}

/// A source that sends something else without having asked gets an error, and the service not a
/// byte.
#[test]
fn what_does_not_fit_ends_in_an_error_and_is_not_sent() {
    for caps in [
        raw("F32LE", 24_000, 1),
        raw("S16LE", 24_000, 2),
        raw("S16LE", 44_100, 1),
        raw("S16LE", 16_000, 1),
    ] {
        let service = service(Options::default());
        let harness = PadHarness::held(sink(&service));
        harness.go(gst::State::Playing);
        let begin = gst::event::StreamStart::new("stream");
        assert!(harness.pad.push_event(begin));
        harness.pad.push_event(gst::event::Caps::new(&caps));
        harness.segment(&Segment::new());
        let flow = harness.pad.push(harness.buffer(Some(0), &[0; 9600]));
        assert_eq!(flow, Err(gst::FlowError::NotNegotiated), "{caps}");
        harness.go(gst::State::Null);
        let is_spared = service.inspect(|all| all.iter().all(|c| c.frames.is_empty()));
        assert!(is_spared, "{caps}");
    }
}

/// Bytes of unknown meaning are refused, with the way out, and the service gets none of them.
#[test]
fn a_buffer_without_caps_is_an_error() {
    init();
    let service = service(Options::default());
    let description = format!(
        "fakesrc num-buffers=5 sizetype=fixed sizemax=9600 format=time ! \
         volcasrsink sync=false uri={} app-key=app-1 access-key=secret-access-key",
        service.uri()
    );
    let pipeline = gst::parse::launch(&description).expect("a pipeline");
    let bus = pipeline.bus().expect("a bus");
    pipeline.set_state(gst::State::Playing).expect("to play");
    let mut errors = Vec::new();
    // The cause comes first, then the source's complaint about it.
    while errors.len() < 2 {
        errors.extend(listen(&bus).errors());
    }
    pipeline.set_state(gst::State::Null).expect("NULL");
    let way_out = "audioconvert ! audioresample";
    errors[0].assert_is(gst::StreamError::Format, &[way_out]);
    let complaint = errors[1].debug.as_deref().unwrap_or_default();
    assert!(complaint.contains("not-negotiated"), "{complaint}");
    assert!(service.inspect(|all| all.iter().all(|c| c.frames.is_empty())));
}

/// A rate that was set while playing waits: caps, audio and request stay as one.
#[test]
fn a_rate_set_while_playing_waits() {
    let service = service(Options::default());
    let (pcm, marks) = speech(1);
    let (first, rest) = pcm.split_at(pcm.len() / 9600 * 4800);
    let mut rig = TestPipeline::new(sink(&service));
    rig.play();
    rig.push(first, 100);
    until_connection(&service, |c| c.audio_bytes > 0);
    rig.sink.set_property("rate", 16_000);
    assert_takes(&rig.sink, 24_000);
    rig.push(rest, 100);
    rig.end();
    rig.listen().assert_said(&marks, 0);
    let request = service.connections()[0].request.clone().expect("a request");
    assert_eq!(request["audio"]["rate"], 24_000);
    // The next run has it.
    rig.go(gst::State::Ready);
    assert_takes(&rig.sink, 16_000);
}
