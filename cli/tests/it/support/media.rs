//! Files for the program, made by GStreamer.

use std::path::Path;

use gst::prelude::*;

/// A pipeline's front for raw audio of a file.
pub fn raw(path: &Path) -> String {
    format!(
        "filesrc location=\"{}\" ! rawaudioparse format=pcm pcm-format=s16le sample-rate=24000 \
         num-channels=1",
        path.display()
    )
}

/// Runs a launch line to its end.
pub fn make(line: &str) {
    play(line, |_| {});
}

/// The same, and hands over each sample of the sink `out`.
pub fn play(line: &str, mut take: impl FnMut(&gst::Sample)) {
    super::init();
    let pipeline = gst::parse::launch(line).expect(line);
    let pipeline = pipeline.downcast::<gst::Pipeline>().expect("a pipeline");
    let bus = pipeline.bus().expect("a bus");
    pipeline.set_state(gst::State::Playing).expect(line);
    if let Some(sink) = pipeline.by_name("out") {
        let sink = sink.downcast::<gst_app::AppSink>().expect("an appsink");
        // None comes after an error.
        while let Some(sample) = sink.try_pull_sample(gst::ClockTime::from_seconds(60)) {
            take(&sample);
        }
    }
    let ends = [gst::MessageType::Eos, gst::MessageType::Error];
    let end = bus.timed_pop_filtered(gst::ClockTime::from_seconds(60), &ends);
    pipeline.set_state(gst::State::Null).expect("NULL");
    let end = end.expect("an end");
    assert_eq!(end.type_(), gst::MessageType::Eos, "{line}: {end:?}");
}

/// Skips a test where an element is missing.
macro_rules! needs {
    ($($elements:literal)*) => {
        $crate::support::init();
        for element in concat!($($elements),*).split(' ') {
            if gst::ElementFactory::find(element).is_none() {
                return $crate::support::skip(&format!("no {element}"));
            }
        }
    };
}
pub(crate) use needs;
