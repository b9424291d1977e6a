//! The connection, its deadlines and its reconnections: the floor that knows sockets and clocks.
//!
//! A [`Client`] belongs to one run of an element from READY to PAUSED and back. The streaming thread
//! hands it audio and boundaries, which wait in a bounded queue; a task on the process's runtime, the
//! [`driver`], takes them from there, talks to the service, and tells what happens as [`Event`]s.
//!
//! Nothing here waits for anything but [`Client::wait_for_space`] and [`Client::wait_for`], which the
//! streaming thread calls, and which [`Client::interrupt`] ends.

mod config;
mod counters;
mod credentials;
mod driver;
mod error;
mod event;
mod hearing;
mod live;
mod net;
mod opening;
mod retrying;
mod rotation;
mod runtime;
mod secrets;
mod sending;
mod shared;
mod telling;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

pub use config::Config;
pub use counters::Counts;
pub use credentials::Credentials;
#[cfg(test)]
pub(crate) use error::tests::examples::one_of_each;
pub use error::{ClientError, InputError};
pub use event::{Event, EventHandler, Level};
pub use net::dial_error::{DialError, ProxyError};
pub use net::endpoint::{Endpoint, redact_uri};
pub use net::handshake::HandshakeError;
pub(crate) use net::handshake::is_field_value;
pub use net::proxy::{Proxy, ProxyProperties, ProxyVariables, choose as choose_proxy};
pub use runtime::{RuntimeError, run_job};
pub use secrets::Secrets;

use crate::session::queue::{Boundary, Dropped};
use crate::session::samples_to_time;
use shared::{Abort, Shared};

/// What became of a wait on the streaming thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitResult {
    /// What was waited for has come.
    Done,
    /// It will never come: the client has failed, and its owner has said so.
    Failed,
    /// The caller may be needed elsewhere; it then waits again.
    Interrupted,
    /// The client is stopped.
    Stopped,
}

/// What became of audio that was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushResult {
    /// It waits, or is on its way; between the halves of a flush it is dropped.
    Accepted,
    /// Nothing was taken, and nothing will be.
    Failed,
}

/// One element's connection to the service, from READY → PAUSED to PAUSED → READY.
///
/// Dropping it stops it, as [`stop`](Self::stop) does.
pub struct Client {
    shared: Arc<Shared>,
}

impl Client {
    /// Starts to connect. Does not block.
    pub fn start(config: Config, handler: Arc<dyn EventHandler>) -> Result<Client, RuntimeError> {
        let shared = Arc::new(Shared::new(&config));
        driver::start(shared.clone(), config, handler)?;
        Ok(Client { shared })
    }

    /// Hands over S16LE samples, whole ones.
    ///
    /// They are taken even if there is no room: whoever calls has waited for it with
    /// [`wait_for_space`](Self::wait_for_space) or made it with [`make_room`](Self::make_room), and what was taken
    /// of the silence before them must not cost them.
    pub fn push(&self, pcm: &[u8]) -> PushResult {
        let samples = (pcm.len() / crate::session::BYTES_PER_SAMPLE) as u64;
        let now = self.shared.now();
        let mut state = self.shared.state();
        if state.failed {
            return PushResult::Failed;
        }
        if state.flushing {
            return PushResult::Accepted;
        }
        // The first piece of a chunk, too: the driver must not wait for the rest for ever.
        let first = state.driver_idle && !state.queue.has_audio();
        let ready = state.queue.push(pcm, now);
        state.input_end = now + samples_to_time(samples, self.shared.rate);
        drop(state);
        if ready || first {
            self.shared.ready.notify_one();
        }
        self.shared
            .counters
            .update(|counts| counts.received += samples);
        PushResult::Accepted
    }

    /// Hands over silence in place of a gap, and ends the session behind it if it is to `pause`. It counts as sent
    /// audio, not as received.
    ///
    /// False: nothing was taken, as there is no session that it could go to. One that begins with silence is of no
    /// use, and may be over before the audio comes.
    pub fn push_silence(&self, samples: u64, pause: bool) -> bool {
        let now = self.shared.now();
        let mut state = self.shared.state();
        if state.failed || state.flushing || !state.queue.is_session_open() {
            return false;
        }
        if samples > 0 {
            state.queue.push_silence(samples, now);
            state.input_end = now + samples_to_time(samples, self.shared.rate);
        }
        if pause {
            state.queue.push_boundary(Boundary::EndSession);
        }
        drop(state);
        self.shared.ready.notify_one();
        true
    }

    /// Whether there is room for so many samples: a buffer longer than what may wait has it when no whole chunk does.
    pub fn has_space(&self, samples: u64) -> bool {
        let state = self.shared.state();
        state.queue.has_space(samples, self.shared.max_queue)
    }

    /// Makes room for so many samples by dropping the oldest that wait; tells `dropped` about each
    /// piece while nothing else can move in the queue.
    pub fn make_room(&self, samples: u64, mut dropped: impl FnMut(Dropped)) {
        let mut total = 0;
        let mut state = self.shared.state();
        while !state.queue.has_space(samples, self.shared.max_queue) {
            let Some(piece) = state.queue.drop_oldest() else {
                break;
            };
            total += piece.samples;
            dropped(piece);
        }
        drop(state);
        self.shared
            .counters
            .update(|counts| counts.dropped += total);
    }

    /// Ends a session or a stream behind what was handed over so far.
    pub fn push_boundary(&self, boundary: Boundary) {
        self.shared.state().queue.push_boundary(boundary);
        self.shared.ready.notify_one();
    }

    /// Waits until there is room for so many samples, and some more: a thread that is woken for each
    /// chunk costs more than the chunk.
    ///
    /// Like the other waits, it ends as well when [`interrupt_count`](Self::interrupt_count) is no
    /// longer `seen`.
    pub fn wait_for_space(&self, samples: u64, seen: u64) -> WaitResult {
        self.shared.wait(seen, |state| {
            if state.failed {
                return state.failure_posted.then_some(WaitResult::Failed);
            }
            if state.flushing || state.queue.has_space(samples, self.shared.low_watermark()) {
                return Some(WaitResult::Done);
            }
            state.waiting_for_space = Some(samples);
            None
        })
    }

    /// Waits until the boundary with `token` is done and its owner has said all that came before it.
    pub fn wait_for(&self, token: u64, seen: u64) -> WaitResult {
        self.shared.wait(seen, |state| {
            if state.completed_token >= token {
                Some(WaitResult::Done)
            } else {
                state.failure_posted.then_some(WaitResult::Failed)
            }
        })
    }

    /// Waits until a failure is on the bus.
    pub fn wait_for_failure(&self, seen: u64) -> WaitResult {
        self.shared.wait(seen, |state| {
            state.failure_posted.then_some(WaitResult::Failed)
        })
    }

    /// Waits until the next [`interrupt`](Self::interrupt).
    pub fn wait_for_interruption(&self, seen: u64) -> WaitResult {
        self.shared.wait(seen, |_| None)
    }

    /// Ends every wait that has not seen this interruption.
    pub fn interrupt(&self) {
        self.shared.state().interrupt_count += 1;
        self.shared.changed.notify_all();
    }

    /// Number of interruptions so far.
    pub fn interrupt_count(&self) -> u64 {
        self.shared.state().interrupt_count
    }

    /// The owner has said all that came before [`Event::BoundaryDone`].
    pub fn acknowledge_done(&self, token: u64) {
        let mut state = self.shared.state();
        state.completed_token = state.completed_token.max(token);
        drop(state);
        self.shared.changed.notify_all();
    }

    /// The owner has said that the client failed.
    pub fn acknowledge_failure(&self) {
        self.shared.state().failure_posted = true;
        self.shared.changed.notify_all();
    }

    /// There is audio that can't be handed over: fails for good.
    pub fn reject_input(&self, error: InputError) {
        self.abort(Abort::Input(error));
    }

    /// More waits to be posted than the owner can hold: fails for good.
    pub fn fail_backlogged(&self) {
        self.abort(Abort::Backlog);
    }

    /// There is a defect on the owner's side: fails for good.
    pub fn fail_internally(&self) {
        self.abort(Abort::Internal);
    }

    fn abort(&self, abort: Abort) {
        self.shared
            .control
            .send_modify(|control| control.abort = control.abort.or(Some(abort)));
    }

    /// Whether the client has failed for good.
    pub fn has_failed(&self) -> bool {
        self.shared.state().failed
    }

    /// Whether the client has failed and its error is on the bus.
    pub fn has_reported_failure(&self) -> bool {
        self.shared.state().failure_posted
    }

    /// Drops what waits and what the session has not said; until [`flush_stop`](Self::flush_stop)
    /// nothing is taken. Returns the new epoch.
    pub fn flush_start(&self) -> u64 {
        let mut state = self.shared.state();
        state.flushing = true;
        state.queue.clear();
        state.input_end = Duration::ZERO;
        state.epoch += 1;
        let epoch = state.epoch;
        drop(state);
        self.shared
            .control
            .send_modify(|control| control.epoch = control.epoch.max(epoch));
        self.shared.changed.notify_all();
        epoch
    }

    /// What comes next is `stream`, of the epoch that is returned.
    pub fn flush_stop(&self, stream: u32) -> u64 {
        let mut state = self.shared.state();
        state.flushing = false;
        state.queue.clear();
        state.queue.push_boundary(Boundary::NewStream { stream });
        let epoch = state.epoch;
        drop(state);
        self.shared.ready.notify_one();
        epoch
    }

    /// Whether each response is wanted as an event, too.
    pub fn want_responses(&self, wanted: bool) {
        self.shared.wants_responses.store(wanted, Ordering::Relaxed);
    }

    /// What was done so far, and how many samples wait.
    pub fn counts(&self) -> (Counts, u64) {
        let waiting = self.shared.state().queue.waiting();
        (self.shared.counters.get(), waiting)
    }

    /// Ends the connection, saying good-bye in the background. Does not block.
    pub fn stop(&self) {
        self.shared
            .control
            .send_modify(|control| control.stopped = true);
        self.shared.state().stopped = true;
        self.shared.changed.notify_all();
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.stop();
    }
}
