//! `transcribe`: whole transcripts, of all that can be had, each under a name of its own.

use crate::support::script::{response, scripted, utterance};
use crate::support::*;
use serde_json::json;
use volcasr_loopback::Options;

/// Makes inputs of one sentence each in the directory `in`.
pub(super) fn inputs(bench: &Bench, count: usize) {
    for n in 0..count {
        bench.talk(&format!("in/{n}.wav"), 1);
    }
}

/// One that fails does not stop the others, and two of one name do not write over each other.
#[test]
fn every_input_for_itself() {
    let bench = Bench::new();
    bench.talk("a/talk.wav", 1);
    bench.talk("b/talk.wav", 2);
    bench.write("broken.mp3", "Not a sound.\n");
    bench.talk("c/other.wav", 3);
    let failures = [
        "broken.mp3: Could not determine type of stream",
        "missing.mp3: no such file",
    ];
    let line = "transcribe a/talk.wav b/talk.wav broken.mp3 c/other.wav missing.mp3 --dir out";
    let (out, err) = bench.reports(line, 1, &failures);
    let expected = "a-talk.txt 1, b-talk.txt 2, other.txt 3";
    assert_eq!(bench.transcripts(), expected);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 6, "a line for each, and the summary: {out}");
    assert!(lines[4].starts_with("[5/5] "), "{out}");
    assert_eq!(lines[5], "3 of 5 transcribed, 2 failed");
    let failed = err.lines().filter(|line| line.starts_with("failed: "));
    assert_eq!(failed.count(), 2, "{err}");
}

/// Beside a service with room for two sessions.
fn beside_two() -> Bench {
    Bench::with(Options {
        max_sessions: Some(2),
        ..Options::default()
    })
}

/// No more sessions than jobs: the service would refuse another.
#[test]
fn many_at_once() {
    let bench = beside_two();
    inputs(&bench, 5);
    bench.succeeds("transcribe in --dir out --jobs 2 --format srt --set max-reconnects=0");
    let expected = "1\n00:00:00,200 --> 00:00:02,000\nM0 m1 m2.\n\n";
    assert_eq!(bench.text("out/0.srt"), expected);
    let all = [0, 1, 2, 3, 4].map(|n| format!("{n}.srt 4"));
    assert_eq!(bench.transcripts(), all.join(", "));
}

/// Fewer sessions than jobs: those that are refused come later, and fewer run at once.
#[test]
fn a_service_without_room_is_waited_for() {
    let bench = beside_two();
    inputs(&bench, 40);
    let out = bench.succeeds("transcribe in --dir out --jobs 4");
    assert_eq!(bench.names("out").len(), 40);
    assert!(out.contains("back to the end of the list"), "{out}");
    assert!(out.contains("at most 2 at once"), "{out}");
    assert_eq!(out.lines().last(), Some("40 of 40 transcribed"));
}

/// Nothing would become of the others.
#[test]
fn refused_credentials_end_the_batch() {
    let bench = Bench::new();
    inputs(&bench, 5);
    let mut command = bench.command("transcribe in --dir out --jobs 1");
    command.env("VOLCENGINE_ACCESS_KEY", "wrong");
    let (out, _) = reports(&mut command, 1, &["error: ", "HTTP 401"]);
    assert_eq!(out, "0 of 5 transcribed, 5 not finished\n");
    assert_eq!(bench.service.connections().len(), 1);
    assert_eq!(bench.transcripts(), "");
}

/// A transcript that lacks its end is none.
#[test]
fn without_the_last_words_it_has_failed() {
    let bench = Bench::faulty("no-final@finish*");
    bench.wav("talk.wav", &open_ended_speech(2).0);
    let line = "transcribe talk.wav --dir out --set finish-timeout=200";
    let (_, err) = bench.reports(line, 1, &[]);
    // Behind the warning of the lost connection.
    let failed = err.lines().nth(1).unwrap_or_default();
    let is_reported = failed.starts_with("failed: ") && failed.contains("talk.wav: ");
    assert!(is_reported, "{err}");
    assert_eq!(bench.transcripts(), "");
}

/// All of it was recognised, but not all confirmed: there is a transcript, and the exit status
/// says so.
#[test]
fn unconfirmed_words_show_in_the_exit_status() {
    // In the final response `single` lists what it confirms; what it does not list stays as it was
    // in its last response.
    let said = json!([utterance(false, (100, 900), "Hm.")]);
    let service = scripted(&[(1000, response(1000, said))], response(2000, json!([])));
    let bench = Bench::beside(service);
    bench.talk("talk.wav", 2);
    let line = "transcribe talk.wav --dir out --set result-type=single";
    let (out, err) = bench.reports(line, 3, &[]);
    assert_eq!(err, "", "{out}");
    let is_reported = out.contains("1 utterance in") && out.contains("; 1 unconfirmed");
    assert!(is_reported, "{out}");
    let last = "1 of 1 transcribed, 1 with unconfirmed words or cut short";
    assert_eq!(out.lines().last(), Some(last));
    assert_eq!(bench.transcripts(), "talk.txt 1");
}

/// One input, two files of it; or a directory for all of them, named as most programs take it, and
/// JSON lines of all on standard output.
#[test]
fn files_by_their_endings_and_json_lines() {
    let bench = Bench::new();
    inputs(&bench, 2);
    bench.succeeds("transcribe in/0.wav -o a.vtt -o a.json");
    let vtt = bench.text("a.vtt");
    assert!(vtt.starts_with("WEBVTT\n\n00:00:00.200 --> "), "{vtt}");
    let document: serde_json::Value = serde_json::from_str(&bench.text("a.json")).expect("JSON");
    assert_eq!(document["utterances"][0]["text"], "M0 m1 m2.");

    let out = bench.succeeds("transcribe in/0.wav in/1.wav -o out/ --format srt --json --quiet");
    assert_eq!(bench.transcripts(), "0.srt 4, 1.srt 4");
    let mut finals = json_lines(&out);
    finals.retain(|line| line["final"] == true);
    assert_eq!(finals.len(), 2);
    assert_ne!(finals[0]["input"], finals[1]["input"]);
}
