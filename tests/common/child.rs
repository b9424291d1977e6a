//! A test in a process of its own, with an environment of its own: a process can't safely change
//! its variables while threads run.

use std::ffi::OsStr;
use std::process::Command;

use super::scratch::Scratch;
use super::text;

const MARK: &str = "VOLCASR_TEST_CHILD";

/// Variables of an environment.
pub type Variables<'a> = [(&'a str, &'a OsStr)];

/// Runs `body`, a closure in a test, in a process with `set` in its environment and without
/// `unset`: that process is the same test once more, and `body` is all that it does.
pub fn run<F: FnOnce()>(set: &Variables<'_>, unset: &[&str], body: F) {
    if is_child() {
        body();
    } else {
        spawn::<F>(set, unset);
    }
}

/// Runs `body` alone in a process.
pub fn alone(body: impl FnOnce()) {
    run(&[], &[], body);
}

/// Like [`run`], with a log of every level, which `check` gets in this process.
pub fn log_of<F>(set: &Variables<'_>, unset: &[&str], body: F, check: impl FnOnce(&str))
where
    F: FnOnce(),
{
    if is_child() {
        return body();
    }
    let scratch = Scratch::new("logging");
    let file = scratch.path("gst.log");
    let logging: [(&str, &OsStr); 3] = [
        ("GST_DEBUG", "*:9".as_ref()),
        ("GST_DEBUG_NO_COLOR", "1".as_ref()),
        ("GST_DEBUG_FILE", file.as_os_str()),
    ];
    spawn::<F>(&[&logging[..], set].concat(), unset);
    let log = std::fs::read(&file).expect("a log");
    let log = String::from_utf8_lossy(&log);
    assert!(log.contains("volcasr"), "the element has logged nothing");
    check(&log);
}

/// Whether this is the process that [`run`] has started.
pub fn is_child() -> bool {
    std::env::var_os(MARK).is_some()
}

/// Runs the test in which the closure `F` stands, to its success.
fn spawn<F>(set: &Variables<'_>, unset: &[&str]) {
    let closure = std::any::type_name::<F>();
    let test = closure.split("::{{closure}}").next();
    let test = test.and_then(|test| test.split_once("::"));
    let (_program, test) = test.unwrap_or_else(|| panic!("{closure} is in no test"));
    let mut command = Command::new(std::env::current_exe().expect("this test's executable"));
    command
        .args(["--exact", test, "--nocapture"])
        .env(MARK, "1")
        .envs(set.iter().copied());
    for name in unset {
        command.env_remove(name);
    }
    if text::is_transcriber() {
        command.env(text::TRANSCRIBERS, "1");
    }
    let output = assert_success(test, &mut command);
    assert!(output.contains("1 passed"), "{test}: {output}");
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
