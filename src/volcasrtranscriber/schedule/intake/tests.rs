use crate::cue::Style;
use crate::volcasrtranscriber::schedule::Unit;
use crate::volcasrtranscriber::schedule::tests::{Machine, all, ms, utterance};

/// Something downstream holds the audio up until it has text: it gets what there is.
#[test]
fn text_that_is_not_final_leaves_when_no_more_audio_comes() {
    let style = Style {
        width: 30,
        lines: 1,
    };
    for (unit, expected) in [
        (
            Unit::Word,
            "gap 0-100 | !one 100-180 | gap 180-400 | two 400-480 | gap 480-900",
        ),
        (
            Unit::Utterance,
            "gap 0-100 | !one two 100-480 | gap 480-900",
        ),
        (Unit::Cue(style), "gap 0-100 | !one two 100-1100"),
    ] {
        let mut schedule = Machine::new(unit);
        schedule.utterance(utterance(
            0,
            false,
            "one 100-180 | two 400-480 | free 800-920",
        ));
        assert_eq!(all(&mut schedule, None), "");
        assert!(schedule.is_starving(ms(900)));
        schedule.starve(ms(900));
        assert_eq!(all(&mut schedule, None), expected);
        assert!(!schedule.is_starving(ms(900)));
        let words = "One 100-180 | two 410-490 | three. 800-920 | Four. 2000-2500";
        schedule.utterance(utterance(0, true, words));
        let left = all(&mut schedule, None);
        assert!(!left.contains("two") && left.contains("three."), "{left}");
    }
}
