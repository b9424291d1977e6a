//! The text pad of a transcriber in the tests' pipelines, and what comes out of it.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use gst::prelude::*;

use super::{BusLog, Transcript, bare, wait_until};

/// Set for a process in which all elements are transcribers.
pub const TRANSCRIBERS: &str = "VOLCASR_TEST_TRANSCRIBERS";

thread_local! {
    static TRANSCRIBER: Cell<bool> = const { Cell::new(false) };
}

/// Runs a test of the sink with a transcriber in the sink's place.
pub fn with_transcriber<R>(test: impl FnOnce() -> R) -> R {
    TRANSCRIBER.set(true);
    let result = test();
    TRANSCRIBER.set(false);
    result
}

/// Returns whether this thread tests the transcriber.
pub fn is_transcriber() -> bool {
    TRANSCRIBER.get() || std::env::var_os(TRANSCRIBERS).is_some()
}

/// A buffer of text, with times in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    pub text: String,
    pub start: u64,
    pub end: u64,
    pub discont: bool,
}

/// Item that came out of the text pad.
#[derive(Clone, Debug)]
pub enum Out {
    Text(Text),
    /// Start and end in milliseconds.
    Gap(u64, u64),
    Event(gst::Event),
}

impl Text {
    fn of(buffer: &gst::BufferRef) -> Self {
        let start = buffer.pts().expect("a PTS");
        let map = buffer.map_readable().expect("memory");
        Text {
            text: String::from_utf8(map.to_vec()).expect("UTF-8"),
            start: start.mseconds(),
            end: (start + buffer.duration().expect("a duration")).mseconds(),
            discont: buffer.flags().contains(gst::BufferFlags::DISCONT),
        }
    }
}

/// Records what goes through a pad.
pub fn record(pad: &gst::Pad) -> Arc<Mutex<Vec<Out>>> {
    let out = Arc::new(Mutex::new(Vec::new()));
    let log = out.clone();
    let mask = gst::PadProbeType::BUFFER
        | gst::PadProbeType::EVENT_DOWNSTREAM
        | gst::PadProbeType::EVENT_FLUSH;
    pad.add_probe(mask, move |_, info| {
        let next = match &info.data {
            Some(gst::PadProbeData::Buffer(buffer)) => Out::Text(Text::of(buffer)),
            Some(gst::PadProbeData::Event(event)) => match event.view() {
                gst::EventView::Gap(gap) => {
                    let (start, duration) = gap.get();
                    let end = start + duration.expect("a gap's duration");
                    Out::Gap(start.mseconds(), end.mseconds())
                }
                _ => Out::Event(event.clone()),
            },
            _ => return gst::PadProbeReturn::Ok,
        };
        log.lock().expect("no panic").push(next);
        gst::PadProbeReturn::Ok
    });
    out
}

/// Log of what a transcriber pushed, to be compared with what it posted.
///
/// It has what the sink's pad takes: a pad that flushes refuses events, and sticky ones come again
/// with each that follows.
pub struct TextLog {
    pub out: Arc<Mutex<Vec<Out>>>,
    finals: Mutex<Vec<Transcript>>,
}

impl TextLog {
    /// Puts a sink behind the text pad, where there is one.
    pub fn attach(pipeline: &gst::Pipeline, element: &gst::Element) -> Option<Self> {
        element.static_pad("src")?;
        let sink = gst::ElementFactory::make("fakesink")
            .property("sync", false)
            .property("async", false)
            .build()
            .expect("a core element");
        pipeline.add(&sink).expect("a new element");
        element.link_pads(Some("src"), &sink, None).expect("text");
        Some(TextLog {
            out: record(&sink.static_pad("sink").expect("a sink's pad")),
            finals: Mutex::default(),
        })
    }

    /// Forgets what came before this run of the pipeline.
    pub fn begin(&self, pipeline: &gst::Pipeline) {
        if pipeline.current_state() >= gst::State::Paused {
            return;
        }
        self.out.lock().expect("no panic").clear();
        self.finals.lock().expect("no panic").clear();
    }

    /// Takes up what was posted. At the end the pad has the same words, in order. Those that left
    /// before they were final may differ in case and punctuation.
    pub fn note(&self, log: &BusLog) {
        let mut finals = self.finals.lock().expect("no panic");
        finals.extend(log.finals());
        if !log.saw_eos() {
            return;
        }
        let out = self.out();
        assert_in_order(&out);
        let posted: Vec<String> = finals.iter().flat_map(words_of).collect();
        let pushed: Vec<String> = texts(&out).iter().map(|text| bare(&text.text)).collect();
        let posted: Vec<String> = posted.iter().map(|text| bare(text)).collect();
        assert_eq!(pushed, posted, "{out:#?}");
    }

    pub fn out(&self) -> Vec<Out> {
        self.out.lock().expect("no panic").clone()
    }

    /// Waits for EOS behind what had come out before, and returns what came since then.
    pub fn until_eos(&self, before: usize) -> Vec<Out> {
        let is_last = |out: &[Out]| events(&out[before..]).last().is_some_and(|e| e == "eos");
        self.until("EOS", is_last).split_off(before)
    }

    /// Waits until what came out is as wanted.
    pub fn until(&self, what: &str, wanted: impl Fn(&[Out]) -> bool) -> Vec<Out> {
        let mut out = Vec::new();
        wait_until(what, || {
            out = self.out();
            wanted(&out)
        });
        out
    }
}

/// The words of an utterance, or of its text where it has none.
fn words_of(transcript: &Transcript) -> Vec<String> {
    let texts: Vec<&str> = transcript
        .words
        .iter()
        .map(|word| word.text.as_str())
        .collect();
    let texts = match texts.is_empty() {
        true => transcript.text.split_whitespace().collect(),
        false => texts,
    };
    let texts = texts.iter().map(|text| text.trim().to_owned());
    texts.filter(|text| !text.is_empty()).collect()
}

/// The buffers alone.
pub fn texts(out: &[Out]) -> Vec<Text> {
    let texts = out.iter().filter_map(|out| match out {
        Out::Text(text) => Some(text.clone()),
        _ => None,
    });
    texts.collect()
}

/// The events alone, without gaps.
pub fn event_list(out: &[Out]) -> impl Iterator<Item = &gst::Event> {
    out.iter().filter_map(|out| match out {
        Out::Event(event) => Some(event),
        _ => None,
    })
}

/// The gaps alone: start and end in milliseconds.
pub fn gaps(out: &[Out]) -> Vec<(u64, u64)> {
    let gaps = out.iter().filter_map(|out| match out {
        Out::Gap(start, end) => Some((*start, *end)),
        _ => None,
    });
    gaps.collect()
}

/// The names of the events, custom ones by their structures'; without gaps.
pub fn events(out: &[Out]) -> Vec<String> {
    let name = |event: &gst::Event| match event.structure() {
        Some(structure) if event.type_() == gst::EventType::CustomDownstream => {
            structure.name().to_string()
        }
        _ => event.type_().name().to_string(),
    };
    event_list(out).map(name).collect()
}

/// Makes a pad answer each buffer with an error. Returns whether it has.
pub fn fail(pad: &gst::Pad, flow: gst::FlowError) -> Arc<AtomicBool> {
    let failed = Arc::new(AtomicBool::new(false));
    let flag = failed.clone();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        info.flow_res = Err(flow);
        flag.store(true, Ordering::SeqCst);
        gst::PadProbeReturn::Handled
    });
    failed
}

/// Output in one segment. Times are milliseconds.
#[derive(Debug)]
pub struct Stretch {
    pub start: u64,
    pub texts: Vec<Text>,
    /// End of what buffers and gaps cover.
    pub covered: u64,
    /// End of the last gap: there is no text before it.
    empty: u64,
}

/// Asserts the [rules](in_order) for every stream of text.
pub fn assert_in_order(out: &[Out]) {
    if let Err(broken) = in_order(out) {
        panic!("{broken}");
    }
}

/// Checks the rules for every stream of text: buffers and gaps in a segment only, no blank buffer,
/// PTS that never fall nor lie within a gap, the first buffer flagged, gaps and buffers that leave
/// no hole, and nothing behind EOS. Returns the segments.
pub fn in_order(out: &[Out]) -> Result<Vec<Stretch>, String> {
    let mut order = Order::default();
    for (at, next) in out.iter().enumerate() {
        if let Err(broken) = order.take(next) {
            return Err(format!("{broken}: {next:?} at {at} of {out:#?}"));
        }
    }
    Ok(order.stretches)
}

#[derive(Default)]
struct Order {
    stretches: Vec<Stretch>,
    /// The last of them goes on.
    is_open: bool,
    is_flushing: bool,
    has_ended: bool,
}

impl Order {
    fn take(&mut self, next: &Out) -> Result<(), &'static str> {
        use gst::EventType::{Eos, FlushStart, FlushStop, StreamStart};
        let kind = match next {
            Out::Event(event) => Some(event.type_()),
            _ => None,
        };
        match kind {
            Some(FlushStart) => self.is_flushing = true,
            Some(FlushStop | StreamStart) => {
                (self.is_flushing, self.is_open, self.has_ended) = (false, false, false);
            }
            // A push may be under way when a flush begins.
            _ if self.is_flushing => {}
            _ if self.has_ended => return Err("behind EOS"),
            Some(Eos) => (self.is_open, self.has_ended) = (false, true),
            _ => return self.of_segment(next),
        }
        Ok(())
    }

    fn of_segment(&mut self, next: &Out) -> Result<(), &'static str> {
        if let Out::Event(event) = next {
            if let gst::EventView::Segment(segment) = event.view() {
                let segment = segment.segment().downcast_ref::<gst::ClockTime>();
                let start = segment.and_then(|segment| segment.start());
                let start = start.map_or(0, gst::ClockTime::mseconds);
                self.is_open = true;
                self.stretches.push(Stretch {
                    start,
                    texts: Vec::new(),
                    covered: start,
                    empty: start,
                });
            }
            return Ok(());
        }
        let last = self.stretches.last_mut().filter(|_| self.is_open);
        let last = last.ok_or("outside a segment")?;
        let (from, to) = match next {
            Out::Text(text) => (text.start, text.end),
            Out::Gap(from, to) => (*from, *to),
            Out::Event(_) => return Ok(()),
        };
        if from > to || from > last.covered + 1 {
            return Err("a hole");
        }
        last.covered = last.covered.max(to);
        let Out::Text(text) = next else {
            last.empty = to;
            return Ok(());
        };
        let (before, is_first) = match last.texts.last() {
            Some(before) => (before.start, false),
            None => (last.start, true),
        };
        last.texts.push(text.clone());
        match text {
            text if text.text.is_empty() || text.text.trim() != text.text => Err("a blank text"),
            text if text.start < before => Err("a PTS falls"),
            text if text.start < last.empty => Err("within a gap"),
            text if is_first && !text.discont => Err("no DISCONT"),
            _ => Ok(()),
        }
    }
}
