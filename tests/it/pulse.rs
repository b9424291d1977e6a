//! The command line for a microphone, at a real PulseAudio server: a null sink's monitor
//! is the microphone, `paplay` speaks into it, Ctrl-C ends it, and the last words are printed.
//!
//! Says why and does nothing where PulseAudio, pocketsphinx or its recordings are not installed.

#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use crate::common::program::{Running, give_credentials, plugin, run};
use crate::common::scratch::Scratch;
use crate::common::skip::skip;
use crate::common::{service, wait_until};
use volcasr_loopback::{Options, Recogniser};

/// "He might even have been made amiable himself": the recogniser is not sure of the end.
const SPEECH: &str =
    "/usr/share/pocketsphinx/test/data/librivox/sense_and_sensibility_01_austen_64kb-0930.wav";
const EXPECTED: &str = "he might even have been made";

/// The first thing that is not installed here, in words.
fn missing() -> Option<String> {
    for program in "pulseaudio paplay pactl gst-launch-1.0 gst-inspect-1.0".split(' ') {
        let found = std::env::var_os("PATH").is_some_and(|path| {
            std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
        });
        if !found {
            return Some(format!("there is no {program}"));
        }
    }
    for element in ["pulsesrc", "pocketsphinx"] {
        // Not --exists: that compares versions too, and pocketsphinx calls its own "5prealpha".
        if run(Command::new("gst-inspect-1.0").arg(element)).0 != 0 {
            return Some(format!("GStreamer has no element {element}"));
        }
    }
    (!Path::new(SPEECH).is_file()).then(|| format!("there is no {SPEECH}"))
}

/// A command that talks to the PulseAudio in a directory, and to no other.
fn command(program: &str, scratch: &Scratch) -> Command {
    let mut command = Command::new(program);
    let socket = scratch.path("pulse.sock").display().to_string();
    command
        .env("HOME", scratch.path(""))
        .env("XDG_RUNTIME_DIR", scratch.path(""))
        .env("XDG_CONFIG_HOME", scratch.path("config"))
        .env("PULSE_SERVER", format!("unix:{socket}"))
        .env_remove("PULSE_COOKIE");
    command
}

/// A PulseAudio of the test's own, with a room to speak in. Nothing of the user's is read, written
/// or played to.
fn pulseaudio(scratch: &Scratch) -> Running {
    let socket = scratch.path("pulse.sock").display().to_string();
    let mut server = command("pulseaudio", scratch);
    let options = "-n --daemonize=no --use-pid-file=no --exit-idle-time=-1";
    server.args(options.split(' '));
    let protocol = format!("module-native-protocol-unix auth-anonymous=1 socket={socket}");
    for module in ["module-null-sink sink_name=room", &protocol] {
        server.arg(format!("--load={module}"));
    }
    let server = Running::start(&mut server);
    wait_until("PulseAudio to answer", || {
        list(scratch, "sinks").contains("room")
    });
    server
}

/// Returns the list of `pactl` for a kind; it is empty when the server does not answer.
fn list(scratch: &Scratch, kind: &str) -> String {
    run(command("pactl", scratch).args(["list", "short", kind])).1
}

#[test]
fn ctrl_c_on_a_microphone_prints_the_last_words() {
    if let Some(missing) = missing() {
        return skip(&missing);
    }
    let scratch = Scratch::new("pulse");
    // PulseAudio refuses a runtime directory that others may read.
    let private = fs::Permissions::from_mode(0o700);
    fs::set_permissions(scratch.path(""), private).expect("its mode");
    let service = service(Options {
        recogniser: Recogniser::Pocketsphinx,
        ..Options::default()
    });
    let _server = pulseaudio(&scratch);

    // Alone in a directory: GStreamer looks through every directory below a plugin path, and
    // cargo's hold thousands of files.
    let plugins = scratch.path("plugins");
    fs::create_dir(&plugins).expect("a directory for the plugin");
    let library = "libgstvolcasr.so";
    symlink(plugin().join(library), plugins.join(library)).expect("a link to the plugin");

    let mut launch = command("gst-launch-1.0", &scratch);
    give_credentials(&mut launch, &service);
    let line = "-e -t pulsesrc device=room.monitor ! audioconvert ! audioresample ! volcasrsink";
    launch
        .args(line.split(' '))
        .env("GST_PLUGIN_PATH", &plugins)
        .env("GST_REGISTRY", scratch.path("registry.bin"));
    let launch = Running::start(&mut launch);
    wait_until("the microphone to be opened", || {
        !list(&scratch, "source-outputs").trim().is_empty()
    });
    let spoken = run(command("paplay", &scratch).args(["--device=room", SPEECH]));
    assert_eq!(spoken.0, 0, "{spoken:?}");

    // At once, before any pause could have settled the sentence: its end is still to come.
    launch.signal("INT");
    let (status, printed, said) = launch.end();
    assert_eq!(status, 0, "{printed}{said}");
    let words = printed
        .lines()
        .filter_map(|line| line.trim().strip_prefix("transcript: "));
    let words = words.collect::<Vec<_>>().join(" ").to_lowercase();
    assert!(words.contains(EXPECTED), "{printed}");
}
