//! A pad that a test pushes into by hand: `volcasrsink` alone in a pipeline, with every event and
//! buffer in the test's own order.

use std::ops::Deref;

use gst::prelude::*;
use volcasr_loopback::marks::Mark;
use volcasr_loopback::{Options, Service};

use super::text::is_transcriber;
use super::{BusLog, Rig, caps, service, set, speech, unpaced_sink};

pub type Segment = gst::FormattedSegment<gst::ClockTime>;

pub fn ms(ms: u64) -> gst::ClockTime {
    gst::ClockTime::from_mseconds(ms)
}

pub struct PadHarness {
    rig: Rig,
    pub pad: gst::Pad,
}

impl Deref for PadHarness {
    type Target = Rig;

    fn deref(&self) -> &Rig {
        &self.rig
    }
}

impl PadHarness {
    /// Makes one that sends as fast as it can, to a service of marks.
    pub fn start(properties: &str) -> (Service, Self) {
        let service = service(Options::default());
        let harness = Self::at(&service, properties);
        (service, harness)
    }

    /// Makes one that sends as fast as it can.
    pub fn at(service: &Service, properties: &str) -> Self {
        Self::new(set(unpaced_sink(service), properties))
    }

    /// Playing, with the stream `first`, caps, and a segment from 0.
    pub fn new(sink: gst::Element) -> Self {
        let harness = Self::held(sink);
        harness.play();
        harness
    }

    /// Links the sink to a pad and leaves it in READY.
    pub fn held(sink: gst::Element) -> Self {
        let rig = Rig::new(sink);
        let pad = gst::Pad::builder(gst::PadDirection::Src).build();
        let peer = rig.sink.static_pad("sink").expect("its pad");
        pad.link(&peer).expect("a free pad");
        pad.set_active(true).expect("a new pad");
        rig.go(gst::State::Ready);
        PadHarness { rig, pad }
    }

    pub fn play(&self) {
        self.go(gst::State::Playing);
        assert!(self.begin("first"));
        assert!(self.segment(&Segment::new()));
    }

    /// STREAM_START and CAPS.
    pub fn begin(&self, stream: &str) -> bool {
        self.pad.push_event(gst::event::StreamStart::new(stream))
            && self.pad.push_event(gst::event::Caps::new(&caps(self.rate)))
    }

    pub fn segment(&self, segment: &Segment) -> bool {
        self.pad.push_event(gst::event::Segment::new(segment))
    }

    /// Begins a segment at `start`, with running time from `base` on, in milliseconds.
    #[track_caller]
    pub fn segment_at(&self, start: u64, base: u64) {
        let mut segment = Segment::new();
        segment.set_start(ms(start));
        segment.set_base(ms(base));
        assert!(self.segment(&segment));
    }

    /// Pushes so many sentences from 0 on.
    pub fn say(&self, sentences: u64) -> Vec<Mark> {
        let (pcm, marks) = speech(sentences);
        self.push_all(0, &pcm, 100);
        marks
    }

    /// Returns the bytes of a duration.
    pub fn bytes(&self, milliseconds: u64) -> usize {
        (milliseconds * u64::from(self.rate) / 1000 * 2) as usize
    }

    pub fn buffer(&self, at: Option<u64>, pcm: &[u8]) -> gst::Buffer {
        let mut buffer = gst::Buffer::from_slice(pcm.to_vec());
        let writable = buffer.get_mut().expect("a new buffer");
        writable.set_pts(at.map(ms));
        buffer
    }

    /// Pushes one buffer at a time in milliseconds.
    pub fn push(&self, at: impl Into<Option<u64>>, pcm: &[u8]) {
        self.pad
            .push(self.buffer(at.into(), pcm))
            .expect("it is taken");
    }

    /// Pushes buffers of `size` milliseconds until one is refused.
    pub fn push_until_refused<'a>(
        &self,
        pieces: impl Iterator<Item = &'a [u8]>,
        size: u64,
    ) -> Option<gst::FlowError> {
        let mut buffers = (0..)
            .zip(pieces)
            .map(|(n, pcm)| self.buffer(Some(n * size), pcm));
        buffers.find_map(|buffer| self.pad.push(buffer).err())
    }

    /// Pushes one buffer with DISCONT, as elements do after a gap.
    pub fn jump(&self, at: u64, pcm: &[u8]) {
        let mut buffer = self.buffer(Some(at), pcm);
        let writable = buffer.get_mut().expect("a new buffer");
        writable.set_flags(gst::BufferFlags::DISCONT);
        self.pad.push(buffer).expect("it is taken");
    }

    /// Pushes `pcm` from `at` on in buffers of `size` milliseconds.
    pub fn push_all(&self, at: u64, pcm: &[u8], size: u64) {
        for (n, piece) in pcm.chunks(self.bytes(size)).enumerate() {
            self.push(at + n as u64 * size, piece);
        }
    }

    pub fn gap(&self, at: u64, duration: impl Into<Option<u64>>) -> bool {
        let event = gst::event::Gap::builder(ms(at)).duration(duration.into().map(ms));
        self.pad.push_event(event.build())
    }

    pub fn flush_start(&self) {
        assert!(self.pad.push_event(gst::event::FlushStart::new()));
    }

    pub fn flush_stop(&self) {
        assert!(self.pad.push_event(gst::event::FlushStop::new(true)));
    }

    pub fn flush(&self) {
        self.flush_start();
        self.flush_stop();
    }

    /// EOS, and everything that was said until then.
    pub fn end(&self) -> BusLog {
        assert!(self.eos());
        self.listen()
    }

    pub fn eos(&self) -> bool {
        self.pad.push_event(gst::event::Eos::new())
    }
}

/// Ways to preroll, as a property: with one that the state change waits for, and without. A filter
/// has none.
pub fn ways_to_preroll() -> &'static [&'static str] {
    match is_transcriber() {
        true => &[""],
        false => &["async=true", "async=false"],
    }
}

/// Runs a test in each of them, on a playing sink that sends as fast as it can.
pub fn each_way(test: impl Fn(&Service, &PadHarness, &str)) {
    for case in ways_to_preroll() {
        let (service, harness) = PadHarness::start(case);
        test(&service, &harness, case);
    }
}
