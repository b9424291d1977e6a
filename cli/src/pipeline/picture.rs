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
use super::silence;
use super::source::{self, Targets};
use crate::output::format::Looks;

/// Name of the sink that takes all text.
pub const WORDS: &str = "volcasr-words";
/// Names of elements in the bin.
const OVERLAY: &str = "volcasr-overlay";
const FILE: &str = "volcasr-file";
const CROP: &str = "volcasr-crop";
const GAPLESS: &str = "volcasr-gapless";
const ENTRIES: [&str; 2] = ["volcasr-picture", "volcasr-sound"];
const ENCODED: [&str; 2] = ["volcasr-frames", "volcasr-samples"];
/// The one that all players know.
const CHROMA: &str = "video/x-raw,format=I420";
/// A queue of decoded data: it is large, and only a thread of its own counts.
const SMALL: &str = "max-size-buffers=8 max-size-bytes=0 max-size-time=0";
/// A queue of encoded data. The muxer waits for all its inputs, and the sound is far ahead of the
/// picture, which waits for words.
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
         {tee}. ! fakesink name={WORDS} sync=false async=false",
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

    /// Whether this object reads the input for it.
    pub fn reads(&self, object: Option<&gst::Object>) -> bool {
        let source = self.bin.by_name(source::NAME);
        let is_own = |source: gst::Element| {
            object.is_some_and(|object| object == &source || object.has_as_ancestor(&source))
        };
        source.is_some_and(is_own)
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
    // Lines of two moments would tear the letters.
    let progressive = optional("deinterlace fields=top");
    // Telephones write a picture as the sensor has it, and how it is to be turned.
    let upright = optional("videoflip video-direction=auto");
    let even = optional(&format!("videocrop name={CROP}"));
    let gapless = silence::CAPS;
    let [frames, samples] = ENCODED;
    let Encoding {
        overlay,
        video,
        audio,
        muxer,
    } = encoding;
    let description = format!(
        "{muxer} name=volcasr-muxer ! filesink name={FILE} async=false \
         queue name={picture} {SMALL} ! videoconvert ! {progressive}{upright}{even}{overlay} \
         name={OVERLAY} ! videoconvert ! {CHROMA} ! {video} ! queue name={frames} {ROOMY} ! \
         volcasr-muxer. \
         queue name={sound} {SMALL} ! audioconvert ! audioresample ! \
         capsfilter name={GAPLESS} caps=\"{gapless}\" ! audioconvert ! {audio} ! \
         queue name={samples} {ROOMY} ! volcasr-muxer."
    );
    let bin = gst::parse::bin_from_description(&description, false);
    let bin = bin.map_err(|error| error.message().to_owned())?;
    let overlay = bin.by_name(OVERLAY).ok_or("an element is missing")?;
    let text = overlay.static_pad("text_sink").ok_or("a pad is missing")?;
    gst::GhostPad::builder_with_target(&text)
        .and_then(|pad| bin.add_pad(&pad.name("text").build()))
        .map_err(|error| error.message.to_string())?;
    if let Some(crop) = bin.by_name(CROP) {
        crop_to_even(&crop)?;
    }
    let pad = |name, pad| bin.by_name(name)?.static_pad(pad);
    let (gapless, entry) = pad(GAPLESS, "src")
        .zip(pad(picture, "sink"))
        .ok_or("a pad is missing")?;
    silence::fill_gaps(&gapless, &entry);
    Ok(bin)
}

/// A piece of a launch line, where its element is installed.
fn optional(piece: &str) -> String {
    let name = piece.split(' ').next().unwrap_or(piece);
    match gst::ElementFactory::find(name) {
        Some(_) => format!("{piece} ! "),
        None => String::new(),
    }
}

/// Cuts a last line or column that has no second one: encoders halve the size for colours.
fn crop_to_even(crop: &gst::Element) -> Result<(), String> {
    let pad = crop.static_pad("sink").ok_or("a pad is missing")?;
    let crop = crop.downgrade();
    pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
        let event = info.event().map(|event| event.view());
        if let (Some(gst::EventView::Caps(event)), Some(crop)) = (event, crop.upgrade()) {
            let size = |name: &str| event.caps().structure(0)?.get::<i32>(name).ok();
            for (name, side) in [("width", "right"), ("height", "bottom")] {
                crop.set_property(side, size(name).unwrap_or(0) % 2);
            }
        }
        gst::PadProbeReturn::Ok
    });
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::super::encode::Container;
    use super::*;

    /// Writes a film of this picture, and a second of sound; returns the caps of its picture.
    fn write(encoding: &Encoding, picture: &str, to: &Path) -> gst::Caps {
        let bin = bin(encoding).expect("a bin");
        bin.by_name(FILE).unwrap().set_property("location", to);
        let sound = "audiotestsrc num-buffers=10 samplesperbuffer=4800 ! audio/x-raw,rate=48000";
        for (name, front) in ENTRIES.iter().zip([picture, sound]) {
            let front = format!("{front} ! queue");
            let front = gst::parse::bin_from_description(&front, true).expect("a front");
            bin.add(&front).expect("a front");
            front.link(&bin.by_name(name).unwrap()).expect("a link");
        }
        let text = gst::ElementFactory::make("fakesrc").property("num-buffers", 0);
        let text = text.build().expect("a source");
        let pipeline = gst::Pipeline::new();
        pipeline.add(&text).expect("a source");
        pipeline.add(&bin).expect("a bin");
        text.link(&bin).expect("a link");
        pipeline.set_state(gst::State::Playing).expect("PLAYING");
        let ends = [gst::MessageType::Eos, gst::MessageType::Error];
        let limit = gst::ClockTime::from_seconds(60);
        let end = pipeline.bus().unwrap().timed_pop_filtered(limit, &ends);
        let end = end.expect("an end");
        assert_eq!(end.type_(), gst::MessageType::Eos, "{encoding:?}: {end:?}");
        let [frames, _] = ENCODED.map(|name| bin.by_name(name).unwrap().static_pad("sink"));
        let caps = frames.unwrap().current_caps().expect("caps");
        pipeline.set_state(gst::State::Null).expect("NULL");
        caps
    }

    fn place(name: &str) -> std::path::PathBuf {
        std::env::temp_dir().join(format!("volcasr-{}-{name}", std::process::id()))
    }

    fn has(name: &str) -> bool {
        gst::ElementFactory::find(name).is_some()
    }

    /// Of a size, and with colours, that not every encoder and player takes.
    #[test]
    fn each_encoder_that_is_installed_writes_what_players_know() {
        gst::init().expect("GStreamer");
        let picture = "videotestsrc num-buffers=15 ! \
                       video/x-raw,format=Y444,width=161,height=91,framerate=15/1";
        for container in [
            Container::Matroska,
            Container::WebM,
            Container::Mp4,
            Container::Ogg,
        ] {
            for encoding in container.encodings(has) {
                let to = place("each");
                let caps = write(&encoding, picture, &to);
                let caps = caps.structure(0).expect("caps");
                let size = ["width", "height"].map(|name| caps.get::<i32>(name).expect(name));
                assert_eq!(size, [160, 90], "{encoding:?}");
                let profile = caps.get::<String>("profile").unwrap_or_default();
                assert!(!profile.contains("4:"), "{encoding:?}: {profile}");
                assert!(to.metadata().expect("a film").len() > 5000, "{encoding:?}");
                std::fs::remove_file(to).expect("a film");
            }
        }
    }

    /// A limit would blur a large picture; noise stands for it.
    #[test]
    fn h264_has_no_limit_of_the_bitrate() {
        gst::init().expect("GStreamer");
        let picture = "videotestsrc pattern=snow num-buffers=30 ! \
                       video/x-raw,width=640,height=360,framerate=30/1";
        let encodings = Container::Mp4.encodings(has);
        for encoding in encodings.iter().filter(|one| one.video.contains("264enc")) {
            let to = place("noise");
            write(encoding, picture, &to);
            let size = to.metadata().expect("a film").len();
            assert!(size > 1_500_000, "{encoding:?}: {size}");
            std::fs::remove_file(to).expect("a film");
        }
    }
}
