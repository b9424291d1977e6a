//! Inputs as they are: tracks that come and go, films without sound, files that were cut, sources
//! that fail or stall.

use crate::support::*;

/// The first of two is selected, and reported; a number selects the other.
#[test]
fn a_film_with_two_tracks() {
    let bench = Bench::new();
    let (talk, marks) = bench.raw(2);
    let silence = "audiotestsrc wave=silence num-buffers=20 ! audio/x-raw,rate=24000,channels=1";
    let picture = "videotestsrc num-buffers=25 ! video/x-raw,width=64,height=48";
    let streams = format!("{picture} ! m. {talk} ! m.audio_0 {silence} ! m.audio_1");
    bench.make("film.mkv", &format!("{streams} matroskamux name=m"));
    let (out, _) = bench.reports("captions film.mkv", 0, &["audio track 1", "of 2;"]);
    assert_lines(&out, &marks);
    assert_eq!(bench.succeeds("captions film.mkv --track 2 --quiet"), "");
    let lacks = ["no audio track 3: it has 2"];
    bench.reports("captions film.mkv --track 3", 1, &lacks);
}

#[test]
fn a_film_without_sound_says_so() {
    let bench = Bench::new();
    let picture = "videotestsrc num-buffers=25 ! video/x-raw,width=64,height=48 ! matroskamux";
    bench.make("film.mkv", picture);
    let (out, err) = bench.reports("captions film.mkv", 1, &[]);
    assert_eq!((&*out, &*err), ("", "error: the input has no sound\n"));
}

/// Makes three files of a sound in Ogg, one behind the other.
pub(super) fn chain(bench: &Bench, talk: &str) -> Vec<u8> {
    let made = (0..3).map(|n| {
        let tag = format!("taginject tags=\"title=Song{n}\"");
        bench.make(
            "link.ogg",
            &format!("{talk} ! audioconvert ! flacenc ! {tag} ! oggmux"),
        )
    });
    made.collect::<Vec<_>>().concat()
}

/// Each link has pads of its own, and the times go on. As playbin does: where a link has no second
/// track, the first one is taken; a link without sound is passed over, and as the last one it ends
/// with its picture.
#[test]
fn a_chained_file_is_recognised_to_its_end() {
    needs!("oggmux oggdemux flacenc flacdec theoraenc");
    let bench = Bench::new();
    let (talk, marks) = bench.raw(2);
    let sound = format!("{talk} ! audioconvert ! flacenc ! m.");
    let picture = "videotestsrc num-buffers=25 ! video/x-raw,width=64,height=48 ! theoraenc ! m.";
    let link = |streams: &str| bench.make("link.ogg", &format!("{streams} oggmux name=m"));
    let (two, one, none) = (
        link(&format!("{sound} {sound}")),
        link(&sound),
        link(picture),
    );
    let cases = [
        (chain(&bench, &talk), "", 3),
        ([&*two, &*one].concat(), "--track 2", 2),
        ([&*one, &*none].concat(), "", 1),
        ([none, one].concat(), "", 1),
    ];
    for (links, options, times) in cases {
        bench.write("chain.ogg", links);
        let (out, _) = bench.reports(&format!("captions chain.ogg -o out.srt {options}"), 0, &[]);
        assert_lines(&out, &marks.repeat(times));
        let cues = bench.cues("out.srt");
        assert_eq!(cues.len(), out.lines().count());
        assert!(cues.is_sorted_by(|a, b| a.end <= b.start), "{cues:?}");
    }
}

/// The header says more than there is.
#[test]
fn a_file_that_was_cut_is_reported() {
    let bench = Bench::new();
    let marks = bench.talk("talk.wav", 3);
    let end = 44 + marks[3].start as usize * 48;
    bench.write("talk.wav", &bench.bytes("talk.wav")[..end]);
    let (out, _) = bench.reports("captions talk.wav", 3, &["though it says that it is"]);
    assert_eq!(out.lines().next(), Some(sentences(&marks)[0].as_str()));
}

/// An element that fails after some buffers, in the middle of a sentence.
#[test]
fn what_was_read_before_an_error_is_recognised() {
    let bench = Bench::new();
    let (pcm, marks) = speech(3);
    bench.write("talk.raw", pcm);
    // Buffers of a second, of which four pass.
    let piece = "filesrc location=talk.raw blocksize=48000 ! identity error-after=5 ! \
                 rawaudioparse format=pcm pcm-format=s16le sample-rate=24000 num-channels=1";
    let (out, _) = bench.reports(&format!("captions {piece} -o talk.srt"), 1, &["error: "]);
    let least = marks.iter().filter(|mark| mark.end < 4000).count();
    let words = out
        .split_whitespace()
        .filter(|word| word.starts_with(['M', 'm']));
    assert!(words.count() >= least, "{least}: {out}");
    assert_eq!(bench.cues("talk.srt").len(), out.lines().count());
}

/// Nothing comes, and nothing fails.
#[test]
fn an_input_that_stalls() {
    let bench = Bench::new();
    let (pcm, marks) = speech(1);
    // The session ends before that, and its words are there.
    let line = format!("captions {STDIN} --stall-timeout 1 --set idle-timeout=200");
    let mut running = bench.start(&line, &pcm);
    assert_eq!(running.line(), sentences(&marks)[0]);
    let (status, _, err) = running.end();
    assert_eq!(status, 1, "{err}");
    assert!(err.contains("given nothing for 1 s"), "{err}");
    assert!(err.contains("--stall-timeout"), "{err}");
}

/// A file on standard input, and JSON lines out, interim ones too.
#[test]
fn from_standard_input_to_json_lines() {
    let bench = Bench::new();
    let marks = bench.talk("talk.wav", 1);
    for json in ["--json", "-o -"] {
        let mut running = bench.start(&format!("captions - {json}"), &bench.bytes("talk.wav"));
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
