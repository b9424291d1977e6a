//! Runs documented commands: what needs hardware or the vendor's service is replaced, the rest is as it stands there.

use std::net::UdpSocket;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::json;
use volcasr_loopback::{At, Options, Recogniser, Script, Send, Service, marks::Layout};

use crate::common::child::Scratch;
use crate::common::{LONG, eventually, init};
use crate::documents::ROOT;
use crate::documents::camera::Camera;
use crate::documents::page::Block;

/// One page's commands, one block after the other.
pub struct Shell {
    page: String,
    scratch: Scratch,
    plugin: PathBuf,
    /// Answers, unless a block starts one of its own.
    service: Service,
    /// What a block has started to stay.
    started: Option<Service>,
    running: Vec<Running>,
    camera: Option<Camera>,
    rtp: u16,
}

/// A command, and where its output goes. In a process group of its own, which ends with it.
struct Running {
    child: Child,
    output: PathBuf,
    line: usize,
}

impl Running {
    fn said(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.output).unwrap_or_default()).into_owned()
    }

    fn signal(&self, name: &str) {
        let _ = Command::new("kill")
            .args(["-s", name, "--", &format!("-{}", self.child.id())])
            .stderr(Stdio::null())
            .status();
    }

    /// Waits for its good end.
    fn finish(mut self, page: &str) -> String {
        let mut status = None;
        eventually(
            &format!("{page}:{} ends: {}", self.line, self.said()),
            || {
                status = self.child.try_wait().expect("its status");
                status.is_some()
            },
        );
        let (line, said) = (self.line, self.said());
        assert!(
            status.is_some_and(|status| status.success()),
            "{page}:{line}: {status:?}\n{said}"
        );
        said
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.signal("KILL");
            let _ = self.child.wait();
        }
    }
}

/// Words for any audio: one utterance after 600 ms, settled.
pub fn words() -> Recogniser {
    let utterance =
        json!({"definite": true, "start_time": 100, "end_time": 500, "text": "Good day."});
    let result = json!({"text": "Good day.", "utterances": [utterance]});
    let response =
        |duration| json!({"audio_info": {"duration": duration}, "result": result}).to_string();
    let script = Script::default()
        .step(
            At::Audio(Duration::from_millis(600)),
            Send::Json(response(600)),
        )
        .step(At::Finish, Send::Last(response(1000)));
    Recogniser::Scripted(script)
}

fn launch(description: &str) {
    use gst::prelude::*;
    let pipeline = gst::parse::launch(description).expect(description);
    pipeline.set_state(gst::State::Playing).expect(description);
    let bus = pipeline.bus().expect("a pipeline's bus");
    let end = bus.timed_pop_filtered(
        gst::ClockTime::try_from(LONG).expect("short"),
        &[gst::MessageType::Eos, gst::MessageType::Error],
    );
    assert!(
        end.is_some_and(|m| m.type_() == gst::MessageType::Eos),
        "{description}"
    );
    pipeline.set_state(gst::State::Null).expect("NULL");
}

impl Shell {
    pub fn new(page: &str) -> Self {
        init();
        let scratch = Scratch::new(&page.replace(['/', '.'], "-"));
        let file = |name| scratch.path(name).display().to_string();
        let sound =
            "audiotestsrc num-buffers=60 samplesperbuffer=480 ! audio/x-raw,rate=24000,channels=1";
        launch(&format!(
            "{sound} ! wavenc ! filesink location={}",
            file("talk.wav")
        ));
        let picture =
            "videotestsrc num-buffers=12 ! video/x-raw,width=160,height=120,framerate=10/1";
        launch(&format!(
            "{picture} ! jpegenc ! matroskamux name=m ! filesink location={} {sound} ! m.",
            file("talk.mkv")
        ));
        std::fs::create_dir_all(scratch.path("talks")).expect("a directory");
        for talk in ["talk.mp3", "talks/talk.mp3"] {
            std::fs::copy(scratch.path("talk.wav"), scratch.path(talk)).expect("a file");
        }
        let mut marks = vec![0; 4 * 48_000];
        Layout::default().fill(0, &mut marks);
        std::fs::write(scratch.path("marks.pcm"), marks).expect("a file");
        let service = Service::start(Options {
            recogniser: words(),
            ..Options::default()
        });
        let rtp = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        Shell {
            page: page.to_owned(),
            plugin: crate::common::program::plugin(),
            service: service.expect("a free port"),
            started: None,
            running: Vec::new(),
            camera: None,
            rtp: rtp.expect("a free port").port(),
            scratch,
        }
    }

    /// A script that the page shows, for those of its commands that read one.
    pub fn keep_script(&self, text: &str) {
        Script::from_json(text).unwrap_or_else(|e| panic!("{}: {e}", self.page));
        std::fs::write(self.scratch.path("script.json"), text).expect("a file");
    }

    pub fn run(&mut self, block: &Block) {
        let at = format!("{}:{}", self.page, block.line);
        let mut script = Vec::new();
        if let Some(missing) = missing(&block.text) {
            return crate::common::skip::skip(&format!("{at}: {missing}"));
        }
        if block.text.contains(CAMERA) && self.camera.is_none() {
            self.camera = Some(Camera::start());
        }
        for command in block.commands() {
            match command.strip_prefix("cargo run --release --example loopback -- ") {
                Some(arguments) if !arguments.contains("--write-marks") => {
                    self.serve(&at, arguments)
                }
                _ => script.push(self.substitute(&command)),
            }
        }
        if script.is_empty() {
            if !block.is_background() {
                self.started = None;
            }
            return;
        }
        let script = script.join("\n");
        println!("{at}:\n{script}");
        let running = self.spawn(&script, block.line);
        if block.is_background() {
            eventually(&format!("{at} plays"), || {
                running.said().contains("to PLAYING")
            });
            self.running.push(running);
            return;
        }
        if block.is_until_words() {
            eventually(&format!("{at} hears: {}", running.said()), || {
                running.said().contains("transcript")
            });
            running.signal("INT");
        }
        let said = running.finish(&self.page);
        self.check(&at, &script, &said);
        // What listened meanwhile has heard it; its own end is the user's Ctrl-C.
        for running in std::mem::take(&mut self.running) {
            eventually(&format!("{at}, heard by the one before"), || {
                running.said().contains("transcript")
            });
            running.signal("INT");
            running.finish(&self.page);
        }
        self.started = None;
    }

    /// No block waits for another that does not come.
    pub fn end(self) {
        assert!(
            self.running.is_empty(),
            "{}: a background without a block behind it",
            self.page
        );
    }

    /// What must have come of it, beside its good end.
    fn check(&self, at: &str, script: &str, said: &str) {
        for command in script.lines() {
            let prints = [" -t ", " -m "]
                .iter()
                .any(|option| command.contains(option));
            if command.contains("! volcasrsink") && prints {
                assert!(said.contains("transcript"), "{at}: no words\n{said}");
            }
            if command.contains("GST_DEBUG=volcasrsink:5") {
                assert!(
                    said.contains("final, 0.10 s to 0.50 s: \"Good day.\""),
                    "{at}: no story\n{said}"
                );
            }
            if command.contains("marks.pcm") {
                crate::documents::snippets::assert_every_mark_once(at, said);
            }
        }
    }

    /// Runs a program in Python; what it said.
    pub fn python(&self, program: &str, line: usize) -> String {
        let name = format!("program-{line}.py");
        std::fs::write(self.scratch.path(&name), program).expect("a file");
        let script = format!("exec /usr/bin/python3 {name}");
        self.spawn(&script, line).finish(&self.page)
    }

    /// Runs one command against this service; what it said.
    pub fn against(&mut self, service: Service, block: &Block) -> String {
        self.started = Some(service);
        let script: Vec<String> = block
            .commands()
            .iter()
            .map(|command| self.substitute(command))
            .collect();
        self.spawn(&script.join("\n"), block.line)
            .finish(&self.page)
    }

    /// Starts the service that the arguments ask for, in this process.
    fn serve(&mut self, at: &str, arguments: &str) {
        let split = Command::new("bash")
            .args(["-c", &format!("printf '%s\\0' {arguments}")])
            .current_dir(self.scratch.path(""))
            .output()
            .expect("bash");
        let split = String::from_utf8(split.stdout).expect("what it was given");
        let script = self.scratch.path("script.json").display().to_string();
        let arguments: Vec<&str> = split
            .split_terminator('\0')
            .map(|argument| {
                if argument == "script.json" {
                    &script
                } else {
                    argument
                }
            })
            .collect();
        let options = match volcasr_loopback::cli::parse(&arguments) {
            Err(help) if arguments == ["--help"] => {
                return assert!(help.contains("--fault"), "{at}: {help}");
            }
            options => options.unwrap_or_else(|e| panic!("{at}: {e}")),
        };
        let recogniser = match options.recogniser {
            Recogniser::Pocketsphinx => words(),
            other => other,
        };
        let service = Service::start(Options {
            port: 0,
            recogniser,
            ..options
        });
        self.started = Some(service.unwrap_or_else(|e| panic!("{at}: {e}")));
    }

    fn substitute(&self, command: &str) -> String {
        let scratch = self.scratch.path("").display().to_string();
        let scratch = scratch.trim_end_matches('/');
        let service = self.started.as_ref().unwrap_or(&self.service);
        let host = format!("ws://127.0.0.1:{}", service.port());
        let plugin = self.plugin.display().to_string();
        let microphone = format!("filesrc location={scratch}/talk.wav ! wavparse");
        let rtp = format!("port={}", self.rtp);
        let camera = self.camera.as_ref().map(Camera::uri).unwrap_or_default();
        let mut command = match command.split_once(" | ") {
            Some((marks, rest)) if marks.contains("--write-marks") => {
                format!("cat {scratch}/marks.pcm | {rest}")
            }
            _ => command.to_owned(),
        };
        for (there, here) in [
            ("pulsesrc", &*microphone),
            ("autoaudiosrc", &microphone),
            ("autoaudiosink", "fakesink sync=true"),
            ("/tmp/talk.mp3", &format!("{scratch}/talk.wav")),
            ("/tmp/talk.wav", &format!("{scratch}/talk.wav")),
            ("wss://openspeech.bytedance.com", &host),
            ("ws://127.0.0.1:8024", &host),
            ("port=5004", &rtp),
            (CAMERA, &camera),
            ("$PWD/target/release", &plugin),
            (" examples/", &format!(" {ROOT}/examples/")),
        ] {
            command = command.replace(there, here);
        }
        if let Some((name, arguments)) = command
            .strip_prefix("cargo run --release --example ")
            .and_then(|rest| rest.split_once(" -- "))
        {
            // Built beside the tests, by `cargo test` as a whole.
            let program = crate::common::program::example(name);
            return format!("{} {arguments}", program.display());
        }
        let without_sudo = command.strip_prefix("sudo ").unwrap_or(&command);
        if let Some(targets) = without_sudo.strip_prefix("make ") {
            // What it would do: that there is such a target.
            return format!("make -n -C {ROOT} {targets}");
        }
        command
    }

    fn spawn(&self, script: &str, line: usize) -> Running {
        let output = self.scratch.path(&format!("output-{line}"));
        let file = std::fs::File::create(&output).expect("a file");
        let service = self.started.as_ref().unwrap_or(&self.service);
        let child = Command::new("bash")
            .args(["-euo", "pipefail", "-c", script])
            .current_dir(self.scratch.path(""))
            .env("GST_PLUGIN_PATH", &self.plugin)
            // GStreamer copies presets there.
            .env("XDG_DATA_HOME", self.scratch.path("data"))
            .env("GST_PRESET_PATH", format!("{ROOT}/data"))
            .env("VOLCENGINE_APP_ID", "app-1")
            .env("VOLCENGINE_ACCESS_KEY", "secret-access-key")
            .env_remove("VOLCENGINE_API_KEY")
            .env("VOLCASR_URI", service.uri())
            .env("GST_DEBUG_NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("a file"))
            .stderr(file)
            .process_group(0)
            .spawn()
            .expect("bash");
        Running {
            child,
            output,
            line,
        }
    }
}

/// The camera of the documentation.
const CAMERA: &str = "rtsp://camera.local/stream";

/// What this machine lacks, of what not every machine has.
fn missing(script: &str) -> Option<String> {
    if script.contains("gst-play-1.0") && !runs("gst-play-1.0", &["--version"]) {
        return Some("there is no gst-play-1.0 (gstreamer1.0-plugins-base-apps)".into());
    }
    if script.contains(CAMERA) && !Camera::can_be_had() {
        return Some("there is no RTSP server (gir1.2-gst-rtsp-server-1.0)".into());
    }
    if script.contains("overlay.py") {
        if let Err(missing) = crate::common::program::python_with_gst() {
            return Some(missing);
        }
        if gst::ElementFactory::find("textoverlay").is_none() {
            return Some("GStreamer has no element textoverlay (gstreamer1.0-x)".into());
        }
    }
    None
}

fn runs(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    let command = command
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
