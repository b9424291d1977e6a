//! Passes the version, the commit and the date to `plugin_define!`.

use std::path::Path;
use std::process::Command;

fn main() {
    gst_plugin_version_helper::info();
    // Without a list of its inputs cargo runs this again, and builds the crate anew, for each file
    // that appears in the tree.
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=Cargo.toml");
    // The commit: the branch that is checked out, and the log of where it pointed.
    for name in ["HEAD", "logs/HEAD"] {
        watch(&git(&["rev-parse", "--git-path", name]));
    }
    // The mark of a commit that was modified: files that git knows, and no new ones.
    watch(&git(&["ls-files", "src", "Cargo.lock"]));
}

/// Names the existing files among `paths`, one a line: cargo takes a missing one for changed.
fn watch(paths: &str) {
    for path in paths.lines().filter(|path| Path::new(path).exists()) {
        println!("cargo:rerun-if-changed={path}");
    }
}

/// Output of a git command, or nothing: a package's sources have no repository.
fn git(arguments: &[&str]) -> String {
    let output = Command::new("git").args(arguments).output();
    let output = output.ok().filter(|output| output.status.success());
    output.map_or_else(String::new, |output| {
        String::from_utf8_lossy(&output.stdout).into_owned()
    })
}
