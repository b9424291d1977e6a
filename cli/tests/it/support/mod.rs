//! Support for the tests of the program: a service, speech for it, and the program.

pub mod cues;
pub mod http;
pub mod media;
pub mod program;
#[allow(dead_code, reason = "the element's tests use more of it")]
#[path = "../../../../tests/common/running.rs"]
pub mod running;
#[path = "../../../../tests/common/scratch.rs"]
mod scratch;
#[allow(dead_code, reason = "the element's tests use more of it")]
#[path = "../../../../tests/common/script.rs"]
pub mod script;
#[path = "../../../../tests/common/skip.rs"]
mod skip;

pub use scratch::Scratch;
pub use skip::skip;

use std::sync::Once;
use std::time::Duration;

use volcasr_loopback::marks::{Layout, Mark};
use volcasr_loopback::{Connection, Fault, Lag, Options, Recogniser, Service};

/// Longer than anything here takes: a test that waits for this long has hung.
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
pub fn open_ended_speech(sentences: u64) -> (Vec<u8>, Vec<Mark>) {
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

/// Waits until one of the service's connections is as wanted.
#[track_caller]
pub fn until_connection(service: &Service, wanted: impl Fn(&Connection) -> bool) {
    assert!(service.wait(LONG, |all| all.iter().any(&wanted)));
}
