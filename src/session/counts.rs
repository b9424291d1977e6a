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
    /// From the audio's arrival at the sink to the response that covers it.
    pub latency_last: Duration,
    /// The longest of these.
    pub latency_max: Duration,
    latency_sum: Duration,
    latencies: u32,
    /// From the arrival of a frame's last sample at the sink to its hand-over to the kernel.
    pub send_latency_last: Duration,
    /// The longest of these, after a stall or at a burst.
    pub send_latency_max: Duration,
}

impl Counts {
    /// Returns the average of all latencies.
    pub fn latency_avg(&self) -> Duration {
        self.latency_sum
            .checked_div(self.latencies)
            .unwrap_or_default()
    }

    /// A response came, for new audio if it has a latency.
    pub(super) fn on_response(&mut self, latency: Option<Duration>) {
        self.responses += 1;
        if let Some(latency) = latency {
            self.latency_last = latency;
            self.latency_max = self.latency_max.max(latency);
            self.latency_sum += latency;
            self.latencies += 1;
        }
    }
}
