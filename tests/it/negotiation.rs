//! Caps that the sink takes, and caps that it refuses before it sends.

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

fn pad(sink: &gst::Element) -> gst::Pad {
    sink.static_pad("sink").expect("the pad")
}

/// The caps query says what would be taken now; the template says what could be.
#[test]
fn the_caps_query_answers_with_the_one_rate() {
    let sink = sink_for("ws://127.0.0.1:1/");
    for rate in [24_000, 16_000, 24_000] {
        sink.set_property("rate", rate);
        let caps = pad(&sink).query_caps(None);
        assert!(caps.is_strictly_equal(&raw("S16LE", rate, 1)), "{caps}");
    }
    let filter = gst::Caps::builder("audio/x-raw")
        .field("rate", 24_000)
        .build();
    let caps = pad(&sink).query_caps(Some(&filter));
    assert!(caps.is_strictly_equal(&raw("S16LE", 24_000, 1)), "{caps}");
    let other = gst::Caps::builder("audio/x-raw")
        .field("rate", 48_000)
        .build();
    assert!(pad(&sink).query_caps(Some(&other)).is_empty());
}

#[test]
fn only_the_one_format_is_accepted() {
    for rate in [24_000, 16_000] {
        let sink = set(sink_for("ws://127.0.0.1:1/"), &format!("rate={rate}"));
        sink.set_state(gst::State::Ready).expect("READY");
        let accepts = |caps: &gst::Caps| pad(&sink).query_accept_caps(caps);
        assert!(accepts(&raw("S16LE", rate, 1)));
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
            assert!(!accepts(&other), "{other}");
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
        let sink = sink(&service);
        sink.set_state(gst::State::Paused).expect("PAUSED");
        let source = gst::Pad::builder(gst::PadDirection::Src).build();
        source.set_active(true).expect("a pad");
        // Nothing is asked before: what comes is all that the sink gets to see.
        source
            .link_full(&pad(&sink), gst::PadLinkCheck::empty())
            .expect("a link");
        source.push_event(gst::event::StreamStart::new("stream"));
        source.push_event(gst::event::Caps::new(&caps));
        let segment = gst::FormattedSegment::<gst::ClockTime>::new();
        source.push_event(gst::event::Segment::new(&segment));
        let flow = source.push(gst::Buffer::from_slice(vec![0; 9600]));
        assert_eq!(flow, Err(gst::FlowError::NotNegotiated), "{caps}");
        sink.set_state(gst::State::Null).expect("NULL");
        assert!(
            service.connections().iter().all(|c| c.frames.is_empty()),
            "{caps}"
        );
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
    let cause = &errors[0].error;
    assert!(cause.matches(gst::StreamError::Format), "{cause:?}");
    assert!(
        cause.message().contains("audioconvert ! audioresample"),
        "{cause}"
    );
    let complaint = errors[1].debug.as_deref().unwrap_or_default();
    assert!(complaint.contains("not-negotiated"), "{complaint}");
    assert!(service.connections().iter().all(|c| c.frames.is_empty()));
}

/// A rate that was set while playing waits: caps, audio and request stay as one.
#[test]
fn a_rate_set_while_playing_waits() {
    let service = service(Options::default());
    let (pcm, marks) = speech(1);
    let mut rig = TestPipeline::new(sink(&service));
    rig.play();
    rig.push(&pcm[..pcm.len() / 2], 100);
    assert!(service.wait(LONG, |all| all.iter().any(|c| c.audio_bytes > 0)));
    rig.sink.set_property("rate", 16_000);
    let caps = pad(&rig.sink).query_caps(None);
    assert!(caps.is_strictly_equal(&raw("S16LE", 24_000, 1)), "{caps}");
    rig.push(&pcm[pcm.len() / 2..], 100);
    rig.end();
    let log = rig.listen();
    log.assert_said(&marks, 0);
    assert_eq!(
        service.connections()[0]
            .request
            .as_ref()
            .expect("a request")["audio"]["rate"],
        24_000
    );
    // The next run has it.
    rig.go(gst::State::Ready);
    let caps = pad(&rig.sink).query_caps(None);
    assert!(caps.is_strictly_equal(&raw("S16LE", 16_000, 1)), "{caps}");
}
