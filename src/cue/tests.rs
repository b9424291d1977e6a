//! Cues as a reader sees them, and rules that hold for any text.

use proptest::prelude::*;
use unicode_width::UnicodeWidthChar;

use super::*;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn utterance(text: &str, start: u64, end: u64) -> Utterance {
    Utterance {
        text: text.into(),
        start: Some(ms(start)),
        end: Some(ms(end)),
        ..Utterance::default()
    }
}

fn word(text: &str, start: u64, end: u64) -> Word {
    Word {
        text: text.into(),
        start: Some(ms(start)),
        end: Some(ms(end)),
    }
}

fn cut(utterance: &Utterance, width: usize, lines: usize) -> Vec<Cue> {
    Cutter::new(Style { width, lines }).cut(utterance, None)
}

/// Returns the lines of each cue, joined with `/`.
fn texts(cues: &[Cue]) -> Vec<String> {
    cues.iter().map(|cue| cue.lines.join("/")).collect()
}

#[test]
fn lines_are_broken_at_punctuation_then_between_words() {
    for (text, width, expected) in [
        ("Good day.", 42, &["Good day."][..]),
        (
            "The rain has stopped, I think.",
            22,
            &["The rain has stopped,/I think."],
        ),
        (
            "one two three four five six",
            16,
            &["one two three/four five six"],
        ),
        // No line is wider.
        ("Donaudampfschifffahrt", 8, &["Donaudam/pfschiff", "fahrt"]),
        ("a  b\n\nc\u{7}", 42, &["a b c"]),
        ("It costs 3.50, he said.", 16, &["It costs 3.50,/he said."]),
        (" \n\u{200b} ", 42, &[]),
    ] {
        assert_eq!(
            texts(&cut(&utterance(text, 0, 3000), width, 2)),
            expected,
            "{text}"
        );
    }
}

#[test]
fn chinese_lines_begin_with_no_closing_punctuation_and_end_with_no_opening_one() {
    for (text, width, expected) in [
        ("今天下雨，路很滑。", 12, &["今天下雨，/路很滑。"][..]),
        // Eight characters fit, but the comma must not begin the next line.
        ("我们都在北京路上，走", 16, &["我们都在北/京路上，走"]),
        ("他说「好」", 6, &["他说/「好」"]),
        ("我用Linux十年了，很好", 12, &["我用Linux十/年了，很好"]),
        // Punctuation that scripts share is full width here. Its pairs are not divided.
        ("好……", 4, &["好/……"]),
        ("好……", 6, &["好……"]),
        ("“好”吗", 6, &["“好”/吗"]),
        ("“Go on…”", 8, &["“Go on…”"]),
    ] {
        let cues = cut(&utterance(text, 0, 3000), width, 2);
        assert_eq!(texts(&cues), expected, "{text}");
    }
}

#[test]
fn cues_end_with_sentences_then_at_commas_then_between_words() {
    let text = "It rained all night. The road was under water, so we stayed where we were. \
                Nobody came, and nobody called.";
    assert_eq!(
        texts(&cut(&utterance(text, 0, 12_000), 30, 2)),
        [
            "It rained all night.",
            "The road was under water,/so we stayed where we were.",
            "Nobody came,/and nobody called.",
        ]
    );
    let text = "Mr. Smith said that the road to the north is open, but nobody has seen him since";
    assert_eq!(
        texts(&cut(&utterance(text, 0, 8000), 26, 2)),
        [
            "Mr. Smith said that the/road to the north is open,",
            "but nobody has/seen him since",
        ]
    );
}

#[test]
fn times_are_those_of_the_words_or_shares() {
    let mut timed = utterance("One two. Three four.", 1000, 9000);
    timed.words = vec![
        word("One ", 1000, 1300),
        word("two. ", 1400, 1700),
        word("Three ", 6000, 6400),
        word("four.", 6500, 9000),
    ];
    let cues = cut(&timed, 12, 1);
    assert_eq!(texts(&cues), ["One two.", "Three four."]);
    assert_eq!((cues[0].start, cues[0].end), (ms(1000), ms(2200)));
    assert_eq!((cues[1].start, cues[1].end), (ms(6000), ms(9500)));

    let cues = cut(&utterance("One two. Three four.", 1000, 5000), 12, 1);
    // Nine of twenty columns.
    assert_eq!((cues[0].start, cues[0].end), (ms(1000), ms(2800)));
    assert_eq!((cues[1].start, cues[1].end), (ms(2800), ms(5500)));
}

#[test]
fn a_cue_stays_a_while_unless_the_next_one_begins() {
    let mut cutter = Cutter::new(Style::default());
    let mut times = |utterance: &Utterance, next: Option<u64>| {
        let cues = cutter.cut(utterance, next.map(ms));
        cues.iter()
            .map(|cue| (cue.start, cue.end))
            .collect::<Vec<_>>()
    };
    let say = |start, end| utterance("Yes.", start, end);
    // At least a second, half a second behind the word, up to the next one, at most seven.
    assert_eq!(times(&say(0, 200), None), [(ms(0), ms(1000))]);
    assert_eq!(times(&say(2000, 3000), None), [(ms(2000), ms(3500))]);
    assert_eq!(times(&say(4000, 5000), Some(5260)), [(ms(4000), ms(5260))]);
    assert_eq!(times(&say(5260, 5400), Some(5500)), [(ms(5260), ms(5500))]);
    assert_eq!(times(&say(6000, 20_000), None), [(ms(6000), ms(13_000))]);
    // A cue whose speech begins while another cue stands follows that one.
    assert_eq!(
        times(&say(12_900, 14_000), None),
        [(ms(13_000), ms(14_500))]
    );
    assert_eq!(
        times(&say(12_950, 13_000), Some(13_100)),
        [(ms(14_500), ms(14_700))]
    );
    let timeless = Utterance {
        text: "And?".into(),
        ..Utterance::default()
    };
    assert_eq!(times(&timeless, None), [(ms(14_700), ms(15_700))]);
}

#[test]
fn a_stream_that_begins_anew_follows_the_one_before() {
    let mut cutter = Cutter::new(Style::default());
    assert_eq!(cutter_start(&mut cutter, 10_000), ms(10_000));
    cutter.begin_stream(Some(ms(30_000)));
    assert_eq!(cutter_start(&mut cutter, 500), ms(30_000));
    assert_eq!(cutter_start(&mut cutter, 2500), ms(32_000));
    cutter.begin_stream(None);
    // Behind the last cue, which stays for a second.
    assert_eq!(cutter_start(&mut cutter, 0), ms(33_000));
    cutter.begin_stream(None);
    assert_eq!(cutter_start(&mut cutter, 50_000), ms(50_000));
}

fn cutter_start(cutter: &mut Cutter, at: u64) -> Duration {
    cutter.cut(&utterance("Yes.", at, at + 300), None)[0].start
}

#[test]
fn every_cue_names_the_speaker() {
    let mut by = utterance("One two three. Four five six.", 0, 9000);
    by.speaker = Some("2".into());
    let cues = cut(&by, 14, 1);
    assert_eq!(cues.len(), 2);
    assert!(
        cues.iter().all(|cue| cue.speaker.as_deref() == Some("2")),
        "{cues:?}"
    );
}

/// Returns what must not be lost.
fn visible(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace() && c.width().is_some_and(|width| width > 0))
        .collect()
}

fn any_text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[a-z]{1,9} ",
        2 => "[a-z]{1,6}[,.;?!] ",
        4 => "[今天下雨路很滑北京走]{1,9}",
        3 => "[，。、！？：；…—]{1,3}",
        2 => "[「（“《][今天雨]{1,3}[」）”》]",
        1 => "[a-zA-Z0-9'%$.-]{1,60}",
        1 => "[가-힣]{1,5} ",
        1 => "[\u{300}\u{200b}\u{1F600}\u{1F468}\u{3042}\u{3083}ー\n\t]{1,3}",
    ];
    proptest::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
}

prop_compose! {
    fn any_utterance()(
        text in any_text(),
        start in proptest::option::of(0u64..60_000),
        long in proptest::option::of(0u64..30_000),
        jitter in proptest::collection::vec(proptest::option::of(0u64..40_000), 0..30),
        speaker in proptest::option::of("[1-4]"),
    ) -> Utterance {
        let begin = start.unwrap_or(0);
        let chunks = text.split_inclusive(' ').zip(jitter);
        let words = chunks.map(|(text, at)| Word {
            text: text.to_owned(),
            start: at.map(|at| ms(begin + at)),
            end: at.map(|at| ms(begin + at + 80)),
        });
        Utterance {
            words: words.collect(),
            start: start.map(ms),
            end: long.map(|long| ms(begin + long)),
            speaker,
            text,
        }
    }
}

/// Returns the time that a cutter is told of the utterance behind: its start, if that is known, or
/// any other.
fn following(utterances: &[(Utterance, bool, Option<u64>)], place: usize) -> Option<Duration> {
    let behind = utterances.get(place + 1).filter(|(_, begins, _)| !begins);
    let start = behind.and_then(|(utterance, ..)| utterance.start);
    start.or(utterances[place].2.map(ms))
}

proptest! {
    #[test]
    fn nothing_is_lost_or_too_wide_and_cues_follow_each_other(
        utterances in proptest::collection::vec(
            (any_utterance(), any::<bool>(), proptest::option::of(0u64..90_000)),
            1..5,
        ),
        width in 0usize..60,
        lines in 0usize..4,
    ) {
        let mut cutter = Cutter::new(Style { width, lines });
        let mut last = Duration::ZERO;
        let mut is_shifted = false;
        for (place, (utterance, begins, _)) in utterances.iter().enumerate() {
            if *begins {
                cutter.begin_stream(None);
                is_shifted = true;
            }
            let next = following(&utterances, place);
            let cues = cutter.cut(utterance, next);
            let ruler = text::Ruler::of(&utterance.text);
            let shown = cues.iter().flat_map(|cue| &cue.lines);
            let shown: String = shown.map(|line| visible(line)).collect();
            prop_assert_eq!(shown, visible(&utterance.text));
            for cue in &cues {
                prop_assert!(cue.start >= last, "{cue:?} begins before {last:?}");
                prop_assert!(cue.end > cue.start, "{cue:?}");
                prop_assert!(cue.end - cue.start <= LONGEST, "{cue:?}");
                prop_assert!((1..=lines.max(1)).contains(&cue.lines.len()), "{cue:?}");
                prop_assert_eq!(&cue.speaker, &utterance.speaker);
                for line in &cue.lines {
                    prop_assert!(ruler.columns(line) <= width.max(2), "{line:?}");
                    prop_assert!(!line.is_empty() && line.trim() == line, "{line:?}");
                }
                last = cue.end;
            }
            // Times that were moved can't be compared.
            if let (Some(cue), Some(next), false) = (cues.last(), next, is_shifted) {
                prop_assert!(cue.end <= next.max(cue.start + FLOOR), "{cue:?} {next:?}");
            }
        }
    }

    /// Where no line is too narrow for what stays together.
    #[test]
    fn closing_punctuation_begins_no_line(
        text in "([今天下雨路很滑]{1,5}[，。！？、]){1,12}",
        width in 12usize..60,
    ) {
        let cues = cut(&utterance(&text, 0, 5000), width, 2);
        for line in cues.iter().flat_map(|cue| &cue.lines) {
            prop_assert!(!line.starts_with(['，', '。', '！', '？', '、']), "{cues:?}");
        }
    }
}
