//! The queue of audio and boundaries that wait to be sent.
//!
//! The streaming thread appends samples, the driver takes chunks. A sample is copied once, from the
//! pipeline's buffer into the chunk, which has headroom for the frame's header.
//!
//! Positions count the samples of a stream that are taken, so audio that was dropped from the queue
//! leaves no hole.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{BufMut, BytesMut};

use super::{BYTES_PER_SAMPLE, bytes_of, samples_in, samples_to_time, time_to_samples};
use crate::protocol::frame::HEADROOM;

/// Upper bound on a frame's audio where buffers become frames.
pub const MAX_CHUNK: Duration = Duration::from_secs(2);
/// Upper bound on the age of a partial chunk that opens a session: its rest is about to come. An
/// older one may be all that is left, and waits for the idle timeout.
const PARTIAL_CHUNK_MAX_AGE: Duration = Duration::from_millis(100);

/// Audio of one frame.
#[derive(Debug, Default)]
pub struct Chunk {
    /// [`HEADROOM`] bytes for the frame's header, then S16LE samples.
    pub data: BytesMut,
    /// Arrival time of its last sample at the sink, on the clock of [`Queue::push`].
    pub arrived: Duration,
}

impl Chunk {
    /// Returns the number of samples.
    pub fn samples(&self) -> u64 {
        samples_in(self.pcm().len())
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

/// Next work of an idle client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Audio, or a partial chunk, so that the session is open when that is complete.
    Audio,
    /// A boundary, which is taken.
    Boundary(Boundary),
    /// Nothing, or a partial chunk, whose audio ended at this time.
    Nothing(Option<Duration>),
}

/// Access to a queue that another thread may use, too.
pub trait QueueAccess {
    /// Calls `access` with the queue, which is locked for that long.
    fn with<T>(&mut self, access: impl FnOnce(&mut Queue) -> T) -> T;
}

impl QueueAccess for Queue {
    fn with<T>(&mut self, access: impl FnOnce(&mut Queue) -> T) -> T {
        access(self)
    }
}

/// The queue between the streaming thread and the driver.
#[derive(Debug)]
pub struct Queue {
    entries: VecDeque<Item>,
    partial: Chunk,
    /// Stream of the next chunk to be taken, and the position in it.
    stream: u32,
    next: u64,
    /// Samples that wait, those of the partial chunk included.
    waiting: u64,
    /// Audio has come since the last boundary.
    session_open: bool,
    /// The driver has found no work.
    is_driver_idle: bool,
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
            partial: Chunk::default(),
            stream: 0,
            next: 0,
            waiting: 0,
            session_open: false,
            is_driver_idle: false,
            end: Duration::ZERO,
            chunk_samples,
            rate,
        }
    }

    /// Appends whole S16LE samples. Returns whether to wake the driver: a chunk is complete, or an
    /// idle driver must not wait for its rest for ever.
    pub fn push(&mut self, mut pcm: &[u8], arrived: Duration) -> bool {
        debug_assert_eq!(pcm.len() % BYTES_PER_SAMPLE, 0);
        let samples = samples_in(pcm.len());
        let ready = self.entries.len();
        let is_first = self.is_driver_idle && !self.has_audio();
        self.end = arrived + samples_to_time(samples, self.rate);
        self.session_open |= samples > 0;
        self.waiting += samples;
        while !pcm.is_empty() {
            let full = HEADROOM
                + match self.chunk_samples {
                    0 => pcm
                        .len()
                        .min(bytes_of(time_to_samples(MAX_CHUNK, self.rate))),
                    samples => bytes_of(samples),
                };
            let partial = &mut self.partial.data;
            if partial.is_empty() {
                partial.reserve(full);
                partial.put_bytes(0, HEADROOM);
            }
            let room = full.saturating_sub(partial.len());
            let (head, tail) = pcm.split_at(room.min(pcm.len()));
            partial.extend_from_slice(head);
            self.partial.arrived = arrived;
            if self.partial.data.len() >= full {
                self.flush_partial();
            }
            pcm = tail;
        }
        self.entries.len() > ready || is_first
    }

    /// Appends a boundary, but no end of a session behind another. The partial chunk before it is
    /// complete then.
    pub fn push_boundary(&mut self, boundary: Boundary) {
        self.flush_partial();
        if boundary != Boundary::EndSession || !is_end_of_session(self.entries.back()) {
            self.entries.push_back(Item::Boundary(boundary));
        }
        self.session_open = false;
    }

    /// Appends the end of the session, unless an entry waits. Returns whether it did.
    pub fn end_session(&mut self) -> bool {
        let is_idle = !self.is_ready();
        if is_idle {
            self.push_boundary(Boundary::EndSession);
        }
        is_idle
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
        if !self.partial.data.is_empty() {
            // `split` would allocate a reference count.
            let chunk = std::mem::take(&mut self.partial);
            self.entries.push_back(Item::Audio(chunk));
        }
    }

    /// Takes the next entry.
    pub fn pop(&mut self) -> Option<Item> {
        let item = self.entries.pop_front()?;
        match &item {
            Item::Audio(chunk) => {
                self.next += chunk.samples();
                self.waiting -= chunk.samples();
            }
            Item::Boundary(Boundary::NewStream { stream }) => {
                (self.stream, self.next) = (*stream, 0);
            }
            Item::Boundary(_) => {}
        }
        Some(item)
    }

    /// Takes the next boundary, or returns other work.
    pub fn poll_work(&mut self, now: Duration) -> Work {
        let partial_since = self.has_only_partial().then_some(self.end);
        let is_young = partial_since.is_some_and(|end| now < end + PARTIAL_CHUNK_MAX_AGE);
        let work = match self.front_is_audio() || is_young {
            true => Work::Audio,
            false => match self.pop() {
                Some(Item::Boundary(boundary)) => Work::Boundary(boundary),
                _ => Work::Nothing(partial_since),
            },
        };
        self.is_driver_idle = matches!(work, Work::Nothing(_));
        work
    }

    /// Whether [`pop`](Self::pop) returns an entry.
    pub fn is_ready(&self) -> bool {
        !self.entries.is_empty()
    }

    /// Whether the next entry is audio.
    fn front_is_audio(&self) -> bool {
        matches!(self.entries.front(), Some(Item::Audio(_)))
    }

    /// Whether audio is what comes next, if it is only a partial chunk.
    pub fn is_audio_next(&self) -> bool {
        self.front_is_audio() || self.has_only_partial()
    }

    /// Whether audio waits, that of the partial chunk included.
    fn has_audio(&self) -> bool {
        self.waiting > 0
    }

    /// Whether nothing waits but a partial chunk.
    fn has_only_partial(&self) -> bool {
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
        self.waiting == self.partial.samples() || self.waiting.saturating_add(samples) <= limit
    }

    /// Returns the time at which the audio so far ends in real time.
    pub fn end(&self) -> Duration {
        self.end
    }

    /// Drops the oldest whole chunk. Boundaries before it stay, but the ends of a session on both
    /// sides of it become one: they would pile up while nothing is sent.
    pub fn drop_oldest(&mut self) -> Option<Dropped> {
        let is_audio = |item: &Item| matches!(item, Item::Audio(_));
        let oldest = self.entries.iter().position(is_audio)?;
        let mut before = self.entries.range(..oldest).rev();
        let new_stream = before.find_map(|item| match item {
            Item::Boundary(Boundary::NewStream { stream }) => Some((*stream, 0)),
            _ => None,
        });
        let Some(Item::Audio(chunk)) = self.entries.remove(oldest) else {
            return None;
        };
        let before = oldest.checked_sub(1).and_then(|at| self.entries.get(at));
        if is_end_of_session(before) && is_end_of_session(self.entries.get(oldest)) {
            self.entries.remove(oldest);
        }
        let samples = chunk.samples();
        self.waiting -= samples;
        let (stream, position) = new_stream.unwrap_or((self.stream, self.next));
        Some(Dropped {
            stream,
            position,
            samples,
        })
    }

    /// Removes everything. The next sample has position 0.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.partial.data.clear();
        self.waiting = 0;
        self.next = 0;
        self.session_open = false;
        self.end = Duration::ZERO;
    }
}

fn is_end_of_session(item: Option<&Item>) -> bool {
    matches!(item, Some(Item::Boundary(Boundary::EndSession)))
}

#[cfg(test)]
mod tests;
