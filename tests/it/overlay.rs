//! `examples/overlay.py`: the words are in the picture, while they are spoken and not otherwise.

use std::path::Path;
use std::process::Command;

use crate::common::program::{Running, give_credentials, plugin, python_with_gst, run};
use crate::common::scratch::Scratch;
use crate::common::script::scripted;
use crate::common::skip::skip;
use crate::common::*;
use gst::prelude::*;
use serde_json::{Value, json};
use volcasr_loopback::{Options, Recogniser, Service};

/// Returns the name of a dependency that this machine lacks.
fn missing() -> Option<String> {
    init();
    let textoverlay = gst::ElementFactory::find("textoverlay").is_none();
    let missing = textoverlay.then(|| "no textoverlay (gstreamer1.0-x)".to_owned());
    python_with_gst().err().or(missing)
}

/// Runs a test alone with few others, in a directory for a film and its captioned copy.
fn with_films(name: &str, test: impl FnOnce(&Path, &Path)) {
    let _permit = heavy();
    if let Some(missing) = missing() {
        return skip(&missing);
    }
    let scratch = Scratch::new(&format!("overlay-{name}"));
    test(&scratch.path("talk.mkv"), &scratch.path("captioned.mkv"));
}

fn command(service: &Service, arguments: &[&str]) -> Command {
    let mut command = Command::new(python_with_gst().expect("looked for before"));
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/overlay.py");
    give_credentials(&mut command, service);
    command
        .env("GST_PLUGIN_PATH", plugin())
        .arg(program)
        .args(arguments);
    command
}

/// Runs it to its good end. Returns what it says.
fn overlay(service: &Service, arguments: &[&str]) -> String {
    let (status, _, said) = run(&mut command(service, arguments));
    assert_eq!(status, 0, "{said}");
    assert!(!said.contains("error"), "{said}");
    said
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

fn frames_of(file: &Path) -> Vec<(u64, bool)> {
    let uri = gst::glib::filename_to_uri(file, None).expect("a path");
    bright(&format!(
        "uridecodebin uri={uri} caps=video/x-raw ! videoconvert ! video/x-raw,format=GRAY8 ! \
         appsink name=out sync=false"
    ))
}

/// Makes a film with a picture, and tenths of a second of sound.
fn film(path: &Path, picture: &str, sound: u32) {
    let line = format!(
        "matroskamux name=m ! filesink location={} videotestsrc {picture} ! jpegenc ! m. \
         audiotestsrc num-buffers={sound} samplesperbuffer=2400 ! \
         audio/x-raw,rate=24000,channels=1 ! m.",
        path.display()
    );
    play(&line, |_| {});
}

fn said(definite: bool, text: &str) -> Value {
    let utterance =
        json!({"definite": definite, "start_time": 1000, "end_time": 1500, "text": text});
    json!({"audio_info": {"duration": 1800}, "result": {"utterances": [utterance]}})
}

/// Known only at the end, and yet in the middle of the picture.
#[test]
fn a_file_is_captioned_where_it_was_spoken() {
    with_films("file", |from, to| {
        let picture =
            "pattern=black num-buffers=30 ! video/x-raw,width=320,height=180,framerate=10/1";
        film(from, picture, 30);
        // What pango would take for markup is a text.
        let service = scripted(&[], said(true, "WORDS & <MORE>"));
        let said = overlay(&service, &[path(from), "--output", path(to)]);
        assert!(!said.contains("Pango"), "{said}");
        // It stays for half a second.
        let expected = [(0..950, false), (1050..1950, true), (2050..3000, false)];
        assert_frames(&frames_of(to), &expected);
    });
}

/// The muxer is told only at the film's end that no more sound comes; until then the picture has to
/// go somewhere.
#[test]
fn sound_may_end_long_before_the_picture() {
    with_films("short-sound", |from, to| {
        let picture =
            "pattern=black num-buffers=600 ! video/x-raw,width=160,height=90,framerate=10/1";
        film(from, picture, 20);
        let service = scripted(&[], said(true, "WORDS"));
        overlay(&service, &[path(from), "--output", path(to)]);
        assert_eq!(frames_of(to).len(), 600);
    });
}

/// The picture is late enough for its words, and the last ones are there, too.
#[test]
fn a_live_picture_waits_for_its_words() {
    with_films("live", |_, to| {
        // The answer comes when 1.8 s were heard, far behind the words; it is final only at the
        // end.
        let service = scripted(&[(1800, said(false, "WORDS"))], said(true, "WORDS"));
        let arguments = "--test --seconds 2.6 --delay 2 --output".split(' ');
        let arguments: Vec<&str> = arguments.chain([path(to)]).collect();
        overlay(&service, &arguments);
        // A live source's times begin at its start, give or take what starting takes.
        assert_frames(&frames_of(to), &[(0..700, false), (1300..1700, true)]);
    });
}

/// How long a file says that it is, which is written when it is closed.
fn duration(file: &Path) -> Option<gst::ClockTime> {
    let uri = gst::glib::filename_to_uri(file, None).expect("a path");
    let description = format!("uridecodebin uri={uri} caps=video/x-raw ! fakesink");
    let pipeline = gst::parse::launch(&description).expect("a player");
    pipeline.set_state(gst::State::Paused).expect("PAUSED");
    let (there, ..) = pipeline.state(LONG_TIME);
    there.expect("a frame");
    let duration = pipeline.query_duration();
    pipeline.set_state(gst::State::Null).expect("NULL");
    duration
}

/// It is no success: a script must not take half a film for the whole.
#[test]
fn interrupted_it_says_so() {
    with_films("interrupted", |from, to| {
        // The picture takes an encoder a while.
        let picture = "num-buffers=500 ! video/x-raw,width=640,height=360,framerate=25/1";
        film(from, picture, 200);
        let arguments = [path(from), "--output", path(to)];

        // In the first pass, while it hears; and again while it waits for the last words, which
        // never come.
        for signals in [&["TERM"][..], &["INT", "TERM"]] {
            let endless = (signals.len() > 1).then_some("no-final@finish*");
            let service = Service::start(Options {
                recogniser: Recogniser::Silent,
                faults: faults::faults(endless.as_slice()),
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
        let service = scripted(&[], said(true, "WORDS"));
        let running = Running::start(&mut command(&service, &arguments));
        wait_until("frames in the file", || {
            std::fs::metadata(to).is_ok_and(|file| file.len() > 0)
        });
        running.signal("INT");
        let (status, _, said) = running.end();
        assert_eq!(status, 130, "{said}");
        let length = duration(to).expect("a film that was closed");
        let whole = gst::ClockTime::from_seconds(19);
        assert!(!length.is_zero() && length < whole, "{length}");
        assert!(!frames_of(to).is_empty());
    });
}

#[test]
fn what_cannot_be_done_is_said() {
    with_films("refused", |_, to| {
        // The service's refusal is the sink's error, and the first on the bus.
        let refusing = service(Options {
            app_keys: vec!["another".into()],
            ..Options::default()
        });
        let avi = "must end in one of .mkv, .webm, .mp4";
        for (arguments, text) in [
            (&["talk.nowhere"][..], "no such file: talk.nowhere"),
            (&["--test", "--output", "x.avi"], avi),
            (&["--test", "--delay", "-1"], "must not be negative"),
            (
                &["--test", "--seconds", "20", "--output", path(to)],
                "HTTP 401",
            ),
        ] {
            let (status, _, said) = run(&mut command(&refusing, arguments));
            assert!(status != 0 && said.contains(text), "{arguments:?}: {said}");
            assert!(!said.contains("Traceback"), "{said}");
        }
    });
}
