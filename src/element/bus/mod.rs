//! Everything that is posted, in order.
//!
//! - [`outbox`] queues what is to be posted, and runs the job that posts it;
//! - [`poster`] makes messages of events, from [`messages`], [`tags`], [`warnings`] and [`errors`];
//! - [`progress`] is the progress `connect`, [`stats`] the property of that name.

use std::time::Duration;

use gst::prelude::*;

pub(crate) mod errors;
pub(crate) mod messages;
pub(crate) mod outbox;
pub(crate) mod poster;
pub(crate) mod progress;
pub(crate) mod stats;
pub(crate) mod tags;
pub(crate) mod warnings;

/// Posts a message. Without a bus it is dropped, as GStreamer does it.
pub(crate) fn post_message(element: &gst::Element, message: gst::Message) {
    let _ = element.post_message(message);
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
