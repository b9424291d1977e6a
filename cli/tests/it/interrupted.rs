//! Batches that are killed or interrupted: what is there, and how they go on.

use crate::support::*;

/// Nothing is there under its name before it is whole; the next run does what is missing, and
/// nothing else.
#[test]
fn a_killed_batch_goes_on() {
    let bench = Bench::faulty("hang@1s#2");
    bench.talk("first.wav", 1);
    bench.talk("second.wav", 2);
    let line = "transcribe first.wav second.wav --dir out";
    let mut running = bench.start(&format!("{line} --jobs 1"), &[]);
    assert!(running.line().starts_with("[1/2] "));
    bench.until(|c| !c.faults.is_empty());
    running.kill();
    assert!(bench.path("out/first.txt").exists());
    assert!(!bench.path("out/second.txt").exists());

    bench.write("out/first.txt", "as it was\n");
    let before = bench.service.connections().len();
    let out = bench.succeeds(&format!("{line} --skip-existing"));
    let last = "1 of 2 transcribed, 1 already there";
    assert_eq!(out.lines().last(), Some(last));
    assert_eq!(bench.service.connections().len(), before + 1);
    assert_eq!(bench.transcripts(), "first.txt 1, second.txt 2");
    assert_eq!(bench.text("out/first.txt"), "as it was\n");
}

/// A service that hangs gives no more words: what is there is left, marked as not whole.
#[test]
fn ctrl_c_leaves_what_is_whole() {
    // No other connection gives any words either.
    let again = (3..9).map(|n| format!(" hang@handshake#{n}"));
    let bench = Bench::faulty(&format!("hang@1s#2{}", again.collect::<String>()));
    for (name, sentences) in [("first.wav", 1), ("second.wav", 2), ("third.wav", 1)] {
        bench.talk(name, sentences);
    }
    let line = "transcribe first.wav second.wav third.wav --dir out";
    let options = "--jobs 1 --set finish-timeout=300";
    let mut running = bench.start(&format!("{line} {options}"), &[]);
    assert!(running.line().starts_with("[1/3] "));
    bench.until(|c| !c.faults.is_empty());
    running.signal("INT");
    let (status, out, _) = running.end();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(status, 130, "{out}");
    let is_reported = lines[0].contains("second.wav") && lines[0].contains("interrupted: ");
    assert!(is_reported, "{out}");
    assert_eq!(lines[1..], ["1 of 3 transcribed, 2 not finished"]);
    let found = bench.transcripts();
    let part = found.strip_prefix("first.txt 1").expect("the whole one");
    let is_second = part.starts_with(", second.txt.part ") && !part.contains("third");
    assert!(part.is_empty() || is_second, "{found}");
}

/// A job that runs ends with what was read, a half sentence too. The next run begins it again.
#[test]
fn an_interrupted_job_leaves_its_words() {
    for signal in ["INT", "TERM"] {
        let bench = Bench::new();
        bench.wav("whole.wav", &open_ended_speech(2).0);
        let whole = bench.bytes("whole.wav");
        bench.talk("third.wav", 1);
        let line = "transcribe - third.wav --dir out";
        let running = bench.start(&format!("{line} --jobs 1"), &whole);
        let last = (whole.len() - 44) as u64 / 9600 * 9600;
        bench.until(|c| c.audio_bytes >= last);
        running.signal(signal);
        let (status, out, err) = running.end();
        assert_eq!((status, err.as_str()), (130, ""), "{out}");
        let interrupted = "stdin.txt.part: interrupted: 2 utterances";
        assert!(out.contains(interrupted), "{out}");
        let last = "0 of 2 transcribed, 2 not finished";
        assert_eq!(out.lines().last(), Some(last));
        assert_eq!(bench.names("out"), ["stdin.txt.part"]);
        assert_eq!(bench.text("out/stdin.txt.part"), "M0 m1 m2.\nM3 m4 m5.\n");

        let mut running = bench.start(&format!("{line} --skip-existing"), &whole);
        running.close_stdin();
        let (status, out, err) = running.end();
        assert_eq!((status, err.as_str()), (0, ""), "{out}");
        assert_eq!(bench.transcripts(), "stdin.txt 2, third.txt 1");
    }
}

/// The second one does not wait.
#[test]
fn a_second_ctrl_c_quits_the_batch() {
    let bench = Bench::faulty("no-final@finish*");
    bench.talk("talk.wav", 2);
    let line = "transcribe - --dir out --set finish-timeout=600000";
    let running = bench.start(line, &bench.bytes("talk.wav"));
    bench.until(|c| c.audio_bytes > 100_000);
    let last = "0 of 1 transcribed, 1 not finished\n";
    assert_eq!(bench.interrupt_twice(running), last);
    assert_eq!(bench.transcripts(), "");
}

/// An input that was read to its end only waits for its final text: it is whole.
#[test]
fn an_input_that_was_read_becomes_whole() {
    let bench = Bench::new();
    bench.talk("talk.wav", 4);
    let line = "transcribe talk.wav --dir out --set max-speed=4";
    let running = bench.start(line, &[]);
    bench.until(|c| c.audio_bytes > 48_000);
    running.signal("INT");
    let (status, out, err) = running.end();
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    assert_eq!(out.lines().last(), Some("1 of 1 transcribed"));
    assert_eq!(bench.transcripts(), "talk.txt 4");
}
