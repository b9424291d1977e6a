//! Gaps of a live pipeline around the events that begin and end a segment.

use super::*;

#[test]
fn each_stream_and_segment_names_its_first_speaker() {
    type End = fn(&mut Machine);
    let ends: [(bool, End); 4] = [
        (true, |schedule| drop(schedule.flush())),
        (true, |schedule| {
            schedule.event("stream-start", Effect::NoSegment)
        }),
        (true, |schedule| {
            schedule.event("segment", Effect::Segment(Origin::default()));
        }),
        (false, |schedule| schedule.event("tag", Effect::Unchanged)),
    ];
    for (named, end) in ends {
        let mut schedule = Machine::new(Unit::Word);
        let mut said = utterance(0, true, "Yes. 0-80");
        said.speaker = Some("1".into());
        schedule.utterance(said.clone());
        let first = "speaker 1 | !Yes. 0-80 | final";
        assert_eq!(all(&mut schedule, None), first);
        end(&mut schedule);
        schedule.utterance(said);
        let again = all(&mut schedule, None);
        assert_eq!(again.contains("speaker 1"), named, "{again}");
    }
}

/// The time of its end may be that of the sample behind it, in another segment.
#[test]
fn the_gap_of_settled_audio_ends_where_its_segment_does() {
    let mut schedule = Machine::new(Unit::Word);
    schedule.event("segment", Effect::Segment(Origin::default()));
    schedule.barrier(1, Some(ms(2000)));
    schedule.settled(ms(60_000));
    assert_eq!(all(&mut schedule, None), "segment | gap 0-2000");
}

/// Returns whether nothing is due at a time, nor ever.
fn rests(schedule: &mut Machine, now: u64) -> bool {
    schedule.next(Some(ms(now))) == Action::Wait(None)
}

#[test]
fn no_gap_is_due_before_the_first_segment() {
    let mut schedule = Machine::new(Unit::Word);
    schedule.set_latency(Some(ms(1000)));
    assert!(rests(&mut schedule, 60_000));
    let origin = Origin {
        running: ms(60_000),
        ..Origin::default()
    };
    schedule.event("stream-start", Effect::NoSegment);
    schedule.event("segment", Effect::Segment(origin));
    assert_eq!(
        all(&mut schedule, Some(61_000)),
        "stream-start | segment | gap 0-250"
    );
}

#[test]
fn no_gap_is_due_after_eos_or_between_a_flush_and_a_segment() {
    let ends: [fn(&mut Machine); 3] = [
        |schedule| schedule.event("eos", Effect::NoSegment),
        |schedule| schedule.event("stream-start", Effect::NoSegment),
        |schedule| drop(schedule.flush()),
    ];
    for end in ends {
        let mut schedule = live(Unit::Word, 1000);
        assert_eq!(all(&mut schedule, Some(2000)), "gap 0-1250");
        end(&mut schedule);
        let left = all(&mut schedule, Some(9000));
        assert!(!left.contains("gap"), "{left}");
        assert!(rests(&mut schedule, 60_000));
        let origin = Origin {
            running: ms(60_000),
            ..Origin::default()
        };
        schedule.event("segment", Effect::Segment(origin));
        assert_eq!(all(&mut schedule, Some(61_000)), "segment | gap 0-250");
    }
}
