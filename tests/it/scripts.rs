//! The shell scripts: what they would install, and what they make of GStreamer's output.
#![cfg(target_os = "linux")]

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use crate::common::running::Running;
use crate::common::scratch::Scratch;

fn script(name: &str) -> Command {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    Command::new(path.join(name))
}

/// Runs scripts/deps on a machine whose package manager only writes down what it is asked for.
/// `installed` and `refused` are patterns of the shell, for what is there and what can't be
/// installed. Returns the output, and the calls of apt-get.
fn deps(installed: &str, refused: &str, arguments: &[&str]) -> (Output, Vec<String>) {
    let scratch = Scratch::new("deps");
    let log = scratch.path("log");
    let apt_get = format!(
        "echo \"$*\" >>'{}'\nfor word in \"$@\"; do\n\
         case $word in {refused}) echo refused; exit 100 ;; esac\ndone",
        log.display()
    );
    let query = format!("case $4 in {installed}) echo -n installed ;; esac");
    for (tool, text) in [
        ("dpkg-query", query.as_str()),
        ("apt-get", &apt_get),
        ("apt-cache", "echo \"$2 | 1.0 | somewhere\""),
        ("id", "echo 0"),
    ] {
        let path = scratch.path(tool);
        std::fs::write(&path, format!("#!/bin/bash\n{text}\n")).expect("a file");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("its mode");
    }
    let path = std::env::var("PATH").expect("a PATH");
    let path = format!("{}:{path}", scratch.path("").display());
    let output = script("deps").args(arguments).env("PATH", path).output();
    let output = output.expect("the script");
    assert!(output.status.success(), "{output:?}");
    let calls = std::fs::read_to_string(log).unwrap_or_default();
    (output, calls.lines().map(str::to_owned).collect())
}

#[test]
fn building_installs_no_more_than_it_needs() {
    let (_, asked) = deps("none", "none", &["build"]);
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked[0].contains("libgstreamer1.0-dev"), "{asked:?}");
    for other in ["pulse", "pocketsphinx", "python", " gstreamer1.0-"] {
        assert!(!asked[0].contains(other), "{other}: {asked:?}");
    }
    let (output, asked) = deps("*", "none", &[]);
    assert!(output.stdout.is_empty(), "{output:?}");
    assert_eq!(asked, [""; 0], "with everything there nothing is asked for");
}

/// On a desktop an installation must not cost the desktop.
#[test]
fn nothing_is_removed_and_no_second_sound_server_comes() {
    for (sound, pulseaudio) in [("pipewire-pulse", false), ("none", true)] {
        let (_, asked) = deps(sound, "none", &[]);
        let is_safe = asked.iter().all(|call| call.contains("--no-remove"));
        assert!(is_safe, "{asked:?}");
        let words: Vec<&str> = asked.iter().flat_map(|call| call.split(' ')).collect();
        assert!(words.contains(&"libgstreamer1.0-dev") && words.contains(&"python3-gi"));
        assert_eq!(words.contains(&"pulseaudio"), pulseaudio, "{asked:?}");
    }
}

/// A package that can't be had is named, and the others are installed.
#[test]
fn one_package_does_not_keep_the_others() {
    let (output, asked) = deps("none", "pulseaudio", &[]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("Not installed: pulseaudio"), "{stderr}");
    let has_python = asked.iter().any(|call| call.ends_with(" python3-gi"));
    assert!(has_python, "{asked:?}");
}

/// Returns whether there were words, and both outputs.
fn words(input: &str) -> (bool, String, String) {
    let mut words = Running::start(&mut script("words"));
    words.feed(input.as_bytes());
    words.close_stdin();
    let (status, said, warned) = words.end();
    (status == 0, said, warned)
}

/// Words are printed in the order of speech, not of numbers. Input beyond ASCII comes in octal.
/// Warnings are passed on, since they say why words come late.
#[test]
fn the_words_of_a_demo() {
    let line = |stream, utterance, is_final, at, text: &str| {
        format!(
            "Got message #1 from element \"volcasrsink0\" (element): volcasr-transcript, \
             text=(string){text}, final=(boolean){is_final}, utterance=(uint){utterance}, \
             stream=(uint){stream}, timestamp=(guint64){at};\n"
        )
    };
    let octal = "\"\\344\\273\\212\\345\\244\\251\\343\\200\\202\"";
    let warning = "WARNING: from element /GstPipeline:pipeline0: No session yet\n";
    let input = [
        warning.to_owned(),
        line(0, 0, false, 500, "he"),
        line(0, 1, true, 9000, "\"Second\\,\\ \\\"so\\\".\""),
        line(0, 0, true, 500, "\"He\\ might.\""),
        line(0, 2, true, 9500, "\"\""),
        line(1, 0, true, 100, octal),
    ];
    let (found, said, warned) = words(&input.concat());
    assert!(found);
    assert_eq!(warned, warning);
    let shown = "… he\n✓ Second, \"so\".\n✓ He might.\n✓ 今天。\n";
    assert_eq!(
        said,
        format!("{shown}\nHe might.\nSecond, \"so\".\n今天。\n")
    );
    assert!(!words(&line(0, 0, false, 0, "he")).0, "nothing was final");
}
