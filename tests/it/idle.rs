//! Without audio for a while: the session ends in good order, or the service ends it, and the next
//! buffer goes on.

use std::time::Duration;

use crate::common::faults::*;
use crate::common::*;
use volcasr_loopback::marks::Mark;
use volcasr_loopback::{Connection, End, Options, Service};

/// Plays the first part, waits until `quiet` says that the session is over, plays the second.
fn pause(
    service: &Service,
    idle: u32,
    first_part: usize,
    quiet: impl Fn(&TestPipeline, &mut BusLog),
) -> (BusLog, Vec<Mark>, gst::Element) {
    let sink = set(
        sink(service),
        &format!("max-speed=0 idle-timeout={idle} finish-timeout=2000"),
    );
    let (pcm, marks) = open_ended_speech(4);
    let (first, second) = pcm.split_at(first_part * 48);
    let mut rig = TestPipeline::new(sink.clone());
    rig.play();
    rig.push(first, 20);
    let mut log = BusLog::default();
    quiet(&rig, &mut log);
    rig.push(second, 20);
    rig.end();
    log.add(rig.listen());
    (log, marks, sink)
}

fn posted(words: usize) -> impl Fn(&gst::Message) -> bool {
    move |message| Transcript::parse(message).is_some_and(|t| t.is_final && t.words.len() == words)
}

/// A buffer lasts: nothing more can come before it is over.
#[test]
pub fn a_long_buffer_is_no_pause() {
    let service = service(Options::default());
    let sink = set(unpaced_sink(&service), "idle-timeout=200");
    let (pcm, marks) = open_ended_speech(2);
    let (first, second) = pcm.split_at(4000 * 48);
    let mut rig = TestPipeline::new(sink);
    rig.play();
    rig.push(first, 4000);
    // Longer than the timeout, and well before the buffer's end.
    let paused = |all: &[Connection]| all.iter().any(|c| c.finish_at.is_some());
    assert!(!service.wait(Duration::from_millis(700), paused));
    rig.push(second, 20);
    rig.end();
    let log = rig.listen();
    log.assert_clean();
    log.assert_said(&marks, 0);
    assert_eq!(service.connections().len(), 1);
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
                log.add(rig.listen_until(posted(2)));
            }
            assert!(service.wait(LONG, |all| all.first().is_some_and(|c| c.end.is_some())));
            let took = began.elapsed();
            assert!(took >= Duration::from_millis(600), "{took:?}");
        });
        log.assert_no_warnings(&case);
        log.assert_said_in(&case, &marks, 0);
        assert!(log.finals().iter().all(|f| !f.unconfirmed), "{case}");
        let connections = service.connections();
        assert_eq!(connections.len(), 2, "{case}");
        let is_good = |c: &Connection| c.final_at.is_some() && c.errors.is_empty();
        assert!(connections.iter().all(is_good), "{case}");
        assert_eq!(connections[0].end, Some(End::Finished), "{case}");
        assert_eq!(
            stat(&sink, "audio-replayed"),
            0,
            "{case}: it was all recognised"
        );
        let counted = (stat(&sink, "sessions"), stat(&sink, "reconnects"));
        assert_eq!(counted, (2, 0), "{case}");
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
                log.add(rig.listen_until(posted(2)));
            });
            log.assert_said_in(fault, &marks, 0);
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
            let error = service.inspect(|all| all[0].errors[0].0);
            assert_eq!(error, 45_000_081, "{case}");
        });
        log.assert_no_warnings(&case);
        assert_whole(&log, &marks, false, &case);
        assert_eq!(service.connections().len(), 2, "{case}");
        assert_eq!(stat(&sink, "reconnects"), 0, "{case}: nothing was lost");
    });
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

/// The final text before a pause does not come: what was reported stands. The next buffer opens a
/// session, which restores nothing.
#[test]
fn the_finish_of_a_pause_may_be_given_up() {
    let service = service(Options {
        exact: true,
        ..faulty(&["no-final@finish#1"], false)
    });
    let sink = set(
        unpaced_sink(&service),
        "idle-timeout=600 finish-timeout=1000 max-reconnects=0",
    );
    let (pcm, marks) = open_ended_speech(4);
    // Behind the first sentence, whose words have been reported.
    let (first, second) = pcm.split_at(2200 * 48);
    let mut rig = TestPipeline::new(sink.clone());
    rig.play();
    rig.push(first, 20);
    let mut log = rig.listen_until(is_warning);
    rig.push(second, 20);
    rig.end();
    log.add(rig.listen());
    log.assert_said(&marks, 0);
    assert_eq!(warnings_of(&log, "volcasr-finish-timeout").len(), 1);
    assert_eq!(log.warnings().len(), 1, "{:?}", log.warnings());
    let counted = (stat(&sink, "sessions"), stat(&sink, "reconnects"));
    assert_eq!(counted, (2, 0), "nothing was restored");
}
