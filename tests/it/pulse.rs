//! The command line that the plugin exists for, at a real PulseAudio server: a null sink's monitor
//! is the microphone, `paplay` speaks into it, Ctrl-C ends it, and the last words are printed.
//!
//! Says why and does nothing where PulseAudio, pocketsphinx or its recordings are not installed.

#![cfg(target_os = "linux")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;

use crate::common::program::plugin;
use crate::common::scratch::Scratch;
use crate::common::skip::skip;
use crate::common::wait_until;

/// "He might even have been made amiable himself": the recogniser is not sure of the end.
const SPEECH: &str =
    "/usr/share/pocketsphinx/test/data/librivox/sense_and_sensibility_01_austen_64kb-0930.wav";
const EXPECTED: &str = "he might even have been made";

/// A child that does not outlive the test, however that ends.
struct Running(Child);

impl Running {
    /// Waits for the child's own end.
    fn finish(&mut self, what: &str) -> ExitStatus {
        let mut status = None;
        wait_until(what, || {
            status = self.0.try_wait().expect("asking for a child's status");
            status.is_some()
        });
        status.expect("set when the wait ended")
    }

    /// Sends the signal of Ctrl-C to this process alone.
    fn interrupt(&self) {
        let killed = Command::new("sh")
            .args(["-c", &format!("kill -INT {}", self.0.id())])
            .status();
        assert!(killed.expect("running sh").success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already when all went well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The first thing that is not installed here, in words.
fn missing() -> Option<String> {
    for program in [
        "pulseaudio",
        "paplay",
        "pactl",
        "gst-launch-1.0",
        "gst-inspect-1.0",
    ] {
        let found = std::env::var_os("PATH").is_some_and(|path| {
            std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
        });
        if !found {
            return Some(format!("there is no {program}"));
        }
    }
    for element in ["pulsesrc", "pocketsphinx"] {
        // Not --exists: that compares versions too, and pocketsphinx calls its own "5prealpha".
        let exists = Command::new("gst-inspect-1.0")
            .arg(element)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if !exists.is_ok_and(|status| status.success()) {
            return Some(format!("GStreamer has no element {element}"));
        }
    }
    (!Path::new(SPEECH).is_file()).then(|| format!("there is no {SPEECH}"))
}

/// A PulseAudio of the test's own, with a room to speak in. Nothing of the user's is read, written
/// or played to.
struct Pulse<'a> {
    scratch: &'a Scratch,
    _server: Running,
}

impl<'a> Pulse<'a> {
    fn start(scratch: &'a Scratch) -> Self {
        let log = fs::File::create(scratch.path("pulseaudio.log")).expect("a log");
        let server = Self::environment(&mut Command::new("pulseaudio"), scratch)
            .args([
                "-n",
                "--daemonize=no",
                "--use-pid-file=no",
                "--exit-idle-time=-1",
            ])
            .arg("--load=module-null-sink sink_name=room")
            .arg(format!(
                "--load=module-native-protocol-unix auth-anonymous=1 socket={}",
                scratch.path("pulse.sock").display()
            ))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("pulseaudio");
        let mut pulse = Self {
            scratch,
            _server: Running(server),
        };
        wait_until("PulseAudio to answer", || {
            let ended = pulse._server.0.try_wait().expect("asking for its status");
            assert!(
                ended.is_none(),
                "pulseaudio ended: {}",
                fs::read_to_string(scratch.path("pulseaudio.log")).unwrap_or_default()
            );
            pulse.list("sinks").contains("room")
        });
        pulse
    }

    fn environment<'c>(command: &'c mut Command, scratch: &Scratch) -> &'c mut Command {
        command
            .env("HOME", scratch.path(""))
            .env("XDG_RUNTIME_DIR", scratch.path(""))
            .env("XDG_CONFIG_HOME", scratch.path("config"))
            .env(
                "PULSE_SERVER",
                format!("unix:{}", scratch.path("pulse.sock").display()),
            )
            .env_remove("PULSE_COOKIE")
    }

    /// A command that talks to this server and to no other.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        Self::environment(&mut command, self.scratch);
        command
    }

    /// Returns the list of `pactl` for a kind; it is empty when the server does not answer.
    fn list(&self, kind: &str) -> String {
        let output = self
            .command("pactl")
            .args(["list", "short", kind])
            .stderr(Stdio::null())
            .output()
            .expect("pactl");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// A service that listens with pocketsphinx.
fn service() -> volcasr_loopback::Service {
    volcasr_loopback::Service::start(volcasr_loopback::Options {
        recogniser: volcasr_loopback::Recogniser::Pocketsphinx,
        ..Default::default()
    })
    .expect("the loopback service")
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
    let service = service();
    let pulse = Pulse::start(&scratch);

    // Alone in a directory: GStreamer looks through every directory below a plugin path, and
    // cargo's hold thousands of files.
    let plugins = scratch.path("plugins");
    fs::create_dir(&plugins).expect("a directory for the plugin");
    symlink(
        plugin().join("libgstvolcasr.so"),
        plugins.join("libgstvolcasr.so"),
    )
    .expect("a link to the plugin");

    let mut launch = Running(
        pulse
            .command("gst-launch-1.0")
            .args(["-e", "-t", "pulsesrc", "device=room.monitor"])
            .args([
                "!",
                "audioconvert",
                "!",
                "audioresample",
                "!",
                "volcasrsink",
            ])
            .arg(format!("uri={}", service.uri()))
            .env("GST_PLUGIN_PATH", &plugins)
            .env("GST_REGISTRY", scratch.path("registry.bin"))
            .env("VOLCENGINE_APP_ID", "app-1")
            .env("VOLCENGINE_ACCESS_KEY", "secret-access-key")
            .env_remove("VOLCENGINE_API_KEY")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("gst-launch-1.0"),
    );
    let printed = lines(&mut launch.0);

    wait_until("the microphone to be opened", || {
        let ended = launch.0.try_wait().expect("asking for its status");
        assert!(
            ended.is_none(),
            "gst-launch-1.0 ended: {:#?}",
            printed.try_iter().collect::<Vec<_>>()
        );
        !pulse.list("source-outputs").trim().is_empty()
    });

    let mut speaker = Running(
        pulse
            .command("paplay")
            .args(["--device=room", SPEECH])
            .stdin(Stdio::null())
            .spawn()
            .expect("paplay"),
    );
    assert!(speaker.finish("paplay to end").success());

    // At once, before any pause could have settled the sentence: its end is still to come.
    launch.interrupt();
    let status = launch.finish("gst-launch-1.0 to end after Ctrl-C");
    let printed: Vec<String> = printed.iter().collect();
    assert!(status.success(), "{status}: {printed:#?}");

    let words: Vec<&str> = printed
        .iter()
        .filter_map(|line| line.trim().strip_prefix("transcript: "))
        .collect();
    assert!(
        words.join(" ").to_lowercase().contains(EXPECTED),
        "{words:?} in {printed:#?}"
    );
}

/// All that a child prints, until it closes both outputs.
fn lines(child: &mut Child) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    let outputs: [Box<dyn std::io::Read + Send>; 2] = [
        Box::new(child.stdout.take().expect("a piped stdout")),
        Box::new(child.stderr.take().expect("a piped stderr")),
    ];
    for output in outputs {
        let sender = sender.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
    }
    receiver
}
