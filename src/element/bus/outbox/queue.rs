//! The backlog of messages, and its limits.
//!
//! Backpressure on an application that is slow to take messages would only move the backlog to the
//! service. So the queue drops what the application can do without: first interim texts that were
//! replaced, then old interim texts and responses. If the rest is too large still, the run fails.

use std::collections::VecDeque;
use std::thread::ThreadId;

use super::outgoing::OutgoingMessage;

/// Number of messages above which an interim text is replaced by its successor.
const COALESCE_ABOVE: usize = 64;
/// Number of messages above which the oldest droppable ones are dropped.
const DROP_ABOVE: usize = 1024;
/// Bytes of messages above which they are dropped.
const DROP_ABOVE_BYTES: usize = 8 << 20;
/// Upper bound on the bytes of messages that can't be dropped: hours of final text.
const MAX_BYTES: usize = 32 << 20;

/// The messages of one outbox, and the state of its job.
pub(crate) struct Queue {
    /// Each with its epoch.
    messages: VecDeque<(u64, OutgoingMessage)>,
    pub epoch: u64,
    pub posting: Option<Posting>,
    /// Bytes of `messages`.
    bytes: usize,
    /// Jobs may run.
    pub opened: bool,
    pub job_running: bool,
    pub closed: bool,
}

/// A message that is being posted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Posting {
    /// The thread on which the application's sync handler sees it.
    pub by: ThreadId,
    /// It is discarded by a flush.
    pub audio: bool,
}

impl Queue {
    /// Returns an empty queue whose job may not start yet.
    pub fn new() -> Self {
        Queue {
            messages: VecDeque::new(),
            epoch: 0,
            posting: None,
            bytes: 0,
            opened: false,
            job_running: false,
            closed: false,
        }
    }

    pub fn len(&self) -> usize {
        self.messages.len()
    }

    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Appends a message, and drops those that became needless. Returns false when the queue is too
    /// large even so.
    pub fn push(&mut self, epoch: u64, message: OutgoingMessage) -> bool {
        if self.messages.len() >= COALESCE_ABOVE
            && let Some(index) = self.superseded(&message)
        {
            self.remove(index);
        }
        while self.is_large() {
            // Among more, none is left.
            let mut messages = self.messages.iter().take(DROP_ABOVE);
            match messages.position(|(_, message)| message.is_droppable()) {
                Some(oldest) => _ = self.remove(oldest),
                None if message.is_droppable() => return true,
                None => break,
            }
        }
        self.bytes += message.bytes();
        self.messages.push_back((epoch, message));
        self.bytes <= MAX_BYTES
    }

    /// Returns the index of the message that `next` makes needless, if it is among the latest.
    fn superseded(&self, next: &OutgoingMessage) -> Option<usize> {
        let first = self.messages.len().saturating_sub(DROP_ABOVE);
        let mut latest = self.messages.range(first..);
        let found = latest.rposition(|(_, message)| message.is_superseded_by(next))?;
        Some(first + found)
    }

    /// Whether messages that can be dropped must be.
    fn is_large(&self) -> bool {
        self.messages.len() >= DROP_ABOVE || self.bytes >= DROP_ABOVE_BYTES
    }

    fn remove(&mut self, index: usize) -> Option<(u64, OutgoingMessage)> {
        let (epoch, message) = self.messages.remove(index)?;
        self.bytes -= message.bytes();
        Some((epoch, message))
    }

    pub fn pop(&mut self) -> Option<(u64, OutgoingMessage)> {
        self.remove(0)
    }

    pub fn retain(&mut self, mut keep: impl FnMut(&OutgoingMessage) -> bool) {
        self.messages.retain(|(_, message)| keep(message));
        let bytes = self.messages.iter().map(|(_, message)| message.bytes());
        self.bytes = bytes.sum();
    }
}

#[cfg(test)]
mod tests;
