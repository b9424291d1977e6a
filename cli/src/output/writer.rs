//! Text, SubRip (SRT), WebVTT and JSON.

use std::io;
use std::time::Duration;

use gstvolcasr::cue::{Cue, Cutter, Style, Utterance, Word};

use super::format::{Format, Looks};
use super::place::Place;
use super::streams::Streams;
use super::transcript::Transcript;

/// Begin and end of a JSON document.
const HEAD: &str = "{\"utterances\":[";
const TAIL: &str = "\n]}\n";

/// Writes final utterances, each whole and at once: what is written is valid at any moment.
pub struct Writer<W> {
    format: Format,
    looks: Looks,
    out: W,
    cutter: Cutter,
    streams: Streams,
    stream: u32,
    /// Utterances or cues that were written.
    count: u64,
    /// A JSON document whose end is still to be written: it can't be written anew.
    owes_tail: bool,
}

impl<W: Place> Writer<W> {
    /// Begins. `out` should not hold bytes back, so that each utterance is there as soon as it is
    /// written.
    pub fn new(format: Format, looks: Looks, out: W) -> io::Result<Self> {
        let mut writer = Writer {
            format,
            looks,
            out,
            cutter: Cutter::new(Style {
                width: looks.max_line_width,
                lines: looks.max_line_count,
            }),
            streams: Streams::default(),
            stream: 0,
            count: 0,
            owes_tail: false,
        };
        match format {
            Format::Vtt => writer.put("WEBVTT\n\n")?,
            Format::Json if writer.out.step_back(0)? => writer.put(&format!("{HEAD}{TAIL}"))?,
            Format::Json => {
                writer.owes_tail = true;
                writer.put(HEAD)?;
            }
            Format::Txt | Format::Srt | Format::Jsonl => (),
        }
        Ok(writer)
    }

    /// Writes one utterance; `next` is the one after it, where that is known. One without text is
    /// left out.
    pub fn write(&mut self, transcript: &Transcript, next: Option<&Transcript>) -> io::Result<()> {
        if transcript.stream != self.stream {
            self.stream = transcript.stream;
            let played = transcript.times.running_time.map(Duration::from_nanos);
            self.cutter.begin_stream(played);
        }
        let text = crate::failure::one_line(&transcript.text);
        if text.is_empty() {
            return Ok(());
        }
        let next = next
            .filter(|next| next.stream == transcript.stream)
            .and_then(|next| next.times.start())
            .map(Duration::from_nanos);
        match self.format {
            Format::Txt => {
                let place = self.streams.place(transcript);
                let place = place.filter(|_| self.looks.timestamps);
                self.put(&format!("{}\n", line(transcript, &text, place)))
            }
            Format::Srt => {
                let cues = self.cutter.cut(&utterance(transcript, true), next);
                let records = (self.count + 1..).zip(&cues);
                let text: String = records.map(|(n, cue)| srt(n, cue)).collect();
                self.count += cues.len() as u64;
                self.put(&text)
            }
            Format::Vtt => {
                let cues = self.cutter.cut(&utterance(transcript, false), next);
                self.put(&cues.iter().map(vtt).collect::<String>())
            }
            Format::Jsonl => self.put(&(serde_json::to_string(transcript)? + "\n")),
            Format::Json => self.put_element(&serde_json::to_string(transcript)?),
        }
    }

    /// Writes what is still owed: a JSON document that went to a pipe ends only here.
    pub fn finish(&mut self) -> io::Result<()> {
        match std::mem::take(&mut self.owes_tail) {
            true => self.put(TAIL),
            false => Ok(()),
        }
    }

    /// Returns what was given to [`new`](Self::new).
    #[cfg(test)]
    pub fn into_inner(self) -> W {
        self.out
    }

    fn put_element(&mut self, json: &str) -> io::Result<()> {
        let comma = if self.count > 0 { "," } else { "" };
        self.count += 1;
        let tail = if self.owes_tail { "" } else { TAIL };
        self.out.step_back(tail.len())?;
        self.put(&format!("{comma}\n{json}{tail}"))
    }

    /// One write, so that no reader finds half of an utterance.
    fn put(&mut self, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

/// The line of an utterance: the nanosecond at which it begins, where that is wanted, its speaker,
/// its text.
pub fn line(transcript: &Transcript, text: &str, place: Option<u64>) -> String {
    let mut line = String::new();
    if let Some(place) = place {
        line += &format!("[{}] ", clock(Duration::from_nanos(place), '.'));
    }
    if let Some(speaker) = transcript.speaker() {
        line += &format!("{speaker}: ");
    }
    line + text
}

/// An utterance to be cut; SubRip has the speaker in the text, where it takes columns.
fn utterance(transcript: &Transcript, is_srt: bool) -> Utterance {
    let speaker = transcript.speaker();
    let time = |nanos: Option<u64>| nanos.map(Duration::from_nanos);
    let words = transcript.words.iter().map(|word| Word {
        text: word.text.clone(),
        start: time(word.times.start()),
        end: time(word.times.end()),
    });
    let prefix = match &speaker {
        Some(speaker) if is_srt => format!("{speaker}: "),
        _ => String::new(),
    };
    Utterance {
        // Before it is cut: a character that stands for another may be wider.
        text: match is_srt {
            true => without_markup(&(prefix + &transcript.text)),
            false => transcript.text.clone(),
        },
        start: time(transcript.times.start()),
        end: time(transcript.times.end()),
        words: words.collect(),
        speaker: speaker.filter(|_| !is_srt),
    }
}

fn srt(number: u64, cue: &Cue) -> String {
    let (start, end) = (clock(cue.start, ','), clock(cue.end, ','));
    let text = cue.lines.join("\n");
    format!("{number}\n{start} --> {end}\n{text}\n\n")
}

fn vtt(cue: &Cue) -> String {
    let (start, end) = (clock(cue.start, '.'), clock(cue.end, '.'));
    let text = escape(&cue.lines.join("\n"));
    let voice = cue
        .speaker
        .as_ref()
        .map(|speaker| format!("<v {}>", escape(speaker)));
    format!("{start} --> {end}\n{}{text}\n\n", voice.unwrap_or_default())
}

fn clock(time: Duration, point: char) -> String {
    let (seconds, ms) = (time.as_secs(), time.subsec_millis());
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    format!(
        "{:02}:{:02}:{seconds:02}{point}{ms:03}",
        minutes / 60,
        minutes % 60
    )
}

/// SubRip can't escape anything: what would be read as its arrow, as a tag or as an override such
/// as `{\an8}`, and so be lost, is made to look alike.
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
