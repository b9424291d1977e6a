//! A test in a process of its own, with an environment of its own: a process can't safely change its
//! variables while threads run.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

const MARK: &str = "VOLCASR_TEST_CHILD";

/// Runs `body`, which is the test `name` from here on, in a process with `set` in its environment and
/// without `unset`.
pub fn run(name: &str, set: &[(&str, &OsStr)], unset: &[&str], body: impl FnOnce()) {
    if is_child() {
        body();
    } else {
        spawn(name, set, unset);
    }
}

/// Whether this is the process that [`spawn`] has started.
pub fn is_child() -> bool {
    std::env::var_os(MARK).is_some()
}

/// Runs the test `name` of this executable in a process of its own, to its good end.
pub fn spawn(name: &str, set: &[(&str, &OsStr)], unset: &[&str]) {
    let mut command = Command::new(std::env::current_exe().expect("this test's executable"));
    command
        .args(["--exact", name, "--nocapture"])
        .env(MARK, "1")
        .envs(set.iter().copied());
    for name in unset {
        command.env_remove(name);
    }
    let output = command.output().expect("this test again");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success() && said(&output.stdout).contains("1 passed"),
        "{name}: {}\n{}\n{}",
        output.status,
        said(&output.stdout),
        said(&output.stderr)
    );
}

/// Whether all sinks of this process have `async=false`.
pub const WITHOUT_PREROLL: &str = "VOLCASR_TEST_WITHOUT_PREROLL";

/// Runs all tests of this executable once more, in a process whose sinks do not preroll; but for those whose names
/// have something of `skip` in them. Called by the test `name`.
pub fn without_preroll(name: &str, skip: &[&str]) {
    if std::env::var_os(WITHOUT_PREROLL).is_some() {
        return;
    }
    let mut command = Command::new(std::env::current_exe().expect("this test's executable"));
    command.env(WITHOUT_PREROLL, "1").args(["--skip", name]);
    for name in skip {
        command.args(["--skip", name]);
    }
    let output = command.output().expect("these tests again");
    assert!(
        output.status.success(),
        "async=false: {}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A directory that is gone when this is.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("volcasr-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a directory for temporary files");
        Scratch(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
