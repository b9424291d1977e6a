//! Peers that never stop talking, and applications that do not listen: memory stays bounded, and
//! nothing is late for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::common::raw_server::*;
use crate::common::*;
use gst::prelude::*;

/// The n-th of endless settled sentences, a long one.
fn sentence(n: usize) -> Vec<u8> {
    let text = format!("{n} {}", "and so on ".repeat(1000));
    let start = n * 1000;
    let times = format!(r#""start_time":{start},"end_time":{}"#, start + 500);
    let utterance = format!(r#"{{"text":"{text}","definite":true,{times}}}"#);
    let json = format!(
        r#"{{"audio_info":{{"duration":{start}}},"result":{{"utterances":[{utterance}]}}}}"#
    );
    message(json.as_bytes(), 0)
}

fn play(uri: &str) -> (TestPipeline, gst::Element) {
    let sink = set(
        sink_for(uri),
        "max-speed=0 finish-timeout=500 idle-timeout=0",
    );
    let rig = TestPipeline::new(sink.clone());
    rig.play();
    (rig, sink)
}

/// Answers that repeat one text and are never final come without end: bounded by six times
/// `finish-timeout`. Without any text the end would be an error.
#[test]
fn endless_answers_do_not_put_off_the_end() {
    let answers = message(
        br#"{"audio_info":{"duration":1},"result":{"text":"so"}}"#,
        0,
    )
    .repeat(50_000);
    let server = RawServer::new(move |_| answers.clone());
    let (mut rig, sink) = play(&server.uri);
    rig.push(&[0; 48_000 * 4], 20);
    wait_until("all audio is sent", || {
        stat(&sink, "audio-sent") == 4_000_000_000
    });
    rig.end();
    let log = rig.listen();
    assert!(log.saw_eos(), "{:?}", log.errors());
    let given_up = |report: &Report| {
        let details = report.details.as_ref();
        details.is_some_and(|details| details.name() == "volcasr-finish-timeout")
    };
    // A busy machine may take the service for silent, and try again.
    let warnings = log.warnings();
    assert!(warnings.last().is_some_and(given_up), "{warnings:?}");
    assert_eq!(warnings.iter().filter(|w| given_up(w)).count(), 1);
}

/// An application's handler blocks while final sentences pour in: memory stays bounded, and one
/// error names the handler. What came before it is all posted, in order.
#[test]
fn a_handler_that_blocks_for_too_long_is_an_error() {
    let server = RawServer::new(sentence);
    let (mut rig, sink) = play(&server.uri);
    let gate = Door::default();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (at_gate, list) = (gate.clone(), seen.clone());
    rig.bus.set_sync_handler(move |_, message| {
        if let Some(said) = Transcript::parse(message) {
            at_gate.wait();
            list.lock()
                .expect("no panic under the lock")
                .push(said.utterance);
        }
        match message.type_() {
            gst::MessageType::Error => gst::BusSyncReply::Pass,
            _ => gst::BusSyncReply::Drop,
        }
    });
    let before = memory();
    rig.push(&[0; 48_000], 20);
    let connected = || {
        let stats = sink.property::<gst::Structure>("stats");
        stats.get::<bool>("connected").expect("documented")
    };
    wait_until("it is connected", connected);
    wait_until("it has failed", || !connected());
    let grown = memory().saturating_sub(before);
    assert!(grown < 160 << 20, "{grown} bytes more");
    gate.open();
    let errors = rig.listen().errors();
    let error = &errors[0].error;
    assert!(error.matches(gst::ResourceError::Failed), "{error:?}");
    assert!(error.message().contains("sync handler"), "{error:?}");
    let seen = seen.lock().expect("no panic under the lock");
    let expected: Vec<u32> = (0..seen.len() as u32).collect();
    assert!(seen.len() > 1024);
    assert_eq!(*seen, expected, "one was lost, or came twice");
}

/// Blocked or not, going down does not wait for the handler's turn to come.
#[test]
fn a_sink_with_a_backlog_goes_down_at_once() {
    let server = RawServer::new(sentence);
    let (mut rig, _sink) = play(&server.uri);
    let gate = Door::default();
    let at_gate = gate.clone();
    rig.bus.set_sync_handler(move |_, message| {
        if message.type_() == gst::MessageType::Element {
            at_gate.wait();
        }
        gst::BusSyncReply::Drop
    });
    rig.push(&[0; 48_000], 20);
    server.wait_until_blocked();
    let began = Instant::now();
    rig.go(gst::State::Ready);
    let took = began.elapsed();
    gate.open();
    assert!(took < Duration::from_millis(500), "{took:?}");
}

/// With the responses themselves, which are large, it is bytes that count.
#[test]
fn large_responses_are_bounded_by_their_bytes() {
    let server = RawServer::new(|n| {
        let json = format!(
            r#"{{"audio_info":{{"duration":{n}}},"x":"{}"}}"#,
            "x".repeat(4 << 20)
        );
        message(json.as_bytes(), 0)
    });
    let (mut rig, sink) = play(&server.uri);
    sink.set_property("post-responses", true);
    let (gate, blocked) = (Door::default(), Arc::new(AtomicBool::new(false)));
    let (at_gate, is_blocked) = (gate.clone(), blocked.clone());
    rig.bus.set_sync_handler(move |_, message| {
        if message.type_() == gst::MessageType::Element {
            is_blocked.store(true, Ordering::Relaxed);
            at_gate.wait();
        }
        gst::BusSyncReply::Drop
    });
    let before = memory();
    rig.push(&[0; 48_000], 20);
    // Reading goes on behind the handler.
    wait_until("it talks on", || server.written() > 160 << 20);
    let grown = memory().saturating_sub(before);
    assert!(blocked.load(Ordering::Relaxed));
    assert!(grown < 128 << 20, "{grown} bytes more");
    gate.open();
}
