//! `captions --burn-in`: the words are in the picture while they are spoken, and not otherwise.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::media::{make, play, raw};
use crate::support::program::{Running, reports, run, succeeds, write_wav};
use crate::support::script::{response, scripted, utterance};
use crate::support::*;
use serde_json::json;
use volcasr_loopback::{Options, Service};

/// Elements that write a film of this ending: one of each kind.
#[rustfmt::skip]
const ENDINGS: [(&str, &[&str]); 4] = [
    ("mkv", &["x264enc openh264enc vp8enc theoraenc"]),
    ("webm", &["vp8enc vp9enc"]),
    ("mp4", &["x264enc openh264enc avenc_mpeg4", "avenc_aac fdkaacenc voaacenc lamemp3enc"]),
    ("ogv", &["theoraenc"]),
];

const TEXT: &str = "He might even have been made amiable himself.";

/// Returns what this machine lacks for films of an ending.
fn missing(ending: &str) -> Option<String> {
    init();
    let has = |name: &str| gst::ElementFactory::find(name).is_some();
    let (_, kinds) = ENDINGS.iter().find(|(name, _)| *name == ending)?;
    let mut kinds = kinds.iter().chain(&["textoverlay"]);
    let lacks = kinds.find(|kind| !kind.split(' ').any(has));
    lacks.map(|kind| format!("none of {kind}"))
}

/// Skips a test where no film in Matroska can be made.
macro_rules! needs_films {
    () => {
        if let Some(missing) = missing("mkv") {
            return skip(&missing);
        }
    };
}

mod tracks;

/// Makes a dark film of `picture` tenths of a second with this sound, behind `raw` or a source.
fn film_with(scratch: &Scratch, picture: u32, sound: &str) -> PathBuf {
    let path = scratch.path("talk.mkv");
    make(&format!(
        "matroskamux name=m ! filesink location=\"{}\" \
         videotestsrc pattern=black num-buffers={picture} ! \
         video/x-raw,width=320,height=180,framerate=10/1 ! jpegenc ! m. {sound} ! m.",
        path.display()
    ));
    path
}

/// The same with `sound` tenths of a second of a tone from `at` seconds on.
fn film_from(scratch: &Scratch, picture: u32, sound: u32, at: u64) -> PathBuf {
    let tone = format!(
        "audiotestsrc num-buffers={sound} samplesperbuffer=2400 timestamp-offset={at}000000000 ! \
         audio/x-raw,rate=24000,channels=1"
    );
    film_with(scratch, picture, &tone)
}

fn film(scratch: &Scratch, picture: u32, sound: u32) -> PathBuf {
    film_from(scratch, picture, sound, 0)
}

/// A service that says this from 1 s to 1.5 s.
fn says(text: &str) -> Service {
    let said = json!([utterance(true, (1000, 1500), text)]);
    let first = response(1800, said.clone());
    scripted(&[(1800, first)], response(3000, said))
}

fn command(service: &Service, from: &Path, to: &Path) -> Command {
    let mut command = program::command("captions", service);
    command.arg(from).arg("--burn-in").arg(to);
    command
}

fn source(file: &Path, kind: &str) -> String {
    let uri = gst::glib::filename_to_uri(file, None).expect("a path");
    format!("uridecodebin uri={uri} name=d d. ! {kind}")
}

/// Times of a film's frames in milliseconds, and whether there is something bright in each.
fn bright(file: &Path) -> Vec<(u64, bool)> {
    let mut frames = Vec::new();
    let line = format!(
        "{} ! videoconvert ! video/x-raw,format=GRAY8 ! appsink name=out sync=false",
        source(file, "video/x-raw")
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
fn sound(file: &Path) -> (u64, i16) {
    let (mut bytes, mut peak) = (0, 0);
    let line = format!(
        "{} ! audioconvert ! audioresample ! audio/x-raw,format=S16LE,rate=24000,channels=1 ! \
         appsink name=out sync=false",
        source(file, "audio/x-raw")
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

fn assert_only(scratch: &Scratch, names: &[&str]) {
    let listed = std::fs::read_dir(scratch.path("")).expect("a directory");
    let mut found: Vec<_> = listed
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    found.sort();
    assert_eq!(found, names);
}

#[test]
fn each_container_has_the_words_where_they_are_spoken() {
    for (ending, _) in ENDINGS {
        if let Some(missing) = missing(ending) {
            skip(&format!(".{ending}: {missing}"));
            continue;
        }
        let scratch = Scratch::new(&format!("burn-{ending}"));
        let from = film(&scratch, 30, 30);
        let to = scratch.path(&format!("out.{ending}"));
        let (status, out, err) = run(&mut command(&says(TEXT), &from, &to));
        // A line that openh264enc's library prints at the end of each stream.
        let mut own = err.lines().filter(|l| !l.starts_with("[OpenH264]"));
        assert_eq!((status, own.next()), (0, None), "{ending}");
        assert_eq!(out.trim_end(), TEXT, "{ending}");
        let frames = bright(&to);
        assert!((29..=31).contains(&frames.len()), "{ending}: {frames:?}");
        // A cue stays for half a second.
        let expected = [(0..950, false), (1050..1950, true), (2050..3000, false)];
        assert_frames(&frames, &expected);
        let (length, peak) = sound(&to);
        assert!((2900..3200).contains(&length), "{ending}: {length}");
        assert!(peak > 8000, "{ending}: {peak}");
        assert_only(&scratch, &[&format!("out.{ending}"), "talk.mkv"]);
    }
}

/// Chinese is drawn where there is a font for it; where there is none, the user learns of it.
#[test]
fn chinese_is_drawn_or_warned_about() {
    needs_films!();
    let scratch = Scratch::new("burn-chinese");
    let from = film(&scratch, 30, 30);
    let to = scratch.path("out.mkv");
    let text = "今天的雨已经停了，路很滑。";
    let (out, err) = reports(&mut command(&says(text), &from, &to), 0, &[]);
    assert_eq!(out.trim_end(), text);
    let is_warned = err.starts_with("warning: no font has '今'") && err.contains("fonts-noto-cjk");
    assert!(err.is_empty() || is_warned, "{err}");
    assert_frames(&bright(&to), &[(0..950, false), (1050..1950, true)]);
}

/// The picture waits meanwhile. Settings and presets are those of the sink.
#[test]
fn a_lost_connection_costs_neither_words_nor_frames() {
    needs_films!();
    let scratch = Scratch::new("burn-reset");
    let (pcm, marks) = speech(3);
    let talk = scratch.path("talk.raw");
    std::fs::write(&talk, &pcm).expect("a temporary file");
    let frames = pcm.len() / 4800;
    let from = film_with(&scratch, u32::try_from(frames).expect("few"), &raw(&talk));
    let service = service(faulty(&["reset@2s#1"]));
    let to = scratch.path("out.mkv");
    let more = ["--preset", "captions", "--set", "max-speed=40"];
    let lost = ["warning: The connection was lost"];
    let (out, _) = reports(command(&service, &from, &to).args(more), 0, &lost);
    assert_eq!(out.lines().count(), 3);
    let burnt = bright(&to);
    assert_eq!(burnt.len(), frames);
    for sentence in marks.chunks(3) {
        let said = sentence[0].start + 100..sentence[2].end;
        assert_frames(&burnt, &[(said, true)]);
    }
    let connections = service.connections();
    let request = &connections[0].request.as_ref().expect("a request")["request"];
    assert_eq!(request["end_window_size"], 800);
    assert_eq!(request["result_type"], "single");
}

/// The picture waits for words that do not come: it ends where they do.
#[test]
fn ctrl_c_leaves_a_video_that_can_be_played() {
    needs_films!();
    let scratch = Scratch::new("burn-ctrl-c");
    let from = film(&scratch, 1200, 1200);
    let to = scratch.path("out.mkv");
    let service = says(TEXT);
    let mut running = Running::start(&mut command(&service, &from, &to));
    assert_eq!(running.line(), TEXT);
    running.signal("INT");
    let (status, _, err) = running.end();
    assert_eq!(status, 3, "{err}");
    assert!(err.contains("the video ends at"), "{err}");
    let frames = bright(&to);
    assert!((1..1190).contains(&frames.len()), "{}", frames.len());
    assert_frames(&frames, &[(0..450, false)]);
    let (length, _) = sound(&to);
    let last = frames.last().map_or(0, |(at, _)| *at);
    assert!(length < last + 2000, "{length} {last}");
    assert_only(&scratch, &["out.mkv", "talk.mkv"]);
}

#[test]
fn a_second_ctrl_c_leaves_no_video() {
    needs_films!();
    let scratch = Scratch::new("burn-quit");
    let from = film(&scratch, 30, 30);
    let to = scratch.path("out.mkv");
    std::fs::write(&to, "old").expect("a temporary file");
    let service = service(faulty(&["no-final@finish*"]));
    let mut command = command(&service, &from, &to);
    let options = ["--set", "finish-timeout=600000", "--set", "max-speed=4"];
    let running = Running::start(command.args(options));
    until_connection(&service, |c| c.audio_bytes > 48_000);
    running.signal("INT");
    // The first one was taken: two at once may come as one.
    until_connection(&service, |c| c.finish_at.is_some());
    running.signal("INT");
    let (status, _, err) = running.end();
    assert_eq!(status, 130, "{err}");
    assert_eq!(std::fs::read_to_string(&to).expect("the old file"), "old");
    assert_only(&scratch, &["out.mkv", "talk.mkv"]);
}

/// Each with its exit status and a part of the error; nothing is left behind, and a file of an
/// earlier run stays.
#[test]
fn what_can_not_be_burnt_in_is_reported() {
    needs_films!();
    let scratch = Scratch::new("burn-errors");
    film(&scratch, 10, 10);
    let path = |name: &str| scratch.path(name).display().to_string();
    write_wav(&scratch.path("sound.wav"), 24_000, &speech(1).0);
    make(&format!(
        "videotestsrc num-buffers=10 ! video/x-raw,width=64,height=48 ! matroskamux ! \
         filesink location=\"{}\"",
        path("mute.mkv")
    ));
    std::fs::create_dir(scratch.path("dir.mkv")).expect("a temporary directory");
    for name in ["busy.mkv.part", "old.mkv"] {
        std::fs::write(scratch.path(name), "of another").expect("a temporary file");
    }
    let service = service(Options::default());
    let cases = [
        ("talk.mkv", "out.avi", 2, "names no container"),
        ("talk.mkv", "talk.mkv", 2, "would be overwritten"),
        ("talk.mkv", "./talk.mkv", 2, "would be overwritten"),
        ("talk.mkv", "none/out.mkv", 1, "No such file"),
        ("talk.mkv", "dir.mkv", 1, "is no file"),
        ("talk.mkv", "busy.mkv", 1, "busy.mkv.part: it is there"),
        ("sound.wav", "old.mkv", 1, "no picture"),
        ("mute.mkv", "old.mkv", 1, "no sound"),
    ];
    let unharmed = || {
        let kept = "busy.mkv.part dir.mkv mute.mkv old.mkv sound.wav talk.mkv";
        assert_only(&scratch, &kept.split(' ').collect::<Vec<_>>());
        for name in ["busy.mkv.part", "old.mkv"] {
            let other = std::fs::read_to_string(scratch.path(name));
            assert_eq!(other.expect("another's file"), "of another");
        }
    };
    let burn = |from: &str, to: &str| command(&service, path(from).as_ref(), path(to).as_ref());
    for (from, to, expected, text) in cases {
        reports(&mut burn(from, to), expected, &["error: ", text]);
        unharmed();
    }
    let mut refused = burn("talk.mkv", "old.mkv");
    let refused = refused.env("VOLCENGINE_ACCESS_KEY", "wrong");
    reports(refused, 1, &["error: ", "HTTP 401"]);
    unharmed();
    for input in ["-", "https://talks.example/talk.mkv"] {
        let mut command = command(&service, input.as_ref(), path("out.mkv").as_ref());
        reports(&mut command, 2, &["takes a file"]);
    }
}
