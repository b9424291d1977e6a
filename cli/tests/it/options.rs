//! Options for how words are shown.

use std::time::Instant;

use crate::support::program::*;
use crate::support::script::scripted;
use crate::support::*;
use serde_json::{Value, json};
use volcasr_loopback::{Options, Service};

/// A service that says one utterance of an input of `seconds`.
fn says(seconds: u64, mut utterance: Value) -> Service {
    utterance["definite"] = true.into();
    let duration = seconds * 1000;
    let last = json!({"audio_info": {"duration": duration}, "result": {"utterances": [utterance]}});
    scripted(&[], last)
}

/// The preset sets `sync` as well.
#[test]
fn real_time_counts_beside_a_preset() {
    let files = Files::new("realtime");
    let (pcm, _) = speech(1);
    let talk = files.wav(&pcm);
    let service = service(Options::default());
    let began = Instant::now();
    let options = ["--realtime", "--preset", "batch"];
    succeeds(&mut captions(&service, talk, &options));
    assert!(began.elapsed().as_millis() as usize > pcm.len() / 48);
}

/// Each format names the speakers in its own way.
#[test]
fn speakers_have_names() {
    let files = Files::new("speakers");
    let talk = files.wav(&[0; 2 * 48_000]);
    let additions = json!({"speaker_id": "1"});
    let one = json!({"start_time": 100, "end_time": 900, "text": "Hm.", "additions": additions});
    #[rustfmt::skip]
    let cases = [
        ("srt", "1\n00:00:00,100 --> 00:00:01,400\nSpeaker 1: Hm.\n\n"),
        ("vtt", "WEBVTT\n\n00:00:00.100 --> 00:00:01.400\n<v Speaker 1>Hm.\n\n"),
        ("txt", "[00:00:00.100] Speaker 1: Hm.\n"),
    ];
    for (format, text) in cases {
        let options = ["--speakers", "--timestamps", "--format", format];
        let (out, _) = reports(
            &mut captions(&says(2, one.clone()), &talk, &options),
            0,
            &[],
        );
        assert_eq!(out, text);
    }
}

/// A long sentence is cut for a screen of the size that is asked for.
#[test]
fn subtitles_have_the_size_that_is_asked_for() {
    let files = Files::new("size");
    let talk = files.wav(&[0; 20 * 48_000]);
    let text = "The rain has stopped, and the road to the north is open again, but it is slow.";
    let said = json!({"start_time": 0, "end_time": 19_000, "text": text});
    let options = "--max-line-width 20 --max-line-count 1 --format srt";
    let options: Vec<&str> = options.split(' ').collect();
    let (out, _) = reports(&mut captions(&says(20, said), talk, &options), 0, &[]);
    let lines = out
        .lines()
        .filter(|line| line.contains(char::is_alphabetic));
    let lines: Vec<&str> = lines.collect();
    assert!(lines.iter().all(|line| line.len() <= 20), "{out}");
    assert_eq!(lines.join(" "), text);
}
