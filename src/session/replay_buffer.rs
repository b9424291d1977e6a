//! Replay buffer: sent audio without final text, from which a lost session is restored.
//!
//! Positions are samples on the stream's axis, counted from its first. Audio is
//! [pushed](ReplayBuffer::push) without holes, and [trimmed](ReplayBuffer::trim_before) when its
//! text is final. At its limit the buffer drops the oldest audio, and a later replay begins at
//! [`start`](ReplayBuffer::start).

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use super::pcm_codec::CompressedPcm;
use super::{bytes_of, samples_in};

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
    limit: u64,
    /// First sample in the buffer.
    start: u64,
    /// End of the pushed audio.
    end: u64,
    /// Next sample to send: before the end during a replay.
    position: u64,
}

#[derive(Debug)]
struct Chunk {
    start: u64,
    end: u64,
    arrived: Duration,
    /// The whole chunk, as it was sent. `None` once all of it has left the buffer.
    audio: Option<CompressedPcm>,
}

impl Chunk {
    /// Returns the samples from `position` on.
    fn since(&self, position: u64) -> Option<Bytes> {
        let pcm = Bytes::from(self.audio.as_ref()?.decompress());
        Some(pcm.slice(bytes_of(position.saturating_sub(self.start))..))
    }
}

impl ReplayBuffer {
    /// Returns an empty buffer of at most `limit` samples. Arrival times are kept even if that is
    /// 0.
    pub fn new(limit: u64) -> Self {
        Self {
            chunks: VecDeque::new(),
            limit,
            start: 0,
            end: 0,
            position: 0,
        }
    }

    /// Appends audio that is sent for the first time: S16LE mono, its last sample received by the
    /// sink at `arrived`. Must not be called during a replay, which would send it once more.
    pub fn push(&mut self, pcm: &[u8], arrived: Duration) {
        debug_assert!(!self.replaying());
        let start = self.end;
        self.end += samples_in(pcm.len());
        self.position = self.end;
        self.chunks.push_back(Chunk {
            start,
            end: self.end,
            arrived,
            audio: Some(CompressedPcm::new(pcm)),
        });
        self.drop_before(self.end.saturating_sub(self.limit));
        while self.chunks.len() > MAX_ARRIVALS
            && self.chunks.front().is_some_and(|c| c.audio.is_none())
        {
            self.chunks.pop_front();
        }
    }

    /// Drops the audio before `position`, and its arrival times. Audio that a replay has yet to
    /// send stays: a hole in it would shift all times behind.
    pub fn trim_before(&mut self, position: u64) {
        let position = position.min(self.position);
        self.drop_before(position);
        while self.chunks.front().is_some_and(|c| c.end <= position) {
            self.chunks.pop_front();
        }
    }

    fn drop_before(&mut self, position: u64) {
        self.start = self.start.max(position);
        let first = self.chunks.partition_point(|c| c.audio.is_none());
        for chunk in self.chunks.range_mut(first..) {
            if chunk.end > self.start {
                break;
            }
            chunk.audio = None;
        }
    }

    /// Returns the first sample in the buffer; if that is empty, the end of the pushed audio.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Returns the start of the last `samples` in the buffer.
    pub fn last(&self, samples: u64) -> u64 {
        self.start.max(self.end.saturating_sub(samples))
    }

    /// Returns the end of the pushed audio.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Returns the position of the audio to send next: during a replay that is in the buffer,
    /// otherwise it is new.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Whether a replay is under way.
    pub fn replaying(&self) -> bool {
        self.position < self.end
    }

    /// Starts a replay at `position`, or at the buffer's start if that is later, in place of a
    /// replay under way.
    pub fn rewind(&mut self, position: u64) {
        self.position = position.clamp(self.start, self.end);
    }

    /// Returns the next audio to replay: the chunks as they were pushed, the first one from the
    /// replay's start on. They stay in the buffer.
    pub fn replay(&mut self) -> Option<Bytes> {
        let index = self.chunks.partition_point(|c| c.end <= self.position);
        let chunk = self.chunks.get(index)?;
        let pcm = chunk.since(self.position);
        self.position = chunk.end;
        pcm
    }

    /// Drops all audio, and ends a replay under way.
    pub fn clear(&mut self) {
        self.position = self.end;
        self.trim_before(self.end);
    }

    /// Returns whether the audio from `position` on is silent, which holds no words. False where
    /// some of it is not in the buffer any more.
    pub fn is_silent_from(&self, position: u64) -> bool {
        let is_silent = |s: &[u8; 2]| i16::from_le_bytes(*s).unsigned_abs() <= SILENCE;
        let first = self.chunks.partition_point(|c| c.end <= position);
        position >= self.start
            && self.chunks.range(first..).all(|chunk| {
                chunk
                    .since(position)
                    .is_some_and(|pcm| pcm.as_chunks().0.iter().all(is_silent))
            })
    }

    /// Returns the time at which the audio that ends at `position` reached the sink. `None` if it
    /// was never pushed, was trimmed, or is too old.
    pub fn arrival_time(&self, position: u64) -> Option<Duration> {
        let index = self.chunks.partition_point(|c| c.end < position);
        let chunk = self.chunks.get(index)?;
        (chunk.start < position).then_some(chunk.arrived)
    }
}

#[cfg(test)]
mod tests;
