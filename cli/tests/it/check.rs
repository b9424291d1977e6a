//! The command `check`, and what packages need.

use crate::support::program::{command, run};
use crate::support::*;
use volcasr_loopback::Options;

/// The first words of each line.
fn stages(out: &str) -> Vec<(&str, &str)> {
    let mut stages = Vec::new();
    for line in out.lines() {
        let mut words = line.split_whitespace();
        stages.extend(words.next().zip(words.next()));
    }
    stages
}

#[test]
fn each_stage_has_a_line() {
    let service = service(Options::default());
    let (status, out, err) = run(&mut command("check", &service));
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    let passed = [
        "settings",
        "name",
        "connection",
        "credentials",
        "resource",
        "session",
    ];
    assert_eq!(stages(&out), passed.map(|stage| (stage, "ok")), "{out}");
    let log_id = service.connections()[0].log_id.clone();
    assert!(out.contains(&format!("log id {log_id}")), "{out}");
    assert!(out.contains(&service.uri()), "{out}");
}

/// The first stage that fails is the last line; standard error says what to do.
#[test]
fn it_stops_where_it_fails() {
    let service = service(Options::default());
    let cases: [(&[&str], &str, &[&str], &str); 4] = [
        (
            &["--resource-id", "volc.none"],
            "",
            &["credentials", "resource"],
            "resource-id",
        ),
        (
            &[],
            "VOLCENGINE_ACCESS_KEY",
            &["connection", "credentials"],
            "VOLCENGINE_ACCESS_KEY",
        ),
        (
            &["--uri", "ws://127.0.0.1:1/x"],
            "",
            &["name", "connection"],
            "can't connect",
        ),
        (&["--set", "context=[1]"], "", &["settings"], "context"),
    ];
    for (arguments, wrong, last, part) in cases {
        let mut command = command("check", &service);
        if !wrong.is_empty() {
            command.env(wrong, "SECRET");
        }
        let (status, out, err) = run(command.args(arguments));
        assert_eq!(status, 1, "{arguments:?}: {out}{err}");
        let stages = stages(&out);
        let ends: Vec<&str> = stages
            .iter()
            .rev()
            .take(last.len())
            .rev()
            .map(|s| s.0)
            .collect();
        assert_eq!(ends, last, "{arguments:?}: {out}");
        assert_eq!(stages.last().map(|stage| stage.1), Some("failed"), "{out}");
        assert!(
            stages.iter().rev().skip(1).all(|stage| stage.1 == "ok"),
            "{out}"
        );
        assert!(err.starts_with("error: ") && err.contains(part), "{err}");
        assert!(
            !err.contains("SECRET") && !out.contains("SECRET"),
            "{out}{err}"
        );
    }
}

#[test]
fn manual_pages_and_completions() {
    let scratch = Scratch::new("generate");
    let service = service(Options::default());
    let directory = scratch.path("");
    let (status, _, err) = run(command("generate", &service).arg(&directory));
    assert_eq!(status, 0, "{err}");
    for name in [
        "man1/volcasr.1",
        "man1/volcasr-captions.1",
        "man1/volcasr-transcribe.1",
        "man1/volcasr-check.1",
        "man1/volcasr-devices.1",
        "man1/volcasr-serve.1",
        "bash/volcasr",
        "zsh/_volcasr",
        "fish/volcasr.fish",
    ] {
        let text = std::fs::read_to_string(scratch.path(name)).expect(name);
        assert!(text.contains("volcasr"), "{name}");
    }
    let pages = std::fs::read_dir(scratch.path("man1")).expect("the pages");
    assert_eq!(pages.count(), 6);
}
