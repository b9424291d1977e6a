//! The program, run as a user runs it.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use volcasr_loopback::Service;
use volcasr_loopback::marks::Mark;

pub use super::running::*;
use super::{Scratch, cues, init};

/// Makes a command of the program that knows the service, and no other credentials than its own.
pub fn command(name: &str, service: &Service) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_volcasr"));
    command.arg(name);
    give_credentials(&mut command, service);
    command
}

/// Runs a command to its good end, which has nothing to report. Returns what it prints.
#[track_caller]
pub fn succeeds(command: &mut Command) -> String {
    let (status, out, err) = run(command);
    assert_eq!((status, err.as_str()), (0, ""), "{command:?}: {out}");
    out
}

/// Runs a command that ends with `status`, and has all `parts` on standard error: an error or a
/// warning at its beginning. Returns what it prints, and that.
#[track_caller]
pub fn reports(command: &mut Command, status: i32, parts: &[&str]) -> (String, String) {
    let (found, out, err) = run(command);
    assert_eq!(found, status, "{command:?}: {out}{err}");
    for part in parts {
        let is_first = part.starts_with("error: ") || part.starts_with("warning: ");
        let is_there = if is_first {
            err.starts_with(part)
        } else {
            err.contains(part)
        };
        assert!(is_there, "no {part:?}: {command:?}: {out}{err}");
    }
    (out, err)
}

/// Makes the command `captions` for an input.
pub fn captions(service: &Service, input: impl AsRef<OsStr>, more: &[&str]) -> Command {
    let mut command = command("captions", service);
    command.arg(input).args(more);
    command
}

/// Sentences of three marks, as the service writes them.
pub fn sentences(marks: &[Mark]) -> Vec<String> {
    let sentence = |marks: &[Mark]| {
        let numbers = marks.iter().map(|mark| format!("m{}", mark.number));
        let words = numbers.collect::<Vec<_>>().join(" ");
        format!("{}.", words.replacen('m', "M", 1))
    };
    marks.chunks(3).map(sentence).collect()
}

/// Asserts that the lines are the sentences of the marks.
#[track_caller]
pub fn assert_lines(out: &str, marks: &[Mark]) {
    assert_eq!(out.lines().collect::<Vec<_>>(), sentences(marks));
}

/// A directory for an input, and for outputs in three formats.
pub struct Files {
    pub scratch: Scratch,
}

impl Files {
    pub fn new(name: &str) -> Self {
        init();
        let scratch = Scratch::new(name);
        Files { scratch }
    }

    /// Writes the input.
    pub fn wav(&self, pcm: &[u8]) -> PathBuf {
        let path = self.scratch.path("talk.wav");
        write_wav(&path, 24_000, pcm);
        path
    }

    pub fn path(&self, extension: &str) -> PathBuf {
        self.scratch.path(&format!("words.{extension}"))
    }

    /// Makes the command that writes them.
    pub fn command(&self, service: &Service, input: impl AsRef<OsStr>) -> Command {
        let mut command = command("captions", service);
        command.arg(input);
        for kind in ["srt", "vtt", "jsonl"] {
            command.arg("-o").arg(self.path(kind));
        }
        command
    }

    pub fn json(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path("jsonl")).expect("the file");
        assert!(text.is_empty() || text.ends_with('\n'), "{text:?}");
        json_lines(&text)
    }

    /// Asserts that each of the files has these marks.
    #[track_caller]
    pub fn assert_have(&self, marks: &[Mark]) {
        let expected = cues_of(marks);
        for kind in ["srt", "vtt"] {
            assert_eq!(cues::read(&self.path(kind)), expected, "{kind}");
        }
        let json = self.json();
        let texts = json.iter().filter_map(|line| line["text"].as_str());
        assert_eq!(texts.collect::<Vec<_>>(), sentences(marks));
    }
}

/// Returns the cues expected for these marks.
pub fn cues_of(marks: &[Mark]) -> Vec<cues::Cue> {
    let sentences = sentences(marks).into_iter().zip(marks.chunks(3));
    let cue = |(text, marks): (String, &[Mark])| cues::Cue {
        text,
        start: marks[0].start,
        end: marks[marks.len() - 1].end + 500,
    };
    sentences.map(cue).collect()
}

pub fn json_lines(text: &str) -> Vec<Value> {
    let lines = text.lines().map(serde_json::from_str);
    lines.map(|line| line.expect("JSON")).collect()
}
