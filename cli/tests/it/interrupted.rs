//! Batches that are killed or interrupted: what is there, and how they go on.

use std::path::Path;

use crate::many_inputs::Batch;
use crate::support::program::{Running, succeeds};
use crate::support::*;
use volcasr_loopback::Options;

/// Nothing is there under its name before it is whole; the next run does what is missing, and
/// nothing else.
#[test]
fn a_killed_batch_goes_on() {
    let batch = Batch::new("kill");
    let service = service(faulty(&["hang@1s#2"]));
    let inputs = [batch.input("first.wav", 1), batch.input("second.wav", 2)];
    let mut running = Running::start(batch.command(&service, &inputs).args(["--jobs", "1"]));
    assert!(running.line().starts_with("[1/2] "));
    until_connection(&service, |c| !c.faults.is_empty());
    running.kill();
    let whole = batch.out().join("first.txt");
    assert!(whole.exists());
    assert!(!batch.out().join("second.txt").exists());

    std::fs::write(&whole, "as it was\n").expect("a temporary file");
    let before = service.connections().len();
    let out = succeeds(batch.command(&service, &inputs).arg("--skip-existing"));
    let last = "1 of 2 transcribed, 1 already there";
    assert_eq!(out.lines().last(), Some(last));
    assert_eq!(service.connections().len(), before + 1);
    assert_eq!(batch.transcripts(), "first.txt 1, second.txt 2");
    assert_eq!(
        std::fs::read_to_string(&whole).expect("a text"),
        "as it was\n"
    );
}

/// A service that hangs gives no more words: what is there is left, marked as not whole.
#[test]
fn ctrl_c_leaves_what_is_whole() {
    let batch = Batch::new("ctrl-c");
    // No other connection gives any words either.
    let again = (3..9).map(|n| format!("hang@handshake#{n}"));
    let faults: Vec<String> = ["hang@1s#2".to_owned()].into_iter().chain(again).collect();
    let faults: Vec<&str> = faults.iter().map(String::as_str).collect();
    let service = service(faulty(&faults));
    let inputs = [("first.wav", 1), ("second.wav", 2), ("third.wav", 1)];
    let inputs = inputs.map(|(name, sentences)| batch.input(name, sentences));
    let options = ["--jobs", "1", "--set", "finish-timeout=300"];
    let mut running = Running::start(batch.command(&service, &inputs).args(options));
    assert!(running.line().starts_with("[1/3] "));
    until_connection(&service, |c| !c.faults.is_empty());
    running.signal("INT");
    let (status, out, _) = running.end();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(status, 130, "{out}");
    let is_reported = lines[0].contains("second.wav") && lines[0].contains("interrupted: ");
    assert!(is_reported, "{out}");
    assert_eq!(lines[1..], ["1 of 3 transcribed, 2 not finished"]);
    let found = batch.transcripts();
    let part = found.strip_prefix("first.txt 1").expect("the whole one");
    let is_second = part.starts_with(", second.txt.part ") && !part.contains("third");
    assert!(part.is_empty() || is_second, "{found}");
}

/// A job that runs ends with what was read, a half sentence too. The next run begins it again.
#[test]
fn an_interrupted_job_leaves_its_words() {
    for signal in ["INT", "TERM"] {
        let batch = Batch::new(&format!("interrupted-{signal}"));
        let service = service(Options::default());
        let whole = batch.wav("whole.wav", &open_ended_speech(2).0);
        let whole = std::fs::read(whole).expect("the file");
        let third = batch.input("third.wav", 1);
        let inputs = [Path::new("-"), &third];
        let mut running = Running::start(batch.command(&service, &inputs).args(["--jobs", "1"]));
        running.feed(&whole);
        let last = (whole.len() - 44) as u64 / 9600 * 9600;
        until_connection(&service, |c| c.audio_bytes >= last);
        running.signal(signal);
        let (status, out, err) = running.end();
        assert_eq!((status, err.as_str()), (130, ""), "{out}");
        let interrupted = "stdin.txt.part: interrupted: 2 utterances";
        assert!(out.contains(interrupted), "{out}");
        let last = "0 of 2 transcribed, 2 not finished";
        assert_eq!(out.lines().last(), Some(last));
        assert_eq!(batch.transcripts(), "stdin.txt.part 2");
        let part = batch.out().join("stdin.txt.part");
        let words = std::fs::read_to_string(part).expect("a text");
        assert_eq!(words, "M0 m1 m2.\nM3 m4 m5.\n");

        let mut command = batch.command(&service, &inputs);
        let mut running = Running::start(command.arg("--skip-existing"));
        running.feed(&whole);
        running.close_stdin();
        let (status, out, err) = running.end();
        assert_eq!((status, err.as_str()), (0, ""), "{out}");
        assert_eq!(batch.transcripts(), "stdin.txt 2, third.txt 1");
    }
}

/// The second one does not wait.
#[test]
fn a_second_ctrl_c_quits_the_batch() {
    let batch = Batch::new("quit");
    let service = service(faulty(&["no-final@finish*"]));
    let talk = std::fs::read(batch.wav("talk.wav", &speech(2).0)).expect("the file");
    let options = ["--set", "finish-timeout=600000"];
    let mut running = Running::start(batch.command(&service, &[Path::new("-")]).args(options));
    running.feed(&talk);
    until_connection(&service, |c| c.audio_bytes > 100_000);
    running.signal("INT");
    until_connection(&service, |c| c.finish_at.is_some());
    running.signal("INT");
    let (status, out, _) = running.end();
    let last = "0 of 1 transcribed, 1 not finished\n";
    assert_eq!((status, out.as_str()), (130, last));
    assert_eq!(batch.transcripts(), "");
}

/// An input that was read to its end only waits for its final text: it is whole.
#[test]
fn an_input_that_was_read_becomes_whole() {
    let batch = Batch::new("read");
    let service = service(Options::default());
    let talk = batch.input("talk.wav", 4);
    let options = ["--set", "max-speed=4"];
    let running = Running::start(batch.command(&service, &[&talk]).args(options));
    until_connection(&service, |c| c.audio_bytes > 48_000);
    running.signal("INT");
    let (status, out, err) = running.end();
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    assert_eq!(out.lines().last(), Some("1 of 1 transcribed"));
    assert_eq!(batch.transcripts(), "talk.txt 4");
}
