//! Inputs as they are: tracks that come and go, films without sound, files that were cut, sources
//! that fail or stall.

use std::path::{Path, PathBuf};

use crate::support::media::{make, needs, raw};
use crate::support::program::*;
use crate::support::*;
use volcasr_loopback::Options;
use volcasr_loopback::marks::Mark;

/// A file of raw audio in a directory of its own, and its marks.
pub(super) fn sound(name: &str, count: u64) -> (Scratch, PathBuf, Vec<Mark>) {
    let scratch = Scratch::new(name);
    let (pcm, marks) = speech(count);
    let path = scratch.path("talk.raw");
    std::fs::write(&path, pcm).expect("a temporary file");
    (scratch, path, marks)
}

/// The first of two is selected, and reported; a number selects the other.
#[test]
fn a_film_with_two_tracks() {
    let (scratch, talk, marks) = sound("tracks", 2);
    let film = scratch.path("film.mkv").display().to_string();
    let silence = "audiotestsrc wave=silence num-buffers=20 ! audio/x-raw,rate=24000,channels=1";
    make(&format!(
        "matroskamux name=m ! filesink location=\"{film}\" \
         videotestsrc num-buffers=25 ! video/x-raw,width=64,height=48 ! m. \
         {} ! m.audio_0 {silence} ! m.audio_1",
        raw(&talk)
    ));
    let service = service(Options::default());
    let of_track = |options: &[&str]| captions(&service, &film, options);
    let (out, _) = reports(&mut of_track(&[]), 0, &["audio track 1", "of 2;"]);
    assert_lines(&out, &marks);
    assert_eq!(succeeds(&mut of_track(&["--track", "2", "--quiet"])), "");
    let lacks = ["no audio track 3: it has 2"];
    reports(&mut of_track(&["--track", "3"]), 1, &lacks);
}

#[test]
fn a_film_without_sound_says_so() {
    let scratch = Scratch::new("mute");
    let film = scratch.path("film.mkv").display().to_string();
    make(&format!(
        "videotestsrc num-buffers=25 ! video/x-raw,width=64,height=48 ! matroskamux ! \
         filesink location=\"{film}\""
    ));
    let service = service(Options::default());
    let (out, err) = reports(&mut captions(&service, &film, &[]), 1, &[]);
    assert_eq!((&*out, &*err), ("", "error: the input has no sound\n"));
}

/// Makes three files of a sound in Ogg, one behind the other.
pub(super) fn chain(scratch: &Scratch, talk: &Path) -> Vec<u8> {
    let link = scratch.path("link.ogg");
    let made = (0..3).map(|n| {
        make(&format!(
            "{} ! audioconvert ! flacenc ! taginject tags=\"title=Song{n}\" ! oggmux ! \
             filesink location=\"{}\"",
            raw(talk),
            link.display()
        ));
        std::fs::read(&link).expect("the link")
    });
    made.collect::<Vec<_>>().concat()
}

/// Each link has pads of its own. The times go on.
#[test]
fn a_chained_file_is_recognised_to_its_end() {
    let (scratch, talk, marks) = sound("chain", 2);
    let (file, srt) = (scratch.path("chain.ogg"), scratch.path("chain.srt"));
    std::fs::write(&file, chain(&scratch, &talk)).expect("a temporary file");
    let service = service(Options::default());
    let (out, _) = reports(captions(&service, &file, &["-o"]).arg(&srt), 0, &[]);
    assert_lines(&out, &marks.repeat(3));
    let cues = cues::read(&srt);
    assert_eq!(cues.len(), out.lines().count());
    assert!(cues.is_sorted_by(|a, b| a.end <= b.start), "{cues:?}");
}

/// As playbin does: where a link has no second track, the first one is taken; a link without sound
/// is passed over, and as the last one it ends with its picture.
#[test]
fn links_without_the_track_or_without_sound() {
    needs!("oggmux oggdemux flacenc flacdec theoraenc");
    let (scratch, talk, marks) = sound("lacking", 2);
    let sound = format!("{} ! audioconvert ! flacenc ! m.", raw(&talk));
    let link = |name: &str, streams: &str| {
        let path = scratch.path(name);
        let to = path.display();
        make(&format!(
            "oggmux name=m ! filesink location=\"{to}\" {streams}"
        ));
        std::fs::read(&path).expect("the link")
    };
    let two = link("two.ogg", &format!("{sound} {sound}"));
    let one = link("one.ogg", &sound);
    let picture = "videotestsrc num-buffers=25 ! video/x-raw,width=64,height=48 ! theoraenc ! m.";
    let none = link("none.ogg", picture);
    let chain = scratch.path("chain.ogg");
    let cases = [
        ([&two, &one], &["--track", "2"][..], 2),
        ([&one, &none], &[], 1),
        ([&none, &one], &[], 1),
    ];
    for (links, options, times) in cases {
        std::fs::write(&chain, links.map(|link| &link[..]).concat()).expect("a temporary file");
        let service = service(Options::default());
        let (out, _) = reports(&mut captions(&service, &chain, options), 0, &[]);
        assert_lines(&out, &marks.repeat(times));
    }
}

/// The header says more than there is.
#[test]
fn a_file_that_was_cut_is_reported() {
    let files = Files::new("cut");
    let (pcm, marks) = speech(3);
    let path = files.wav(&pcm);
    let whole = std::fs::read(&path).expect("the file");
    let end = marks[3].start as usize * 48;
    std::fs::write(&path, &whole[..44 + end]).expect("a temporary file");
    let service = service(Options::default());
    let cut = ["though it says that it is"];
    let (out, _) = reports(&mut captions(&service, &path, &[]), 3, &cut);
    assert_eq!(out.lines().next(), Some(sentences(&marks)[0].as_str()));
}

/// An element that fails after some buffers, in the middle of a sentence.
#[test]
fn what_was_read_before_an_error_is_recognised() {
    let (scratch, talk, marks) = sound("error", 3);
    let buffers = 4;
    // Buffers of a second.
    let piece = format!(
        "filesrc location=\"{}\" blocksize=48000 ! identity error-after={} ! rawaudioparse \
         format=pcm pcm-format=s16le sample-rate=24000 num-channels=1",
        talk.display(),
        buffers + 1
    );
    let srt = scratch.path("talk.srt");
    let service = service(Options::default());
    let mut command = captions(&service, &piece, &["-o"]);
    let (out, _) = reports(command.arg(&srt), 1, &["error: "]);
    let least = marks.iter().filter(|mark| mark.end < 4000).count();
    let words = out
        .split_whitespace()
        .filter(|word| word.starts_with(['M', 'm']));
    assert!(words.count() >= least, "{least}: {out}");
    assert_eq!(cues::read(&srt).len(), out.lines().count());
}

/// Nothing comes, and nothing fails.
#[test]
fn an_input_that_stalls() {
    let service = service(Options::default());
    let (pcm, marks) = speech(1);
    let mut command = command("captions", &service);
    // The session ends before that, and its words are there.
    let options = ["--stall-timeout", "1", "--set", "idle-timeout=200"];
    let mut running = Running::start(command.arg(STDIN).args(options));
    running.feed(&pcm);
    assert_eq!(running.line(), sentences(&marks)[0]);
    let (status, _, err) = running.end();
    assert_eq!(status, 1, "{err}");
    assert!(err.contains("given nothing for 1 s"), "{err}");
    assert!(err.contains("--stall-timeout"), "{err}");
}

/// A file on standard input, and JSON lines out, interim ones too.
#[test]
fn from_standard_input_to_json_lines() {
    let (pcm, marks) = speech(1);
    let files = Files::new("stdin");
    let wav = std::fs::read(files.wav(&pcm)).expect("the file");
    for json in [&["--json"][..], &["-o", "-"]] {
        let service = service(Options::default());
        let mut running = Running::start(command("captions", &service).arg("-").args(json));
        running.feed(&wav);
        running.close_stdin();
        let (status, out, err) = running.end();
        assert_eq!((status, err.as_str()), (0, ""), "{out}");
        let lines = json_lines(&out);
        assert!(lines.iter().any(|line| line["final"] == false), "{out}");
        let last = lines.last().expect("a line");
        assert_eq!(last["final"], true);
        assert_eq!(last["text"], sentences(&marks)[0].as_str());
    }
}
