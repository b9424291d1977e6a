//! Audio on its way to the service: cut into chunks, in order, bounded.
//!
//! The streaming thread appends samples, the driver takes chunks. A sample is copied once, from the
//! pipeline's buffer into the chunk, which has room for the frame's header in front of it.
//!
//! Positions count the samples of a stream that are, or will be, sent. They are given when a chunk is
//! taken, so that what was dropped from the queue before leaves no hole in them.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{BufMut, BytesMut};

use super::BYTES_PER_SAMPLE;
use crate::protocol::frame::HEADROOM;

/// A piece of audio, ready to become one frame.
#[derive(Debug)]
pub struct Chunk {
    /// The stream's sample that it begins with.
    pub position: u64,
    /// [`HEADROOM`] bytes for the frame's header, then S16LE samples.
    pub data: BytesMut,
    /// When its last sample reached the sink, on the clock that [`Queue::push`] is called with.
    pub arrived: Duration,
}

impl Chunk {
    /// How many samples it holds.
    pub fn samples(&self) -> u64 {
        samples_in(&self.data)
    }

    /// Its samples alone.
    pub fn pcm(&self) -> &[u8] {
        self.data.get(HEADROOM..).unwrap_or_default()
    }
}

/// What ends a session, or a stream, between two chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    /// No audio for a while: finish; the next chunk opens another session of the same stream.
    EndSession,
    /// End of the stream: finish, then tell whoever waits for `token`.
    EndOfStream {
        /// Chosen by the caller, and handed back when everything before it is done.
        token: u64,
    },
    /// What follows is another stream, whose positions begin at 0.
    NewStream {
        /// The new stream's number.
        stream: u32,
    },
}

/// One entry of the queue.
#[derive(Debug)]
pub enum Item {
    /// Audio to send.
    Audio(Chunk),
    /// A boundary to act upon.
    Boundary(Boundary),
}

/// Where audio was dropped, and how much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The number of the stream that it belonged to.
    pub stream: u32,
    /// The position that the next kept sample has now.
    pub position: u64,
    /// How many samples are gone.
    pub samples: u64,
}

#[derive(Debug)]
enum Entry {
    Audio { data: BytesMut, arrived: Duration },
    Boundary(Boundary),
}

/// The queue between the streaming thread and the driver.
#[derive(Debug)]
pub struct Queue {
    entries: VecDeque<Entry>,
    partial: BytesMut,
    partial_arrived: Duration,
    /// The stream, and the position in it, of the next chunk to be taken.
    stream: u32,
    next: u64,
    /// Samples that wait, the chunk being filled included.
    waiting: u64,
    /// Audio has come since the last boundary.
    session_open: bool,
    /// 0: what one `push` brings is a chunk.
    chunk_samples: u64,
}

impl Queue {
    /// `chunk_samples`: how much audio goes into a frame; 0: as much as each [`push`](Self::push)
    /// brings.
    pub fn new(chunk_samples: u64) -> Self {
        Queue {
            entries: VecDeque::new(),
            partial: BytesMut::new(),
            partial_arrived: Duration::ZERO,
            stream: 0,
            next: 0,
            waiting: 0,
            session_open: false,
            chunk_samples,
        }
    }

    /// Appends whole S16LE samples. True when a chunk became ready.
    pub fn push(&mut self, mut pcm: &[u8], arrived: Duration) -> bool {
        debug_assert_eq!(pcm.len() % BYTES_PER_SAMPLE, 0);
        let ready = self.entries.len();
        self.session_open |= !pcm.is_empty();
        self.waiting += (pcm.len() / BYTES_PER_SAMPLE) as u64;
        while !pcm.is_empty() {
            let full = match self.chunk_samples {
                0 => pcm.len().min(MAX_CHUNK),
                samples => samples as usize * BYTES_PER_SAMPLE,
            };
            if self.partial.is_empty() {
                self.partial.reserve(HEADROOM + full);
                self.partial.put_bytes(0, HEADROOM);
            }
            let room = (HEADROOM + full).saturating_sub(self.partial.len());
            let (head, tail) = pcm.split_at(room.min(pcm.len()));
            self.partial.extend_from_slice(head);
            self.partial_arrived = arrived;
            if self.partial.len() >= HEADROOM + full {
                self.flush_partial();
            }
            pcm = tail;
        }
        self.entries.len() > ready
    }

    /// Appends `samples` of silence, as audio. True when a chunk became ready.
    pub fn push_silence(&mut self, samples: u64, arrived: Duration) -> bool {
        const ZEROS: [u8; 4096] = [0; 4096];
        let mut ready = false;
        let mut bytes = samples as usize * BYTES_PER_SAMPLE;
        while bytes > 0 {
            let piece = bytes.min(ZEROS.len());
            ready |= self.push(&ZEROS[..piece], arrived);
            bytes -= piece;
        }
        ready
    }

    /// Appends a boundary; the audio before it becomes a chunk, however short.
    pub fn push_boundary(&mut self, boundary: Boundary) {
        self.flush_partial();
        self.entries.push_back(Entry::Boundary(boundary));
        self.session_open = false;
    }

    /// Whether what comes next goes on with a session that has audio, or will have: else it opens another.
    pub fn is_session_open(&self) -> bool {
        self.session_open
    }

    /// The session is over without a boundary, unless there is audio for it.
    pub fn close_session(&mut self) {
        self.session_open &= self.has_audio();
    }

    /// Makes a chunk of what is there, because no more is expected for a while.
    pub fn flush_partial(&mut self) {
        if !self.partial.is_empty() {
            // Not split off, which would allocate a count of its owners.
            let data = std::mem::take(&mut self.partial);
            let arrived = self.partial_arrived;
            self.entries.push_back(Entry::Audio { data, arrived });
        }
    }

    /// The next entry, in order.
    pub fn pop(&mut self) -> Option<Item> {
        Some(match self.entries.pop_front()? {
            Entry::Audio { data, arrived } => {
                let chunk = Chunk {
                    position: self.next,
                    data,
                    arrived,
                };
                self.next += chunk.samples();
                self.waiting -= chunk.samples();
                Item::Audio(chunk)
            }
            Entry::Boundary(boundary) => {
                if let Boundary::NewStream { stream } = boundary {
                    self.stream = stream;
                    self.next = 0;
                }
                Item::Boundary(boundary)
            }
        })
    }

    /// Whether [`pop`](Self::pop) has something now.
    pub fn is_ready(&self) -> bool {
        !self.entries.is_empty()
    }

    /// Whether the next entry is audio.
    pub fn front_is_audio(&self) -> bool {
        matches!(self.entries.front(), Some(Entry::Audio { .. }))
    }

    /// Whether any audio waits, a chunk that is not full included.
    pub fn has_audio(&self) -> bool {
        self.waiting > 0
    }

    /// Whether nothing waits but a chunk that is not full.
    pub fn has_only_partial(&self) -> bool {
        self.entries.is_empty() && self.has_audio()
    }

    /// How many samples wait, a chunk that is not full included.
    pub fn waiting(&self) -> u64 {
        self.waiting
    }

    /// Whether so many samples more may wait, where `limit` may.
    ///
    /// Always, when no whole chunk waits: the one being filled can't go before it is full, so a buffer
    /// that is longer than the limit would wait for ever.
    pub fn has_space(&self, samples: u64, limit: u64) -> bool {
        self.waiting == self.partial_len() || self.waiting.saturating_add(samples) <= limit
    }

    fn partial_len(&self) -> u64 {
        samples_in(&self.partial)
    }

    /// The position of the next chunk that [`pop`](Self::pop) hands out.
    pub fn next_position(&self) -> u64 {
        self.next
    }

    /// Drops the oldest chunk that is ready; boundaries before it stay.
    pub fn drop_oldest(&mut self) -> Option<Dropped> {
        let oldest = self
            .entries
            .iter()
            .position(|entry| matches!(entry, Entry::Audio { .. }))?;
        let new_stream = self
            .entries
            .iter()
            .take(oldest)
            .rev()
            .find_map(|entry| match entry {
                Entry::Boundary(Boundary::NewStream { stream }) => Some(*stream),
                _ => None,
            });
        let Some(Entry::Audio { data, .. }) = self.entries.remove(oldest) else {
            return None;
        };
        let samples = samples_in(&data);
        self.waiting -= samples;
        Some(match new_stream {
            Some(stream) => Dropped {
                stream,
                position: 0,
                samples,
            },
            None => Dropped {
                stream: self.stream,
                position: self.next,
                samples,
            },
        })
    }

    /// Forgets everything; the next sample has position 0.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.partial.clear();
        self.waiting = 0;
        self.next = 0;
        self.session_open = false;
    }
}

/// A frame never carries more than this, whatever the buffers are: 2 s at 24 kHz.
const MAX_CHUNK: usize = 2 * 24_000 * BYTES_PER_SAMPLE;

fn samples_in(data: &[u8]) -> u64 {
    (data.len().saturating_sub(HEADROOM) / BYTES_PER_SAMPLE) as u64
}

#[cfg(test)]
mod tests;
