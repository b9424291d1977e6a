//! Caps that the sink takes, and caps that it refuses before it sends.

use crate::common::pad_harness::{PadHarness, Segment};
use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::Options;

fn raw(format: &str, rate: i32, channels: i32) -> gst::Caps {
    let caps =
        format!("audio/x-raw,format={format},layout=interleaved,rate={rate},channels={channels}");
    caps.parse().expect("caps")
}

/// The caps query says what would be taken now; the template says what could be.
#[test]
fn only_the_one_format_is_accepted() {
    let sink = sink_for("ws://127.0.0.1:1/");
    let pad = sink.static_pad("sink").expect("the pad");
    for rate in [24_000, 16_000, 24_000] {
        sink.set_property("rate", rate);
        let caps = pad.query_caps(None);
        assert!(caps.is_strictly_equal(&raw("S16LE", rate, 1)), "{caps}");
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
        harness
            .pad
            .push_event(gst::event::StreamStart::new("stream"));
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
    let service = service(Options::default());
    let log = launched(&format!(
        "fakesrc num-buffers=5 sizetype=fixed sizemax=9600 format=time ! \
         volcasrsink sync=false uri={} app-key=app-1 access-key=secret-access-key",
        service.uri()
    ));
    // The cause comes first, before the source's error that follows from it.
    let way_out = "audioconvert ! audioresample";
    log.errors()[0].assert_is(gst::StreamError::Format, &[way_out]);
    assert!(service.inspect(|all| all.iter().all(|c| c.frames.is_empty())));
    // Also behind a run whose audio had caps.
    let harness = PadHarness::new(sink(&service));
    let buffer = || harness.buffer(Some(0), &[0; 960]);
    assert!(harness.pad.push(buffer()).is_ok());
    harness.go(gst::State::Ready);
    harness.pad.set_active(false).expect("an active pad");
    harness.pad.set_active(true).expect("an inactive pad");
    harness.go(gst::State::Playing);
    let start = gst::event::StreamStart::new("second");
    assert!(harness.pad.push_event(start) && harness.segment(&Segment::new()));
    assert_eq!(
        harness.pad.push(buffer()),
        Err(gst::FlowError::NotNegotiated)
    );
}
