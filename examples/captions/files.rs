//! The subtitle files.

use std::fs::File;
use std::path::PathBuf;

use crate::support::failure::Failure;
use crate::support::transcript::Transcript;
use crate::support::writer::{Format, Writer};

/// Which files are to be written.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Files")]
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

/// The files, open. Nothing is buffered: each utterance is one write.
pub struct Files(Vec<(PathBuf, Writer<File>)>);

impl Files {
    /// Begins the files that the options name; what they held before is gone.
    pub fn create(options: &FileOptions) -> Result<Self, Failure> {
        let wanted = [
            (&options.srt, Format::Srt),
            (&options.vtt, Format::Vtt),
            (&options.jsonl, Format::Jsonl),
        ];
        let mut files = Vec::new();
        for (path, format) in wanted {
            let Some(path) = path else { continue };
            let writer = File::create(path)
                .and_then(|file| Writer::new(format, file))
                .map_err(|error| format!("{}: {error}", path.display()))?;
            files.push((path.clone(), writer));
        }
        Ok(Files(files))
    }

    /// Writes a final utterance to all of them.
    pub fn write(&mut self, transcript: &Transcript) -> Result<(), Failure> {
        for (path, writer) in &mut self.0 {
            writer
                .write(transcript)
                .map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(())
    }
}
