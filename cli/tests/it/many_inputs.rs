//! The program `many`: whole transcripts, of all that can be had, each under a name of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::program::{command, run, write_wav};
use crate::support::script::{response, scripted, utterance};
use crate::support::*;
use serde_json::json;
use volcasr_loopback::{Options, Service};

/// A directory for inputs, and one for transcripts.
pub(super) struct Batch {
    pub(super) scratch: Scratch,
}

impl Batch {
    pub(super) fn new(name: &str) -> Self {
        Batch {
            scratch: Scratch::new(&format!("many-{name}")),
        }
    }

    /// An input of `sentences` sentences.
    pub(super) fn input(&self, name: &str, sentences: u64) -> PathBuf {
        self.wav(name, &speech(sentences).0)
    }

    pub(super) fn wav(&self, name: &str, pcm: &[u8]) -> PathBuf {
        let path = self.scratch.path(name);
        let directory = path.parent().expect("a directory");
        std::fs::create_dir_all(directory).expect("a temporary directory");
        write_wav(&path, 24_000, pcm);
        path
    }

    pub(super) fn out(&self) -> PathBuf {
        self.scratch.path("out")
    }

    pub(super) fn command(&self, service: &Service, inputs: &[&Path]) -> Command {
        let mut command = command("transcribe", service);
        command.args(inputs).arg("--dir").arg(self.out());
        command
    }

    /// Returns the names of the transcripts, and how many lines each has.
    pub(super) fn transcripts(&self) -> Vec<(String, usize)> {
        let directory = std::fs::read_dir(self.out()).expect("the directory");
        let mut found: Vec<(String, usize)> = directory
            .map(|entry| {
                let entry = entry.expect("an entry");
                let text = std::fs::read_to_string(entry.path()).expect("a text");
                let name = entry.file_name().into_string().expect("UTF-8");
                (name, text.lines().count())
            })
            .collect();
        found.sort();
        found
    }
}

pub(super) fn found(expected: &[(&str, usize)]) -> Vec<(String, usize)> {
    let owned = expected
        .iter()
        .map(|(name, lines)| ((*name).to_owned(), *lines));
    owned.collect()
}

/// One that fails does not stop the others, and two of one name do not write over each other.
#[test]
fn every_input_for_itself() {
    let batch = Batch::new("each");
    let service = service(Options::default());
    let inputs = [
        batch.input("a/talk.wav", 1),
        batch.input("b/talk.wav", 2),
        batch.scratch.path("broken.mp3"),
        batch.input("c/other.wav", 3),
        batch.scratch.path("missing.mp3"),
    ];
    std::fs::write(&inputs[2], "Not a sound.\n").expect("a temporary file");
    let paths: Vec<&Path> = inputs.iter().map(PathBuf::as_path).collect();
    let (status, out, err) = run(&mut batch.command(&service, &paths));
    assert_eq!(status, 1, "{out}{err}");
    assert_eq!(
        batch.transcripts(),
        found(&[("a-talk.txt", 1), ("b-talk.txt", 2), ("other.txt", 3)])
    );
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 6, "a line for each, and the summary: {out}");
    assert!(lines[4].starts_with("[5/5] "), "{out}");
    assert_eq!(lines[5], "3 of 5 transcribed, 2 failed");
    let failed: Vec<&str> = err
        .lines()
        .filter(|line| line.starts_with("failed: "))
        .collect();
    assert_eq!(failed.len(), 2, "{err}");
    assert!(
        err.contains("broken.mp3: Could not determine type of stream"),
        "{err}"
    );
    assert!(err.contains("missing.mp3: no such file"), "{err}");
}

/// No more sessions than jobs: the service would refuse another.
#[test]
fn many_at_once() {
    let batch = Batch::new("jobs");
    let service = service(Options {
        max_sessions: Some(2),
        ..Options::default()
    });
    let inputs: Vec<PathBuf> = (0..5)
        .map(|n| batch.input(&format!("{n}.wav"), 2))
        .collect();
    let paths: Vec<&Path> = inputs.iter().map(PathBuf::as_path).collect();
    let mut command = batch.command(&service, &paths);
    command.args(["--jobs", "2", "--format", "srt"]);
    let (status, out, err) = run(command.args(["--set", "max-reconnects=0"]));
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    assert_eq!(batch.transcripts().len(), 5);
    let first = std::fs::read_to_string(batch.out().join("0.srt")).expect("a transcript");
    assert!(
        first.starts_with("1\n00:00:00,200 --> 00:00:02,000\nM0 m1 m2.\n\n2\n"),
        "{first}"
    );
}

/// A transcript that lacks its end is none.
#[test]
fn without_the_last_words_it_has_failed() {
    let batch = Batch::new("lacking");
    let service = service(faulty(&["no-final@finish*"]));
    let talk = batch.wav("talk.wav", &open_ended_speech(2).0);
    let mut command = batch.command(&service, &[&talk]);
    let (status, _, err) = run(command.args(["--set", "finish-timeout=200"]));
    assert_eq!(status, 1);
    // Behind the warning of the lost connection.
    let failed = err.lines().nth(1).unwrap_or_default();
    assert!(
        failed.starts_with("failed: ") && failed.contains("talk.wav: "),
        "{err}"
    );
    assert_eq!(batch.transcripts(), []);
}

/// All of it was recognised, but not all confirmed: there is a transcript, and the exit status
/// says so.
#[test]
fn unconfirmed_words_show_in_the_exit_status() {
    let batch = Batch::new("unconfirmed");
    // In the final response `single` lists what it confirms; what it does not list stays as it was
    // in its last response.
    let service = scripted(
        &[(
            1000,
            response(1000, json!([utterance(false, (100, 900), "Hm.")])),
        )],
        response(2000, json!([])),
    );
    let talk = batch.input("talk.wav", 2);
    let mut command = batch.command(&service, &[&talk]);
    let (status, out, err) = run(command.args(["--set", "result-type=single"]));
    assert_eq!((status, err.as_str()), (3, ""), "{out}");
    assert!(
        out.contains("1 utterance in") && out.contains("; 1 unconfirmed"),
        "{out}"
    );
    assert_eq!(
        out.lines().last(),
        Some("1 of 1 transcribed, 1 with unconfirmed words or cut short")
    );
    assert_eq!(batch.transcripts(), found(&[("talk.txt", 1)]));
}

/// An error that concerns all inputs is reported once.
#[test]
fn a_wrong_option_is_no_failure_of_each() {
    let batch = Batch::new("usage");
    let service = service(Options::default());
    let talk = batch.input("talk.wav", 1);
    let mut command = batch.command(&service, &[&talk]);
    let (status, out, err) = run(command.args(["--set", "no-such=1"]));
    assert_eq!((status, out.as_str()), (2, ""));
    assert!(err.contains("no property no-such"), "{err}");
    assert_eq!(run(&mut self::command("transcribe", &service)).0, 2);
}

/// One input, two files of it, or JSON lines of many on standard output.
#[test]
fn files_by_their_endings_and_json_lines() {
    let batch = Batch::new("formats");
    let service = service(Options::default());
    let inputs = [batch.input("a.wav", 1), batch.input("b.wav", 1)];
    let (vtt, json) = (batch.scratch.path("a.vtt"), batch.scratch.path("a.json"));
    let mut one = command("transcribe", &service);
    let (status, out, err) = run(one.arg(&inputs[0]).arg("-o").arg(&vtt).arg("-o").arg(&json));
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    let text = std::fs::read_to_string(vtt).expect("a file");
    assert!(text.starts_with("WEBVTT\n\n00:00:00.200 --> "), "{text}");
    let text = std::fs::read_to_string(json).expect("a file");
    let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(document["utterances"][0]["text"], "M0 m1 m2.");

    let mut many = command("transcribe", &service);
    let (status, out, err) = run(many.args(&inputs).args(["--json", "--quiet"]));
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    let lines = out.lines().map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        (
            line["input"].as_str().map(str::to_owned),
            line["final"] == true,
        )
    });
    let finals: Vec<_> = lines.filter(|line| line.1).collect();
    assert_eq!(finals.len(), 2);
    assert_ne!(finals[0].0, finals[1].0);

    let (status, _, err) = run(command("transcribe", &service)
        .args(&inputs)
        .args(["-o", "x.txt"]));
    assert_eq!(status, 2);
    assert!(
        err.contains("-o x.txt is for one input, and there are 2"),
        "{err}"
    );
    assert!(err.contains("-o out/"), "{err}");
    let over = inputs[0].display().to_string();
    let (status, _, err) = run(command("transcribe", &service)
        .arg(&inputs[0])
        .args(["-o", &over, "--format", "txt"]));
    assert_eq!(status, 2);
    assert!(err.contains("would be overwritten"), "{err}");
}

/// A directory for all of them, named as most programs take it.
#[test]
fn a_directory_for_the_transcripts() {
    let batch = Batch::new("directory");
    let service = service(Options::default());
    let inputs = [batch.input("a.wav", 1), batch.input("b.wav", 1)];
    let directory = format!("{}/", batch.out().display());
    let mut command = command("transcribe", &service);
    command.args(&inputs).args(["-o", &directory]);
    let (status, out, err) = run(command.args(["--format", "srt", "--json", "--quiet"]));
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    assert!(out.lines().all(|line| line.starts_with('{')), "{out}");
    let names: Vec<String> = batch
        .transcripts()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["a.srt", "b.srt"]);
}

/// A device is chosen as for captions.
#[test]
fn a_device_that_is_not_there() {
    let batch = Batch::new("device");
    let service = service(Options::default());
    let talk = batch.input("talk.wav", 1);
    let mut alone = command("transcribe", &service);
    let (status, _, err) = run(alone.args(["--device", "no-such-device"]));
    assert_eq!(status, 2);
    assert!(
        err.contains("no-such-device") || err.contains("microphone"),
        "{err}"
    );
    let mut both = batch.command(&service, &[&talk]);
    let (status, _, err) = run(both.args(["--device", "no-such-device"]));
    assert_eq!(status, 2, "{err}");
}
