//! Replay buffer: sent audio without final text, from which a lost session is restored.
//!
//! Positions are samples on the stream's axis, counted from its first. The buffer holds what was
//! [pushed](ReplayBuffer::push), less what was [trimmed](ReplayBuffer::trim_before) since. At its
//! limit it drops the oldest audio, and a later replay begins at [`start`](ReplayBuffer::start).

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use super::BYTES_PER_SAMPLE;
use super::pcm_codec::CompressedPcm;

/// Upper bound on the chunks whose arrival times are kept, also where the buffer holds less: 13
/// minutes at 200 ms.
const MAX_ARRIVALS: usize = 4096;

/// Largest amplitude of silence, -60 dB: of a recording without sound, or of a closed noise gate.
/// A microphone's own noise is louder.
const SILENCE: u16 = 32;

/// The replay buffer of one stream.
#[derive(Debug)]
pub struct ReplayBuffer {
    chunks: VecDeque<Chunk>,
    arrivals: VecDeque<Arrival>,
    limit: u64,
    len_samples: u64,
    /// End of the pushed audio.
    end: u64,
    /// Next sample to replay, during a replay.
    cursor: Option<u64>,
}

#[derive(Debug)]
struct Chunk {
    start: u64,
    /// The whole chunk, as it was sent.
    compressed: CompressedPcm,
    /// Number of samples at its start that have left the buffer.
    skipped: u64,
}

impl Chunk {
    fn samples(&self) -> u64 {
        self.compressed.samples() as u64 - self.skipped
    }

    fn end(&self) -> u64 {
        self.start + self.samples()
    }

    /// Removes the samples before `position` from the buffer.
    fn cut_before(&mut self, position: u64) {
        let skip = self.before(position);
        self.start += skip;
        self.skipped += skip;
    }

    /// Returns the number of its samples before `position`.
    fn before(&self, position: u64) -> u64 {
        position.saturating_sub(self.start).min(self.samples())
    }

    /// Returns the samples from `position` on, and the position of the first.
    fn since(&self, position: u64) -> (u64, Bytes) {
        let skip = self.before(position);
        let pcm = Bytes::from(self.compressed.decompress());
        // At most the length of the chunk, which is a usize.
        let at = (self.skipped + skip) as usize * BYTES_PER_SAMPLE;
        (self.start + skip, pcm.slice(at..))
    }
}

#[derive(Debug)]
struct Arrival {
    start: u64,
    end: u64,
    at: Duration,
}

impl ReplayBuffer {
    /// Returns an empty buffer of at most `limit` samples. Arrival times are kept even if that is
    /// 0.
    pub fn new(limit: u64) -> Self {
        Self {
            chunks: VecDeque::new(),
            arrivals: VecDeque::new(),
            limit,
            len_samples: 0,
            end: 0,
            cursor: None,
        }
    }

    /// Appends audio that was sent for the first time: S16LE mono, the first sample at `start`, the
    /// last one received by the sink at `arrived`.
    ///
    /// Chunks come in order. There may be holes between them; overlaps are left out. Must not be
    /// called during a replay, which would send the audio once more.
    pub fn push(&mut self, start: u64, pcm: &[u8], arrived: Duration) {
        let mut chunk = Chunk {
            start,
            compressed: CompressedPcm::new(pcm),
            skipped: 0,
        };
        chunk.cut_before(self.end);
        if chunk.samples() == 0 {
            return;
        }
        self.end = chunk.end();
        if self.arrivals.len() == MAX_ARRIVALS {
            self.arrivals.pop_front();
        }
        self.arrivals.push_back(Arrival {
            start: chunk.start,
            end: chunk.end(),
            at: arrived,
        });
        self.len_samples += chunk.samples();
        self.chunks.push_back(chunk);
        while self.len_samples > self.limit {
            let Some(first) = self.chunks.front() else {
                break;
            };
            self.cut_before(first.start + (self.len_samples - self.limit).min(first.samples()));
        }
    }

    /// Drops the audio before `position`, and its arrival times. Audio that a replay has yet to
    /// send stays: a hole in it would shift all times behind.
    pub fn trim_before(&mut self, position: u64) {
        let position = self.cursor.map_or(position, |next| position.min(next));
        self.cut_before(position);
        while self.arrivals.front().is_some_and(|a| a.end <= position) {
            self.arrivals.pop_front();
        }
    }

    fn cut_before(&mut self, position: u64) {
        while let Some(first) = self.chunks.front_mut() {
            if first.start >= position {
                break;
            }
            let before = first.samples();
            first.cut_before(position);
            let rest = first.samples();
            self.len_samples -= before - rest;
            if rest > 0 {
                break;
            }
            self.chunks.pop_front();
        }
    }

    /// Returns the first sample in the buffer; if that is empty, the end of the pushed audio.
    pub fn start(&self) -> u64 {
        self.chunks.front().map_or(self.end, |c| c.start)
    }

    /// Returns the start of the last `samples` in the buffer.
    pub fn last(&self, samples: u64) -> u64 {
        self.start().max(self.end.saturating_sub(samples))
    }

    /// Returns the end of the pushed audio.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Starts a replay at `position`, or at the buffer's start if that is later, in place of a
    /// replay under way.
    pub fn rewind(&mut self, position: u64) {
        let position = position.max(self.start());
        self.cursor = (position < self.end).then_some(position);
    }

    /// Returns the next audio to replay, with the position of its first sample: the chunks as they
    /// were pushed, the first one from the replay's start on. They stay in the buffer.
    pub fn replay(&mut self) -> Option<(u64, Bytes)> {
        let cursor = self.cursor?;
        let index = self.chunks.partition_point(|c| c.end() <= cursor);
        let Some(chunk) = self.chunks.get(index) else {
            self.cursor = None;
            return None;
        };
        self.cursor = Some(chunk.end()).filter(|&next| next < self.end);
        Some(chunk.since(cursor))
    }

    /// Returns the next sample of the replay under way.
    pub fn next_replay(&self) -> Option<u64> {
        self.cursor
    }

    /// Whether a replay is under way.
    pub fn replaying(&self) -> bool {
        self.cursor.is_some()
    }

    /// Drops all audio, and ends a replay under way.
    pub fn clear(&mut self) {
        self.cursor = None;
        self.trim_before(self.end);
    }

    /// Returns whether the audio from `position` on is silent, which holds no words. False where
    /// some of it is not in the buffer any more.
    pub fn is_silent_from(&self, position: u64) -> bool {
        let first = self.chunks.partition_point(|c| c.end() <= position);
        let mut later = self.chunks.range(first..);
        position >= self.start().min(self.end)
            && later.all(|chunk| {
                let (_, pcm) = chunk.since(position);
                let (samples, _) = pcm.as_chunks();
                samples
                    .iter()
                    .all(|s| i16::from_le_bytes(*s).unsigned_abs() <= SILENCE)
            })
    }

    /// Returns the time at which the audio that ends at `position` reached the sink. `None` if it
    /// was never pushed, was trimmed, or is too old.
    pub fn arrival_time(&self, position: u64) -> Option<Duration> {
        let index = self.arrivals.partition_point(|a| a.end < position);
        self.arrivals
            .get(index)
            .filter(|a| a.start < position)
            .map(|a| a.at)
    }
}

#[cfg(test)]
mod tests;
