//! The shell scripts: what they would install, and what they make of GStreamer's output.
#![cfg(target_os = "linux")]

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

use crate::common::scratch::Scratch;

fn script(name: &str) -> Command {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    Command::new(path.join(name))
}

/// A machine whose package manager only writes down what it is asked for.
struct Machine {
    scratch: Scratch,
}

impl Machine {
    /// `installed`: a pattern of the shell; `refused`: another, for what can't be installed.
    fn new(name: &str, installed: &str, refused: &str) -> Self {
        let machine = Machine {
            scratch: Scratch::new(name),
        };
        let log = machine.scratch.path("log").display().to_string();
        let tools = [
            (
                "dpkg-query",
                format!("case $4 in {installed}) echo -n installed ;; esac"),
            ),
            (
                "apt-get",
                format!(
                    "echo \"$*\" >>'{log}'\nfor word in \"$@\"; do\n\
                     case $word in {refused}) echo refused; exit 100 ;; esac\ndone"
                ),
            ),
            ("apt-cache", "echo \"$2 | 1.0 | somewhere\"".to_owned()),
            ("id", "echo 0".to_owned()),
        ];
        for (tool, text) in tools {
            let path = machine.scratch.path(tool);
            std::fs::write(&path, format!("#!/bin/bash\n{text}\n")).expect("a file");
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("its mode");
        }
        machine
    }

    fn deps(&self, arguments: &[&str]) -> Output {
        let here = self.scratch.path("").display().to_string();
        let path = std::env::var("PATH").expect("a PATH");
        script("deps")
            .args(arguments)
            .env("PATH", format!("{here}:{path}"))
            .output()
            .expect("the script")
    }

    /// The calls of apt-get.
    fn asked(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.scratch.path("log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }
}

#[test]
fn building_installs_no_more_than_it_needs() {
    let machine = Machine::new("deps-build", "none", "none");
    let output = machine.deps(&["build"]);
    assert!(output.status.success(), "{output:?}");
    let asked = machine.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked[0].contains("libgstreamer1.0-dev"), "{asked:?}");
    for other in ["pulse", "pocketsphinx", "python", " gstreamer1.0-"] {
        assert!(!asked[0].contains(other), "{other}: {asked:?}");
    }
}

/// On a desktop an installation must not cost the desktop.
#[test]
fn nothing_is_removed_and_no_second_sound_server_comes() {
    for (sound, pulseaudio) in [("pipewire-pulse", false), ("none", true)] {
        let machine = Machine::new(&format!("deps-{sound}"), sound, "none");
        assert!(machine.deps(&[]).status.success());
        let asked = machine.asked();
        assert!(
            asked.iter().all(|call| call.contains("--no-remove")),
            "{asked:?}"
        );
        let words: Vec<&str> = asked.iter().flat_map(|call| call.split(' ')).collect();
        assert!(words.contains(&"libgstreamer1.0-dev") && words.contains(&"python3-gi"));
        assert_eq!(words.contains(&"pulseaudio"), pulseaudio, "{asked:?}");
    }
}

/// A package that can't be had is named, and the others are installed.
#[test]
fn one_package_does_not_keep_the_others() {
    let machine = Machine::new("deps-refused", "none", "pulseaudio");
    let output = machine.deps(&[]);
    assert!(output.status.success(), "the headers are there: {output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("Not installed: pulseaudio"), "{said}");
    let asked = machine.asked();
    assert!(
        asked.iter().any(|call| call.ends_with(" python3-gi")),
        "{asked:?}"
    );
}

#[test]
fn with_everything_there_nothing_is_asked_for() {
    let machine = Machine::new("deps-there", "*", "none");
    let output = machine.deps(&[]);
    assert!(
        output.status.success() && output.stdout.is_empty(),
        "{output:?}"
    );
    assert_eq!(machine.asked(), Vec::<String>::new());
}

fn words(input: &str) -> (bool, String) {
    let mut child = script("words")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the script");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(input.as_bytes()).expect("a reader");
    drop(stdin);
    let output = child.wait_with_output().expect("its end");
    let said = String::from_utf8(output.stdout).expect("UTF-8");
    (output.status.success(), said)
}

/// Words are printed in the order of speech, not of numbers. Input beyond ASCII comes in octal.
#[test]
fn the_words_of_a_demo() {
    let line = |stream, utterance, is_final, at, text: &str| {
        format!(
            "Got message #1 from element \"volcasrsink0\" (element): volcasr-transcript, \
             text=(string){text}, final=(boolean){is_final}, utterance=(uint){utterance}, \
             stream=(uint){stream}, timestamp=(guint64){at};\n"
        )
    };
    let input = [
        line(0, 0, false, 500, "he"),
        line(0, 1, true, 9000, "\"Second\\,\\ \\\"so\\\".\""),
        line(0, 0, true, 500, "\"He\\ might.\""),
        line(0, 2, true, 9500, "\"\""),
        line(
            1,
            0,
            true,
            100,
            "\"\\344\\273\\212\\345\\244\\251\\343\\200\\202\"",
        ),
    ];
    let (found, said) = words(&input.concat());
    assert!(found);
    assert_eq!(
        said,
        "… he\n✓ Second, \"so\".\n✓ He might.\n✓ 今天。\n\nHe might.\nSecond, \"so\".\n今天。\n"
    );
    assert!(!words(&line(0, 0, false, 0, "he")).0, "nothing was final");
}
