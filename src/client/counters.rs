//! Counts of a client, for the property `stats`.

use std::sync::Mutex;
use std::time::Duration;

use crate::sync::lock;

/// Totals since the client started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Whether a session is open now.
    pub connected: bool,
    /// Connections on which the service answered.
    pub sessions: u64,
    /// Number of these that restored a lost one.
    pub reconnects: u64,
    /// Frames written, requests and finishes included.
    pub frames_sent: u64,
    /// Bytes of the frames, without WebSocket's headers.
    pub bytes_sent: u64,
    /// Samples that reached the sink.
    pub received: u64,
    /// Samples written, replays included.
    pub sent: u64,
    /// Samples that were replayed.
    pub replayed: u64,
    /// Samples dropped from the full queue.
    pub dropped: u64,
    /// Responses read.
    pub responses: u64,
    /// Final utterances.
    pub utterances: u64,
    /// Time from the audio's arrival at the sink to the response that covers it.
    pub latency_last: Duration,
    /// The longest of these.
    pub latency_max: Duration,
    latency_sum: Duration,
    latencies: u32,
    /// Time from the arrival of a frame's last sample at the sink to its hand-over to the kernel.
    pub send_latency_last: Duration,
    /// The longest of these, after a stall or at a burst.
    pub send_latency_max: Duration,
    /// Duration of the last connect, from the look-up to the service's answer, without waits for
    /// audio.
    pub connect_time: Duration,
}

impl Counts {
    /// Returns the average of all latencies.
    pub fn latency_avg(&self) -> Duration {
        self.latency_sum
            .checked_div(self.latencies)
            .unwrap_or_default()
    }

    pub(super) fn send_latency(&mut self, latency: Duration) {
        self.send_latency_last = latency;
        self.send_latency_max = self.send_latency_max.max(latency);
    }

    pub(super) fn latency(&mut self, latency: Duration) {
        self.latency_last = latency;
        self.latency_max = self.latency_max.max(latency);
        self.latency_sum += latency;
        self.latencies += 1;
    }
}

/// The counts, shared by the driver, the streaming thread and readers of `stats`.
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
