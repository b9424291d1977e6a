//! The audio that an element takes.

/// Returns caps for S16LE, mono, at one of `rates`.
pub(crate) fn audio<const N: usize>(rates: [i32; N]) -> gst::Caps {
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
