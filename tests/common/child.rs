//! A test in a process of its own, with an environment of its own: a process can't safely change
//! its variables while threads run.

use std::ffi::OsStr;
use std::process::Command;

use super::scratch::Scratch;
use super::text;

const MARK: &str = "VOLCASR_TEST_CHILD";

/// Runs `body`, which is the test `name` of `module` from here on, in a process with `set` in its
/// environment and without `unset`. The module is `module_path!()`.
pub fn run(module: &str, name: &str, set: &[(&str, &OsStr)], unset: &[&str], body: impl FnOnce()) {
    if is_child() {
        body();
    } else {
        spawn(module, name, set, unset);
    }
}

/// Runs `body`, which is the test `name` of `module`, alone in a process.
pub fn alone(module: &str, name: &str, body: impl FnOnce()) {
    run(module, name, &[], &[], body);
}

/// Whether this is the process that [`spawn`] has started.
pub fn is_child() -> bool {
    std::env::var_os(MARK).is_some()
}

/// The name by which the test program knows the test `name` of `module`.
pub fn test_name(module: &str, name: &str) -> String {
    match module.split_once("::") {
        Some((_program, module)) => format!("{module}::{name}"),
        None => name.to_owned(),
    }
}

/// Runs the test `name` of `module` in a process of its own, to its success.
pub fn spawn(module: &str, name: &str, set: &[(&str, &OsStr)], unset: &[&str]) {
    let name = test_name(module, name);
    let mut command = Command::new(std::env::current_exe().expect("this test's executable"));
    command
        .args(["--exact", &name, "--include-ignored", "--nocapture"])
        .env(MARK, "1")
        .envs(set.iter().copied());
    for name in unset {
        command.env_remove(name);
    }
    if text::is_transcriber() {
        command.env(text::TRANSCRIBERS, "1");
    }
    let output = assert_success(&name, &mut command);
    assert!(output.contains("1 passed"), "{name}: {output}");
}

/// Runs the test `name` of `module` in a process of its own that logs at every level; returns the
/// log.
pub fn spawn_logging(module: &str, name: &str, set: &[(&str, &OsStr)], unset: &[&str]) -> String {
    let scratch = Scratch::new(name);
    let file = scratch.path("gst.log");
    let mut variables: Vec<(&str, &OsStr)> = vec![
        ("GST_DEBUG", "*:9".as_ref()),
        ("GST_DEBUG_NO_COLOR", "1".as_ref()),
        ("GST_DEBUG_FILE", file.as_os_str()),
    ];
    variables.extend(set);
    spawn(module, name, &variables, unset);
    let log = std::fs::read(&file).expect("a log");
    let log = String::from_utf8_lossy(&log).into_owned();
    assert!(log.contains("volcasr"), "the element has logged nothing");
    log
}

/// Runs `command` to its success and returns its standard output.
fn assert_success(name: &str, command: &mut Command) -> String {
    let output = command.output().expect("a program that starts");
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{name}: {}\n{stdout}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    stdout
}

/// Whether all sinks of this process have `async=false`.
pub const WITHOUT_PREROLL: &str = "VOLCASR_TEST_WITHOUT_PREROLL";

/// Runs the tests of `modules` in a process whose sinks do not preroll, but for those whose names
/// contain an entry of `skip`.
pub fn without_preroll(modules: &[&str], skip: &[&str]) {
    let mut command = Command::new(std::env::current_exe().expect("this test's executable"));
    command.env(WITHOUT_PREROLL, "1").args(modules);
    for name in skip {
        command.args(["--skip", name]);
    }
    assert_success("async=false", &mut command);
}
