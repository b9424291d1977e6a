//! The program `captions`: what it prints, writes and returns.

use std::path::PathBuf;

use crate::support::cues::{self, Cue};
use crate::support::program::{Running, STDIN, command, run, write_wav};
use crate::support::*;
use serde_json::Value;
use volcasr_loopback::Options;
use volcasr_loopback::marks::Mark;

/// A sentence of three marks as the service writes it.
fn sentence(marks: &[Mark]) -> String {
    let numbers: Vec<String> = marks
        .iter()
        .map(|mark| format!("m{}", mark.number))
        .collect();
    format!("{}.", numbers.join(" ").replacen('m', "M", 1))
}

fn sentences(marks: &[Mark]) -> Vec<String> {
    marks.chunks(3).map(sentence).collect()
}

/// Returns the cues expected for these marks.
pub(super) fn expected_cues(marks: &[Mark]) -> Vec<Cue> {
    let cue = |marks: &[Mark]| Cue {
        text: sentence(marks),
        start: marks[0].start,
        end: marks[marks.len() - 1].end + 500,
    };
    marks.chunks(3).map(cue).collect()
}

/// The three files, in a directory of their own.
pub(super) struct Files {
    pub(super) scratch: Scratch,
}

impl Files {
    pub(super) fn new(name: &str) -> Self {
        init();
        Files {
            scratch: Scratch::new(name),
        }
    }

    pub(super) fn path(&self, extension: &str) -> PathBuf {
        self.scratch.path(&format!("words.{extension}"))
    }

    /// The arguments that ask for them.
    pub(super) fn arguments(&self) -> Vec<String> {
        ["srt", "vtt", "jsonl"]
            .iter()
            .flat_map(|kind| ["-o".to_owned(), self.path(kind).display().to_string()])
            .collect()
    }

    pub(super) fn json(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path("jsonl")).expect("the file");
        assert!(text.is_empty() || text.ends_with('\n'), "{text:?}");
        let lines = text.lines();
        lines
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    }

    /// The cues, the same in all three.
    pub(super) fn cues(&self) -> Vec<Cue> {
        let cues = cues::read(&self.path("srt"));
        assert_eq!(cues, cues::read(&self.path("vtt")));
        let texts: Vec<&str> = cues.iter().map(|cue| cue.text.as_str()).collect();
        let json = self.json();
        let in_json: Vec<&str> = json
            .iter()
            .filter_map(|line| line["text"].as_str())
            .collect();
        assert_eq!(texts, in_json);
        cues
    }
}

pub(super) fn wav(directory: &Scratch, pcm: &[u8]) -> PathBuf {
    let path = directory.path("talk.wav");
    write_wav(&path, 24_000, pcm);
    path
}

#[test]
fn a_file_becomes_lines_and_subtitles() {
    let files = Files::new("file");
    let service = service(Options::default());
    let (pcm, marks) = speech(3);
    let (status, out, err) = run(command("captions", &service)
        .arg(wav(&files.scratch, &pcm))
        .args(files.arguments()));
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    assert_eq!(out.lines().collect::<Vec<_>>(), sentences(&marks));
    assert_eq!(files.cues(), expected_cues(&marks));

    let line = &files.json()[1];
    assert_eq!(line["final"], true);
    assert_eq!(line["utterance"], 1);
    assert_eq!(line["stream-time"], marks[3].start * 1_000_000);
    assert_eq!(
        line["duration"],
        (marks[5].end - marks[3].start) * 1_000_000
    );
    assert_eq!(line["words"][2]["timestamp"], marks[5].start * 1_000_000);
    assert!(line["stream-id"].is_string(), "{line}");
}

/// As gst-launch-1.0 takes it, in arguments or in one; a space in a name is no end of it.
#[test]
fn a_piece_of_a_launch_line() {
    let files = Files::new("piece with space");
    let service = service(Options::default());
    let (pcm, marks) = speech(1);
    let talk = wav(&files.scratch, &pcm).display().to_string();
    let arguments = ["filesrc", &format!("location={talk}"), "!", "wavparse"].map(str::to_owned);
    let one = [format!("filesrc location=\"{talk}\" ! wavparse")];
    for words in [&arguments[..], &one[..]] {
        let (status, out, err) = run(command("captions", &service).args(words));
        assert_eq!(
            (status, out.trim_end()),
            (0, sentence(&marks).as_str()),
            "{err}"
        );
    }
}

/// The stream is ended in good order: what was said by then is recognised to its end, a half
/// sentence too.
#[test]
fn ctrl_c_waits_for_the_last_words() {
    let files = Files::new("ctrl-c");
    let service = service(Options::default());
    let (pcm, marks) = open_ended_speech(2);
    let mut running = Running::start(
        command("captions", &service)
            .arg(STDIN)
            .args(files.arguments()),
    );
    running.feed(&pcm);
    assert_eq!(running.line(), sentence(&marks[..3]));
    // The last mark has arrived; what is said of it has not.
    let last = marks[5].end * 48;
    assert!(service.wait(LONG, |all| all.iter().any(|c| c.audio_bytes >= last)));
    running.signal("INT");
    let (status, out, err) = running.end();
    assert_eq!((status, err.as_str()), (0, ""));
    assert_eq!(out.trim_end(), sentence(&marks[3..]));
    assert_eq!(files.cues(), expected_cues(&marks));
}

/// The service never says the last words, so that there is time for a second one.
#[test]
fn a_second_ctrl_c_quits_at_once() {
    let files = Files::new("quit");
    let service = service(faulty(&["no-final@finish*"]));
    let (pcm, marks) = open_ended_speech(2);
    let mut running = Running::start(
        command("captions", &service)
            .arg(STDIN)
            .args(["--set", "finish-timeout=600000"])
            .args(files.arguments()),
    );
    running.feed(&pcm);
    assert_eq!(running.line(), sentence(&marks[..3]));
    running.signal("INT");
    assert!(service.wait(LONG, |all| all.iter().any(|c| c.finish_at.is_some())));
    running.signal("INT");
    let (status, out, _) = running.end();
    assert_eq!((status, out.as_str()), (130, ""));
    assert_eq!(files.cues(), expected_cues(&marks[..3]));
}

/// All captions that have been seen are in the files, and the files can be read.
#[test]
fn killed_at_any_moment_it_leaves_valid_files() {
    for seen in 0..4 {
        let files = Files::new(&format!("kill-{seen}"));
        let service = service(Options::default());
        let (pcm, marks) = speech(4);
        let mut running = Running::start(
            command("captions", &service)
                .arg(STDIN)
                .args(files.arguments()),
        );
        running.feed(&pcm);
        for number in 0..seen {
            assert_eq!(running.line(), sentences(&marks)[number]);
        }
        if seen == 0 {
            // The files are there, and nothing is in them yet, or something already.
            assert!(service.wait(LONG, |all| all.iter().any(|c| c.audio_bytes > 0)));
        }
        running.kill();
        for kind in ["srt", "vtt"] {
            let cues = cues::read(&files.path(kind));
            assert!(cues.len() >= seen, "{kind} after {seen}: {cues:?}");
            assert_eq!(
                cues,
                expected_cues(&marks)[..cues.len()],
                "{kind} after {seen}"
            );
        }
        assert!(files.json().len() >= seen);
    }
}

#[test]
fn unconfirmed_words_are_kept_and_tell_in_the_exit_status() {
    let files = Files::new("unconfirmed");
    let service = service(faulty(&["no-final@finish*"]));
    let (pcm, marks) = open_ended_speech(2);
    let (status, out, err) = run(command("captions", &service)
        .arg(wav(&files.scratch, &pcm))
        .args(["--set", "finish-timeout=200"])
        .args(files.arguments()));
    assert_eq!(status, 3, "{err}");
    assert!(err.contains("unconfirmed utterances: 1"), "{err}");
    assert_eq!(out.lines().next(), Some(sentence(&marks[..3]).as_str()));
    let unconfirmed: Vec<bool> = files
        .json()
        .iter()
        .filter_map(|line| line["unconfirmed"].as_bool())
        .collect();
    assert_eq!(unconfirmed, [false, true]);
    assert_eq!(files.cues().len(), 2);
}

/// No utterance was open when the service fell silent, but more might have come.
#[test]
fn an_unanswered_end_tells_in_the_exit_status() {
    let files = Files::new("unanswered");
    let service = service(faulty(&["no-final@finish*"]));
    let (pcm, marks) = speech(1);
    let (status, out, err) = run(command("captions", &service)
        .arg(wav(&files.scratch, &pcm))
        .args(["--set", "finish-timeout=200"]));
    assert_eq!(status, 3, "{err}");
    assert_eq!(out.trim_end(), sentence(&marks));
    assert!(err.contains("did not confirm the last words"), "{err}");
    assert!(!err.contains("unconfirmed utterances"), "{err}");
}

/// However often the connection is lost: one warning, and how many there were.
#[test]
fn a_warning_of_one_kind_is_reported_once() {
    let files = Files::new("warnings");
    let service = service(faulty(&["reset@2s#1", "reset@1s#2"]));
    let (pcm, marks) = speech(4);
    let (status, out, err) = run(command("captions", &service)
        .arg(wav(&files.scratch, &pcm))
        .args(["--set", "max-speed=40"]));
    assert_eq!(status, 0, "{err}");
    assert_eq!(out.lines().collect::<Vec<_>>(), sentences(&marks));
    let lines: Vec<&str> = err.lines().collect();
    assert!(
        lines[0].starts_with("warning: The connection was lost"),
        "{err}"
    );
    assert_eq!(lines[1..], ["warning: volcasr-reconnect: 2 times in all"]);
}

/// One error, in the element's words, and what helps.
#[test]
fn refused_credentials() {
    let files = Files::new("refused");
    let service = service(Options::default());
    let (pcm, _) = speech(1);
    let (status, out, err) = run(command("captions", &service)
        .env("VOLCENGINE_ACCESS_KEY", "wrong")
        .arg(wav(&files.scratch, &pcm))
        .args(files.arguments()));
    assert_eq!((status, out.as_str()), (1, ""));
    let lines: Vec<&str> = err.lines().collect();
    let [error, hint] = lines[..] else {
        panic!("{err}");
    };
    assert!(
        error.starts_with("error: ") && error.contains("HTTP 401"),
        "{error}"
    );
    assert!(error.contains("VOLCENGINE_ACCESS_KEY"), "{error}");
    assert!(
        hint.starts_with("hint: ") && hint.contains("log id"),
        "{hint}"
    );
    assert!(!err.contains("wrong"), "{err}");
    assert!(files.cues().is_empty());
}

/// A setting that fails the start is an error as well, not a hang.
#[test]
fn a_pipeline_that_does_not_start() {
    let files = Files::new("start");
    let service = service(Options::default());
    let (pcm, _) = speech(1);
    let (status, _, err) = run(command("captions", &service)
        .arg(wav(&files.scratch, &pcm))
        .args(["--set", "context=[1]"]));
    assert_eq!(status, 1);
    assert!(err.contains("\"context\""), "{err}");
}
