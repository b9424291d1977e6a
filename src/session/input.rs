//! Access to the queue for the state machine.

use std::time::Duration;

use super::queue::{Boundary, Item, Queue};

/// Upper bound on the age of a partial chunk that opens a session: its rest is about to come. An
/// older one may be all that is left, and waits for the idle timeout.
const PARTIAL_CHUNK_MAX_AGE: Duration = Duration::from_millis(100);

/// Next work of an idle client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Audio, or a partial chunk, so that the session is open when that is complete.
    Audio,
    /// A boundary, which is taken.
    Boundary(Boundary),
    /// A partial chunk, whose audio ended at this time.
    Partial(Duration),
    /// Nothing.
    Nothing,
}

/// Access to the queue. Each call may lock it, and none holds it.
pub trait Input {
    /// Takes the next chunk or boundary.
    fn pop(&mut self) -> Option<Item>;

    /// Takes the next boundary, or returns other work.
    fn poll_work(&mut self, now: Duration) -> Work;

    /// Whether [`pop`](Self::pop) returns an entry.
    fn is_ready(&self) -> bool;

    /// Whether audio is what comes next, if it is only a partial chunk.
    fn is_audio_next(&self) -> bool;

    /// Returns the time at which the audio so far ends in real time.
    fn end(&self) -> Duration;

    /// Returns the position of the next chunk.
    fn next_position(&self) -> u64;

    /// Completes the partial chunk.
    fn flush_partial(&mut self);

    /// Appends the end of the session, unless an entry waits. Returns whether it did.
    fn end_session(&mut self) -> bool;

    /// Notes that the session has ended without a boundary.
    fn close_session(&mut self);
}

impl Input for Queue {
    fn pop(&mut self) -> Option<Item> {
        self.pop()
    }

    fn poll_work(&mut self, now: Duration) -> Work {
        let has_only_partial = self.has_only_partial();
        if self.front_is_audio() || has_only_partial && now < self.end() + PARTIAL_CHUNK_MAX_AGE {
            return Work::Audio;
        }
        match self.pop() {
            Some(Item::Boundary(boundary)) => Work::Boundary(boundary),
            _ if has_only_partial => Work::Partial(self.end()),
            _ => Work::Nothing,
        }
    }

    fn is_ready(&self) -> bool {
        self.is_ready()
    }

    fn is_audio_next(&self) -> bool {
        self.front_is_audio() || self.has_only_partial()
    }

    fn end(&self) -> Duration {
        self.end()
    }

    fn next_position(&self) -> u64 {
        self.next_position()
    }

    fn flush_partial(&mut self) {
        self.flush_partial();
    }

    fn end_session(&mut self) -> bool {
        let is_idle = !self.is_ready();
        if is_idle {
            self.push_boundary(Boundary::EndSession);
        }
        is_idle
    }

    fn close_session(&mut self) {
        self.close_session();
    }
}
