//! The commands `check` and `serve`, and what packages need.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use crate::support::http::{serve, target};
use crate::support::*;

/// The first words of each line.
fn stages(out: &str) -> Vec<(&str, &str)> {
    let words = out.lines().map(str::split_whitespace);
    words
        .filter_map(|mut words| words.next().zip(words.next()))
        .collect()
}

#[test]
fn each_stage_has_a_line() {
    let bench = Bench::new();
    let out = bench.succeeds("check");
    let passed = "settings name connection credentials resource session".split(' ');
    let passed: Vec<_> = passed.map(|stage| (stage, "ok")).collect();
    assert_eq!(stages(&out), passed, "{out}");
    let log_id = bench.service.connections()[0].log_id.clone();
    assert!(out.contains(&format!("log id {log_id}")), "{out}");
    assert!(out.contains(&bench.service.uri()), "{out}");
}

/// The first stage that fails is the last line; standard error says what to do.
#[test]
fn it_stops_where_it_fails() {
    let bench = Bench::new();
    // An answer that is about the address, or about the service's state, is no session's.
    let elsewhere = Bench::faulty("http:404@handshake");
    let nowhere = "--uri ws://127.0.0.1:1/x";
    let wrong = "VOLCENGINE_ACCESS_KEY";
    #[rustfmt::skip]
    let cases = [
        (&bench, "--resource-id volc.none", "", "credentials resource", "resource-id"),
        (&bench, "", wrong, "connection credentials", wrong),
        (&bench, nowhere, "", "name connection", "can't connect"),
        (&bench, "--set context=[1]", "", "settings", "context"),
        (&elsewhere, "", "", "connection upgrade", "404"),
    ];
    for (bench, arguments, wrong, last, part) in cases {
        let mut command = bench.command(&format!("check {arguments}"));
        if !wrong.is_empty() {
            command.env(wrong, "SECRET");
        }
        let (out, err) = reports(&mut command, 1, &["error: ", part]);
        let stages = stages(&out);
        let (failed, passed) = stages.split_last().expect("a stage");
        assert_eq!(failed.1, "failed", "{out}");
        assert!(passed.iter().all(|stage| stage.1 == "ok"), "{out}");
        let names: Vec<&str> = stages.iter().map(|stage| stage.0).collect();
        assert!(names.join(" ").ends_with(last), "{arguments:?}: {out}");
        assert!(!(out + &err).contains("SECRET"), "{err}");
    }
}

/// The same as JSON, and with `--quiet` no output but the exit status.
#[test]
fn lines_for_programs_or_none() {
    let bench = Bench::new();
    assert_eq!(bench.succeeds("check --quiet"), "");
    // --quiet leaves the lines that --json asks for.
    let json = "check --json --quiet";
    let out = bench.succeeds(json);
    let lines = json_lines(&out);
    assert_eq!(lines.len(), 6, "{out}");
    let is_good = |line: &serde_json::Value| line["took"].is_u64() && line["ok"] == true;
    assert!(lines.iter().all(is_good), "{out}");
    assert_eq!(lines[5]["stage"], "session");
    let log_id = bench.service.connections()[1].log_id.clone();
    assert_eq!(lines[5]["log-id"], log_id);

    let mut refused = bench.command(json);
    let refused = refused.env("VOLCENGINE_ACCESS_KEY", "wrong");
    let (out, err) = reports(refused, 1, &[]);
    let last = json_lines(&out).pop().expect("a line");
    assert_eq!(last["ok"], false, "{out}");
    let error = last["error"].as_str().expect("a text");
    assert!(err.starts_with(&format!("error: {error}")), "{err}");
    let hint = last["hint"].as_str().expect("a text");
    assert!(hint.contains("log id"), "{hint}");
}

/// The name is the proxy's own, and both have their times.
#[test]
fn behind_a_proxy() {
    let bench = Bench::new();
    // Passes bytes on to the host that it is asked for.
    let uri = serve(|head, client| {
        let mut server = TcpStream::connect(target(head))?;
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        let (mut from, mut to) = (server.try_clone()?, client.try_clone()?);
        std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        std::io::copy(client, &mut server).map(|_| ())
    });
    let with_login = uri.replace("http://", "http://me:SECRET@");
    let out = bench.succeeds(&format!("check --set proxy={with_login}"));
    let names: Vec<&str> = stages(&out).iter().map(|stage| stage.0).collect();
    let expected = ["settings", "name", "proxy", "connection"];
    assert_eq!(names[..4], expected, "{out}");
    let resolves = "127.0.0.1 is an address; the proxy resolves 127.0.0.1";
    for part in [resolves, &format!("{uri}, from the property proxy")] {
        assert!(out.contains(part), "{out}");
    }
    assert!(!out.contains("SECRET"), "{out}");

    let gone = "check --set proxy=http://127.0.0.1:1";
    let (out, _) = bench.reports(gone, 1, &["can't be reached"]);
    assert_eq!(stages(&out).last(), Some(&("proxy", "failed")), "{out}");
    assert!(out.contains("127.0.0.1:1: "), "{out}");
}

/// A pipeline that fails before it has read all of the sound gives the one error that counts.
#[test]
fn marks_end_quietly_with_their_reader() {
    let bench = Bench::new();
    let mut command = bench.command("serve --write-marks 60");
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut serve = command.spawn().expect("the program");
    let mut sound = serve.stdout.take().expect("a pipe");
    sound.read_exact(&mut [0; 4800]).expect("sound");
    drop(sound);
    let output = serve.wait_with_output().expect("its end");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*err), (Some(0), ""));
}

#[test]
fn manual_pages_and_completions() {
    let bench = Bench::new();
    bench.reports("generate .", 0, &[]);
    let names = "man1/volcasr.1 man1/volcasr-captions.1 man1/volcasr-transcribe.1 \
                 man1/volcasr-check.1 man1/volcasr-devices.1 man1/volcasr-serve.1 \
                 bash/volcasr zsh/_volcasr fish/volcasr.fish";
    for name in names.split_whitespace() {
        assert!(bench.text(name).contains("volcasr"), "{name}");
    }
    assert_eq!(bench.names("man1").len(), 6);
}
