//! The files that `captions` writes, and command lines that it can't use.

use crate::captions::{Files, expected_cues, wav};
use crate::support::program::{command, run};
use crate::support::*;
use volcasr_loopback::{Endpoint, Options};

#[test]
fn what_the_command_line_cannot_say() {
    let files = Files::new("usage");
    let service = service(Options::default());
    let (pcm, _) = speech(1);
    let talk = wav(&files.scratch, &pcm);
    let mistakes: [(&[&str], &str); 8] = [
        (&["--set", "no-such=1"], "no property no-such"),
        (&["--set", "max-speed=-1"], "at least 0"),
        (&["--set", "chunk-duration=3000"], "from 0 to 2000"),
        (&["--set", "rate=fast"], "\"fast\""),
        (&["--set", "leaky=yes"], "auto, no, downstream"),
        (&["--set", "stats=1"], "can't be set"),
        (&["--set", "api-key=SECRET"], "VOLCENGINE_API_KEY"),
        (&["--set", "rate"], "PROPERTY=VALUE"),
    ];
    for (arguments, part) in mistakes {
        let (status, out, err) = run(command("captions", &service).arg(&talk).args(arguments));
        assert_eq!((status, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains(part), "{arguments:?}: {err}");
        assert!(
            !err.contains("SECRET") && !err.contains("panicked"),
            "{err}"
        );
    }
    let missing = files.scratch.path("missing.wav");
    let (status, _, err) = run(command("captions", &service).arg(&missing));
    assert_eq!(status, 2);
    assert!(err.contains("no such file"), "{err}");
    let (status, _, err) = run(command("captions", &service).arg("audiotestsrc ! no-such-element"));
    assert_eq!(status, 2);
    assert!(err.contains("no element"), "{err}");
    assert!(service.connections().is_empty());
}

/// The input and the other outputs are not overwritten, under any name that leads to them.
#[test]
fn no_output_over_the_input_or_another_output() {
    let files = Files::new("same");
    let service = service(Options::default());
    let talk = wav(&files.scratch, &speech(1).0);
    let before = std::fs::read(&talk).expect("the input");
    let (path, directory) = (talk.display().to_string(), files.scratch.path(""));
    let link = files.scratch.path("link.srt");
    std::os::unix::fs::symlink(&talk, &link).expect("a link");
    let link = link.display().to_string();
    let piece = format!("filesrc location=\"{path}\" ! wavparse");
    let uri = gst::glib::filename_to_uri(&talk, None).expect("a path");
    let cases: [&[&str]; 7] = [
        &[&path, "-o", &path, "--format", "srt"],
        &[&path, "-o", "talk.wav", "--format", "vtt"],
        &[&path, "-o", &link],
        &[&piece, "-o", "./talk.wav", "--format", "srt"],
        &[&uri, "-o", &path, "--format", "srt"],
        &[&path, "-o", "new.srt", "-o", "./new.srt"],
        &[&path, "-o", &link, "-o", "new.srt"],
    ];
    for arguments in cases {
        let mut command = command("captions", &service);
        let (status, out, err) = run(command.current_dir(&directory).args(arguments));
        assert_eq!((status, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains("would be overwritten"), "{arguments:?}: {err}");
    }
    assert_eq!(std::fs::read(&talk).expect("the input"), before);
    assert!(!files.scratch.path("new.srt").exists());
    assert!(service.connections().is_empty());
}

/// Files of an earlier run stay until there is a new result.
#[test]
fn old_files_are_kept_until_there_are_words() {
    let files = Files::new("old");
    let service = service(Options::default());
    let (pcm, marks) = speech(2);
    let talk = wav(&files.scratch, &pcm);
    // Longer than what comes, so that a rest would be seen.
    let old = "of yesterday\n".repeat(200);
    let keep = |kinds: &[&str]| {
        for kind in kinds {
            std::fs::write(files.path(kind), &old).expect("a temporary file");
        }
    };
    keep(&["srt", "vtt", "jsonl"]);
    for name in ["VOLCENGINE_ACCESS_KEY", "VOLCENGINE_APP_ID"] {
        let mut command = command("captions", &service);
        let (status, _, err) = run(command
            .env(name, "wrong")
            .arg(&talk)
            .args(files.arguments()));
        assert_eq!(status, 1, "{err}");
        let mut command = self::command("captions", &service);
        let (status, _, err) = run(command.env_remove(name).arg(&talk).args(files.arguments()));
        assert_eq!(status, 1, "{err}");
        assert!(err.contains(name), "{err}");
    }
    for kind in ["srt", "vtt", "jsonl"] {
        assert_eq!(std::fs::read_to_string(files.path(kind)).expect(kind), old);
    }
    let (status, _, err) = run(command("captions", &service)
        .arg(&talk)
        .args(files.arguments()));
    assert_eq!(status, 0, "{err}");
    assert_eq!(files.cues(), expected_cues(&marks));

    // A good end without a word is a result as well.
    keep(&["srt", "vtt", "jsonl"]);
    let silence = wav(&files.scratch, &[0; 48_000]);
    let (status, out, err) = run(command("captions", &service)
        .arg(&silence)
        .args(files.arguments()));
    assert_eq!((status, out.as_str()), (0, ""), "{err}");
    let lengths =
        ["srt", "vtt", "jsonl"].map(|kind| std::fs::metadata(files.path(kind)).expect(kind).len());
    assert_eq!(lengths, [0, "WEBVTT\n\n".len() as u64, 0]);
}

/// The options for what is asked most often reach the service.
#[test]
fn resource_and_language_are_asked_for() {
    let files = Files::new("asked");
    let service = service(Options::default());
    let talk = wav(&files.scratch, &speech(1).0);
    let asked = [
        "--resource-id",
        "volc.bigasr.sauc.duration",
        "--language",
        "en-US",
    ];
    // The endpoint that takes a language.
    let uri = service.uri_for(Endpoint::Nostream);
    let (status, _, err) = run(command("captions", &service)
        .env("VOLCASR_URI", uri)
        .arg(talk)
        .args(asked));
    assert_eq!((status, err.as_str()), (0, ""));
    let connection = &service.connections()[0];
    assert_eq!(
        connection.header("X-Api-Resource-Id"),
        Some("volc.bigasr.sauc.duration")
    );
    assert_eq!(
        connection.request.as_ref().expect("a request")["audio"]["language"],
        "en-US"
    );
}

/// Inputs without audio, and paths where no file can be written, are errors.
#[test]
fn what_cannot_be_opened() {
    let files = Files::new("open");
    let service = service(Options::default());
    let text = files.scratch.path("talk.wav");
    std::fs::write(&text, "Not a sound.\n").expect("a temporary file");
    let (status, _, err) = run(command("captions", &service).arg(&text));
    assert_eq!(status, 1, "{err}");
    assert!(err.starts_with("error: "), "{err}");
    let nowhere = files.scratch.path("nowhere").join("words.srt");
    let (status, _, err) = run(command("captions", &service)
        .arg(&text)
        .arg("-o")
        .arg(&nowhere));
    assert_eq!(status, 1, "{err}");
    assert!(err.contains("words.srt"), "{err}");
}

#[test]
fn help_tells_the_exit_statuses() {
    let service = service(Options::default());
    for name in ["captions", "transcribe"] {
        let (status, out, _) = run(command(name, &service).arg("--help"));
        assert_eq!(status, 0);
        assert!(
            out.contains("Exit status:") && out.contains("VOLCENGINE_API_KEY"),
            "{out}"
        );
        let uri = service.uri();
        assert!(
            !out.contains(&uri),
            "the environment's values are not shown: {out}"
        );
    }
}
