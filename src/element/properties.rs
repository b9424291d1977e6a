//! The properties of the element's class, including those that can only be read.

use std::sync::LazyLock;

use gst::glib;
use gst::prelude::*;

use crate::element::settings;

/// Specifications of all properties.
pub(crate) static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> =
    LazyLock::new(|| settings::specs().chain(results()).collect());

/// Returns the specifications of those that can only be read.
pub(crate) fn results() -> [glib::ParamSpec; 3] {
    let id = |name, nick, blurb| {
        glib::ParamSpecString::builder(name)
            .nick(nick)
            .blurb(blurb)
            .read_only()
            .build()
    };
    [
        glib::ParamSpecBoxed::builder::<gst::Structure>("stats")
            .nick("Statistics")
            .blurb(
                "What was done so far: connections, frames, audio, latencies; times in nanoseconds",
            )
            .read_only()
            .build(),
        id(
            "log-id",
            "Log id",
            "The service's id of the current or last connection, which the vendor's support asks \
             for",
        ),
        id(
            "connect-id",
            "Connect id",
            "This element's id of the current or last connection",
        ),
    ]
}
