//! Streams, segments, flushes and seeks: what was said comes before what follows.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use gst::prelude::*;
use serde_json::json;
use volcasr_loopback::Options;

use crate::common::pad_harness::{PadHarness, Segment, ms};
use crate::common::script::{audio, response, scripted};
use crate::common::text::{Out, assert_in_order, event_list, events, fail, gaps, texts};
use crate::common::*;

#[test]
fn another_segment_waits_for_the_words_before_it() {
    let service = service(Options::default());
    let harness = PadHarness::new(transcriber(&service));
    let (pcm, _) = speech(1);
    harness.push_all(0, &pcm, 100);
    let mut segment = Segment::new();
    segment.set_start(ms(60_000));
    segment.set_base(ms(10_000));
    assert!(harness.segment(&segment));
    harness.push_all(60_000, &pcm, 100);
    let log = harness.end();
    assert!(log.saw_eos());
    let out = harness.text().out();
    assert_in_order(&out);
    let texts = texts(&out);
    let half = texts.len() / 2;
    let second = texts.partition_point(|text| text.start < 60_000);
    assert_eq!(second, half, "{out:#?}");
    assert!(texts[0].discont && texts[half].discont);
    let segments = events(&out).into_iter().filter(|name| name == "segment");
    assert_eq!(segments.count(), 2);
    // No gap reaches from the one into the other's times.
    let is_within = |(start, end): &(u64, u64)| *start >= 60_000 || *end < 60_000;
    assert!(gaps(&out).iter().all(is_within), "{out:#?}");
}

#[test]
fn lateness_is_added_to_the_segment_s_base() {
    let service = service(Options::default());
    let element = transcriber(&service);
    element.set_property("lateness", 2500u32);
    let mut rig = TestPipeline::new(element);
    let (pcm, _) = speech(1);
    rig.run(&pcm, 100);
    let out = rig.out();
    let base = event_list(&out).find_map(|event| match event.view() {
        gst::EventView::Segment(s) => s.segment().downcast_ref::<gst::ClockTime>()?.base(),
        _ => None,
    });
    assert_eq!(base, Some(ms(2500)));
}

#[test]
fn a_flush_discards_what_was_not_pushed_and_text_begins_anew() {
    let service = service(Options::default());
    let harness = PadHarness::new(transcriber(&service));
    let (pcm, spoken) = speech(2);
    harness.push_all(0, &pcm, 100);
    harness.flush_start();
    let text = harness.text();
    let before = text.out().len();
    harness.flush_stop();
    assert!(harness.segment(&Segment::new()));
    harness.push_all(0, &pcm, 100);
    assert!(harness.eos());
    let out = text.until("EOS", |out| {
        events(&out[before..]).last().is_some_and(|e| e == "eos")
    });
    let after = &out[before..];
    assert_in_order(after);
    let texts = texts(after);
    assert_eq!(texts.len(), spoken.len(), "{out:#?}");
    assert!(texts[0].discont);
}

/// An overlay that waits for text goes on with each gap.
#[test]
fn audio_that_is_played_backwards_is_a_gap() {
    let service = service(Options::default());
    let harness = PadHarness::new(transcriber(&service));
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
    let start = gst::event::StreamStart::builder("upstream")
        .group_id(group)
        .build();
    assert!(harness.pad.push_event(start));
    let out = harness.text().until("caps", |out| {
        events(out).last().is_some_and(|name| name == "caps")
    });
    let first = event_list(&out).next().expect("an event");
    let gst::EventView::StreamStart(start) = first.view() else {
        panic!("{first:?}");
    };
    let pad = harness.sink.static_pad("unsynced_src").expect("a pad");
    let unsynced = pad.sticky_event::<gst::event::StreamStart>(0);
    let unsynced = unsynced.expect("the first stream's");
    for (start, id) in [(start, "upstream/text"), (&unsynced, "upstream/unsynced")] {
        assert_eq!(start.stream_id(), id);
        assert_eq!(start.group_id(), Some(group));
        assert!(start.stream_flags().contains(gst::StreamFlags::SPARSE));
    }
}

/// As a pad does that is linked anew.
#[test]
fn a_stream_start_that_is_sent_again_changes_nothing() {
    let service = service(Options::default());
    let harness = PadHarness::new(transcriber(&service));
    let (pcm, spoken) = speech(1);
    let start = harness.pad.sticky_event::<gst::event::StreamStart>(0);
    let start: gst::Event = start.expect("a stream").into();
    let (half, rest) = pcm.split_at(harness.bytes(1000));
    harness.push_all(0, half, 100);
    assert!(harness.pad.push_event(start));
    assert!(harness.segment(&Segment::new()));
    harness.push_all(1000, rest, 100);
    assert!(harness.end().saw_eos());
    let out = harness.text().out();
    let starts = events(&out).iter().filter(|e| *e == "stream-start").count();
    assert_eq!(starts, 1, "{out:#?}");
    assert_eq!(texts(&out).len(), spoken.len(), "{out:#?}");
    assert_eq!(service.connections().len(), 1);
}

#[test]
fn tags_of_the_audio_stay_and_the_language_is_added() {
    let service = service(Options::default());
    let element = transcriber(&service);
    element.set_property("language-code", "zh-CN");
    let harness = PadHarness::new(element);
    let mut tags = gst::TagList::new();
    tags.get_mut()
        .expect("a new list")
        .add::<gst::tags::AudioCodec>(&"FLAC", gst::TagMergeMode::Replace);
    assert!(harness.pad.push_event(gst::event::Tag::new(tags)));
    let (pcm, _) = speech(1);
    harness.push_all(0, &pcm, 100);
    harness.end();
    let out = harness.text().out();
    let tags = event_list(&out).filter_map(|event| match event.view() {
        gst::EventView::Tag(tag) => Some(tag.tag_owned()),
        _ => None,
    });
    let tags: Vec<_> = tags.collect();
    assert_eq!(tags.len(), 1, "{tags:?}");
    let language = tags[0]
        .get::<gst::tags::LanguageCode>()
        .map(|tag| tag.get().to_owned());
    assert_eq!(language.as_deref(), Some("zh"));
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
            && let Some(item) = event
                .structure()
                .filter(|s| s.name() == "rstranscribe/new-item")
        {
            log.lock().expect("no panic").push((
                item.get::<Option<String>>("speaker").expect("speaker"),
                item.get::<String>("content").expect("content"),
                item.get::<gst::ClockTime>("running-time")
                    .expect("running-time")
                    .mseconds(),
                item.get::<gst::ClockTime>("duration")
                    .expect("duration")
                    .mseconds(),
            ));
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
    let service = scripted(
        &[(1200, response(1200, json!([both[0]])))],
        response(2000, both),
    );
    let mut rig = TestPipeline::new(transcriber(&service));
    let responses = gst_app::AppSink::builder()
        .sync(false)
        .async_(false)
        .build();
    responses.set_property("wait-on-eos", false);
    rig.pipeline.add(&responses).expect("a new element");
    rig.sink
        .link_pads(Some("unsynced_src"), &responses, None)
        .expect("JSON");
    let items = upstream_items(&rig.source);
    let log = rig.run(&audio(), 100);
    assert!(log.saw_eos());
    let out = rig.out();
    let custom: Vec<String> = events(&out)
        .into_iter()
        .filter(|name| name.starts_with("rstranscribe"))
        .collect();
    let (change, end) = (
        "rstranscribe/speaker-change",
        "rstranscribe/final-transcript",
    );
    assert_eq!(custom, [change, end, change, end]);
    let item = |speaker: &str, text: &str, at| (Some(speaker.into()), text.into(), at, 400);
    assert_eq!(
        *items.lock().expect("no panic"),
        [item("1", "Yes.", 100), item("2", "No.", 600)]
    );
    // No one asked for them on the bus.
    assert!(
        log.messages
            .iter()
            .all(|m| { m.structure().is_none_or(|s| s.name() != "volcasr-response") })
    );
    let mut texts = Vec::new();
    while let Some(sample) = responses.try_pull_sample(gst::ClockTime::ZERO) {
        let buffer = sample
            .buffer()
            .expect("a buffer")
            .map_readable()
            .expect("memory");
        texts.push(String::from_utf8(buffer.to_vec()).expect("UTF-8"));
    }
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
        let service = service(Options::default());
        let harness = PadHarness::new(transcriber(&service));
        let peer = harness.sink.static_pad("src").expect("a pad").peer();
        let peer = peer.expect("linked");
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
        let out = harness
            .text()
            .until("EOS", |out| events(out).last().is_some_and(|e| e == "eos"));
        let second = out.iter().skip_while(|out| match out {
            Out::Event(event) => !begins_second(event),
            _ => true,
        });
        let second: Vec<Out> = second.cloned().collect();
        assert_eq!(texts(&second).len(), spoken.len(), "{next}: {out:#?}");
    }
}

#[test]
fn flow_goes_back_to_the_audio() {
    use gst::FlowError::{Eos, Error, NotNegotiated};
    for flow in [Eos, Error, NotNegotiated] {
        let service = service(Options::default());
        let harness = PadHarness::new(transcriber(&service));
        let pad = harness.sink.static_pad("src").expect("a pad");
        fail(&pad.peer().expect("linked"), flow);
        let (pcm, _) = speech(2);
        harness.push_all(0, &pcm, 100);
        let buffer = || harness.buffer(None, &pcm[..960]);
        wait_until("an answer from downstream", || {
            harness.pad.push(buffer()).is_err()
        });
        assert_eq!(harness.pad.push(buffer()), Err(flow));
    }
}
