//! The program `captions`: what it prints, writes and returns.

use crate::support::bench::FILES;
use crate::support::*;
use volcasr_loopback::Endpoint;

#[test]
fn a_file_becomes_lines_and_subtitles() {
    let bench = Bench::new();
    let marks = bench.talk("talk.wav", 3);
    let out = bench.succeeds(&format!("captions talk.wav {FILES}"));
    assert_lines(&out, &marks);
    bench.assert_have(&marks);

    let line = &bench.json()[1];
    assert_eq!(line["final"], true);
    assert_eq!(line["utterance"], 1);
    assert_eq!(line["stream-time"], marks[3].start * 1_000_000);
    let length = marks[5].end - marks[3].start;
    assert_eq!(line["duration"], length * 1_000_000);
    assert_eq!(line["words"][2]["timestamp"], marks[5].start * 1_000_000);
    assert!(line["stream-id"].is_string(), "{line}");
}

/// As gst-launch-1.0 takes it, in arguments or in one; a space in a name is no end of it.
#[test]
fn a_piece_of_a_launch_line() {
    let bench = Bench::new();
    let marks = bench.talk("a talk.wav", 1);
    for words in [
        &["filesrc", "location=a talk.wav", "!", "wavparse"][..],
        &["filesrc location=\"a talk.wav\" ! wavparse"],
    ] {
        let (out, err) = reports(bench.command("captions").args(words), 0, &[]);
        assert_lines(&out, &marks);
        assert_eq!(err, "");
    }
}

/// The stream is ended in good order: what was said by then is recognised to its end, a half
/// sentence too. It ends in good time even if the service does not answer.
#[test]
fn a_signal_waits_for_the_last_words() {
    let (pcm, marks) = open_ended_speech(2);
    for signal in ["INT", "TERM"] {
        let bench = Bench::new();
        let mut running = bench.start(&format!("captions {STDIN} {FILES}"), &pcm);
        assert_eq!(running.line(), sentences(&marks)[0]);
        // The last mark has arrived; what is said of it has not.
        bench.until(|c| c.audio_bytes >= marks[5].end * 48);
        running.signal(signal);
        let (status, out, err) = running.end();
        assert_eq!((status, err.as_str()), (0, ""), "{signal}");
        assert_lines(&out, &marks[3..]);
        bench.assert_have(&marks);
    }
    let bench = Bench::faulty("no-final@finish*");
    let line = format!("captions {STDIN} --set finish-timeout=1000");
    let mut running = bench.start(&line, &speech(1).0);
    running.line();
    running.signal("INT");
    let (status, _, err) = running.end();
    assert_eq!(status, 3, "{err}");
}

/// The service never says the last words, so that there is time for a second one.
#[test]
fn a_second_ctrl_c_quits_at_once() {
    let bench = Bench::faulty("no-final@finish*");
    let (pcm, marks) = open_ended_speech(2);
    let line = format!("captions {STDIN} {FILES} --set finish-timeout=600000");
    let mut running = bench.start(&line, &pcm);
    assert_eq!(running.line(), sentences(&marks)[0]);
    assert_eq!(bench.interrupt_twice(running), "");
    bench.assert_have(&marks[..3]);
}

/// All captions that have been seen are in the files, and the files can be read.
#[test]
fn killed_at_any_moment_it_leaves_valid_files() {
    let (pcm, marks) = speech(4);
    for seen in 0..4 {
        let bench = Bench::new();
        let mut running = bench.start(&format!("captions {STDIN} {FILES}"), &pcm);
        for sentence in &sentences(&marks)[..seen] {
            assert_eq!(running.line(), *sentence);
        }
        // The files are there, and nothing is in them yet, or something already.
        bench.until(|c| c.audio_bytes > 0);
        running.kill();
        for name in ["words.srt", "words.vtt"] {
            let cues = bench.cues(name);
            assert!(cues.len() >= seen, "{name} after {seen}: {cues:?}");
            assert_eq!(cues, cues_of(&marks)[..cues.len()], "{name} after {seen}");
        }
        assert!(bench.json().len() >= seen);
    }
}

#[test]
fn unconfirmed_words_are_kept_and_tell_in_the_exit_status() {
    let bench = Bench::faulty("no-final@finish*");
    let (pcm, marks) = open_ended_speech(2);
    bench.wav("talk.wav", &pcm);
    let line = format!("captions talk.wav {FILES} --set finish-timeout=200");
    let (out, _) = bench.reports(&line, 3, &["unconfirmed utterances: 1"]);
    assert_eq!(out.lines().next(), Some(sentences(&marks)[0].as_str()));
    let json = bench.json();
    let unconfirmed: Vec<_> = json.iter().map(|line| &line["unconfirmed"]).collect();
    assert_eq!(unconfirmed, [false, true]);
    assert_eq!(bench.cues("words.srt").len(), 2);

    // No utterance was open when the service fell silent, but more might have come.
    let marks = bench.talk("talk.wav", 1);
    let (out, err) = bench.reports(&line, 3, &["did not confirm the last words"]);
    assert_lines(&out, &marks);
    assert!(!err.contains("unconfirmed utterances"), "{err}");
}

/// However often the connection is lost: one warning, and how many there were.
#[test]
fn a_warning_of_one_kind_is_reported_once() {
    let bench = Bench::faulty("reset@2s#1 reset@1s#2");
    let marks = bench.talk("talk.wav", 4);
    let lost = "warning: The connection was lost";
    let (out, err) = bench.reports("captions talk.wav --set max-speed=40", 0, &[lost]);
    assert_lines(&out, &marks);
    let lines: Vec<&str> = err.lines().collect();
    assert_eq!(lines[1..], ["warning: volcasr-reconnect: 2 times in all"]);
}

/// One error, in the element's words, and what helps.
#[test]
fn refused_credentials() {
    let bench = Bench::new();
    bench.talk("talk.wav", 1);
    let variable = "VOLCENGINE_ACCESS_KEY";
    let parts = ["error: ", "HTTP 401", variable, "\nhint: ", "log id"];
    let mut command = bench.command(&format!("captions talk.wav {FILES}"));
    let (out, err) = reports(command.env(variable, "wrong"), 1, &parts);
    assert_eq!((out.as_str(), err.lines().count()), ("", 2), "{err}");
    assert!(!err.contains("wrong"), "{err}");
    bench.assert_have(&[]);
}

/// Options for what is asked most often reach the service.
#[test]
fn options_reach_the_request() {
    let bench = Bench::new();
    bench.talk("talk.wav", 1);
    let ask = |options: &str, more: &[&str]| {
        let mut command = bench.command(&format!("captions talk.wav {options}"));
        reports(command.args(more), 0, &[]);
        let connection = bench.service.connections().pop().expect("a connection");
        let resource = connection.header("X-Api-Resource-Id").map(str::to_owned);
        (resource, connection.request.clone().expect("a request"))
    };
    // The endpoint that takes a language.
    let uri = bench.service.uri_for(Endpoint::Nostream);
    let resource = "volc.bigasr.sauc.duration";
    let language = format!("--uri {uri} --resource-id {resource} --language en-US");
    let (asked, request) = ask(&language, &[]);
    assert_eq!(asked.as_deref(), Some(resource));
    assert_eq!(request["audio"]["language"], "en-US");
    let words = ["--hotword", "GStreamer", "--hotword", "深度 学习"];
    let (_, request) = ask("--preset dictation --speakers", &words);
    assert_eq!(request["request"]["end_window_size"], 1500);
    assert_eq!(request["request"]["enable_speaker_info"], true);
    let context = request["request"]["corpus"]["context"].to_string();
    let has_both = context.contains("GStreamer") && context.contains("深度 学习");
    assert!(has_both, "{context}");
}
