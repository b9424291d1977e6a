//! Long sessions end at a pause, or where there is none like a lost one, and the next goes on
//! without a mark lost.

use crate::common::faults::*;
use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::marks::{Layout, Mark};
use volcasr_loopback::{Connection, Gate, Lag, Options, Recogniser, Script, Service};

/// Runs `pcm` in sessions of `max` milliseconds on a service that takes one at a time.
fn rotate(
    pcm: &[u8],
    marks: &[Mark],
    max: u32,
    spikes: bool,
    set: impl Fn(&gst::Element),
) -> (Service, gst::Element) {
    rotate_fed(marks, max, spikes, set, |rig| rig.run(pcm, 20))
}

/// Runs the audio that `feed` pushes in sessions of `max` milliseconds.
fn rotate_fed(
    marks: &[Mark],
    max: u32,
    spikes: bool,
    set: impl Fn(&gst::Element),
    feed: impl Fn(&mut TestPipeline) -> BusLog,
) -> (Service, gst::Element) {
    let service = service(Options {
        max_sessions: Some(1),
        recogniser: Recogniser::Marks { spikes },
        lag: Lag::EXACT,
        ..Options::default()
    });
    let sink = sink(&service);
    sink.set_property("max-speed", 20.0);
    sink.set_property("max-session-time", max);
    set(&sink);
    let log = feed(&mut TestPipeline::new(sink.clone()));
    let case = format!("{max} {spikes}");
    assert_whole(&log, marks, spikes, &case);
    log.assert_no_warnings(&case);
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

/// At the first pause in which everything is settled after that time, and with the silence around
/// it only sent again.
#[test]
pub fn a_session_ends_at_a_settled_pause() {
    in_parallel(&[false, true], |&spikes| {
        // Sentences of 1.3 s, each 3.8 s.
        let layout = Layout {
            pause: 2500,
            ..Layout::default()
        };
        let (pcm, marks) = layout.sentences(12);
        let fast = |sink: &gst::Element| sink.set_property("max-speed", 0.0);
        let (service, sink) = rotate_fed(&marks, 7000, spikes, fast, |rig| {
            rig.play();
            let mut log = BusLog::default();
            let mut begin = 0;
            let mut push = |rig: &mut TestPipeline, end: u64| {
                rig.push(&pcm[begin * 48..end as usize * 48], 20);
                begin = end as usize;
            };
            // In steps, so that what the sink knows of the sentences does not depend on how fast
            // the service is: 7 s are over in silence, or behind a sentence that is known and not
            // settled.
            for end in marks.iter().skip(2).step_by(3).map(|mark| mark.end) {
                push(rig, end + 500);
                let is_told = |m: &gst::Message| {
                    Transcript::parse(m).is_some_and(|t| t.text.split_whitespace().count() == 3)
                };
                log.messages.extend(rig.listen_until(is_told).messages);
                push(rig, end + 1300);
                let is_final = |m: &gst::Message| Transcript::parse(m).is_some_and(|t| t.is_final);
                log.messages.extend(rig.listen_until(is_final).messages);
            }
            push(rig, pcm.len() as u64 / 48);
            rig.end();
            log.messages.extend(rig.listen().messages);
            log
        });
        let connections = service.connections();
        // At 7.0 s, where there is silence; then at 14.2, 21.8, 29.4, 37.0 and 44.6 s, where a
        // sentence was waited for.
        assert_eq!(
            connections.len(),
            7,
            "{:?}",
            marks_by_connection(&connections)
        );
        // No mark went to two sessions.
        let mut recognised: Vec<_> = connections.iter().flat_map(|c| &c.marks).collect();
        recognised.retain(|mark| mark.whole);
        assert_eq!(
            recognised.len(),
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
    let of = |c: &Connection| {
        c.marks
            .iter()
            .map(|mark| (mark.number, mark.start / 24))
            .collect()
    };
    connections.iter().map(|c| (seconds(c), of(c))).collect()
}

/// However short sessions are to be, each gets on.
#[test]
pub fn sessions_of_no_length_get_on() {
    in_parallel(&[1u32, 300, 1000], |&max| {
        let (pcm, marks) = open_ended_speech(4);
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
pub fn without_a_pause_a_session_ends_all_the_same() {
    in_parallel(
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

#[test]
fn without_a_limit_there_is_one_session() {
    let (pcm, marks) = open_ended_speech(12);
    let (service, _) = rotate(&pcm, &marks, 0, false, |_| {});
    assert_eq!(service.connections().len(), 1);
}

/// Also when the queue never runs dry, because nothing slows the sending.
#[test]
fn a_queue_that_never_runs_dry_does_not_put_it_off() {
    let (pcm, marks) = open_ended_speech(40);
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

/// A service that is behind has not said yet what it will hear in what the window has let go of:
/// sessions wait for it.
#[test]
pub fn a_service_that_is_behind_loses_nothing() {
    let endless = Layout {
        sentence: 60,
        ..Layout::default()
    };
    let cases = [
        (speech(10), 1000u32),
        (speech(10), 0),
        (speech(10), 120_000),
        (endless.sentences(1), 120_000),
    ];
    in_parallel(&cases, |((pcm, marks), replay)| {
        let case = format!("{} marks, replay-time={replay}", marks.len());
        let service = service(Options::default());
        service.hold(Gate::Responses);
        let sink = sink(&service);
        sink.set_property("max-speed", 20.0);
        sink.set_property("max-session-time", 3000u32);
        sink.set_property("replay-time", *replay);
        let (first, rest) = pcm.split_at(10_000 * 48);
        let mut rig = TestPipeline::new(sink);
        rig.play();
        rig.push(first, 20);
        let sent = |all: &[Connection]| all.iter().map(|c| c.audio_bytes).sum::<u64>();
        assert!(service.wait(LONG, |all| sent(all) >= first.len() as u64));
        service.release(Gate::Responses);
        rig.push(rest, 20);
        rig.end();
        let log = rig.listen();
        assert!(log.errors().is_empty() && log.saw_eos(), "{case}");
        assert!(log.warnings().is_empty(), "{case}");
        assert_eq!(marks_of(&log.finals()), expected(marks, 0), "{case}");
        assert_ends_once(&log.transcripts());
        assert!(service.connections().len() > 1, "{case}");
        for connection in service.connections() {
            assert!(connection.finish_at.is_some(), "{case}");
        }
    });
}

/// Silence of which a service says nothing, longer than the window: it is asked for its last words,
/// and nothing is sent again.
#[test]
fn a_service_that_says_nothing_is_asked() {
    let service = service(Options {
        recogniser: Recogniser::Scripted(Script::default()),
        ..Options::default()
    });
    let sink = sink(&service);
    sink.set_property("max-speed", 0.0);
    sink.set_property("max-session-time", 5000u32);
    sink.set_property("replay-time", 0u32);
    let mut rig = TestPipeline::new(sink.clone());
    rig.play();
    rig.push(&vec![0; 10_000 * 48], 20);
    let began = std::time::Instant::now();
    while service.connections().len() < 2 {
        assert!(began.elapsed() < LONG);
        rig.push(&[0; 200 * 48], 20);
        service.wait(std::time::Duration::from_millis(200), |all| all.len() > 1);
    }
    rig.end();
    let log = rig.listen();
    assert!(log.errors().is_empty() && log.saw_eos(), "{log:?}");
    assert!(log.warnings().is_empty(), "{:?}", log.warnings());
    for connection in service.connections() {
        assert!(connection.final_at.is_some(), "{:?}", connection.end);
    }
    let replayed = (stat(&sink, "reconnects"), stat(&sink, "audio-replayed"));
    assert_eq!(replayed, (0, 0));
}

/// Without words and their times the end of a word is unknown: the session ends as in a pause. No
/// more is lost than the speech while it ends.
#[test]
fn without_words_its_last_ones_are_waited_for() {
    let endless = Layout {
        sentence: 60,
        ..Layout::default()
    };
    let (pcm, marks) = endless.sentences(1);
    let service = service(Options::default());
    let sink = sink(&service);
    sink.set_property("max-speed", 10.0);
    sink.set_property("show-utterances", false);
    sink.set_property("max-session-time", 6000u32);
    sink.set_property("replay-time", 0u32);
    let log = TestPipeline::new(sink.clone()).run(&pcm, 20);
    assert!(log.errors().is_empty() && log.saw_eos(), "{log:?}");
    assert!(log.warnings().is_empty(), "{:?}", log.warnings());
    assert_ends_once(&log.transcripts());
    let connections = service.connections();
    assert!(connections.len() > 2, "{}", connections.len());
    for connection in &connections {
        assert!(connection.final_at.is_some(), "{:?}", connection.end);
    }
    assert_eq!(stat(&sink, "audio-replayed"), 0);
    let said: Vec<u32> = log
        .finals()
        .iter()
        .flat_map(|f| f.text.split(' '))
        .filter_map(|word| {
            word.to_lowercase()
                .trim_matches(['.', ','])
                .strip_prefix('m')?
                .parse()
                .ok()
        })
        .collect();
    assert!(said.is_sorted_by(|a, b| a < b), "{said:?}");
    // A mark that is cut in two is none.
    let cut = connections.len() - 1;
    assert!(
        said.len() + cut >= marks.len(),
        "{} of {}: {said:?}",
        said.len(),
        marks.len()
    );
}

/// The next session does not come about, or is lost while it catches up: restored as any other.
#[test]
pub fn the_next_session_may_be_lost() {
    let cases = [
        ("reset@ack#2", 120_000u32),
        ("http:503@handshake#2", 120_000),
        ("reset@300ms#2", 120_000),
        ("error:55000031@300ms#2", 120_000),
        // What it was not sent yet is not lost with it.
        ("reset@ack#2", 0),
        ("http:503@handshake#2", 0),
    ];
    in_parallel(&cases, |&(fault, replay)| {
        let service = service(faulty(&[fault], false));
        let sink = fast_sink(&service);
        sink.set_property("max-session-time", 4000u32);
        sink.set_property("replay-time", replay);
        let (pcm, marks) = open_ended_speech(6);
        let (first, rest) = pcm.split_at(8000 * 48);
        let mut rig = TestPipeline::new(sink.clone());
        rig.play();
        rig.push(first, 20);
        // On a busy machine the end could come before it was time for a second session.
        assert!(service.wait(LONG, |all| all.len() > 1), "{fault}");
        rig.push(rest, 20);
        rig.end();
        let log = rig.listen();
        assert_whole(&log, &marks, false, fault);
        assert_warned(&log, 1, fault);
        assert_fresh(&service, fault);
        assert!(service.connections().len() > 2, "{fault}");
    });
}
