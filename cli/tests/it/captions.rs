//! The program `captions`: what it prints, writes and returns.

use crate::support::cues;
use crate::support::program::*;
use crate::support::*;
use volcasr_loopback::{Endpoint, Options};

#[test]
fn a_file_becomes_lines_and_subtitles() {
    let files = Files::new("file");
    let service = service(Options::default());
    let (pcm, marks) = speech(3);
    let out = succeeds(&mut files.command(&service, files.wav(&pcm)));
    assert_lines(&out, &marks);
    files.assert_have(&marks);

    let line = &files.json()[1];
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
    let files = Files::new("piece with space");
    let service = service(Options::default());
    let (pcm, marks) = speech(1);
    let talk = files.wav(&pcm).display().to_string();
    let location = format!("location={talk}");
    for words in [
        &["filesrc", &location, "!", "wavparse"][..],
        &[&format!("filesrc location=\"{talk}\" ! wavparse")],
    ] {
        let mut command = captions(&service, words[0], &words[1..]);
        assert_lines(&succeeds(&mut command), &marks);
    }
}

/// The stream is ended in good order: what was said by then is recognised to its end, a half
/// sentence too. It ends in good time even if the service does not answer.
#[test]
fn a_signal_waits_for_the_last_words() {
    for signal in ["INT", "TERM"] {
        let files = Files::new(&format!("signal-{signal}"));
        let service = service(Options::default());
        let (pcm, marks) = open_ended_speech(2);
        let mut running = Running::start(&mut files.command(&service, STDIN));
        running.feed(&pcm);
        assert_eq!(running.line(), sentences(&marks)[0]);
        // The last mark has arrived; what is said of it has not.
        until_connection(&service, |c| c.audio_bytes >= marks[5].end * 48);
        running.signal(signal);
        let (status, out, err) = running.end();
        assert_eq!((status, err.as_str()), (0, ""), "{signal}");
        assert_lines(&out, &marks[3..]);
        files.assert_have(&marks);
    }
    let service = service(faulty(&["no-final@finish*"]));
    let mut command = command("captions", &service);
    let mut running = Running::start(command.arg(STDIN).args(["--set", "finish-timeout=1000"]));
    running.feed(&speech(1).0);
    running.line();
    running.signal("INT");
    let (status, _, err) = running.end();
    assert_eq!(status, 3, "{err}");
}

/// The service never says the last words, so that there is time for a second one.
#[test]
fn a_second_ctrl_c_quits_at_once() {
    let files = Files::new("quit");
    let service = service(faulty(&["no-final@finish*"]));
    let (pcm, marks) = open_ended_speech(2);
    let mut command = files.command(&service, STDIN);
    let mut running = Running::start(command.args(["--set", "finish-timeout=600000"]));
    running.feed(&pcm);
    assert_eq!(running.line(), sentences(&marks)[0]);
    running.signal("INT");
    until_connection(&service, |c| c.finish_at.is_some());
    running.signal("INT");
    let (status, out, _) = running.end();
    assert_eq!((status, out.as_str()), (130, ""));
    files.assert_have(&marks[..3]);
}

/// All captions that have been seen are in the files, and the files can be read.
#[test]
fn killed_at_any_moment_it_leaves_valid_files() {
    for seen in 0..4 {
        let files = Files::new(&format!("kill-{seen}"));
        let service = service(Options::default());
        let (pcm, marks) = speech(4);
        let mut running = Running::start(&mut files.command(&service, STDIN));
        running.feed(&pcm);
        for sentence in &sentences(&marks)[..seen] {
            assert_eq!(running.line(), *sentence);
        }
        // The files are there, and nothing is in them yet, or something already.
        until_connection(&service, |c| c.audio_bytes > 0);
        running.kill();
        for kind in ["srt", "vtt"] {
            let cues = cues::read(&files.path(kind));
            assert!(cues.len() >= seen, "{kind} after {seen}: {cues:?}");
            assert_eq!(cues, cues_of(&marks)[..cues.len()], "{kind} after {seen}");
        }
        assert!(files.json().len() >= seen);
    }
}

#[test]
fn unconfirmed_words_are_kept_and_tell_in_the_exit_status() {
    let files = Files::new("unconfirmed");
    let service = service(faulty(&["no-final@finish*"]));
    let late = ["--set", "finish-timeout=200"];
    let (pcm, marks) = open_ended_speech(2);
    let mut command = files.command(&service, files.wav(&pcm));
    let reported = ["unconfirmed utterances: 1"];
    let (out, _) = reports(command.args(late), 3, &reported);
    assert_eq!(out.lines().next(), Some(sentences(&marks)[0].as_str()));
    let json = files.json();
    let unconfirmed: Vec<_> = json.iter().map(|line| &line["unconfirmed"]).collect();
    assert_eq!(unconfirmed, [false, true]);
    assert_eq!(cues::read(&files.path("srt")).len(), 2);

    // No utterance was open when the service fell silent, but more might have come.
    let (pcm, marks) = speech(1);
    let mut command = captions(&service, files.wav(&pcm), &late);
    let (out, err) = reports(&mut command, 3, &["did not confirm the last words"]);
    assert_lines(&out, &marks);
    assert!(!err.contains("unconfirmed utterances"), "{err}");
}

/// However often the connection is lost: one warning, and how many there were.
#[test]
fn a_warning_of_one_kind_is_reported_once() {
    let files = Files::new("warnings");
    let service = service(faulty(&["reset@2s#1", "reset@1s#2"]));
    let (pcm, marks) = speech(4);
    let slow = ["--set", "max-speed=40"];
    let lost = "warning: The connection was lost";
    let (out, err) = reports(&mut captions(&service, files.wav(&pcm), &slow), 0, &[lost]);
    assert_lines(&out, &marks);
    let lines: Vec<&str> = err.lines().collect();
    assert_eq!(lines[1..], ["warning: volcasr-reconnect: 2 times in all"]);
}

/// One error, in the element's words, and what helps.
#[test]
fn refused_credentials() {
    let files = Files::new("refused");
    let service = service(Options::default());
    let mut command = files.command(&service, files.wav(&speech(1).0));
    let parts = [
        "error: ",
        "HTTP 401",
        "VOLCENGINE_ACCESS_KEY",
        "\nhint: ",
        "log id",
    ];
    let (out, err) = reports(command.env("VOLCENGINE_ACCESS_KEY", "wrong"), 1, &parts);
    assert_eq!((out.as_str(), err.lines().count()), ("", 2), "{err}");
    assert!(!err.contains("wrong"), "{err}");
    files.assert_have(&[]);
}

/// Options for what is asked most often reach the service.
#[test]
fn options_reach_the_request() {
    let files = Files::new("asked");
    let service = service(Options::default());
    let talk = files.wav(&speech(1).0);
    let ask = |more: &[&str]| {
        succeeds(&mut captions(&service, &talk, more));
        let connection = service.connections().pop().expect("a connection");
        let resource = connection.header("X-Api-Resource-Id").map(str::to_owned);
        (resource, connection.request.clone().expect("a request"))
    };
    // The endpoint that takes a language.
    let uri = service.uri_for(Endpoint::Nostream);
    let resource = "volc.bigasr.sauc.duration";
    let language = ["--language", "en-US"];
    let options = ["--uri", &uri, "--resource-id", resource];
    let (asked, request) = ask(&[&options[..], &language].concat());
    assert_eq!(asked.as_deref(), Some(resource));
    assert_eq!(request["audio"]["language"], "en-US");
    let words = ["--hotword", "GStreamer", "--hotword", "深度 学习"];
    let (_, request) = ask(&[&["--preset", "dictation", "--speakers"], &words[..]].concat());
    assert_eq!(request["request"]["end_window_size"], 1500);
    assert_eq!(request["request"]["enable_speaker_info"], true);
    let context = request["request"]["corpus"]["context"].to_string();
    let has_both = context.contains("GStreamer") && context.contains("深度 学习");
    assert!(has_both, "{context}");
}
