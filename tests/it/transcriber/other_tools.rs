//! Files that the text was written into, as programs other than GStreamer read them: ffmpeg,
//! ffprobe and MKVToolNix.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use volcasr_loopback::Service;

use super::consumers::{needs, path, said, write, write_matroska};
use crate::common::init;
use crate::common::scratch::Scratch;
use crate::common::script::{response, scripted};
use crate::common::skip::skip;

/// Start and end in milliseconds, and the lines.
type Cue = (u64, u64, String);

/// Text of two lines, with another script, and letters that mean something elsewhere.
const SAID: [(u64, u64, &str); 3] = [
    (300, 900, "The rain has stopped, and the road is open."),
    (1500, 2000, "今天下雨，路很滑。"),
    (2500, 2900, "Q&A: \"yes\"."),
];

fn service() -> Service {
    let utterances = SAID.map(|(start, end, text)| said(start, end, text));
    scripted(&[], response(3000, json!(utterances)))
}

/// The cues that follow from it, 24 columns wide: each stays for half a second, and for a second in
/// all.
fn expected() -> Vec<Cue> {
    let lines = "The rain has stopped,\nand the road is open.";
    vec![
        (300, 1400, lines.into()),
        (1500, 2500, "今天下雨，路很滑。".into()),
        (2500, 3500, "Q&A: \"yes\".".into()),
    ]
}

/// Skips a test where the machine lacks one of these programs, or an element that writes the files.
macro_rules! needs_programs {
    ($package:literal: $($program:literal)*) => {
        needs!("webvttenc" "srtenc" "matroskamux" "jpegenc");
        for program in [$($program),*] {
            if Command::new(program).arg("-version").output().is_err() {
                return skip(&format!("no {program}: the package {} has it", $package));
            }
        }
    };
}

/// Runs a program that must have nothing to complain about, and returns what it prints.
fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.expect(program);
    let [printed, errors] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8"));
    let is_good = output.status.success() && errors.is_empty();
    assert!(
        is_good,
        "{program} {arguments:?}: {}\n{printed}\n{errors}",
        output.status
    );
    printed
}

/// Writes the cues in all three formats.
fn written(scratch: &Scratch) -> [PathBuf; 3] {
    let files = ["talk.vtt", "talk.srt", "talk.mkv"].map(|name| scratch.path(name));
    write(&files[0], &service(), "webvttenc");
    write(&files[1], &service(), "srtenc");
    write_matroska(&files[2], &service());
    files
}

/// The cues of a text in SubRip's format, or in that of WebVTT.
fn read(text: &str) -> Vec<Cue> {
    let time = |text: &str| -> u64 {
        let numbers = text.split([':', ',', '.']).map(|n| n.parse::<u64>());
        let numbers: Vec<u64> = numbers.map(|n| n.expect("a number")).collect();
        ((numbers[0] * 60 + numbers[1]) * 60 + numbers[2]) * 1000 + numbers[3]
    };
    let text = text.replace('\r', "");
    let cue = |block: &str| {
        let mut lines = block.lines().skip_while(|line| !line.contains(" --> "));
        let (start, end) = lines.next()?.split_once(" --> ")?;
        Some((time(start), time(end), lines.collect::<Vec<_>>().join("\n")))
    };
    text.trim().split("\n\n").filter_map(cue).collect()
}

/// Returns the subtitles that ffmpeg reads, as it writes them down.
fn read_by_ffmpeg(file: &Path) -> Vec<Cue> {
    let file = path(file);
    let arguments = ["-v", "error", "-i", file, "-map", "0:s:0", "-f", "srt", "-"];
    read(&output("ffmpeg", &arguments))
}

#[test]
fn ffmpeg_reads_the_cues() {
    needs_programs!("ffmpeg": "ffmpeg" "ffprobe");
    let scratch = Scratch::new("read-by-ffmpeg");
    for (file, codec) in written(&scratch)
        .into_iter()
        .zip(["webvtt", "subrip", "subrip"])
    {
        assert_eq!(read_by_ffmpeg(&file), expected(), "{}", file.display());
        let arguments = ["-v", "error", "-of", "json", "-show_streams"];
        let probed = output("ffprobe", &[&arguments[..], &[path(&file)]].concat());
        let probed: Value = serde_json::from_str(&probed).expect("JSON");
        let streams = probed["streams"].as_array().expect("streams");
        let codecs: Vec<&Value> = streams.iter().map(|stream| &stream["codec_name"]).collect();
        assert!(codecs.contains(&&json!(codec)), "{codecs:?}");
    }
}

#[test]
fn mkvtoolnix_reads_the_cues() {
    needs_programs!("mkvtoolnix": "mkvmerge" "mkvextract" "mkvinfo");
    let scratch = Scratch::new("read-by-mkvtoolnix");
    let [vtt, srt, own] = written(&scratch);
    let described = output("mkvinfo", &[path(&own)]);
    assert!(described.contains("S_TEXT/UTF8"), "{described}");
    let mut files = vec![own];
    for text in [vtt, srt] {
        let merged = scratch.path(&format!("{}.mkv", files.len()));
        output("mkvmerge", &["-q", "-o", path(&merged), path(&text)]);
        files.push(merged);
    }
    for file in files {
        let described = output("mkvmerge", &["-J", path(&file)]);
        let described: Value = serde_json::from_str(&described).expect("JSON");
        for complaints in ["errors", "warnings"] {
            assert_eq!(described[complaints], json!([]), "{}", file.display());
        }
        let tracks = described["tracks"].as_array().expect("tracks").iter();
        let mut texts = tracks.filter(|track| track["type"] == "subtitles");
        let track = texts.next().expect("a track of text");
        let text = scratch.path("extracted");
        let what = format!("{}:{}", track["id"], path(&text));
        output("mkvextract", &["-q", path(&file), "tracks", &what]);
        let text = std::fs::read_to_string(&text).expect("the extracted text");
        assert_eq!(read(&text), expected(), "{}: {text}", file.display());
    }
}
