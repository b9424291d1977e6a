//! `appsrc ! volcasrtranscriber ! appsink`, and what comes out.
#![allow(dead_code, missing_docs)]

use std::sync::{Arc, Mutex};

use gst::prelude::*;
use volcasr_loopback::Service;

use super::{BusLog, LONG, init, listen};

/// A transcriber that the service knows.
pub fn transcriber(service: &Service) -> gst::Element {
    init();
    let uri = service.uri();
    let older = uri
        .ends_with("/bigmodel")
        .then_some("volc.bigasr.sauc.duration");
    gst::ElementFactory::make("volcasrtranscriber")
        .property("uri", &uri)
        .property_if_some("resource-id", older)
        .property("app-key", "app-1")
        .property("access-key", "secret-access-key")
        .build()
        .expect("the element")
}

/// A buffer of text, with times in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    pub text: String,
    pub start: u64,
    pub end: u64,
    pub discont: bool,
}

/// What came out of the text pad, in order.
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
    let mask = gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM;
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

pub struct TextRig {
    pub pipeline: gst::Pipeline,
    pub source: gst_app::AppSrc,
    pub transcriber: gst::Element,
    pub bus: gst::Bus,
    pub out: Arc<Mutex<Vec<Out>>>,
    pub rate: u32,
    pub next: gst::ClockTime,
}

impl Drop for TextRig {
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

impl TextRig {
    pub fn new(transcriber: gst::Element) -> Self {
        let sink = gst::ElementFactory::make("fakesink")
            .property("sync", false)
            .property("async", false)
            .build()
            .expect("a core element");
        Self::into(transcriber, &sink)
    }

    pub fn into(transcriber: gst::Element, sink: &gst::Element) -> Self {
        let rate = transcriber.property::<i32>("rate") as u32;
        let caps = gst::Caps::builder("audio/x-raw")
            .field("format", "S16LE")
            .field("layout", "interleaved")
            .field("rate", rate as i32)
            .field("channels", 1)
            .build();
        let source = gst_app::AppSrc::builder()
            .caps(&caps)
            .format(gst::Format::Time)
            .build();
        source.set_max_bytes(0);
        let pipeline = gst::Pipeline::new();
        pipeline
            .add_many([source.upcast_ref(), &transcriber, sink])
            .expect("a new pipeline");
        source.link(&transcriber).expect("caps that fit");
        transcriber
            .link_pads(Some("src"), sink, None)
            .expect("text");
        let out = record(&transcriber.static_pad("src").expect("a pad"));
        let bus = pipeline.bus().expect("a pipeline's bus");
        TextRig {
            pipeline,
            source,
            transcriber,
            bus,
            out,
            rate,
            next: gst::ClockTime::ZERO,
        }
    }

    pub fn play(&self) {
        self.pipeline
            .set_state(gst::State::Playing)
            .expect("to play");
    }

    /// Pushes `pcm` in buffers of `ms` milliseconds, with timestamps that go on.
    pub fn push(&mut self, pcm: &[u8], ms: usize) {
        for piece in pcm.chunks(self.rate as usize / 1000 * 2 * ms) {
            let samples = piece.len() as u64 / 2;
            let duration = samples * 1_000_000_000 / u64::from(self.rate);
            let mut buffer = gst::Buffer::from_slice(piece.to_vec());
            let writable = buffer.get_mut().expect("a new buffer");
            writable.set_pts(self.next);
            writable.set_duration(gst::ClockTime::from_nseconds(duration));
            let _ = self.source.push_buffer(buffer);
            self.next += gst::ClockTime::from_nseconds(duration);
        }
    }

    pub fn end(&self) {
        let _ = self.source.end_of_stream();
    }

    pub fn listen(&self) -> BusLog {
        listen(&self.bus)
    }

    /// Pushes everything, ends the stream, and returns what came out until its end.
    pub fn run(&mut self, pcm: &[u8], ms: usize) -> (Vec<Out>, BusLog) {
        self.play();
        self.push(pcm, ms);
        self.end();
        let heard = self.listen();
        (self.out(), heard)
    }

    pub fn out(&self) -> Vec<Out> {
        self.out.lock().expect("no panic").clone()
    }

    /// Waits until what came out is as wanted.
    pub fn until(&self, what: &str, wanted: impl Fn(&[Out]) -> bool) -> Vec<Out> {
        let began = std::time::Instant::now();
        loop {
            let out = self.out();
            if wanted(&out) {
                return out;
            }
            assert!(began.elapsed() < LONG, "never: {what}: {out:#?}");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

/// The buffers alone.
pub fn texts(out: &[Out]) -> Vec<Text> {
    let texts = out.iter().filter_map(|out| match out {
        Out::Text(text) => Some(text.clone()),
        _ => None,
    });
    texts.collect()
}

/// The names of the events, custom ones by their structures'; without gaps.
pub fn events(out: &[Out]) -> Vec<String> {
    let events = out.iter().filter_map(|out| match out {
        Out::Event(event) => Some(match event.structure() {
            Some(structure) if event.type_() == gst::EventType::CustomDownstream => {
                structure.name().to_string()
            }
            _ => event.type_().name().to_string(),
        }),
        _ => None,
    });
    events.collect()
}

/// What holds for every stream of text: CAPS before the first buffer, no blank one, PTS that never
/// fall, gaps and buffers that leave no hole.
pub fn assert_in_order(out: &[Out]) {
    let (mut start, mut covered) = (0, 0);
    for (at, next) in out.iter().enumerate() {
        match next {
            Out::Text(text) => {
                assert_eq!(text.text.trim(), text.text, "{out:#?}");
                assert!(!text.text.is_empty(), "{out:#?}");
                assert!(text.start >= start, "{text:?} falls: {out:#?}");
                assert!(
                    text.start <= covered + 1,
                    "nothing covers what is before {text:?} at {at}: {out:#?}"
                );
                (start, covered) = (text.start, covered.max(text.end));
            }
            Out::Gap(from, to) => {
                assert!(from <= to && *from <= covered + 1, "{out:#?}");
                covered = covered.max(*to);
            }
            Out::Event(event) if event.type_() == gst::EventType::Segment => {
                (start, covered) = (0, 0);
            }
            Out::Event(_) => {}
        }
    }
}
