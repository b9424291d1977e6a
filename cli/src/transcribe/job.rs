//! Recognition of one input.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream;
use gst::ClockTime;
use gst::glib;
use serde::Serialize;

use super::outputs::Outputs;
use crate::failure::{Failure, Kind, println};
use crate::input::{Input, InputOptions};
use crate::news::{FINISH_TIMEOUT, News, Warnings};
use crate::output::files::Standard;
use crate::output::format::{Format, Looks};
use crate::output::order::Order;
use crate::output::transcript::Transcript;
use crate::pipeline::guard::{Guard, REFRESH};
use crate::pipeline::{Recognition, extent};
use crate::service::ServiceOptions;

/// An input and where its transcript goes.
pub struct Job {
    /// A file, a URI, or `-`, as it is opened. A URI may hold secrets.
    pub address: String,
    /// Its name for people and programs: that on the command line, without secrets.
    pub input: String,
    /// Where it listens, if not to what the name says.
    pub device: Option<gst::Device>,
    pub targets: Vec<(PathBuf, Format)>,
    pub progress: Progress,
}

/// Settings and state that all jobs share.
pub struct Common<'a> {
    pub service: &'a ServiceOptions,
    pub listening: &'a InputOptions,
    pub looks: Looks,
    /// Output of each job to standard output, beside the files.
    pub standard: Standard,
    /// Set when the service is short of room for a job that goes on.
    pub is_short: Cell<bool>,
    /// Set by Ctrl-C: jobs that run end in good order, with what was read.
    pub is_interrupted: Cell<bool>,
    /// Warnings of all jobs, each kind once, and those that are still to be reported.
    pub warnings: RefCell<Warnings>,
    pub notes: RefCell<Vec<String>>,
}

impl Common<'_> {
    /// Takes what became of standard output. Ctrl-C ends its reader as well: that is no failure.
    pub fn written(&self, done: Result<(), Failure>) -> Result<(), Failure> {
        done.or_else(|failure| match self.is_interrupted.get() {
            true => Ok(()),
            false => Err(failure),
        })
    }
}

/// How far a job is: place and length of its input.
#[derive(Default)]
pub struct Progress(Cell<Option<(ClockTime, Option<ClockTime>)>>);

impl Progress {
    /// Place and length; `None` while it does not run.
    pub fn get(&self) -> Option<(ClockTime, Option<ClockTime>)> {
        self.0.get()
    }

    /// It does not run.
    pub fn clear(&self) {
        self.0.set(None);
    }
}

/// Result of one job.
#[derive(Default)]
pub struct Done {
    /// It was interrupted, and these hold what was recognised by then.
    pub left: Option<Vec<PathBuf>>,
    utterances: usize,
    unconfirmed: usize,
    audio: Duration,
    took: Duration,
    /// It ended before its length.
    note: Option<String>,
    /// A line about the track that was selected.
    track: Option<String>,
}

#[derive(Serialize)]
struct Line<'a> {
    input: &'a str,
    #[serde(flatten)]
    transcript: &'a Transcript,
}

impl Job {
    /// The names of its files.
    pub fn target_names(&self) -> Vec<String> {
        let paths = self.targets.iter().map(|(path, _)| path);
        paths.map(|path| path.display().to_string()).collect()
    }

    /// Recognises all of it, or, interrupted, what was read by then. Dropped before its end it
    /// stops, and leaves nothing behind.
    pub async fn run(&self, common: &Common<'_>) -> Result<Done, Failure> {
        let began = Instant::now();
        let input = match &self.device {
            Some(device) => Input::Device(device.clone()),
            None => Input::open(&self.address)?,
        };
        let recognition = Recognition::new(&input, common.listening, common.service, false)?;
        let mut guard = Guard::new(common.listening.stall_limit());
        let mut running = Running {
            job: self,
            common,
            outputs: Outputs::create(self, common)?,
            order: Order::default(),
            done: Done::default(),
            ending: Ending::Own,
        };
        let messages = recognition.messages()?.map(Some);
        let ticks = glib::interval_stream(REFRESH).map(|()| None);
        let mut events = stream::select(messages, ticks);
        recognition.start();
        while let Some(event) = events.next().await {
            let news = match event {
                Some(message) => guard.take(&message, &recognition),
                None => {
                    let position = recognition.position().unwrap_or_default();
                    let place = (position, recognition.duration());
                    self.progress.0.set(Some(place));
                    if common.is_interrupted.get() && !running.interrupt(&mut guard, &recognition) {
                        break;
                    }
                    guard.look(&recognition)
                }
            };
            match news {
                Some(News::Ended) => break,
                Some(news) => match running.take(news) {
                    Ok(()) => (),
                    Err(failure) if running.ending == Ending::Own => return Err(failure),
                    // Some words are lacking.
                    Err(_) => {
                        running.ending = Ending::Cut;
                        break;
                    }
                },
                None => (),
            }
        }
        running.done.audio = recognition.received().into();
        running.done.took = began.elapsed();
        if running.ending == Ending::Cut {
            return running.leave();
        }
        let dropped = recognition.dropped();
        if !dropped.is_zero() {
            return Err(Failure::from(format!(
                "{dropped:.1} of its audio was dropped"
            )));
        }
        let Running {
            mut outputs,
            mut done,
            ..
        } = running;
        outputs.complete()?;
        common.written(outputs.finish_standard())?;
        if self.device.is_none() {
            done.note = recognition.missing().map(extent::note);
        }
        Ok(done)
    }
}

/// How a job comes to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// By itself.
    Own,
    /// Interrupted, but all of its audio was read: a device has no end of its own.
    Asked,
    /// Interrupted in the middle.
    Cut,
}

/// A job that runs.
struct Running<'a> {
    job: &'a Job,
    common: &'a Common<'a>,
    outputs: Outputs,
    order: Order,
    done: Done,
    ending: Ending,
}

impl Running<'_> {
    /// Ends it in good order; false if there is nothing to wait for.
    fn interrupt(&mut self, guard: &mut Guard, recognition: &Recognition) -> bool {
        if self.ending != Ending::Own {
            return true;
        }
        let moment = recognition.moment();
        self.ending = match moment.has_ended || self.job.device.is_some() {
            true => Ending::Asked,
            false => Ending::Cut,
        };
        // Without audio, there are no words, and the input may hang.
        let has_words = !moment.received.is_zero();
        match has_words {
            true => guard.end(recognition),
            false => self.ending = Ending::Cut,
        }
        has_words
    }

    /// Writes the words that are there, also those that might have changed, and leaves the files
    /// under the names of what is not whole.
    fn leave(mut self) -> Result<Done, Failure> {
        let last: Vec<Transcript> = self.order.pending().into_iter().cloned().collect();
        self.write(&last, None)?;
        self.done.unconfirmed += last.iter().filter(|one| !one.is_final).count();
        self.done.left = Some(self.outputs.leave(self.done.utterances > 0)?);
        self.common.written(self.outputs.finish_standard())?;
        Ok(self.done)
    }

    fn take(&mut self, news: News) -> Result<(), Failure> {
        match news {
            News::Transcript(transcript) => self.receive(transcript),
            News::Failed(failure) | News::InputFailed(failure) => Err(failure),
            // The rest of the audio may hold words that were not recognised.
            News::Warning(warning) if warning.kind == FINISH_TIMEOUT => {
                Err(Failure::from(warning.text))
            }
            News::Warning(warning) if warning.is_busy => {
                self.common.is_short.set(true);
                let has_begun = self.done.utterances > 0 || !self.order.pending().is_empty();
                match has_begun {
                    true => Ok(()),
                    false => Err(Failure {
                        text: warning.reason.unwrap_or(warning.text),
                        hint: None,
                        kind: Kind::Later,
                    }),
                }
            }
            News::Track(line) => {
                self.done.track = Some(line);
                Ok(())
            }
            News::Late => Err(Failure::from(
                "the last words did not come in time".to_owned(),
            )),
            News::Warning(warning) => {
                let first = self.common.warnings.borrow_mut().take(&warning);
                let note = first.map(|text| format!("warning: {}: {text}", self.job.input));
                self.common.notes.borrow_mut().extend(note);
                Ok(())
            }
            News::Connect(_) | News::Ended => Ok(()),
        }
    }

    fn receive(&mut self, transcript: Transcript) -> Result<(), Failure> {
        let line = match self.common.standard {
            Standard::Json => {
                let line = Line {
                    input: &self.job.input,
                    transcript: &transcript,
                };
                Some(serde_json::to_string(&line).map_err(|error| error.to_string())?)
            }
            _ => None,
        };
        let ready = self.order.take(transcript);
        let after = self.order.pending().first().map(|&next| next.clone());
        self.write(&ready, after.as_ref())?;
        let printed = line.map_or(Ok(()), |line| println(&line));
        self.common.written(printed)
    }

    /// Writes utterances in a row, and `after` follows them.
    fn write(&mut self, ready: &[Transcript], after: Option<&Transcript>) -> Result<(), Failure> {
        for (place, transcript) in ready.iter().enumerate() {
            self.done.utterances += 1;
            self.done.unconfirmed += usize::from(transcript.unconfirmed);
            let next = ready.get(place + 1).or(after);
            self.outputs.write(transcript, next)?;
            let written = self.outputs.write_standard(transcript, next);
            self.common.written(written)?;
        }
        Ok(())
    }
}

impl Done {
    /// Whether the service has confirmed every word, and the input was as long as it said.
    pub fn is_whole(&self) -> bool {
        self.unconfirmed == 0 && self.note.is_none()
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.left.is_some() {
            f.write_str("interrupted: ")?;
        }
        let plural = if self.utterances == 1 { "" } else { "s" };
        write!(
            f,
            "{} utterance{plural} in {:.1} s of audio, took {:.1} s",
            self.utterances,
            self.audio.as_secs_f64(),
            self.took.as_secs_f64()
        )?;
        if self.unconfirmed > 0 {
            write!(f, "; {} unconfirmed", self.unconfirmed)?;
        }
        for note in [&self.note, &self.track].into_iter().flatten() {
            write!(f, "; {note}")?;
        }
        Ok(())
    }
}
