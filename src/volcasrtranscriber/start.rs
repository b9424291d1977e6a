//! The run, and the language that it asks for.
//!
//! The run begins with the first buffer. Bins that look for a transcriber put one into PAUSED
//! without credentials, so that state must neither fail nor connect.

use std::sync::Arc;

use gst::prelude::*;
use gst::subclass::prelude::*;

use super::CAT;
use super::imp::VolcAsrTranscriber;
use super::listener::TextListener;
use crate::element::run::Run;
use crate::sync::lock;

impl VolcAsrTranscriber {
    /// Returns the run, which begins with the first buffer, unless the element is on its way to
    /// READY.
    pub(super) fn ensure_run(&self) -> Result<Arc<Run>, gst::FlowError> {
        if let Some(run) = self.run() {
            return Ok(run);
        }
        let run = self.start_run().ok_or(gst::FlowError::Flushing)?;
        if let Some((id, seqnum)) = lock(&self.input).stream.clone() {
            run.stream_start(&id, seqnum);
        }
        Ok(run)
    }

    pub(super) fn run(&self) -> Option<Arc<Run>> {
        self.runs.get()
    }

    /// Checks the settings and begins to connect. None: the element is on its way to READY.
    fn start_run(&self) -> Option<Arc<Run>> {
        let object = self.obj();
        let mut settings = lock(&self.settings).clone();
        settings.language_is_implied = lock(&self.text).language_code.is_some();
        settings.request.language = self.language();
        let listener = TextListener {
            run: self.output.run(),
            output: self.output.clone(),
            unsynced: self.unsynced.clone(),
        };
        let listener = Some(Arc::new(listener) as Arc<_>);
        self.output.set_language(self.language_tag());
        let runs = &self.runs;
        let run = runs.start(*CAT, object.upcast_ref(), &settings, listener)?;
        // Behind the start: what is set from here on is reported as late.
        let unit = lock(&self.text).unit();
        self.output.set_unit(unit);
        // A language set since the settings were copied found no run to apply to.
        let language = self.language();
        if language != settings.request.language {
            self.set_language(&run, language);
        }
        self.apply_live();
        // From another thread: this one holds the pad's stream lock, which a handler of the
        // messages may wait for.
        run.outbox.open();
        Some(run)
    }

    /// Returns the language to ask for.
    pub(super) fn language(&self) -> Option<String> {
        let code = lock(&self.text).language_code.clone();
        code.or_else(|| lock(&self.settings).request.language.clone())
    }

    /// Has the next session ask for another language.
    pub(super) fn set_language(&self, run: &Run, language: Option<String>) {
        run.client.set_language(language);
        self.output.set_language(self.language_tag());
    }

    /// Returns the language as tags have it.
    pub(super) fn language_tag(&self) -> Option<String> {
        let language = lock(&self.settings).request.language.clone();
        lock(&self.text).language_tag(language.as_deref())
    }

    /// Takes up the settings that apply at once.
    pub(super) fn apply_live(&self) {
        let Some(run) = self.run() else { return };
        let linked = self.unsynced.pad.is_linked();
        run.apply_live(&lock(&self.settings), linked);
        self.start_unsynced();
    }
}

#[cfg(test)]
mod tests {
    use crate::volcasrtranscriber::VolcAsrTranscriber;
    use gst::prelude::*;
    use gst::subclass::prelude::*;

    #[test]
    fn responses_are_asked_for_while_their_pad_is_linked() {
        gst::init().expect("GStreamer");
        crate::plugin_register_static().expect("the plugin");
        let launch = "audiotestsrc is-live=true ! audio/x-raw,rate=24000 ! volcasrtranscriber \
                      name=t uri=ws://127.0.0.1:1/v3/sauc/bigmodel api-key=sesame-sesame \
                      max-reconnects=1000 ! fakesink sync=false async=false \
                      fakesink name=json async=false";
        let pipeline = gst::parse::launch(launch).expect("elements");
        let pipeline = pipeline.downcast::<gst::Pipeline>().expect("a pipeline");
        let element = pipeline.by_name("t").and_downcast::<VolcAsrTranscriber>();
        let element = element.expect("the element");
        let json = pipeline.by_name("json").expect("an element");
        pipeline.set_state(gst::State::Playing).expect("PLAYING");
        let run = loop {
            match element.imp().run() {
                Some(run) => break run,
                None => std::thread::yield_now(),
            }
        };
        for _ in 0..2 {
            assert!(!run.client.wants_responses());
            let linked = element.link_pads(Some("unsynced_src"), &json, None);
            linked.expect("a free pad");
            assert!(run.client.wants_responses());
            element.unlink(&json);
        }
        element.set_property("post-responses", true);
        assert!(run.client.wants_responses());
        pipeline.set_state(gst::State::Null).expect("NULL");
    }
}
