//! What the streaming thread, the application's threads and the driver share: the queue, who waits for what, and the clock.

use std::sync::atomic::AtomicBool;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::WaitResult;
use super::config::Config;
use super::counters::Counters;
use super::error::InputError;
use crate::session::queue::{Boundary, Item, Queue};
use crate::session::time_to_samples;

/// Reason to end a client with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abort {
    /// A buffer can't be used.
    Input(InputError),
    /// Too many messages wait to be posted.
    Backlog,
    /// Defect of the element.
    Internal,
}

/// What ends the driver's current work from outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Control {
    pub(super) epoch: u64,
    /// Why the owner has ended it, if it has.
    pub(super) abort: Option<Abort>,
    pub(super) stopped: bool,
}

/// A piece of a chunk that came no longer ago is worth a session: more comes. Left-overs are not.
const FRESH: Duration = Duration::from_millis(100);

/// What the streaming thread, the application's threads and the driver share.
pub(super) struct Shared {
    pub(super) state: Mutex<State>,
    pub(super) changed: Condvar,
    /// Something can be taken from the queue.
    pub(super) ready: Notify,
    pub(super) control: watch::Sender<Control>,
    pub(super) counters: Counters,
    pub(super) wants_responses: AtomicBool,
    pub(super) started: Instant,
    pub(super) rate: u32,
    pub(super) max_queue: u64,
}

pub(super) struct State {
    pub(super) queue: Queue,
    /// Counts the flushes, as the driver does: it must not take what belongs to a later one.
    pub(super) epoch: u64,
    /// When the audio that was handed over last will have been heard.
    pub(super) input_end: Duration,
    /// Between the two halves of a flush nothing is taken.
    pub(super) flushing: bool,
    /// Somebody waits for room for so many samples.
    pub(super) waiting_for_space: Option<u64>,
    /// The driver has nothing to do: the first piece of a chunk is news to it.
    pub(super) driver_idle: bool,
    pub(super) failed: bool,
    /// The failure is on the bus.
    pub(super) failure_posted: bool,
    pub(super) completed_token: u64,
    /// Counts the calls of [`Client::interrupt`](super::Client::interrupt).
    pub(super) interrupt_count: u64,
    /// Ends all waits, those to come as well.
    pub(super) stopped: bool,
}

impl Shared {
    /// For a client that starts now.
    pub(super) fn new(config: &Config) -> Self {
        let rate = config.request.rate;
        let (control, _) = watch::channel(Control::default());
        Shared {
            state: Mutex::new(State {
                queue: Queue::new(time_to_samples(config.chunk, rate)),
                epoch: 0,
                input_end: Duration::ZERO,
                flushing: false,
                waiting_for_space: None,
                driver_idle: false,
                failed: false,
                failure_posted: false,
                completed_token: 0,
                interrupt_count: 0,
                stopped: false,
            }),
            changed: Condvar::new(),
            ready: Notify::new(),
            control,
            counters: Counters::default(),
            wants_responses: AtomicBool::new(false),
            started: Instant::now(),
            rate,
            max_queue: time_to_samples(config.max_queue, rate),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The clock of everything below: time since this client started.
    pub(super) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Sleeps until a time of this clock; none: not at all.
    pub(super) async fn sleep(&self, until: Option<Duration>) {
        if let Some(until) = until {
            tokio::time::sleep_until(self.started + until).await;
        }
    }

    /// Takes what is next, unless a flush has come that the driver does not know of.
    pub(super) fn pop(&self, epoch: u64) -> Option<Item> {
        let mut guard = self.state();
        let state = &mut *guard;
        if state.epoch != epoch {
            return None;
        }
        let item = state.queue.pop();
        let (queue, limit) = (&state.queue, self.low_watermark());
        let wake = state
            .waiting_for_space
            .take_if(|samples| queue.has_space(*samples, limit))
            .is_some();
        drop(guard);
        if wake {
            self.changed.notify_all();
        }
        item
    }

    /// With no more than this waiting, it is worth waking whoever waits for room.
    pub(super) fn low_watermark(&self) -> u64 {
        self.max_queue / 4 * 3
    }

    /// Takes a boundary that is next, as [`pop`](Self::pop) does. Some(None): audio is, or has begun to come, so
    /// that the session is open when its first chunk is complete.
    pub(super) fn next_boundary(&self, epoch: u64) -> Option<Option<Boundary>> {
        let mut state = self.state();
        if state.epoch != epoch {
            return None;
        }
        let coming = state.queue.has_only_partial() && self.now() < state.input_end + FRESH;
        let next = if state.queue.front_is_audio() || coming {
            Some(None)
        } else {
            match state.queue.pop() {
                Some(Item::Boundary(boundary)) => Some(Some(boundary)),
                _ => None,
            }
        };
        state.driver_idle = next.is_none();
        next
    }

    /// When what waits, and is less than a chunk, was complete.
    pub(super) fn partial_chunk_since(&self) -> Option<Duration> {
        let state = self.state();
        state.queue.has_only_partial().then_some(state.input_end)
    }

    /// Waits until `until` returns a result, the client is stopped, or the count of interruptions is
    /// no longer `seen`.
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
