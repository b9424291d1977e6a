//! The commands of the README run, against a loopback service.
//!
//! Commands stand in fences marked `sh`. A comment on the line before a fence says what is special:
//! `<!-- not run: REASON -->`, or `<!-- background -->` for a service that the next block uses.
//! A microphone is replaced by a file, and `make` says what it would do.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;
use volcasr_loopback::{Options, Script, Service, cli};

use super::page::{self, Block};
use super::{ROOT, text};
use crate::common::program::{plugin, run, write_wav};
use crate::common::scratch::Scratch;

/// A folder with a recording, and a service that answers any audio with "Good day.".
pub struct Shell {
    scratch: Scratch,
    service: Service,
}

/// One utterance after 600 ms, final.
fn words() -> Script {
    let utterance =
        json!({"definite": true, "start_time": 100, "end_time": 500, "text": "Good day."});
    let result = json!({"text": "Good day.", "utterances": [utterance]});
    let response =
        |duration| json!({"audio_info": {"duration": duration}, "result": result}).to_string();
    Script::responses([(600, &*response(600))], &response(1000))
}

fn service(options: Options) -> Service {
    let options = Options {
        port: 0,
        script: Some(words()),
        ..options
    };
    Service::start(options).expect("a free port")
}

impl Shell {
    pub fn new() -> Self {
        let scratch = Scratch::new("readme");
        for name in ["talk.wav", "talk.mp3"] {
            write_wav(&scratch.path(name), 24_000, &[0; 60_000]);
        }
        Shell {
            scratch,
            service: service(Options::default()),
        }
    }

    /// The place of a file in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.scratch.path(name)
    }

    /// Runs a script to its success and returns what it prints.
    pub fn run(&self, program: &str, script: &str, at: &str) -> String {
        let mut command = Command::new(program);
        command
            .args(["-c", script])
            .current_dir(self.scratch.path(""))
            .env("GST_PLUGIN_PATH", plugin())
            // GStreamer copies presets there.
            .env("XDG_DATA_HOME", self.scratch.path("data"))
            .env("GST_PRESET_PATH", Path::new(ROOT).join("data"))
            .env("VOLCENGINE_APP_ID", "app-1")
            .env("VOLCENGINE_ACCESS_KEY", "secret-access-key")
            .env_remove("VOLCENGINE_API_KEY")
            .env("VOLCASR_URI", self.service.uri())
            .stdin(Stdio::null());
        let (status, stdout, stderr) = run(&mut command);
        assert_eq!(status, 0, "{at}:\n{script}\n{stdout}\n{stderr}");
        stdout + &stderr
    }

    /// A command with what is there in place of what the reader has.
    fn substitute(&self, command: &str) -> String {
        let folder = self.scratch.path("").display().to_string();
        let folder = folder.trim_end_matches('/');
        let command = command.strip_prefix("sudo ").unwrap_or(command);
        if let Some(targets) = command.strip_prefix("make ") {
            return format!("make -n -C {ROOT} {targets}");
        }
        command
            .replace("pulsesrc", "filesrc location=talk.wav ! wavparse")
            .replace("/tmp/", &format!("{folder}/"))
            .replace("scripts/words", &format!("{ROOT}/scripts/words"))
            .replace("$PWD/target/release", &plugin().display().to_string())
            .replace(
                "ws://127.0.0.1:8024",
                &format!("ws://127.0.0.1:{}", self.service.port()),
            )
    }

    fn block(&mut self, block: &Block, at: &str) {
        let mut script = Vec::new();
        for command in block.commands() {
            match command.strip_prefix("volcasr serve ") {
                Some(arguments) => {
                    let arguments: Vec<&str> = arguments.split(' ').collect();
                    let options = cli::parse(&arguments).unwrap_or_else(|e| panic!("{at}: {e}"));
                    self.service = service(options);
                }
                None => script.push(self.substitute(&command)),
            }
        }
        let script = format!("set -euo pipefail\n{}", script.join("\n"));
        let output = self.run("bash", &script, at);
        if script.contains(" -t ") {
            assert!(output.contains("Good day."), "{at}: no words\n{output}");
        }
    }
}

/// The blocks of commands of a page.
fn commands(page: &str) -> Vec<Block> {
    let (mut blocks, _) = page::read(&text(page));
    blocks.retain(|block| block.language == "sh");
    blocks
}

#[test]
fn its_commands_run() {
    let mut shell = Shell::new();
    let mut count = 0;
    for block in commands("README.md") {
        if block.reason_not_to_run().is_none() {
            shell.block(&block, &format!("README.md:{}", block.line));
            count += 1;
        }
    }
    assert!(count > 3, "{count}");
}
