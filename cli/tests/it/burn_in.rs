//! `captions --burn-in`: the words are in the picture while they are spoken, and not otherwise.

use std::ops::Range;

use crate::support::cues::play;
use crate::support::script::{response, scripted, utterance};
use crate::support::*;
use serde_json::json;
use volcasr_loopback::Service;

const TEXT: &str = "He might even have been made amiable himself.";

mod tracks;

/// Makes the dark film `talk.mkv` of `picture` tenths of a second with this sound.
fn film(bench: &Bench, picture: usize, sound: &str) {
    let dark = format!(
        "videotestsrc pattern=black num-buffers={picture} ! \
         video/x-raw,width=320,height=180,framerate=10/1 ! jpegenc"
    );
    let line = format!("{dark} ! m. {sound} ! m. matroskamux name=m");
    bench.make("talk.mkv", &line);
}

/// `length` tenths of a second of a tone, from `at` seconds on.
fn tone(length: u32, at: u64) -> String {
    format!(
        "audiotestsrc num-buffers={length} samplesperbuffer=2400 \
         timestamp-offset={at}000000000 ! audio/x-raw,rate=24000,channels=1"
    )
}

/// A service that says this from 1 s to 1.5 s.
fn says(text: &str) -> Service {
    let said = json!([utterance(true, (1000, 1500), text)]);
    let first = response(1800, said.clone());
    scripted(&[(1800, first)], response(3000, said))
}

/// Elements that each test needs.
const MATROSKA: &str = "textoverlay vp8enc";

const BURN: &str = "captions talk.mkv --burn-in out.mkv";

fn source(bench: &Bench, file: &str, kind: &str) -> String {
    let uri = gst::glib::filename_to_uri(bench.path(file), None).expect("a path");
    format!("uridecodebin uri={uri} name=d d. ! {kind}")
}

/// Times of a film's frames in milliseconds, and whether there is something bright in each.
fn bright(bench: &Bench, file: &str) -> Vec<(u64, bool)> {
    let mut frames = Vec::new();
    let line = format!(
        "{} ! videoconvert ! video/x-raw,format=GRAY8 ! appsink name=out sync=false",
        source(bench, file, "video/x-raw")
    );
    play(&line, |sample| {
        let buffer = sample.buffer().expect("a frame");
        let map = buffer.map_readable().expect("a frame");
        let white = map.iter().filter(|pixel| **pixel > 180).count();
        let segment = sample.segment().expect("a segment");
        let segment = segment.downcast_ref::<gst::ClockTime>().expect("times");
        let place = segment.to_stream_time(buffer.pts());
        frames.push((place.expect("a time").mseconds(), white > 40));
    });
    frames
}

fn assert_frames(frames: &[(u64, bool)], expected: &[(Range<u64>, bool)]) {
    for (range, caption) in expected {
        let within: Vec<_> = frames.iter().filter(|(at, _)| range.contains(at)).collect();
        assert!(!within.is_empty(), "no frame in {range:?}: {frames:?}");
        let same = within.iter().all(|(_, bright)| bright == caption);
        assert!(same, "{range:?} {caption}: {frames:?}");
    }
}

/// Returns a film's sound: its length in milliseconds, and its peak.
fn sound(bench: &Bench, file: &str) -> (u64, i16) {
    let (mut bytes, mut peak) = (0, 0);
    let line = format!(
        "{} ! audioconvert ! audioresample ! audio/x-raw,format=S16LE,rate=24000,channels=1 ! \
         appsink name=out sync=false",
        source(bench, file, "audio/x-raw")
    );
    play(&line, |sample| {
        let map = sample.buffer().map(|buffer| buffer.map_readable());
        let map = map.expect("a buffer").expect("samples");
        bytes += map.len() as u64;
        for sample in map.chunks_exact(2) {
            peak = peak.max(i16::from_le_bytes([sample[0], sample[1]]));
        }
    });
    (bytes / 48, peak)
}

#[test]
fn each_container_has_the_words_where_they_are_spoken() {
    needs!(MATROSKA);
    let others = [("mp4", "x264enc avenc_aac"), ("ogv", "theoraenc")];
    for (ending, elements) in [("mkv", MATROSKA), ("webm", MATROSKA)]
        .into_iter()
        .chain(others)
    {
        if let Some(lacking) = lacking(elements) {
            skip(lacking);
            continue;
        }
        let bench = Bench::beside(says(TEXT));
        film(&bench, 30, &tone(30, 0));
        let to = format!("out.{ending}");
        let burn = format!("captions talk.mkv --burn-in {to}");
        let (out, err) = bench.reports(&burn, 0, &[]);
        // A line that openh264enc's library prints at the end of each stream.
        let mut own = err.lines().filter(|l| !l.starts_with("[OpenH264]"));
        assert_eq!((out.trim_end(), own.next()), (TEXT, None), "{ending}");
        let frames = bright(&bench, &to);
        assert!((29..=31).contains(&frames.len()), "{ending}: {frames:?}");
        // A cue stays for half a second.
        let expected = [(0..950, false), (1050..1950, true), (2050..3000, false)];
        assert_frames(&frames, &expected);
        let (length, peak) = sound(&bench, &to);
        assert!((2900..3200).contains(&length), "{ending}: {length}");
        assert!(peak > 8000, "{ending}: {peak}");
        assert_eq!(bench.names(""), [&*to, "talk.mkv"]);
    }
}

/// Chinese is drawn where there is a font for it; where there is none, a warning says so.
#[test]
fn chinese_is_drawn_or_warned_about() {
    needs!(MATROSKA);
    let text = "今天的雨已经停了，路很滑。";
    let bench = Bench::beside(says(text));
    film(&bench, 30, &tone(30, 0));
    let (out, err) = bench.reports(BURN, 0, &[]);
    assert_eq!(out.trim_end(), text);
    let is_warned = err.starts_with("warning: no font has '今'") && err.contains("fonts-noto-cjk");
    assert!(err.is_empty() || is_warned, "{err}");
    let frames = bright(&bench, "out.mkv");
    assert_frames(&frames, &[(0..950, false), (1050..1950, true)]);
}

/// The picture waits meanwhile. Settings and presets are those of the sink.
#[test]
fn a_lost_connection_costs_neither_words_nor_frames() {
    needs!(MATROSKA);
    let bench = Bench::faulty("reset@2s#1");
    let (talk, marks) = bench.raw(3);
    let frames = speech(3).0.len() / 4800;
    film(&bench, frames, &talk);
    let more = "--preset captions --set max-speed=40";
    let lost = ["warning: The connection was lost"];
    let (out, _) = bench.reports(&format!("{BURN} {more}"), 0, &lost);
    assert_eq!(out.lines().count(), 3);
    let burnt = bright(&bench, "out.mkv");
    assert_eq!(burnt.len(), frames);
    for sentence in marks.chunks(3) {
        let said = sentence[0].start + 100..sentence[2].end;
        assert_frames(&burnt, &[(said, true)]);
    }
    let connections = bench.service.connections();
    let request = &connections[0].request.as_ref().expect("a request")["request"];
    assert_eq!(request["end_window_size"], 800);
    assert_eq!(request["result_type"], "single");
}

/// The picture waits for words that do not come: it ends where they do.
#[test]
fn ctrl_c_leaves_a_video_that_can_be_played() {
    needs!(MATROSKA);
    let bench = Bench::beside(says(TEXT));
    film(&bench, 1200, &tone(1200, 0));
    let mut running = Running::start(&mut bench.command(BURN));
    assert_eq!(running.line(), TEXT);
    running.signal("INT");
    let (status, _, err) = running.end();
    assert_eq!(status, 3, "{err}");
    assert!(err.contains("the video ends at"), "{err}");
    let frames = bright(&bench, "out.mkv");
    assert!((1..1190).contains(&frames.len()), "{}", frames.len());
    assert_frames(&frames, &[(0..450, false)]);
    let (length, _) = sound(&bench, "out.mkv");
    let last = frames.last().map_or(0, |(at, _)| *at);
    assert!(length < last + 2000, "{length} {last}");
    assert_eq!(bench.names(""), ["out.mkv", "talk.mkv"]);
}

#[test]
fn a_second_ctrl_c_leaves_no_video() {
    needs!(MATROSKA);
    let bench = Bench::faulty("no-final@finish*");
    film(&bench, 30, &tone(30, 0));
    bench.write("out.mkv", "old");
    let options = "--set finish-timeout=600000 --set max-speed=4";
    let running = Running::start(&mut bench.command(&format!("{BURN} {options}")));
    bench.until(|c| c.audio_bytes > 48_000);
    bench.interrupt_twice(running);
    assert_eq!(bench.text("out.mkv"), "old");
    assert_eq!(bench.names(""), ["out.mkv", "talk.mkv"]);
}

/// Each with its exit status and a part of the error; nothing is left behind, and a file of an
/// earlier run stays.
#[test]
fn what_can_not_be_burnt_in_is_reported() {
    needs!(MATROSKA);
    let bench = Bench::new();
    film(&bench, 10, &tone(10, 0));
    bench.talk("sound.wav", 1);
    let picture = "videotestsrc num-buffers=10 ! video/x-raw,width=64,height=48 ! matroskamux";
    bench.make("mute.mkv", picture);
    bench.write("dir.mkv/file", "");
    for name in ["busy.mkv.part", "old.mkv"] {
        bench.write(name, "of another");
    }
    let cases = [
        ("talk.mkv", "out.avi", 2, "names no container"),
        ("talk.mkv", "talk.mkv", 2, "would be overwritten"),
        ("talk.mkv", "./talk.mkv", 2, "would be overwritten"),
        ("talk.mkv", "none/out.mkv", 1, "No such file"),
        ("talk.mkv", "dir.mkv", 1, "is no file"),
        ("talk.mkv", "busy.mkv", 1, "busy.mkv.part: it is there"),
        ("sound.wav", "old.mkv", 1, "no picture"),
        ("mute.mkv", "old.mkv", 1, "no sound"),
        ("-", "out.mkv", 2, "takes a file"),
        (
            "https://talks.example/talk.mkv",
            "out.mkv",
            2,
            "takes a file",
        ),
    ];
    let unharmed = || {
        let kept = "busy.mkv.part dir.mkv mute.mkv old.mkv sound.wav talk.mkv";
        assert_eq!(bench.names("").join(" "), kept);
        for name in ["busy.mkv.part", "old.mkv"] {
            assert_eq!(bench.text(name), "of another");
        }
    };
    for (from, to, status, text) in cases {
        let burn = format!("captions {from} --burn-in {to}");
        bench.reports(&burn, status, &["error: ", text]);
        unharmed();
    }
    let mut refused = bench.command("captions talk.mkv --burn-in old.mkv");
    let refused = refused.env("VOLCENGINE_ACCESS_KEY", "wrong");
    reports(refused, 1, &["error: ", "HTTP 401"]);
    unharmed();
}
