//! Display of `captions` on a terminal of the system, and where it is to show less.
#![cfg(target_os = "linux")]

use std::io::{Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::support::*;

/// `captions` on a terminal that `script` (util-linux) makes, of 80 columns.
struct Shown {
    child: Child,
    output: ChildStdout,
    text: String,
}

impl Shown {
    fn start(bench: &Bench, variables: &[(&str, &str)], arguments: &str) -> Self {
        let program = env!("CARGO_BIN_EXE_volcasr");
        let line = format!("stty cols 80 rows 20; exec '{program}' captions {arguments}");
        let mut script = Command::new("script");
        give_credentials(script.current_dir(bench.path("")), &bench.service);
        let mut child = script
            .args(["--quiet", "--return", "--command", &line, "/dev/null"])
            .env("TERM", "xterm")
            .env("SHELL", "/bin/sh")
            .env_remove("NO_COLOR")
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script");
        Shown {
            output: child.stdout.take().expect("a pipe"),
            child,
            text: String::new(),
        }
    }

    /// Waits until it has shown this, or ends.
    fn wait(&mut self, part: &str) {
        let mut more = [0; 4096];
        while !self.text.contains(part) {
            let length = self.output.read(&mut more).expect("a pipe");
            assert!(length > 0, "no {part:?} in {:?}", self.text);
            self.text
                .push_str(&String::from_utf8_lossy(&more[..length]));
        }
    }

    fn press(&mut self, key: &str) {
        let stdin = self.child.stdin.as_mut().expect("a pipe");
        stdin.write_all(key.as_bytes()).expect("a terminal");
    }

    /// Waits for its end: the exit status, and all that was written.
    fn end(mut self) -> (Option<i32>, String) {
        let mut rest = Vec::new();
        self.output.read_to_end(&mut rest).expect("a pipe");
        let status = self.child.wait().expect("its status");
        let text = self.text + &String::from_utf8_lossy(&rest);
        (status.code(), text.replace("\r\n", "\n"))
    }
}

/// Skips a test where there is no `script` of util-linux.
macro_rules! needs_script {
    () => {
        let version = Command::new("script").arg("--version").output();
        if !version.is_ok_and(|v| String::from_utf8_lossy(&v.stdout).contains("util-linux")) {
            return skip("no script of util-linux");
        }
    };
}

/// Returns the lines left on the screen. What is erased ends with the way to its first line.
fn left(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let (erased, last) = text.rsplit_once("\x1b[J").unwrap_or(("", text));
    for frame in erased.split("\x1b[J").filter(|frame| !frame.is_empty()) {
        let (shown, way) = frame.rsplit_once('\r').expect("the way to its first line");
        let up = way
            .strip_prefix("\x1b[")
            .and_then(|way| way.strip_suffix('A'));
        lines.extend(shown.split('\n'));
        lines.truncate(lines.len() - 1 - up.map_or(0, |up| up.parse().expect("a number")));
    }
    lines.extend(last.split('\n'));
    lines.retain(|line| !line.is_empty());
    lines
}

/// In real time: interim words dim, the status line with all of its parts, and at the end the
/// sentences alone.
#[test]
fn all_of_it_on_a_terminal() {
    needs_script!();
    let bench = Bench::new();
    let marks = bench.talk("talk.wav", 2);
    let (status, text) = Shown::start(&bench, &[], "talk.wav --realtime").end();
    assert_eq!(status, Some(0), "{text}");
    // Interim words are dim.
    let status_line = "connecting|listening to talk.wav   0:0| / 0:0|latency |   [|#|.] | %";
    for part in status_line.split('|').chain(["\x1b[2mm0"]) {
        assert!(text.contains(part), "{part}: {text:?}");
    }
    assert_eq!(left(&text), sentences(&marks), "{text:?}");
}

#[test]
fn no_colour_and_no_terminal_worth_the_name() {
    needs_script!();
    let bench = Bench::new();
    bench.talk("talk.wav", 2);
    for (variable, escapes) in [(("NO_COLOR", "1"), true), (("TERM", "dumb"), false)] {
        let (status, text) = Shown::start(&bench, &[variable], "talk.wav").end();
        assert_eq!(status, Some(0), "{text}");
        assert!(!text.contains("\x1b[2m"), "{variable:?}: {text:?}");
        assert_eq!(text.contains('\x1b'), escapes, "{variable:?}: {text:?}");
        assert_eq!(left(&text).len(), 2, "{variable:?}: {text:?}");
    }
}

/// The key, as the terminal turns it into a signal; the status line tells what is waited for, and
/// what another one does.
#[test]
fn ctrl_c_and_another() {
    needs_script!();
    let bench = Bench::faulty("no-final@finish*");
    bench.wav("talk.wav", &open_ended_speech(2).0);
    let late = "talk.wav --set finish-timeout=60000 --set max-session-time=0";
    let mut shown = Shown::start(&bench, &[], late);
    bench.until(|c| c.finish_at.is_some());
    shown.press("\x03");
    shown.wait("waiting for the last words; Ctrl-C quits");
    shown.press("\x03");
    let (status, text) = shown.end();
    assert_eq!(status, Some(130), "{text}");
    assert!(!left(&text).concat().contains("waiting"), "{text:?}");
}
