//! Without audio for a while: the session ends in good order, or the service ends it, and the next
//! buffer goes on.

use std::time::Duration;

use crate::common::faults::*;
use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::marks::Mark;
use volcasr_loopback::{Connection, End, Gate, Lag, Options, Service};

/// Plays the first part, waits until `quiet` says that the session is over, plays the second.
fn pause(
    service: &Service,
    idle: u32,
    first_part: usize,
    quiet: impl Fn(&TestPipeline, &mut BusLog),
) -> (BusLog, Vec<Mark>, gst::Element) {
    let sink = sink(service);
    sink.set_property("max-speed", 0.0);
    sink.set_property("idle-timeout", idle);
    sink.set_property("finish-timeout", 2000u32);
    let (pcm, marks) = open_ended_speech(4);
    let (first, second) = pcm.split_at(first_part * 48);
    let mut rig = TestPipeline::new(sink.clone());
    rig.play();
    rig.push(first, 20);
    let mut log = BusLog::default();
    quiet(&rig, &mut log);
    rig.push(second, 20);
    rig.end();
    log.messages.extend(rig.listen().messages);
    (log, marks, sink)
}

fn posted(words: usize) -> impl Fn(&gst::Message) -> bool {
    move |message| Transcript::parse(message).is_some_and(|t| t.is_final && t.words.len() == words)
}

/// A buffer lasts: nothing more can come before it is over.
#[test]
pub fn a_long_buffer_is_no_pause() {
    let service = service(Options::default());
    let sink = sink(&service);
    sink.set_property("max-speed", 0.0);
    sink.set_property("idle-timeout", 1000u32);
    let (pcm, marks) = open_ended_speech(2);
    let (first, second) = pcm.split_at(4000 * 48);
    let mut rig = TestPipeline::new(sink);
    rig.play();
    rig.push(first, 4000);
    // Longer than the timeout, and well before the buffer's end.
    let paused = |all: &[Connection]| all.iter().any(|c| c.finish_at.is_some());
    assert!(!service.wait(Duration::from_millis(2500), paused));
    rig.push(second, 20);
    rig.end();
    let log = rig.listen();
    assert!(log.warnings().is_empty() && log.errors().is_empty());
    assert_eq!(marks_of(&log.finals()), expected(&marks, 0));
    assert_eq!(service.connections().len(), 1);
}

/// Nothing was lost, so nothing is said to be.
#[test]
fn the_next_session_may_take_another_try() {
    let service = service(Options {
        faults: vec!["http:503@handshake#2".parse().expect("a fault")],
        ..Options::default()
    });
    let (log, marks, sink) = pause(&service, 600, 2200, |_, _| {
        assert!(service.wait(LONG, |all| all.first().is_some_and(|c| c.end.is_some())));
    });
    assert!(log.errors().is_empty(), "{log:?}");
    assert_eq!(marks_of(&log.finals()), expected(&marks, 0));
    let warnings = log.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].error.message().contains("No session yet"),
        "{warnings:?}"
    );
    assert_eq!(stat(&sink, "reconnects"), 0);
}

/// The words come though nothing more does, and are final; what comes later is another session's.
#[test]
pub fn the_session_is_finished_and_the_next_buffer_opens_another() {
    // In a pause, in a sentence, and with less than a chunk behind the last one.
    in_parallel(&[2200, 3700, 3650], |&first_part| {
        let case = format!("{first_part}");
        let service = service(Options::default());
        let began = std::time::Instant::now();
        let (log, marks, sink) = pause(&service, 600, first_part, |rig, log| {
            if first_part > 2800 {
                // M3 and M4 of the second sentence.
                log.messages.extend(rig.listen_until(posted(2)).messages);
            }
            assert!(service.wait(LONG, |all| all.first().is_some_and(|c| c.end.is_some())));
            assert!(
                began.elapsed() >= Duration::from_millis(600),
                "{:?}",
                began.elapsed()
            );
        });
        assert!(
            log.warnings().is_empty() && log.errors().is_empty(),
            "{case}: {log:?}"
        );
        assert_eq!(marks_of(&log.finals()), expected(&marks, 0), "{case}");
        assert!(log.finals().iter().all(|f| !f.unconfirmed), "{case}");
        assert_ends_once(&log.transcripts());
        let connections = service.connections();
        assert_eq!(connections.len(), 2, "{case}");
        for connection in &connections {
            assert!(
                connection.finish_at.is_some() && connection.final_at.is_some(),
                "{case}"
            );
            assert!(
                connection.errors.is_empty(),
                "{case}: {:?}",
                connection.errors
            );
        }
        assert_eq!(connections[0].end, Some(End::Finished), "{case}");
        assert_eq!(stat(&sink, "audio-replayed"), 0, "{case}: it was all heard");
        assert_eq!(
            (stat(&sink, "sessions"), stat(&sink, "reconnects")),
            (2, 0),
            "{case}"
        );
    });
}

/// Lost in that finish, it is restored as any other.
#[test]
pub fn the_finish_of_a_pause_is_restored() {
    in_parallel(
        &[
            "reset@finish#1",
            "no-final@finish#1",
            "error:55000031@finish#1",
        ],
        |fault| {
            let service = service(faulty(&[fault], false));
            let (log, marks, _) = pause(&service, 600, 3700, |rig, log| {
                log.messages.extend(rig.listen_until(posted(2)).messages);
            });
            assert!(log.errors().is_empty(), "{fault}: {log:?}");
            assert_eq!(marks_of(&log.finals()), expected(&marks, 0), "{fault}");
            assert!(log.finals().iter().all(|f| !f.unconfirmed), "{fault}");
            assert_warned(&log, 1, fault);
        },
    );
}

/// Without an idle-timeout the service ends the session: no error, no warning, no connection until
/// there is audio.
#[test]
pub fn the_service_may_end_it_as_well() {
    // The last one leaves less than a chunk, which is no audio to send yet.
    in_parallel(&[2200, 3800, 3950], |&first_part| {
        let case = format!("{first_part}");
        let service = service(Options {
            idle_timeout: Duration::from_millis(1500),
            ..Options::default()
        });
        let (log, marks, sink) = pause(&service, 0, first_part, |_, _| {
            assert!(service.wait(LONG, |all| all.first().is_some_and(|c| c.end.is_some())));
            assert_eq!(
                service.inspect(|all| all[0].errors[0].0),
                45_000_081,
                "{case}"
            );
        });
        assert!(log.errors().is_empty(), "{case}: {log:?}");
        log.assert_no_warnings(&case);
        assert_whole(&log, &marks, false, &case);
        assert_eq!(service.connections().len(), 2, "{case}");
        assert_eq!(stat(&sink, "reconnects"), 0, "{case}: nothing was lost");
    });
}

/// Again and again, more often than there are tries.
#[test]
fn being_ended_for_idleness_is_no_try() {
    let service = service(Options {
        idle_timeout: Duration::from_millis(600),
        lag: Lag::EXACT,
        ..Options::default()
    });
    let sink = unpaced_sink(&service);
    sink.set_property("idle-timeout", 0u32);
    sink.set_property("max-reconnects", 1u32);
    let (pcm, marks) = open_ended_speech(3);
    let mut rig = TestPipeline::new(sink);
    rig.play();
    for (n, piece) in pcm.chunks(1300 * 48).enumerate() {
        rig.push(piece, 20);
        if rig.next.mseconds() < pcm.len() as u64 / 48 {
            assert!(service.wait(LONG, |all| all.get(n).is_some_and(|c| c.end.is_some())));
        }
    }
    rig.end();
    let log = rig.listen();
    assert_whole(&log, &marks, false, "idle");
    assert!(log.warnings().is_empty(), "{:?}", log.warnings());
}

/// With audio in hand it is a loss: the send was blocked, say, and the service saw nothing.
#[test]
pub fn with_audio_to_send_it_is_a_loss() {
    let idle = r#"error:45000081:{"error":"[Timeout waiting next packet] session has ended"}@3s"#;
    let service = service(faulty(&[idle], false));
    let (pcm, marks) = open_ended_speech(4);
    let log = TestPipeline::new(fast_sink(&service)).run(&pcm, 20);
    assert_whole(&log, &marks, false, "busy");
    assert_warned(&log, 1, "busy");
}

/// It is said right behind the audio, again and again: losses that count, however little waits to
/// be sent.
#[test]
fn right_behind_audio_it_is_a_loss() {
    let service = service(faulty(&["error:45000081@200ms*"], false));
    service.hold(Gate::Responses);
    let sink = unpaced_sink(&service);
    sink.set_property("max-reconnects", 2u32);
    let mut rig = TestPipeline::new(sink);
    rig.play();
    let (pcm, _) = open_ended_speech(4);
    let mut log = BusLog::default();
    let began = std::time::Instant::now();
    for piece in pcm.chunks(200 * 48).cycle() {
        if !log.errors().is_empty() {
            break;
        }
        assert!(began.elapsed() < LONG, "{}", service.connections().len());
        rig.push(piece, 20);
        let wait = gst::ClockTime::from_mseconds(200);
        log.messages.extend(rig.bus.timed_pop(wait));
        log.messages.extend(rig.take().messages);
    }
    assert_warned(&log, 2, "busy");
    assert_eq!(service.connections().len(), 3);
}

/// The last words before a pause do not come: what was heard stands. The next buffer opens a
/// session, which restores nothing.
#[test]
fn the_finish_of_a_pause_may_be_given_up() {
    let service = service(Options {
        exact: true,
        ..faulty(&["no-final@finish#1"], false)
    });
    let sink = unpaced_sink(&service);
    sink.set_property("idle-timeout", 600u32);
    sink.set_property("finish-timeout", 1000u32);
    sink.set_property("max-reconnects", 0u32);
    let (pcm, marks) = open_ended_speech(4);
    // Behind the first sentence, whose words have been told.
    let (first, second) = pcm.split_at(2200 * 48);
    let mut rig = TestPipeline::new(sink.clone());
    rig.play();
    rig.push(first, 20);
    let mut log = rig.listen_until(|m| m.type_() == gst::MessageType::Warning);
    rig.push(second, 20);
    rig.end();
    log.messages.extend(rig.listen().messages);
    assert!(log.errors().is_empty(), "{:?}", log.errors());
    assert_eq!(marks_of(&log.finals()), expected(&marks, 0));
    assert_ends_once(&log.transcripts());
    assert_eq!(warnings_of(&log, "volcasr-finish-timeout").len(), 1);
    assert_eq!(log.warnings().len(), 1, "{:?}", log.warnings());
    let counted = (stat(&sink, "sessions"), stat(&sink, "reconnects"));
    assert_eq!(counted, (2, 0), "nothing was restored");
}
