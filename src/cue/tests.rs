//! Cues as a reader sees them, and rules that hold for any text.

use proptest::prelude::*;
use unicode_width::UnicodeWidthChar;

use super::*;
use crate::session::tests::ms;

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

/// Returns the lines of each cue, joined with `/`, and the cues, joined with `|`.
fn texts(cues: &[Cue]) -> String {
    let cues = cues.iter().map(|cue| cue.lines.join("/"));
    cues.collect::<Vec<_>>().join("|")
}

#[test]
#[rustfmt::skip]
fn texts_are_cut_at_sentences_then_at_commas_then_between_words() {
    for (text, width, expected) in [
        ("Good day.", 42, "Good day."),
        ("The rain has stopped, I think.", 22, "The rain has stopped,/I think."),
        ("one two three four five six", 16, "one two three/four five six"),
        // No line is wider.
        ("Donaudampfschifffahrt", 8, "Donaudam/pfschiff|fahrt"),
        ("a  b\n\nc\u{7}", 42, "a b c"),
        ("It costs 3.50, he said.", 16, "It costs 3.50,/he said."),
        (" \n\u{200b} ", 42, ""),
        ("It rained all night. The road was under water, so we stayed where we were. Nobody came, \
          and nobody called.", 30, "It rained all night.|The road was under water,/so we stayed \
          where we were.|Nobody came,/and nobody called."),
        ("Mr. Smith said that the road to the north is open, but nobody has seen him since", 26,
         "Mr. Smith said that the/road to the north is open,|but nobody has/seen him since"),
        // Lines begin with no closing punctuation and end with no opening one.
        ("今天下雨，路很滑。", 12, "今天下雨，/路很滑。"),
        // Eight characters fit, but the comma must not begin the next line.
        ("我们都在北京路上，走", 16, "我们都在北/京路上，走"),
        ("他说「好」", 6, "他说/「好」"),
        ("我用Linux十年了，很好", 12, "我用Linux十/年了，很好"),
        // Punctuation that scripts share is full width here. Its pairs are not divided.
        ("好……", 4, "好/……"),
        ("好……", 6, "好……"),
        ("“好”吗", 6, "“好”/吗"),
        ("“Go on…”", 8, "“Go on…”"),
    ] {
        // As fast as people speak.
        let duration = 100 * text.chars().count() as u64;
        let cues = cut(&utterance(text, 0, duration), width, 2);
        assert_eq!(texts(&cues), expected, "{text} in {width}");
    }
}

/// Returns the times of cues in milliseconds, as in `0-1000 2000-3500`.
fn times(cues: &[Cue]) -> String {
    let times = cues.iter().map(|cue| {
        let [start, end] = [cue.start, cue.end].map(|time| time.as_millis());
        format!("{start}-{end}")
    });
    times.collect::<Vec<_>>().join(" ")
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
    assert_eq!(texts(&cues), "One two.|Three four.");
    assert_eq!(times(&cues), "1000-2200 6000-9500");
    // Nine of twenty columns.
    let cues = cut(&utterance("One two. Three four.", 1000, 5000), 12, 1);
    assert_eq!(times(&cues), "1000-2800 2800-5500");
}

#[test]
fn a_cue_stays_a_while_unless_the_next_one_begins() {
    let mut cutter = Cutter::new(Style::default());
    for (start, end, next, expected) in [
        // At least a second, half a second behind the word, up to the next one, at most seven.
        (0, 200, None, "0-1000"),
        (2000, 3000, None, "2000-3500"),
        (4000, 5000, Some(5260), "4000-5260"),
        (5260, 5400, Some(5500), "5260-5500"),
        (6000, 20_000, None, "6000-13000"),
        // A cue whose speech begins while another cue stands follows that one.
        (12_900, 14_000, None, "13000-14500"),
        (12_950, 13_000, Some(13_100), "14500-14700"),
    ] {
        let cues = cutter.cut(&utterance("Yes.", start, end), next.map(ms));
        assert_eq!(times(&cues), expected, "{start}-{end}");
    }
    let timeless = Utterance {
        text: "And?".into(),
        ..Utterance::default()
    };
    assert_eq!(times(&cutter.cut(&timeless, None)), "14700-15700");
}

#[test]
fn a_stream_that_begins_anew_follows_the_one_before() {
    let mut cutter = Cutter::new(Style::default());
    let mut cut = |begins: Option<Option<u64>>, at| {
        if let Some(at) = begins {
            cutter.begin_stream(at.map(ms));
        }
        times(&cutter.cut(&utterance("Yes.", at, at + 300), None))
    };
    assert_eq!(cut(None, 10_000), "10000-11000");
    assert_eq!(cut(Some(Some(30_000)), 500), "30000-31000");
    assert_eq!(cut(None, 2500), "32000-33000");
    // Behind the last cue, which stays for a second.
    assert_eq!(cut(Some(None), 0), "33000-34000");
    assert_eq!(cut(Some(None), 50_000), "50000-51000");
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
