//! Without audio for a while: the session ends in good order, or the service ends it, and the next
//! buffer goes on.

use std::time::Duration;

use crate::common::faults::*;
use crate::common::*;
use volcasr_loopback::{Connection, End, Options, Service};

/// Plays the first part, waits until `quiet` says that the session is over, plays the second.
/// Asserts that all was said and confirmed.
fn pause(
    service: &Service,
    idle: u32,
    first_part: usize,
    quiet: impl Fn(&TestPipeline, &mut BusLog),
) -> (BusLog, gst::Element) {
    let properties = format!("idle-timeout={idle} finish-timeout=2000");
    let sink = set(unpaced_sink(service), &properties);
    let (pcm, marks) = open_ended_speech(4);
    let (first, second) = pcm.split_at(first_part * 48);
    let mut rig = TestPipeline::new(sink.clone());
    rig.begin(first, 20);
    let mut log = BusLog::default();
    quiet(&rig, &mut log);
    rig.push(second, 20);
    log.add(rig.end());
    assert_whole(&log, &marks, false, &properties);
    (log, sink)
}

/// Waits for M3 and M4 of the second sentence.
fn half_a_sentence(rig: &TestPipeline, log: &mut BusLog) {
    log.add(rig.listen_for(|t| t.is_final && t.words.len() == 2));
}

/// A buffer lasts: nothing more can come before it is over.
#[test]
pub fn a_long_buffer_is_no_pause() {
    let service = service(Options::default());
    let sink = set(unpaced_sink(&service), "idle-timeout=200");
    let (pcm, marks) = open_ended_speech(2);
    let (first, second) = pcm.split_at(4000 * 48);
    let mut rig = TestPipeline::new(sink);
    rig.begin(first, 4000);
    // Longer than the timeout, and well before the buffer's end.
    let paused = |all: &[Connection]| all.iter().any(|c| c.finish_at.is_some());
    assert!(!service.wait(Duration::from_millis(700), paused));
    rig.push(second, 20);
    let log = rig.end();
    log.assert_clean();
    log.assert_said(&marks, 0);
    assert_eq!(service.connections().len(), 1);
}

/// The words come though nothing more does, and are final; what comes later is another session's.
#[test]
pub fn the_session_is_finished_and_the_next_buffer_opens_another() {
    // In a pause, in a sentence, and with less than a chunk behind the last one.
    in_parallel(&[2200, 3700, 3650], |&first_part| {
        let service = service(Options::default());
        let began = std::time::Instant::now();
        let (log, sink) = pause(&service, 600, first_part, |rig, log| {
            if first_part > 2800 {
                half_a_sentence(rig, log);
            }
            until_connection(&service, |c| c.end.is_some());
            let took = began.elapsed();
            assert!(took >= Duration::from_millis(600), "{took:?}");
        });
        log.assert_no_warnings(first_part);
        let connections = service.connections();
        assert_eq!(connections.len(), 2, "{first_part}");
        let is_good = |c: &Connection| c.final_at.is_some() && c.errors.is_empty();
        assert!(connections.iter().all(is_good), "{first_part}");
        assert_eq!(connections[0].end, Some(End::Finished), "{first_part}");
        // It was all recognised.
        let counted = ["audio-replayed", "sessions", "reconnects"].map(|name| stat(&sink, name));
        assert_eq!(counted, [0, 2, 0], "{first_part}");
    });
}

/// Lost in that finish, it is restored as any other.
#[test]
pub fn the_finish_of_a_pause_is_restored() {
    let faults = [
        "reset@finish#1",
        "no-final@finish#1",
        "error:55000031@finish#1",
    ];
    in_parallel(&faults, |fault| {
        let service = service(faulty(&[fault], false));
        let (log, _) = pause(&service, 600, 3700, half_a_sentence);
        assert_warned(&log, 1, fault);
    });
}

/// Without an idle-timeout the service ends the session: no error, no warning, no connection until
/// there is audio. With audio to send it would be a loss, which `reconnect` has.
#[test]
pub fn the_service_may_end_it_as_well() {
    // The last one leaves less than a chunk, which is no audio to send yet.
    in_parallel(&[2200, 3800, 3950], |&first_part| {
        let service = service(Options {
            idle_timeout: Duration::from_millis(1500),
            ..Options::default()
        });
        let (log, sink) = pause(&service, 0, first_part, |_, _| {
            until_connection(&service, |c| c.end.is_some());
            let error = service.inspect(|all| all[0].errors[0].0);
            assert_eq!(error, 45_000_081, "{first_part}");
        });
        log.assert_no_warnings(first_part);
        assert_eq!(service.connections().len(), 2, "{first_part}");
        assert_eq!(
            stat(&sink, "reconnects"),
            0,
            "{first_part}: nothing was lost"
        );
    });
}
