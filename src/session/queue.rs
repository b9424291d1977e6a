//! The queue of audio and boundaries that wait to be sent.
//!
//! The streaming thread appends samples, the driver takes chunks. A sample is copied once, from the
//! pipeline's buffer into the chunk, which has headroom for the frame's header.
//!
//! Positions count the samples of a stream that are sent. A chunk gets its position when it is
//! taken, so audio that was dropped from the queue leaves no hole.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{BufMut, BytesMut};

use super::{BYTES_PER_SAMPLE, samples_to_time, time_to_samples};
use crate::protocol::frame::HEADROOM;

/// Upper bound on a frame's audio where buffers become frames.
pub const MAX_CHUNK: Duration = Duration::from_secs(2);

/// Audio of one frame.
#[derive(Debug)]
pub struct Chunk {
    /// Position of its first sample in the stream.
    pub position: u64,
    /// [`HEADROOM`] bytes for the frame's header, then S16LE samples.
    pub data: BytesMut,
    /// Arrival time of its last sample at the sink, on the clock of [`Queue::push`].
    pub arrived: Duration,
}

impl Chunk {
    /// Returns the number of samples.
    pub fn samples(&self) -> u64 {
        samples_in(&self.data)
    }

    /// Returns the samples without the headroom.
    pub fn pcm(&self) -> &[u8] {
        self.data.get(HEADROOM..).unwrap_or_default()
    }
}

/// End of a session or a stream, between two chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    /// End of the session; the next chunk opens another one of the same stream.
    EndSession,
    /// End of the stream.
    EndOfStream {
        /// Chosen by the caller, and reported when everything before the boundary is done.
        token: u64,
    },
    /// Begin of another stream, whose positions start at 0.
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
    /// A boundary to complete.
    Boundary(Boundary),
}

/// Dropped audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Number of the stream that it belonged to.
    pub stream: u32,
    /// Position that the sample after it has now.
    pub position: u64,
    /// Number of samples.
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
    /// Stream of the next chunk to be taken, and the position in it.
    stream: u32,
    next: u64,
    /// Samples that wait, those of the partial chunk included.
    waiting: u64,
    /// Audio has come since the last boundary.
    session_open: bool,
    /// Time at which the audio so far ends in real time.
    end: Duration,
    /// Samples in a chunk; 0: as many as one `push` brings.
    chunk_samples: u64,
    rate: u32,
}

impl Queue {
    /// Returns an empty queue. `chunk_samples`: samples in a frame; 0: as many as each
    /// [`push`](Self::push) brings. `rate` is in hertz.
    pub fn new(chunk_samples: u64, rate: u32) -> Self {
        Queue {
            entries: VecDeque::new(),
            partial: BytesMut::new(),
            partial_arrived: Duration::ZERO,
            stream: 0,
            next: 0,
            waiting: 0,
            session_open: false,
            end: Duration::ZERO,
            chunk_samples,
            rate,
        }
    }

    /// Appends whole S16LE samples. Returns whether a chunk is complete.
    pub fn push(&mut self, pcm: &[u8], arrived: Duration) -> bool {
        let samples = (pcm.len() / BYTES_PER_SAMPLE) as u64;
        self.end = arrived + samples_to_time(samples, self.rate);
        self.append(pcm, arrived)
    }

    fn append(&mut self, mut pcm: &[u8], arrived: Duration) -> bool {
        debug_assert_eq!(pcm.len() % BYTES_PER_SAMPLE, 0);
        let ready = self.entries.len();
        self.session_open |= !pcm.is_empty();
        self.waiting += (pcm.len() / BYTES_PER_SAMPLE) as u64;
        while !pcm.is_empty() {
            let bytes = |samples: u64| samples as usize * BYTES_PER_SAMPLE;
            let full = match self.chunk_samples {
                0 => pcm.len().min(bytes(time_to_samples(MAX_CHUNK, self.rate))),
                samples => bytes(samples),
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

    /// Appends `samples` of silence. Returns whether a chunk is complete.
    pub fn push_silence(&mut self, samples: u64, arrived: Duration) -> bool {
        const ZEROS: [u8; 4096] = [0; 4096];
        self.end = arrived + samples_to_time(samples, self.rate);
        let mut ready = false;
        let mut bytes = samples as usize * BYTES_PER_SAMPLE;
        while bytes > 0 {
            let piece = bytes.min(ZEROS.len());
            ready |= self.append(&ZEROS[..piece], arrived);
            bytes -= piece;
        }
        ready
    }

    /// Appends a boundary. The partial chunk before it is complete then.
    pub fn push_boundary(&mut self, boundary: Boundary) {
        self.flush_partial();
        self.entries.push_back(Entry::Boundary(boundary));
        self.session_open = false;
    }

    /// Whether audio that is appended now continues a session rather than opens one.
    pub fn is_session_open(&self) -> bool {
        self.session_open
    }

    /// Notes that the session has ended without a boundary, unless audio for it waits.
    pub fn close_session(&mut self) {
        self.session_open &= self.has_audio();
    }

    /// Completes the partial chunk, because no more audio is expected for a while.
    pub fn flush_partial(&mut self) {
        if !self.partial.is_empty() {
            // `split` would allocate a reference count.
            let data = std::mem::take(&mut self.partial);
            let arrived = self.partial_arrived;
            self.entries.push_back(Entry::Audio { data, arrived });
        }
    }

    /// Takes the next entry.
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

    /// Whether [`pop`](Self::pop) returns an entry.
    pub fn is_ready(&self) -> bool {
        !self.entries.is_empty()
    }

    /// Whether the next entry is audio.
    pub fn front_is_audio(&self) -> bool {
        matches!(self.entries.front(), Some(Entry::Audio { .. }))
    }

    /// Whether audio waits, that of the partial chunk included.
    pub fn has_audio(&self) -> bool {
        self.waiting > 0
    }

    /// Whether nothing waits but a partial chunk.
    pub fn has_only_partial(&self) -> bool {
        self.entries.is_empty() && self.has_audio()
    }

    /// Returns the number of samples that wait, those of the partial chunk included.
    pub fn waiting(&self) -> u64 {
        self.waiting
    }

    /// Whether `samples` more fit below `limit`.
    ///
    /// They always do while no whole chunk waits: the partial one is not sent before it is
    /// complete, so a buffer longer than the limit would wait for ever.
    pub fn has_space(&self, samples: u64, limit: u64) -> bool {
        self.waiting == self.partial_len() || self.waiting.saturating_add(samples) <= limit
    }

    fn partial_len(&self) -> u64 {
        samples_in(&self.partial)
    }

    /// Returns the time at which the audio so far ends in real time.
    pub fn end(&self) -> Duration {
        self.end
    }

    /// Returns the position of the next chunk.
    pub fn next_position(&self) -> u64 {
        self.next
    }

    /// Drops the oldest whole chunk. Boundaries before it stay.
    pub fn drop_oldest(&mut self) -> Option<Dropped> {
        let oldest = self
            .entries
            .iter()
            .position(|entry| matches!(entry, Entry::Audio { .. }))?;
        let mut before = self.entries.range(..oldest).rev();
        let new_stream = before.find_map(|entry| match entry {
            Entry::Boundary(Boundary::NewStream { stream }) => Some(*stream),
            _ => None,
        });
        let Some(Entry::Audio { data, .. }) = self.entries.remove(oldest) else {
            return None;
        };
        let samples = samples_in(&data);
        self.waiting -= samples;
        let (stream, position) = new_stream.map_or((self.stream, self.next), |stream| (stream, 0));
        Some(Dropped {
            stream,
            position,
            samples,
        })
    }

    /// Removes everything. The next sample has position 0.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.partial.clear();
        self.waiting = 0;
        self.next = 0;
        self.session_open = false;
        self.end = Duration::ZERO;
    }
}

fn samples_in(data: &[u8]) -> u64 {
    (data.len().saturating_sub(HEADROOM) / BYTES_PER_SAMPLE) as u64
}

#[cfg(test)]
mod tests;
