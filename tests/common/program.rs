//! The programs of `examples/`, run as a user runs them.

use std::path::{Path, PathBuf};
use std::process::Command;

use volcasr_loopback::Service;

pub use super::running::*;

/// Returns an example's executable. Cargo has no variable for it, but builds it beside the tests.
pub fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this test's executable");
    let profile = test
        .parent()
        .and_then(Path::parent)
        .expect("deps/ in the target directory");
    let path = profile
        .join("examples")
        .join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        path.exists(),
        "{}: `cargo test` builds it; with --test it takes `cargo build --example {name}` before",
        path.display()
    );
    path
}

/// The directory with the plugin that cargo built for this very test: beside the test, or one level
/// up.
pub fn plugin() -> PathBuf {
    let name = format!(
        "{}gstvolcasr{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    );
    let test = std::env::current_exe().expect("this test's executable");
    let directory = test
        .ancestors()
        .skip(1)
        .take(2)
        .find(|directory| directory.join(&name).is_file());
    directory.expect("the plugin's library").to_owned()
}

/// The Python that the distribution's bindings belong to, or what it has not.
pub fn python_with_gst() -> Result<&'static str, String> {
    const PYTHON: &str = "/usr/bin/python3";
    let imports = "import gi
gi.require_version('Gst', '1.0')
from gi.repository import Gst
Gst.Structure.__getitem__";
    let tried = Command::new(PYTHON).args(["-c", imports]).output();
    if tried.is_ok_and(|output| output.status.success()) {
        Ok(PYTHON)
    } else {
        Err(format!("no python3-gi and python3-gst-1.0 in {PYTHON}"))
    }
}

/// Compiles a program in C as examples/transcribe.c says, or returns what is missing for it.
pub fn compile_c(source: &Path, program: &Path) -> Result<(), String> {
    let flags = Command::new("pkg-config")
        .args(["--cflags", "--libs", "gstreamer-1.0", "gstreamer-app-1.0"])
        .output()
        .ok()
        .filter(|output| output.status.success())
        .ok_or("no gstreamer-app-1.0 (libgstreamer-plugins-base1.0-dev)")?;
    let output = Command::new("cc")
        .args(["-Wall", "-Wextra", "-Werror"])
        .arg(source)
        .arg("-o")
        .arg(program)
        .args(String::from_utf8_lossy(&flags.stdout).split_whitespace())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .map_err(|e| format!("no cc: {e}"))?;
    assert!(output.status.success(), "{output:?}");
    Ok(())
}

/// Makes the command of an example that knows the service, and no other credentials than its own.
pub fn command(name: &str, service: &Service) -> Command {
    let mut command = Command::new(example(name));
    give_credentials(&mut command, service);
    command
}
