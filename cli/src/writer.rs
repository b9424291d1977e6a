//! Text, SubRip (SRT), WebVTT and JSON lines.

use std::io::{self, Write};

use super::transcript::Transcript;

/// A shorter cue can't be read.
const SHORTEST_MS: u64 = 500;

/// What a transcript is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A line for each utterance
    Txt,
    /// SubRip subtitles
    Srt,
    /// WebVTT subtitles
    Vtt,
    /// A JSON object for each utterance
    Jsonl,
}

impl Format {
    /// How the files' names end.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Txt => "txt",
            Format::Srt => "srt",
            Format::Vtt => "vtt",
            Format::Jsonl => "jsonl",
        }
    }
}

/// Writes final utterances, each whole and at once: what is written is valid at any moment.
pub struct Writer<W> {
    format: Format,
    out: W,
    cues: u64,
    last_start: u64,
    last_end: u64,
    stream: u32,
    /// What is added to the times of `stream`, which may begin anew at 0.
    shift: u64,
}

impl<W: Write> Writer<W> {
    /// Begins. `out` should not hold bytes back, so that each utterance is there as soon as it is written.
    pub fn new(format: Format, mut out: W) -> io::Result<Self> {
        if format == Format::Vtt {
            out.write_all(b"WEBVTT\n\n")?;
        }
        Ok(Writer {
            format,
            out,
            cues: 0,
            last_start: 0,
            last_end: 0,
            stream: 0,
            shift: 0,
        })
    }

    /// Writes one utterance. One without text is nothing.
    pub fn write(&mut self, transcript: &Transcript) -> io::Result<()> {
        let lines = lines(&transcript.text);
        if lines.is_empty() {
            return Ok(());
        }
        let (start, end) = self.cue(transcript);
        let record = match self.format {
            Format::Txt => format!("{}\n", lines.join(" ")),
            Format::Srt => format!(
                "{}\n{} --> {}\n{}\n\n",
                self.cues + 1,
                clock(start, ','),
                clock(end, ','),
                without_markup(&lines.join("\n"))
            ),
            Format::Vtt => format!(
                "{} --> {}\n{}\n\n",
                clock(start, '.'),
                clock(end, '.'),
                escape(&lines.join("\n"))
            ),
            Format::Jsonl => serde_json::to_string(transcript)? + "\n",
        };
        self.out.write_all(record.as_bytes())?;
        self.out.flush()?;
        self.cues += 1;
        (self.last_start, self.last_end) = (start, end);
        Ok(())
    }

    /// Returns what was given to [`new`](Self::new).
    #[cfg(test)]
    pub fn into_inner(self) -> W {
        self.out
    }

    /// Start and end in milliseconds. An utterance without a time follows the one before it. No start is before the
    /// one before it: WebVTT has it so, and players look for a cue from there on.
    fn cue(&mut self, transcript: &Transcript) -> (u64, u64) {
        let ms = |ns: u64| ns / 1_000_000;
        let start = transcript.times.start().map(ms);
        if self.stream != transcript.stream {
            self.stream = transcript.stream;
            // A stream that begins anew goes on where it is played, or else behind the one before it.
            let played = transcript.times.running_time.map_or(0, ms);
            self.shift = match start {
                Some(start) if start < self.last_start => played.max(self.last_end) - start,
                _ => 0,
            };
        }
        let duration = transcript.times.duration.map_or(0, ms);
        let own = start.map_or(self.last_end, |start| start.saturating_add(self.shift));
        let start = own.max(self.last_start);
        let end = own.saturating_add(duration);
        (start, end.max(start.saturating_add(SHORTEST_MS)))
    }
}

/// The lines of a text, without those that are empty, which would end a cue, and without control characters.
fn lines(text: &str) -> Vec<String> {
    text.split(['\n', '\r'])
        .map(|line| line.replace(char::is_control, " ").trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect()
}

fn clock(ms: u64, point: char) -> String {
    let (seconds, ms) = (ms / 1000, ms % 1000);
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    format!(
        "{:02}:{:02}:{seconds:02}{point}{ms:03}",
        minutes / 60,
        minutes % 60
    )
}

/// SubRip can't escape anything: what would be read as its arrow, as a tag or as an override such as `{\an8}`, and so be
/// lost, is made to look alike.
fn without_markup(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text.replace("-->", "->").replace("{\\", "｛\\");
    while let Some(at) = rest.find('<') {
        let behind = rest.split_off(at + 1);
        if behind.starts_with(|c: char| c == '/' || c.is_alphabetic()) {
            rest.pop();
            rest.push('‹');
        }
        plain += &rest;
        rest = behind;
    }
    plain + &rest
}

/// WebVTT's own characters; with `>` its arrow goes as well.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests;
