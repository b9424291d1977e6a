//! Outputs of a batch: where they go, what they replace, and errors when that fails.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Stdio;

use crate::many_inputs::Batch;
use crate::support::program::{command, reports, succeeds};
use crate::support::*;
use volcasr_loopback::Options;

/// Once for all inputs, and not with --quiet.
#[test]
fn a_warning_is_shown_once() {
    let batch = Batch::new("warning");
    let service = service(Options::default());
    let inputs = batch.inputs(2);
    let language = ["--language", "ja-JP"];
    for mut command in [batch.command(&service, &inputs), command("check", &service)] {
        let parts = ["warning: ", "language has no effect"];
        let (_, err) = reports(command.args(language), 0, &parts);
        assert_eq!(err.lines().count(), 1, "{err}");
    }
    let mut quiet = batch.command(&service, &inputs);
    assert_eq!(succeeds(quiet.args(language).arg("--quiet")), "");
}

/// Nothing of the others could be written, either.
#[test]
fn a_closed_output_ends_the_batch() {
    let batch = Batch::new("closed");
    let service = service(Options::default());
    let inputs = batch.inputs(3);
    let mut command = command("transcribe", &service);
    let options = ["--json", "--quiet", "--jobs", "1"];
    command.args(&inputs).args(options);
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("its end");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.starts_with("error: standard output: "), "{err}");
    assert_eq!(err.lines().count(), 1, "{err}");
    assert_eq!(service.connections().len(), 1);
}

/// A path that is no file stays as it is, a link leads where it led, and no part replaces another.
#[test]
fn only_files_are_replaced() {
    let batch = Batch::new("replaced");
    let service = service(Options::default());
    let talk = batch.input("talk.wav", 1);
    let to = |input, output: &Path| {
        let mut command = command("transcribe", &service);
        command
            .arg(input)
            .args(["--format", "txt", "-o"])
            .arg(output);
        command
    };
    let dangling = batch.scratch.path("dangling.txt");
    std::os::unix::fs::symlink("nowhere", &dangling).expect("a link");
    for output in ["/dev/null".as_ref(), dangling.as_path()] {
        reports(&mut to(&talk, output), 1, &["it is there, and is no file"]);
        let kind = output.symlink_metadata().expect("it").file_type();
        assert!(!kind.is_file(), "{}", output.display());
    }
    assert!(service.connections().is_empty());

    let [old, link] = ["old.txt", "link.txt"].map(|name| batch.scratch.path(name));
    std::fs::write(&old, "old\n").expect("a temporary file");
    std::os::unix::fs::symlink(&old, &link).expect("a link");
    succeeds(&mut to(&talk, &link));
    assert!(link.is_symlink());
    assert_eq!(
        std::fs::read_to_string(&old).expect("a text"),
        "M0 m1 m2.\n"
    );

    let part = batch.input("talk.part", 1);
    let mut over_itself = to(&part, &batch.scratch.path("talk"));
    reports(&mut over_itself, 2, &["talk.part: it is the input"]);
}

/// Where no place was named, a file of the name is the user's own; one that is skipped is named.
#[test]
fn nothing_is_written_over_unasked() {
    let batch = Batch::new("here");
    let service = service(Options::default());
    let talk = batch.input("in/talk.wav", 1);
    let notes = batch.scratch.path("talk.txt");
    std::fs::write(&notes, "notes\n").expect("a temporary file");
    let here = |more: &[&str]| {
        let mut command = command("transcribe", &service);
        command
            .current_dir(batch.scratch.path(""))
            .arg(&talk)
            .args(more);
        command
    };
    let text = || std::fs::read_to_string(&notes).expect("a text");
    assert_eq!(reports(&mut here(&[]), 2, &["talk.txt: it is there"]).0, "");
    let out = succeeds(&mut here(&["--skip-existing"]));
    let line = format!("{} → ./talk.txt: already there", talk.display());
    assert_eq!(out.lines().next(), Some(line.as_str()), "{out}");
    assert_eq!(text(), "notes\n");
    assert!(service.connections().is_empty());
    succeeds(&mut here(&["--dir", "."]));
    assert_eq!(text(), "M0 m1 m2.\n");
}

/// Neither in a line, nor in an error, nor in a name.
#[test]
fn addresses_are_shown_without_secrets() {
    let batch = Batch::new("secrets");
    let service = service(Options::default());
    let address = "http://me:SECRET@127.0.0.1:1/talk.wav?token=SECRET";
    let shown = ["http://127.0.0.1:1/talk.wav: "];
    let (out, err) = reports(&mut batch.command(&service, &[address]), 1, &shown);
    assert!(!(out + &err).contains("SECRET"), "{err}");
}

/// A name of an archive in GBK, as an argument; other files of a directory are counted.
#[test]
#[cfg(target_os = "linux")]
fn names_that_are_not_utf_8() {
    let batch = Batch::new("gbk");
    let service = service(Options::default());
    let talk = batch.input("in/talk.wav", 1);
    let old = talk.with_file_name(OsStr::from_bytes(b"\xd6\xd0.wav"));
    std::fs::rename(&talk, &old).expect("a name");
    std::fs::write(talk.with_extension("md"), "").expect("a temporary file");
    succeeds(&mut batch.command(&service, &[&old]));
    assert_eq!(batch.transcripts(), "%D6%D0.txt 1");
    let out = succeeds(&mut batch.command(&service, &[batch.scratch.path("in")]));
    let last = "1 of 1 transcribed, 1 of other endings left out";
    assert_eq!(out.lines().last(), Some(last));
}
