//! The element `volcasrsink`.
//!
//! - `imp` holds the virtual methods: properties, states, caps, events, buffers;
//! - `preroll` holds the waits of the streaming thread.
//!
//! The rest is shared with other elements, in [`element`](crate::element).

// GStreamer's documentation generator reads this one.
/**
 * SECTION:element-volcasrsink
 * @title: volcasrsink
 * @short_description: Streams audio to Volcengine's speech recognition and posts what is said
 *
 * `volcasrsink` takes mono audio of 16 bits, streams it to the service (v3 `sauc`), and posts an
 * element message `volcasr-transcript` for each utterance that is new or has changed, while the
 * pipeline runs; the final ones also as the tag `transcript`. Times in the messages are the
 * pipeline's own. At the end of the stream all words are on the bus before EOS is. A connection
 * that is lost is restored.
 *
 * Credentials come from the environment (`VOLCENGINE_APP_ID` and `VOLCENGINE_ACCESS_KEY`, or
 * `VOLCENGINE_API_KEY`) or from the properties `app-key` and `access-key`, or `api-key`. A launch
 * line shows them to others.
 *
 * ## Example pipelines
 *
 * What is said into a microphone, until Ctrl-C:
 *
 * ```bash
 * gst-launch-1.0 -e -t pulsesrc ! audioconvert ! audioresample ! volcasrsink
 * ```
 *
 * A file, faster than real time:
 *
 * ```bash
 * gst-launch-1.0 -e -t uridecodebin uri=file:///tmp/talk.mp3 ! audioconvert ! audioresample ! \
 *     volcasrsink sync=false
 * ```
 *
 * A file that is played at the same time:
 *
 * ```bash
 * gst-launch-1.0 -e -t uridecodebin uri=file:///tmp/talk.mp3 ! audioconvert ! tee name=t \
 *     t. ! queue ! autoaudiosink \
 *     t. ! queue ! audioresample ! volcasrsink leaky=downstream
 * ```
 *
 * Since: 0.1.0
 */
use std::sync::LazyLock;

use gst::glib;
use gst::prelude::*;

mod imp;
mod preroll;

use crate::element::bus::tags;
pub use crate::element::settings::{Compression, Leaky, ResultType};

glib::wrapper! {
    /// A sink that streams audio to Volcengine's speech recognition and posts what is said.
    pub struct VolcAsrSink(ObjectSubclass<imp::VolcAsrSink>)
        @extends gst_base::BaseSink, gst::Element, gst::Object,
        @implements gst::Preset;
}

/// The category of the element's log.
static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "volcasrsink",
        gst::DebugColorFlags::empty(),
        Some("Volcengine speech recognition sink"),
    )
});

/// Registers the element and the tag.
pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    tags::register();
    Leaky::static_type().mark_as_plugin_api(gst::PluginAPIFlags::empty());
    Compression::static_type().mark_as_plugin_api(gst::PluginAPIFlags::empty());
    ResultType::static_type().mark_as_plugin_api(gst::PluginAPIFlags::empty());
    gst::Element::register(
        Some(plugin),
        "volcasrsink",
        gst::Rank::NONE,
        VolcAsrSink::static_type(),
    )
}
