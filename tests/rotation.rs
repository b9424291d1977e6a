//! Long sessions end at a pause, or where there is none like a lost one, and the next goes on without a mark lost.

mod common;
#[path = "common/faults.rs"]
mod faults;

use common::*;
use faults::*;
use gst::prelude::*;
use volcasr_loopback::marks::{Layout, Mark};
use volcasr_loopback::{Connection, Options, Recogniser, Service};

/// Runs `pcm` in sessions of `max` milliseconds on a service that takes one at a time.
fn rotate(
    pcm: &[u8],
    marks: &[Mark],
    max: u32,
    spikes: bool,
    set: impl Fn(&gst::Element),
) -> (Service, gst::Element) {
    let service = service(Options {
        max_sessions: Some(1),
        recogniser: Recogniser::Marks { spikes },
        ..Options::default()
    });
    let sink = sink(&service);
    sink.set_property("max-speed", 20.0);
    sink.set_property("max-session-time", max);
    set(&sink);
    let heard = Rig::new(sink.clone()).run(pcm, 20);
    let case = format!("{max} {spikes}");
    assert_whole(&heard, marks, spikes, &case);
    assert!(
        heard.warnings().is_empty(),
        "{case}: {:?}",
        heard.warnings()
    );
    assert_fresh(&service, &case);
    for connection in service.connections() {
        assert!(
            connection.errors.is_empty(),
            "{case}: {:?}",
            connection.errors
        );
        assert!(
            connection.finish_at.is_some(),
            "{case}: not in good order: {:?}",
            connection.end
        );
    }
    assert_eq!(
        stat(&sink, "reconnects"),
        0,
        "{case}: a rotation is no loss"
    );
    let sessions = service.inspect(|all| all.iter().filter(|c| c.ack_at.is_some()).count() as u64);
    assert_eq!(stat(&sink, "sessions"), sessions, "{case}");
    (service, sink)
}

fn seconds(connection: &Connection) -> f64 {
    connection.audio_bytes as f64 / 48_000.0
}

/// At the first pause in which everything is settled, and with the silence around it only sent again.
#[test]
fn a_session_ends_at_a_settled_pause() {
    at_once(&[false, true], |&spikes| {
        let layout = Layout {
            pause: 2500,
            ..Layout::default()
        };
        // Settled at 2.7 s, and then each 3.8 s; the next sentence begins 1.3 s after that. So 7 s end well within a pause,
        // or well within a sentence.
        let (pcm, marks) = layout.sentences(12);
        let (service, sink) = rotate(&pcm, &marks, 7000, spikes, |sink| {
            sink.set_property("max-speed", 10.0);
        });
        let connections = service.connections();
        assert!(
            (5..=8).contains(&connections.len()),
            "{}",
            connections.len()
        );
        for connection in &connections[..connections.len() - 1] {
            let audio = seconds(connection);
            assert!((7.0..11.5).contains(&audio), "{audio}");
        }
        // No mark went to two sessions.
        let mut heard: Vec<_> = connections.iter().flat_map(|c| &c.heard).collect();
        heard.retain(|mark| mark.whole);
        assert_eq!(
            heard.len(),
            marks.len(),
            "{:?}",
            marks_by_connection(&connections)
        );
        let replayed = stat(&sink, "audio-replayed") as f64 / 1e9;
        assert!(
            replayed < 2.5 * (connections.len() - 1) as f64,
            "{replayed}"
        );
    });
}

fn marks_by_connection(connections: &[Connection]) -> Vec<(f64, Vec<(u32, u64)>)> {
    let heard = |c: &Connection| {
        c.heard
            .iter()
            .map(|mark| (mark.number, mark.start / 24))
            .collect()
    };
    connections.iter().map(|c| (seconds(c), heard(c))).collect()
}

/// However short sessions are to be, each gets on.
#[test]
fn sessions_of_no_length_get_on() {
    at_once(&[1u32, 300, 1000], |&max| {
        let (pcm, marks) = unfinished(4);
        let (service, _) = rotate(&pcm, &marks, max, false, |_| {});
        assert!(
            service.connections().len() < 60,
            "{}",
            service.connections().len()
        );
    });
}

/// One endless sentence: at 1.5 times the time, and nothing is cut.
#[test]
fn without_a_pause_a_session_ends_all_the_same() {
    at_once(
        &[(false, "full"), (true, "full"), (false, "single")],
        |&(spikes, result)| {
            let layout = Layout {
                sentence: 60,
                ..Layout::default()
            };
            let (pcm, marks) = layout.sentences(1);
            let (service, _) = rotate(&pcm, &marks, 6000, spikes, |sink| {
                sink.set_property_from_str("result-type", result);
            });
            let connections = service.connections();
            // 31 s: a rotation for each nine seconds that none was sent before.
            assert!(
                (3..=4).contains(&connections.len()),
                "{}",
                connections.len()
            );
            assert!(
                (9.0..10.0).contains(&seconds(&connections[0])),
                "{}",
                seconds(&connections[0])
            );
        },
    );
}

/// The pause is awaited, up to 1.5 times the time.
#[test]
fn a_sentence_that_ends_in_time_is_waited_for() {
    let layout = Layout {
        sentence: 11,
        pause: 3000,
        ..Layout::default()
    };
    // Sentences of 5.3 s, each 8.3 s. The first is settled at 6.7 s, the second, which begins at 8.5 s, at 15.0 s: a second
    // later than 7 s of it have been sent.
    let (pcm, marks) = layout.sentences(4);
    let (service, _) = rotate(&pcm, &marks, 7000, false, |sink| {
        sink.set_property("max-speed", 10.0);
    });
    assert!(service.connections().len() > 2);
    let mut heard: Vec<_> = service
        .connections()
        .iter()
        .flat_map(|c| c.heard.clone())
        .collect();
    heard.retain(|mark| mark.whole);
    assert_eq!(heard.len(), marks.len(), "no mark went to two sessions");
}

#[test]
fn without_a_limit_there_is_one_session() {
    let (pcm, marks) = unfinished(12);
    let (service, _) = rotate(&pcm, &marks, 0, false, |_| {});
    assert_eq!(service.connections().len(), 1);
}

/// Also when the queue never runs dry, because nothing slows the sending.
#[test]
fn a_queue_that_never_runs_dry_does_not_put_it_off() {
    let (pcm, marks) = unfinished(40);
    let (service, _) = rotate(&pcm, &marks, 10_000, false, |sink| {
        sink.set_property("max-speed", 0.0);
    });
    // 104 s; the answers come late at such a speed, so that not every pause is noticed in time.
    assert!(
        service.connections().len() >= 5,
        "{}",
        service.connections().len()
    );
}
