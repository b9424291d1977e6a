//! The input's picture with the captions drawn into it, encoded into a file with the sound.
//!
//! The input is read a second time for it: recognition runs ahead of the picture by as much as the
//! service and the encoder need, and neither waits for the other's data.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use gst::prelude::*;

use super::encode::Encoding;
use super::extent::{self, Extent};
use super::pads::{drop_when, send_eos};
use super::source::{self, Targets};
use crate::output::format::Looks;

/// Names of elements in the bin.
const OVERLAY: &str = "volcasr-overlay";
const FILE: &str = "volcasr-file";
const ENTRIES: [&str; 2] = ["volcasr-picture", "volcasr-sound"];
const ENCODED: [&str; 2] = ["volcasr-frames", "volcasr-samples"];
/// A queue of decoded data: it is large, and only a thread of its own counts.
const SMALL: &str = "max-size-buffers=8 max-size-bytes=0 max-size-time=0";
/// A queue of encoded data. The muxer waits for all its inputs, and learns of one that ends early
/// only at the input's end.
const ROOMY: &str = "max-size-buffers=0 max-size-bytes=268435456 max-size-time=0";
/// Sound that may follow the last frame of a film that is ended early.
const SLACK: Duration = Duration::from_millis(500);
/// Bounds of the transcriber's properties.
const MOST_COLUMNS: usize = 200;
const MOST_LINES: usize = 10;

/// Returns the part of a launch line that recognises and keeps the text for the picture: its last
/// element, `tee`, has the text. The picture may end before the text does, so a sink of its own
/// takes that to its end, and a queue without limits keeps the overlay from holding it up.
pub fn recogniser(name: &str, tee: &str, looks: Looks) -> String {
    format!(
        "volcasrtranscriber name={name} grouping=cue cue-width={} cue-lines={} ! tee name={tee} \
         {tee}. ! fakesink sync=false async=false",
        looks.max_line_width.min(MOST_COLUMNS),
        looks.max_line_count.min(MOST_LINES)
    )
}

/// The second reading, and what becomes of it.
#[derive(Debug)]
pub struct Picture {
    bin: gst::Bin,
    written: Arc<Written>,
    is_closed: Arc<AtomicBool>,
}

/// Progress of the encoders. Written by streaming threads.
#[derive(Debug, Default)]
struct Written {
    /// Buffers of either.
    buffers: AtomicU64,
    /// Places of the frames.
    extent: Extent,
}

impl Picture {
    /// Adds it to a pipeline: `text` gives the captions of `uri`, whose audio track `track` is the
    /// film's.
    pub fn add(
        pipeline: &gst::Pipeline,
        text: &gst::Element,
        uri: &str,
        track: Option<u32>,
        encoding: &Encoding,
    ) -> Result<Self, String> {
        let bin = bin(encoding)?;
        let message = |error: gst::glib::BoolError| error.message.to_string();
        let [picture, sound] = ENTRIES.map(|name| bin.by_name(name));
        let (picture, sound) = picture.zip(sound).ok_or("an element is missing")?;
        let is_closed = Arc::<AtomicBool>::default();
        for entry in [&picture, &sound] {
            drop_when(entry, &is_closed)?;
        }
        let targets = Targets {
            sound,
            picture: Some(picture),
        };
        source::add(&bin, uri, targets, track, &Arc::default()).map_err(message)?;
        let queue = gst::ElementFactory::make("queue")
            .property("max-size-buffers", 0u32)
            .property("max-size-bytes", 0u32)
            .property("max-size-time", 0u64)
            .build()
            .map_err(message)?;
        pipeline.add(&queue).map_err(message)?;
        pipeline.add(&bin).map_err(message)?;
        gst::Element::link_many([text, &queue, bin.upcast_ref()]).map_err(message)?;
        let written = Arc::default();
        count(&bin, &written)?;
        cut_sound(&bin, &written, &is_closed)?;
        Ok(Picture {
            bin,
            written,
            is_closed,
        })
    }

    /// Sets the file that is written.
    pub fn write_to(&self, path: &Path) {
        if let Some(file) = self.bin.by_name(FILE) {
            file.set_property("location", path);
        }
    }

    /// Whether this object is in it: nothing is written any more once that has failed.
    pub fn has(&self, object: Option<&gst::Object>) -> bool {
        object.is_some_and(|object| object == &self.bin || object.has_as_ancestor(&self.bin))
    }

    /// Ends the film with what has been read of it.
    pub fn end(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
        for entry in ENTRIES.iter().filter_map(|name| self.bin.by_name(name)) {
            send_eos(&entry);
        }
    }

    /// Closes the file.
    pub fn close(&self) {
        self.bin.set_locked_state(true);
        // To NULL never fails for a bin that is going away.
        let _ = self.bin.set_state(gst::State::Null);
    }

    /// Returns a number that grows with each frame and each piece of sound that has been encoded.
    pub fn progress(&self) -> u64 {
        self.written.buffers.load(Ordering::Relaxed)
    }

    /// Returns up to which of the input's times there are frames.
    pub fn end_of_frames(&self) -> gst::ClockTime {
        gst::ClockTime::try_from(self.written.extent.end()).unwrap_or(gst::ClockTime::ZERO)
    }
}

/// Builds the bin: the entries for picture and sound, a pad `text`, and a file at the end.
fn bin(encoding: &Encoding) -> Result<gst::Bin, String> {
    let [picture, sound] = ENTRIES;
    // Telephones write a picture as the sensor has it, and how it is to be turned.
    let upright = match gst::ElementFactory::find("videoflip") {
        Some(_) => "videoflip video-direction=auto ! ",
        None => "",
    };
    let [frames, samples] = ENCODED;
    let Encoding {
        overlay,
        video,
        audio,
        muxer,
    } = encoding;
    let description = format!(
        "{muxer} name=volcasr-muxer ! filesink name={FILE} async=false \
         queue name={picture} {SMALL} ! videoconvert ! {upright}{overlay} name={OVERLAY} ! \
         videoconvert ! {video} ! queue name={frames} {ROOMY} ! volcasr-muxer. \
         queue name={sound} {SMALL} ! audioconvert ! audioresample ! {audio} ! \
         queue name={samples} {ROOMY} ! volcasr-muxer."
    );
    let bin = gst::parse::bin_from_description(&description, false);
    let bin = bin.map_err(|error| error.message().to_owned())?;
    let overlay = bin.by_name(OVERLAY).ok_or("an element is missing")?;
    let text = overlay.static_pad("text_sink").ok_or("a pad is missing")?;
    gst::GhostPad::builder_with_target(&text)
        .and_then(|pad| bin.add_pad(&pad.name("text").build()))
        .map_err(|error| error.message.to_string())?;
    Ok(bin)
}

/// Counts what the encoders give.
fn count(bin: &gst::Bin, written: &Arc<Written>) -> Result<(), String> {
    for (is_picture, name) in [true, false].into_iter().zip(ENCODED) {
        let queue = bin.by_name(name).ok_or("an element is missing")?;
        let pad = queue.static_pad("sink").ok_or("a pad is missing")?;
        let written = written.clone();
        pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
            written.buffers.fetch_add(1, Ordering::Relaxed);
            let place = info.buffer().filter(|_| is_picture);
            if let Some((_, end)) = place.and_then(|buffer| extent::place(pad, buffer)) {
                written.extent.reaches(end);
            }
            gst::PadProbeReturn::Ok
        });
    }
    Ok(())
}

/// Drops sound behind the last frame once this is set: it is encoded long before the picture.
fn cut_sound(
    bin: &gst::Bin,
    written: &Arc<Written>,
    is_closed: &Arc<AtomicBool>,
) -> Result<(), String> {
    let [_, samples] = ENCODED;
    let queue = bin.by_name(samples).ok_or("an element is missing")?;
    let pad = queue.static_pad("src").ok_or("a pad is missing")?;
    let (written, is_closed) = (written.clone(), is_closed.clone());
    pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        if !is_closed.load(Ordering::Relaxed) {
            return gst::PadProbeReturn::Ok;
        }
        let place = info.buffer().and_then(|buffer| extent::place(pad, buffer));
        match place {
            Some((begin, _)) if Duration::from(begin) > written.extent.end() + SLACK => {
                gst::PadProbeReturn::Handled
            }
            _ => gst::PadProbeReturn::Ok,
        }
    });
    Ok(())
}
