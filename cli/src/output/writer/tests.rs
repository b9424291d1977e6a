//! Transcripts as text, SubRip, WebVTT and JSON.

#[path = "../../../tests/it/support/cues.rs"]
mod cues;

use super::{Format, Looks, Writer, line};
use crate::output::transcript::{Times, Transcript, example as transcript};

const ALL: [Format; 5] = [
    Format::Txt,
    Format::Srt,
    Format::Vtt,
    Format::Json,
    Format::Jsonl,
];

fn written(format: Format, transcripts: &[Transcript]) -> String {
    let mut writer = Writer::new(format, Looks::default(), Vec::new()).expect("memory");
    for (n, transcript) in transcripts.iter().enumerate() {
        let next = transcripts.get(n + 1);
        writer.write(transcript, next).expect("memory");
    }
    writer.finish().expect("memory");
    String::from_utf8(writer.into_inner()).expect("UTF-8")
}

/// Texts that could be taken for something else, and how SubRip and WebVTT show them.
const ODD: [(&str, &str, &str); 13] = [
    ("Plain.", "Plain.", "Plain."),
    (
        "深度学习，真的吗？",
        "深度学习，真的吗？",
        "深度学习，真的吗？",
    ),
    ("two\nlines", "two lines", "two lines"),
    ("blank\n\n\r\nlines\n", "blank lines", "blank lines"),
    (
        "R&D <fast> </b> 1 < 2 > 0 <",
        "R&D ‹fast> ‹/b> 1 < 2 > 0 <",
        "R&D <fast> </b> 1 < 2 > 0 <",
    ),
    ("an --> arrow", "an -> arrow", "an --> arrow"),
    ("12", "12", "12"),
    (
        "{\\an8}up there {\\i1}{x}",
        "｛\\an8}up there ｛\\i1}{x}",
        "{\\an8}up there {\\i1}{x}",
    ),
    ("{a} \\N {}", "{a} \\N {}", "{a} \\N {}"),
    ("\u{1b}[2Jcontrol\u{7}", "[2Jcontrol", "[2Jcontrol"),
    ("WEBVTT", "WEBVTT", "WEBVTT"),
    ("NOTE that", "NOTE that", "NOTE that"),
    (
        "00:00:01,000 --> 00:00:02,000",
        "00:00:01,000 -> 00:00:02,000",
        "00:00:01,000 --> 00:00:02,000",
    ),
];

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&apos;", "'")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
}

/// GStreamer's parser reads all texts as they were, special characters included. It gives them in
/// Pango's markup, and escapes once more the characters that WebVTT has escaped already.
#[test]
fn texts_survive() {
    gst::init().expect("GStreamer");
    let transcripts: Vec<Transcript> = (0..)
        .zip(ODD)
        .map(|(n, (text, ..))| transcript(n, text, u64::from(n) * 2000, 1500))
        .collect();
    let read = |format: Format| -> Vec<String> {
        let name = format!(
            "volcasr-texts-{}.{}",
            std::process::id(),
            format.extension()
        );
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, written(format, &transcripts)).expect("a temporary file");
        let cues = cues::read(&path);
        std::fs::remove_file(&path).expect("the file");
        for (n, cue) in (0..).zip(&cues) {
            assert_eq!((cue.start, cue.end), (n * 2000, n * 2000 + 2000), "{cue:?}");
        }
        cues.iter().map(|cue| unescape(&cue.text)).collect()
    };
    let srt = read(Format::Srt);
    assert_eq!(srt, ODD.map(|(_, srt, _)| srt));
    let vtt: Vec<String> = read(Format::Vtt)
        .iter()
        .map(|text| unescape(text))
        .collect();
    assert_eq!(vtt, ODD.map(|(_, _, vtt)| vtt));
}

#[test]
fn each_format_in_full() {
    let mut two = [
        transcript(0, "One.", 3_723_004, 1000),
        transcript(1, "a --> b & <c>\n\nd", 360_000_000, 2000),
    ];
    two[1].attributes = [("speaker_id".to_owned(), "1".to_owned())].into();
    assert_eq!(
        written(Format::Srt, &two),
        "1\n01:02:03,004 --> 01:02:04,504\nOne.\n\n\
         2\n100:00:00,000 --> 100:00:02,500\nSpeaker 1: a -> b & ‹c> d\n\n"
    );
    assert_eq!(
        written(Format::Vtt, &two),
        "WEBVTT\n\n01:02:03.004 --> 01:02:04.504\nOne.\n\n\
         100:00:00.000 --> 100:00:02.500\n<v Speaker 1>a --&gt; b &amp; &lt;c&gt; d\n\n"
    );
    assert_eq!(
        written(Format::Txt, &two),
        "One.\nSpeaker 1: a --> b & <c> d\n"
    );
    assert_eq!(
        line(&two[1], "d", Some(360_000_000_000_000)),
        "[100:00:00.000] Speaker 1: d",
        "with its time"
    );
}

/// More than a screen holds is cut, by the words' times.
#[test]
fn a_long_utterance_is_several_cues() {
    let words: Vec<String> = (0..40).map(|n| format!("word{n:02} ")).collect();
    let mut long = transcript(0, words.concat().trim(), 0, 40_000);
    long.words = (0..40)
        .zip(&words)
        .map(|(n, word)| crate::output::transcript::Word {
            text: word.clone(),
            times: Times {
                stream_time: Some(n * 1_000_000_000),
                duration: Some(900_000_000),
                ..Times::default()
            },
        })
        .collect();
    let srt = written(Format::Srt, &[long]);
    let lines: Vec<&str> = srt.lines().collect();
    assert!(lines.len() > 4 * 5, "{srt}");
    assert!(lines.iter().all(|line| line.len() <= 42), "{srt}");
    // Each cue begins with the word that begins then.
    assert_eq!(
        srt.matches(" --> ").count(),
        srt.matches(",000 --> ").count()
    );
}

#[test]
fn a_json_document_is_whole_at_any_moment() {
    let mut writer = Writer::new(Format::Json, Looks::default(), Vec::new()).expect("memory");
    for n in 0..3 {
        let text = String::from_utf8(writer.out.clone()).expect("UTF-8");
        let json: serde_json::Value = serde_json::from_str(&text).expect("a document");
        assert_eq!(json["utterances"].as_array().map(Vec::len), Some(n));
        let one = transcript(n as u32, "Hm.", 0, 1000);
        writer.write(&one, None).expect("memory");
    }
}

/// Nothing is said: nothing is written, not even a number.
#[test]
fn empty_texts_are_no_cues() {
    let texts = ["", " ", "\n", "\u{7}"];
    let empty = texts.map(|text| transcript(0, text, 0, 100));
    for format in ALL {
        assert_eq!(written(format, &empty), written(format, &[]), "{format:?}");
    }
    let around = [empty[0].clone(), transcript(1, "Hm.", 0, 1000)];
    assert!(written(Format::Srt, &around).starts_with("1\n"));
}

/// As `concat` plays them: each begins at 0, and the running time goes on.
#[test]
fn streams_in_a_row_follow_one_another() {
    let in_stream = |stream, start, running: Option<u64>| {
        let mut one = transcript(0, "Hm.", start, 1000);
        one.stream = stream;
        one.times.running_time = running.map(|ms| ms * 1_000_000);
        one
    };
    let cues = [
        in_stream(0, 200, Some(200)),
        in_stream(0, 5000, Some(5000)),
        in_stream(1, 300, Some(8300)),
        in_stream(1, 2000, Some(10_000)),
        in_stream(2, 100, None),
    ];
    let written = written(Format::Vtt, &cues);
    let starts: Vec<&str> = written
        .lines()
        .filter_map(|line| line.split_once(" --> "))
        .map(|(start, _)| start)
        .collect();
    assert_eq!(
        starts,
        [
            "00:00:00.200",
            "00:00:05.000",
            "00:00:08.300",
            "00:00:10.000",
            "00:00:11.500"
        ]
    );
}

#[test]
fn json_says_what_is_known() {
    let mut one = transcript(3, "Hm.", 1, 2);
    one.times.running_time = None;
    one.attributes = [("speaker_id".to_owned(), "1".to_owned())].into();
    let json = written(Format::Jsonl, &[one]);
    assert_eq!(
        json,
        "{\"text\":\"Hm.\",\"final\":true,\"unconfirmed\":false,\"utterance\":3,\
         \"stream\":0,\"session\":0,\
         \"timestamp\":1000000,\"stream-time\":1000000,\"duration\":2000000,\"words\":[],\
         \"attributes\":{\"speaker_id\":\"1\"}}\n"
    );
}

/// Each utterance is one write, so that no reader finds half of one.
#[test]
fn an_utterance_is_one_write() {
    #[derive(Default)]
    struct Writes(usize);
    impl std::io::Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += 1;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    impl super::Place for Writes {
        fn step_back(&mut self, _: usize) -> std::io::Result<bool> {
            Ok(true)
        }
    }
    for format in ALL {
        let looks = Looks::default();
        let mut writer = Writer::new(format, looks, Writes::default()).expect("memory");
        let head = writer.out.0;
        for n in 0..3 {
            writer
                .write(&transcript(n, "Two\nlines.", 0, 1000), None)
                .expect("memory");
        }
        assert_eq!(writer.into_inner().0, 3 + head, "{format:?}");
    }
}

/// One cue of a subtitle file: milliseconds and lines.
type Shown<'a> = ((u64, u64), Vec<&'a str>);

/// Reads what this program writes, of either kind.
fn shown(text: &str) -> Vec<Shown<'_>> {
    let ms = |clock: &str| {
        let parts = clock.split([':', '.', ',']);
        let parts = parts.map(|part| part.parse().expect("a number"));
        let parts: Vec<u64> = parts.collect();
        ((parts[0] * 60 + parts[1]) * 60 + parts[2]) * 1000 + parts[3]
    };
    let records = text.split("\n\n").filter(|record| record.contains(" --> "));
    records
        .map(|record| {
            let mut lines = record.lines().skip_while(|line| !line.contains(" --> "));
            let times = lines.next().and_then(|line| line.split_once(" --> "));
            let (start, end) = times.expect("its times");
            ((ms(start), ms(end)), lines.collect())
        })
        .collect()
}

fn without_spaces(text: &str) -> String {
    text.split_whitespace().collect()
}

proptest::prop_compose! {
    fn any_talk()(
        parts in proptest::collection::vec(
            (
                proptest::option::of("[1-4]"),
                "(([a-z]{1,9}[,.]? ){1,4}|[今天下雨路很滑]{1,9}[，。]){1,8}",
                0u64..4000,
                100u64..9000,
            ),
            1..6,
        ),
    ) -> Vec<Transcript> {
        let mut start = 0;
        let parts = parts.into_iter().enumerate();
        parts
            .map(|(n, (speaker, text, gap, long))| {
                start += gap;
                let mut one = transcript(u32::try_from(n).expect("few"), &text, start, long);
                let id = speaker.map(|id| ("speaker_id".to_owned(), id));
                one.attributes.extend(id);
                start += long;
                one
            })
            .collect()
    }
}

proptest::proptest! {
    /// Speakers take columns in SubRip, and none in WebVTT. Utterances follow one another.
    #[test]
    fn subtitles_keep_texts_speakers_sizes_and_order(
        talk in any_talk(),
        width in 10usize..60,
        count in 1usize..4,
    ) {
        use unicode_width::UnicodeWidthStr;
        let looks = Looks { max_line_width: width, max_line_count: count, ..Looks::default() };
        for format in [Format::Srt, Format::Vtt] {
            let mut writer = Writer::new(format, looks, Vec::new()).expect("memory");
            for (n, one) in talk.iter().enumerate() {
                writer.write(one, talk.get(n + 1)).expect("memory");
            }
            let text = String::from_utf8(writer.into_inner()).expect("UTF-8");
            let mut last = 0;
            let (mut words, mut speakers) = (String::new(), Vec::new());
            for ((start, end), lines) in shown(&text) {
                proptest::prop_assert!(start >= last && end > start, "{}", text);
                last = end;
                proptest::prop_assert!((1..=count).contains(&lines.len()), "{}", text);
                let voice = lines[0].strip_prefix("<v ").and_then(|rest| rest.split_once('>'));
                speakers.extend(voice.map(|(name, _)| name.to_owned()));
                for (place, line) in lines.iter().enumerate() {
                    let line = match voice {
                        Some((_, rest)) if place == 0 => rest,
                        _ => line,
                    };
                    proptest::prop_assert!(line.width() <= width, "{} {}", line, width);
                    words += line;
                }
            }
            speakers.dedup();
            let said = |one: &Transcript| match (format, one.speaker()) {
                (Format::Srt, Some(speaker)) => format!("{speaker}: {}", one.text),
                _ => one.text.clone(),
            };
            let expected: String = talk.iter().map(said).collect();
            proptest::prop_assert_eq!(without_spaces(&words), without_spaces(&expected));
            if format == Format::Vtt {
                let mut expected: Vec<_> = talk.iter().filter_map(Transcript::speaker).collect();
                expected.dedup();
                proptest::prop_assert_eq!(speakers, expected);
            }
        }
    }
}
