//! Gaps, jumps and overlaps in time: the service counts samples, the pipeline has timestamps, and
//! every word is reported once, at its time.

use crate::common::pad_harness::PadHarness;
use crate::common::seconds::*;
use crate::common::*;
use volcasr_loopback::Connection;

/// Up to the idle timeout a gap becomes silence. A longer one ends the session, behind the silence
/// that settles its last words. With an event it begins with that, however long.
#[test]
pub fn a_gap_becomes_silence_or_an_end() {
    // Times of the words; whether the second is a flagged jump; GAP events behind the first two;
    // the sessions.
    #[rustfmt::skip]
    let cases = [
        ([0, 1041, 6041], true, [None, None], &[7041][..]),
        ([0, 5001, 60_000], false, [None, None], &[2000, 2000, 1000]),
        ([0, 4000, 9001], false, [Some(3000), Some(4001)], &[6000, 1000]),
    ];
    for (times, is_flagged, gaps, expected) in cases {
        let (service, harness) = PadHarness::start("");
        for (n, at) in times.into_iter().enumerate() {
            match n == 1 && is_flagged {
                true => harness.jump(at, &second(n as u32)),
                false => harness.push(at, &second(n as u32)),
            }
            let gap = gaps.get(n).copied().flatten();
            assert!(gap.is_none_or(|length| harness.gap(at + 1000, length)));
        }
        let log = assert_recognised(&harness, &times);
        assert_eq!(lengths(&service), expected, "{times:?}");
        let mut places: Vec<_> = log.finals().iter().map(|t| (t.stream, t.session)).collect();
        places.dedup();
        let sessions = 0..expected.len() as u32;
        let sessions: Vec<_> = sessions.map(|session| (0, session)).collect();
        assert_eq!(places, sessions, "{times:?}");
    }
}

/// A gap's silence takes the room that the buffer behind it was promised.
#[test]
fn a_buffer_behind_silence_is_not_lost_for_want_of_room() {
    let (service, harness) = PadHarness::start("max-queue-time=1000 leaky=no");
    let times: Vec<u64> = (0..8).map(|n| n * 4500).collect();
    for (n, time) in times.iter().enumerate() {
        harness.push(*time, &second(n as u32));
    }
    assert_recognised(&harness, &times);
    assert_eq!(lengths(&service), [32_500]);
}

/// At once, without waiting for the next buffer, which may never come.
#[test]
pub fn a_long_gap_posts_its_words() {
    let (service, harness) = PadHarness::start("");
    harness.push(0, &second(0));
    assert!(harness.gap(1000, 10_000));
    let log = harness.listen_for(|t| !t.text.is_empty());
    assert_eq!(marks_of(&log.finals()), at(&[0]));
    until_connection(&service, |c| c.final_at.is_some());
}

#[test]
pub fn what_overlaps_is_recognised_once() {
    let (service, harness) = PadHarness::start("");
    let (pcm, marks) = speech(2);
    let cut = |from: u64, to: u64| &pcm[harness.bytes(from)..harness.bytes(to)];
    harness.push(0, cut(0, 1000));
    harness.jump(700, cut(700, 1500));
    // Altogether within what was recognised.
    harness.jump(600, cut(600, 900));
    harness.push(900, cut(900, 1100));
    harness.jump(1400, cut(1400, 5000));
    harness.push_all(5000, &pcm[harness.bytes(5000)..], 100);
    let log = harness.end();
    log.assert_said(&marks, 0);
    assert!(*service.connections()[0].pcm == pcm);
}

/// The session is over: there is no silence to send, and nothing to end.
#[test]
fn a_jump_after_an_idle_end_opens_one_session_which_begins_with_the_audio() {
    faults::in_parallel(&[10_000, 400], |&jump| {
        let (service, harness) = PadHarness::start("idle-timeout=500");
        harness.push(0, &second(0));
        until_connection(&service, |c| c.final_at.is_some());
        harness.push(1000 + jump, &second(1));
        harness.push(2000 + jump, &second(2));
        assert_recognised(&harness, &[0, 1000 + jump, 2000 + jump]);
        // Milliseconds of silence before each session's speech, and of all of its audio.
        let silent = |pcm: &[u8]| pcm.iter().take_while(|byte| **byte == 0).count() / 48;
        let mut sessions = service.connections();
        sessions.retain(|c| c.request.is_some());
        let beginning = |c: &Connection| (silent(&c.pcm), c.audio_bytes / 48);
        let beginnings: Vec<_> = sessions.iter().map(beginning).collect();
        assert_eq!(beginnings, [(300, 1000), (300, 2000)], "{jump}");
    });
}
