//! A connection that is lost, at any moment and in any way, is restored: every word once, in order,
//! at its time. When no further attempt is worth it, there is one error, after the last words.

use crate::common::faults::*;
use crate::common::*;
use volcasr_loopback::{Options, Service};

const SENTENCES: u64 = 4;

/// Faults that end a session at any moment.
const LOSSES: [&str; 8] = [
    "reset",
    "drop",
    "close:1000",
    "close:1011",
    r#"error:45000081:{"error":"[Timeout waiting next packet] session has ended"}"#,
    r#"error:45000292:{"error":"quota exceeded for types: concurrency"}"#,
    "error:55000031",
    "error:55000007:plain text",
];

fn run(service: &Service, case: &str, spikes: bool, losses: usize) {
    let sink = fast_sink(service);
    let mut rig = TestPipeline::new(sink.clone());
    let (pcm, marks) = open_ended_speech(SENTENCES);
    let log = rig.run(&pcm, 20);
    assert_whole(&log, &marks, spikes, case);
    assert_warned(&log, losses, case);
    assert_fresh(service, case);
    // Lost before the service had answered at all, a connection is no session.
    let sessions = service.inspect(|all| all.iter().filter(|c| c.ack_at.is_some()).count() as u64);
    assert_eq!(stat(&sink, "sessions"), sessions, "{case}");
    assert_eq!(stat(&sink, "reconnects"), sessions - 1, "{case}");
    let last = log.finals().last().map(|last| u64::from(last.session));
    assert_eq!(last, Some(sessions - 1), "{case}");
    let sent = stat(&sink, "audio-received") + stat(&sink, "audio-replayed");
    assert_eq!(stat(&sink, "audio-sent"), sent, "{case}");
}

/// A loss at each moment, with plain words and with spikes: everything holds that should.
#[test]
pub fn at_any_moment() {
    let handshake = ["http:429", "http:500", "http:502:<html>", "http:503"];
    for (moment, losses) in [
        ("handshake", &handshake[..]),
        ("ack", &LOSSES),
        // In a mark.
        ("2900ms", &LOSSES),
        // The words of a sentence have been reported, and it is not settled.
        ("3800ms", &LOSSES),
        // In a pause.
        ("4600ms", &LOSSES),
        ("finish", &LOSSES),
    ] {
        // With 1000 the service ends a session in good order, if without its last words.
        let losses = losses
            .iter()
            .filter(|loss| (moment, **loss) != ("finish", "close:1000"));
        let cases = losses.flat_map(|loss| [(loss, false), (loss, true)]);
        in_parallel(&cases.collect::<Vec<_>>(), |&(loss, spikes)| {
            let fault = format!("{loss}@{moment}");
            let service = service(faulty(&[&fault], spikes));
            run(&service, &fault, spikes, 1);
        });
    }
}

#[test]
fn without_replay_time_nothing_is_sent_again() {
    let service = service(faulty(&["reset@9s"], false));
    let sink = set(fast_sink(&service), "replay-time=0");
    let log = TestPipeline::new(sink.clone()).run(&open_ended_speech(SENTENCES).0, 20);
    log.assert_no_errors("replay-time=0");
    assert_eq!(log.warnings().len(), 1, "{:?}", log.warnings());
    assert_eq!(stat(&sink, "audio-replayed"), 0);
}

#[test]
fn a_service_that_starts_late() {
    let port = free_port();
    let uri = format!("ws://127.0.0.1:{port}/api/v3/sauc/bigmodel_async");
    let mut rig = TestPipeline::new(sink_for(&uri));
    let (pcm, marks) = open_ended_speech(2);
    rig.begin(&pcm, 20);
    let mut log = rig.listen_until(|m| is_progress(m, gst::ProgressType::Continue));
    let _service = service(Options {
        port,
        ..Options::default()
    });
    log.add(rig.end());
    assert_whole(&log, &marks, false, "late");
    assert_eq!(log.progress().last(), Some(&gst::ProgressType::Complete));
}

/// Only the audio without final text is replayed.
#[test]
pub fn what_is_settled_is_not_sent_again() {
    let service = service(faulty(&["reset@9s"], false));
    let sink = fast_sink(&service);
    let (pcm, marks) = open_ended_speech(SENTENCES);
    let log = TestPipeline::new(sink.clone()).run(&pcm, 20);
    assert_whole(&log, &marks, false, "settled");
    let replayed = stat(&sink, "audio-replayed");
    // The third sentence was settled at 7700 + 800 ms at the latest.
    assert!(replayed > 0 && replayed < 3_000_000_000, "{replayed}");
    let warning = &warnings_of(&log, "volcasr-reconnect")[0];
    let from = warning.get::<u64>("timestamp").expect("a place");
    // In the pause between the third sentence (to 6700 ms) and the fourth (from 8000 ms), and
    // beyond its reported end.
    assert!((6_700_000_000..8_000_000_000).contains(&from), "{from}");
}

/// The peer hangs, and takes no more bytes: the frame that is under way is given ten seconds.
#[test]
fn a_send_that_is_blocked_is_a_loss() {
    let service = service(Options {
        receive_buffer: Some(4096),
        ..faulty(&["hang@4s#1"], false)
    });
    let sink = set(unpaced_sink(&service), "compression=none");
    let (pcm, marks) = open_ended_speech(100);
    let mut rig = TestPipeline::new(sink.clone());
    let log = rig.run(&pcm, 20);
    assert_whole(&log, &marks, false, "hang");
    assert_warned(&log, 1, "hang");
    assert_eq!(stat(&sink, "reconnects"), 1);
}

/// One error, and nothing open when it comes, nor said after it.
#[test]
pub fn what_was_open_ends_unconfirmed_before_the_error() {
    let service = service(faulty(&["error:45000000@4s"], false));
    let sink = fast_sink(&service);
    let (pcm, _) = open_ended_speech(SENTENCES);
    let mut rig = TestPipeline::new(sink.clone());
    rig.begin(&pcm, 20);
    // Not the end yet: a loss behind the finish would be no error.
    let mut log = rig.listen_until(is_error);
    log.add(rig.end());
    // A second error would have had every occasion: more audio, the end, the way down.
    rig.push(&pcm, 20);
    rig.eos();
    rig.go_to_ready_after_an_error();
    log.add(rig.take());
    assert_eq!(own_errors(&log, &sink).len(), 1, "{:?}", log.errors());
    assert_ends_once(&log.transcripts());
    let error = log.messages.iter().position(is_error);
    let words = log.messages.iter().rposition(is_transcript);
    assert!(words < error);
    let finals = log.finals();
    let unconfirmed: Vec<_> = finals.iter().map(|f| f.unconfirmed).collect();
    assert_eq!(unconfirmed, [false, true]);
    // At 3600 ms, with the lag, the second sentence had begun.
    assert_eq!(finals[1].text.split_whitespace().next(), Some("m3"));
}
