//! Totals of a client, for `stats`.

use std::time::Duration;

use crate::session::counts;

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
