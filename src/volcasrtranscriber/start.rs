//! The run, which begins with the first buffer, and the language that it asks for.

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
