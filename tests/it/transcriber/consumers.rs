//! Elements of GStreamer that take the text, each as it is: overlays, subtitles in files, muxers.

use std::path::Path;
use std::thread;

use serde_json::{Value, json};
use volcasr_loopback::Service;

use crate::common::scratch::Scratch;
use crate::common::script::{response, scripted};
use crate::common::skip::skip;
use crate::common::*;

/// Three seconds of audio, and six seconds for what has to go on longer.
const AUDIO: &str = "audiotestsrc wave=silence samplesperbuffer=480 num-buffers=150 ! \
                     audio/x-raw,rate=24000,channels=1";

pub(super) fn said(start: u64, end: u64, text: &str) -> Value {
    json!({"definite": true, "start_time": start, "end_time": end, "text": text})
}

/// Thirty columns: a cue of 24 has two lines, broken behind the comma.
const CHINESE: &str = "今天下雨，路很滑，出门请带伞。";

/// A service that says one sentence in English and one in Chinese.
fn two_sentences() -> Service {
    let first = said(500, 1200, "The rain has stopped.");
    let both = json!([first.clone(), said(1600, 2400, CHINESE)]);
    let alone = response(1400, json!([first]));
    scripted(&[(1400, alone)], response(3000, both))
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
pub(super) use needs;

/// The texts of a subtitle stream, with start and end in milliseconds.
fn subtitles(line: &str) -> Vec<(u64, u64, String)> {
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

/// Cues stay for half a second; the first one ends where nothing follows at once.
fn expected() -> Vec<(u64, u64, String)> {
    vec![
        (500, 1700, "The rain has stopped.".into()),
        (1700, 2900, "今天下雨，路很滑，\n出门请带伞。".into()),
    ]
}

/// A script says the same in each session: there is to be one, however slow the machine.
fn cues(service: &Service) -> String {
    transcriber_line(service, "grouping=cue cue-width=24 idle-timeout=0")
}

pub(super) fn path(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

/// Writes the cues into a file with this end of a launch line.
pub(super) fn write(file: &Path, service: &Service, end: &str) {
    let (cues, file) = (cues(service), path(file));
    play(
        &format!("{AUDIO} ! {cues} ! {end} ! filesink location={file}"),
        |_| {},
    );
}

/// Writes them as a track beside picture and sound.
pub(super) fn write_matroska(file: &Path, service: &Service) {
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

#[test]
fn subtitle_files_are_read_by_other_elements() {
    needs!("webvttenc" "srtenc" "subparse");
    let scratch = Scratch::new("subtitle-files");
    for (encoder, name) in [("webvttenc", "talk.vtt"), ("srtenc", "talk.srt")] {
        let file = scratch.path(name);
        write(&file, &two_sentences(), encoder);
        let read = subtitles(&format!(
            "filesrc location={} ! subparse ! text/x-raw ! appsink name=out sync=false",
            path(&file)
        ));
        assert_eq!(read.len(), 2, "{encoder}: {read:?}");
        assert_eq!(read[0], expected()[0], "{encoder}");
        assert_eq!(read[1].2, expected()[1].2, "{encoder}");
    }
}

#[test]
fn matroska_carries_the_cues() {
    needs!("matroskamux" "matroskademux" "jpegenc");
    let scratch = Scratch::new("matroska");
    let file = scratch.path("talk.mkv");
    write_matroska(&file, &two_sentences());
    let read = subtitles(&format!(
        "filesrc location={} ! matroskademux name=d d.subtitle_0 ! appsink name=out sync=false",
        path(&file)
    ));
    assert_eq!(read, expected());
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
        let service = two_sentences();
        let out = GRAY.replace("sync=false", &format!("sync={sync}"));
        let frames = bright(&format!(
            "{overlay} name=o font-desc=\"Sans 32\" ! {out} {} ! o.video_sink \
             {AUDIO} ! {} ! {text}",
            video("num-buffers=30"),
            cues(&service)
        ));
        assert_eq!(frames.len(), 30, "{overlay}");
        assert_frames(&frames, &[(0..500, false)]);
        let cues = [500..1700, 1700..2900];
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
    let service = two_sentences();
    let out = "videoconvert ! video/x-raw,format=GRAY8 ! appsink name=out sync=true";
    let audio = AUDIO.replace("num-buffers=150", "is-live=true");
    let line = format!(
        "textoverlay name=o font-desc=\"Sans 32\" ! {out} \
         {} ! o.video_sink {audio} ! queue ! {} ! o.text_sink",
        video("is-live=true"),
        transcriber_line(&service, "grouping=utterance latency=1500")
    );
    let frames = first_bright(&line, 30);
    assert!(frames.iter().any(|(_, bright)| *bright), "{frames:?}");
    assert_frames(&frames, &[(0..400, false)]);
    let times = frames.windows(2).map(|pair| pair[1].0 - pair[0].0);
    assert_eq!(times.max(), Some(100), "{frames:?}");
}

/// Playback goes on beside it, and the words are those of the audio that is heard.
#[test]
fn a_tee_plays_meanwhile() {
    let service = two_sentences();
    let read = subtitles(&format!(
        "{AUDIO} ! tee name=a a. ! queue ! fakesink sync=true a. ! queue ! {} ! \
         appsink name=out sync=true",
        cues(&service)
    ));
    let read = read.into_iter().map(|cue| cue.2);
    assert!(read.eq(expected().into_iter().map(|cue| cue.2)));
}
