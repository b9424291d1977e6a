//! Scripts of what comes in, on a virtual clock, and what has to leave.

use super::*;

pub(super) type Machine = Schedule<&'static str>;

pub(super) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub(super) fn word(text: &str, start: u64, end: u64) -> Word {
    Word {
        text: text.into(),
        start: ms(start),
        end: ms(end),
    }
}

/// Words with their times, as in `The 100-180 | rain. 300-380`.
pub(super) fn words(text: &str) -> Vec<Word> {
    let words = text.split(" | ").filter(|word| !word.is_empty());
    let words = words.map(|entry| {
        let (text, times) = entry.rsplit_once(' ').expect("a text and its times");
        let (start, end) = times.split_once('-').expect("two times");
        let time = |text: &str| text.parse().expect("milliseconds");
        word(text, time(start), time(end))
    });
    words.collect()
}

/// An utterance of these words.
pub(super) fn utterance(number: u32, is_final: bool, text: &str) -> Utterance {
    let words = words(text);
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    Utterance {
        number,
        text: texts.join(" "),
        is_final,
        start: words.first().map(|word| word.start),
        end: words.last().map(|word| word.end),
        words,
        has_times: true,
        speaker: None,
    }
}

/// Lets everything leave that may at a time, and writes it down, as in
/// `gap 0-100 | !The 100-180 | final`.
pub(super) fn all(schedule: &mut Machine, now: Option<u64>) -> String {
    let mut left = Vec::new();
    let times = |start: Duration, duration| {
        format!("{}-{}", start.as_millis(), (start + duration).as_millis())
    };
    loop {
        match schedule.next(now.map(ms)) {
            Action::Wait(_) => return left.join(" | "),
            Action::Text {
                text,
                start,
                duration,
                discont,
                ..
            } => {
                let mark = if discont { "!" } else { "" };
                left.push(format!("{mark}{text} {}", times(start, duration)));
            }
            Action::Gap { start, duration } => left.push(format!("gap {}", times(start, duration))),
            Action::Item(_) => {}
            Action::Speaker(speaker) => left.push(format!("speaker {speaker}")),
            Action::Final => left.push("final".into()),
            Action::Event(event) => left.push(event.into()),
        }
    }
}

/// Returns all that leaves but for gaps.
fn without_gaps(schedule: &mut Machine, now: u64) -> String {
    let left = all(schedule, Some(now));
    let left: Vec<&str> = left.split(" | ").collect();
    let left = left.into_iter().filter(|left| !left.starts_with("gap"));
    left.collect::<Vec<_>>().join(" | ")
}

fn until(schedule: &mut Machine, now: u64) -> Option<u128> {
    match schedule.next(Some(ms(now))) {
        Action::Wait(until) => until.map(|until| until.as_millis()),
        other => panic!("{other:?}"),
    }
}

/// A live pipeline's schedule, whose first segment has left.
fn live(unit: Unit, latency: u64) -> Machine {
    let mut schedule = Machine::new(unit);
    schedule.set_latency(Some(ms(latency)));
    schedule.event("segment", Effect::Segment(Origin::default()));
    assert_eq!(all(&mut schedule, None), "segment");
    schedule
}

#[test]
fn words_of_a_file_leave_when_they_are_final() {
    let mut schedule = Machine::new(Unit::Word);
    schedule.event("segment", Effect::Segment(Origin::default()));
    schedule.utterance(utterance(0, false, "The 100-180"));
    assert_eq!(all(&mut schedule, None), "segment");
    let words = "The 100-180 | rain. 300-380";
    schedule.utterance(utterance(0, true, words));
    schedule.settled(ms(900));
    assert_eq!(
        all(&mut schedule, None),
        "gap 0-100 | !The 100-180 | gap 180-300 | rain. 300-380 | final | gap 380-900"
    );
    // An empty one withdraws what was open, and covers its place.
    let mut empty = utterance(1, true, "");
    empty.end = Some(ms(1500));
    schedule.utterance(empty);
    assert_eq!(all(&mut schedule, None), "gap 900-1500");
}

#[test]
fn no_buffer_begins_before_the_one_before_it() {
    let mut schedule = Machine::new(Unit::Word);
    schedule.utterance(utterance(0, true, "a 100-400 | b 90-200 | c 500-510"));
    assert_eq!(
        all(&mut schedule, None),
        "gap 0-100 | !a 100-400 | b 100-200 | gap 400-500 | c 500-580 | final"
    );
}

#[test]
fn audio_in_which_no_text_is_expected_is_a_gap_in_a_file() {
    let mut schedule = Machine::new(Unit::Word);
    schedule.event("segment", Effect::Segment(Origin::default()));
    schedule.quiet(ms(900));
    assert_eq!(all(&mut schedule, None), "segment | gap 0-900");
    // One that comes all the same is not lost.
    schedule.utterance(utterance(0, true, "late 500-580 | one 1000-1080"));
    let left = "!late 900-980 | gap 980-1000 | one 1000-1080 | final";
    assert_eq!(all(&mut schedule, None), left);
    // In a live pipeline it may leave until it is due.
    let mut schedule = live(Unit::Word, 1000);
    schedule.quiet(ms(900));
    assert_eq!(all(&mut schedule, Some(500)), "");
}

#[test]
fn a_live_word_leaves_when_it_is_due_and_only_once() {
    let mut schedule = live(Unit::Word, 1000);
    schedule.utterance(utterance(0, false, "one 100-180 | two 600-680"));
    assert_eq!(all(&mut schedule, Some(800)), "");
    assert_eq!(until(&mut schedule, 800), Some(1100));
    assert_eq!(all(&mut schedule, Some(1100)), "gap 0-100 | !one 100-180");
    // Its case and time are revised, and there is more behind it.
    let words = "One 240-320 | two 610-690 | three. 1200-1280";
    schedule.utterance(utterance(0, false, words));
    assert_eq!(all(&mut schedule, Some(1610)), "gap 180-610 | two 610-690");
    schedule.utterance(utterance(0, true, words));
    assert_eq!(
        all(&mut schedule, Some(1700)),
        "gap 690-1200 | three. 1200-1280 | final"
    );
}

/// As of a response that leaves out the words, and then the times are guessed.
#[test]
fn words_without_times_do_not_replace_those_with_times() {
    let mut schedule = live(Unit::Word, 1000);
    schedule.utterance(utterance(0, false, "one 100-180 | two 1400-1480"));
    let mut guessed = utterance(0, false, "one 100-700 | two 700-1300 | three 1300-1900");
    guessed.has_times = false;
    schedule.utterance(guessed);
    assert_eq!(without_gaps(&mut schedule, 2300), "!one 100-180");
    let words = "one 100-180 | two 1400-1480 | three 1800-1880";
    schedule.utterance(utterance(0, true, words));
    let left = "two 1400-1480 | three 1800-1880 | final";
    assert_eq!(without_gaps(&mut schedule, 3000), left);
}

#[test]
fn words_of_an_utterance_that_was_divided_leave_once() {
    let mut schedule = live(Unit::Word, 1000);
    let both = "one 100-180 | two 400-480 | three 700-780";
    schedule.utterance(utterance(0, false, both));
    let left = "!one 100-180 | two 400-480 | three 700-780";
    assert_eq!(without_gaps(&mut schedule, 1700), left);
    schedule.utterance(utterance(0, true, "One. 100-180"));
    schedule.utterance(utterance(1, true, "Two 400-480 | three 700-780"));
    schedule.utterance(utterance(2, true, "Three 1500-1580"));
    assert_eq!(
        without_gaps(&mut schedule, 1700),
        "final | final | Three 1500-1580 | final"
    );
}

#[test]
fn words_of_a_first_part_do_not_leave_again_before_the_rest_is_reported() {
    let mut schedule = live(Unit::Word, 1000);
    schedule.utterance(utterance(0, false, "one 100-180 | two 400-480"));
    schedule.utterance(utterance(1, true, "One. 100-180"));
    let left = "!One. 100-180 | final | two 400-480";
    assert_eq!(without_gaps(&mut schedule, 1700), left);
}

/// As in "No. No, …": one of the two words is in the first part, however near they are.
#[test]
fn words_are_not_taken_for_the_same_ones_of_a_first_part() {
    let both = "no 100-180 | no 300-380";
    for (at, left, rest) in [
        (1000, "", "!No. 100-180 | final | no 300-380"),
        (1100, "!no 100-180", "final | no 300-380"),
        (1300, "!no 100-180 | no 300-380", "final"),
    ] {
        let mut schedule = live(Unit::Word, 1000);
        schedule.utterance(utterance(0, false, both));
        assert_eq!(without_gaps(&mut schedule, at), left);
        schedule.utterance(utterance(1, true, "No. 100-180"));
        assert_eq!(without_gaps(&mut schedule, 1300), rest);
        schedule.utterance(utterance(0, true, "No, 300-380 | no 700-780"));
        assert_eq!(without_gaps(&mut schedule, 1700), "no 700-780 | final");
    }
    // It is not that of the utterance before either.
    let mut schedule = live(Unit::Word, 1000);
    schedule.utterance(utterance(1, false, "no 300-380"));
    schedule.utterance(utterance(0, true, "No. 100-180"));
    let left = "!No. 100-180 | final | no 300-380";
    assert_eq!(without_gaps(&mut schedule, 1300), left);
}

#[test]
fn a_live_pipeline_gets_gaps_while_nothing_is_said() {
    let mut schedule = live(Unit::Word, 4000);
    assert_eq!(all(&mut schedule, Some(1000)), "");
    let wake = until(&mut schedule, 1000).expect("a time");
    assert_eq!(wake, 3950);
    assert_eq!(all(&mut schedule, Some(3950)), "gap 0-200");
    assert_eq!(all(&mut schedule, Some(4900)), "gap 200-1150");
    // Not over a word that waits for its time.
    schedule.utterance(utterance(0, false, "late 1500-1580"));
    assert_eq!(all(&mut schedule, Some(5400)), "gap 1150-1500");
    assert_eq!(until(&mut schedule, 5400), Some(5500));
    assert_eq!(all(&mut schedule, Some(5500)), "!late 1500-1580");
    // Without a clock nothing is due.
    assert_eq!(all(&mut schedule, None), "");
}

#[test]
fn a_word_that_appears_too_late_begins_where_the_gaps_end_and_is_counted() {
    let mut schedule = live(Unit::Word, 1000);
    all(&mut schedule, Some(3000));
    schedule.utterance(utterance(0, true, "late 1000-1080"));
    let Action::Item(item) = schedule.next(Some(ms(3000))) else {
        panic!("no item");
    };
    assert_eq!((item.running, item.duration), (ms(1000), ms(80)));
    match schedule.next(Some(ms(3000))) {
        Action::Text {
            start,
            duration,
            late,
            ..
        } => {
            assert_eq!((start, duration, late), (ms(2250), ms(80), ms(1000)));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_behind_a_barrier_waits_for_the_words_before_it() {
    let mut schedule = Machine::new(Unit::Word);
    schedule.event("segment", Effect::Segment(Origin::default()));
    schedule.barrier(7, Some(ms(2000)));
    schedule.event("eos", Effect::Unchanged);
    schedule.event("stream-start", Effect::Unchanged);
    schedule.event("segment", Effect::Segment(Origin::default()));
    assert_eq!(all(&mut schedule, None), "segment");
    schedule.utterance(utterance(0, true, "one 100-200"));
    assert_eq!(all(&mut schedule, None), "gap 0-100 | !one 100-200 | final");
    schedule.done(7);
    // Words of the next part may be here first.
    schedule.utterance(utterance(0, true, "two 300-400"));
    assert_eq!(all(&mut schedule, None), "");
    schedule.posted(7);
    assert_eq!(
        all(&mut schedule, None),
        "gap 200-2000 | eos | stream-start | segment | gap 0-300 | !two 300-400 | final"
    );
}

#[test]
fn a_failure_opens_every_barrier() {
    let mut schedule = Machine::new(Unit::Word);
    schedule.barrier(1, None);
    schedule.event("eos", Effect::Unchanged);
    schedule.fail();
    schedule.barrier(2, None);
    schedule.event("more", Effect::Unchanged);
    assert_eq!(all(&mut schedule, None), "eos | more");
}

#[test]
fn a_flush_forgets_what_has_not_left() {
    let mut schedule = Machine::new(Unit::Word);
    schedule.utterance(utterance(0, true, "one 100-200"));
    schedule.event("tag", Effect::Unchanged);
    schedule.barrier(1, None);
    schedule.event("eos", Effect::Unchanged);
    assert_eq!(schedule.flush(), ["tag", "eos"]);
    let origin = Origin {
        position: ms(5000),
        ..Origin::default()
    };
    schedule.event("segment", Effect::Segment(origin));
    schedule.utterance(utterance(0, true, "two 5000-5100"));
    assert_eq!(all(&mut schedule, None), "segment | !two 5000-5100 | final");
}

#[test]
fn speakers_are_named_before_their_first_word() {
    let mut schedule = Machine::new(Unit::Utterance);
    for (number, speaker) in [(0, Some("1")), (1, Some("1")), (2, None), (3, Some("2"))] {
        let start = u64::from(number) * 1000;
        let mut utterance = utterance(number, true, &format!("Hm. {start}-{}", start + 1000));
        utterance.speaker = speaker.map(String::from);
        schedule.utterance(utterance);
    }
    assert_eq!(
        all(&mut schedule, None),
        "speaker 1 | !Hm. 0-1000 | final | Hm. 1000-2000 | final | Hm. 2000-3000 | final \
         | speaker 2 | Hm. 3000-4000 | final"
    );
}

#[test]
fn cues_have_lines_and_late_ones_follow_each_other() {
    let style = Style {
        width: 12,
        lines: 1,
    };
    let mut schedule = live(Unit::Cue(style), 1000);
    let words = "One 0-300 | two. 400-700 | Three 2000-2400 | four. 2500-2800";
    schedule.utterance(utterance(0, true, words));
    assert_eq!(
        all(&mut schedule, Some(1000)),
        "!One two. 0-1200 | gap 1200-2000 | Three four. 2000-3300 | final"
    );
    // Gaps have passed them by.
    all(&mut schedule, Some(9000));
    let words = "Five 4000-4300 | six. 4400-4700 | Seven 6000-6400 | eight. 6500-6800";
    schedule.utterance(utterance(1, true, words));
    assert_eq!(
        all(&mut schedule, Some(9000)),
        "Five six. 8250-9450 | Seven eight. 9450-10750 | final"
    );
}

#[test]
fn running_times_follow_the_segment() {
    let mut schedule = live(Unit::Word, 1000);
    let origin = Origin {
        position: ms(60_000),
        running: ms(5000),
        rate: 1.0,
    };
    schedule.event("segment", Effect::Segment(origin));
    schedule.utterance(utterance(0, false, "one 60500-60600"));
    assert_eq!(all(&mut schedule, Some(6000)), "segment | gap 60000-60250");
    assert_eq!(until(&mut schedule, 6100), Some(6200));
    assert_eq!(
        all(&mut schedule, Some(6500)),
        "gap 60250-60500 | !one 60500-60600"
    );
}

mod bounds;
mod revisions;
mod segments;
