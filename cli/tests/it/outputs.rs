//! The files that `captions` writes, and command lines that it and `transcribe` can't use.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use crate::support::bench::FILES;
use crate::support::*;

/// With the exit status, and a part of the error.
#[test]
fn what_the_command_line_cannot_say() {
    let bench = Bench::new();
    bench.talk("talk.wav", 1);
    bench.talk("other.wav", 1);
    bench.write("text.wav", "Not a sound.\n");
    #[rustfmt::skip]
    let mistakes = [
        (2, "captions talk.wav --set no-such=1", "no property no-such"),
        (2, "captions talk.wav --set max-speed=-1", "at least 0"),
        (2, "captions talk.wav --set chunk-duration=3000", "from 0 to 2000"),
        (2, "captions talk.wav --set rate=fast", "\"fast\""),
        (2, "captions talk.wav --set leaky=yes", "auto, no, downstream"),
        (2, "captions talk.wav --set stats=1", "can't be set"),
        (2, "captions talk.wav --set api-key=SECRET", "VOLCENGINE_API_KEY"),
        (2, "captions talk.wav --set rate", "PROPERTY=VALUE"),
        (2, "captions missing.wav", "no such file"),
        (2, "captions audiotestsrc ! no-such-element", "no element"),
        // Files that can't be opened, and a setting that fails the start.
        (1, "captions text.wav", "error: "),
        (1, "captions text.wav -o nowhere/words.srt", "words.srt"),
        (1, "captions talk.wav --set context=[1]", "\"context\""),
        (2, "transcribe", "required"),
        (2, "transcribe talk.wav other.wav --dir out --set no-such=1", "no property no-such"),
        (2, "transcribe talk.wav other.wav -o x.txt", "-o x.txt is for one input, and there are 2"),
        (2, "transcribe talk.wav other.wav -o x.txt", "-o out/"),
    ];
    for (status, line, part) in mistakes {
        let (out, err) = bench.reports(line, status, &[part]);
        let is_clean = out.is_empty() && !err.contains("SECRET") && !err.contains("panicked");
        assert!(is_clean, "{line}: {out}{err}");
    }
    // A device is chosen as for captions.
    for input in ["", "talk.wav"] {
        let (_, err) = bench.reports(
            &format!("transcribe {input} --device no-such-device"),
            2,
            &[],
        );
        let is_reported = err.contains("no-such-device") || err.contains("microphone");
        assert!(is_reported, "{err}");
    }
    let is_spared = bench
        .service
        .inspect(|all| all.iter().all(|c| c.audio_bytes == 0));
    assert!(is_spared);
}

/// The input and the other outputs are not overwritten, under any name that leads to them.
#[test]
fn no_output_over_the_input_or_another_output() {
    let bench = Bench::new();
    bench.talk("talk.wav", 1);
    let before = bench.bytes("talk.wav");
    std::os::unix::fs::symlink("talk.wav", bench.path("link.srt")).expect("a link");
    let path = bench.path("talk.wav");
    let uri = gst::glib::filename_to_uri(&path, None).expect("a path");
    let path = path.display();
    let cases = [
        format!("captions {path} -o {path} --format srt"),
        format!("captions {path} -o talk.wav --format vtt"),
        format!("captions {path} -o link.srt"),
        format!("captions filesrc location={path} ! wavparse -o ./talk.wav --format srt"),
        format!("captions {uri} -o {path} --format srt"),
        format!("captions {path} -o new.srt -o ./new.srt"),
        format!("captions {path} -o link.srt -o new.srt"),
        format!("transcribe {path} -o talk.wav --format txt"),
    ];
    for line in cases {
        let (out, _) = bench.reports(&line, 2, &["would be overwritten"]);
        assert_eq!(out, "", "{line}");
    }
    assert_eq!(bench.bytes("talk.wav"), before);
    assert!(!bench.path("new.srt").exists());
    assert!(bench.service.connections().is_empty());
}

/// Files of an earlier run stay until there is a new result.
#[test]
fn old_files_are_kept_until_there_are_words() {
    let bench = Bench::new();
    let marks = bench.talk("talk.wav", 2);
    // Longer than what comes, so that a rest would be seen.
    let old = "of yesterday\n".repeat(200);
    const NAMES: [&str; 3] = ["words.srt", "words.vtt", "words.jsonl"];
    let keep = || NAMES.map(|name| bench.write(name, &old));
    let assert_kept = || assert_eq!(NAMES.map(|name| bench.text(name)), [(); 3].map(|()| &*old));
    let talk = format!("captions talk.wav {FILES}");
    keep();
    for name in ["VOLCENGINE_ACCESS_KEY", "VOLCENGINE_APP_ID"] {
        let mut command = bench.command(&talk);
        reports(command.env(name, "wrong"), 1, &[]);
        reports(command.env_remove(name), 1, &[name]);
    }
    assert_kept();
    // Ctrl-C before any sound is no result.
    let before = bench.service.connections().len();
    let running = bench.start(&format!("captions {STDIN} {FILES}"), &[]);
    assert!(bench.service.wait(LONG, |all| all.len() > before));
    running.signal("INT");
    let (status, out, err) = running.end();
    assert_eq!((status, out.as_str()), (3, ""), "{err}");
    assert_kept();
    bench.reports(&talk, 0, &[]);
    bench.assert_have(&marks);

    // A good end without a word is a result as well.
    keep();
    bench.wav("talk.wav", &[0; 48_000]);
    let (out, _) = bench.reports(&talk, 0, &[]);
    assert_eq!(out, "");
    assert_eq!(NAMES.map(|name| bench.text(name)), ["", "WEBVTT\n\n", ""]);
}

/// Ctrl-C ends all of a pipeline: what is read after that is in the files, also where standard
/// error is gone as well.
#[test]
fn files_are_written_on_without_a_reader() {
    for has_stderr in [true, false] {
        let bench = Bench::new();
        let (pcm, marks) = speech(2);
        let mut command = bench.command(&format!("captions {STDIN} {FILES} --json"));
        let command = command.stdin(Stdio::piped());
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
        bench.assert_have(&marks);
    }
}

/// A full disk is an error that names the file.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_reported() {
    let bench = Bench::new();
    bench.talk("talk.wav", 1);
    let full = ["error: /dev/full: No space left"];
    bench.reports("captions talk.wav -o /dev/full --format srt", 1, &full);
}

#[test]
fn help_tells_the_exit_statuses() {
    let bench = Bench::new();
    for name in ["captions", "transcribe"] {
        let out = bench.succeeds(&format!("{name} --help"));
        assert!(out.contains("Exit status:"), "{out}");
        assert!(out.contains("VOLCENGINE_API_KEY"), "{out}");
        let uri = bench.service.uri();
        assert!(!out.contains(&uri), "values are not shown: {out}");
    }
}
