//! The connection to the service: the layer with sockets and clocks.
//!
//! A [`Client`] belongs to one run of an element, which ends at PAUSED → READY. The streaming
//! thread hands it audio and boundaries, which wait in a bounded queue. A task on the process's
//! runtime, the [`driver`], takes them from there, talks to the service through [`net`], and
//! reports [`Event`]s.
//!
//! Only the methods `wait_for…` block. The streaming thread calls them, and [`Client::interrupt`]
//! ends them.

mod close;
mod config;
mod connect;
mod counts;
mod credentials;
mod driver;
mod error;
mod event;
mod net;
mod report;
mod runtime;
mod secrets;
mod shared;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

pub use config::{Config, Sending};
pub use counts::Counts;
pub use credentials::Credentials;
#[cfg(test)]
pub(crate) use error::tests::examples::one_of_each;
pub use error::{Abort, ClientError};
pub use event::{Event, EventHandler, Level};
pub use net::dial_error::{DialError, ProxyError};
pub use net::endpoint::{Endpoint, redact_uri};
pub use net::handshake::HandshakeError;
pub(crate) use net::handshake::is_field_value;
pub use net::proxy::{Proxy, ProxyProperties, ProxyVariables, choose as choose_proxy};
pub use runtime::{RuntimeError, run_job};
pub use secrets::Secrets;
pub use shared::WaitResult;

use crate::session::queue::{Boundary, Dropped};
use crate::session::{bytes_of, samples_in};
use shared::Shared;

/// One element's connection to the service, for one run.
///
/// Dropping it stops it, as [`stop`](Self::stop) does.
pub struct Client {
    shared: Arc<Shared>,
}

impl Client {
    /// Starts to connect. Does not block.
    pub fn start(config: Config, handler: Arc<dyn EventHandler>) -> Result<Client, RuntimeError> {
        let sending = &config.sending;
        let shared = Shared::new(config.request.rate, sending.chunk, sending.max_queue);
        let shared = Arc::new(shared);
        driver::start(shared.clone(), config, handler)?;
        Ok(Client { shared })
    }

    /// Returns a client that could not start. Its error is not on the bus yet.
    pub fn failed() -> Client {
        let shared = Shared::new(0, Duration::ZERO, Duration::ZERO);
        shared.state().failed = true;
        Client {
            shared: Arc::new(shared),
        }
    }

    /// Hands over whole S16LE samples. After a failure and between the halves of a flush they are
    /// discarded.
    ///
    /// They are taken even if the queue is full: the caller has used
    /// [`wait_for_space`](Self::wait_for_space) or [`make_space`](Self::make_space) before, and the
    /// silence for a gap may have taken that space since.
    pub fn push(&self, pcm: &[u8]) {
        let now = self.shared.now();
        let mut state = self.shared.state();
        if state.failed || state.flushing {
            return;
        }
        let wakes = state.queue.push(pcm, now);
        state.counts.received += samples_in(pcm.len());
        drop(state);
        if wakes {
            self.shared.ready.notify_one();
        }
    }

    /// Hands over silence in place of a gap, which counts as sent but not as received, and ends the
    /// session after it if `ends_session`.
    ///
    /// Returns false without effect if no session is open: one that starts with silence is useless,
    /// and may end before the audio comes.
    pub fn push_silence(&self, samples: u64, ends_session: bool) -> bool {
        let now = self.shared.now();
        let mut state = self.shared.state();
        if state.failed || state.flushing || !state.queue.is_session_open() {
            return false;
        }
        if samples > 0 {
            state.queue.push(&vec![0; bytes_of(samples)], now);
        }
        if ends_session {
            state.queue.push_boundary(Boundary::EndSession);
        }
        drop(state);
        self.shared.ready.notify_one();
        true
    }

    /// Whether the queue has space for `samples`. It always has while no whole chunk waits.
    pub fn has_space(&self, samples: u64) -> bool {
        let state = self.shared.state();
        state.queue.has_space(samples, self.shared.max_queue)
    }

    /// Whether the next audio may have to wait, or be refused: half of the queue is taken, or the
    /// client has failed.
    pub fn may_block(&self) -> bool {
        let state = self.shared.state();
        state.failed || !state.queue.has_space(0, self.shared.max_queue / 2)
    }

    /// Makes space for `samples` by dropping the oldest chunks. Calls `dropped` for each, with the
    /// queue locked.
    pub fn make_space(&self, samples: u64, mut dropped: impl FnMut(Dropped)) {
        let mut state = self.shared.state();
        while !state.queue.has_space(samples, self.shared.max_queue) {
            let Some(piece) = state.queue.drop_oldest() else {
                break;
            };
            state.counts.dropped += piece.samples;
            dropped(piece);
        }
    }

    /// Appends a boundary to the audio so far.
    pub fn push_boundary(&self, boundary: Boundary) {
        self.shared.state().queue.push_boundary(boundary);
        self.shared.ready.notify_one();
    }

    /// Waits until the queue has space for `samples` below its low watermark: to wake the thread
    /// for each chunk would cost more than the chunk.
    ///
    /// Like the other waits, it also ends when [`interrupt_count`](Self::interrupt_count) is no
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

    /// Waits until the boundary with `token` is done and everything before it is on the bus.
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

    /// Interrupts the waits.
    pub fn interrupt(&self) {
        self.shared.state().interrupt_count += 1;
        self.shared.changed.notify_all();
    }

    /// Returns the number of interruptions so far.
    pub fn interrupt_count(&self) -> u64 {
        self.shared.state().interrupt_count
    }

    /// Notes that everything before [`Event::BoundaryDone`] is on the bus.
    pub fn acknowledge_done(&self, token: u64) {
        let mut state = self.shared.state();
        state.completed_token = state.completed_token.max(token);
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Notes that [`Event::Failed`] is on the bus.
    pub fn acknowledge_failure(&self) {
        self.shared.state().failure_posted = true;
        self.shared.changed.notify_all();
    }

    /// Ends the client with an error.
    pub fn abort(&self, abort: Abort) {
        self.shared
            .control(|state| state.abort = state.abort.or(Some(abort)));
    }

    /// Whether the client has failed for good.
    pub fn has_failed(&self) -> bool {
        self.shared.state().failed
    }

    /// Discards the queue and the session. Audio is discarded until
    /// [`flush_stop`](Self::flush_stop). Returns the new epoch.
    pub fn flush_start(&self) -> u64 {
        self.shared.control(|state| {
            state.flushing = true;
            state.queue.clear();
            state.epoch += 1;
            state.epoch
        })
    }

    /// Ends a flush: the next audio belongs to `stream`. Returns the epoch.
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

    /// Sets whether each response is reported as an event.
    pub fn want_responses(&self, wanted: bool) {
        self.shared.wants_responses.store(wanted, Ordering::Relaxed);
    }

    /// Returns whether each response is reported as an event.
    #[cfg(test)]
    pub(crate) fn wants_responses(&self) -> bool {
        self.shared.wants_responses()
    }

    /// Sets the language that the next session asks for; none: the service's choice.
    pub fn set_language(&self, language: Option<String>) {
        self.shared.state().language = Some(language);
    }

    /// Returns the counts so far, and the number of samples that wait.
    pub fn counts(&self) -> (Counts, u64) {
        let state = self.shared.state();
        (state.counts, state.queue.waiting())
    }

    /// Ends the client. The connection is closed in the background. Does not block.
    pub fn stop(&self) {
        self.shared.control(|state| state.stopped = true);
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.stop();
    }
}
