//! The files of one input, and the options that name them.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::format::{Format, Looks};
use super::transcript::Transcript;
use super::writer::Writer;
use crate::failure::Failure;

/// Name that stands for standard output.
const STDOUT: &str = "-";

/// Options for the output: its formats and its destinations.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "The output")]
pub struct OutputOptions {
    /// Write to this file, in the format that its ending names; may be given again. `-` is standard
    /// output: JSON lines with interim ones, or what --format says. `transcribe` also takes a
    /// directory, for files named like the inputs
    #[arg(short, long, value_name = "FILE")]
    pub output: Vec<PathBuf>,
    /// Format of what is written; default: by the ending of its name
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Write JSON lines to standard output, interim ones too
    #[arg(long)]
    pub json: bool,
    /// Show nothing but errors
    #[arg(short, long)]
    pub quiet: bool,
    #[command(flatten)]
    pub looks: Looks,
}

/// Output written to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standard {
    /// Captions for people; of `transcribe`, lines about its inputs.
    Captions,
    /// Every utterance as a JSON line, interim ones too.
    Json,
    /// Final utterances in a format.
    Format(Format),
    /// Nothing.
    Nothing,
}

impl Standard {
    /// Whether lines for people have a place among it.
    pub fn is_for_people(self) -> bool {
        matches!(self, Standard::Captions | Standard::Nothing)
    }
}

impl OutputOptions {
    /// Takes the directories away from the files: those that exist, or have a separator at the end.
    pub fn take_directories(&mut self) -> Vec<PathBuf> {
        let all = std::mem::take(&mut self.output);
        let (directories, files) = all.into_iter().partition(|path| is_directory(path));
        self.output = files;
        directories
    }

    /// Returns the output for standard output and for the files, or an error that names the cause.
    pub fn resolve(&self) -> Result<(Standard, Vec<(PathBuf, Format)>), String> {
        let mut standard = match self.format {
            _ if self.json => Standard::Json,
            Some(format) if self.output.is_empty() => Standard::Format(format),
            _ if self.quiet => Standard::Nothing,
            _ => Standard::Captions,
        };
        let mut files = Vec::new();
        for path in &self.output {
            if path.as_os_str() == STDOUT {
                if self.json && self.format.is_some() {
                    return Err("--json and `-o -` with --format exclude each other".to_owned());
                }
                standard = self.format.map_or(Standard::Json, Standard::Format);
                continue;
            }
            if is_directory(path) {
                return Err(format!(
                    "{}: it is a directory: name a file in it, as in {}",
                    path.display(),
                    path.join("words.srt").display()
                ));
            }
            let format = self.format.or_else(|| Format::of_file(path));
            let format = format.ok_or_else(|| {
                format!(
                    "{}: its ending names no format; --format txt, srt, vtt, json or jsonl does",
                    path.display()
                )
            })?;
            files.push((path.clone(), format));
        }
        Ok((standard, files))
    }
}

fn is_directory(path: &Path) -> bool {
    let text = path.as_os_str().to_string_lossy();
    text.ends_with(std::path::is_separator) || path.is_dir()
}

/// Checks that each file is written once, and none of those that the pipeline has a use for.
pub fn check<'a>(files: impl Iterator<Item = &'a Path>, in_use: &[PathBuf]) -> Result<(), String> {
    let mut taken: HashSet<PathBuf> = in_use.iter().map(|path| real(path)).collect();
    for path in files {
        if !taken.insert(real(path)) {
            return Err(format!(
                "{}: it is the input or another output, and would be overwritten",
                path.display()
            ));
        }
    }
    Ok(())
}

/// The same for all names of a file, also of one that is not there yet.
pub fn real(path: &Path) -> PathBuf {
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
pub struct Files {
    outputs: Vec<Output>,
}

struct Output {
    path: PathBuf,
    format: Format,
    looks: Looks,
    state: State,
}

enum State {
    /// Holds what an earlier run has written.
    Old(File),
    Begun(Writer<File>),
}

impl Files {
    /// Opens the files. What they hold stays until there is something better.
    pub fn open(files: &[(PathBuf, Format)], looks: Looks) -> Result<Self, Failure> {
        let outputs = files.iter().map(|(path, format)| {
            let state = Output::open(path, *format, looks)
                .map_err(|error| Failure::of_path(path, &error))?;
            Ok::<_, Failure>(Output {
                path: path.clone(),
                format: *format,
                looks,
                state,
            })
        });
        Ok(Files {
            outputs: outputs.collect::<Result<_, _>>()?,
        })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.outputs.is_empty()
    }

    /// Writes a final utterance to all of them; `next` is the one after it, where that is known.
    pub fn write(
        &mut self,
        transcript: &Transcript,
        next: Option<&Transcript>,
    ) -> Result<(), Failure> {
        self.each(|writer| writer.write(transcript, next))
    }

    /// Ends what is owed to them. After a good end nothing of the old stays, even if no word was
    /// said.
    pub fn finish(&mut self, is_whole: bool) -> Result<(), Failure> {
        for output in &mut self.outputs {
            let done = match &mut output.state {
                State::Old(_) if !is_whole => Ok(()),
                _ => output.begin().and_then(Writer::finish),
            };
            done.map_err(|error| Failure::of_path(&output.path, &error))?;
        }
        Ok(())
    }

    fn each(
        &mut self,
        mut act: impl FnMut(&mut Writer<File>) -> io::Result<()>,
    ) -> Result<(), Failure> {
        for output in &mut self.outputs {
            let done = output.begin().and_then(&mut act);
            done.map_err(|error| Failure::of_path(&output.path, &error))?;
        }
        Ok(())
    }
}

impl Output {
    fn open(path: &Path, format: Format, looks: Looks) -> io::Result<State> {
        let mut options = OpenOptions::new();
        let file = options
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        Ok(if file.metadata()?.len() > 0 {
            State::Old(file)
        } else {
            State::Begun(Writer::new(format, looks, file)?)
        })
    }

    fn begin(&mut self) -> io::Result<&mut Writer<File>> {
        if let State::Old(file) = &self.state {
            file.set_len(0)?;
            let writer = Writer::new(self.format, self.looks, file.try_clone()?)?;
            self.state = State::Begun(writer);
        }
        match &mut self.state {
            State::Begun(writer) => Ok(writer),
            State::Old(_) => unreachable!("begun above"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        output: OutputOptions,
    }

    fn resolve(line: &str) -> Result<(Standard, Vec<(PathBuf, Format)>), String> {
        let words = line.split_whitespace();
        let line: Line = clap::Parser::parse_from(["volcasr"].into_iter().chain(words));
        line.output.resolve()
    }

    #[test]
    fn what_goes_where() {
        use Format::{Srt, Txt, Vtt};
        let cases: [(&str, Standard, &[Format]); 9] = [
            ("", Standard::Captions, &[]),
            ("--quiet", Standard::Nothing, &[]),
            ("--format srt", Standard::Format(Srt), &[]),
            ("--json --quiet", Standard::Json, &[]),
            ("-o -", Standard::Json, &[]),
            ("-o - --format vtt", Standard::Format(Vtt), &[]),
            ("-o a.srt -o b.vtt", Standard::Captions, &[Srt, Vtt]),
            ("-o a.srt --format txt", Standard::Captions, &[Txt]),
            ("-o a.srt -o -", Standard::Json, &[Srt]),
        ];
        for (line, standard, formats) in cases {
            let (found, files) = resolve(line).expect("a good command line");
            let found_formats: Vec<Format> = files.iter().map(|(_, format)| *format).collect();
            assert_eq!((found, &found_formats[..]), (standard, formats), "{line}");
        }
        for line in [
            "-o words",
            "-o out/ --format srt",
            "-o - --format srt --json",
        ] {
            assert!(resolve(line).is_err(), "{line}");
        }
    }
}
