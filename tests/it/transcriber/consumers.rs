//! Elements of GStreamer that take the text, each as it is: overlays, subtitles in files, muxers.
//! Programs other than GStreamer read the files: ffmpeg, ffprobe and MKVToolNix.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use serde_json::{Value, json};
use volcasr_loopback::Service;

use crate::common::scratch::Scratch;
use crate::common::script::{response, scripted, utterance};
use crate::common::skip::skip;
use crate::common::*;

/// Three seconds of audio, and six seconds for what has to go on longer.
const AUDIO: &str = "audiotestsrc wave=silence samplesperbuffer=480 num-buffers=150 ! \
                     audio/x-raw,rate=24000,channels=1";

/// Start and end in milliseconds, and the lines.
type Cue = (u64, u64, String);

/// A service that says a text of two lines, another script, and letters that mean something
/// elsewhere.
fn three_sentences() -> Service {
    let said = [
        utterance(
            true,
            (300, 900),
            "The rain has stopped, and the road is open.",
        ),
        utterance(true, (1500, 2000), "今天下雨，路很滑。"),
        utterance(true, (2500, 2900), "Q&A: \"yes\"."),
    ];
    let first = response(1400, json!([said[0]]));
    scripted(&[(1400, first)], response(3000, json!(said)))
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

fn transcriber_line(service: &Service, settings: &str) -> String {
    format!(
        "volcasrtranscriber name=t uri={} app-key=app-1 access-key=secret-access-key {settings}",
        service.uri()
    )
}

/// Skips a test where the machine lacks one of these elements.
macro_rules! needs {
    ($($factory:literal)*) => {
        init();
        for factory in [$($factory),*] {
            if gst::ElementFactory::find(factory).is_none() {
                return skip(&format!("no {factory}"));
            }
        }
    };
}

/// The texts of a subtitle stream, with start and end in milliseconds.
fn subtitles(line: &str) -> Vec<Cue> {
    let mut read = Vec::new();
    play(line, |buffer| {
        let map = buffer.map_readable().expect("memory");
        let text = String::from_utf8(map.to_vec()).expect("UTF-8");
        let start = buffer.pts().expect("a PTS");
        let end = start + buffer.duration().expect("a duration");
        let text = text.trim_end_matches('\0').to_owned();
        read.push((start.mseconds(), end.mseconds(), text));
    });
    read
}

/// A script says the same in each session: there is to be one, however slow the machine.
fn cues(service: &Service) -> String {
    transcriber_line(service, "grouping=cue cue-width=24 idle-timeout=0")
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

/// Writes the cues into a file with this end of a launch line.
fn write(file: &Path, service: &Service, end: &str) {
    let (cues, file) = (cues(service), path(file));
    play(
        &format!("{AUDIO} ! {cues} ! {end} ! filesink location={file}"),
        |_| {},
    );
}

/// Writes them as a track beside picture and sound.
fn write_matroska(file: &Path, service: &Service) {
    let line = format!(
        "matroskamux name=m ! filesink location={} \
         videotestsrc pattern=black num-buffers=30 ! \
         video/x-raw,width=64,height=48,framerate=10/1 ! jpegenc ! m. \
         {AUDIO} ! tee name=a a. ! queue max-size-time=0 ! m. a. ! queue ! {} ! queue ! m.",
        path(file),
        cues(service)
    );
    play(&line, |_| {});
}

/// Writes the cues in all three formats.
fn written(scratch: &Scratch) -> [PathBuf; 3] {
    let files = ["talk.vtt", "talk.srt", "talk.mkv"].map(|name| scratch.path(name));
    write(&files[0], &three_sentences(), "webvttenc");
    write(&files[1], &three_sentences(), "srtenc");
    write_matroska(&files[2], &three_sentences());
    files
}

/// They have markup for the letters that mean something in it.
#[test]
fn other_elements_read_the_cues() {
    needs!("webvttenc" "srtenc" "subparse" "matroskamux" "matroskademux" "jpegenc");
    let scratch = Scratch::new("read-by-gstreamer");
    for (file, reader) in written(&scratch).iter().zip([
        "subparse ! text/x-raw",
        "subparse ! text/x-raw",
        "matroskademux name=d d.subtitle_0",
    ]) {
        let read = subtitles(&format!(
            "filesrc location={} ! {reader} ! appsink name=out sync=false",
            path(file)
        ));
        assert_eq!(read.len(), 3, "{reader}: {read:?}");
        assert_eq!(read[..2], expected()[..2], "{reader}");
    }
}

const GRAY: &str = "videoconvert ! video/x-raw,format=GRAY8 ! appsink name=out sync=false";

fn video(settings: &str) -> String {
    format!(
        "videotestsrc pattern=black {settings} ! \
         video/x-raw,format=I420,width=320,height=180,framerate=10/1"
    )
}

/// `textoverlay` waits for the words of a file; `subtitleoverlay` does not, and shows them as soon
/// as they are there: on a busy machine some frames are without.
#[test]
fn overlays_show_the_words_while_they_are_spoken() {
    needs!("textoverlay" "subtitleoverlay");
    for (overlay, text, sync) in [
        ("textoverlay", "o.text_sink", false),
        ("subtitleoverlay", "o.subtitle_sink", true),
    ] {
        let service = three_sentences();
        let out = GRAY.replace("sync=false", &format!("sync={sync}"));
        let frames = bright(&format!(
            "{overlay} name=o font-desc=\"Sans 32\" ! {out} {} ! o.video_sink \
             {AUDIO} ! {} ! {text}",
            video("num-buffers=30"),
            cues(&service)
        ));
        assert_eq!(frames.len(), 30, "{overlay}");
        assert_frames(&frames, &[(0..300, false)]);
        let cues = [300..1400, 1500..2500, 2500..3000];
        if overlay == "textoverlay" {
            assert_frames(&frames, &cues.map(|cue| (cue, true)));
            continue;
        }
        for cue in cues {
            let shown = frames
                .iter()
                .any(|(at, bright)| *bright && cue.contains(at));
            assert!(shown, "{overlay} {cue:?}: {frames:?}");
        }
    }
}

/// The input does not end, and the service says nothing at all, as during silence. So neither the
/// last words nor EOS let the picture pass.
#[test]
fn without_words_the_picture_goes_on() {
    needs!("textoverlay" "matroskamux" "jpegenc");
    let service = scripted(&[], response(0, json!([])));
    let asr = cues(&service).replace("name=t", "latency=300");
    thread::scope(|scope| {
        for live in ["", "is-live=true"] {
            let audio = AUDIO.replace("num-buffers=150", live);
            let (picture, out) = (video(live), "appsink name=out sync=false");
            let overlay = format!(
                "textoverlay name=o ! {out} {picture} ! o.video_sink {audio} ! {asr} ! o.text_sink"
            );
            let muxer = format!(
                "matroskamux name=m streamable=true ! {out} \
                 {picture} ! jpegenc ! queue ! m. {audio} ! {asr} ! m."
            );
            scope.spawn(move || play_until(&overlay, gst::ClockTime::SECOND));
            scope.spawn(move || play_until(&muxer, gst::ClockTime::SECOND));
        }
    });
}

/// A live picture has its captions, and every frame, in time for a sink that is in sync. Its input
/// goes on: it is no end that lets it pass.
#[test]
fn a_live_picture_does_not_stall() {
    needs!("textoverlay");
    let service = three_sentences();
    let out = "videoconvert ! video/x-raw,format=GRAY8 ! appsink name=out sync=true";
    let audio = AUDIO.replace("num-buffers=150", "is-live=true");
    let line = format!(
        "textoverlay name=o font-desc=\"Sans 32\" ! {out} \
         {} ! o.video_sink {audio} ! queue ! {} ! o.text_sink",
        video("is-live=true"),
        transcriber_line(&service, "grouping=utterance latency=1700")
    );
    let frames = first_bright(&line, 30);
    assert!(frames.iter().any(|(_, bright)| *bright), "{frames:?}");
    assert_frames(&frames, &[(0..200, false)]);
    let times = frames.windows(2).map(|pair| pair[1].0 - pair[0].0);
    assert_eq!(times.max(), Some(100), "{frames:?}");
}

/// Playback goes on beside it, and the words are those of the audio that is heard.
#[test]
fn a_tee_plays_meanwhile() {
    let service = three_sentences();
    let read = subtitles(&format!(
        "{AUDIO} ! tee name=a a. ! queue ! fakesink sync=true a. ! queue ! {} ! \
         appsink name=out sync=true",
        cues(&service)
    ));
    let read = read.into_iter().map(|cue| cue.2);
    assert!(read.eq(expected().into_iter().map(|cue| cue.2)));
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
