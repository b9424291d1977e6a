//! The subtitle files.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::transcript::Transcript;
use crate::writer::{Format, Writer};

/// Which files are to be written.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Files, overwritten")]
pub struct FileOptions {
    /// Write SubRip subtitles
    #[arg(long, value_name = "FILE")]
    srt: Option<PathBuf>,
    /// Write WebVTT subtitles
    #[arg(long, value_name = "FILE")]
    vtt: Option<PathBuf>,
    /// Write a JSON object for each utterance
    #[arg(long, value_name = "FILE")]
    jsonl: Option<PathBuf>,
}

impl FileOptions {
    fn wanted(&self) -> impl Iterator<Item = (&Path, Format)> {
        let all = [
            (&self.srt, Format::Srt),
            (&self.vtt, Format::Vtt),
            (&self.jsonl, Format::Jsonl),
        ];
        all.into_iter()
            .filter_map(|(path, format)| Some((path.as_deref()?, format)))
    }

    /// Each file is written once, and none of those that the pipeline has a use for.
    pub fn check(&self, in_use: &[PathBuf]) -> Result<(), String> {
        let mut taken: Vec<PathBuf> = in_use.iter().map(|path| real(path)).collect();
        for (path, _) in self.wanted() {
            let real = real(path);
            if taken.contains(&real) {
                return Err(format!(
                    "{}: it is the input or another output, and would be overwritten",
                    path.display()
                ));
            }
            taken.push(real);
        }
        Ok(())
    }
}

/// The same for all names of a file, also of one that is not there yet.
fn real(path: &Path) -> PathBuf {
    let whole = || {
        let directory = match path.parent()? {
            parent if parent.as_os_str().is_empty() => Path::new("."),
            parent => parent,
        };
        Some(directory.canonicalize().ok()?.join(path.file_name()?))
    };
    path.canonicalize()
        .ok()
        .or_else(whole)
        .unwrap_or_else(|| path.to_owned())
}

/// The files, open. Nothing is buffered: each utterance is one write.
pub struct Files(Vec<Output>);

struct Output {
    path: PathBuf,
    format: Format,
    state: State,
}

enum State {
    /// Holds what an earlier run has written.
    Old(File),
    Begun(Writer<File>),
}

impl Files {
    /// Opens the files that the options name. What they hold stays until there is something better.
    pub fn open(options: &FileOptions) -> Result<Self, Failure> {
        let files = options.wanted().map(|(path, format)| {
            let state = Output::open(path, format).map_err(|error| in_file(path, &error))?;
            Ok(Output {
                path: path.to_owned(),
                format,
                state,
            })
        });
        files.collect::<Result<_, _>>().map(Files)
    }

    /// Writes a final utterance to all of them.
    pub fn write(&mut self, transcript: &Transcript) -> Result<(), Failure> {
        self.each(|writer| writer.write(transcript))
    }

    /// What is new is whole: nothing of the old stays, even if nobody has said a word.
    pub fn complete(&mut self) -> Result<(), Failure> {
        self.each(|_| Ok(()))
    }

    fn each(
        &mut self,
        mut act: impl FnMut(&mut Writer<File>) -> io::Result<()>,
    ) -> Result<(), Failure> {
        for output in &mut self.0 {
            let done = output.begin().and_then(&mut act);
            done.map_err(|error| in_file(&output.path, &error))?;
        }
        Ok(())
    }
}

impl Output {
    fn open(path: &Path, format: Format) -> io::Result<State> {
        let mut options = OpenOptions::new();
        let file = options
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        Ok(if file.metadata()?.len() > 0 {
            State::Old(file)
        } else {
            State::Begun(Writer::new(format, file)?)
        })
    }

    fn begin(&mut self) -> io::Result<&mut Writer<File>> {
        if let State::Old(file) = &self.state {
            file.set_len(0)?;
            self.state = State::Begun(Writer::new(self.format, file.try_clone()?)?);
        }
        match &mut self.state {
            State::Begun(writer) => Ok(writer),
            State::Old(_) => unreachable!("begun above"),
        }
    }
}

fn in_file(path: &Path, error: &io::Error) -> Failure {
    Failure::from(format!("{}: {error}", path.display()))
}
