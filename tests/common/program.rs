//! The programs of `examples/`, run as a user runs them.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};

use volcasr_loopback::Service;

/// What listens to raw audio on standard input, as marks are.
pub const STDIN: &str =
    "fdsrc ! rawaudioparse format=pcm pcm-format=s16le sample-rate=24000 num-channels=1";

/// An example's executable. Cargo names it to nobody, but builds it beside the tests.
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

/// The directory with the plugin that cargo built for this very test: beside the test, or one floor up.
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
gi.require_version('GstPbutils', '1.0')
from gi.repository import Gst, GstPbutils
Gst.Structure.__getitem__";
    let tried = Command::new(PYTHON).args(["-c", imports]).output();
    if tried.is_ok_and(|output| output.status.success()) {
        Ok(PYTHON)
    } else {
        Err(format!(
            "no python3-gi, python3-gst-1.0 and gir1.2-gst-plugins-base-1.0 in {PYTHON}"
        ))
    }
}

/// An example that knows the service, and no other credentials than its own.
pub fn command(name: &str, service: &Service) -> Command {
    let mut command = Command::new(example(name));
    command
        .env_remove("VOLCENGINE_API_KEY")
        .env("VOLCASR_URI", service.uri())
        .env("VOLCENGINE_APP_ID", "app-1")
        .env("VOLCENGINE_ACCESS_KEY", "secret-access-key")
        .stdin(Stdio::null());
    command
}

/// Runs it to its end: exit status, standard output, standard error.
pub fn run(command: &mut Command) -> (i32, String, String) {
    told(command.output().expect("the example"))
}

fn told(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let status = output.status.code().expect("no signal");
    (status, text(output.stdout), text(output.stderr))
}

/// A program that runs, and is fed and listened to. Killed when dropped.
pub struct Running {
    child: Option<Child>,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    pub fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the example");
        Running {
            stdin: child.stdin.take(),
            stdout: BufReader::new(child.stdout.take().expect("a pipe")),
            child: Some(child),
        }
    }

    pub fn feed(&mut self, pcm: &[u8]) {
        let stdin = self.stdin.as_mut().expect("open");
        stdin.write_all(pcm).expect("a program that reads");
    }

    /// Ends the program's input.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// The next line of standard output.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("a line");
        assert!(line.ends_with('\n'), "the program ended: {line:?}");
        line.trim_end().to_owned()
    }

    pub fn signal(&self, name: &str) {
        let id = self.child.as_ref().expect("running").id();
        // The shell's own: the program of that name is not installed everywhere.
        let kill = format!("kill -s {name} {id}");
        let status = Command::new("sh").args(["-c", &kill]).status();
        assert!(status.expect("a shell").success());
    }

    /// Waits for its end: exit status, standard output from here on, standard error.
    pub fn end(mut self) -> (i32, String, String) {
        let mut rest = Vec::new();
        std::io::Read::read_to_end(&mut self.stdout, &mut rest).expect("standard output");
        let child = self.child.take().expect("running");
        let mut output = child.wait_with_output().expect("an end");
        output.stdout = rest;
        told(output)
    }

    /// Ends it without giving it a chance.
    pub fn kill(mut self) {
        let mut child = self.child.take().expect("running");
        child.kill().expect("running");
        child.wait().expect("an end");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Writes 16-bit mono audio as a WAV file.
pub fn write_wav(path: &Path, rate: u32, pcm: &[u8]) {
    let length = u32::try_from(pcm.len()).expect("a short file");
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36 + length).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(rate.to_le_bytes());
    wav.extend((rate * 2).to_le_bytes());
    wav.extend(b"\x02\0\x10\0data");
    wav.extend(length.to_le_bytes());
    wav.extend(pcm);
    std::fs::write(path, wav).expect("a temporary file");
}
