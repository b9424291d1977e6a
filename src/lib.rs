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

mod plugin {
    // What the macro writes speaks for itself.
    #![allow(missing_docs)]

    fn plugin_init(plugin: &gst::Plugin) -> Result<(), gst::glib::BoolError> {
        crate::volcasrsink::register(plugin)
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
}

/// Registers the plugin in an application that is linked with this library, after `gst::init`.
///
/// Fails when GStreamer refuses, as it does for a second plugin of the same name.
pub fn plugin_register_static() -> Result<(), gst::glib::BoolError> {
    plugin::plugin_desc::plugin_register_static()
}
