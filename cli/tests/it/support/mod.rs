//! What the tests of the program share: a service, speech for it, and the program.

pub mod cues;
pub mod program;
pub mod script;

use std::path::PathBuf;
use std::sync::Once;
use std::time::Duration;

use volcasr_loopback::marks::{Layout, Mark};
use volcasr_loopback::{Fault, Lag, Options, Recogniser, Service};

/// Longer than anything here takes: a test that waits for so long has hung.
pub const LONG: Duration = Duration::from_secs(60);

/// GStreamer, once for the process: cues are read by its parser.
pub fn init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| gst::init().expect("GStreamer"));
}

pub fn service(options: Options) -> Service {
    Service::start(options).expect("a free port on 127.0.0.1")
}

/// `sentences` sentences of marks at the default layout.
pub fn speech(sentences: u64) -> (Vec<u8>, Vec<Mark>) {
    Layout::default().sentences(sentences)
}

/// The same without the pause at its end, so that the last sentence ends with the stream.
pub fn unfinished(sentences: u64) -> (Vec<u8>, Vec<Mark>) {
    let (mut pcm, marks) = speech(sentences);
    let end = marks.last().map_or(0, |mark| mark.end as usize + 100);
    pcm.truncate(end * 48);
    (pcm, marks)
}

/// A service of marks with these faults, whose lag is exact.
pub fn faulty(texts: &[&str]) -> Options {
    let fault = |text: &&str| text.parse::<Fault>().expect("a fault");
    Options {
        faults: texts.iter().map(fault).collect(),
        recogniser: Recogniser::Marks { spikes: false },
        lag: Lag::EXACT,
        ..Options::default()
    }
}

/// A directory that is gone when this is.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("volcasr-cli-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a directory for temporary files");
        Scratch(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Says why a test does nothing. With `CI` set, nothing may be missing.
pub fn skip(reason: &str) {
    let is_ci = std::env::var_os("CI").is_some_and(|ci| !ci.is_empty());
    assert!(!is_ci, "with CI set, nothing may be missing: {reason}");
    println!("skipped: {reason}");
}
