//! The program, run as a user runs it: in a directory of its own, beside a service.

use std::path::PathBuf;

use volcasr_loopback::{Connection, Lag, Options, Service};

use super::scratch::Scratch;
use super::*;

/// Outputs in three formats, which [`Bench::assert_have`] reads.
pub const FILES: &str = "-o words.srt -o words.vtt -o words.jsonl";

/// A service, and a directory for inputs and outputs.
pub struct Bench {
    pub service: Service,
    directory: Scratch,
}

impl Bench {
    /// Beside a service of marks.
    pub fn new() -> Self {
        Bench::with(Options::default())
    }

    /// Beside one with these faults, whose lag is exact.
    pub fn faulty(faults: &str) -> Self {
        let faults = faults.split(' ').map(|text| text.parse().expect("a fault"));
        Bench::with(Options {
            faults: faults.collect(),
            lag: Lag::EXACT,
            ..Options::default()
        })
    }

    pub fn with(options: Options) -> Self {
        Bench::beside(Service::start(options).expect("a free port on 127.0.0.1"))
    }

    pub fn beside(service: Service) -> Self {
        let directory = Scratch::new("cli");
        Bench { service, directory }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path(name)
    }

    pub fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect(name)
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).expect(name)
    }

    /// Writes a file, and the directory that it is in.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        let directory = path.parent().expect("a directory");
        std::fs::create_dir_all(directory).expect("a temporary directory");
        std::fs::write(path, content).expect("a temporary file");
    }

    /// Writes `sentences` sentences of marks as a WAV file.
    pub fn talk(&self, name: &str, sentences: u64) -> Vec<Mark> {
        let (pcm, marks) = speech(sentences);
        self.wav(name, &pcm);
        marks
    }

    pub fn wav(&self, name: &str, pcm: &[u8]) {
        self.write(name, "");
        write_wav(&self.path(name), 24_000, pcm);
    }

    /// Returns the front of a launch line with the audio of `sentences` sentences.
    pub fn raw(&self, sentences: u64) -> (String, Vec<Mark>) {
        let marks = self.talk("raw.wav", sentences);
        let path = self.path("raw.wav");
        (
            format!("filesrc location=\"{}\" ! wavparse", path.display()),
            marks,
        )
    }

    /// Makes a file by a launch line, whose last element writes it.
    pub fn make(&self, name: &str, line: &str) -> Vec<u8> {
        let path = self.path(name);
        let line = format!("{line} ! filesink location=\"{}\"", path.display());
        cues::play(&line, |_| {});
        self.bytes(name)
    }

    /// Makes a command of the program, given in the directory. It knows the service, and no other
    /// credentials than its own.
    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_volcasr"));
        command.args(line.split_whitespace());
        give_credentials(command.current_dir(self.path("")), &self.service);
        command
    }

    /// Starts a command that reads this, and more later.
    pub fn start(&self, line: &str, input: &[u8]) -> Running {
        let mut running = Running::start(&mut self.command(line));
        running.feed(input);
        running
    }

    /// Runs a command to its good end, which has nothing to report. Returns what it prints.
    #[track_caller]
    pub fn succeeds(&self, line: &str) -> String {
        let (status, out, err) = run(&mut self.command(line));
        assert_eq!((status, err.as_str()), (0, ""), "{line}: {out}");
        out
    }

    /// Runs a command as [`reports`] does.
    #[track_caller]
    pub fn reports(&self, line: &str, status: i32, parts: &[&str]) -> (String, String) {
        reports(&mut self.command(line), status, parts)
    }

    /// Waits until one of the service's connections is as wanted.
    #[track_caller]
    pub fn until(&self, wanted: impl Fn(&Connection) -> bool) {
        assert!(self.service.wait(LONG, |all| all.iter().any(&wanted)));
    }

    /// Interrupts a program whose service gives no final text, and once more when it waits for
    /// that. It does not wait then. Returns what it has printed.
    #[track_caller]
    pub fn interrupt_twice(&self, running: Running) -> String {
        running.signal("INT");
        // The first one was taken: two at once may come as one.
        self.until(|c| c.finish_at.is_some());
        running.signal("INT");
        let (status, out, err) = running.end();
        assert_eq!(status, 130, "{err}");
        out
    }

    pub fn cues(&self, name: &str) -> Vec<cues::Cue> {
        cues::read(&self.path(name))
    }

    /// The lines of the file `words.jsonl`, which are whole.
    pub fn json(&self) -> Vec<Value> {
        let text = self.text("words.jsonl");
        assert!(text.is_empty() || text.ends_with('\n'), "{text:?}");
        json_lines(&text)
    }

    /// Asserts that each of the [`FILES`] has these marks.
    #[track_caller]
    pub fn assert_have(&self, marks: &[Mark]) {
        for name in ["words.srt", "words.vtt"] {
            assert_eq!(self.cues(name), cues_of(marks), "{name}");
        }
        let json = self.json();
        let texts = json.iter().filter_map(|line| line["text"].as_str());
        assert_eq!(texts.collect::<Vec<_>>(), sentences(marks));
    }

    /// Returns the names in the directory `out`, and how many lines each file has: `a.txt 1,
    /// b.txt 2`.
    pub fn transcripts(&self) -> String {
        let names = self.names("out").into_iter().map(|name| {
            let lines = self.text(&format!("out/{name}")).lines().count();
            format!("{name} {lines}")
        });
        names.collect::<Vec<_>>().join(", ")
    }

    /// Returns the names in a directory, in order.
    pub fn names(&self, directory: &str) -> Vec<String> {
        let listed = std::fs::read_dir(self.path(directory)).expect(directory);
        let names = listed.map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<String> = names
            .map(|name| name.into_string().expect("UTF-8"))
            .collect();
        names.sort();
        names
    }
}
