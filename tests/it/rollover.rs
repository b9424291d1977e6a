//! Long sessions end at a pause, or where there is none like a lost one, and the next goes on
//! without a mark lost.

use crate::common::faults::*;
use crate::common::*;
use volcasr_loopback::marks::{Layout, Mark};
use volcasr_loopback::{Connection, Gate, Lag, Options, Recogniser, Service};

/// Feeds a sink with these properties, on a service that takes one session at a time.
fn roll_over(
    marks: &[Mark],
    spikes: bool,
    properties: &str,
    feed: impl Fn(&mut TestPipeline) -> BusLog,
) -> (Service, gst::Element) {
    let service = service(Options {
        max_sessions: Some(1),
        recogniser: Recogniser::Marks { spikes },
        lag: Lag::EXACT,
        ..Options::default()
    });
    let sink = set(set(sink(&service), "max-speed=20"), properties);
    let log = feed(&mut TestPipeline::new(sink.clone()));
    let case = format!("{properties} {spikes}");
    assert_whole(&log, marks, spikes, &case);
    log.assert_no_warnings(&case);
    assert_fresh(&service, &case);
    for connection in service.connections() {
        assert_eq!(*connection.errors, [], "{case}");
        assert!(
            connection.finish_at.is_some(),
            "{case}: {:?}",
            connection.end
        );
    }
    assert_eq!(
        stat(&sink, "reconnects"),
        0,
        "{case}: a rollover is no loss"
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
        let properties = "max-speed=0 max-session-time=7000";
        let (service, sink) = roll_over(&marks, spikes, properties, |rig| {
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
                let is_reported = |m: &gst::Message| {
                    Transcript::parse(m).is_some_and(|t| t.text.split_whitespace().count() == 3)
                };
                log.add(rig.listen_until(is_reported));
                push(rig, end + 1300);
                log.add(rig.listen_until(is_final));
            }
            push(rig, pcm.len() as u64 / 48);
            rig.end();
            log.add(rig.listen());
            log
        });
        let connections = service.connections();
        // At 7.0 s, where there is silence; then at 14.2, 21.8, 29.4, 37.0 and 44.6 s, where a
        // sentence was waited for.
        let of = |c: &Connection| c.marks.iter().map(|m| (m.number, m.start / 24)).collect();
        let spans: Vec<(f64, Vec<_>)> = connections.iter().map(|c| (seconds(c), of(c))).collect();
        assert_eq!(connections.len(), 7, "{spans:?}");
        // No mark went to two sessions.
        let recognised = connections.iter().flat_map(|c| &c.marks);
        let whole = recognised.filter(|mark| mark.whole).count();
        assert_eq!(whole, marks.len(), "{spans:?}");
        let replayed = stat(&sink, "audio-replayed") as f64 / 1e9;
        assert!(replayed < 2.5 * 6.0, "{replayed}");
    });
}

/// However short sessions are to be, each gets on.
#[test]
pub fn sessions_of_no_length_get_on() {
    in_parallel(&[1u32, 300, 1000], |&max| {
        let (pcm, marks) = open_ended_speech(4);
        let properties = format!("max-session-time={max}");
        let (service, _) = roll_over(&marks, false, &properties, |rig| rig.run(&pcm, 20));
        let count = service.connections().len();
        assert!(count < 60, "{count}");
    });
}

/// One endless sentence: at 1.5 times the time, and nothing is cut.
#[test]
pub fn without_a_pause_a_session_ends_all_the_same() {
    let cases = [(false, "full"), (true, "full"), (false, "single")];
    in_parallel(&cases, |&(spikes, result)| {
        let layout = Layout {
            sentence: 60,
            ..Layout::default()
        };
        let (pcm, marks) = layout.sentences(1);
        let properties = format!("max-session-time=6000 result-type={result}");
        let (service, _) = roll_over(&marks, spikes, &properties, |rig| rig.run(&pcm, 20));
        let lengths: Vec<f64> = service.connections().iter().map(seconds).collect();
        // 31 s: a rollover for each nine seconds that none was sent before.
        assert!((3..=4).contains(&lengths.len()), "{lengths:?}");
        assert!((9.0..10.0).contains(&lengths[0]), "{lengths:?}");
    });
}

/// A service that is behind has not reported yet what it recognises in audio that has left the
/// window: sessions wait for it.
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
        let sink = set(
            sink(&service),
            &format!("max-speed=20 max-session-time=3000 replay-time={replay}"),
        );
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
        assert!(log.saw_eos(), "{case}");
        log.assert_no_warnings(&case);
        log.assert_said_in(&case, marks, 0);
        let connections = service.connections();
        assert!(connections.len() > 1, "{case}");
        assert!(connections.iter().all(|c| c.finish_at.is_some()), "{case}");
    });
}

/// The next session does not come about, or is lost while it catches up: restored as any other.
#[test]
pub fn the_next_session_may_be_lost() {
    let cases = [
        ("reset@ack#2", 120_000u32),
        ("http:503@handshake#2", 120_000),
        ("reset@300ms#2", 120_000),
        ("error:55000031@300ms#2", 120_000),
        // Audio that it was not sent yet is not lost with it.
        ("reset@ack#2", 0),
        ("http:503@handshake#2", 0),
    ];
    in_parallel(&cases, |&(fault, replay)| {
        let service = service(faulty(&[fault], false));
        let sink = set(
            fast_sink(&service),
            &format!("max-session-time=4000 replay-time={replay}"),
        );
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
