//! Files that the text was written into, as programs other than GStreamer read them: ffmpeg,
//! ffprobe and MKVToolNix.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use volcasr_loopback::Service;

use super::consumers::{AUDIO, cues, missing, path, said};
use crate::common::player::play;
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
    let utterances: Vec<Value> = SAID
        .iter()
        .map(|(start, end, text)| said(*start, *end, text))
        .collect();
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

/// Returns why these programs can't be run.
fn lacks(programs: &[&str]) -> Option<String> {
    let is_missing = |name: &&&str| Command::new(name).arg("-version").output().is_err();
    let name = programs.iter().find(is_missing)?;
    let package = match *name {
        "ffmpeg" | "ffprobe" => "ffmpeg",
        _ => "mkvtoolnix",
    };
    Some(format!("no {name}: the package {package} has it"))
}

/// Runs a program that must have nothing to complain about, and returns what it prints.
fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.expect(program);
    let [printed, errors] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8"));
    assert!(
        output.status.success() && errors.is_empty(),
        "{program} {arguments:?}: {}\n{printed}\n{errors}",
        output.status
    );
    printed
}

/// Writes the cues into a file with this end of a launch line.
fn write(scratch: &Scratch, name: &str, end: &str) -> PathBuf {
    let file = scratch.path(name);
    let service = service();
    let line = format!(
        "{AUDIO} ! {} ! {end} ! filesink location={}",
        cues(&service),
        path(&file)
    );
    play(&line, |_| {});
    file
}

/// Writes them as a track beside picture and sound.
fn write_matroska(scratch: &Scratch) -> PathBuf {
    let file = scratch.path("talk.mkv");
    let service = service();
    let line = format!(
        "matroskamux name=m ! filesink location={} videotestsrc num-buffers=30 ! \
         video/x-raw,width=64,height=48,framerate=10/1 ! jpegenc ! m. {AUDIO} ! tee name=a \
         a. ! queue max-size-time=0 ! m. a. ! queue ! {} ! queue ! m.",
        path(&file),
        cues(&service)
    );
    play(&line, |_| {});
    file
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
    let elements = ["webvttenc", "srtenc", "matroskamux", "jpegenc"];
    let programs = lacks(&["ffmpeg", "ffprobe"]);
    if let Some(missing) = programs.or_else(|| missing(&elements)) {
        return skip(&missing);
    }
    let scratch = Scratch::new("read-by-ffmpeg");
    let files = [
        (write(&scratch, "talk.vtt", "webvttenc"), "webvtt"),
        (write(&scratch, "talk.srt", "srtenc"), "subrip"),
        (write_matroska(&scratch), "subrip"),
    ];
    for (file, codec) in files {
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
    let elements = ["webvttenc", "srtenc", "matroskamux", "jpegenc"];
    let programs = lacks(&["mkvmerge", "mkvextract", "mkvinfo"]);
    if let Some(missing) = programs.or_else(|| missing(&elements)) {
        return skip(&missing);
    }
    let scratch = Scratch::new("read-by-mkvtoolnix");
    let own = write_matroska(&scratch);
    let described = output("mkvinfo", &[path(&own)]);
    assert!(described.contains("S_TEXT/UTF8"), "{described}");
    let mut files = vec![own];
    for (name, encoder) in [("talk.srt", "srtenc"), ("talk.vtt", "webvttenc")] {
        let file = write(&scratch, name, encoder);
        let merged = scratch.path(&format!("{name}.mkv"));
        output("mkvmerge", &["-q", "-o", path(&merged), path(&file)]);
        files.push(merged);
    }
    for file in files {
        let described: Value =
            serde_json::from_str(&output("mkvmerge", &["-J", path(&file)])).expect("JSON");
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
