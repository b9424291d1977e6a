//! Packages of the plugin and of the program: built when asked, unpacked and tried.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{PLUGIN, PRESETS, assert_works, of_gstreamer, said};
use crate::common::scratch::Scratch;
use crate::common::skip::skip;
use crate::documents::page::links;

fn has_cargo(command: &str) -> bool {
    let tried = Command::new("cargo").args([command, "--version"]).output();
    tried.is_ok_and(|output| output.status.success())
}

/// Below this directory: the plugin's and the presets'.
fn find(root: &Path) -> (PathBuf, PathBuf) {
    let found = said(Command::new("find").arg(root).args(["-type", "f"]));
    let of = |name: &str| {
        let path = found.lines().find(|path| path.ends_with(name));
        let path = path.unwrap_or_else(|| panic!("no {name}: {found}"));
        Path::new(path).parent().expect("a directory").to_owned()
    };
    let [first, second] = PRESETS.map(of);
    assert_eq!(first, second);
    (of(PLUGIN), first)
}

/// The package is unpacked, not installed: what is in it is the plugin, and its page leads nowhere
/// that is not in it.
#[test]
#[ignore = "builds a release; needs cargo-deb"]
fn the_debian_package_holds_what_it_should() {
    if !has_cargo("deb") {
        return skip("no cargo-deb");
    }
    let scratch = Scratch::new("install-deb");
    let made = said(Command::new("make").args(["-C", env!("CARGO_MANIFEST_DIR"), "deb"]));
    let mut lines = made.lines();
    let package = lines.find(|line| line.ends_with(".deb") && !line.contains(' '));
    let package = package.unwrap_or_else(|| panic!("{made}"));
    let fields = said(Command::new("dpkg-deb").args(["--field", package]));
    let parts = "gstreamer1.0-plugins-base|ca-certificates|libgstreamer1.0-0|Multi-Arch: same|\
                 Recommends: |(>= 1.20";
    for part in parts.split('|') {
        assert!(fields.contains(part), "{part}: {fields}");
    }
    let root = scratch.path("root");
    let extract = ["--extract", package];
    said(Command::new("dpkg-deb").args(extract).arg(&root));
    let (plugins, presets) = find(&root);
    let installed = of_gstreamer(None, "pluginsdir");
    let installed = installed.strip_prefix("/").expect("absolute");
    assert!(plugins.ends_with(installed), "{plugins:?}");
    assert_works(&scratch, &plugins, &presets);
    assert_program(package, &scratch.path("program"));

    let pages = root.join("usr/share/doc/gstreamer1.0-volcasr");
    let readme = std::fs::read_to_string(pages.join("README.md")).expect("the page");
    for (target, _) in links(&readme) {
        let path = target.split('#').next().unwrap_or_default();
        let is_there = target.contains("://") || pages.join(path).exists();
        assert!(is_there, "{target}");
    }
}

/// The other package, made beside this one: the program, which needs no plugin to be installed.
fn assert_program(plugin: &str, root: &Path) {
    let package = plugin.replace("gstreamer1.0-volcasr", "volcasr");
    let extract = ["--extract", &package];
    said(Command::new("dpkg-deb").args(extract).arg(root));
    let version = said(Command::new(root.join("usr/bin/volcasr")).arg("--version"));
    assert!(version.contains(env!("CARGO_PKG_VERSION")), "{version}");
    for page in ["man/man1/volcasr.1", "bash-completion/completions/volcasr"] {
        assert!(root.join("usr/share").join(page).is_file(), "{page}");
    }
}

#[test]
#[ignore = "builds a release; needs cargo-c"]
fn cargo_c_installs_it() {
    if !has_cargo("cinstall") {
        return skip("no cargo-c");
    }
    let scratch = Scratch::new("install-c-tool");
    let root = scratch.path("root");
    said(
        Command::new("cargo")
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["cinstall", "--release", "--locked", "--prefix=/usr"])
            .arg(format!("--destdir={}", root.display())),
    );
    let (plugins, presets) = find(&root);
    assert!(plugins.ends_with("gstreamer-1.0"), "{plugins:?}");
    assert_works(&scratch, &plugins, &presets);
}
