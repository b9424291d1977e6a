//! When a session ends though the stream goes on, and the next begins without a mark lost.

use std::time::{Duration, Instant};

use crate::common::faults::*;
use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::marks::Layout;
use volcasr_loopback::{Connection, End, Options};

/// Without audio for a while. The words come though nothing more does, and are final; what comes
/// later is another session's.
#[test]
pub fn the_session_is_finished_and_the_next_buffer_opens_another() {
    // In a pause, in a sentence, and with less than a chunk behind the last one.
    let cases = [(2200, false), (3700, false), (3650, false), (3700, true)];
    in_parallel(&cases, |&(first_part, paused)| {
        let began = Instant::now();
        let (service, mut rig) = TestPipeline::start("idle-timeout=600");
        let (pcm, marks) = open_ended_speech(4);
        let (first, second) = pcm.split_at(first_part * 48);
        rig.begin(first, 20);
        if paused {
            rig.until_taken(first);
            let state = rig.pipeline.set_state(gst::State::Paused);
            assert!(state.is_ok());
        }
        let mut log = BusLog::default();
        if first_part > 2800 {
            // M3 and M4 of the second sentence.
            log.add(rig.listen_for(|t| t.is_final && t.words.len() == 2));
        }
        until_connection(&service, |c| c.end.is_some());
        let took = began.elapsed();
        assert!(took >= Duration::from_millis(600), "{took:?}");
        rig.play();
        rig.push(second, 20);
        log.add(rig.end());
        let case = format!("{first_part} {paused}");
        assert_whole(&log, &marks, false, &case);
        log.assert_no_warnings(&case);
        let connections = service.connections();
        assert_eq!(connections.len(), 2, "{case}");
        let is_good = |c: &Connection| c.final_at.is_some() && c.errors.is_empty();
        assert!(connections.iter().all(is_good), "{case}");
        assert_eq!(connections[0].end, Some(End::Finished), "{case}");
        // It was all recognised.
        let counted = ["audio-replayed", "sessions", "reconnects"];
        let counted = counted.map(|name| stat(&rig.sink, name));
        assert_eq!(counted, [0, 2, 0], "{case}");
    });
}

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
