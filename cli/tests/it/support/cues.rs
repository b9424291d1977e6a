//! Subtitles as GStreamer's own parser reads them.

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
    let pipeline =
        gst::parse::launch("filesrc name=file ! subparse ! appsink name=cues sync=false")
            .expect("subparse")
            .downcast::<gst::Pipeline>()
            .expect("a pipeline");
    let file = pipeline.by_name("file").expect("a filesrc");
    file.set_property("location", path);
    let cues = pipeline.by_name("cues").expect("an appsink");
    let cues = cues.downcast::<gst_app::AppSink>().expect("an appsink");
    pipeline.set_state(gst::State::Playing).expect("a file");
    let mut read = Vec::new();
    while let Ok(sample) = cues.pull_sample() {
        let buffer = sample.buffer().expect("a cue");
        let text = buffer.map_readable().expect("a text");
        let start = buffer.pts().expect("a time");
        let end = start + buffer.duration().expect("a duration");
        read.push(Cue {
            text: String::from_utf8(text.to_vec()).expect("UTF-8"),
            start: start.mseconds(),
            end: end.mseconds(),
        });
    }
    let bus = pipeline.bus().expect("a bus");
    let error = bus.pop_filtered(&[gst::MessageType::Error]);
    pipeline.set_state(gst::State::Null).expect("NULL");
    assert!(error.is_none(), "{}: {error:?}", path.display());
    read
}
