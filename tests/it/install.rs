//! `make install` and `make uninstall`: where they put the plugin and its presets, and what is
//! left.
#![cfg(target_os = "linux")]

mod packages;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common::program::{plugin, run, write_wav};
use crate::common::scratch::Scratch;
use crate::common::{service, speech};
use volcasr_loopback::Options;

const PLUGIN: &str = "libgstvolcasr.so";
const PRESETS: [&str; 2] = ["GstVolcasrSink.prs", "GstVolcasrTranscriber.prs"];
/// Differs from any plugin that a build makes.
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

    /// Makes a site with the library that cargo has built.
    fn real(name: &str) -> Self {
        let site = Site::new(name);
        let built = site.path("target/release").join(PLUGIN);
        std::fs::copy(plugin().join(PLUGIN), built).expect("the plugin");
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path(name)
    }

    fn make(&self, target: &str, variables: &[String]) -> Output {
        let mut command = Command::new("make");
        command.args(["-C", env!("CARGO_MANIFEST_DIR"), target]);
        command
            .args(variables)
            .env("CARGO_TARGET_DIR", self.path("target"));
        // This test's own caller may be a make, or sudo.
        let names = "MAKEFLAGS MAKELEVEL DESTDIR PREFIX PLUGINSDIR PRESETSDIR SUDO_USER";
        for name in names.split(' ').chain(["CARGO_BUILD_TARGET"]) {
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
    let presets = PRESETS.map(|file| (presets.join(file), 0o644));
    let plugin = (plugins.join(PLUGIN), 0o644);
    presets.into_iter().chain([plugin]).collect()
}

#[test]
fn both_go_where_gstreamer_looks_and_away_again() {
    let site = Site::new("install");
    site.ok("install", &[site.destdir()]);
    let presets = of_gstreamer(None, "prefix").join("share/gstreamer-1.0/presets");
    let plugins = of_gstreamer(None, "pluginsdir");
    assert_eq!(site.installed(), files(&plugins, &presets));
    let plugins = plugins.strip_prefix("/").expect("absolute");
    let plugin = site.path("root").join(plugins);
    let copied = std::fs::read(plugin.join(PLUGIN)).expect("the plugin");
    assert_eq!(copied, BUILT, "what was built is copied, not built again");
    // Over itself, as an update does, and with a program, which does not go into /usr unasked. It
    // goes away with its pages.
    std::fs::create_dir_all(site.path("target/release/share/man1")).expect("a directory");
    for built in [
        "volcasr",
        "share/man1/volcasr.1",
        "share/man1/volcasr-serve.1",
    ] {
        std::fs::write(site.path("target/release").join(built), built).expect("a file");
    }
    site.ok("install", &[site.destdir()]);
    let mut installed = site.installed();
    installed.retain(|path, _| path.starts_with("/usr/local"));
    let program = [
        ("/usr/local/bin/volcasr".into(), 0o755),
        ("/usr/local/share/man/man1/volcasr.1".into(), 0o644),
        ("/usr/local/share/man/man1/volcasr-serve.1".into(), 0o644),
    ];
    assert_eq!(installed, program.into());
    site.ok("uninstall", &[site.destdir()]);
    assert_eq!(site.installed(), BTreeMap::new());
    // With nothing there it is no failure.
    site.ok("uninstall", &[site.destdir()]);
}

/// A plugin that does not load: `gst-inspect-1.0` alone would end well. A place that cannot be
/// written: it is named, with the two ways out. Nothing is built through sudo: files that root
/// builds could not be built again by their owner.
#[test]
fn what_can_not_be_installed_is_reported() {
    let site = Site::new("install-refused");
    std::fs::write(site.path("file"), "no directory").expect("a file");
    let at = |name: &str, place: &str| format!("{name}={}", site.path(place).display());
    let broken = ["PLUGINSDIR", "PRESETSDIR"].map(|name| at(name, name));
    let unwritable = [at("PLUGINSDIR", "file/below")];
    let empty = Site::new("install-sudo");
    std::fs::remove_file(empty.path("target/release").join(PLUGIN)).expect("it was there");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/install");
    let sudo = Command::new(script)
        .arg("install")
        .env("CARGO_TARGET_DIR", empty.path("target"))
        .env("DESTDIR", empty.path("root"))
        .env("SUDO_USER", "somebody")
        .output();
    let unwritten = "Not a directory|can't be written|sudo make install|\
                     .local/share/gstreamer-1.0/plugins";
    for (output, parts) in [
        (site.make("install", &broken), "GStreamer does not load"),
        (site.make("install", &unwritable), unwritten),
        (
            sudo.expect("the script"),
            "somebody, without sudo: make build",
        ),
    ] {
        assert!(!output.status.success(), "{parts}");
        let said = String::from_utf8_lossy(&output.stderr);
        for part in parts.split('|') {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
    assert!(!empty.path("root").exists());
}

/// A build for another machine is in a directory of its own. It goes below PREFIX.
#[test]
fn what_was_built_for_another_machine_is_found() {
    let site = Site::new("install-cross");
    let elsewhere = site.path("target/armv7-unknown-linux-gnueabihf");
    std::fs::create_dir(&elsewhere).expect("a directory");
    std::fs::rename(site.path("target/release"), elsewhere.join("release")).expect("a move");
    let target = "CARGO_BUILD_TARGET=armv7-unknown-linux-gnueabihf".to_owned();
    let prefix = "PREFIX=/opt/own".to_owned();
    site.ok("install", &[site.destdir(), target, prefix]);
    let plugins = of_gstreamer(Some("/opt/own"), "pluginsdir");
    let presets = Path::new("/opt/own/share/gstreamer-1.0/presets");
    assert_eq!(site.installed(), files(&plugins, presets));
}

/// Of a GStreamer that knows this directory besides its own plugins, and no other plugin of this
/// name.
fn tool(name: &str, scratch: &Scratch, plugins: &Path, presets: &Path) -> Command {
    let mut command = Command::new(name);
    command
        .env("GST_PLUGIN_PATH", plugins)
        .env("GST_PRESET_PATH", presets)
        .env("GST_REGISTRY", scratch.path("registry"))
        .env("XDG_DATA_HOME", scratch.path("data"))
        .env("VOLCENGINE_APP_ID", "app-1")
        .env("VOLCENGINE_ACCESS_KEY", "secret-access-key")
        .env_remove("VOLCENGINE_API_KEY");
    command
}

fn said(command: &mut Command) -> String {
    let (status, out, err) = run(command);
    assert_eq!(status, 0, "{command:?}: {out}{err}");
    out
}

/// Asserts that these directories hold the plugin: GStreamer shows it with its presets, and
/// `gst-launch-1.0` prints words.
fn assert_works(scratch: &Scratch, plugins: &Path, presets: &Path) {
    let shown = said(tool("gst-inspect-1.0", scratch, plugins, presets).arg("volcasrsink"));
    let library = plugins.join(PLUGIN).display().to_string();
    for part in [&*library, "Sink/Network/Audio", "\"captions\"", "\"batch\""] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let service = service(Options::default());
    let (pcm, marks) = speech(1);
    let talk = scratch.path("talk.wav");
    write_wav(&talk, 24_000, &pcm);
    let line = format!(
        "-e -t filesrc location={} ! wavparse ! audioconvert ! audioresample ! \
         volcasrsink @preset=batch uri={}",
        talk.display(),
        service.uri()
    );
    let mut launch = tool("gst-launch-1.0", scratch, plugins, presets);
    let printed = said(launch.args(line.split(' ')));
    let [a, b, c] = [0, 1, 2].map(|n| marks[n].number);
    assert!(printed.contains(&format!("M{a} m{b} m{c}.")), "{printed}");
}

/// The real library this time, in directories that are named.
#[test]
fn what_is_installed_works() {
    let site = Site::real("install-real");
    let names = ["PLUGINSDIR", "PRESETSDIR"];
    let [plugins, presets] = names.map(|name| site.path("root/a home").join(name));
    let variables = [&plugins, &presets].map(|path| path.display().to_string());
    let variables = [0, 1].map(|n| format!("{}={}", names[n], variables[n]));
    site.ok("install", &variables);
    assert_works(&site.scratch, &plugins, &presets);
    site.ok("uninstall", &variables);
    assert_eq!(site.installed(), BTreeMap::new());
}

/// As docs/install.md has it: an application in C that is linked with the library registers the
/// plugin by two macros.
#[test]
fn an_application_in_c_registers_it() {
    let scratch = Scratch::new("install-c");
    let source = scratch.path("application.c");
    let page = include_str!("../../docs/install.md");
    let code = |part: &str| {
        let mut codes = page.split('`');
        codes.find(|code| code.contains(part)).expect("a macro")
    };
    let program = format!(
        "#include <gst/gst.h>\n{}\n\
         int main (void) {{\n\
           gst_init (NULL, NULL);\n\
           if (gst_element_factory_find (\"volcasrsink\") != NULL) return 2;\n\
           {}\n\
           return gst_element_factory_make (\"volcasrsink\", NULL) != NULL ? 0 : 3;\n\
         }}\n",
        code("STATIC_DECLARE"),
        code("STATIC_REGISTER")
    );
    std::fs::write(&source, program).expect("a file");
    let flags = said(Command::new("pkg-config").args(["--cflags", "--libs", "gstreamer-1.0"]));
    let application = scratch.path("application");
    let mut compiler = Command::new("cc");
    compiler.args([&source, &plugin().join(PLUGIN)]);
    said(
        compiler
            .args(flags.split_whitespace())
            .arg("-o")
            .arg(&application),
    );
    let empty = scratch.path("none");
    let mut run = tool(&application.display().to_string(), &scratch, &empty, &empty);
    run.env("LD_LIBRARY_PATH", plugin());
    said(run.env("GST_PLUGIN_SYSTEM_PATH", &empty));
}
