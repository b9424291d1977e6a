//! A connection that is lost, at any moment and in any way, is restored: every word once, in order,
//! at its time.

use crate::common::faults::*;
use crate::common::*;
use volcasr_loopback::Service;

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

/// The line that was dialled ahead may have died meanwhile: that is no loss, but when a fresh one
/// dies it is.
#[test]
fn in_the_handshake_without_an_answer() {
    in_parallel(&["reset", "drop"], |what| {
        let faults = [format!("{what}@handshake#1"), format!("{what}@handshake#2")];
        let service = service(faulty(&[&faults[0], &faults[1]], false));
        let mut rig = TestPipeline::new(fast_sink(&service));
        rig.play();
        rig.listen_until(is_ready);
        let (pcm, marks) = open_ended_speech(SENTENCES);
        rig.push(&pcm, 20);
        let log = rig.end();
        assert_whole(&log, &marks, false, what);
        assert_warned(&log, 1, what);
        assert_eq!(service.connections().len(), 3, "{what}");
    });
}

/// The pipeline is held while the connection is restored, and the end of the stream waits behind
/// the last buffer: the rest comes with PLAYING.
#[test]
fn while_the_pipeline_is_held() {
    in_parallel(&["async=true", "async=false"], |case| {
        let service = service(faulty(&["reset@2900ms#1", "http:503@handshake#2"], false));
        let mut rig = TestPipeline::new(set(fast_sink(&service), case));
        let (pcm, marks) = open_ended_speech(SENTENCES);
        rig.begin(&pcm, 20);
        let mut log = rig.listen_until(is_warning);
        rig.eos();
        rig.until_taken(&pcm);
        rig.go(gst::State::Paused);
        wait_until("restored", || stat(&rig.sink, "reconnects") >= 1);
        rig.go(gst::State::Playing);
        log.add(rig.listen());
        assert_whole(&log, &marks, false, case);
        assert_warned(&log, 2, case);
    });
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
