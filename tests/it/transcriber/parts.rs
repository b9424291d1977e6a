//! Words, events and gaps on the pad of the text, and what follows from streams and segments.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use gst::prelude::*;
use serde_json::json;
use volcasr_loopback::Options;

use super::{pad, playing};
use crate::common::pad_harness::{PadHarness, Segment, ms};
use crate::common::script::{audio, response, scripted};
use crate::common::text::{Out, Text, assert_in_order, event_list, events, fail, gaps, texts};
use crate::common::*;

/// A mark's number, start and end of each buffer.
fn marks(texts: &[Text]) -> Vec<(u32, u64, u64)> {
    let mark = |text: &Text| (number_of(&text.text), text.start, text.end);
    texts.iter().map(mark).collect()
}

#[test]
fn every_word_of_a_file_leaves_once_at_its_time() {
    let service = service(Options::default());
    let mut rig = TestPipeline::new(transcriber(&service));
    // The messages are the sink's.
    assert_eq!(rig.speak(3).finals().len(), 3);
    let out = rig.out();
    assert_in_order(&out);
    assert_eq!(marks(&texts(&out)), expected(&speech(3).1, 0), "{out:#?}");
    assert!(texts(&out)[0].discont);
    let finals = ["rstranscribe/final-transcript"; 3];
    let all = [&["stream-start", "caps", "segment"][..], &finals, &["eos"]];
    assert_eq!(events(&out), all.concat());
}

#[test]
fn lateness_is_added_to_the_base_of_the_next_segment() {
    let (_service, harness) = playing("lateness=2500");
    set(harness.sink.clone(), "lateness=500");
    // Sent again, as to a pad that was linked anew: the segment goes on.
    harness.segment_at(0, 0);
    harness.segment_at(60_000, 10_000);
    let bases = |out: &[Out]| -> Vec<_> {
        let base = |event: &gst::Event| match event.view() {
            gst::EventView::Segment(s) => s.segment().downcast_ref::<gst::ClockTime>()?.base(),
            _ => None,
        };
        event_list(out).filter_map(base).collect()
    };
    harness.text().until("all segments", |out| {
        bases(out) == [ms(2500), ms(2500), ms(10_500)]
    });
}

/// As the service's settings are: before it, none of them counts as late.
#[test]
fn grouping_is_read_with_the_first_buffer() {
    let service = service(Options::default());
    let harness = PadHarness::held(transcriber(&service));
    harness.go(gst::State::Paused);
    set(harness.sink.clone(), "grouping=utterance");
    harness.play();
    harness.say(1);
    assert!(harness.eos());
    let texts = texts(&harness.text().until_eos(0));
    assert_eq!(texts.len(), 1, "{texts:?}");
}

/// An overlay that waits for text goes on with each gap.
#[test]
fn audio_that_is_played_backwards_is_a_gap() {
    let (_service, harness) = playing("");
    let mut segment = Segment::new();
    segment.set_rate(-1.0);
    segment.set_stop(ms(10_000));
    assert!(harness.segment(&segment));
    let second = vec![0; harness.bytes(1000)];
    for start in [9000, 8000] {
        harness.push(start, &second);
    }
    harness.text().until("two gaps", |out| {
        gaps(out).ends_with(&[(9000, 10_000), (8000, 9000)])
    });
}

#[test]
fn stream_start_is_the_element_s_own_and_sparse() {
    let service = service(Options::default());
    let harness = PadHarness::held(transcriber(&service));
    harness.go(gst::State::Playing);
    let group = gst::GroupId::next();
    let start = gst::event::StreamStart::builder("upstream").group_id(group);
    assert!(harness.pad.push_event(start.build()));
    let out = harness.text().until("caps", |out| {
        events(out).last().is_some_and(|name| name == "caps")
    });
    let first = event_list(&out).next().expect("an event");
    let gst::EventView::StreamStart(start) = first.view() else {
        panic!("{first:?}");
    };
    let unsynced = pad(&harness, "unsynced_src").sticky_event::<gst::event::StreamStart>(0);
    let unsynced = unsynced.expect("the first stream's");
    for (start, id) in [(start, "upstream/text"), (&unsynced, "upstream/unsynced")] {
        assert_eq!(start.stream_id(), id);
        assert_eq!(start.group_id(), Some(group));
        assert!(start.stream_flags().contains(gst::StreamFlags::SPARSE));
    }
}

/// Speaker, content, running time and duration (ms) of the `rstranscribe/new-item` events.
type Items = Arc<Mutex<Vec<(Option<String>, String, u64, u64)>>>;

/// Collects the events that reach `source` from downstream.
fn upstream_items(source: &gst_app::AppSrc) -> Items {
    let items: Items = Arc::default();
    let log = items.clone();
    let pad = source.static_pad("src").expect("a pad");
    pad.add_probe(gst::PadProbeType::EVENT_UPSTREAM, move |_, info| {
        if let Some(gst::PadProbeData::Event(event)) = &info.data
            && let Some(item) = event.structure()
            && item.name() == "rstranscribe/new-item"
        {
            let time = |name| item.get::<gst::ClockTime>(name).expect(name).mseconds();
            let speaker = item.get("speaker").expect("speaker");
            let content = item.get("content").expect("content");
            let item = (speaker, content, time("running-time"), time("duration"));
            log.lock().expect("no panic").push(item);
        }
        gst::PadProbeReturn::Ok
    });
    items
}

/// Speakers, words for elements upstream, and responses where their pad is linked.
#[test]
fn custom_events_and_responses() {
    let said = |speaker: &str, start: u64, text: &str| {
        json!({"definite": true, "start_time": start, "end_time": start + 400, "text": text,
            "additions": {"speaker_id": speaker},
            "words": [{"text": text, "start_time": start, "end_time": start + 400}]})
    };
    let both = json!([said("1", 100, "Yes."), said("2", 600, "No.")]);
    let first = response(1200, json!([both[0]]));
    let service = scripted(&[(1200, first)], response(2000, both));
    let mut rig = TestPipeline::new(transcriber(&service));
    let responses = gst_app::AppSink::builder()
        .sync(false)
        .async_(false)
        .build();
    responses.set_property("wait-on-eos", false);
    rig.pipeline.add(&responses).expect("a new element");
    let linked = rig.sink.link_pads(Some("unsynced_src"), &responses, None);
    linked.expect("JSON");
    let items = upstream_items(&rig.source);
    let log = rig.run(&audio(), 100);
    log.assert_no_errors("the run");
    let mut custom = events(&rig.out());
    custom.retain(|name| name.starts_with("rstranscribe"));
    let speaker = [
        "rstranscribe/speaker-change",
        "rstranscribe/final-transcript",
    ];
    assert_eq!(custom, [speaker, speaker].concat());
    let item = |speaker: &str, text: &str, at| (Some(speaker.into()), text.into(), at, 400);
    let said = [item("1", "Yes.", 100), item("2", "No.", 600)];
    assert_eq!(*items.lock().expect("no panic"), said);
    // No one asked for them on the bus.
    assert!(log.structures("volcasr-response").is_empty());
    let text = |sample: gst::Sample| {
        let buffer = sample.buffer().expect("a buffer");
        let map = buffer.map_readable().expect("memory");
        String::from_utf8(map.to_vec()).expect("UTF-8")
    };
    let samples = std::iter::from_fn(|| responses.try_pull_sample(gst::ClockTime::ZERO));
    let texts: Vec<String> = samples.map(text).collect();
    assert!(texts.iter().any(|text| text.contains("No.")), "{texts:?}");
}

/// Returns whether an event begins the stream `second`, or a segment of twice the speed.
fn begins_second(event: &gst::Event) -> bool {
    match event.view() {
        gst::EventView::StreamStart(start) => start.stream_id() == "second/text",
        gst::EventView::Segment(segment) => segment.segment().rate() == 2.0,
        _ => false,
    }
}

/// As of a segment that stops: the next stream of `concat` is taken again.
#[test]
fn downstream_s_end_is_that_of_a_stream_or_segment() {
    for next in ["stream", "segment"] {
        let (_service, harness) = playing("");
        let peer = pad(&harness, "src").peer().expect("linked");
        let is_second = AtomicBool::new(false);
        let mask = gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM;
        peer.add_probe(mask, move |_, info| {
            if let Some(gst::PadProbeData::Event(event)) = &info.data {
                is_second.fetch_or(begins_second(event), Ordering::SeqCst);
            } else if !is_second.load(Ordering::SeqCst) {
                info.flow_res = Err(gst::FlowError::Eos);
                return gst::PadProbeReturn::Handled;
            }
            gst::PadProbeReturn::Ok
        });
        let (pcm, spoken) = speech(2);
        harness.push_all(0, &pcm, 100);
        wait_until("the end", || {
            let refused = harness.pad.push(harness.buffer(None, &pcm[..960]));
            refused == Err(gst::FlowError::Eos)
        });
        let mut segment = Segment::new();
        match next {
            "stream" => assert!(harness.begin("second")),
            _ => segment.set_rate(2.0),
        }
        assert!(harness.segment(&segment));
        harness.push_all(0, &pcm, 100);
        assert!(harness.eos());
        let out = harness.text().until_eos(0);
        let is_second = |out: &Out| matches!(out, Out::Event(event) if begins_second(event));
        let second = out.iter().skip_while(|out| !is_second(out));
        let second: Vec<Out> = second.cloned().collect();
        assert_eq!(texts(&second).len(), spoken.len(), "{next}: {out:#?}");
    }
}

#[test]
fn flow_goes_back_to_the_audio() {
    use gst::FlowError::{Eos, Error, NotNegotiated};
    for flow in [Eos, Error, NotNegotiated] {
        let (_service, harness) = playing("");
        fail(&pad(&harness, "src").peer().expect("linked"), flow);
        harness.say(2);
        let push = || harness.pad.push(harness.buffer(None, &[0; 960]));
        wait_until("an answer from downstream", || push().is_err());
        assert_eq!(push(), Err(flow));
    }
}
