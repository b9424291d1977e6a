//! `make install` and `make uninstall`: where they put the plugin and its presets, and what is left.
#![cfg(target_os = "linux")]

mod common;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::child::Scratch;

const PLUGIN: &str = "libgstvolcasr.so";
const PRESETS: &str = "GstVolcasrSink.prs";
/// Told from any that a build makes.
const BUILT: &[u8] = b"the plugin as it was built";

/// A target directory with a plugin in it, and a root to install into.
struct Site {
    scratch: Scratch,
}

impl Site {
    fn new(name: &str) -> Self {
        let site = Site {
            scratch: Scratch::new(name),
        };
        std::fs::create_dir_all(site.path("target/release")).expect("a directory");
        std::fs::write(site.path("target/release").join(PLUGIN), BUILT).expect("a file");
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path(name)
    }

    fn make(&self, target: &str, variables: &[String]) -> Output {
        let mut command = Command::new("make");
        command
            .args(["-C", env!("CARGO_MANIFEST_DIR"), target])
            .args(variables)
            .env("CARGO_TARGET_DIR", self.path("target"));
        // This test's own caller may be a make, or sudo.
        for name in [
            "MAKEFLAGS",
            "MAKELEVEL",
            "DESTDIR",
            "PREFIX",
            "PLUGINSDIR",
            "PRESETSDIR",
            "SUDO_USER",
        ] {
            command.env_remove(name);
        }
        command.output().expect("make")
    }

    /// Runs it to its good end.
    fn ok(&self, target: &str, variables: &[String]) {
        let output = self.make(target, variables);
        assert!(output.status.success(), "{output:?}");
    }

    fn destdir(&self) -> String {
        format!("DESTDIR={}", self.path("root").display())
    }

    /// The files below `root/`, with their modes.
    fn installed(&self) -> BTreeMap<PathBuf, u32> {
        let mut files = BTreeMap::new();
        let root = self.path("root");
        let mut left = vec![root.clone()];
        while let Some(directory) = left.pop() {
            for entry in std::fs::read_dir(directory).expect("a directory").flatten() {
                let mode = entry.metadata().expect("its mode").permissions().mode() & 0o777;
                let path = entry.path();
                if path.is_dir() {
                    assert_eq!(mode, 0o755, "{}", path.display());
                    left.push(path);
                } else {
                    let name = path.strip_prefix(&root).expect("below it");
                    files.insert(Path::new("/").join(name), mode);
                }
            }
        }
        files
    }
}

fn of_gstreamer(prefix: Option<&str>, variable: &str) -> PathBuf {
    let output = Command::new("pkg-config")
        .args(prefix.map(|prefix| format!("--define-variable=prefix={prefix}")))
        .arg(format!("--variable={variable}"))
        .arg("gstreamer-1.0")
        .output()
        .expect("pkg-config");
    String::from_utf8_lossy(&output.stdout).trim().into()
}

fn files(plugins: &Path, presets: &Path) -> BTreeMap<PathBuf, u32> {
    [
        (plugins.join(PLUGIN), 0o644),
        (presets.join(PRESETS), 0o644),
    ]
    .into()
}

#[test]
fn both_go_where_gstreamer_looks_and_away_again() {
    let site = Site::new("install");
    site.ok("install", &[site.destdir()]);
    let presets = of_gstreamer(None, "prefix").join("share/gstreamer-1.0/presets");
    let plugins = of_gstreamer(None, "pluginsdir");
    assert_eq!(site.installed(), files(&plugins, &presets));
    let plugin = site
        .path("root")
        .join(plugins.strip_prefix("/").expect("absolute"));
    let copied = std::fs::read(plugin.join(PLUGIN)).expect("the plugin");
    assert_eq!(copied, BUILT, "what was built is copied, not built again");
    // Over itself, as an update does.
    site.ok("install", &[site.destdir()]);
    site.ok("uninstall", &[site.destdir()]);
    assert_eq!(site.installed(), BTreeMap::new());
    // With nothing there it is no failure.
    site.ok("uninstall", &[site.destdir()]);
}

#[test]
fn a_prefix_is_gstreamers_own_layout_elsewhere() {
    let site = Site::new("install-prefix");
    site.ok("install", &[site.destdir(), "PREFIX=/opt/own".to_owned()]);
    let plugins = of_gstreamer(Some("/opt/own"), "pluginsdir");
    let presets = Path::new("/opt/own/share/gstreamer-1.0/presets");
    assert_eq!(site.installed(), files(&plugins, presets));
}

#[test]
fn directories_can_be_named() {
    let site = Site::new("install-named");
    let home = site.path("root/a home/gstreamer-1.0");
    let variables = ["PLUGINSDIR", "PRESETSDIR"]
        .map(|name| format!("{name}={}/{}", home.display(), name.to_lowercase()));
    site.ok("install", &variables);
    let below = Path::new("/a home/gstreamer-1.0");
    let expected = files(&below.join("pluginsdir"), &below.join("presetsdir"));
    assert_eq!(site.installed(), expected);
    site.ok("uninstall", &variables);
    assert_eq!(site.installed(), BTreeMap::new());
}

/// What cannot be written is told with the two ways out.
#[test]
fn a_place_that_cannot_be_written_is_told() {
    let site = Site::new("install-refused");
    std::fs::write(site.path("file"), "no directory").expect("a file");
    let plugins = format!("PLUGINSDIR={}/file/below", site.path("").display());
    let output = site.make("install", &[plugins]);
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("can't be written"), "{said}");
    assert!(said.contains("sudo make install"), "{said}");
    assert!(
        said.contains(".local/share/gstreamer-1.0/plugins"),
        "{said}"
    );
}

/// What root builds, its owner could not build again.
#[test]
fn nothing_is_built_through_sudo() {
    let site = Site::new("install-sudo");
    std::fs::remove_file(site.path("target/release").join(PLUGIN)).expect("it was there");
    let output = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/install"))
        .arg("install")
        .env("CARGO_TARGET_DIR", site.path("target"))
        .env("DESTDIR", site.path("root"))
        .env("SUDO_USER", "somebody")
        .output()
        .expect("the script");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("somebody, without sudo: make build"),
        "{said}"
    );
    assert!(!site.path("root").exists());
}
