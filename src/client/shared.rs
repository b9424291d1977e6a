//! State that the streaming thread, the application's threads and the driver share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::counts::Counts;
use super::error::Abort;
use crate::session::queue::{Queue, QueueAccess};
use crate::session::time_to_samples;
use crate::sync::lock;

/// Result of a wait on the streaming thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitResult {
    /// The condition holds.
    Done,
    /// It will never hold: the client has failed, and the error is on the bus.
    Failed,
    /// The wait was interrupted. The caller may have to act, and waits again.
    Interrupted,
    /// The client is stopped.
    Stopped,
}

/// State of a client that its threads and the driver share.
pub(super) struct Shared {
    pub(super) state: Mutex<State>,
    pub(super) changed: Condvar,
    /// Signals that the queue has an entry.
    pub(super) ready: Notify,
    /// Signals a flush, an abort or the stop.
    pub(super) control: Notify,
    pub(super) wants_responses: AtomicBool,
    pub(super) started: Instant,
    pub(super) max_queue: u64,
}

pub(super) struct State {
    pub(super) queue: Queue,
    pub(super) counts: Counts,
    /// Language of the sessions to come, if it was changed.
    pub(super) language: Option<Option<String>>,
    /// Number of flushes. The driver counts them too, and must not take entries of a later epoch.
    pub(super) epoch: u64,
    /// Between FLUSH_START and FLUSH_STOP: audio is discarded.
    pub(super) flushing: bool,
    /// Samples that the streaming thread waits to have space for.
    pub(super) waiting_for_space: Option<u64>,
    pub(super) failed: bool,
    /// The failure is on the bus.
    pub(super) failure_posted: bool,
    pub(super) completed_token: u64,
    /// Number of calls of [`Client::interrupt`](super::Client::interrupt).
    pub(super) interrupt_count: u64,
    /// The client ends with an error.
    pub(super) abort: Option<Abort>,
    /// The client is stopped: all waits end, later ones too.
    pub(super) stopped: bool,
}

impl Shared {
    /// Returns the state of a client that starts now, for audio of a rate in hertz.
    pub(super) fn new(rate: u32, chunk: Duration, max_queue: Duration) -> Self {
        Shared {
            state: Mutex::new(State {
                queue: Queue::new(time_to_samples(chunk, rate), rate),
                counts: Counts::default(),
                language: None,
                epoch: 0,
                flushing: false,
                waiting_for_space: None,
                failed: false,
                failure_posted: false,
                completed_token: 0,
                interrupt_count: 0,
                abort: None,
                stopped: false,
            }),
            changed: Condvar::new(),
            ready: Notify::new(),
            control: Notify::new(),
            wants_responses: AtomicBool::new(false),
            started: Instant::now(),
            max_queue: time_to_samples(max_queue, rate),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Changes the state in a way that ends the driver's current work, and perhaps the waits.
    pub(super) fn control<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.state());
        self.control.notify_one();
        self.changed.notify_all();
        result
    }

    /// Returns the time since this client started, the clock of the session.
    pub(super) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Returns the samples in the queue below which it is worth waking the streaming thread.
    pub(super) fn low_watermark(&self) -> u64 {
        self.max_queue / 4 * 3
    }

    /// Returns access to the queue for a driver in `epoch`.
    pub(super) fn queue_access(&self, epoch: u64) -> SharedQueue<'_> {
        SharedQueue {
            shared: self,
            epoch,
        }
    }

    /// Whether each response is reported as an event.
    pub(super) fn wants_responses(&self) -> bool {
        self.wants_responses.load(Ordering::Relaxed)
    }

    /// Waits until `until` returns a result, the client is stopped, or the count of interruptions
    /// is no longer `seen`.
    pub(super) fn wait(
        &self,
        seen: u64,
        mut until: impl FnMut(&mut State) -> Option<WaitResult>,
    ) -> WaitResult {
        let mut state = self.state();
        loop {
            if state.stopped {
                return WaitResult::Stopped;
            }
            if let Some(end) = until(&mut state) {
                return end;
            }
            if state.interrupt_count != seen {
                return WaitResult::Interrupted;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// The driver's access to the queue. It is empty after a flush that the driver does not know yet.
pub(super) struct SharedQueue<'a> {
    shared: &'a Shared,
    epoch: u64,
}

impl QueueAccess for SharedQueue<'_> {
    fn with<T>(&mut self, access: impl FnOnce(&mut Queue) -> T) -> T {
        let mut state = self.shared.state();
        if state.epoch != self.epoch {
            return access(&mut Queue::new(0, 0));
        }
        let result = access(&mut state.queue);
        let limit = self.shared.low_watermark();
        let has_space =
            (state.waiting_for_space).is_some_and(|samples| state.queue.has_space(samples, limit));
        if has_space {
            state.waiting_for_space = None;
            drop(state);
            self.shared.changed.notify_all();
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::queue::Item;

    #[test]
    fn durations_are_counted_at_the_rate() {
        let shared = Shared::new(16_000, Duration::from_millis(200), Duration::from_secs(1));
        assert_eq!(shared.max_queue, 16_000);
        let mut state = shared.state();
        let queue = &mut state.queue;
        queue.push(&[0; 10_000], Duration::ZERO);
        let Some(Item::Audio(chunk)) = queue.pop() else {
            panic!("no chunk is ready")
        };
        assert_eq!(chunk.samples(), 3200);
    }
}
