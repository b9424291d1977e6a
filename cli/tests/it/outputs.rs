//! The files that `captions` writes, and command lines that it can't use.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use crate::support::program::*;
use crate::support::*;
use volcasr_loopback::Options;

#[test]
fn what_the_command_line_cannot_say() {
    let files = Files::new("usage");
    let service = service(Options::default());
    let talk = files.wav(&speech(1).0).display().to_string();
    let path = |name: &str| files.scratch.path(name).display().to_string();
    let (missing, text) = (path("missing.wav"), path("text.wav"));
    let nowhere = path("nowhere/words.srt");
    std::fs::write(&text, "Not a sound.\n").expect("a temporary file");
    #[rustfmt::skip]
    let mistakes: [(i32, &[&str], &str); 13] = [
        (2, &[&talk, "--set", "no-such=1"], "no property no-such"),
        (2, &[&talk, "--set", "max-speed=-1"], "at least 0"),
        (2, &[&talk, "--set", "chunk-duration=3000"], "from 0 to 2000"),
        (2, &[&talk, "--set", "rate=fast"], "\"fast\""),
        (2, &[&talk, "--set", "leaky=yes"], "auto, no, downstream"),
        (2, &[&talk, "--set", "stats=1"], "can't be set"),
        (2, &[&talk, "--set", "api-key=SECRET"], "VOLCENGINE_API_KEY"),
        (2, &[&talk, "--set", "rate"], "PROPERTY=VALUE"),
        (2, &[&missing], "no such file"),
        (2, &["audiotestsrc ! no-such-element"], "no element"),
        // Files that can't be opened, and a setting that fails the start.
        (1, &[&text], "error: "),
        (1, &[&text, "-o", &nowhere], "words.srt"),
        (1, &[&talk, "--set", "context=[1]"], "\"context\""),
    ];
    for (expected, arguments, part) in mistakes {
        let mut command = captions(&service, arguments[0], &arguments[1..]);
        let (out, err) = reports(&mut command, expected, &[part]);
        let is_clean = out.is_empty() && !err.contains("SECRET") && !err.contains("panicked");
        assert!(is_clean, "{out}{err}");
    }
    let is_spared = service.inspect(|all| all.iter().all(|c| c.audio_bytes == 0));
    assert!(is_spared);
}

/// The input and the other outputs are not overwritten, under any name that leads to them.
#[test]
fn no_output_over_the_input_or_another_output() {
    let files = Files::new("same");
    let service = service(Options::default());
    let talk = files.wav(&speech(1).0);
    let before = std::fs::read(&talk).expect("the input");
    let path = talk.display().to_string();
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
        command.current_dir(files.scratch.path("")).args(arguments);
        assert_eq!(reports(&mut command, 2, &["would be overwritten"]).0, "");
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
    let talk = files.wav(&pcm);
    // Longer than what comes, so that a rest would be seen.
    let old = "of yesterday\n".repeat(200);
    const KINDS: [&str; 3] = ["srt", "vtt", "jsonl"];
    let keep = || KINDS.map(|kind| std::fs::write(files.path(kind), &old).expect(kind));
    let written = || KINDS.map(|kind| std::fs::read_to_string(files.path(kind)).expect(kind));
    let assert_kept = || assert!(written().iter().all(|text| *text == old));
    keep();
    for name in ["VOLCENGINE_ACCESS_KEY", "VOLCENGINE_APP_ID"] {
        let mut command = files.command(&service, &talk);
        reports(command.env(name, "wrong"), 1, &[]);
        reports(command.env_remove(name), 1, &[name]);
    }
    assert_kept();
    // Ctrl-C before any sound is no result.
    let before = service.connections().len();
    let running = Running::start(&mut files.command(&service, STDIN));
    assert!(service.wait(LONG, |all| all.len() > before));
    running.signal("INT");
    let (status, out, err) = running.end();
    assert_eq!((status, out.as_str()), (3, ""), "{err}");
    assert_kept();
    reports(&mut files.command(&service, &talk), 0, &[]);
    files.assert_have(&marks);

    // A good end without a word is a result as well.
    keep();
    let silence = files.wav(&[0; 48_000]);
    let (out, _) = reports(&mut files.command(&service, silence), 0, &[]);
    assert_eq!(out, "");
    assert_eq!(written(), ["", "WEBVTT\n\n", ""]);
}

/// Ctrl-C ends all of a pipeline: what is read after that is in the files, also where standard
/// error is gone as well.
#[test]
fn files_are_written_on_without_a_reader() {
    for has_stderr in [true, false] {
        let files = Files::new(&format!("reader-{has_stderr}"));
        let service = service(Options::default());
        let (pcm, marks) = speech(2);
        let mut command = files.command(&service, STDIN);
        let command = command.arg("--json").stdin(Stdio::piped());
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program");
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
        files.assert_have(&marks);
    }
}

/// A full disk is an error that names the file.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_reported() {
    let files = Files::new("full");
    let service = service(Options::default());
    let talk = files.wav(&speech(1).0);
    let options = ["-o", "/dev/full", "--format", "srt"];
    let full = ["error: /dev/full: No space left"];
    reports(&mut captions(&service, talk, &options), 1, &full);
}

#[test]
fn help_tells_the_exit_statuses() {
    let service = service(Options::default());
    for name in ["captions", "transcribe"] {
        let out = succeeds(command(name, &service).arg("--help"));
        assert!(out.contains("Exit status:"), "{out}");
        assert!(out.contains("VOLCENGINE_API_KEY"), "{out}");
        assert!(!out.contains(&service.uri()), "values are not shown: {out}");
    }
}
