//! The pipeline: input, conversion, and the element that recognises.

use std::path::PathBuf;

use gst::glib;
use gst::prelude::*;

use super::input::Input;
use super::options::ServiceOptions;

/// GStreamer and the plugin, which is linked into the program: no GST_PLUGIN_PATH is needed.
pub fn init() -> Result<(), String> {
    gst::init().map_err(|error| format!("GStreamer: {error}"))?;
    gstvolcasr::plugin_register_static().map_err(|error| format!("the plugin: {error}"))
}

/// A pipeline that recognises; stopped when it is dropped.
pub struct Recognition {
    pipeline: gst::Pipeline,
    sink: gst::Element,
}

impl Recognition {
    /// Fails when the command line can't be used.
    pub fn new(input: &Input, options: &ServiceOptions, realtime: bool) -> Result<Self, String> {
        let description = format!(
            "{} ! audioconvert ! audioresample ! volcasrsink name=asr",
            input.description()
        );
        let pipeline = gst::parse::launch(&description)
            .map_err(|error| error.message().to_owned())?
            .downcast::<gst::Pipeline>()
            .map_err(|_| "this is no pipeline")?;
        let sink = pipeline.by_name("asr").ok_or("an element named asr")?;
        if let (Input::Uri(uri), Some(source)) = (input, pipeline.by_name("input")) {
            source.set_property("uri", uri);
        }
        // A file is read as fast as the service takes it. A live source paces itself.
        sink.set_property("sync", realtime);
        options.apply(&sink)?;
        Ok(Recognition { pipeline, sink })
    }

    /// The files that it reads or, in a piece of a launch line, writes.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for element in self.pipeline.iterate_recurse().into_iter().flatten() {
            for name in ["location", "uri"] {
                let has = element.find_property(name).is_some_and(|pspec| {
                    pspec.value_type() == String::static_type()
                        && pspec.flags().contains(glib::ParamFlags::READABLE)
                });
                let named = has.then(|| element.property::<Option<String>>(name));
                files.extend(named.flatten().map(|named| {
                    glib::filename_from_uri(&named).map_or_else(|_| named.into(), |(path, _)| path)
                }));
            }
        }
        files
    }

    /// All messages from the first one on.
    pub fn messages(&self) -> Result<gst::bus::BusStream, String> {
        let bus = self.pipeline.bus().ok_or("a pipeline without a bus")?;
        Ok(bus.stream())
    }

    /// Starts. What prevents it is among the messages.
    pub fn start(&self) {
        if self.pipeline.set_state(gst::State::Playing).is_err() {
            // The element at fault has posted why. This one comes after that, so that nobody waits if it has not.
            gst::element_error!(
                self.pipeline,
                gst::CoreError::StateChange,
                ("The pipeline does not start.")
            );
        }
    }

    /// Ends the stream in good order: the last words are still to come, then EOS.
    pub fn end(&self) {
        self.pipeline.send_event(gst::event::Eos::new());
    }

    /// How far the input has been read.
    pub fn position(&self) -> Option<gst::ClockTime> {
        self.pipeline.query_position()
    }

    /// How long the input is, where that is known.
    pub fn duration(&self) -> Option<gst::ClockTime> {
        self.pipeline.query_duration()
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
        // To NULL never fails for a pipeline that is going away.
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}
