//! A pipeline in front of a loopback service, and what it posts, for the integration tests.
#![allow(dead_code, unused_imports, missing_docs)]

pub mod bus_log;
pub mod calls;
pub mod child;
pub mod faults;
pub mod pad_harness;
pub mod pipeline;
pub mod player;
pub mod program;
pub mod proxy;
pub mod raw_server;
pub mod running;
pub mod scratch;
pub mod script;
pub mod skip;
pub mod text;

use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::time::{Duration, Instant};

pub use bus_log::*;
pub use calls::*;
pub use pipeline::*;
pub use player::*;

use gst::prelude::*;
use volcasr_loopback::marks::{Layout, Mark};
use volcasr_loopback::{Connection, Options, Service};

/// Upper bound on every wait: a test that waits for this long has hung.
pub const LONG: Duration = Duration::from_secs(60);

/// The same for calls of GStreamer.
pub const LONG_TIME: gst::ClockTime = gst::ClockTime::from_seconds(60);

/// Initialises GStreamer and the plugin, once for the process.
pub fn init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        gst::init().expect("GStreamer");
        gstvolcasr::plugin_register_static().expect("the plugin");
    });
}

/// Starts a service. On a busy machine a client may be late with a packet, so sessions end for
/// idleness only where a test asks for it.
pub fn service(mut options: Options) -> Service {
    if options.idle_timeout == Options::default().idle_timeout {
        options.idle_timeout = LONG;
    }
    Service::start(options).expect("a free port on 127.0.0.1")
}

/// Waits until no other test runs that needs all of a core for seconds: each would starve the
/// other.
pub fn heavy() -> MutexGuard<'static, ()> {
    static RUNS: Mutex<()> = Mutex::new(());
    // One that failed is over, too.
    RUNS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a sink with the credentials of the service.
pub fn sink(service: &Service) -> gst::Element {
    sink_for(&service.uri())
}

pub fn sink_for(uri: &str) -> gst::Element {
    init();
    // The newer resources are refused at this endpoint.
    let older = uri
        .ends_with("/bigmodel")
        .then_some("volc.bigasr.sauc.duration");
    if text::is_transcriber() {
        return make("volcasrtranscriber", uri, older)
            .build()
            .expect("the element");
    }
    make("volcasrsink", uri, older)
        .property("sync", false)
        .property("async", std::env::var_os(child::WITHOUT_PREROLL).is_none())
        .build()
        .expect("the element")
}

fn make<'a>(element: &'a str, uri: &'a str, resource: Option<&'a str>) -> ElementBuilder<'a> {
    gst::ElementFactory::make(element)
        .property("uri", uri)
        .property_if_some("resource-id", resource)
        .property("app-key", "app-1")
        .property("access-key", "secret-access-key")
}

type ElementBuilder<'a> = gst::element_factory::ElementBuilder<'a>;

/// Makes a transcriber with the credentials of the service.
pub fn transcriber(service: &Service) -> gst::Element {
    text::with_transcriber(|| sink(service))
}

/// Returns the marks in final utterances as `(number, start, end)`, with times in milliseconds.
pub fn marks_of(finals: &[Transcript]) -> Vec<(u32, u64, u64)> {
    finals
        .iter()
        .flat_map(|transcript| &transcript.words)
        .filter_map(mark_of)
        .collect()
}

/// Reads a word as a mark without its punctuation and case. A word that is no whole mark has the
/// number `u32::MAX`.
pub fn mark_of(word: &Word) -> Option<(u32, u64, u64)> {
    let text = bare(word.text.trim());
    if text.is_empty() {
        return None;
    }
    let start = word.times.timestamp.expect("a mark's time");
    let end = start + word.times.duration.expect("a mark's time");
    Some((number_of(&text), start.mseconds(), end.mseconds()))
}

/// Returns the number of a mark, or `u32::MAX` of a word that is no whole mark.
pub fn number_of(text: &str) -> u32 {
    let text = bare(text);
    let number = text.strip_prefix('m').and_then(|n| n.parse().ok());
    number.unwrap_or(u32::MAX)
}

/// Returns a word without the case and punctuation that the service may revise.
pub fn bare(text: &str) -> String {
    text.trim_end_matches(['.', ',']).to_lowercase()
}

/// Returns the marks that [`marks_of`] should find, moved by `offset` milliseconds.
pub fn expected(marks: &[Mark], offset: u64) -> Vec<(u32, u64, u64)> {
    marks
        .iter()
        .map(|mark| (mark.number, mark.start + offset, mark.end + offset))
        .collect()
}

/// Asserts that each utterance ends with exactly one final message, after which none comes.
pub fn assert_ends_once(transcripts: &[Transcript]) {
    let mut ended = std::collections::BTreeMap::new();
    for transcript in transcripts {
        let end = ended
            .entry((transcript.stream, transcript.utterance))
            .or_insert(false);
        assert!(!*end, "after its end: {transcript:?}");
        *end = transcript.is_final;
    }
    let open: Vec<_> = ended.iter().filter(|(_, ended)| !**ended).collect();
    assert!(open.is_empty(), "never ended: {open:?}");
}

/// Returns `sentences` sentences of marks at the default layout.
pub fn speech(sentences: u64) -> (Vec<u8>, Vec<Mark>) {
    Layout::default().sentences(sentences)
}

/// Returns `sentences` sentences whose marks are numbered from `first` on.
pub fn speech_from(first: u32, sentences: u64) -> (Vec<u8>, Vec<Mark>) {
    let layout = Layout {
        first,
        ..Layout::default()
    };
    layout.sentences(sentences)
}

/// Makes an element as it is.
pub fn element(factory: &str) -> gst::Element {
    init();
    gst::ElementFactory::make(factory).build().expect(factory)
}

/// Sets properties that are written as `name=value`, separated by blanks.
pub fn set(element: gst::Element, properties: &str) -> gst::Element {
    for property in properties.split_whitespace() {
        let (name, value) = property.split_once('=').expect("name=value");
        element.set_property_from_str(name, value);
    }
    element
}

/// Makes a sink that sends as fast as it can.
pub fn unpaced_sink(service: &Service) -> gst::Element {
    set(sink(service), "max-speed=0")
}

/// With these properties an unpaced sink blocks soon after the service stops reading: it has room
/// for a second of audio, and neither compresses nor drops.
pub const BLOCKING: &str = "max-queue-time=1000 leaky=no compression=none";

/// Collects the warnings that elements of this process log from now on in the category `name`.
pub fn logged_warnings(name: &'static str) -> Arc<Mutex<Vec<String>>> {
    let warnings = Arc::new(Mutex::new(Vec::new()));
    let collected = warnings.clone();
    gst::log::set_threshold_for_name(name, gst::DebugLevel::Warning);
    gst::log::add_log_function(move |category, level, _, _, _, _, message| {
        if category.name() == name && level == gst::DebugLevel::Warning {
            let text = message.get().map(|text| text.to_string());
            collected.lock().expect("no panic").extend(text);
        }
    });
    warnings
}

/// Returns one field of `stats`.
pub fn stat(sink: &gst::Element, field: &str) -> u64 {
    sink.property::<gst::Structure>("stats")
        .get(field)
        .expect("a number")
}

/// Whether a session is open.
pub fn is_connected(element: &gst::Element) -> bool {
    let stats: gst::Structure = element.property("stats");
    stats.get("connected").expect("a flag")
}

/// Does `other` in another thread, and `meanwhile` in this one. Returns what `other` returns.
pub fn beside<R: Send>(other: impl FnOnce() -> R + Send, meanwhile: impl FnOnce()) -> R {
    std::thread::scope(|scope| {
        let other = scope.spawn(other);
        meanwhile();
        other.join().expect("no panic")
    })
}

/// Polls until `condition` holds, for conditions that have no event.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < LONG, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until one of the service's connections is as wanted.
#[track_caller]
pub fn until_connection(service: &Service, wanted: impl Fn(&Connection) -> bool) {
    assert!(service.wait(LONG, |all| all.iter().any(&wanted)));
}

/// Waits until the sink waits for room: it has sent nothing for a while, and more than `queued` is
/// in its queue. On a busy machine a client that is not blocked may send nothing for a moment.
pub fn until_blocked(sink: &gst::Element, queued: Duration) {
    let before = std::cell::Cell::new((0, Instant::now()));
    wait_until("blocked", || {
        let sent = stat(sink, "bytes-sent");
        if before.get().0 != sent || u128::from(stat(sink, "audio-queued")) < queued.as_nanos() {
            before.set((sent, Instant::now()));
        }
        before.get().1.elapsed() > Duration::from_millis(300)
    });
}
