//! The smallest programs, `transcribe` in Rust, Python and C: they do the same.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use crate::common::faults::open_ended_speech;
use crate::common::program::*;
use crate::common::scratch::Scratch;
use crate::common::skip::skip;
use crate::common::*;
use volcasr_loopback::{Options, Service};

/// The program in C, compiled as its page says.
fn in_c() -> Result<PathBuf, String> {
    static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let build = || {
        let name = format!("transcribe-c-{}", std::process::id());
        let program = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        compile_c("examples/transcribe.c".as_ref(), &program)?;
        Ok(program)
    };
    PROGRAM.get_or_init(build).clone()
}

/// All three, or what this machine has of them.
fn programs(service: &Service) -> Vec<(&'static str, Command)> {
    let mut programs = vec![("rust", command("transcribe", service))];
    let python = python_with_gst().map(|python| {
        let mut command = Command::new(python);
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/transcribe.py");
        command.arg(script);
        command
    });
    for (name, program) in [("python", python), ("c", in_c().map(Command::new))] {
        match program {
            Ok(mut program) => {
                give_credentials(&mut program, service);
                program.env("GST_PLUGIN_PATH", plugin());
                programs.push((name, program));
            }
            Err(missing) => skip(&missing),
        }
    }
    programs
}

#[test]
fn a_file_becomes_lines() {
    let scratch = Scratch::new("transcribe");
    let service = service(Options::default());
    let (pcm, marks) = speech(1);
    let talk = scratch.path("talk.wav");
    write_wav(&talk, 24_000, &pcm);
    let [a, b, c] = [0, 1, 2].map(|n| marks[n].number);
    let line = format!("M{a} m{b} m{c}.\n");
    for (name, mut program) in programs(&service) {
        let outcome = run(program.arg(&talk));
        assert_eq!(outcome, (0, line.clone(), String::new()), "{name}");
    }
}

/// Of an error of the element, which says what to do; GStreamer's own says that a state could not
/// be changed.
#[test]
fn errors_are_reported() {
    let service = service(Options::default());
    for (key, input, part) in [
        (None, "audiotestsrc", "VOLCENGINE_API_KEY"),
        (Some("wrong"), "audiotestsrc", "HTTP 401"),
        (Some("secret-access-key"), "talk.nowhere", "talk.nowhere"),
    ] {
        for (name, mut program) in programs(&service) {
            match key {
                Some(key) => program.env("VOLCENGINE_ACCESS_KEY", key),
                None => program
                    .env_remove("VOLCENGINE_APP_ID")
                    .env_remove("VOLCENGINE_ACCESS_KEY"),
            };
            let (status, out, err) = run(program.arg(input));
            assert_eq!((status, out.as_str()), (1, ""), "{name}: {err}");
            let is_reported = err.starts_with("error: ") && err.contains(part);
            assert!(is_reported, "{name}: {err}");
            assert!(!err.contains("GStreamer-CRITICAL"), "{name}: {err}");
        }
    }
}

/// Ctrl-C waits for the words up to it.
#[test]
fn ctrl_c_waits_for_the_last_words() {
    for index in 0..programs(&service(Options::default())).len() {
        let service = service(Options::default());
        let (name, mut program) = programs(&service).swap_remove(index);
        let (pcm, marks) = open_ended_speech(1);
        let mut running = Running::start(program.args(STDIN.split(' ')));
        running.feed(&pcm);
        let last = marks[2].end * 48;
        until_connection(&service, |c| c.audio_bytes >= last);
        running.signal("INT");
        let (status, out, err) = running.end();
        assert_eq!((status, err.as_str()), (0, ""), "{name}");
        let last = format!(" m{}.\n", marks[2].number);
        assert!(out.ends_with(&last), "{name}: {out}");
    }
}

/// `-` of the program in C is an application with samples of its own: 16 kHz, resampled on the way.
#[test]
fn samples_of_an_application_are_sent() {
    let service = service(Options::default());
    let mut programs = programs(&service);
    let Some((_, program)) = programs.iter_mut().find(|(name, _)| *name == "c") else {
        return;
    };
    let mut running = Running::start(program.arg("-"));
    running.feed(&[0; 2 * 16_000]);
    running.close_stdin();
    let output = running.end();
    assert_eq!(output, (0, String::new(), String::new()));
    let sent = service.connections()[0].audio_bytes;
    // A resampler may end a sample earlier or later.
    assert!((47_900..=48_100).contains(&sent), "{sent}");
}
