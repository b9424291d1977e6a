//! One input.

use std::cell::Cell;
use std::fmt;
use std::fs::File;
use std::io::{self, Stdout};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream;
use gst::ClockTime;
use gst::glib;
use serde::Serialize;

use crate::failure::{Failure, Kind, println};
use crate::input::{Input, InputOptions};
use crate::news::{FINISH_TIMEOUT, News};
use crate::output::format::{Format, Looks};
use crate::output::order::Order;
use crate::output::transcript::Transcript;
use crate::output::writer::Writer;
use crate::pipeline::guard::Guard;
use crate::pipeline::{Recognition, extent};
use crate::service::ServiceOptions;

/// Interval of looks at state that no message reports.
const REFRESH: Duration = Duration::from_millis(250);

/// An input and where its transcript goes.
pub struct Job {
    pub input: String,
    pub targets: Vec<(PathBuf, Format)>,
    pub progress: Progress,
}

/// Settings and state that all jobs share.
pub struct Common<'a> {
    pub service: &'a ServiceOptions,
    pub listening: &'a InputOptions,
    pub looks: Looks,
    /// Output of each job to standard output, beside the files.
    pub standard: Option<Stream>,
    /// Set when the service is short of room for a job that goes on.
    pub is_short: Cell<bool>,
}

/// Output written to standard output.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stream {
    /// JSON lines, interim ones too, with the input's name.
    Json,
    /// A format.
    Format(Format),
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
    /// Recognises all of it. Dropped before its end it stops, and leaves nothing behind.
    pub async fn run(&self, common: &Common<'_>) -> Result<Done, Failure> {
        let began = Instant::now();
        let input = Input::open(&self.input)?;
        let recognition = Recognition::new(&input, common.listening, common.service, false)?;
        let mut guard = Guard::new(common.listening.stall_limit());
        let mut running = Running {
            job: self,
            common,
            outputs: Outputs::create(self, common)?,
            order: Order::default(),
            done: Done::default(),
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
                    guard.look(&recognition)
                }
            };
            match news {
                Some(News::Ended) => break,
                Some(news) => running.take(news)?,
                None => (),
            }
        }
        let dropped = recognition.dropped();
        if !dropped.is_zero() {
            return Err(Failure::from(format!(
                "{dropped:.1} of its audio was dropped"
            )));
        }
        let Running {
            outputs, mut done, ..
        } = running;
        outputs.complete()?;
        done.note = recognition.missing().map(extent::note);
        done.audio = recognition.received().into();
        done.took = began.elapsed();
        Ok(done)
    }
}

/// A job that runs.
struct Running<'a> {
    job: &'a Job,
    common: &'a Common<'a>,
    outputs: Outputs,
    order: Order,
    done: Done,
}

impl Running<'_> {
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
            News::Warning(_) | News::Connect(_) | News::Late | News::Ended => Ok(()),
        }
    }

    fn receive(&mut self, transcript: Transcript) -> Result<(), Failure> {
        if let Some(Stream::Json) = self.common.standard {
            let line = Line {
                input: &self.job.input,
                transcript: &transcript,
            };
            let line = serde_json::to_string(&line).map_err(|error| error.to_string())?;
            println(&line)?;
        }
        let ready = self.order.take(transcript);
        let pending = self.order.pending();
        for (place, transcript) in ready.iter().enumerate() {
            self.done.utterances += 1;
            self.done.unconfirmed += usize::from(transcript.unconfirmed);
            let next = ready.get(place + 1).or(pending.first().copied());
            self.outputs.write(transcript, next)?;
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
        write!(
            f,
            "{} utterances in {:.1} s of audio, took {:.1} s",
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

/// Everything that a transcript is written to.
struct Outputs {
    parts: Vec<(PathBuf, Part)>,
    standard: Option<Writer<Stdout>>,
}

impl Outputs {
    fn create(job: &Job, common: &Common<'_>) -> Result<Self, Failure> {
        let mut parts = Vec::new();
        for (path, format) in &job.targets {
            let part = Part::create(path, *format, common.looks);
            parts.push((
                path.clone(),
                part.map_err(|error| Failure::of_path(path, &error))?,
            ));
        }
        let standard = match common.standard {
            Some(Stream::Format(format)) => {
                let writer = Writer::new(format, common.looks, io::stdout());
                Some(writer.map_err(Failure::of_stdout)?)
            }
            Some(Stream::Json) | None => None,
        };
        Ok(Outputs { parts, standard })
    }

    fn write(&mut self, one: &Transcript, next: Option<&Transcript>) -> Result<(), Failure> {
        for (path, part) in &mut self.parts {
            let written = part.writer.write(one, next);
            written.map_err(|error| Failure::of_path(path, &error))?;
        }
        if let Some(writer) = &mut self.standard {
            writer.write(one, next).map_err(Failure::of_stdout)?;
        }
        Ok(())
    }

    fn complete(mut self) -> Result<(), Failure> {
        if let Some(writer) = &mut self.standard {
            writer.finish().map_err(Failure::of_stdout)?;
        }
        for (path, part) in self.parts {
            part.complete(&path)
                .map_err(|error| Failure::of_path(&path, &error))?;
        }
        Ok(())
    }
}

/// A file that is not whole yet, beside the place where it will be; gone if it does not get there.
struct Part {
    path: PathBuf,
    file: File,
    writer: Writer<File>,
}

impl Part {
    fn create(whole: &Path, format: Format, looks: Looks) -> io::Result<Self> {
        let mut path = whole.as_os_str().to_owned();
        path.push(".part");
        let path = PathBuf::from(path);
        let file = File::create(&path)?;
        let writer = Writer::new(format, looks, file.try_clone()?)?;
        Ok(Part { path, file, writer })
    }

    /// On the disk first, or a crash could leave the name without the words.
    fn complete(mut self, whole: &Path) -> io::Result<()> {
        self.writer.finish()?;
        self.file.sync_all()?;
        std::fs::rename(&self.path, whole)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // After the rename there is nothing of this name.
        let _ = std::fs::remove_file(&self.path);
    }
}
