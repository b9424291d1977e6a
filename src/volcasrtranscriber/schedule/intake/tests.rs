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
            vec!["!one 100-180", "gap 180-400", "two 400-480", "gap 480-900"],
        ),
        (Unit::Utterance, vec!["!one two 100-480", "gap 480-900"]),
        (Unit::Cue(style), vec!["!one two 100-1100"]),
    ] {
        let mut schedule = Machine::new(unit);
        let words = [("one", 100, 180), ("two", 400, 480), ("free", 800, 920)];
        schedule.utterance(utterance(0, false, &words));
        assert_eq!(all(&mut schedule, None), [""; 0]);
        assert!(schedule.is_starving(ms(900)));
        schedule.starve(ms(900));
        assert_eq!(all(&mut schedule, None)[1..], expected);
        assert!(!schedule.is_starving(ms(900)));
        let words = [
            ("One", 100, 180),
            ("two", 410, 490),
            ("three.", 800, 920),
            ("Four.", 2000, 2500),
        ];
        schedule.utterance(utterance(0, true, &words));
        let left = all(&mut schedule, None).join(", ");
        assert!(!left.contains("two") && left.contains("three."), "{left}");
    }
}
