//! Downstream that is flushed, unlinked or fails, on both source pads.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, mpsc};

use gst::prelude::*;
use serde_json::json;

use super::{on_message, pad, playing};
use crate::common::pad_harness::PadHarness;
use crate::common::script::{audio, response, scripted, utterance};
use crate::common::text::{event_list, events, fail, texts};
use crate::common::*;
use volcasr_loopback::{Options, Service};

/// Upstream sends them once: those that waited for the last words before a flush are stored.
#[test]
fn a_flush_keeps_the_sticky_events_that_wait() {
    let service = service(faults::faulty(&["hang@finish*"], false));
    let harness = PadHarness::new(transcriber(&service));
    harness.say(1);
    let group = gst::GroupId::next();
    let start = gst::event::StreamStart::builder("second").group_id(group);
    assert!(harness.pad.push_event(start.build()));
    harness.flush();
    let src = pad(&harness, "src");
    let start = src.sticky_event::<gst::event::StreamStart>(0);
    assert_eq!(start.and_then(|start| start.group_id()), Some(group));
    assert!(src.sticky_event::<gst::event::Segment>(0).is_none());
    harness.segment_at(0, 0);
    harness.text().until("the second stream", |out| {
        let is_before = |event: &&gst::Event| match event.view() {
            gst::EventView::StreamStart(start) => start.group_id() != Some(group),
            _ => true,
        };
        let second = event_list(out).skip_while(is_before);
        let second = second.map(|event| event.type_());
        use gst::EventType::{Caps, Segment, StreamStart};
        second.take(3).eq([StreamStart, Caps, Segment])
    });
}

/// A tee goes on while the pad has no peer, and so does the text once it has one.
#[test]
fn text_goes_on_when_the_pad_is_linked_again() {
    let (_service, harness) = playing("");
    let src = pad(&harness, "src");
    let peer = src.peer().expect("linked");
    let (pcm, _) = speech(2);
    harness.push_all(0, &pcm, 100);
    src.unlink(&peer).expect("linked");
    let push = || harness.pad.push(harness.buffer(None, &pcm));
    wait_until("no peer", || push() == Err(gst::FlowError::NotLinked));
    let text = harness.text();
    let before = texts(&text.out()).len();
    src.link(&peer).expect("a free pad");
    assert_eq!(push(), Ok(gst::FlowSuccess::Ok));
    text.until("text", |out| texts(out).len() > before);
}

/// A transcriber that plays, at a service whose one utterance is final halfway through the audio.
fn one_utterance() -> (Service, PadHarness) {
    let said = json!([utterance(true, (100, 900), "Yes.")]);
    let first = response(1200, said.clone());
    let service = scripted(&[(1200, first)], response(2000, said));
    let harness = PadHarness::new(transcriber(&service));
    (service, harness)
}

#[test]
fn an_error_without_a_buffer_behind_it_is_posted_at_eos() {
    let (_service, harness) = one_utterance();
    let peer = pad(&harness, "src").peer();
    let failed = fail(&peer.expect("linked"), gst::FlowError::Error);
    harness.push(0, &audio());
    wait_until("a buffer", || failed.load(Ordering::SeqCst));
    assert!(harness.eos());
    let errors = listen_until(&harness.bus, is_error).errors();
    errors[0].assert_is(gst::StreamError::Failed, &[]);
    harness.text().until_eos(0);
}

/// Whether it comes with a text or behind the last one, its handler may wait for another thread,
/// and EOS leaves behind it.
#[test]
fn a_handler_of_an_error_of_downstream_may_wait_for_ready() {
    for is_last in [false, true] {
        let (_service, harness) = one_utterance();
        let harness = Arc::new(harness);
        let (ends, ended) = mpsc::channel();
        on_message(&harness, is_error, move |harness| {
            let out = harness.text().out();
            let has_ended = events(&out).iter().any(|name| name == "eos");
            let _ = ends.send((has_ended, is_ready_meanwhile(&harness.sink)));
        });
        let peer = pad(&harness, "src").peer().expect("linked");
        if is_last {
            let failed = fail(&peer, gst::FlowError::Error);
            harness.push(0, &audio());
            wait_until("a buffer", || failed.load(Ordering::SeqCst));
            assert!(harness.eos());
        } else {
            // The task is in the pad while EOS comes in.
            let weak = Arc::downgrade(&harness);
            peer.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
                if let Some(harness) = weak.upgrade() {
                    harness.eos();
                }
                info.flow_res = Err(gst::FlowError::Error);
                gst::PadProbeReturn::Handled
            });
            harness.push(0, &audio());
        }
        assert_eq!(ended.recv_timeout(LONG), Ok((false, true)), "{is_last}");
    }
}

/// Names of what goes through a pad, and the events' seqnums.
type Names = Arc<Mutex<Vec<(&'static str, Option<gst::Seqnum>)>>>;

fn names(pad: &gst::Pad) -> Names {
    let names = Names::default();
    let log = names.clone();
    let mask = gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM;
    pad.add_probe(mask, move |_, info| {
        let next = match &info.data {
            Some(gst::PadProbeData::Event(event)) => {
                (event.type_().name().as_str(), Some(event.seqnum()))
            }
            _ => ("buffer", None),
        };
        log.lock().expect("no panic").push(next);
        gst::PadProbeReturn::Ok
    });
    names
}

/// Links a pad to that of the responses, and records what goes through. Unlike a sink, it takes a
/// stream behind EOS.
fn responses(harness: &PadHarness) -> (gst::Pad, Names) {
    let pad = gst::Pad::builder(gst::PadDirection::Sink)
        .chain_function(|_, _, _| Ok(gst::FlowSuccess::Ok))
        .event_function(|_, _, _| true)
        .build();
    pad.set_active(true).expect("a new pad");
    let names = names(&pad);
    let src = super::pad(harness, "unsynced_src");
    src.link(&pad).expect("JSON");
    (pad, names)
}

fn count(names: &Names, name: &str) -> usize {
    let names = names.lock().expect("no panic");
    names.iter().filter(|(of, _)| *of == name).count()
}

/// A sink that was taken away failed the pad; another one may follow.
#[test]
fn responses_go_on_with_another_sink() {
    let service = service(Options::default());
    let harness = PadHarness::held(transcriber(&service));
    let (peer, names) = responses(&harness);
    harness.play();
    let (pcm, _) = speech(2);
    let push_until = |what: &str, is_there: &dyn Fn() -> bool| {
        wait_until(what, || {
            harness.push(None, &pcm);
            is_there()
        });
    };
    push_until("a response", &|| count(&names, "buffer") > 0);
    let refused = fail(&peer, gst::FlowError::Error);
    push_until("a refusal", &|| refused.load(Ordering::SeqCst));
    pad(&harness, "unsynced_src").unlink(&peer).expect("linked");
    let (_other, names) = responses(&harness);
    push_until("a response", &|| count(&names, "buffer") > 0);
}

/// The sink there waits for EOS as every sink does, whether or not there was audio. What results
/// from upstream's events has their seqnums.
#[test]
fn each_stream_of_responses_ends() {
    let service = service(Options::default());
    let harness = PadHarness::held(transcriber(&service));
    let upstream = names(&harness.pad);
    let (_peer, names) = responses(&harness);
    harness.play();
    let end = |streams: usize| {
        assert!(harness.eos());
        wait_until("EOS", || count(&names, "eos") == streams);
    };
    end(1);
    let begin = |stream: &str| {
        assert!(harness.begin(stream));
        harness.segment_at(0, 0);
    };
    begin("second");
    end(2);
    begin("third");
    harness.say(1);
    // The responses to the third are still to come, and no EOS ends it.
    begin("fourth");
    harness.say(1);
    end(3);
    harness.flush();
    begin("fifth");
    end(4);
    assert!(count(&names, "buffer") > 0);
    let names = names.lock().expect("no panic");
    let mut events = names.clone();
    events.retain(|(name, _)| *name != "buffer");
    let mut expected = upstream.lock().expect("no panic").clone();
    expected.retain(|(name, _)| *name != "buffer");
    // The audio's caps end at the element: those of the responses result from STREAM_START.
    for at in 1..expected.len() {
        if expected[at].0 == "caps" {
            expected[at].1 = expected[at - 1].1;
        }
    }
    assert_eq!(events, expected, "{names:?}");
}
