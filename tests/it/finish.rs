//! The last words: waited for, asked for again when the connection is lost, given up in the end,
//! never silently.

use std::time::{Duration, Instant};

use crate::common::faults::*;
use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::marks::Mark;
use volcasr_loopback::{Endpoint, Fault, FaultKind, Gate, Lag, Options, Service, Trigger};

/// The last sentence's words stand, unconfirmed, and say as much as was heard of them; then EOS,
/// and no error.
fn assert_unconfirmed(log: &BusLog, marks: &[Mark], case: &str) {
    assert!(log.errors().is_empty(), "{case}: {:?}", log.errors());
    assert!(log.saw_eos(), "{case}");
    assert_ends_once(&log.transcripts());
    assert_never_shrinks(&log.transcripts());
    let finals = log.finals();
    let (last, rest) = finals.split_last().expect("final words");
    assert!(
        last.unconfirmed && rest.iter().all(|f| !f.unconfirmed),
        "{case}: {finals:?}"
    );
    let numbers: Vec<_> = marks_of(&finals).iter().map(|mark| mark.0).collect();
    let expected: Vec<_> = marks.iter().map(|mark| mark.number).collect();
    assert!(expected.starts_with(&numbers), "{case}: {numbers:?}");
    assert!(!last.words.is_empty(), "{case}");
}

/// Asserts that a warning tells of it, between the words and EOS.
fn assert_given_up(log: &BusLog, marks: &[Mark], case: &str) {
    assert_unconfirmed(log, marks, case);
    let warnings = warnings_of(log, "volcasr-finish-timeout");
    assert_eq!(warnings.len(), 1, "{case}");
    let place = |is: &dyn Fn(&gst::Message) -> bool| log.messages.iter().rposition(is);
    let words = place(&|m| Transcript::parse(m).is_some());
    let warning = place(&|m| m.type_() == gst::MessageType::Warning);
    assert!(words < warning, "{case}");
}

fn run(service: &Service, finish_timeout: u32, retries: u32) -> (BusLog, Vec<Mark>, Duration) {
    let sink = fast_sink(service);
    sink.set_property("finish-timeout", finish_timeout);
    sink.set_property("max-reconnects", retries);
    let (pcm, marks) = open_ended_speech(2);
    let mut rig = TestPipeline::new(sink);
    let log = rig.run(&pcm, 20);
    let finish = service.inspect(|all| all.iter().find_map(|c| c.finish_at));
    let took = finish.map_or(Duration::ZERO, |at| at.elapsed());
    (log, marks, took)
}

/// The peer is there, and says nothing more: what it heard is heard again on another connection.
#[test]
fn without_a_final_response_it_is_tried_again() {
    in_parallel(&["no-final@finish", "hang@finish"], |fault| {
        let service = service(faulty(&[fault], false));
        let (log, marks, _) = run(&service, 1000, 10);
        assert_whole(&log, &marks, false, fault);
        assert_warned(&log, 1, fault);
        let warning = &warnings_of(&log, "volcasr-reconnect")[0];
        let error = warning.get::<gst::Structure>("error").expect("error");
        let message = error.get::<String>("message").expect("message");
        assert!(message.contains("last words"), "{message}");
    });
}

#[test]
fn without_tries_it_ends_unconfirmed_after_finish_timeout() {
    in_parallel(
        &[
            "no-final@finish*",
            "hang@finish*",
            "reset@finish*",
            "error:55000000@finish*",
        ],
        |fault| {
            let service = service(faulty(&[fault], false));
            let (log, marks, took) = run(&service, 500, 0);
            assert_given_up(&log, &marks, fault);
            assert_eq!(service.connections().len(), 1, "{fault}");
            assert!(took < Duration::from_secs(10), "{fault}: {took:?}");
            assert!(warnings_of(&log, "volcasr-reconnect").is_empty(), "{fault}");
        },
    );
}

/// However it fails, again and again: six times `finish-timeout`, and not more.
#[test]
fn the_wait_is_six_times_finish_timeout_at_most() {
    let cases = [
        vec![fault("no-final@finish*")],
        vec![fault("hang@finish*")],
        vec![
            fault("reset@finish#1"),
            fault("reset@ack#2"),
            fault("hang@accept#3"),
        ],
        (2..40)
            .map(|n| Fault::nth(n, FaultKind::Reset, Trigger::Handshake))
            .chain([fault("reset@finish#1")])
            .collect(),
    ];
    in_parallel(&cases, |faults| {
        let service = service(Options {
            faults: faults.clone(),
            lag: Lag::EXACT,
            ..Options::default()
        });
        let case = format!("{:?}", faults[0]);
        let (log, marks, took) = run(&service, 500, 100);
        assert_given_up(&log, &marks, &case);
        // Since the service has read the finish, some time after it was written.
        assert!(took >= Duration::from_millis(2000), "{case}: {took:?}");
        assert!(took < Duration::from_secs(10), "{case}: {took:?}");
    });
}

fn run_on_bigmodel(fault: &str, pcm: &[u8], retries: u32) -> (BusLog, usize) {
    let service = service(prompt(fault));
    let mut rig = TestPipeline::new(fast_sink(&service));
    rig.sink
        .set_property("uri", service.uri_for(Endpoint::Bigmodel));
    rig.sink
        .set_property("resource-id", "volc.bigasr.sauc.duration");
    rig.sink.set_property("max-reconnects", retries);
    let log = rig.run(pcm, 20);
    (log, service.connections().len())
}

/// Closed in good order behind the finish by a service that has heard everything, with no try left:
/// an end without confirmation, no error and no loss.
#[test]
fn a_close_behind_the_finish_is_an_end() {
    let (pcm, marks) = open_ended_speech(2);
    let (log, connections) = run_on_bigmodel("close:1000@finish", &pcm, 0);
    assert_given_up(&log, &marks, "closed");
    assert_eq!(log.warnings().len(), 1, "{:?}", log.warnings());
    assert_eq!(connections, 1);
}

/// With everything settled and silence behind it there is nothing to confirm, and nothing to warn
/// about.
#[test]
fn a_close_behind_the_finish_with_silence_at_the_end_is_silent() {
    let (pcm, marks) = speech(2);
    let (log, connections) = run_on_bigmodel("close:1000@finish", &pcm, 10);
    assert_whole(&log, &marks, false, "closed");
    assert!(log.warnings().is_empty(), "{:?}", log.warnings());
    assert_eq!(connections, 1);
}

/// Sound behind the last final word may hold another word. It is replayed once, even where the
/// service reports all of it as processed.
#[test]
fn a_close_behind_the_finish_with_sound_at_the_end_is_restored_once() {
    let noisy = || {
        let (mut pcm, marks) = speech(2);
        let end = marks.last().map_or(0, |mark| mark.end as usize + 100);
        for (n, sample) in pcm[end * 48..].as_chunks_mut().0.iter_mut().enumerate() {
            *sample = [-100i16, 100][n % 2].to_le_bytes();
        }
        (pcm, marks)
    };
    for (fault, (pcm, marks), timeouts) in [
        ("close:1000@finish", noisy(), 0),
        ("close:1000@finish*", noisy(), 1),
        ("close:1000@finish", open_ended_speech(2), 0),
    ] {
        let (log, connections) = run_on_bigmodel(fault, &pcm, 10);
        assert_whole(&log, &marks, false, fault);
        assert_eq!(warnings_of(&log, "volcasr-reconnect").len(), 1, "{fault}");
        let given_up = warnings_of(&log, "volcasr-finish-timeout").len();
        assert_eq!(given_up, timeouts, "{fault}");
        assert_eq!(connections, 2, "{fault}");
    }
}

/// A service that is far behind when it closes has lost what it did not come to: it is heard on
/// another connection.
#[test]
fn a_close_behind_the_finish_with_audio_that_was_never_answered_is_a_loss() {
    for endpoint in [Endpoint::Async, Endpoint::Nostream] {
        let service = service(silent_until_the_end("close:1000@finish"));
        let mut rig = TestPipeline::new(fast_sink(&service));
        rig.sink.set_property("uri", service.uri_for(endpoint));
        let (pcm, marks) = open_ended_speech(2);
        let log = rig.run(&pcm, 20);
        assert_whole(&log, &marks, false, "behind");
        assert_eq!(log.warnings().len(), 1, "{:?}", log.warnings());
        assert_eq!(warnings_of(&log, "volcasr-reconnect").len(), 1);
        assert_eq!(service.connections().len(), 2);
    }
}

/// Answers for every packet as soon as it has it, on `bigmodel`.
fn prompt(fault: &str) -> Options {
    Options {
        lag: Lag::Exact(Duration::ZERO),
        ..faulty(&[fault], false)
    }
}

/// The audio of one frame.
const FRAME: usize = 200 * 48;

/// A sink on a service that has begun to read and stopped.
fn held_up(replay: u32) -> (Service, gst::Element, TestPipeline) {
    let service = service(Options {
        receive_buffer: Some(4096),
        ..Options::default()
    });
    let sink = sink(&service);
    sink.set_property("max-speed", 0.0);
    sink.set_property("idle-timeout", 0u32);
    sink.set_property("replay-time", replay);
    sink.set_property_from_str("compression", "none");
    let mut rig = TestPipeline::new(sink.clone());
    rig.play();
    rig.push(&speech(1).0[..FRAME], 20);
    assert!(service.wait(LONG, |all| all.iter().any(|c| c.audio_bytes > 0)));
    service.hold(Gate::Reading);
    (service, sink, rig)
}

/// Sends one frame after the other, up to `most`, or until one is not taken for a while. Returns
/// how many there are then.
fn fill(rig: &mut TestPipeline, pcm: &[u8], most: usize) -> usize {
    for (n, piece) in pcm.chunks(FRAME).enumerate().take(most).skip(1) {
        let before = stat(&rig.sink, "frames-sent");
        rig.push(piece, 20);
        let began = Instant::now();
        while stat(&rig.sink, "frames-sent") == before {
            if began.elapsed() > Duration::from_millis(300) {
                return n + 1;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    most
}

/// Lost with the finish under way: what is left to be asked for is asked for again, and without
/// anything it ends.
#[test]
fn a_finish_that_can_not_be_written_is_lost() {
    let (pcm, marks) = speech(200);
    // The last of these frames waits, the one before it is under way and not written: there is no
    // room for the finish in its place either.
    let most = fill(&mut held_up(0).2, &pcm, usize::MAX);
    let cases: Vec<_> = (most - 3..most)
        .flat_map(|frames| [(frames, 0u32), (frames, 120_000)])
        .collect();
    in_parallel(&cases, |&(frames, replay)| {
        let case = format!("{frames} of {most} frames, replay-time={replay}");
        let (service, sink, mut rig) = held_up(replay);
        let frames = fill(&mut rig, &pcm, frames);
        // Less than a frame goes out with the finish behind it, all at once.
        rig.push(&pcm[frames * FRAME..][..190 * 48], 10);
        rig.end();
        until_blocked(&sink, Duration::ZERO);
        assert!(service.inject(FaultKind::Reset), "{case}");
        service.release(Gate::Reading);
        let log = rig.listen();
        if replay == 0 && !log.errors().is_empty() {
            // All of the audio is lost, and none was answered for.
            return assert_failed(&log, &case);
        }
        assert!(log.errors().is_empty(), "{case}: {:?}", log.errors());
        assert!(log.saw_eos(), "{case}");
        assert_ends_once(&log.transcripts());
        if replay == 0 {
            // A frame was left for the next connection, which ended in good order.
            return;
        }
        // The last mark may be cut off.
        let whole: Vec<_> = marks
            .iter()
            .copied()
            .filter(|mark| mark.end + 200 < frames as u64 * 200)
            .collect();
        let finals = marks_of(&log.finals());
        assert!(
            finals.starts_with(&expected(&whole, 0)),
            "{case}: {finals:?}"
        );
    });
}
