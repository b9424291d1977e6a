//! The audio of one session, as samples of one channel.

use crate::request::Request;
use std::fmt;

/// The largest head of a WAV file that is looked through for its samples.
const MAX_WAV_HEAD: usize = 64 * 1024;

/// A format of audio that is known.
#[derive(Debug)]
enum Format {
    /// S16LE samples.
    Pcm,
    /// 16-bit samples behind the header of a WAV file; [`Format::Pcm`] from there on.
    Wav,
    /// One that is taken and not decoded, such as MP3: it holds no word.
    Compressed,
}

/// Turns payloads of any size into whole samples of the first channel.
#[derive(Debug)]
pub(crate) struct Samples {
    format: Format,
    channels: usize,
    rate_hz: u32,
    count: u64,
    /// Bytes that wait: a part of a sample, or of a file's head.
    pending: Vec<u8>,
}

impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = match self.format {
            Format::Pcm => "PCM",
            Format::Wav => "WAV",
            Format::Compressed => "a compressed format, which is not decoded",
        };
        write!(f, "audio at {} Hz, {format}", self.rate_hz)
    }
}

impl Samples {
    /// Returns `None` if the format's name is not known.
    pub(crate) fn new(request: &Request, rate_hz: u32) -> Option<Self> {
        let format = match (request.format.as_str(), request.codec.as_str()) {
            ("pcm", "raw" | "pcm" | "") => Format::Pcm,
            ("wav", "raw" | "pcm" | "") => Format::Wav,
            ("pcm" | "wav" | "mp3" | "ogg" | "spx" | "amr" | "aac" | "m4a", _) => {
                Format::Compressed
            }
            _ => return None,
        };
        Some(Self {
            format,
            channels: request.channels,
            rate_hz,
            count: 0,
            pending: Vec::new(),
        })
    }

    /// Milliseconds of audio that have come.
    pub(crate) fn received(&self) -> i64 {
        i64::try_from(self.count * 1000 / u64::from(self.rate_hz)).unwrap_or(i64::MAX)
    }

    /// The samples (S16LE, mono) that are complete with this payload.
    pub(crate) fn of(&mut self, payload: &[u8]) -> Vec<u8> {
        self.pending.extend(payload);
        match self.format {
            Format::Pcm => {}
            Format::Compressed => self.pending.clear(),
            Format::Wav => {
                let Some(head) = wav_head(&self.pending) else {
                    return Vec::new();
                };
                self.format = Format::Pcm;
                self.pending.drain(..head);
            }
        }
        let frame = 2 * self.channels;
        let rest = self.pending.split_off(self.pending.len() / frame * frame);
        let mut samples = std::mem::replace(&mut self.pending, rest);
        if self.channels > 1 {
            let first = samples.chunks_exact(frame).flat_map(|s| [s[0], s[1]]);
            samples = first.collect();
        }
        self.count += samples.len() as u64 / 2;
        samples
    }
}

/// The length of a WAV file's head; 0 where there is none. None: more bytes are needed to tell.
fn wav_head(bytes: &[u8]) -> Option<usize> {
    if bytes.len() > MAX_WAV_HEAD || bytes.len() >= 4 && !bytes.starts_with(b"RIFF") {
        return Some(0);
    }
    let mut at = 12;
    loop {
        let (name, size) = bytes.get(at..at + 8)?.split_first_chunk::<4>()?;
        if name == b"data" {
            return Some(at + 8);
        }
        let size = u32::from_le_bytes(*size.first_chunk()?) as usize;
        at = at.saturating_add(8 + size + size % 2);
        if at > MAX_WAV_HEAD {
            return Some(0);
        }
    }
}
