//! The files that `captions` writes, and command lines that it can't use.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use crate::captions::{Files, expected_cues, wav};
use crate::support::program::{Running, STDIN, command, run};
use crate::support::*;
use volcasr_loopback::{Endpoint, Options};

#[test]
fn what_the_command_line_cannot_say() {
    let files = Files::new("usage");
    let service = service(Options::default());
    let (pcm, _) = speech(1);
    let talk = wav(&files.scratch, &pcm);
    let mistakes: [(&[&str], &str); 8] = [
        (&["--set", "no-such=1"], "no property no-such"),
        (&["--set", "max-speed=-1"], "at least 0"),
        (&["--set", "chunk-duration=3000"], "from 0 to 2000"),
        (&["--set", "rate=fast"], "\"fast\""),
        (&["--set", "leaky=yes"], "auto, no, downstream"),
        (&["--set", "stats=1"], "can't be set"),
        (&["--set", "api-key=SECRET"], "VOLCENGINE_API_KEY"),
        (&["--set", "rate"], "PROPERTY=VALUE"),
    ];
    for (arguments, part) in mistakes {
        let (status, out, err) = run(command("captions", &service).arg(&talk).args(arguments));
        assert_eq!((status, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains(part), "{arguments:?}: {err}");
        assert!(
            !err.contains("SECRET") && !err.contains("panicked"),
            "{err}"
        );
    }
    let missing = files.scratch.path("missing.wav");
    let (status, _, err) = run(command("captions", &service).arg(&missing));
    assert_eq!(status, 2);
    assert!(err.contains("no such file"), "{err}");
    let (status, _, err) = run(command("captions", &service).arg("audiotestsrc ! no-such-element"));
    assert_eq!(status, 2);
    assert!(err.contains("no element"), "{err}");
    assert!(service.connections().is_empty());
}

/// The input and the other outputs are not overwritten, under any name that leads to them.
#[test]
fn no_output_over_the_input_or_another_output() {
    let files = Files::new("same");
    let service = service(Options::default());
    let talk = wav(&files.scratch, &speech(1).0);
    let before = std::fs::read(&talk).expect("the input");
    let (path, directory) = (talk.display().to_string(), files.scratch.path(""));
    let link = files.scratch.path("link.srt");
    std::os::unix::fs::symlink(&talk, &link).expect("a link");
    let link = link.display().to_string();
    let piece = format!("filesrc location=\"{path}\" ! wavparse");
    let uri = gst::glib::filename_to_uri(&talk, None).expect("a path");
    let cases: [&[&str]; 7] = [
        &[&path, "-o", &path, "--format", "srt"],
        &[&path, "-o", "talk.wav", "--format", "vtt"],
        &[&path, "-o", &link],
        &[&piece, "-o", "./talk.wav", "--format", "srt"],
        &[&uri, "-o", &path, "--format", "srt"],
        &[&path, "-o", "new.srt", "-o", "./new.srt"],
        &[&path, "-o", &link, "-o", "new.srt"],
    ];
    for arguments in cases {
        let mut command = command("captions", &service);
        let (status, out, err) = run(command.current_dir(&directory).args(arguments));
        assert_eq!((status, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains("would be overwritten"), "{arguments:?}: {err}");
    }
    assert_eq!(std::fs::read(&talk).expect("the input"), before);
    assert!(!files.scratch.path("new.srt").exists());
    assert!(service.connections().is_empty());
}

/// Files of an earlier run stay until there is a new result.
#[test]
fn old_files_are_kept_until_there_are_words() {
    let files = Files::new("old");
    let service = service(Options::default());
    let (pcm, marks) = speech(2);
    let talk = wav(&files.scratch, &pcm);
    // Longer than what comes, so that a rest would be seen.
    let old = "of yesterday\n".repeat(200);
    let keep = |kinds: &[&str]| {
        for kind in kinds {
            std::fs::write(files.path(kind), &old).expect("a temporary file");
        }
    };
    keep(&["srt", "vtt", "jsonl"]);
    for name in ["VOLCENGINE_ACCESS_KEY", "VOLCENGINE_APP_ID"] {
        let mut command = command("captions", &service);
        let (status, _, err) = run(command
            .env(name, "wrong")
            .arg(&talk)
            .args(files.arguments()));
        assert_eq!(status, 1, "{err}");
        let mut command = self::command("captions", &service);
        let (status, _, err) = run(command.env_remove(name).arg(&talk).args(files.arguments()));
        assert_eq!(status, 1, "{err}");
        assert!(err.contains(name), "{err}");
    }
    for kind in ["srt", "vtt", "jsonl"] {
        assert_eq!(std::fs::read_to_string(files.path(kind)).expect(kind), old);
    }
    let (status, _, err) = run(command("captions", &service)
        .arg(&talk)
        .args(files.arguments()));
    assert_eq!(status, 0, "{err}");
    assert_eq!(files.cues(), expected_cues(&marks));

    // A good end without a word is a result as well.
    keep(&["srt", "vtt", "jsonl"]);
    let silence = wav(&files.scratch, &[0; 48_000]);
    let (status, out, err) = run(command("captions", &service)
        .arg(&silence)
        .args(files.arguments()));
    assert_eq!((status, out.as_str()), (0, ""), "{err}");
    let lengths =
        ["srt", "vtt", "jsonl"].map(|kind| std::fs::metadata(files.path(kind)).expect(kind).len());
    assert_eq!(lengths, [0, "WEBVTT\n\n".len() as u64, 0]);
}

/// Ctrl-C ends all of a pipeline: what is read after that is in the files, also where standard
/// error is gone as well.
#[test]
fn files_are_written_on_without_a_reader() {
    for has_stderr in [true, false] {
        let files = Files::new(&format!("reader-{has_stderr}"));
        let service = service(Options::default());
        let (pcm, marks) = speech(2);
        let mut command = command("captions", &service);
        command.arg(STDIN).arg("--json").args(files.arguments());
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the program");
        if !has_stderr {
            drop(child.stderr.take());
        }
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(&pcm).expect("a program that reads");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        stdout.read_line(&mut String::new()).expect("a line");
        drop(stdout);
        drop(stdin);
        let output = child.wait_with_output().expect("its end");
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{err}");
        assert_eq!(err.contains("the files go on"), has_stderr, "{err}");
        assert_eq!(files.cues(), expected_cues(&marks));
    }
}

/// Ctrl-C before any sound is no result: what the file holds stays.
#[test]
fn an_old_file_is_kept_where_nothing_came() {
    let files = Files::new("nothing");
    let service = service(Options::default());
    let srt = files.path("srt");
    std::fs::write(&srt, "of yesterday\n").expect("a temporary file");
    let mut command = command("captions", &service);
    let running = Running::start(command.arg(STDIN).arg("-o").arg(&srt));
    assert!(service.wait(LONG, |all| !all.is_empty()));
    running.signal("INT");
    let (status, out, err) = running.end();
    assert_eq!((status, out.as_str()), (3, ""), "{err}");
    assert_eq!(
        std::fs::read_to_string(&srt).expect("a text"),
        "of yesterday\n"
    );
}

/// The options for what is asked most often reach the service.
#[test]
fn resource_and_language_are_asked_for() {
    let files = Files::new("asked");
    let service = service(Options::default());
    let talk = wav(&files.scratch, &speech(1).0);
    let asked = [
        "--resource-id",
        "volc.bigasr.sauc.duration",
        "--language",
        "en-US",
    ];
    // The endpoint that takes a language.
    let uri = service.uri_for(Endpoint::Nostream);
    let (status, _, err) = run(command("captions", &service)
        .env("VOLCASR_URI", uri)
        .arg(talk)
        .args(asked));
    assert_eq!((status, err.as_str()), (0, ""));
    let connection = &service.connections()[0];
    assert_eq!(
        connection.header("X-Api-Resource-Id"),
        Some("volc.bigasr.sauc.duration")
    );
    assert_eq!(
        connection.request.as_ref().expect("a request")["audio"]["language"],
        "en-US"
    );
}

/// Inputs without audio, and paths where no file can be written, are errors.
#[test]
fn what_cannot_be_opened() {
    let files = Files::new("open");
    let service = service(Options::default());
    let text = files.scratch.path("talk.wav");
    std::fs::write(&text, "Not a sound.\n").expect("a temporary file");
    let (status, _, err) = run(command("captions", &service).arg(&text));
    assert_eq!(status, 1, "{err}");
    assert!(err.starts_with("error: "), "{err}");
    let nowhere = files.scratch.path("nowhere").join("words.srt");
    let (status, _, err) = run(command("captions", &service)
        .arg(&text)
        .arg("-o")
        .arg(&nowhere));
    assert_eq!(status, 1, "{err}");
    assert!(err.contains("words.srt"), "{err}");
}

#[test]
fn help_tells_the_exit_statuses() {
    let service = service(Options::default());
    for name in ["captions", "transcribe"] {
        let (status, out, _) = run(command(name, &service).arg("--help"));
        assert_eq!(status, 0);
        assert!(
            out.contains("Exit status:") && out.contains("VOLCENGINE_API_KEY"),
            "{out}"
        );
        let uri = service.uri();
        assert!(
            !out.contains(&uri),
            "the environment's values are not shown: {out}"
        );
    }
}
