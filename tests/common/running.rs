//! A program that a test runs as a user does: with input, output and signals.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};

use volcasr_loopback::Service;

/// Reads raw audio on standard input, in the format of marks.
pub const STDIN: &str =
    "fdsrc ! rawaudioparse format=pcm pcm-format=s16le sample-rate=24000 num-channels=1";

/// Gives a command the address and the credentials of a service, and no others.
pub fn give_credentials(command: &mut Command, service: &Service) {
    command
        .env_remove("VOLCENGINE_API_KEY")
        .env("VOLCASR_URI", service.uri())
        .env("VOLCENGINE_APP_ID", "app-1")
        .env("VOLCENGINE_ACCESS_KEY", "secret-access-key")
        .stdin(Stdio::null());
}

/// Runs a command to its end. Returns exit status, standard output and standard error.
pub fn run(command: &mut Command) -> (i32, String, String) {
    texts(command.output().expect("the program"))
}

fn texts(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let status = output.status.code().expect("no signal");
    (status, text(output.stdout), text(output.stderr))
}

/// A program that runs with pipes for its input and output. Killed when dropped.
pub struct Running {
    child: Option<Child>,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    pub fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the program");
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

    /// Returns the next line of standard output.
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

    /// Waits for its end. Returns exit status, the rest of standard output, and standard error.
    pub fn end(mut self) -> (i32, String, String) {
        let mut rest = Vec::new();
        std::io::Read::read_to_end(&mut self.stdout, &mut rest).expect("standard output");
        let child = self.child.take().expect("running");
        let mut output = child.wait_with_output().expect("an end");
        output.stdout = rest;
        texts(output)
    }

    /// Kills it.
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
