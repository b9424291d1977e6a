//! `transcribe`: whole transcripts, of all that can be had, each under a name of its own.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use crate::support::program::*;
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
        let scratch = Scratch::new(&format!("many-{name}"));
        Batch { scratch }
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

    pub(super) fn command<I: AsRef<OsStr>>(&self, service: &Service, inputs: &[I]) -> Command {
        let mut command = command("transcribe", service);
        command.args(inputs).arg("--dir").arg(self.out());
        command
    }

    /// Makes inputs of one sentence each.
    pub(super) fn inputs(&self, count: usize) -> Vec<PathBuf> {
        let names = (0..count).map(|n| format!("in/{n}.wav"));
        names.map(|name| self.input(&name, 1)).collect()
    }

    /// Returns the names of the transcripts, and how many lines each has: `a.txt 1, b.txt 2`.
    pub(super) fn transcripts(&self) -> String {
        let directory = std::fs::read_dir(self.out()).expect("the directory");
        let found = directory.map(|entry| {
            let entry = entry.expect("an entry");
            let text = std::fs::read_to_string(entry.path()).expect("a text");
            let name = entry.file_name().into_string().expect("UTF-8");
            format!("{name} {}", text.lines().count())
        });
        let mut found: Vec<String> = found.collect();
        found.sort();
        found.join(", ")
    }
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
    let failures = [
        "broken.mp3: Could not determine type of stream",
        "missing.mp3: no such file",
    ];
    let (out, err) = reports(&mut batch.command(&service, &inputs), 1, &failures);
    let expected = "a-talk.txt 1, b-talk.txt 2, other.txt 3";
    assert_eq!(batch.transcripts(), expected);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 6, "a line for each, and the summary: {out}");
    assert!(lines[4].starts_with("[5/5] "), "{out}");
    assert_eq!(lines[5], "3 of 5 transcribed, 2 failed");
    let failed = err.lines().filter(|line| line.starts_with("failed: "));
    assert_eq!(failed.count(), 2, "{err}");
}

/// No more sessions than jobs: the service would refuse another.
#[test]
fn many_at_once() {
    let batch = Batch::new("jobs");
    let service = service(Options {
        max_sessions: Some(2),
        ..Options::default()
    });
    let mut command = batch.command(&service, &batch.inputs(5));
    command.args(["--jobs", "2", "--format", "srt"]);
    succeeds(command.args(["--set", "max-reconnects=0"]));
    let first = std::fs::read_to_string(batch.out().join("0.srt")).expect("a transcript");
    assert_eq!(first, "1\n00:00:00,200 --> 00:00:02,000\nM0 m1 m2.\n\n");
    let all = [0, 1, 2, 3, 4].map(|n| format!("{n}.srt 4"));
    assert_eq!(batch.transcripts(), all.join(", "));
}

/// Fewer sessions than jobs: those that are refused come later, and fewer run at once.
#[test]
fn a_service_without_room_is_waited_for() {
    let batch = Batch::new("room");
    let service = service(Options {
        max_sessions: Some(2),
        ..Options::default()
    });
    batch.inputs(40);
    let mut command = batch.command(&service, &[batch.scratch.path("in")]);
    let out = succeeds(command.args(["--jobs", "4"]));
    assert_eq!(batch.transcripts().split(", ").count(), 40);
    assert!(out.contains("back to the end of the list"), "{out}");
    assert!(out.contains("at most 2 at once"), "{out}");
    assert_eq!(out.lines().last(), Some("40 of 40 transcribed"));
}

/// Nothing would become of the others.
#[test]
fn refused_credentials_end_the_batch() {
    let batch = Batch::new("credentials");
    let service = service(Options::default());
    let mut command = batch.command(&service, &batch.inputs(5));
    let command = command.env("VOLCENGINE_ACCESS_KEY", "wrong");
    let command = command.args(["--jobs", "1"]);
    let (out, _) = reports(command, 1, &["error: ", "HTTP 401"]);
    assert_eq!(out, "0 of 5 transcribed, 5 not finished\n");
    assert_eq!(service.connections().len(), 1);
    assert_eq!(batch.transcripts(), "");
}

/// A transcript that lacks its end is none.
#[test]
fn without_the_last_words_it_has_failed() {
    let batch = Batch::new("lacking");
    let service = service(faulty(&["no-final@finish*"]));
    let talk = batch.wav("talk.wav", &open_ended_speech(2).0);
    let mut command = batch.command(&service, &[&talk]);
    let (_, err) = reports(command.args(["--set", "finish-timeout=200"]), 1, &[]);
    // Behind the warning of the lost connection.
    let failed = err.lines().nth(1).unwrap_or_default();
    let is_reported = failed.starts_with("failed: ") && failed.contains("talk.wav: ");
    assert!(is_reported, "{err}");
    assert_eq!(batch.transcripts(), "");
}

/// All of it was recognised, but not all confirmed: there is a transcript, and the exit status
/// says so.
#[test]
fn unconfirmed_words_show_in_the_exit_status() {
    let batch = Batch::new("unconfirmed");
    // In the final response `single` lists what it confirms; what it does not list stays as it was
    // in its last response.
    let said = json!([utterance(false, (100, 900), "Hm.")]);
    let service = scripted(&[(1000, response(1000, said))], response(2000, json!([])));
    let talk = batch.input("talk.wav", 2);
    let mut command = batch.command(&service, &[&talk]);
    let (status, out, err) = run(command.args(["--set", "result-type=single"]));
    assert_eq!((status, err.as_str()), (3, ""), "{out}");
    let is_reported = out.contains("1 utterance in") && out.contains("; 1 unconfirmed");
    assert!(is_reported, "{out}");
    let last = "1 of 1 transcribed, 1 with unconfirmed words or cut short";
    assert_eq!(out.lines().last(), Some(last));
    assert_eq!(batch.transcripts(), "talk.txt 1");
}

/// An error that concerns all inputs is reported once.
#[test]
fn what_the_command_line_cannot_say() {
    let batch = Batch::new("usage");
    let service = service(Options::default());
    let inputs = batch.inputs(2);
    let [one, two] = [&inputs[0], &inputs[1]].map(|path| path.display().to_string());
    #[rustfmt::skip]
    let cases: [(&[&str], &str); 5] = [
        (&[], "required"),
        (&[&one, "--dir", "out", "--set", "no-such=1"], "no property no-such"),
        (&[&one, &two, "-o", "x.txt"], "-o x.txt is for one input, and there are 2"),
        (&[&one, &two, "-o", "x.txt"], "-o out/"),
        (&[&one, "-o", &one, "--format", "txt"], "would be overwritten"),
    ];
    for (arguments, part) in cases {
        let mut command = command("transcribe", &service);
        assert_eq!(reports(command.args(arguments), 2, &[part]).0, "");
    }
    // A device is chosen as for captions.
    for inputs in [&[][..], &[&one]] {
        let mut command = command("transcribe", &service);
        let command = command.args(inputs).args(["--device", "no-such-device"]);
        let (_, err) = reports(command, 2, &[]);
        let is_reported = err.contains("no-such-device") || err.contains("microphone");
        assert!(is_reported, "{err}");
    }
    assert!(service.connections().is_empty());
}

/// One input, two files of it; or a directory for all of them, named as most programs take it, and
/// JSON lines of all on standard output.
#[test]
fn files_by_their_endings_and_json_lines() {
    let batch = Batch::new("formats");
    let service = service(Options::default());
    let inputs = batch.inputs(2);
    let (vtt, json) = (batch.scratch.path("a.vtt"), batch.scratch.path("a.json"));
    let mut one = command("transcribe", &service);
    succeeds(one.arg(&inputs[0]).arg("-o").arg(&vtt).arg("-o").arg(&json));
    let text = std::fs::read_to_string(vtt).expect("a file");
    assert!(text.starts_with("WEBVTT\n\n00:00:00.200 --> "), "{text}");
    let text = std::fs::read_to_string(json).expect("a file");
    let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(document["utterances"][0]["text"], "M0 m1 m2.");

    let directory = format!("{}/", batch.out().display());
    let mut many = command("transcribe", &service);
    let options = ["-o", &directory, "--format", "srt", "--json", "--quiet"];
    let out = succeeds(many.args(&inputs).args(options));
    assert_eq!(batch.transcripts(), "0.srt 4, 1.srt 4");
    let mut finals = json_lines(&out);
    finals.retain(|line| line["final"] == true);
    assert_eq!(finals.len(), 2);
    assert_ne!(finals[0]["input"], finals[1]["input"]);
}
