//! Totals of a client, for `stats`.

use std::sync::Mutex;
use std::time::Duration;

use crate::session::counts;
use crate::sync::lock;

/// Totals since the client started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Totals of its connections.
    pub connections: counts::Counts,
    /// Samples that reached the sink.
    pub received: u64,
    /// Samples dropped from the full queue.
    pub dropped: u64,
    /// Duration of the last connect, from the look-up to the handshake's answer, without waits for
    /// audio.
    pub connect_time: Duration,
}

/// The counts, shared between the driver, the streaming thread and readers of `stats`.
#[derive(Debug, Default)]
pub(super) struct Counters(Mutex<Counts>);

impl Counters {
    pub fn update(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut lock(&self.0));
    }

    pub fn get(&self) -> Counts {
        *lock(&self.0)
    }
}
