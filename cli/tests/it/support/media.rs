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
    super::init();
    let pipeline = gst::parse::launch(line).expect(line);
    let bus = pipeline.bus().expect("a bus");
    pipeline.set_state(gst::State::Playing).expect(line);
    let ends = [gst::MessageType::Eos, gst::MessageType::Error];
    let end = bus.timed_pop_filtered(gst::ClockTime::from_seconds(60), &ends);
    pipeline.set_state(gst::State::Null).expect("NULL");
    let end = end.expect("an end");
    assert_eq!(end.type_(), gst::MessageType::Eos, "{line}: {end:?}");
}

/// Reports elements that are missing here, as the reason to skip a test.
pub fn missing(elements: &[&str]) -> Option<String> {
    super::init();
    let missing = elements
        .iter()
        .filter(|name| gst::ElementFactory::find(name).is_none());
    let missing: Vec<&str> = missing.copied().collect();
    (!missing.is_empty()).then(|| format!("no {}", missing.join(", no ")))
}
