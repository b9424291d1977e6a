//! The audio and boundaries that wait, as recognition takes them.

use std::time::Duration;

use super::queue::{Boundary, Item, Queue};

/// A piece of a chunk that came no longer ago opens a session: more comes. A remainder does not.
const PARTIAL_CHUNK_MAX_AGE: Duration = Duration::from_millis(100);

/// Work that an idle client finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Audio is next, or its first piece has come, so that the session is open when a chunk is
    /// complete.
    Audio,
    /// A boundary, which is taken.
    Boundary(Boundary),
    /// Less than a chunk, which was complete then; no more came.
    Partial(Duration),
    /// Nothing.
    Nothing,
}

/// Access to the queue. Each call may lock it, and none holds it.
pub trait Input {
    /// Takes the next chunk or boundary.
    fn pop(&mut self) -> Option<Item>;

    /// Takes a boundary that is next, or says what else there is.
    fn poll_work(&mut self, now: Duration) -> Work;

    /// Whether [`pop`](Self::pop) has something.
    fn is_ready(&self) -> bool;

    /// Returns when the audio that came last will have been heard.
    fn end(&self) -> Duration;

    /// Returns the position of the next chunk.
    fn next_position(&self) -> u64;

    /// Makes a chunk of what there is.
    fn flush_partial(&mut self);

    /// Ends the session behind what waits, unless a chunk is ready. Returns whether it does.
    fn end_session(&mut self) -> bool;

    /// Notes that the session ended without a boundary in the queue.
    fn close_session(&mut self);
}

/// A queue, and the time at which its audio ends.
#[derive(Debug)]
pub struct TimedQueue {
    /// The queue.
    pub queue: Queue,
    /// When the audio that was handed over last will have been heard.
    pub end: Duration,
}

impl TimedQueue {
    /// Returns an empty queue that makes chunks of so many samples.
    pub fn new(chunk_samples: u64) -> Self {
        TimedQueue {
            queue: Queue::new(chunk_samples),
            end: Duration::ZERO,
        }
    }
}

impl Input for TimedQueue {
    fn pop(&mut self) -> Option<Item> {
        self.queue.pop()
    }

    fn poll_work(&mut self, now: Duration) -> Work {
        let has_only_partial = self.queue.has_only_partial();
        if self.queue.front_is_audio() || has_only_partial && now < self.end + PARTIAL_CHUNK_MAX_AGE
        {
            return Work::Audio;
        }
        match self.queue.pop() {
            Some(Item::Boundary(boundary)) => Work::Boundary(boundary),
            _ if has_only_partial => Work::Partial(self.end),
            _ => Work::Nothing,
        }
    }

    fn is_ready(&self) -> bool {
        self.queue.is_ready()
    }

    fn end(&self) -> Duration {
        self.end
    }

    fn next_position(&self) -> u64 {
        self.queue.next_position()
    }

    fn flush_partial(&mut self) {
        self.queue.flush_partial();
    }

    fn end_session(&mut self) -> bool {
        let is_idle = !self.queue.is_ready();
        if is_idle {
            self.queue.push_boundary(Boundary::EndSession);
        }
        is_idle
    }

    fn close_session(&mut self) {
        self.queue.close_session();
    }
}
