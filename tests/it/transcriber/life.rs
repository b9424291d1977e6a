//! States, queries and errors, as bins and applications use them.

use std::fs::File;
use std::sync::{Arc, Mutex, mpsc};

use gst::prelude::*;
use volcasr_loopback::Options;

use super::live::transcriber_at_nowhere;
use super::{on_message, pad, playing};
use crate::common::pad_harness::ms;
use crate::common::text::Out;
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

/// Threads post every error, even the one that says that there are none for the network.
#[test]
fn without_descriptors_the_error_is_posted() {
    child::alone(|| {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let mut rig = TestPipeline::new(transcriber_at_nowhere());
        rig.play();
        let (current, maximum) = (Some(64), getrlimit(Resource::Nofile).maximum);
        setrlimit(Resource::Nofile, Rlimit { current, maximum }).expect("a lower limit");
        let _taken: Vec<_> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
        rig.push(&[0; 9600], 100);
        let errors = faults::own_errors(&rig.listen_until(is_error), &rig.sink);
        errors[0].assert_is(
            gst::ResourceError::Failed,
            &["can't start the network threads"],
        );
    });
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
    let element = set(
        transcriber(&service),
        "language-code=en-US idle-timeout=300",
    );
    element.set_property("uri", service.uri_for(volcasr_loopback::Endpoint::Nostream));
    let mut rig = TestPipeline::new(element.clone());
    rig.play();
    // Tags of the audio stay there.
    let mut tags = gst::TagList::new();
    let list = tags.get_mut().expect("a new list");
    list.add::<gst::tags::AudioCodec>(&"FLAC", gst::TagMergeMode::Replace);
    assert!(rig.source.send_event(gst::event::Tag::new(tags)));
    let (pcm, _) = speech(1);
    rig.push(&pcm, 100);
    until_connection(&service, |c| c.request.is_some());
    element.set_property("language-code", "zh-CN");
    until_connection(&service, |c| c.final_at.is_some());
    rig.push(&pcm, 100);
    rig.end().assert_no_errors("the run");
    let connections = service.connections();
    let requests = connections.iter().filter_map(|c| c.request.as_ref());
    let languages: Vec<_> = requests.map(|r| r["audio"]["language"].clone()).collect();
    assert_eq!(languages, ["en-US", "zh-CN"]);
    // The tag comes between the two sessions' words, and once each.
    let brief = |out: Out| match out {
        Out::Text(_) => Some("words".to_owned()),
        Out::Gap(..) => None,
        Out::Event(event) => match event.view() {
            gst::EventView::Tag(tag) => {
                let language = tag.tag().get::<gst::tags::LanguageCode>();
                Some(language.map_or_else(|| format!("{tag:?}"), |l| l.get().to_owned()))
            }
            _ => None,
        },
    };
    let mut received: Vec<String> = rig.out().into_iter().filter_map(brief).collect();
    received.dedup_by(|next, last| next == last && last == "words");
    assert_eq!(received, ["en", "words", "zh", "words"]);
}

/// The streaming thread waits until the error is on the bus, where the flush comes from.
#[test]
fn a_handler_of_the_error_may_flush() {
    let (_service, harness) = playing("access-key=another");
    let harness = Arc::new(harness);
    let (failed, failure) = mpsc::channel();
    let (pushes, pushing) = mpsc::channel();
    let pushing = Mutex::new(pushing);
    let (flushed, flush) = mpsc::channel();
    on_message(&harness, is_error, move |harness| {
        let _ = failed.send(());
        let _ = pushing.lock().expect("no panic").recv_timeout(LONG);
        harness.flush();
        let _ = flushed.send(());
    });
    // Begins to connect.
    harness.push(0, &[0; 960]);
    failure.recv_timeout(LONG).expect("an error");
    pad(&harness, "sink").add_probe(gst::PadProbeType::BUFFER, move |_, _| {
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
    let (_service, harness) = playing("");
    let (asks, asked) = mpsc::channel();
    pad(&harness, "src").add_probe(gst::PadProbeType::QUERY_DOWNSTREAM, move |_, _| {
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
        let log = TestPipeline::new(element).speak(1);
        assert_eq!(log.warnings().len(), warnings, "{property}");
    }
}

/// `GST_DEBUG` shows one element and not the other, though they share the code.
#[test]
fn a_run_logs_in_the_category_of_its_element() {
    let run = || {
        let service = service(Options::default());
        TestPipeline::new(transcriber(&service)).speak(1);
    };
    child::log_of(&[], &[], run, |log| {
        let of = |category: &str| {
            let is_of = |line: &&str| line.split_whitespace().nth(4) == Some(category);
            log.lines().filter(is_of).collect::<Vec<_>>()
        };
        for line in ["starting: ws://", "session 0 is open", "final, "] {
            let lines = of("volcasrtranscriber");
            assert!(lines.iter().any(|of| of.contains(line)), "no {line}");
        }
        assert_eq!(of("volcasrsink"), Vec::<&str>::new());
    });
}
