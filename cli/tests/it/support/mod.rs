//! Support for the tests of the program: a service, speech for it, and the program.

pub mod bench;
pub mod cues;
pub mod http;
#[allow(dead_code, reason = "the element's tests use more of it")]
#[path = "../../../../tests/common/running.rs"]
mod running;
#[path = "../../../../tests/common/scratch.rs"]
mod scratch;
#[allow(dead_code, reason = "the element's tests use more of it")]
#[path = "../../../../tests/common/script.rs"]
pub mod script;
#[path = "../../../../tests/common/skip.rs"]
mod skip;

pub use bench::Bench;
pub use running::*;
pub use skip::skip;

use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use volcasr_loopback::marks::{Layout, Mark};

/// Longer than anything here takes: a test that waits for this long has hung.
pub const LONG: Duration = Duration::from_secs(60);

/// `sentences` sentences of marks at the default layout.
pub fn speech(sentences: u64) -> (Vec<u8>, Vec<Mark>) {
    Layout::default().sentences(sentences)
}

/// The same without the pause at its end, so that the last sentence ends with the stream.
pub fn open_ended_speech(sentences: u64) -> (Vec<u8>, Vec<Mark>) {
    let (mut pcm, marks) = speech(sentences);
    let end = marks.last().map_or(0, |mark| mark.end as usize + 100);
    pcm.truncate(end * 48);
    (pcm, marks)
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

/// Asserts that the lines are the sentences of the marks.
#[track_caller]
pub fn assert_lines(out: &str, marks: &[Mark]) {
    assert_eq!(out.lines().collect::<Vec<_>>(), sentences(marks));
}

pub fn json_lines(text: &str) -> Vec<Value> {
    let lines = text.lines().map(serde_json::from_str);
    lines.map(|line| line.expect("JSON")).collect()
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

/// Returns the first of these elements that is missing.
pub fn lacking(elements: &str) -> Option<&str> {
    gst::init().expect("GStreamer");
    let is_missing = |element: &&str| gst::ElementFactory::find(element).is_none();
    elements.split(' ').find(is_missing)
}

/// Skips a test where an element is missing.
macro_rules! needs {
    ($elements:expr) => {
        if let Some(lacking) = $crate::support::lacking($elements) {
            return $crate::support::skip(lacking);
        }
    };
}
pub(crate) use needs;
