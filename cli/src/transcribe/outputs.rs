//! Files of one input, not whole until the end, and standard output.

use std::fs::File;
use std::io::{self, Stdout};
use std::path::{Path, PathBuf};

use super::job::{Common, Job};
use crate::failure::Failure;
use crate::output::files::Standard;
use crate::output::format::{Format, Looks};
use crate::output::place;
use crate::output::transcript::Transcript;
use crate::output::writer::Writer;

/// Everything that a transcript is written to.
pub struct Outputs {
    parts: Vec<(PathBuf, Part)>,
    standard: Option<Writer<Stdout>>,
}

impl Outputs {
    /// Begins the files, each beside its place.
    pub fn create(job: &Job, common: &Common<'_>) -> Result<Self, Failure> {
        let mut parts = Vec::new();
        for (path, format) in &job.targets {
            let part = Part::create(path, *format, common.looks);
            parts.push((
                path.clone(),
                part.map_err(|error| Failure::of_output(path, &error))?,
            ));
        }
        let standard = match common.standard {
            Standard::Format(format) => {
                let writer = Writer::new(format, common.looks, io::stdout());
                Some(writer.map_err(Failure::of_stdout)?)
            }
            _ => None,
        };
        Ok(Outputs { parts, standard })
    }

    /// Writes a final utterance to the files; `next` is the one after it, where that is known.
    pub fn write(&mut self, one: &Transcript, next: Option<&Transcript>) -> Result<(), Failure> {
        for (path, part) in &mut self.parts {
            let written = part.writer.write(one, next);
            written.map_err(|error| Failure::of_output(path, &error))?;
        }
        Ok(())
    }

    /// The same for standard output.
    pub fn write_standard(
        &mut self,
        one: &Transcript,
        next: Option<&Transcript>,
    ) -> Result<(), Failure> {
        match &mut self.standard {
            Some(writer) => writer.write(one, next).map_err(Failure::of_stdout),
            None => Ok(()),
        }
    }

    /// The transcript is whole: the files get their names.
    pub fn complete(&mut self) -> Result<(), Failure> {
        for (path, part) in std::mem::take(&mut self.parts) {
            part.complete()
                .map_err(|error| Failure::of_output(&path, &error))?;
        }
        Ok(())
    }

    /// The transcript is not whole: files with words stay where they are. Returns their names.
    pub fn leave(&mut self, has_words: bool) -> Result<Vec<PathBuf>, Failure> {
        let mut left = Vec::new();
        for (path, part) in std::mem::take(&mut self.parts) {
            if has_words {
                let place = part.leave();
                left.push(place.map_err(|error| Failure::of_output(&path, &error))?);
            }
        }
        Ok(left)
    }

    /// Ends what is owed to standard output.
    pub fn finish_standard(&mut self) -> Result<(), Failure> {
        match &mut self.standard {
            Some(writer) => writer.finish().map_err(Failure::of_stdout),
            None => Ok(()),
        }
    }
}

/// A file that is not whole yet, beside the place where it will be. It is gone when it is dropped,
/// unless it is left there on purpose.
struct Part {
    whole: PathBuf,
    path: PathBuf,
    file: File,
    writer: Writer<File>,
    is_left: bool,
}

impl Part {
    fn create(whole: &Path, format: Format, looks: Looks) -> io::Result<Self> {
        let (whole, path, file) = place::begin(whole)?;
        let writer = Writer::new(format, looks, file.try_clone()?)?;
        Ok(Part {
            whole,
            path,
            file,
            writer,
            is_left: false,
        })
    }

    /// On the disk first, or a crash could leave the name without the words.
    fn complete(mut self) -> io::Result<()> {
        self.writer.finish()?;
        self.file.sync_all()?;
        std::fs::rename(&self.path, &self.whole)
    }

    fn leave(mut self) -> io::Result<PathBuf> {
        self.is_left = true;
        self.writer.finish()?;
        Ok(self.path.clone())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.is_left {
            // After the rename there is nothing of this name.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
