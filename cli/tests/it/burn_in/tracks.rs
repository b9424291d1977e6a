//! Picture and sound that begin and end apart.

use super::*;

/// Silence follows it: the muxer learns that no more sound comes at the film's end only.
#[test]
fn sound_may_end_long_before_the_picture() {
    needs_films!();
    let scratch = Scratch::new("burn-short-sound");
    let (from, to) = (scratch.path("talk.mkv"), scratch.path("out.mkv"));
    // Larger than what is read ahead.
    make(&format!(
        "matroskamux name=m ! filesink location=\"{}\" \
         videotestsrc pattern=snow num-buffers=300 ! \
         video/x-raw,width=480,height=270,framerate=10/1 ! jpegenc quality=95 ! m. \
         audiotestsrc num-buffers=20 samplesperbuffer=2400 ! \
         audio/x-raw,rate=24000,channels=1 ! m.",
        from.display()
    ));
    reports(&mut command(&says(TEXT), &from, &to), 0, &[]);
    assert_eq!(bright(&to).len(), 300);
    let (length, peak) = sound(&to);
    assert!((5000..30_200).contains(&length), "{length}");
    assert!(peak > 8000, "{peak}");
}

/// Silence is before it, and the words are where they are said.
#[test]
fn sound_may_begin_long_after_the_picture() {
    needs_films!();
    let scratch = Scratch::new("burn-late-sound");
    let (from, to) = (film_from(&scratch, 300, 50, 25), scratch.path("out.mkv"));
    succeeds(&mut command(&says(TEXT), &from, &to));
    let frames = bright(&to);
    assert_eq!(frames.len(), 300);
    assert_frames(&frames, &[(0..25_950, false), (26_050..26_950, true)]);
    let (length, peak) = sound(&to);
    assert!((29_800..30_200).contains(&length), "{length}");
    assert!(peak > 8000, "{peak}");
}

/// Words after the picture's end are written all the same.
#[test]
fn the_picture_may_end_long_before_the_sound() {
    needs_films!();
    let scratch = Scratch::new("burn-short-picture");
    let from = film(&scratch, 15, 200);
    let said = json!([
        utterance(true, (500, 1200), TEXT),
        utterance(true, (15_000, 16_000), "Late words."),
    ]);
    let service = scripted(&[], response(20_000, said));
    let (to, srt) = (scratch.path("out.mkv"), scratch.path("out.srt"));
    succeeds(command(&service, &from, &to).arg("-o").arg(&srt));
    let cues = cues::read(&srt).into_iter();
    let texts: Vec<String> = cues.map(|cue| cue.text.replace('\n', " ")).collect();
    assert_eq!(texts, [TEXT, "Late words."]);
    assert_frames(&bright(&to), &[(0..450, false), (550..1500, true)]);
    let (length, _) = sound(&to);
    assert!((19_900..20_200).contains(&length), "{length}");
}
