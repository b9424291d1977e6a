//! Options that reach the service, and what comes of them.

use crate::support::program::{command, run, write_wav};
use crate::support::script::scripted;
use crate::support::*;
use serde_json::json;
use volcasr_loopback::Options;

#[test]
fn presets_hotwords_and_speakers_are_asked_for() {
    let scratch = Scratch::new("options");
    let talk = scratch.path("talk.wav");
    write_wav(&talk, 24_000, &speech(1).0);
    let service = service(Options::default());
    let asked = [
        "--preset",
        "dictation",
        "--hotword",
        "GStreamer",
        "--hotword",
        "深度 学习",
    ];
    let (status, _, err) = run(command("captions", &service)
        .arg(talk)
        .args(asked)
        .arg("--speakers"));
    assert_eq!((status, err.as_str()), (0, ""));
    let connections = service.connections();
    let request = &connections[0].request.as_ref().expect("a request")["request"];
    assert_eq!(request["end_window_size"], 1500);
    assert_eq!(request["enable_speaker_info"], true);
    let context = request["corpus"]["context"].as_str().expect("a text");
    assert!(
        context.contains("GStreamer") && context.contains("深度 学习"),
        "{context}"
    );
}

/// The preset sets `sync` as well.
#[test]
fn real_time_counts_beside_a_preset() {
    let scratch = Scratch::new("realtime");
    let talk = scratch.path("talk.wav");
    let (pcm, _) = speech(1);
    write_wav(&talk, 24_000, &pcm);
    let service = service(Options::default());
    let began = std::time::Instant::now();
    let mut command = command("captions", &service);
    let (status, _, err) = run(command.arg(talk).args(["--realtime", "--preset", "batch"]));
    assert_eq!((status, err.as_str()), (0, ""));
    assert!(began.elapsed().as_millis() as usize > pcm.len() / 48);
}

/// Each format names the speakers in its own way.
#[test]
fn speakers_have_names() {
    let scratch = Scratch::new("speakers");
    let talk = scratch.path("talk.wav");
    write_wav(&talk, 24_000, &[0; 2 * 48_000]);
    let one = json!({"definite": true, "start_time": 100, "end_time": 900, "text": "Hm.",
                     "additions": {"speaker_id": "1"}});
    let last = json!({"audio_info": {"duration": 2000}, "result": {"utterances": [one]}});
    let cases = [
        (
            "srt",
            "1\n00:00:00,100 --> 00:00:01,400\nSpeaker 1: Hm.\n\n",
        ),
        (
            "vtt",
            "WEBVTT\n\n00:00:00.100 --> 00:00:01.400\n<v Speaker 1>Hm.\n\n",
        ),
        ("txt", "[00:00:00.100] Speaker 1: Hm.\n"),
    ];
    for (format, text) in cases {
        let service = scripted(&[], last.clone());
        let (status, out, err) = run(command("captions", &service).arg(&talk).args([
            "--speakers",
            "--timestamps",
            "--format",
            format,
        ]));
        assert_eq!((status, out.as_str()), (0, text), "{err}");
    }
}

/// A long sentence is cut for a screen of the size that is asked for.
#[test]
fn subtitles_have_the_size_that_is_asked_for() {
    let scratch = Scratch::new("size");
    let talk = scratch.path("talk.wav");
    write_wav(&talk, 24_000, &[0; 20 * 48_000]);
    let text = "The rain has stopped, and the road to the north is open again, but it is slow.";
    let one = json!({"definite": true, "start_time": 0, "end_time": 19_000, "text": text});
    let last = json!({"audio_info": {"duration": 20_000}, "result": {"utterances": [one]}});
    let service = scripted(&[], last);
    let size = [
        "--max-line-width",
        "20",
        "--max-line-count",
        "1",
        "--format",
        "srt",
    ];
    let (status, out, err) = run(command("captions", &service).arg(&talk).args(size));
    assert_eq!(status, 0, "{err}");
    let lines: Vec<&str> = out
        .lines()
        .filter(|line| line.contains(|c: char| c.is_alphabetic()))
        .collect();
    assert!(lines.iter().all(|line| line.len() <= 20), "{out}");
    assert_eq!(lines.join(" "), text);
}
