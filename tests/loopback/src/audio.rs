//! The audio of one session, as samples of one channel.

use std::{borrow::Cow, fmt};

/// The largest head of a WAV file that is looked through for its samples.
const MAX_WAV_HEAD: usize = 64 * 1024;

/// A format of audio that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// S16LE samples.
    Pcm,
    /// 16-bit samples behind the header of a WAV file.
    Wav,
    /// One that is taken and not decoded, such as MP3: it holds no word.
    Compressed,
}

impl Format {
    /// The format of these names. None: the name is not known.
    pub(crate) fn of(format: &str, codec: &str) -> Option<Self> {
        match (format, codec) {
            ("pcm", "raw" | "pcm" | "") => Some(Self::Pcm),
            ("wav", "raw" | "pcm" | "") => Some(Self::Wav),
            ("pcm" | "wav" | "mp3" | "ogg" | "spx" | "amr" | "aac" | "m4a", _) => {
                Some(Self::Compressed)
            }
            _ => None,
        }
    }
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
    in_head: bool,
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
    pub(crate) fn new(format: Format, channels: usize, rate_hz: u32) -> Self {
        Self {
            format,
            channels,
            rate_hz,
            count: 0,
            pending: Vec::new(),
            in_head: format == Format::Wav,
        }
    }

    /// Milliseconds of audio that have come.
    pub(crate) fn received(&self) -> i64 {
        i64::try_from(self.count * 1000 / u64::from(self.rate_hz)).unwrap_or(i64::MAX)
    }

    /// The samples (S16LE, mono) that are complete with this payload.
    pub(crate) fn of<'a>(&mut self, payload: &'a [u8]) -> Cow<'a, [u8]> {
        let samples = self.first_channel(payload);
        self.count += samples.len() as u64 / 2;
        samples
    }

    fn first_channel<'a>(&mut self, payload: &'a [u8]) -> Cow<'a, [u8]> {
        if self.format == Format::Compressed {
            return Cow::Borrowed(&[]);
        }
        let frame = 2 * self.channels;
        let is_whole = self.pending.is_empty() && payload.len().is_multiple_of(2);
        if is_whole && self.channels == 1 && !self.in_head {
            return Cow::Borrowed(payload);
        }
        self.pending.extend(payload);
        if self.in_head {
            let Some(head) = wav_head(&self.pending) else {
                return Cow::Borrowed(&[]);
            };
            self.in_head = false;
            self.pending.drain(..head.min(self.pending.len()));
        }
        let end = self.pending.len() / frame * frame;
        let whole = self.pending[..end].chunks_exact(frame);
        let samples = whole.flat_map(|bytes| [bytes[0], bytes[1]]).collect();
        self.pending.drain(..end);
        Cow::Owned(samples)
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
