//! GStreamer plugin with two elements that stream audio to Volcengine's speech recognition:
//! `volcasrsink` posts what is said on the bus, `volcasrtranscriber` pushes it as text buffers.
//!
//! # Map of the code
//!
//! Five layers, and dependencies point down only: the two elements, then
//! `element → client → session → protocol`. Neither element uses the other.
//!
//! | layer | holds | may name |
//! |---|---|---|
//! | `volcasrsink`, `volcasrtranscriber` | virtual methods, waits, when text leaves | GStreamer |
//! | `element` | what the elements share: settings, a run, times, what is posted | GStreamer |
//! | `client` | the connection: network, driver, reports | sockets, tasks, clocks |
//! | `session` | a state machine: queue, replay, retries, deadlines, transcript | time as a value |
//! | `protocol` | bytes and JSON to types and back; the meaning of error codes | bytes, JSON |
//!
//! Beside them stand [`cue`], which cuts utterances into cues for a screen, and `message`, with
//! which programs read the elements' messages. `session` and `protocol` do no I/O: their rules are
//! plain unit tests, and input from the network is fuzzed (`fuzz/`).
//!
//! ## From the microphone to the service
//!
//! 1. The streaming thread calls `VolcAsrSink::render` or `VolcAsrTranscriber::chain`. The buffer
//!    is clipped to its segment, and `element::input` decides what a jump of its timestamp means:
//!    nothing, silence, the end of the session, or repeated audio, which is skipped.
//! 2. The samples go into the client's queue, with an anchor that maps their position in the stream
//!    to the pipeline's time. A full queue drops its oldest audio, or exerts backpressure: the
//!    thread waits for space. In the sink it does so before `render`, in a probe on the element's
//!    pad (`volcasrsink::preroll`).
//! 3. `session::recognition` takes chunks from the queue, paces them, and makes frames of them.
//!    Audio without final text stays in `session::replay_buffer`. The driver, one task for each
//!    element on a runtime for all of them, hands the frames to the socket.
//!
//! Follow a buffer through six functions: `Run::push_buffer`, `Client::push` (which fills the queue
//! and wakes the driver in `Driver::wait`), `Driver::transmit`, `Recognition::poll_transmit`,
//! `Recognition::next_frame`, `WebSocket::send`.
//!
//! ## From the service to the bus
//!
//! 1. The driver reads frames and hands them to `session::recognition`, whose decoder reads them
//!    tolerantly (`protocol::response`).
//! 2. `session::transcript` turns lists of utterances, which the service repeats and revises, into
//!    updates of numbered utterances.
//! 3. The element's outbox posts them in order from a thread pool, because an application's handler
//!    may block. The backlog behind such a handler is bounded. The anchors map positions back to
//!    the pipeline's time.
//! 4. EOS and a flow error wait until the messages that precede them are on the bus.
//!
//! Follow a response through six functions: `Driver::on_message`, `Recognition::handle_message`
//! (which has it decoded), `Recognition::on_response` (which has `TranscriptTracker::respond` make
//! the updates), `Reporter::pass_on` (which `Driver::advance` calls for each output),
//! `Outbox::handle` (by the trait `client::EventHandler`; it fills the outbox),
//! `BusPoster::post_event`.
//!
//! `Outbox::handle` first hands each event to a `Listener`, if there is one. The transcriber's is
//! `TextListener::on_event`: it fills the `Schedule`, from which the text pad's task pushes.
//!
//! ## When something fails
//!
//! A connection ends with a `ClientError`, which tells whether to try again (`protocol::failure`
//! for errors of the service). If so, `session::recognition` backs off, has the driver connect, and
//! replays the audio without final text; utterances keep their numbers. Otherwise one error is
//! posted, with its cause and the way out. `CONTRIBUTING.md` says which file has which rule.
//!
//! Read on the way: `Recognition::on_connection_end`, `Recognition::on_lost`, `Stream::restart`,
//! `Retries::on_failure`.
//!
//! # In a program
//!
//! GStreamer finds the plugin if it is installed or in `GST_PLUGIN_PATH`. A program that links this
//! library calls [`plugin_register_static`]. [`Transcript`] reads the element's messages;
//! [`Leaky`], [`Compression`], [`ResultType`] and [`Grouping`] are values of properties.
//!
//! ```no_run
//! use gst::prelude::*;
//!
//! gst::init()?;
//! gstvolcasr::plugin_register_static()?;
//! let launch = "pulsesrc ! audioconvert ! audioresample ! volcasrsink name=asr";
//! let pipeline = gst::parse::launch(launch)?;
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

// Read by GStreamer's documentation generator.
/**
 * plugin-volcasr:
 *
 * Since: 0.1.0
 */
use std::sync::Mutex;

mod client;
pub mod cue;
mod element;
mod message;
mod sync;
mod volcasrsink;
mod volcasrtranscriber;

// Public for benchmarks and fuzz targets only.
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
    // The macro writes items without docs.
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
        // The service's documentation: the plugin has no address of its own.
        "https://www.volcengine.com/docs/6561/1354869",
        env!("BUILD_REL_DATE")
    );
}

/// Returns the proxy, without its login, through which an element reaches `uri`, or `None`.
///
/// `proxy` is the element's property of that name; without it the environment decides. For the
/// program `volcasr`, which shows it.
#[doc(hidden)]
pub fn proxy_for(uri: &str, proxy: Option<&str>) -> Option<String> {
    let properties = client::ProxyProperties {
        uri: proxy,
        ..client::ProxyProperties::default()
    };
    // The element reports a proxy that can't be used when it starts.
    let endpoint = client::Endpoint::parse(uri, true).ok()?;
    let variables = client::ProxyVariables::read();
    let proxy = client::choose_proxy(properties, &variables, &endpoint).ok()??;
    Some(proxy.to_string())
}

/// Registers the plugin in an application that is linked with this library, after `gst::init`.
///
/// No `GST_PLUGIN_PATH` is needed then. Further calls have no effect.
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
    // Another registration would replace the element's factory, while the class points to the
    // first.
    static DONE: Mutex<bool> = Mutex::new(false);
    let mut done = sync::lock(&DONE);
    if !*done {
        plugin::plugin_desc::plugin_register_static()?;
        *done = true;
    }
    Ok(())
}
