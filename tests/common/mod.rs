//! A pipeline in front of a loopback service, and what it posts, for the integration tests.
#![allow(dead_code, missing_docs)]

pub mod bus_log;
pub mod child;
pub mod faults;
pub mod pad_harness;
pub mod program;
pub mod proxy;
pub mod raw_server;
pub mod running;
pub mod scratch;
pub mod script;
pub mod seconds;
pub mod skip;
pub mod text;

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, Once};
use std::time::{Duration, Instant};

pub use bus_log::*;

use gst::prelude::*;
use volcasr_loopback::marks::{Layout, Mark};
use volcasr_loopback::{Options, Service};

/// Upper bound on every wait: a test that waits for so long has hung.
pub const LONG: Duration = Duration::from_secs(60);

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

/// Permit of a test that needs all of a core for seconds.
pub struct Heavy(());

/// Number of heavy tests that run.
static HEAVY: (Mutex<u32>, Condvar) = (Mutex::new(0), Condvar::new());

/// Waits until at most one other heavy test runs: the others would be starved.
pub fn heavy() -> Heavy {
    let running = HEAVY.0.lock().expect("no panic");
    let mut running = HEAVY.1.wait_while(running, |n| *n >= 2).expect("no panic");
    *running += 1;
    Heavy(())
}

impl Drop for Heavy {
    fn drop(&mut self) {
        *HEAVY.0.lock().expect("no panic") -= 1;
        HEAVY.1.notify_one();
    }
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

/// `appsrc ! volcasrsink`, fed by hand.
pub struct TestPipeline {
    pub pipeline: gst::Pipeline,
    pub source: gst_app::AppSrc,
    pub sink: gst::Element,
    pub bus: gst::Bus,
    pub rate: u32,
    /// The timestamp of the next buffer of [`push`](Self::push).
    pub next: gst::ClockTime,
    /// Log of what a transcriber pushes.
    pub text: Option<text::TextLog>,
}

impl Drop for TestPipeline {
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

impl TestPipeline {
    pub fn new(sink: gst::Element) -> Self {
        let rate = sink.property::<i32>("rate") as u32;
        let source = gst_app::AppSrc::builder()
            .caps(
                &gst::Caps::builder("audio/x-raw")
                    .field("format", "S16LE")
                    .field("layout", "interleaved")
                    .field("rate", rate as i32)
                    .field("channels", 1)
                    .build(),
            )
            .format(gst::Format::Time)
            .build();
        // Buffers wait in the sink, not before it; a test that wants a bound sets it.
        source.set_max_bytes(0);
        let pipeline = gst::Pipeline::new();
        pipeline
            .add_many([source.upcast_ref(), &sink])
            .expect("a new pipeline");
        source.link(&sink).expect("caps that fit");
        let bus = pipeline.bus().expect("a pipeline's bus");
        let text = text::TextLog::attach(&pipeline, &sink);
        TestPipeline {
            text,
            pipeline,
            source,
            sink,
            bus,
            rate,
            next: gst::ClockTime::ZERO,
        }
    }

    pub fn play(&self) {
        self.text.iter().for_each(|text| text.begin(&self.pipeline));
        self.pipeline
            .set_state(gst::State::Playing)
            .expect("to play");
    }

    /// Pushes `pcm` in buffers of `ms` milliseconds, with timestamps that go on.
    pub fn push(&mut self, pcm: &[u8], ms: usize) {
        for piece in pcm.chunks(self.rate as usize / 1000 * 2 * ms) {
            self.push_at(self.next, piece);
        }
    }

    /// Pushes one buffer at `pts`; [`push`](Self::push) goes on behind it.
    pub fn push_at(&mut self, pts: gst::ClockTime, pcm: &[u8]) {
        let duration = self.time_of(pcm);
        let mut buffer = gst::Buffer::from_slice(pcm.to_vec());
        let writable = buffer.get_mut().expect("a new buffer");
        writable.set_pts(pts);
        writable.set_duration(duration);
        // Flushing or at its end: what the test wants to see is on the bus.
        let _ = self.source.push_buffer(buffer);
        self.next = pts + duration;
    }

    pub fn time_of(&self, pcm: &[u8]) -> gst::ClockTime {
        gst::ClockTime::from_nseconds(pcm.len() as u64 / 2 * 1_000_000_000 / u64::from(self.rate))
    }

    pub fn end(&self) {
        let _ = self.source.end_of_stream();
    }

    /// Returns the messages until EOS or an error, both included.
    pub fn listen(&self) -> BusLog {
        self.note(listen(&self.bus))
    }

    /// Returns the messages until the first that `is_last`, it included.
    pub fn listen_until(&self, is_last: impl Fn(&gst::Message) -> bool) -> BusLog {
        self.note(listen_until(&self.bus, is_last))
    }

    fn note(&self, log: BusLog) -> BusLog {
        if let Some(text) = &self.text {
            text.note(&log);
        }
        log
    }

    /// Returns what a transcriber pushed.
    pub fn out(&self) -> Vec<text::Out> {
        self.text.as_ref().expect("a transcriber").out()
    }

    /// Returns the messages that are on the bus now.
    pub fn take(&self) -> BusLog {
        self.note(BusLog {
            messages: std::iter::from_fn(|| self.bus.pop()).collect(),
        })
    }

    /// Pushes everything, ends the stream, and listens to the end.
    pub fn run(&mut self, pcm: &[u8], ms: usize) -> BusLog {
        self.play();
        self.push(pcm, ms);
        self.end();
        self.listen()
    }
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
    let text = word.text.trim().trim_end_matches(['.', ',']);
    if text.is_empty() {
        return None;
    }
    let number = text
        .to_lowercase()
        .strip_prefix('m')
        .and_then(|number| number.parse().ok());
    let start = word.timestamp.expect("a mark's time") / 1_000_000;
    Some((
        number.unwrap_or(u32::MAX),
        start,
        start + word.duration.expect("a mark's time") / 1_000_000,
    ))
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

/// Makes a sink that sends as fast as it can.
pub fn unpaced_sink(service: &Service) -> gst::Element {
    let sink = sink(service);
    sink.set_property("max-speed", 0.0);
    sink
}

/// Makes an unpaced sink that blocks soon after the service stops reading: it has room for a second
/// of audio, and neither compresses nor drops.
pub fn blocking_sink(service: &Service) -> gst::Element {
    let sink = unpaced_sink(service);
    sink.set_property("max-queue-time", 1000u32);
    sink.set_property_from_str("leaky", "no");
    sink.set_property_from_str("compression", "none");
    sink
}

/// Asserts that the settings of `sink` fail the change to PAUSED with one error. Returns the
/// messages and the text of the error.
pub fn refused(sink: &gst::Element) -> (BusLog, String) {
    let bus = gst::Bus::new();
    sink.set_bus(Some(&bus));
    let _: gst::StateChangeError = sink
        .set_state(gst::State::Paused)
        .expect_err("it can't be used");
    let log = BusLog {
        messages: std::iter::from_fn(|| bus.pop()).collect(),
    };
    let errors = log.errors();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].error.matches(gst::ResourceError::Settings));
    let text = errors[0].error.message().to_owned();
    (log, text)
}

/// Collects the warnings that the elements of this process log from now on.
pub fn logged_warnings() -> Arc<Mutex<Vec<String>>> {
    let warnings = Arc::new(Mutex::new(Vec::new()));
    let collected = warnings.clone();
    gst::log::set_threshold_for_name("volcasrsink", gst::DebugLevel::Warning);
    gst::log::add_log_function(move |category, level, _, _, _, _, message| {
        if category.name() == "volcasrsink" && level == gst::DebugLevel::Warning {
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

/// Polls until `condition` holds, for conditions that have no event.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < LONG, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Duration of a call that waits for nothing. A busy machine may delay some of them, not all.
const AT_ONCE: Duration = Duration::from_millis(100);

/// Durations of calls that must return at once, by their kind.
#[derive(Default)]
pub struct Calls(BTreeMap<&'static str, Vec<Duration>>);

impl Calls {
    /// Makes a call and asserts that it does not hang.
    pub fn time<R>(&mut self, what: &'static str, call: impl FnOnce() -> R) -> R {
        let began = Instant::now();
        let result = call();
        let took = began.elapsed();
        // Far longer than it takes, and far shorter than any time-out of the element.
        assert!(took < Duration::from_secs(2), "{what} took {took:?}");
        self.0.entry(what).or_default().push(took);
        result
    }

    /// Asserts that at least one call of each kind returned at once, and prints the longest.
    pub fn assert_at_once(&self, case: &str) {
        for (what, took) in &self.0 {
            let (least, most) = (took.iter().min(), took.iter().max());
            println!(
                "{case}, {what}: the longest of {} took {:?}",
                took.len(),
                most.unwrap_or(&Duration::ZERO)
            );
            assert!(
                least.is_some_and(|least| *least < AT_ONCE),
                "{case}, {what}: {took:?}"
            );
        }
    }
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
