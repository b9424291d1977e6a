//! The audio that an element takes.

/// Returns the template of the sink pad: all that the service takes.
pub(crate) fn sink_template() -> Option<gst::PadTemplate> {
    let caps = audio([24_000, 16_000]);
    let (direction, presence) = (gst::PadDirection::Sink, gst::PadPresence::Always);
    gst::PadTemplate::new("sink", direction, presence, &caps).ok()
}

/// Returns the caps that a query gets from an element that takes audio of `rate`.
pub(crate) fn accepted(rate: i32, filter: Option<&gst::Caps>) -> gst::Caps {
    let caps = audio([rate]);
    match filter {
        Some(filter) => filter.intersect_with_mode(&caps, gst::CapsIntersectMode::First),
        None => caps,
    }
}

/// Returns caps for S16LE, mono, at one of `rates`.
fn audio<const N: usize>(rates: [i32; N]) -> gst::Caps {
    let builder = gst::Caps::builder("audio/x-raw")
        .field("format", "S16LE")
        .field("layout", "interleaved");
    match rates.as_slice() {
        [rate] => builder.field("rate", *rate),
        _ => builder.field("rate", gst::List::new(rates)),
    }
    .field("channels", 1)
    .build()
}
