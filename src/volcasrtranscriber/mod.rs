//! The element `volcasrtranscriber`: audio in, text out.
//!
//! - `imp` has the virtual methods, `input` what they do for the sink pad, `queries` for queries;
//!   `start` begins a run with the first buffer;
//! - [`settings`] declares the properties that the sink has not;
//! - [`schedule`] decides which text leaves when, without GStreamer;
//! - [`listener`] brings the client's events there, in the pipeline's times;
//! - [`output`] pushes what leaves, on one task for the text pad; [`unsynced`] does so for the
//!   service's responses.
//!
//! The parts that elements share lie in [`element`](crate::element).

// GStreamer's documentation generator reads this one.
/**
 * SECTION:element-volcasrtranscriber
 * @title: volcasrtranscriber
 * @short_description: A filter that turns speech into text, by Volcengine's recognition service
 *
 * `volcasrtranscriber` takes mono audio of 16 bits, streams it to the service (v3 `sauc`), and
 * pushes what is said as text buffers: words, utterances or cues, as `grouping` says. It posts
 * the same messages as `volcasrsink`.
 *
 * Credentials come from the environment (`VOLCENGINE_APP_ID` and `VOLCENGINE_ACCESS_KEY`, or
 * `VOLCENGINE_API_KEY`) or from the properties `app-key` and `access-key`, or `api-key`. A launch
 * line shows them to others.
 *
 * ## Example pipelines
 *
 * Captions over a file's picture:
 *
 * ```bash
 * gst-launch-1.0 -e filesrc location=talk.mkv ! decodebin name=d \
 *     d. ! videoconvert ! queue ! textoverlay name=o ! videoconvert ! autovideosink \
 *     d. ! audioconvert ! audioresample ! volcasrtranscriber grouping=cue ! o.text_sink
 * ```
 *
 * Subtitles in a file:
 *
 * ```bash
 * gst-launch-1.0 -e uridecodebin uri=file:///tmp/talk.mp3 ! audioconvert ! audioresample ! \
 *     volcasrtranscriber grouping=cue ! webvttenc ! filesink location=talk.vtt
 * ```
 *
 * Since: 0.1.0
 */
use std::sync::LazyLock;

use gst::glib;
use gst::prelude::*;

mod imp;
mod input;
mod listener;
mod output;
mod queries;
mod schedule;
mod settings;
mod start;
mod unsynced;

pub use settings::Grouping;

/// The category of the element's log.
static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "volcasrtranscriber",
        gst::DebugColorFlags::empty(),
        Some("Volcengine speech transcriber"),
    )
});

glib::wrapper! {
    /// A filter that turns speech into text.
    pub struct VolcAsrTranscriber(ObjectSubclass<imp::VolcAsrTranscriber>)
        @extends gst::Element, gst::Object,
        @implements gst::Preset;
}

/// Registers the element.
pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    Grouping::static_type().mark_as_plugin_api(gst::PluginAPIFlags::empty());
    gst::Element::register(
        Some(plugin),
        "volcasrtranscriber",
        gst::Rank::NONE,
        VolcAsrTranscriber::static_type(),
    )
}
