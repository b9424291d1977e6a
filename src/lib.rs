//! GStreamer plugin with the element `volcasrsink`, which streams audio to Volcengine's speech
//! recognition and posts what is said on the bus.
//!
//! # A map of the house
//!
//! Five floors, and arrows point down only: `volcasrsink → element → client → session → protocol`.
//!
//! | floor | holds | may name |
//! |---|---|---|
//! | `volcasrsink` | the sink: its virtual methods, and how its streaming thread waits | GStreamer |
//! | `volcasrtranscriber` | the filter with text out: its pads, and which text leaves when | GStreamer |
//! | `element` | what any element of the plugin needs: settings, a run, times, what is posted | GStreamer |
//! | `client` | the connection, its deadlines, its reconnections | sockets, tasks, clocks (tokio) |
//! | `session` | one stream of audio as the service sees it: numbers, chunks, utterances, what to hear again | nothing of these; time comes in as a value |
//! | `protocol` | bytes and JSON to types and back; what error codes mean | nothing of these |
//!
//! Beside them stands [`cue`], which cuts utterances into cues for a screen. The lower two do no I/O: each of their rules is a plain unit test, and what comes from the network can be fuzzed (`fuzz/`).
//!
//! ## Audio goes down
//!
//! 1. The streaming thread calls `render`. A buffer is clipped to its segment, and `input` decides what a jump in its timestamps means:
//!    nothing, silence, or the end of a session.
//! 2. Its samples go into the client's queue, with an anchor: this position on the stream's axis is
//!    that time in the pipeline. If the queue is full, the oldest audio is dropped, or the thread has
//!    waited for room: in a probe on the element's pad, before `render`
//!    (`volcasrsink::preroll`).
//! 3. The driver, one task for each element on a runtime for all of them, takes chunks from the queue, paces them, and writes them as frames.
//!    What was sent and is not settled is kept in `session::replay_buffer`.
//!
//! ## Words come up
//!
//! 1. The driver reads frames; `protocol::response` decodes them, tolerantly.
//! 2. `session::transcript` turns lists of utterances, which the service repeats, revises and cuts anew, into updates of numbered ones.
//! 3. The element's outbox posts them in order, from a thread that is neither the driver's nor the streaming one, because an
//!    application's handler may block there. The anchors map the stream's axis to the pipeline's time.
//! 4. Events that wait for all of it (EOS, a flow error) wait for the outbox.
//!
//! ## When something fails
//!
//! Everything that ends a connection is a `ClientError`, which knows whether it is worth another try
//! (`protocol::failure` for what the service says). If it is, the driver goes back to what is not settled, and the same utterances go on. If
//! not, one error is posted, with its cause and the way out.
//!
//! # In a program
//!
//! GStreamer finds the plugin (`GST_PLUGIN_PATH`, or installed), or it is linked: [`plugin_register_static`].
//! [`Transcript`] is what the element posts, [`Leaky`], [`Compression`] and [`ResultType`] are values of its
//! properties.
//!
//! ```no_run
//! use gst::prelude::*;
//!
//! gst::init()?;
//! gstvolcasr::plugin_register_static()?;
//! let pipeline = gst::parse::launch("pulsesrc ! audioconvert ! audioresample ! volcasrsink name=asr")?;
//! let asr = pipeline.downcast_ref::<gst::Bin>().and_then(|bin| bin.by_name("asr"));
//! if let Some(asr) = asr {
//!     asr.set_property("leaky", gstvolcasr::Leaky::Downstream);
//! }
//! pipeline.set_state(gst::State::Playing)?;
//! let bus = pipeline.bus().expect("a pipeline has one");
//! for message in bus.iter_timed(gst::ClockTime::NONE) {
//!     if let Some(transcript) = gstvolcasr::Transcript::from_message(&message) {
//!         println!("{}", transcript.text);
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// GStreamer's documentation generator reads this one.
/**
 * plugin-volcasr:
 *
 * Since: 0.1.0
 */
use std::sync::{Mutex, PoisonError};

mod client;
pub mod cue;
mod element;
mod message;
mod sync;
mod volcasrsink;
mod volcasrtranscriber;

// Benchmarks and fuzz targets reach what has no I/O; nothing of it is an interface.
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod protocol;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod session;

#[cfg(not(feature = "internals"))]
mod protocol;
#[cfg(not(feature = "internals"))]
mod session;

pub use message::{Times, Transcript, TranscriptError, Word};
pub use volcasrsink::{Compression, Leaky, ResultType};
pub use volcasrtranscriber::Grouping;

mod plugin {
    // What the macro writes speaks for itself.
    #![allow(missing_docs)]

    fn plugin_init(plugin: &gst::Plugin) -> Result<(), gst::glib::BoolError> {
        crate::volcasrsink::register(plugin)?;
        crate::volcasrtranscriber::register(plugin)
    }

    gst::plugin_define!(
        volcasr,
        env!("CARGO_PKG_DESCRIPTION"),
        plugin_init,
        concat!(env!("CARGO_PKG_VERSION"), "-", env!("COMMIT_ID")),
        "MPL-2.0",
        env!("CARGO_PKG_NAME"),
        env!("CARGO_PKG_NAME"),
        // The plugin has no address of its own: the service's description.
        "https://www.volcengine.com/docs/6561/1354869",
        env!("BUILD_REL_DATE")
    );
}

/// Registers the plugin in an application that is linked with this library, after `gst::init`.
///
/// No `GST_PLUGIN_PATH` is needed then. To call it again does nothing.
///
/// # Errors
/// GStreamer refuses the plugin.
///
/// ```
/// use gst::prelude::*;
///
/// gst::init()?;
/// gstvolcasr::plugin_register_static()?;
/// let sink = gst::ElementFactory::make("volcasrsink")
///     .property("sync", false)
///     .build()?;
/// assert_eq!(sink.property::<i32>("rate"), 24_000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn plugin_register_static() -> Result<(), gst::glib::BoolError> {
    // GStreamer replaces the element's factory on another registration, while the class goes on to point to the first one.
    static DONE: Mutex<bool> = Mutex::new(false);
    let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    if !*done {
        plugin::plugin_desc::plugin_register_static()?;
        *done = true;
    }
    Ok(())
}
