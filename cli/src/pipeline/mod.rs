//! The pipeline: input, conversion, and the element that recognises.
//!
//! [`source`] opens URIs and follows their [`pads`], with the rules of [`tracks`]; [`extent`] is
//! where an input begins and ends, [`riff`] is the length of a WAV file, [`stall`] finds out that
//! it gives nothing more, [`level`] is its loudness, [`guard`] ensures that it ends,
//! [`mod@stop`] stops it. [`picture`] draws captions into a film, which it writes with the
//! encoders of [`encode`]; [`silence`] fills the gaps of its sound.

pub mod encode;
pub mod extent;
pub mod guard;
pub mod level;
mod pads;
pub mod picture;
pub mod riff;
mod silence;
pub mod source;
pub mod stall;
mod stop;
pub mod tracks;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gst::glib;
use gst::prelude::*;

use crate::input::{Input, InputOptions};
use crate::output::format::Looks;
use crate::service::ServiceOptions;
use encode::Encoding;
use extent::Extent;
use level::Level;
use pads::{drop_when, send_eos, text_property};
use picture::Picture;
use source::Targets;
use stall::Moment;

/// Name of the element behind the input.
const CONVERT: &str = "volcasr-convert";
/// Name of the element that recognises.
const SINK: &str = "volcasr";
/// Name of the element that has the text for a picture.
const TEXT: &str = "volcasr-text";

/// Initialises GStreamer, and the plugin that is linked into the program.
pub fn init() -> Result<(), String> {
    gst::init().map_err(|error| format!("GStreamer: {error}"))?;
    gstvolcasr::plugin_register_static().map_err(|error| format!("the plugin: {error}"))
}

/// A pipeline that recognises; stopped when it is dropped.
pub struct Recognition {
    pipeline: gst::Pipeline,
    sink: gst::Element,
    extent: Arc<Extent>,
    /// A file whose header may have its length.
    wav: Option<PathBuf>,
    level: Arc<Level>,
    /// The end of the stream has reached the element.
    has_ended: Arc<AtomicBool>,
    /// No more audio is to be recognised.
    is_closed: Arc<AtomicBool>,
    /// Whether it is being stopped. Held by who changes the state.
    is_stopped: Arc<Mutex<bool>>,
    /// Its captions are drawn into a film.
    picture: Option<Picture>,
    /// All text has left the element, to be drawn.
    is_said: Arc<AtomicBool>,
}

impl Recognition {
    /// Fails when the command line can't be used.
    pub fn new(
        input: &Input,
        options: &InputOptions,
        service: &ServiceOptions,
        realtime: bool,
    ) -> Result<Self, String> {
        // A file is read as fast as the service takes it, but for `realtime`, also beside a preset.
        let sink = format!("volcasrsink name={SINK} sync=false");
        let recognition = Self::build(input, options, &sink)?;
        service.apply(&recognition.sink)?;
        let sync = realtime || recognition.sink.property("sync");
        recognition.sink.set_property("sync", sync);
        Ok(recognition)
    }

    /// Draws the captions into the input's picture as well. Fails when the command line can't be
    /// used.
    pub fn with_picture(
        input: &Input,
        options: &InputOptions,
        service: &ServiceOptions,
        (encoding, looks): (&Encoding, Looks),
    ) -> Result<Self, String> {
        let mut recognition = Self::build(input, options, &picture::recogniser(SINK, TEXT, looks))?;
        service.apply_to_transcriber(&recognition.sink)?;
        let Input::Uri(uri) = input else {
            return Err("this is no file".to_owned());
        };
        let pipeline = &recognition.pipeline;
        let text = pipeline.by_name(TEXT).ok_or("an element is missing")?;
        let picture = Picture::add(pipeline, &text, uri, options.track, encoding)?;
        recognition.picture = Some(picture);
        recognition.watch_text()?;
        Ok(recognition)
    }

    fn build(input: &Input, options: &InputOptions, recogniser: &str) -> Result<Self, String> {
        let front = match input {
            Input::Uri(_) | Input::Device(_) => "",
            Input::Microphone => "autoaudiosrc ! ",
            Input::Piece(piece) => &format!("{piece} ! "),
        };
        let pipeline = gst::parse::launch(&format!(
            "{front}audioconvert name={CONVERT} ! audioresample ! {recogniser}"
        ))
        .map_err(|error| error.message().to_owned())?
        .downcast::<gst::Pipeline>()
        .map_err(|_| "this is no pipeline")?;
        let [convert, sink] = [CONVERT, SINK].map(|name| pipeline.by_name(name));
        let (convert, sink) = convert.zip(sink).ok_or("an element is missing")?;
        let extent = Arc::new(Extent::default());
        match input {
            Input::Uri(uri) => {
                let targets = Targets {
                    sound: convert.clone(),
                    picture: None,
                };
                source::add(pipeline.upcast_ref(), uri, targets, options.track, &extent)
                    .map_err(|error| error.message.to_string())?;
            }
            Input::Device(device) => add_device(&pipeline, device, &convert)?,
            Input::Microphone | Input::Piece(_) => (),
        }
        let recognition = Recognition {
            pipeline,
            sink,
            extent,
            wav: input.path(),
            level: Arc::default(),
            has_ended: Arc::default(),
            is_closed: Arc::default(),
            is_stopped: Arc::default(),
            picture: None,
            is_said: Arc::default(),
        };
        recognition.watch(&convert)?;
        Ok(recognition)
    }

    /// Watches what goes to the element.
    fn watch(&self, convert: &gst::Element) -> Result<(), String> {
        drop_when(convert, &self.is_closed)?;
        let entry = convert.static_pad("sink").ok_or("a pad is missing")?;
        // Not on the element's own pad: there it may wait for the last words first.
        let has_ended = self.has_ended.clone();
        entry.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
            let kind = info.event().map(|event| event.type_());
            match kind {
                Some(gst::EventType::Eos) => has_ended.store(true, Ordering::Relaxed),
                Some(gst::EventType::StreamStart) => has_ended.store(false, Ordering::Relaxed),
                _ => (),
            }
            gst::PadProbeReturn::Ok
        });
        Ok(())
    }

    /// Watches the text that goes to the picture.
    fn watch_text(&self) -> Result<(), String> {
        let text = self.sink.static_pad("src").ok_or("a pad is missing")?;
        let is_said = self.is_said.clone();
        text.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
            let kind = info.event().map(|event| event.type_());
            if kind == Some(gst::EventType::Eos) {
                is_said.store(true, Ordering::Relaxed);
            }
            gst::PadProbeReturn::Ok
        });
        Ok(())
    }

    /// Measures the loudness from here on.
    pub fn watch_level(&self) -> Arc<Level> {
        if let Some(pad) = self.sink.static_pad("sink") {
            let level = self.level.clone();
            pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
                if let Some(Ok(map)) = info.buffer().map(|buffer| buffer.map_readable()) {
                    level.measure(&map);
                }
                gst::PadProbeReturn::Ok
            });
        }
        self.level.clone()
    }

    /// The files that it reads or, in a piece of a launch line, writes.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for element in self.pipeline.iterate_recurse().into_iter().flatten() {
            for name in ["location", "uri"] {
                files.extend(text_property(&element, name).map(|named| {
                    glib::filename_from_uri(&named).map_or_else(|_| named.into(), |(path, _)| path)
                }));
            }
        }
        files
    }

    /// Name of the microphone, where its element knows it.
    pub fn device_name(&self) -> Option<String> {
        let elements = self.pipeline.iterate_recurse().into_iter().flatten();
        let mut sources =
            elements.filter(|e| e.element_flags().contains(gst::ElementFlags::SOURCE));
        sources.find_map(|source| {
            text_property(&source, "device-name").filter(|name| !name.trim().is_empty())
        })
    }

    /// All messages from the first one on.
    pub fn messages(&self) -> Result<gst::bus::BusStream, String> {
        let bus = self.pipeline.bus().ok_or("a pipeline without a bus")?;
        Ok(bus.stream())
    }

    /// Starts, on a thread of its own: a source may connect within its state change, and Ctrl-C
    /// must not wait for that. What prevents it is among the messages.
    pub fn start(&self) {
        let is_stopped = self.is_stopped.clone();
        self.pipeline.call_async(move |pipeline| {
            let is_stopped = is_stopped.lock().unwrap_or_else(PoisonError::into_inner);
            if !*is_stopped && pipeline.set_state(gst::State::Playing).is_err() {
                // The element at fault has posted why; this comes after that, for one that has not.
                gst::element_error!(
                    pipeline,
                    gst::CoreError::StateChange,
                    ("The pipeline does not start.")
                );
            }
        });
    }

    /// Lets what an input has given before it failed be recognised. An error while the pipeline
    /// starts aborts the state change of its bins for good, and audio waits in PAUSED.
    pub fn salvage(&self) {
        // A bin reports its elements' ends in PLAYING only.
        self.pipeline.set_property("message-forward", true);
        for element in [SINK, picture::WORDS].map(|name| self.pipeline.by_name(name)) {
            // The errors that prevent it are on the bus already.
            let _ = element.map(|element| element.set_state(gst::State::Playing));
        }
    }

    /// Whether the message says that the element has done all after [`salvage`](Self::salvage).
    pub fn is_salvaged(&self, message: &gst::Message) -> bool {
        let structure = message.structure();
        let forwarded = structure.filter(|s| s.name() == "GstBinForwarded");
        let end = forwarded.and_then(|s| s.get::<gst::Message>("message").ok());
        end.is_some_and(|end| end.type_() == gst::MessageType::Eos && self.is_sink(end.src()))
    }

    /// Whether the input has a track for the element.
    pub fn is_linked(&self) -> bool {
        let convert = self.pipeline.by_name(CONVERT);
        let pad = convert.and_then(|convert| convert.static_pad("sink"));
        pad.is_some_and(|pad| pad.is_linked())
    }

    /// Ends the stream in good order, even if the input goes on: no more of it is recognised. The
    /// last words are still to come, then EOS.
    pub fn end(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
        self.finish();
        if let Some(picture) = &self.picture {
            picture.end();
        }
    }

    /// Lets the element end what it has: for an input that gives nothing more.
    pub fn finish(&self) {
        if let Some(convert) = self.pipeline.by_name(CONVERT) {
            send_eos(&convert);
        }
    }

    /// The film that it writes, if any.
    pub fn picture(&self) -> Option<&Picture> {
        self.picture.as_ref()
    }

    /// Whether all text has left the element: only the picture is still to come.
    pub fn is_said(&self) -> bool {
        self.is_said.load(Ordering::Relaxed)
    }

    /// Whether this is the element that recognises: its errors are the end.
    pub fn is_sink(&self, source: Option<&gst::Object>) -> bool {
        source.is_some_and(|source| source == self.sink.upcast_ref::<gst::Object>())
    }

    /// How far the input has been read, or its picture written, from its first sample on.
    pub fn position(&self) -> Option<gst::ClockTime> {
        let position: gst::ClockTime = match &self.picture {
            Some(picture) => picture.end_of_frames(),
            None => self.pipeline.query_position()?,
        };
        Some(position.saturating_sub(gst::ClockTime::from_nseconds(self.begin())))
    }

    /// How long the input is, where that is known.
    pub fn duration(&self) -> Option<gst::ClockTime> {
        let duration: Option<gst::ClockTime> = match &self.picture {
            // Not of the film, which is not there yet.
            Some(_) => self.sink.static_pad("sink")?.peer_query_duration(),
            None => self.pipeline.query_duration(),
        };
        duration.filter(|duration| !duration.is_zero())
    }

    /// Where the input's times begin, in nanoseconds.
    pub fn begin(&self) -> u64 {
        match self.received().is_zero() {
            true => 0,
            false => self.extent.begin(),
        }
    }

    /// The length that the input says it has, if it ended well before that.
    pub fn missing(&self) -> Option<(Duration, Duration)> {
        if let Some(missing) = self.wav.as_deref().and_then(riff::missing) {
            return Some(missing);
        }
        let end = self.extent.end();
        if end.is_zero() {
            return None;
        }
        let length = extent::missing(end, self.duration()?.into())?;
        Some((end, length))
    }

    /// Returns the audio's progress at this moment.
    pub fn moment(&self) -> Moment {
        let stats = self.stats();
        let time = |name| Duration::from_nanos(stats.get(name).unwrap_or(0));
        Moment {
            received: time("audio-received"),
            queued: time("audio-queued"),
            capacity: Duration::from_millis(self.sink.property::<u32>("max-queue-time").into()),
            has_ended: self.has_ended.load(Ordering::Relaxed),
        }
    }

    /// How long the element waits for the last words.
    pub fn finish_timeout(&self) -> Duration {
        Duration::from_millis(self.sink.property::<u32>("finish-timeout").into())
    }

    /// The element's statistics.
    pub fn stats(&self) -> gst::Structure {
        self.sink.property("stats")
    }

    /// How much audio came.
    pub fn received(&self) -> gst::ClockTime {
        gst::ClockTime::from_nseconds(self.stats().get("audio-received").unwrap_or(0))
    }

    /// How much of it was dropped and not recognised.
    pub fn dropped(&self) -> gst::ClockTime {
        gst::ClockTime::from_nseconds(self.stats().get("audio-dropped").unwrap_or(0))
    }
}

impl Drop for Recognition {
    fn drop(&mut self) {
        stop::stop(&self.pipeline, &self.is_stopped);
    }
}

fn add_device(
    pipeline: &gst::Pipeline,
    device: &gst::Device,
    convert: &gst::Element,
) -> Result<(), String> {
    let source = device.create_element(None);
    let source = source.map_err(|error| error.message.to_string())?;
    pipeline
        .add(&source)
        .and_then(|()| source.link(convert))
        .map_err(|error| error.message.to_string())
}
