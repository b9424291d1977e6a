//! One input.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures_util::StreamExt;

use crate::failure::Failure;
use crate::input::Input;
use crate::news::{FINISH_TIMEOUT, News};
use crate::options::ServiceOptions;
use crate::order::Order;
use crate::recognition::Recognition;
use crate::writer::{Format, Writer};

/// An input and where its transcript goes.
pub struct Job {
    pub input: String,
    pub transcript: PathBuf,
    pub format: Format,
}

/// What has come of one.
#[derive(Default)]
pub struct Done {
    utterances: usize,
    unconfirmed: usize,
    audio: Duration,
    took: Duration,
}

impl Job {
    /// Recognises all of it. Dropped before its end it stops, and leaves nothing behind.
    pub async fn run(&self, service: &ServiceOptions) -> Result<Done, Failure> {
        let began = Instant::now();
        let recognition = Recognition::new(&Input::open(&self.input)?, service, false)?;
        let in_file =
            |error: io::Error| Failure::from(format!("{}: {error}", self.transcript.display()));
        let part = Part::create(&self.transcript).map_err(in_file)?;
        let mut writer = Writer::new(self.format, &part.file).map_err(in_file)?;
        let mut order = Order::default();
        let mut done = Done::default();

        let mut messages = recognition.messages()?;
        recognition.start();
        while let Some(message) = messages.next().await {
            let ready = match News::of(&message) {
                Some(News::Transcript(transcript)) => order.take(transcript),
                Some(News::Failed(failure)) => return Err(failure),
                // The rest of the audio may hold words that nobody has heard.
                Some(News::Warning(warning)) if warning.kind == FINISH_TIMEOUT => {
                    return Err(Failure::from(warning.text));
                }
                Some(News::Ended) => break,
                _ => continue,
            };
            for transcript in &ready {
                done.utterances += 1;
                done.unconfirmed += usize::from(transcript.unconfirmed);
                writer.write(transcript).map_err(in_file)?;
            }
        }
        let dropped = recognition.dropped();
        if !dropped.is_zero() {
            return Err(Failure::from(format!(
                "{dropped:.1} of its audio was dropped"
            )));
        }
        part.complete(&self.transcript).map_err(in_file)?;
        done.audio = recognition.received().into();
        done.took = began.elapsed();
        Ok(done)
    }
}

impl Done {
    /// Whether the service has confirmed every word.
    pub fn is_confirmed(&self) -> bool {
        self.unconfirmed == 0
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
        match self.unconfirmed {
            0 => Ok(()),
            unconfirmed => write!(f, "; {unconfirmed} unconfirmed"),
        }
    }
}

/// A file that is not whole yet, beside the place where it will be; gone if it does not get there.
struct Part {
    path: PathBuf,
    file: File,
}

impl Part {
    fn create(whole: &Path) -> io::Result<Self> {
        let mut path = whole.as_os_str().to_owned();
        path.push(".part");
        let path = PathBuf::from(path);
        let file = File::create(&path)?;
        Ok(Part { path, file })
    }

    /// On the disk first, or a crash could leave the name without the words.
    fn complete(self, whole: &Path) -> io::Result<()> {
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
