//! Peers that are late, asleep or gone: noticed in time, and restored.

use std::time::Duration;

use crate::common::faults::*;
use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::{Gate, Options};

/// If any part of the opening takes too long, another try is made after `connect-timeout`.
#[test]
fn an_opening_that_takes_too_long_is_tried_again() {
    let cases = [
        "hang@handshake#1",
        "delay:5s@handshake#1",
        "trickle:300ms@handshake#1",
        "hang@accept#1",
        "hang@ack#1",
        "delay:5s@ack#1",
    ];
    in_parallel(&cases, |fault| {
        let service = service(faulty(&[fault], false));
        let sink = fast_sink(&service);
        sink.set_property("connect-timeout", 1000u32);
        let (pcm, marks) = open_ended_speech(4);
        let mut rig = TestPipeline::new(sink.clone());
        let log = rig.run(&pcm, 20);
        assert_whole(&log, &marks, false, fault);
        assert_warned(&log, 1, fault);
        let accepted: Vec<_> = service
            .connections()
            .iter()
            .map(|c| c.accepted_at)
            .collect();
        assert_eq!(accepted.len(), 2, "{fault}");
        let after = accepted[1] - accepted[0];
        // The deadline and the least pause; the first connection may be accepted late.
        assert!(after >= Duration::from_secs(1), "{fault}: {after:?}");
        assert!(after < Duration::from_secs(5), "{fault}: {after:?}");
        assert_eq!(stat(&sink, "sessions"), 1, "{fault}: the first was none");
        assert_eq!(stat(&sink, "reconnects"), 0, "{fault}");
    });
}

/// A slow opening is no failure while it is in time, and costs nothing but time.
#[test]
fn an_opening_that_is_slow_is_waited_for() {
    in_parallel(
        &[
            "delay:800ms@handshake",
            "delay:800ms@accept",
            "delay:1200ms@ack",
        ],
        |fault| {
            let service = service(faulty(&[fault], false));
            let (pcm, marks) = open_ended_speech(4);
            let log = TestPipeline::new(fast_sink(&service)).run(&pcm, 20);
            assert_whole(&log, &marks, false, fault);
            assert_warned(&log, 0, fault);
            assert_eq!(service.connections().len(), 1, "{fault}");
        },
    );
}

#[test]
fn nobody_listens_yet() {
    let port = free_port();
    let sink = sink_for(&format!("ws://127.0.0.1:{port}/api/v3/sauc/bigmodel_async"));
    let mut rig = TestPipeline::new(sink);
    let (pcm, marks) = open_ended_speech(4);
    rig.play();
    rig.push(&pcm, 20);
    rig.end();
    let mut log = rig.listen_until(|m| is_progress(m, gst::ProgressType::Continue));
    let _service = service(Options {
        port,
        ..Options::default()
    });
    log.messages.extend(rig.listen().messages);
    assert_whole(&log, &marks, false, "late");
    let warnings = log.warnings();
    assert!(!warnings.is_empty(), "the first failed try is a warning");
    for warning in &warnings {
        // Nothing was lost.
        let text = warning.error.message();
        assert!(text.starts_with("No session yet"), "{text}");
    }
    assert_eq!(log.progress().last(), Some(&gst::ProgressType::Complete));
}

/// The line is dialled ahead of the audio; a service that closes it meanwhile is dialled again,
/// without a word.
#[test]
fn a_line_that_died_while_it_waited_is_dialled_again() {
    let cases = ["drop@accept#1", "reset@accept#1", "http:408@accept#1"];
    in_parallel(&cases, |fault| {
        // Not at once, which may look like a refused connection.
        let service = service(faulty(&["delay:300ms@accept#1", fault], false));
        let sink = fast_sink(&service);
        sink.set_property("max-reconnects", 0u32);
        let mut rig = TestPipeline::new(sink);
        rig.play();
        let mut log = rig.listen_until(is_ready);
        assert!(service.wait(LONG, |all| all.first().is_some_and(|c| c.end.is_some())));
        let (pcm, marks) = open_ended_speech(4);
        rig.push(&pcm, 20);
        rig.end();
        log.messages.extend(rig.listen().messages);
        assert_whole(&log, &marks, false, fault);
        log.assert_no_warnings(fault);
        assert_eq!(service.connections().len(), 2, "{fault}");
    });
}

/// The peer hangs, and takes no more bytes: the frame that is under way is given ten seconds.
#[test]
fn a_send_that_is_blocked_is_a_loss() {
    let service = service(Options {
        receive_buffer: Some(4096),
        ..faulty(&["hang@4s#1"], false)
    });
    let sink = sink(&service);
    sink.set_property("max-speed", 0.0);
    sink.set_property_from_str("compression", "none");
    let (pcm, marks) = open_ended_speech(100);
    let mut rig = TestPipeline::new(sink.clone());
    let log = rig.run(&pcm, 20);
    assert_whole(&log, &marks, false, "hang");
    assert_warned(&log, 1, "hang");
    assert_eq!(stat(&sink, "reconnects"), 1);
}

/// It hangs for a while only, and all that was held up goes out.
#[test]
fn a_send_that_is_blocked_for_a_while_is_none() {
    let service = service(Options {
        receive_buffer: Some(4096),
        ..faulty(&["delay:3s@4s#1"], false)
    });
    let sink = sink(&service);
    sink.set_property("max-speed", 0.0);
    sink.set_property_from_str("compression", "none");
    let (pcm, marks) = open_ended_speech(100);
    let log = TestPipeline::new(sink).run(&pcm, 20);
    assert_whole(&log, &marks, false, "delay");
    assert_warned(&log, 0, "delay");
}

/// However much waits, and however fast it goes: what the service says meanwhile is heard.
#[test]
fn an_error_is_heard_while_a_queue_is_sent() {
    let service = service(faulty(&["error:45000001@1s"], false));
    service.hold(Gate::Upgrade);
    let sink = sink(&service);
    sink.set_property("max-speed", 0.0);
    sink.set_property("max-queue-time", 1_000_000u32);
    sink.set_property("connect-timeout", 60_000u32);
    let (pcm, _) = open_ended_speech(300);
    let mut rig = TestPipeline::new(sink.clone());
    rig.play();
    rig.push(&pcm, 200);
    let all = rig.time_of(&pcm).nseconds();
    wait_until("all is taken", || stat(&sink, "audio-received") == all);
    service.release(Gate::Upgrade);
    let log = rig.listen();
    let errors = own_errors(&log, &sink);
    assert_eq!(code_of(&errors[0]), Some(45_000_001), "{errors:?}");
    let sent = stat(&sink, "audio-sent");
    assert!(sent < all / 2, "{sent} of {all}");
}
