//! Long sessions end at a pause, or where there is none like a lost one, and the next goes on
//! without a mark lost.

use crate::common::faults::*;
use crate::common::*;
use volcasr_loopback::marks::Layout;
use volcasr_loopback::{Connection, Options};

/// At the first pause in which everything is settled after that time, and with the silence around
/// it only sent again. The service takes one session at a time.
#[test]
pub fn a_session_ends_at_a_settled_pause() {
    in_parallel(&[false, true], |&spikes| {
        let case = format!("spikes: {spikes}");
        // Sentences of 1.3 s, each 3.8 s.
        let layout = Layout {
            pause: 2500,
            ..Layout::default()
        };
        let (pcm, marks) = layout.sentences(12);
        let service = service(Options {
            max_sessions: Some(1),
            ..faulty(&[], spikes)
        });
        let mut rig = TestPipeline::at(&service, "max-session-time=7000");
        rig.play();
        let mut log = BusLog::default();
        let mut begin = 0;
        let mut push = |rig: &mut TestPipeline, end: u64| {
            rig.push(&pcm[begin * 48..end as usize * 48], 20);
            begin = end as usize;
        };
        // In steps, so that what the sink knows of the sentences does not depend on how fast the
        // service is: 7 s are over in silence, or behind a sentence that is known and not settled.
        for end in marks.iter().skip(2).step_by(3).map(|mark| mark.end) {
            push(&mut rig, end + 500);
            log.add(rig.listen_for(|t| t.text.split_whitespace().count() == 3));
            push(&mut rig, end + 1300);
            log.add(rig.listen_until(is_final));
        }
        push(&mut rig, pcm.len() as u64 / 48);
        log.add(rig.end());
        assert_whole(&log, &marks, spikes, &case);
        log.assert_no_warnings(&case);
        assert_fresh(&service, &case);
        let connections = service.connections();
        // At 7.0 s, where there is silence; then at 14.2, 21.8, 29.4, 37.0 and 44.6 s, where a
        // sentence was waited for.
        let span = |c: &Connection| (c.audio_bytes / 48, c.marks.clone());
        let spans: Vec<_> = connections.iter().map(span).collect();
        assert_eq!(connections.len(), 7, "{spans:?}");
        for connection in &connections {
            assert_eq!(*connection.errors, [], "{case}");
            let end = &connection.end;
            assert!(connection.finish_at.is_some(), "{case}: {end:?}");
        }
        assert_eq!(stat(&rig.sink, "sessions"), 7, "{case}");
        assert_eq!(stat(&rig.sink, "reconnects"), 0, "{case}: no loss");
        // No mark went to two sessions.
        let recognised = connections.iter().flat_map(|c| &c.marks);
        let whole = recognised.filter(|mark| mark.whole).count();
        assert_eq!(whole, marks.len(), "{spans:?}");
        let replayed = stat(&rig.sink, "audio-replayed") as f64 / 1e9;
        assert!(replayed < 2.5 * 6.0, "{replayed}");
    });
}

/// The next session does not come about, or is lost while it catches up: restored as any other.
#[test]
pub fn the_next_session_may_be_lost() {
    let cases = [
        ("http:503@handshake#2", 120_000),
        ("reset@300ms#2", 120_000),
        // Audio that it was not sent yet is not lost with it.
        ("reset@ack#2", 0),
    ];
    in_parallel(&cases, |&(fault, replay)| {
        let service = service(faulty(&[fault], false));
        let properties = format!("max-session-time=4000 replay-time={replay}");
        let sink = set(fast_sink(&service), &properties);
        let (pcm, marks) = open_ended_speech(6);
        let (first, rest) = pcm.split_at(8000 * 48);
        let mut rig = TestPipeline::new(sink.clone());
        rig.begin(first, 20);
        // On a busy machine the end could come before it was time for a second session.
        assert!(service.wait(LONG, |all| all.len() > 1), "{fault}");
        rig.push(rest, 20);
        let log = rig.end();
        assert_whole(&log, &marks, false, fault);
        assert_warned(&log, 1, fault);
        assert_fresh(&service, fault);
        assert!(service.connections().len() > 2, "{fault}");
    });
}
