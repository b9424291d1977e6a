//! Scripts of what comes in, and what has to leave.

mod bounds;
mod revisions;
mod script;

use super::*;
pub(super) use crate::session::tests::ms;
use script::{all, run};

type Machine = Schedule<&'static str>;

fn word(text: &str, start: u64, end: u64) -> Word {
    Word {
        text: text.into(),
        start: ms(start),
        end: ms(end),
    }
}

/// Words with their times, as in `The 100-180 / rain. 300-380`.
pub(super) fn words(text: &str) -> Vec<Word> {
    let words = text.split(" / ").filter(|word| !word.is_empty());
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
    said(number, is_final, words(text))
}

fn said(number: u32, is_final: bool, words: Vec<Word>) -> Utterance {
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

/// A live pipeline's schedule, whose first segment has left.
fn live(unit: Unit, latency: u64) -> Machine {
    let mut schedule = Machine::new(unit);
    schedule.set_latency(Some(ms(latency)));
    schedule.event("segment", Effect::Segment(Origin::default()));
    assert_eq!(all(&mut schedule, None), ["segment"]);
    schedule
}

#[test]
fn text_of_a_file_leaves_when_it_is_final() {
    run("
    # words, and the gaps between
        segment
        open 0: The 100-180         | segment
        final 0: The 100-180 / rain. 300-380
                                    | gap 0-100 / !The 100-180 / gap 180-300 / rain. 300-380 / final
        settled 900                 | gap 380-900
    # an empty utterance withdraws what was open, and covers its place
        open 1: No 100-180          |
        withdraw 1 1500             | gap 0-1500
    # no buffer begins before the one before it
        final 0: a 100-400 / b 90-200 / c 500-510
            | gap 0-100 / !a 100-400 / b 100-200 / gap 400-500 / c 500-580 / final
    # audio in which no text is expected is a gap, and text that comes all the same is not lost
        segment
        quiet 900                   | segment / gap 0-900
        final 0: late 500-580 / one 1000-1080 | !late 900-980 / gap 980-1000 / one 1000-1080 / final
    # speakers are named before their first word
        unit utterance
        final 0 by 1: Hm. 0-1000    | speaker 1 / !Hm. 0-1000 / final
        final 1 by 1: Hm. 1000-2000 | Hm. 1000-2000 / final
        final 2: Hm. 2000-3000      | Hm. 2000-3000 / final
        final 3 by 2: Hm. 3000-4000 | speaker 2 / Hm. 3000-4000 / final
    # and again in each stream and segment
        final 0 by 1: Yes. 0-80     | speaker 1 / !Yes. 0-80 / final
        tag                         | tag
        final 1 by 1: Yes. 0-80     | Yes. 0-80 / final
        stream-start                | stream-start
        final 2 by 1: Yes. 0-80     | speaker 1 / Yes. 0-80 / final
        segment                     | segment
        final 3 by 1: Yes. 0-80     | speaker 1 / !Yes. 0-80 / final
        flush                       |
        final 4 by 1: Yes. 0-80     | speaker 1 / !Yes. 0-80 / final
    ");
}

/// Something downstream holds the audio up until it has text: it gets what there is.
#[test]
fn text_that_is_not_final_leaves_when_no_more_audio_comes() {
    let spoken = "open 0: one 100-180 / two 400-480 / free 800-920 |
        starving 900 | true
        starve 900   |";
    let revised = "starving 900 | false
        final 0: One 100-180 / two 410-490 / three. 800-920 / Four. 2000-2500 |";
    run(&format!(
        "
    # words
        {spoken} gap 0-100 / !one 100-180 / gap 180-400 / two 400-480 / gap 480-900
        {revised} three. 900-980 / gap 980-2000 / Four. 2000-2500 / final
    # utterances
        unit utterance
        {spoken} gap 0-100 / !one two 100-480 / gap 480-900
        {revised} three. Four. 900-2600 / final
    # cues
        unit cue 30 1
        {spoken} gap 0-100 / !one two 100-1100
        {revised} three. Four. 1100-3000 / final
    "
    ));
}

#[test]
fn a_live_word_leaves_when_it_is_due_and_only_once() {
    run("
    # its case and time are revised, and there is more behind it
        live 1000
        open 0: one 100-180 / two 600-680
        at 800                      |
        until                       | 1100
        at 1100                     | gap 0-100 / !one 100-180
        open 0: One 240-320 / two 610-690 / three. 1200-1280
        at 1610                     | gap 180-610 / two 610-690
        final 0: One 240-320 / two 610-690 / three. 1200-1280
        at 1700                     | gap 690-1200 / three. 1200-1280 / final
    # a response leaves out the words: times that are guessed replace none
        live 1000
        no gaps
        open 0: one 100-180 / two 1400-1480
        guessed 0: one 100-700 / two 700-1300 / three 1300-1900
        at 2300                     | !one 100-180
        final 0: one 100-180 / two 1400-1480 / three 1800-1880
        at 3000                     | two 1400-1480 / three 1800-1880 / final
    # running times follow the segment
        live 1000
        segment 60000 5000
        open 0: one 60500-60600
        at 6000                     | segment / gap 60000-60250
        at 6100                     |
        until                       | 6200
        at 6500                     | gap 60250-60500 / !one 60500-60600
    ");
}

#[test]
fn words_of_an_utterance_that_is_divided_leave_once() {
    run("
    # all have left
        live 1000
        no gaps
        open 0: one 100-180 / two 400-480 / three 700-780
        at 1700                     | !one 100-180 / two 400-480 / three 700-780
        final 0: One. 100-180
        final 1: Two 400-480 / three 700-780
        final 2: Three 1500-1580    | final / final / Three 1500-1580 / final
    # the rest still has the words of the first part
        live 1000
        no gaps
        open 0: one 100-180 / two 400-480
        final 1: One. 100-180
        at 1700                     | !One. 100-180 / final / two 400-480
    # one of two words is in the first part, however near they are
        live 1000
        no gaps
        open 0: no 100-180 / no 300-380
        - final 1: No. 100-180
          at 1300                   | !No. 100-180 / final / no 300-380
          final 0: No, 300-380 / no 700-780 | no 700-780 / final
        // It has left.
        - at 1100                   | !no 100-180
          final 1: No. 100-180
          at 1300                   | final / no 300-380
          final 0: No, 300-380 / no 700-780 | no 700-780 / final
        // Both have left.
        - at 1300                   | !no 100-180 / no 300-380
          final 1: No. 100-180      | final
          final 0: No, 300-380 / no 700-780
          at 1700                   | no 700-780 / final
    # a word is not that of the utterance before
        live 1000
        no gaps
        open 1: no 300-380
        final 0: No. 100-180
        at 1300                     | !No. 100-180 / final / no 300-380
    ");
}

#[test]
fn a_live_pipeline_gets_gaps_while_nothing_is_said() {
    run("
    # not over a word that waits for its time, and without a clock nothing is due
        live 4000                   |
        at 1000                     |
        until                       | 3950
        at 3950                     | gap 0-200
        at 4900                     | gap 200-1150
        open 0: late 1500-1580
        at 5400                     | gap 1150-1500
        until                       | 5500
        at 5500                     | !late 1500-1580
    # text may come until it is due, also where none is expected
        live 1000
        quiet 900
        at 500                      |
    # no gap is due before the first segment
        latency 1000
        at 60000                    |
        until                       | Wait(None)
        stream-start
        segment 0 60000
        at 61000                    | stream-start / segment / gap 0-250
    # nor after EOS, between streams, or between a flush and a segment
        live 1000
        at 2000                     | gap 0-1250
        eos                         | eos
        at 60000                    |
        until                       | Wait(None)
        segment 0 60000
        at 61000                    | segment / gap 0-250
        stream-start                | stream-start
        at 70000                    |
        until                       | Wait(None)
        segment 0 70000
        at 71000                    | segment / gap 0-250
        flush                       |
        at 80000                    |
        until                       | Wait(None)
    ");
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
    let late = Action::Text {
        text: "late".into(),
        start: ms(2250),
        duration: ms(80),
        discont: true,
        late: ms(1000),
    };
    assert_eq!(schedule.next(Some(ms(3000))), late);
}

#[test]
fn what_is_behind_a_barrier_waits_for_the_words_before_it() {
    run("
    # words of the next part may be here before the messages of this one are posted
        segment
        barrier 7 2000
        eos
        stream-start
        segment                     | segment
        final 0: one 100-200        | gap 0-100 / !one 100-200 / final
        done 7
        final 0: two 300-400        |
        posted 7
            | gap 200-2000 / eos / stream-start / segment / gap 0-300 / !two 300-400 / final
    # the time that audio is settled up to may be that of the sample behind it, in another segment
        segment
        barrier 1 2000
        settled 60000               | segment / gap 0-2000
    # a failure opens every barrier
        barrier 1
        eos
        fail
        barrier 2
        tag                         | eos / tag
    # a flush forgets what has not left
        final 0: one 100-200
        tag
        barrier 1
        eos
        flush                       | tag / eos
        segment 5000
        final 0: two 5000-5100      | segment / !two 5000-5100 / final
    ");
}

#[test]
fn cues_have_lines_and_late_ones_follow_each_other() {
    run("
    # gaps have passed the second ones by
        unit cue 12 1
        live 1000
        final 0: One 0-300 / two. 400-700 / Three 2000-2400 / four. 2500-2800
        at 1000
            | !One two. 0-1200 / gap 1200-2000 / Three four. 2000-3300 / final
        at 9000                     | gap 3300-8250
        final 1: Five 4000-4300 / six. 4400-4700 / Seven 6000-6400 / eight. 6500-6800
        at 9000                     | Five six. 8250-9450 / Seven eight. 9450-10750 / final
    ");
}
