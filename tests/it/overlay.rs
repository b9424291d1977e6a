//! `examples/overlay.py`: the words are in the picture, while they are spoken and not otherwise.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use crate::common::program::{Running, plugin, python_with_gst};
use crate::common::scratch::Scratch;
use crate::common::skip::skip;
use crate::common::{LONG, heavy, init, wait_until};
use gst::prelude::*;
use serde_json::{Value, json};
use volcasr_loopback::{At, Options, Recogniser, Script, Send, Service};

/// Returns the name of a dependency that this machine lacks.
fn missing() -> Option<String> {
    init();
    let textoverlay = gst::ElementFactory::find("textoverlay").is_none();
    let missing = textoverlay.then(|| "no textoverlay (gstreamer1.0-x)".to_owned());
    python_with_gst().err().or(missing)
}

fn command(service: &Service, arguments: &[&str]) -> Command {
    let mut command = Command::new(python_with_gst().expect("looked for before"));
    command
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/overlay.py"))
        .args(arguments)
        .env("GST_PLUGIN_PATH", plugin())
        .env("VOLCENGINE_APP_ID", "app-1")
        .env("VOLCENGINE_ACCESS_KEY", "secret-access-key")
        .env_remove("VOLCENGINE_API_KEY")
        .env("VOLCASR_URI", service.uri());
    command
}

fn overlay(service: &Service, arguments: &[&str]) -> Output {
    command(service, arguments).output().expect("Python")
}

fn assert_good(output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{said}", output.status);
    assert!(!said.contains("error"), "{said}");
}

/// Plays to the end, and hands each sample of the sink `out` to `take`.
fn play(description: &str, mut take: impl FnMut(&gst::BufferRef)) {
    let pipeline = gst::parse::launch(description).expect(description);
    let pipeline = pipeline.downcast::<gst::Pipeline>().expect("a pipeline");
    pipeline.set_state(gst::State::Playing).expect(description);
    if let Some(sink) = pipeline.by_name("out") {
        let sink = sink.downcast::<gst_app::AppSink>().expect("an appsink");
        while let Ok(sample) = sink.pull_sample() {
            take(sample.buffer().expect("a buffer"));
        }
    }
    let end = pipeline.bus().expect("a bus").timed_pop_filtered(
        gst::ClockTime::try_from(LONG).expect("short"),
        &[gst::MessageType::Eos, gst::MessageType::Error],
    );
    assert!(
        end.as_ref()
            .is_some_and(|m| m.type_() == gst::MessageType::Eos),
        "{description}: {end:?}"
    );
    pipeline.set_state(gst::State::Null).expect("NULL");
}

/// The times of a file's frames, in milliseconds, and whether there is something bright in each:
/// the pictures here are dark.
fn bright(file: &Path) -> Vec<(u64, bool)> {
    let mut frames = Vec::new();
    let uri = gst::glib::filename_to_uri(file, None).expect("a path");
    let description = format!(
        "uridecodebin uri={uri} caps=video/x-raw ! videoconvert ! video/x-raw,format=GRAY8 ! appsink name=out sync=false"
    );
    play(&description, |buffer| {
        let map = buffer.map_readable().expect("a frame");
        let white = map.iter().filter(|pixel| **pixel > 180).count();
        frames.push((buffer.pts().expect("a time").mseconds(), white > 40));
    });
    frames
}

/// Every frame in the ranges is as it says.
fn assert_frames(frames: &[(u64, bool)], expected: &[(std::ops::Range<u64>, bool)]) {
    for (range, caption) in expected {
        let within: Vec<_> = frames.iter().filter(|(at, _)| range.contains(at)).collect();
        assert!(!within.is_empty(), "no frame in {range:?}: {frames:?}");
        assert!(
            within.iter().all(|(_, bright)| bright == caption),
            "{range:?} {caption}: {frames:?}"
        );
    }
}

fn said(definite: bool, text: &str) -> Value {
    let utterance =
        json!({"definite": definite, "start_time": 1000, "end_time": 1500, "text": text});
    json!({"audio_info": {"duration": 1800}, "result": {"utterances": [utterance]}})
}

fn scripted(steps: &[(At, Send)]) -> Service {
    let script = steps
        .iter()
        .cloned()
        .fold(Script::default(), |script, (at, send)| {
            script.step(at, send)
        });
    let service = Service::start(Options {
        recogniser: Recogniser::Scripted(script),
        ..Options::default()
    });
    service.expect("a free port on 127.0.0.1")
}

/// Known only at the end, and yet in the middle of the picture.
#[test]
fn a_file_is_captioned_where_it_was_spoken() {
    let _permit = heavy();
    if let Some(missing) = missing() {
        return skip(&missing);
    }
    let scratch = Scratch::new("overlay-file");
    let (from, to) = (scratch.path("talk.mkv"), scratch.path("captioned.mkv"));
    play(
        &format!(
            "matroskamux name=m ! filesink location={} videotestsrc pattern=black num-buffers=30 ! \
             video/x-raw,width=320,height=180,framerate=10/1 ! jpegenc ! m. audiotestsrc num-buffers=150 \
             samplesperbuffer=480 ! audio/x-raw,rate=24000,channels=1 ! m.",
            from.display()
        ),
        |_| {},
    );
    // What pango would take for markup is a text.
    let service = scripted(&[(
        At::Finish,
        Send::Last(said(true, "WORDS & <MORE>").to_string()),
    )]);
    let paths = [&from, &to].map(|path| path.to_str().expect("a plain path"));
    let output = overlay(&service, &[paths[0], "--output", paths[1]]);
    assert_good(&output);
    assert!(
        !String::from_utf8_lossy(&output.stderr).contains("Pango"),
        "{output:?}"
    );
    let frames = bright(&to);
    // It stays for half a second.
    assert_frames(
        &frames,
        &[(0..950, false), (1050..1950, true), (2050..3000, false)],
    );
}

/// The muxer is told only at the film's end that no more sound comes; until then the picture has to
/// go somewhere.
#[test]
fn sound_may_end_long_before_the_picture() {
    let _permit = heavy();
    if let Some(missing) = missing() {
        return skip(&missing);
    }
    let scratch = Scratch::new("overlay-short-sound");
    let (from, to) = (scratch.path("talk.mkv"), scratch.path("captioned.mkv"));
    play(
        &format!(
            "matroskamux name=m ! filesink location={} videotestsrc pattern=black num-buffers=600 ! \
             video/x-raw,width=160,height=90,framerate=10/1 ! jpegenc ! m. audiotestsrc num-buffers=20 \
             samplesperbuffer=2400 ! audio/x-raw,rate=24000,channels=1 ! m.",
            from.display()
        ),
        |_| {},
    );
    let service = scripted(&[(At::Finish, Send::Last(said(true, "WORDS").to_string()))]);
    let paths = [&from, &to].map(|path| path.to_str().expect("a plain path"));
    assert_good(&overlay(&service, &[paths[0], "--output", paths[1]]));
    assert_eq!(bright(&to).len(), 600);
}

/// The picture is late enough for its words, and the last ones are there, too.
#[test]
fn a_live_picture_waits_for_its_words() {
    let _permit = heavy();
    if let Some(missing) = missing() {
        return skip(&missing);
    }
    let scratch = Scratch::new("overlay-live");
    let to = scratch.path("captioned.mkv");
    // The answer comes when 1.8 s were heard, far behind the words; it is final only at the end.
    let service = scripted(&[
        (
            At::Audio(Duration::from_millis(1800)),
            Send::Json(said(false, "WORDS").to_string()),
        ),
        (At::Finish, Send::Last(said(true, "WORDS").to_string())),
    ]);
    let arguments = [
        "--test",
        "--seconds",
        "2.6",
        "--delay",
        "2",
        "--output",
        to.to_str().expect("a plain path"),
    ];
    assert_good(&overlay(&service, &arguments));
    let frames = bright(&to);
    // A live source's times begin at its start, give or take what starting takes.
    assert_frames(&frames, &[(0..700, false), (1300..1700, true)]);
}

/// A film of so many seconds, whose picture takes an encoder a while.
fn film(path: &Path, seconds: u32) {
    play(
        &format!(
            "matroskamux name=m ! filesink location={} videotestsrc num-buffers={} ! \
             video/x-raw,width=640,height=360,framerate=25/1 ! jpegenc ! m. audiotestsrc num-buffers={} \
             samplesperbuffer=2400 ! audio/x-raw,rate=24000,channels=1 ! m.",
            path.display(),
            seconds * 25,
            seconds * 10,
        ),
        |_| {},
    );
}

/// How long a file says that it is, which is written when it is closed.
fn duration(file: &Path) -> Option<gst::ClockTime> {
    let uri = gst::glib::filename_to_uri(file, None).expect("a path");
    let description = format!("uridecodebin uri={uri} caps=video/x-raw ! fakesink");
    let pipeline = gst::parse::launch(&description).expect("a player");
    pipeline.set_state(gst::State::Paused).expect("PAUSED");
    let (there, ..) = pipeline.state(gst::ClockTime::try_from(LONG).expect("short"));
    there.expect("a frame");
    let duration = pipeline.query_duration();
    pipeline.set_state(gst::State::Null).expect("NULL");
    duration
}

/// It is no success: a script must not take half a film for the whole.
#[test]
fn interrupted_it_says_so() {
    let _permit = heavy();
    if let Some(missing) = missing() {
        return skip(&missing);
    }
    let scratch = Scratch::new("overlay-interrupted");
    let (from, to) = (scratch.path("talk.mkv"), scratch.path("captioned.mkv"));
    film(&from, 20);
    let paths = [&from, &to].map(|path| path.to_str().expect("a plain path"));
    let arguments = [paths[0], "--output", paths[1]];

    // In the first pass, while it hears; and again while it waits for the last words, which never
    // come.
    for signals in [&["TERM"][..], &["INT", "TERM"]] {
        let endless = (signals.len() > 1).then(|| "no-final@finish*".parse().expect("a fault"));
        let service = Service::start(Options {
            recogniser: Recogniser::Silent,
            faults: endless.into_iter().collect(),
            ..Options::default()
        });
        let service = service.expect("a free port");
        let running = Running::start(&mut command(&service, &arguments));
        assert!(service.wait(LONG, |all| all.iter().any(|c| c.audio_bytes > 0)));
        running.signal(signals[0]);
        for signal in &signals[1..] {
            assert!(service.wait(LONG, |all| all.iter().any(|c| c.finish_at.is_some())));
            running.signal(signal);
        }
        let (status, _, said) = running.end();
        assert_eq!(status, 130, "{signals:?}: {said}");
        assert!(!to.exists(), "{signals:?}");
    }

    // In the second: what there is of the film can be played, and is closed.
    let service = scripted(&[(At::Finish, Send::Last(said(true, "WORDS").to_string()))]);
    let running = Running::start(&mut command(&service, &arguments));
    wait_until("frames in the file", || {
        std::fs::metadata(&to).is_ok_and(|file| file.len() > 0)
    });
    running.signal("INT");
    let (status, _, said) = running.end();
    assert_eq!(status, 130, "{said}");
    let length = duration(&to).expect("a film that was closed");
    let whole = gst::ClockTime::from_seconds(19);
    assert!(!length.is_zero() && length < whole, "{length}");
    assert!(!bright(&to).is_empty());
    std::fs::remove_file(&to).expect("it was there");
}

#[test]
fn what_cannot_be_done_is_said() {
    let _permit = heavy();
    if let Some(missing) = missing() {
        return skip(&missing);
    }
    let service = scripted(&[]);
    for (arguments, text) in [
        (&["talk.nowhere"][..], "no such file: talk.nowhere"),
        (
            &["--test", "--output", "x.avi"],
            "must end in one of .mkv, .webm, .mp4",
        ),
        (&["--test", "--delay", "-1"], "must not be negative"),
    ] {
        let output = overlay(&service, arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && said.contains(text),
            "{arguments:?}: {said}"
        );
        assert!(!said.contains("Traceback"), "{said}");
    }
    // The service's refusal is the sink's error, and the first on the bus.
    let refusing = Service::start(Options {
        app_keys: vec!["another".into()],
        ..Options::default()
    });
    let scratch = Scratch::new("overlay-refused");
    let to = scratch.path("x.mkv");
    let to = to.to_str().expect("a plain path");
    let output = overlay(
        &refusing.expect("a free port"),
        &["--test", "--seconds", "20", "--output", to],
    );
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && said.contains("HTTP 401"),
        "{said}"
    );
}
