//! A pipeline with the element in it, and one that a test feeds by hand.

use std::ops::Deref;

use gst::prelude::*;

use super::text::{Out, TextLog};
use super::{BusLog, Transcript, listen, listen_until, service, set, speech, stat};
use super::{unpaced_sink, wait_until};
use volcasr_loopback::{Options, Service};

/// A pipeline with the element in it.
pub struct Rig {
    pub pipeline: gst::Pipeline,
    pub sink: gst::Element,
    pub bus: gst::Bus,
    pub rate: u32,
    /// Log of what a transcriber pushes.
    pub text: Option<TextLog>,
}

impl Drop for Rig {
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

impl Rig {
    pub fn new(sink: gst::Element) -> Self {
        let pipeline = gst::Pipeline::new();
        pipeline.add(&sink).expect("a new pipeline");
        Rig {
            bus: pipeline.bus().expect("a pipeline's bus"),
            text: TextLog::attach(&pipeline, &sink),
            rate: sink.property::<i32>("rate") as u32,
            pipeline,
            sink,
        }
    }

    /// Changes the state of the pipeline.
    pub fn go(&self, state: gst::State) {
        self.pipeline.set_state(state).expect("to change");
    }

    /// Returns the messages until EOS or an error, both included.
    pub fn listen(&self) -> BusLog {
        self.note(listen(&self.bus))
    }

    /// Returns the messages until the first that `is_last`, it included.
    pub fn listen_until(&self, is_last: impl Fn(&gst::Message) -> bool) -> BusLog {
        self.note(listen_until(&self.bus, is_last))
    }

    /// Returns the messages until the first transcript that is as wanted, it included.
    pub fn listen_for(&self, wanted: impl Fn(&Transcript) -> bool) -> BusLog {
        self.listen_until(|message| Transcript::from_message(message).is_some_and(|t| wanted(&t)))
    }

    /// Returns the messages that are on the bus now.
    pub fn take(&self) -> BusLog {
        self.note(BusLog {
            messages: std::iter::from_fn(|| self.bus.pop()).collect(),
        })
    }

    fn note(&self, log: BusLog) -> BusLog {
        self.text.iter().for_each(|text| text.note(&log));
        log
    }

    /// Returns the log of what a transcriber pushes.
    pub fn text(&self) -> &TextLog {
        self.text.as_ref().expect("a transcriber")
    }

    /// Returns what a transcriber pushed.
    pub fn out(&self) -> Vec<Out> {
        self.text().out()
    }
}

/// The caps of audio at a rate.
pub fn caps(rate: u32) -> gst::Caps {
    let caps = format!("audio/x-raw,format=S16LE,layout=interleaved,rate={rate},channels=1");
    caps.parse().expect("caps")
}

/// `appsrc ! volcasrsink`, fed by hand.
pub struct TestPipeline {
    rig: Rig,
    pub source: gst_app::AppSrc,
    /// The timestamp of the next buffer of [`push`](Self::push).
    pub next: gst::ClockTime,
}

impl Deref for TestPipeline {
    type Target = Rig;

    fn deref(&self) -> &Rig {
        &self.rig
    }
}

impl TestPipeline {
    pub fn new(sink: gst::Element) -> Self {
        let rig = Rig::new(sink);
        let source = gst_app::AppSrc::builder()
            .caps(&caps(rig.rate))
            .format(gst::Format::Time)
            .build();
        // Buffers wait in the sink, not before it; a test that wants a bound sets it.
        source.set_max_bytes(0);
        rig.pipeline.add(&source).expect("a new element");
        source.link(&rig.sink).expect("caps that fit");
        TestPipeline {
            rig,
            source,
            next: gst::ClockTime::ZERO,
        }
    }

    /// Makes one that sends as fast as it can, to a service of marks.
    pub fn start(properties: &str) -> (Service, Self) {
        let service = service(Options::default());
        let rig = Self::at(&service, properties);
        (service, rig)
    }

    /// Makes one that sends as fast as it can, unless the properties say otherwise.
    pub fn at(service: &Service, properties: &str) -> Self {
        Self::new(set(unpaced_sink(service), properties))
    }

    pub fn play(&self) {
        self.text.iter().for_each(|text| text.begin(&self.pipeline));
        self.go(gst::State::Playing);
    }

    /// Goes to READY after an error.
    ///
    /// The pipeline may call that failed where it was in READY, not being prerolled, and a second
    /// error, that of the source, comes meanwhile: GStreamer then returns what the error left.
    pub fn go_to_ready_after_an_error(&self) {
        let was_in_ready = self.pipeline.current_state() == gst::State::Ready;
        let changed = self.pipeline.set_state(gst::State::Ready);
        assert!(was_in_ready || changed.is_ok());
        let (result, state, _) = self.sink.state(gst::ClockTime::ZERO);
        assert_eq!(
            (result, state),
            (Ok(gst::StateChangeSuccess::Success), gst::State::Ready)
        );
    }

    /// Plays, and [pushes](Self::push).
    pub fn begin(&mut self, pcm: &[u8], ms: usize) {
        self.play();
        self.push(pcm, ms);
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

    pub fn eos(&self) {
        let _ = self.source.end_of_stream();
    }

    /// EOS, and everything that is said until then.
    pub fn end(&self) -> BusLog {
        self.eos();
        self.listen()
    }

    /// Returns all that an application or a tool can read: messages, properties, the dot dump.
    pub fn shown(&self, log: &BusLog) -> String {
        let mut shown: Vec<String> = log.messages.iter().map(|m| format!("{m:?}")).collect();
        let reports = log.errors().into_iter().chain(log.warnings());
        shown.extend(reports.map(|report| format!("{report:?}")));
        let dot = gst::DebugGraphDetails::all();
        shown.push(self.pipeline.debug_to_dot_data(dot).into());
        for property in self.sink.list_properties() {
            let name = property.name();
            let is_readable = property.flags().contains(gst::glib::ParamFlags::READABLE);
            // GStreamer asserts on structures that are null.
            if is_readable && name != "extra-request" {
                shown.push(format!("{name}: {:?}", self.sink.property_value(name)));
            }
        }
        shown.join("\n")
    }

    /// Pushes everything, ends the stream, and listens to the end.
    pub fn run(&mut self, pcm: &[u8], ms: usize) -> BusLog {
        self.begin(pcm, ms);
        self.end()
    }

    /// Plays so many sentences from 0 on to their end, and asserts that all of them are said.
    #[track_caller]
    pub fn speak(&mut self, sentences: u64) -> BusLog {
        let (pcm, marks) = speech(sentences);
        self.next = gst::ClockTime::ZERO;
        let log = self.run(&pcm, 100);
        log.assert_said(&marks, 0);
        log
    }

    /// Waits until the element has taken all of it.
    pub fn until_taken(&self, pcm: &[u8]) {
        let all = self.time_of(pcm).nseconds();
        wait_until("all is taken", || stat(&self.sink, "audio-received") == all);
    }
}
