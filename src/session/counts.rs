//! Totals of one client's connections, for `stats`.

use std::time::Duration;

/// Totals since the client started. Samples are those of the stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Whether a session is open now.
    pub connected: bool,
    /// Connections on which the service answered.
    pub sessions: u64,
    /// Of these, how many restored a lost one.
    pub reconnects: u64,
    /// Frames handed over, requests and finishes included.
    pub frames_sent: u64,
    /// Their bytes, without WebSocket's headers.
    pub bytes_sent: u64,
    /// Samples handed over, replays included.
    pub sent: u64,
    /// Of these, samples that had been handed over before.
    pub replayed: u64,
    /// Responses read.
    pub responses: u64,
    /// Utterances that became final.
    pub utterances: u64,
    /// From the audio's arrival at the element to the response that covers it.
    pub results: Latency,
    /// From the arrival of a frame's last sample at the element to its hand-over to the kernel; the
    /// longest is after a stall or at a burst.
    pub sends: Latency,
}

/// Summary of latencies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// The latest one.
    pub last: Duration,
    /// The longest one.
    pub max: Duration,
    sum: Duration,
    count: u32,
}

impl Latency {
    /// Returns the average.
    pub fn avg(&self) -> Duration {
        self.sum.checked_div(self.count).unwrap_or_default()
    }

    pub(super) fn add(&mut self, latency: Duration) {
        self.last = latency;
        self.max = self.max.max(latency);
        self.sum += latency;
        self.count += 1;
    }
}
