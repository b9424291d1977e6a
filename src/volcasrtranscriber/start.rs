//! The run, which begins with the first buffer, and the language that it asks for.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use gst::prelude::*;
use gst::subclass::prelude::*;

use super::CAT;
use super::imp::VolcAsrTranscriber;
use super::listener::TextListener;
use crate::element::run::Run;
use crate::sync::lock;

/// Time after which the wait for a run to start looks for a flush.
const START_STEP: Duration = Duration::from_millis(5);

impl VolcAsrTranscriber {
    /// Returns the run, which begins with the first buffer, unless the settings do not allow it or
    /// the element is on its way to READY.
    pub(super) fn ensure_run(&self, pad: &gst::Pad) -> Result<Arc<Run>, gst::FlowError> {
        let starting = lock(&self.input).starting.take();
        let starting = match starting {
            Some(starting) => starting,
            None => match self.run() {
                Some(run) => return Ok(run),
                None if self.runs.is_closed() => return Err(gst::FlowError::Flushing),
                None if lock(&self.input).refused => return Err(gst::FlowError::Error),
                None => self.begin_run(),
            },
        };
        let run = loop {
            match starting.recv_timeout(START_STEP) {
                Ok(run) => break run,
                Err(RecvTimeoutError::Disconnected) => break None,
                Err(RecvTimeoutError::Timeout) if self.is_flushing(pad) => {
                    lock(&self.input).starting = Some(starting);
                    return Err(gst::FlowError::Flushing);
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        };
        let Some(run) = run else {
            if self.runs.is_closed() {
                return Err(gst::FlowError::Flushing);
            }
            lock(&self.input).refused = true;
            return Err(gst::FlowError::Error);
        };
        if let Some((id, seqnum)) = lock(&self.input).stream.clone() {
            run.stream_start(&id, seqnum);
        }
        Ok(run)
    }

    /// Has another thread start a run: this one holds the pad's stream lock, which a handler of the
    /// messages may wait for.
    fn begin_run(&self) -> Receiver<Option<Arc<Run>>> {
        let (starts, starting) = mpsc::channel();
        // READY, and a run of the next PAUSED, may come before the other thread.
        let (opening, number) = (self.runs.opening(), self.output.run());
        self.obj().call_async(move |element| {
            // A flush or READY may have ended the wait.
            let _ = starts.send(element.imp().start_run(opening, number));
        });
        starting
    }

    pub(super) fn run(&self) -> Option<Arc<Run>> {
        self.runs.get()
    }

    /// Checks the settings and begins to connect. None: the bus has the error.
    fn start_run(&self, opening: u64, number: u64) -> Option<Arc<Run>> {
        let object = self.obj();
        let mut settings = lock(&self.settings).clone();
        settings.language_is_implied = lock(&self.text).language_code.is_some();
        settings.request.language = self.language();
        let listener = TextListener {
            run: number,
            output: self.output.clone(),
            unsynced: self.unsynced.clone(),
        };
        let listener = Some(Arc::new(listener) as Arc<_>);
        self.output.set_language(self.language_tag());
        let runs = &self.runs;
        let started = runs.start(opening, *CAT, object.upcast_ref(), &settings, listener);
        let run = started.ok()?;
        // A language set since the settings were copied found no run to apply to.
        let language = self.language();
        if language != settings.request.language {
            self.set_language(&run, language);
        }
        self.apply_live();
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
