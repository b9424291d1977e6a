//! Outputs of a batch: where they go, what they replace, and errors when that fails.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::process::Stdio;

use crate::many_inputs::inputs;
use crate::support::*;

/// Once for all inputs, and not with --quiet.
#[test]
fn a_warning_is_shown_once() {
    let bench = Bench::new();
    inputs(&bench, 2);
    for line in ["transcribe in --dir out", "check"] {
        let parts = ["warning: ", "language has no effect"];
        let (_, err) = bench.reports(&format!("{line} --language ja-JP"), 0, &parts);
        assert_eq!(err.lines().count(), 1, "{err}");
    }
    let quiet = bench.succeeds("transcribe in --dir out --language ja-JP --quiet");
    assert_eq!(quiet, "");
}

/// Nothing of the others could be written, either.
#[test]
fn a_closed_output_ends_the_batch() {
    let bench = Bench::new();
    inputs(&bench, 3);
    let mut command = bench.command("transcribe in --json --quiet --jobs 1");
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("its end");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.starts_with("error: standard output: "), "{err}");
    assert_eq!(err.lines().count(), 1, "{err}");
    assert_eq!(bench.service.connections().len(), 1);
}

/// A path that is no file stays as it is, a link leads where it led, and no part replaces another.
#[test]
fn only_files_are_replaced() {
    let bench = Bench::new();
    bench.talk("talk.wav", 1);
    symlink("nowhere", bench.path("dangling.txt")).expect("a link");
    for output in ["/dev/null", "dangling.txt"] {
        let line = format!("transcribe talk.wav --format txt -o {output}");
        bench.reports(&line, 1, &["it is there, and is no file"]);
        let kind = bench.path(output).symlink_metadata().expect("it");
        assert!(!kind.is_file(), "{output}");
    }
    assert!(bench.service.connections().is_empty());

    bench.write("old.txt", "old\n");
    symlink("old.txt", bench.path("link.txt")).expect("a link");
    bench.succeeds("transcribe talk.wav --format txt -o link.txt");
    assert!(bench.path("link.txt").is_symlink());
    assert_eq!(bench.text("old.txt"), "M0 m1 m2.\n");

    bench.talk("talk.part", 1);
    let over_itself = "transcribe talk.part --format txt -o talk";
    bench.reports(over_itself, 2, &["talk.part: it is the input"]);
}

/// Where no place was named, a file of the name is the user's own; one that is skipped is named.
#[test]
fn nothing_is_written_over_unasked() {
    let bench = Bench::new();
    bench.talk("in/talk.wav", 1);
    bench.write("talk.txt", "notes\n");
    let (out, _) = bench.reports("transcribe in/talk.wav", 2, &["talk.txt: it is there"]);
    assert_eq!(out, "");
    let out = bench.succeeds("transcribe in/talk.wav --skip-existing");
    let line = "in/talk.wav → ./talk.txt: already there";
    assert_eq!(out.lines().next(), Some(line), "{out}");
    assert_eq!(bench.text("talk.txt"), "notes\n");
    assert!(bench.service.connections().is_empty());
    bench.succeeds("transcribe in/talk.wav --dir .");
    assert_eq!(bench.text("talk.txt"), "M0 m1 m2.\n");
}

/// Neither in a line, nor in an error, nor in a name.
#[test]
fn addresses_are_shown_without_secrets() {
    let bench = Bench::new();
    let line = "transcribe http://me:SECRET@127.0.0.1:1/talk.wav?token=SECRET --dir out";
    let (out, err) = bench.reports(line, 1, &["http://127.0.0.1:1/talk.wav: "]);
    assert!(!(out + &err).contains("SECRET"), "{err}");
}

/// A name of an archive in GBK, as an argument; other files of a directory are counted.
#[test]
#[cfg(target_os = "linux")]
fn names_that_are_not_utf_8() {
    let bench = Bench::new();
    bench.talk("in/talk.wav", 1);
    bench.write("in/talk.md", "");
    let old = bench.path("in").join(OsStr::from_bytes(b"\xd6\xd0.wav"));
    std::fs::rename(bench.path("in/talk.wav"), &old).expect("a name");
    let mut command = bench.command("transcribe --dir out");
    reports(command.arg(old), 0, &[]);
    assert_eq!(bench.transcripts(), "%D6%D0.txt 1");
    let out = bench.succeeds("transcribe in --dir out");
    let last = "1 of 1 transcribed, 1 of other endings left out";
    assert_eq!(out.lines().last(), Some(last));
}
