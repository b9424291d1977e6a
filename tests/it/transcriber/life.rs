//! States, queries and errors, as bins and applications meet them.

use std::sync::{Arc, Mutex, mpsc};

use gst::prelude::*;
use volcasr_loopback::Options;

use crate::common::pad_harness::{PadHarness, ms};
use crate::common::text::{Out, events, texts};
use crate::common::*;

/// Probe as a bin does it to find out about an element: no parent, no credentials, a live source.
#[test]
fn a_probe_without_credentials_neither_fails_nor_connects() {
    let source = set(element("fakesrc"), "is-live=true");
    let element = element("volcasrtranscriber");
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    source.link(&element).expect("any caps");
    for round in 0..100 {
        element.set_state(gst::State::Paused).expect("PAUSED");
        for (pad, latency) in [("src", 4), ("unsynced_src", 0)] {
            let pad = element.static_pad(pad).expect("a pad");
            let mut query = gst::query::Latency::new();
            assert!(pad.query(&mut query), "{round}");
            let (live, min, _) = query.result();
            assert!(live, "{round}");
            assert_eq!(min, gst::ClockTime::from_seconds(latency), "{round}");
        }
        element.set_state(gst::State::Null).expect("NULL");
    }
    use gst::MessageType::{Error, Progress, Warning};
    let bad = bus.pop_filtered(&[Error, Warning, Progress]);
    assert!(bad.is_none(), "{bad:?}");
}

#[test]
fn latency_is_added_for_a_live_source_alone() {
    init();
    let transcriber = set(element("volcasrtranscriber"), "latency=1500");
    let pad = transcriber.static_pad("src").expect("a pad");
    let ask = || {
        let mut query = gst::query::Latency::new();
        pad.query(&mut query).then(|| query.result())
    };
    // No answer from upstream is none from here.
    assert_eq!(ask(), None);
    for (live, min) in [(false, 0), (true, 1500)] {
        let source = set(element("fakesrc"), &format!("is-live={live}"));
        source.link(&transcriber).expect("any caps");
        let (is_live, least, _) = ask().expect("an answer");
        assert_eq!((is_live, least), (live, gst::ClockTime::from_mseconds(min)));
        source.unlink(&transcriber);
    }
    // Upstream's own is kept.
    let source = element("fakesrc");
    let upstream = source.static_pad("src").expect("a pad");
    upstream.add_probe(gst::PadProbeType::QUERY_UPSTREAM, |_, info| {
        let query = info.query_mut().expect("a query");
        let gst::QueryViewMut::Latency(latency) = query.view_mut() else {
            return gst::PadProbeReturn::Ok;
        };
        latency.set(true, ms(300), ms(500));
        gst::PadProbeReturn::Handled
    });
    source.link(&transcriber).expect("any caps");
    assert_eq!(ask(), Some((true, ms(1800), Some(ms(2000)))));
}

/// Wrong settings are an error with the first buffer, once, and everything downstream ends.
#[test]
fn wrong_settings_are_one_error_with_the_first_buffer() {
    let service = service(Options::default());
    let element = transcriber(&service);
    element.set_property("app-key", "app\n1");
    let mut rig = TestPipeline::new(element.clone());
    rig.play();
    rig.push(&[0; 9600], 20);
    let log = rig.listen_until(is_error);
    let errors = log.errors();
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors[0].assert_is(gst::ResourceError::Settings, &[]);
    rig.push(&[0; 9600], 20);
    rig.end();
    let more = rig.listen_until(|m| m.type_() == gst::MessageType::Eos || is_error(m));
    assert!(faults::own_errors(&more, &element).is_empty());
}

#[test]
fn a_refusal_is_the_sink_s_error_and_ends_what_is_downstream() {
    let service = service(Options::default());
    let element = transcriber(&service);
    element.set_property("access-key", "another-access-key");
    let mut rig = TestPipeline::new(element.clone());
    rig.play();
    rig.push(&[0; 96_000], 20);
    let log = rig.listen_until(is_error);
    let error = &log.errors()[0];
    error.assert_is(gst::ResourceError::NotAuthorized, &[]);
    let details = error.details.as_ref().expect("details");
    assert_eq!(details.get::<u32>("http-status"), Ok(401));
    rig.push(&[0; 960], 20);
    rig.end();
    rig.text().until("EOS", |out| {
        events(out).last().map(String::as_str) == Some("eos")
    });
    assert!(texts(&rig.out()).is_empty());
}

#[test]
fn changing_the_latency_posts_a_message() {
    let service = service(Options::default());
    let rig = TestPipeline::new(transcriber(&service));
    rig.play();
    rig.sink.set_property("latency", 2000u32);
    rig.listen_until(|message| {
        message.type_() == gst::MessageType::Latency && message.src() == Some(rig.sink.upcast_ref())
    });
    rig.sink.set_property("language-code", "en-US");
    assert_eq!(rig.sink.property::<String>("language-code"), "en-US");
}

/// Bins set it while the pipeline plays: the session that is open goes on as it is.
#[test]
fn the_language_is_taken_up_with_the_next_session() {
    let service = service(Options::default());
    let element = transcriber(&service);
    element.set_property("uri", service.uri_for(volcasr_loopback::Endpoint::Nostream));
    element.set_property("language-code", "en-US");
    element.set_property("idle-timeout", 300u32);
    let mut rig = TestPipeline::new(element.clone());
    rig.play();
    let (pcm, _) = speech(1);
    rig.push(&pcm, 100);
    assert!(service.wait(LONG, |all| !all.is_empty() && all[0].request.is_some()));
    element.set_property("language-code", "zh-CN");
    assert!(service.wait(LONG, |all| all[0].final_at.is_some()));
    rig.push(&pcm, 100);
    rig.end();
    assert!(rig.listen().saw_eos());
    let languages: Vec<_> = service
        .connections()
        .iter()
        .filter_map(|c| c.request.as_ref().map(|r| r["audio"]["language"].clone()))
        .collect();
    assert_eq!(languages, ["en-US", "zh-CN"]);
    // The tag comes between the two sessions' words, and once each.
    let mut received = Vec::new();
    for out in rig.out() {
        match out {
            Out::Text(_) => received.push("words".to_owned()),
            Out::Gap(..) => {}
            Out::Event(event) => {
                if let gst::EventView::Tag(tag) = event.view() {
                    let language = tag.tag().get::<gst::tags::LanguageCode>();
                    received.extend(language.map(|language| language.get().to_owned()));
                }
            }
        }
    }
    received.dedup_by(|next, last| next == last && last == "words");
    assert_eq!(received, ["en", "words", "zh", "words"]);
}

/// The streaming thread waits until the error is on the bus, where the flush comes from.
#[test]
fn a_handler_of_the_error_may_flush() {
    let service = service(Options::default());
    let element = transcriber(&service);
    element.set_property("access-key", "another-access-key");
    let harness = Arc::new(PadHarness::new(element));
    let (failed, failure) = mpsc::channel();
    let (pushes, pushing) = mpsc::channel();
    let pushing = Mutex::new(pushing);
    let (flushed, flush) = mpsc::channel();
    let weak = Arc::downgrade(&harness);
    harness.bus.set_sync_handler(move |_, message| {
        if message.type_() == gst::MessageType::Error
            && let Some(harness) = weak.upgrade()
        {
            let _ = failed.send(());
            let _ = pushing.lock().expect("no panic").recv_timeout(LONG);
            harness.flush_start();
            harness.flush_stop();
            let _ = flushed.send(());
        }
        gst::BusSyncReply::Drop
    });
    // Begins to connect.
    harness.push(0, &[0; 960]);
    failure.recv_timeout(LONG).expect("an error");
    let peer = harness.sink.static_pad("sink").expect("its pad");
    peer.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        let _ = pushes.send(());
        gst::PadProbeReturn::Ok
    });
    let buffer = harness.buffer(None, &[0; 960]);
    assert_eq!(harness.pad.push(buffer), Err(gst::FlowError::Flushing));
    flush.recv_timeout(LONG).expect("the end of the flush");
}

/// They would overtake the text that waits.
#[test]
fn serialized_queries_stay_here() {
    let service = service(Options::default());
    let harness = PadHarness::new(transcriber(&service));
    let (asks, asked) = mpsc::channel();
    let pad = harness.sink.static_pad("src").expect("a pad");
    pad.add_probe(gst::PadProbeType::QUERY_DOWNSTREAM, move |_, _| {
        let _ = asks.send(());
        gst::PadProbeReturn::Ok
    });
    assert!(!harness.pad.peer_query(&mut gst::query::Drain::new()));
    assert!(asked.try_recv().is_err());
}

/// `transcriberbin` sets the one, and the user the other.
#[test]
fn a_language_without_effect_is_warned_about_only_where_the_user_set_it() {
    for (property, warnings) in [("language-code", 0), ("language", 1)] {
        let service = service(Options::default());
        let element = transcriber(&service);
        element.set_property(property, "en-US");
        let mut rig = TestPipeline::new(element);
        let (pcm, _) = speech(1);
        assert_eq!(rig.run(&pcm, 100).warnings().len(), warnings, "{property}");
    }
}

/// `GST_DEBUG` shows one element and not the other, though they share the code.
#[test]
fn a_run_logs_in_the_category_of_its_element() {
    const NAME: &str = "a_run_logs_in_the_category_of_its_element";
    if child::is_child() {
        let service = service(Options::default());
        let mut rig = TestPipeline::new(transcriber(&service));
        assert!(rig.run(&speech(1).0, 100).saw_eos());
        return;
    }
    let log = child::spawn_logging(module_path!(), NAME, &[], &[]);
    let of = |category: &str| {
        let lines = log.lines();
        let lines = lines.filter(|line| line.split_whitespace().nth(4) == Some(category));
        lines.collect::<Vec<_>>()
    };
    for line in ["starting: ws://", "session 0 is open", "final, "] {
        let lines = of("volcasrtranscriber");
        assert!(lines.iter().any(|of| of.contains(line)), "no {line}");
    }
    assert_eq!(of("volcasrsink"), Vec::<&str>::new());
}
