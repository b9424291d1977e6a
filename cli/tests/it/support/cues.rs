//! Subtitles as GStreamer's own parser reads them, and launch lines in general.

use std::path::Path;

use gst::prelude::*;

/// Its text, in Pango's markup, with start and end in milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Cue {
    pub text: String,
    pub start: u64,
    pub end: u64,
}

/// All cues of a file; its kind is found by its content.
pub fn read(path: &Path) -> Vec<Cue> {
    let file = path.display();
    let line = format!("filesrc location=\"{file}\" ! subparse ! appsink name=out sync=false");
    let mut read = Vec::new();
    play(&line, |sample| {
        let buffer = sample.buffer().expect("a cue");
        let text = buffer.map_readable().expect("a text");
        let start = buffer.pts().expect("a time");
        let end = start + buffer.duration().expect("a duration");
        read.push(Cue {
            text: String::from_utf8(text.to_vec()).expect("UTF-8"),
            start: start.mseconds(),
            end: end.mseconds(),
        });
    });
    read
}

/// Plays a launch line to its end, and hands over each sample of the sink `out`.
pub fn play(line: &str, mut take: impl FnMut(&gst::Sample)) {
    gst::init().expect("GStreamer");
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
