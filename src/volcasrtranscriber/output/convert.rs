//! Structures, times and the error that GStreamer gets.

use std::time::Duration;

use gst::glib;

use crate::element::bus::post_message;
use crate::volcasrtranscriber::schedule::Item;

pub(super) fn new_item(item: &Item) -> gst::Structure {
    gst::Structure::builder("rstranscribe/new-item")
        .field("speaker", item.speaker.as_deref())
        .field("content", item.text.as_str())
        .field("running-time", clock_time(item.running))
        .field("duration", clock_time(item.duration))
        .build()
}

pub(super) fn clock_time(time: Duration) -> gst::ClockTime {
    gst::ClockTime::try_from(time).unwrap_or(gst::ClockTime::MAX)
}

/// Posts the error of a flow that downstream refused after EOS had come in.
pub(in crate::volcasrtranscriber) fn post_flow_error(
    element: &gst::Element,
    error: gst::FlowError,
) {
    let text = format!("Downstream refused the text: {error}. The first error names the cause.");
    let error = glib::Error::new(gst::StreamError::Failed, &text);
    let message = gst::message::Error::builder_from_error(error)
        .src(element)
        .build();
    post_message(element, message);
}
