//! Picture and sound that begin and end apart.

use super::*;

/// Silence follows it: the muxer learns that no more sound comes at the film's end only.
#[test]
fn sound_may_end_long_before_the_picture() {
    needs!(MATROSKA);
    let bench = Bench::beside(says(TEXT));
    // Larger than what is read ahead.
    let snow = "videotestsrc pattern=snow num-buffers=300 ! \
                video/x-raw,width=480,height=270,framerate=10/1 ! jpegenc quality=95 ! m.";
    let tone = tone(20, 0);
    bench.make(
        "talk.mkv",
        &format!("{snow} {tone} ! m. matroskamux name=m"),
    );
    bench.reports(BURN, 0, &[]);
    assert_eq!(bright(&bench, "out.mkv").len(), 300);
    let (length, peak) = sound(&bench, "out.mkv");
    assert!((5000..30_200).contains(&length), "{length}");
    assert!(peak > 8000, "{peak}");
}

/// Silence is before it, and the words are where they are said.
#[test]
fn sound_may_begin_long_after_the_picture() {
    needs!(MATROSKA);
    let bench = Bench::beside(says(TEXT));
    film(&bench, 300, &tone(50, 25));
    bench.succeeds(BURN);
    let frames = bright(&bench, "out.mkv");
    assert_eq!(frames.len(), 300);
    assert_frames(&frames, &[(0..25_950, false), (26_050..26_950, true)]);
    let (length, peak) = sound(&bench, "out.mkv");
    assert!((29_800..30_200).contains(&length), "{length}");
    assert!(peak > 8000, "{peak}");
}

/// Words after the picture's end are written all the same.
#[test]
fn the_picture_may_end_long_before_the_sound() {
    needs!(MATROSKA);
    let said = json!([
        utterance(true, (500, 1200), TEXT),
        utterance(true, (15_000, 16_000), "Late words."),
    ]);
    let bench = Bench::beside(scripted(&[], response(20_000, said)));
    film(&bench, 15, &tone(200, 0));
    bench.succeeds(&format!("{BURN} -o out.srt"));
    let cues = bench.cues("out.srt").into_iter();
    let texts: Vec<String> = cues.map(|cue| cue.text.replace('\n', " ")).collect();
    assert_eq!(texts, [TEXT, "Late words."]);
    let frames = bright(&bench, "out.mkv");
    assert_frames(&frames, &[(0..450, false), (550..1500, true)]);
    let (length, _) = sound(&bench, "out.mkv");
    assert!((19_900..20_200).contains(&length), "{length}");
}
