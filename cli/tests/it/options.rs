//! Options for how words are shown.

use std::time::Instant;

use crate::support::script::{audio, response, scripted};
use crate::support::*;
use serde_json::json;

/// The preset sets `sync` as well.
#[test]
fn real_time_counts_beside_a_preset() {
    let bench = Bench::new();
    let marks = bench.talk("talk.wav", 1);
    let began = Instant::now();
    bench.succeeds("captions talk.wav --realtime --preset batch");
    let last = marks.last().expect("a mark").end;
    assert!(began.elapsed().as_millis() > last.into());
}

/// Speakers have names, lines have their times, and screens their sizes.
#[test]
fn words_are_shown_as_is_asked() {
    let said = json!([{
        "definite": true, "start_time": 100, "end_time": 1900, "text": "It rains. It is slow.",
        "additions": {"speaker_id": "1"},
    }]);
    let bench = Bench::beside(scripted(&[], response(2000, said)));
    bench.wav("talk.wav", &audio());
    let cues = "1\n00:00:00,100 --> 00:00:01,281\nSpeaker 1: It rains.\n\n\
                2\n00:00:01,281 --> 00:00:02,400\nIt is slow.\n\n";
    let line = "[00:00:00.100] Speaker 1: It rains. It is slow.\n";
    let cases = [
        ("--speakers --timestamps --format txt", line),
        ("--max-line-width 20 --max-line-count 1 --format srt", cues),
    ];
    for (options, expected) in cases {
        let (out, _) = bench.reports(&format!("captions talk.wav {options}"), 0, &[]);
        assert_eq!(out, expected, "{options}");
    }
}
