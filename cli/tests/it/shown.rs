//! Display of `captions` on a terminal of the system, and where it is to show less.
#![cfg(target_os = "linux")]

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use crate::support::program::*;
use crate::support::*;
use volcasr_loopback::{Options, Service};

/// `captions` on a terminal that `script` (util-linux) makes, of 80 columns.
struct Shown {
    child: Child,
    output: Receiver<Vec<u8>>,
    text: String,
}

impl Shown {
    fn start(service: &Service, variables: &[(&str, &str)], arguments: &[&str]) -> Self {
        let quoted = arguments.iter().map(|argument| format!(" '{argument}'"));
        let program = env!("CARGO_BIN_EXE_volcasr");
        let captions = format!("'{program}' captions{}", quoted.collect::<String>());
        let line = format!("stty cols 80 rows 20; exec {captions}");
        let mut script = Command::new("script");
        give_credentials(&mut script, service);
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
        let mut stdout = child.stdout.take().expect("a pipe");
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(length) = stdout.read(&mut part)
                && length > 0
                && sender.send(part[..length].to_vec()).is_ok()
            {}
        });
        Shown {
            child,
            output,
            text: String::new(),
        }
    }

    /// Waits until it has shown this.
    fn wait(&mut self, part: &str) {
        while !self.text.contains(part) {
            let more = self.output.recv_timeout(LONG);
            let more = more.unwrap_or_else(|e| panic!("{e}: no {part:?} in {:?}", self.text));
            self.text.push_str(&String::from_utf8_lossy(&more));
        }
    }

    fn press(&mut self, key: &str) {
        let stdin = self.child.stdin.as_mut().expect("a pipe");
        stdin.write_all(key.as_bytes()).expect("a terminal");
        stdin.flush().expect("a terminal");
    }

    /// Waits for its end: the exit status, and all that was written.
    fn end(mut self) -> (Option<i32>, String) {
        for more in self.output.iter() {
            self.text.push_str(&String::from_utf8_lossy(&more));
        }
        let status = self.child.wait().expect("its status");
        (status.code(), self.text.replace("\r\n", "\n"))
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

/// Returns the lines left on the screen. Carries out the escapes that this program uses.
fn left(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut rest = text;
    while let Some(at) = rest.find(['\n', '\r', '\x1b']) {
        lines.last_mut().expect("one").push_str(&rest[..at]);
        let control = &rest[at..at + 1];
        rest = &rest[at + 1..];
        match control {
            "\n" => lines.push(String::new()),
            "\x1b" => {
                let end = rest.find(|c: char| c.is_ascii_alphabetic());
                let end = end.expect("a sequence");
                let (sequence, behind) = rest.split_at(end + 1);
                rest = behind;
                if let Some(up) = sequence.strip_prefix('[').and_then(|s| s.strip_suffix('A')) {
                    lines.truncate(lines.len() - up.parse::<usize>().expect("a number"));
                } else if sequence == "[J" {
                    lines.pop();
                    lines.push(String::new());
                }
            }
            _ => (),
        }
    }
    lines.last_mut().expect("one").push_str(rest);
    lines.retain(|line| !line.is_empty());
    lines
}

/// In real time: interim words dim, the status line with all of its parts, and at the end the
/// sentences alone.
#[test]
fn all_of_it_on_a_terminal() {
    needs_script!();
    let files = Files::new("shown");
    let service = service(Options::default());
    let (pcm, marks) = speech(2);
    let talk = files.wav(&pcm).display().to_string();
    let began = std::time::Instant::now();
    let (status, text) = Shown::start(&service, &[], &[&talk, "--realtime"]).end();
    assert_eq!(status, Some(0), "{text}");
    let took = began.elapsed().as_millis() as usize;
    assert!(took > pcm.len() / 48, "--realtime");
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
    let files = Files::new("shown-plain");
    let talk = files.wav(&speech(2).0).display().to_string();
    for (variable, escapes) in [(("NO_COLOR", "1"), true), (("TERM", "dumb"), false)] {
        let service = service(Options::default());
        let (status, text) = Shown::start(&service, &[variable], &[&talk]).end();
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
    let files = Files::new("shown-quit");
    let service = service(faulty(&["no-final@finish*"]));
    let talk = files.wav(&open_ended_speech(2).0).display().to_string();
    let late = "--set finish-timeout=600000 --set max-session-time=0";
    let arguments: Vec<&str> = [talk.as_str()].into_iter().chain(late.split(' ')).collect();
    let mut shown = Shown::start(&service, &[], &arguments);
    until_connection(&service, |c| c.finish_at.is_some());
    shown.press("\x03");
    shown.wait("waiting for the last words; Ctrl-C quits");
    shown.press("\x03");
    let (status, text) = shown.end();
    assert_eq!(status, Some(130), "{text}");
    assert!(!left(&text).concat().contains("waiting"), "{text:?}");
}
