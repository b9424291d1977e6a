//! Elements of GStreamer that take the text, each as it is: overlays, subtitles in files, muxers.
//! A program other than GStreamer reads the files.

use std::path::Path;
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

/// A script says the same in each session: there is to be one, however slow the machine.
fn cues(service: &Service) -> String {
    transcriber_line(service, "grouping=cue cue-width=24 idle-timeout=0")
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

/// Plays the cues into a file, as subtitles or as a track beside picture and sound.
fn write(file: &Path, encoder: &str) {
    let (service, file) = (three_sentences(), path(file));
    let cues = cues(&service);
    let line = match encoder {
        "matroskamux" => format!(
            "matroskamux name=m ! filesink location={file} \
             videotestsrc pattern=black num-buffers=30 ! \
             video/x-raw,width=64,height=48,framerate=10/1 ! jpegenc ! m. \
             {AUDIO} ! tee name=a a. ! queue max-size-time=0 ! m. a. ! queue ! {cues} ! queue ! m."
        ),
        encoder => format!("{AUDIO} ! {cues} ! {encoder} ! filesink location={file}"),
    };
    play(&line, |_| {});
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
        let line = format!(
            "{overlay} name=o font-desc=\"Sans 32\" ! {out} {} ! o.video_sink \
             {AUDIO} ! {} ! {text}",
            video("num-buffers=30"),
            cues(&service)
        );
        let frames = first_bright(&line, usize::MAX);
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
    let line = format!(
        "{AUDIO} ! tee name=a a. ! queue ! fakesink sync=true a. ! queue ! {} ! \
         appsink name=out sync=true",
        cues(&service)
    );
    let mut read = Vec::new();
    play(&line, |buffer| {
        let map = buffer.map_readable().expect("memory");
        read.push(String::from_utf8(map.to_vec()).expect("UTF-8"));
    });
    assert!(read.into_iter().eq(expected().into_iter().map(|cue| cue.2)));
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

/// The cues of a text in SubRip's format.
fn read(text: &str) -> Vec<Cue> {
    let time = |text: &str| -> u64 {
        let numbers = text.split([':', ',']).map(|n| n.parse::<u64>());
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

#[test]
fn ffmpeg_reads_the_cues() {
    needs!("webvttenc" "srtenc" "matroskamux" "jpegenc");
    for program in ["ffmpeg", "ffprobe"] {
        if Command::new(program).arg("-version").output().is_err() {
            return skip(&format!("no {program}: the package ffmpeg has it"));
        }
    }
    let scratch = Scratch::new("read-by-ffmpeg");
    for (encoder, name, codec) in [
        ("webvttenc", "talk.vtt", "webvtt"),
        ("srtenc", "talk.srt", "subrip"),
        ("matroskamux", "talk.mkv", "subrip"),
    ] {
        let file = scratch.path(name);
        write(&file, encoder);
        let arguments = [
            "-v",
            "error",
            "-i",
            path(&file),
            "-map",
            "0:s:0",
            "-f",
            "srt",
            "-",
        ];
        assert_eq!(read(&output("ffmpeg", &arguments)), expected(), "{name}");
        let arguments = ["-v", "error", "-of", "json", "-show_streams", path(&file)];
        let probed: Value = serde_json::from_str(&output("ffprobe", &arguments)).expect("JSON");
        let mut streams = probed["streams"].as_array().expect("streams").iter();
        let is_there = streams.any(|stream| stream["codec_name"] == codec);
        assert!(is_there, "{name}: {probed}");
    }
}
