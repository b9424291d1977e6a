//! GStreamer plugin with the element `volcasrsink`, which streams audio to Volcengine's speech
//! recognition and posts what is said on the bus.
//!
//! # A map of the house
//!
//! Four floors, and arrows point down only: `volcasrsink → client → session → protocol`.
//!
//! - `volcasrsink`: the element, GStreamer to the floors below and back. The only one that names
//!   GStreamer.
//! - `client`: tokio; the connection, its deadlines, its reconnections. The only one that knows
//!   sockets and clocks.
//! - [`session`]: one stream of audio as the service sees it; no I/O, and time comes in as a value.
//! - [`protocol`]: bytes and JSON to types and back.
//!
//! Audio flows one way: `render` hands samples to the client's queue, which cuts chunks; the client's
//! task numbers and frames them. Responses flow back: decoded, turned into utterances on the stream's
//! axis, mapped to the pipeline's time, posted.

mod client;
pub mod protocol;
pub mod session;
mod volcasrsink;

fn plugin_init(plugin: &gst::Plugin) -> Result<(), gst::glib::BoolError> {
    volcasrsink::register(plugin)
}

gst::plugin_define!(
    volcasr,
    env!("CARGO_PKG_DESCRIPTION"),
    plugin_init,
    concat!(env!("CARGO_PKG_VERSION"), "-", env!("COMMIT_ID")),
    "MPL-2.0",
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_NAME"),
    env!("BUILD_REL_DATE")
);
