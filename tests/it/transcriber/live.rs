//! A live pipeline: words that leave when they are due, and gaps while nothing is said. Which words
//! these are is a table of `volcasrtranscriber::schedule`.

use std::sync::mpsc;

use gst::prelude::*;
use serde_json::json;
use volcasr_loopback::Options;

use crate::common::pad_harness::ms;
use crate::common::script::{response, scripted};
use crate::common::text::{Out, assert_in_order, gaps, texts};
use crate::common::*;

/// An appsrc that is live, as a microphone is: audio comes as time passes.
fn live(element: gst::Element, latency: u32) -> TestPipeline {
    element.set_property("latency", latency);
    let rig = TestPipeline::new(element);
    rig.source.set_property("is-live", true);
    rig.source.set_property("do-timestamp", false);
    rig.play();
    rig
}

/// Pushes silence in real time.
fn speak(rig: &mut TestPipeline, pcm: &[u8]) {
    let clock = rig.pipeline.clock().expect("a pipeline that plays");
    let base = rig.pipeline.base_time().expect("one that plays");
    for piece in pcm.chunks(960) {
        let due = base + rig.next;
        let id = clock.new_single_shot_id(due);
        let _ = id.wait();
        rig.push(piece, 20);
    }
}

/// The pipeline distributes its latency anew, as for a source that has got another one.
#[test]
fn words_leave_earlier_once_upstream_s_latency_is_shorter() {
    let said = |definite| {
        let words = [("Not ", 100, 180), ("yet ", 300, 380)]
            .map(|(text, start, end)| json!({"text": text, "start_time": start, "end_time": end}));
        json!([{"definite": definite, "start_time": 100, "end_time": 380, "text": "Not yet ",
            "words": words}])
    };
    let first = (600, response(600, said(false)));
    let service = scripted(&[first], response(2000, said(true)));
    let mut rig = live(transcriber(&service), 200);
    let upstream = gst::ClockTime::from_seconds(3600);
    rig.source.set_latency(upstream, gst::ClockTime::NONE);
    rig.listen_until(|message| message.type_() == gst::MessageType::Latency);
    rig.pipeline.recalculate_latency().expect("a live pipeline");
    speak(&mut rig, &[0; 48_000]);
    rig.listen_until(is_transcript);
    assert!(texts(&rig.out()).is_empty());
    rig.source.set_latency(Some(ms(100)), gst::ClockTime::NONE);
    rig.pipeline.recalculate_latency().expect("a live pipeline");
    let out = rig.text().until("both words", |out| texts(out).len() == 2);
    assert_in_order(&out);
}

/// Text that is late is noticed where the pad's stream lock is held.
#[test]
fn a_handler_of_the_delay_may_wait_for_ready() {
    let service = service(Options::default());
    let mut rig = live(transcriber(&service), 0);
    let (waits, waited) = mpsc::channel();
    let delay = Some("max-observed-delay");
    rig.sink.connect_notify(delay, move |element, _| {
        let _ = waits.send(is_ready_meanwhile(element));
    });
    speak(&mut rig, &speech(1).0);
    assert_eq!(waited.recv_timeout(LONG), Ok(true));
    assert!(rig.sink.property::<u32>("max-observed-delay") > 0);
}

#[test]
fn gaps_go_on_while_nothing_is_said_and_no_connection_is_had() {
    let mut rig = live(transcriber_at_nowhere(), 300);
    speak(&mut rig, &[0; 3 * 24_000]);
    // A second and a half of audio, of which 300 ms are not due.
    let has_gap = |out: &[Out]| gaps(out).iter().any(|(_, end)| *end >= 1000);
    assert_in_order(&rig.text().until("gaps", has_gap));
}

pub(super) fn transcriber_at_nowhere() -> gst::Element {
    let uri = "uri=ws://127.0.0.1:1/api/v3/sauc/bigmodel_async";
    let sink = set(element("volcasrtranscriber"), uri);
    set(sink, "api-key=sesame-sesame max-reconnects=1000")
}
