//! What a client has done so far, for `stats`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Totals since the client started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Whether a session is open now.
    pub connected: bool,
    /// Connections on which the service answered.
    pub sessions: u64,
    /// Of these, how many restored a lost one.
    pub reconnects: u64,
    /// Frames written, requests and finishes included.
    pub frames_sent: u64,
    /// Their bytes, without WebSocket's headers.
    pub bytes_sent: u64,
    /// Samples that reached the sink.
    pub received: u64,
    /// Samples written, replays included.
    pub sent: u64,
    /// Of these, samples that had been written before.
    pub replayed: u64,
    /// Samples dropped from the full queue.
    pub dropped: u64,
    /// Responses read.
    pub responses: u64,
    /// Utterances settled.
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
    /// What the last connection took, from the look-up to the service's answer, waits for audio left
    /// out.
    pub connect_time: Duration,
}

impl Counts {
    /// The average of all latencies.
    pub fn latency_avg(&self) -> Duration {
        self.latency_sum
            .checked_div(self.latencies)
            .unwrap_or_default()
    }

    pub(super) fn send_latency(&mut self, latency: Duration) {
        self.send_latency_last = latency;
        self.send_latency_max = self.send_latency_max.max(latency);
        SEND_LATENCIES[bucket(latency)].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn latency(&mut self, latency: Duration) {
        self.latency_last = latency;
        self.latency_max = self.latency_max.max(latency);
        self.latency_sum += latency;
        self.latencies += 1;
    }
}

/// Eight for each doubling, up to some minutes.
const BUCKETS: usize = 8 * 24;

/// Of the whole process: a histogram for each element would be memory that nobody looks at.
static SEND_LATENCIES: [AtomicU64; BUCKETS] = [const { AtomicU64::new(0) }; BUCKETS];

/// By the four leading bits of the microseconds and eight, so that the first buckets are a microsecond wide.
fn bucket(latency: Duration) -> usize {
    let value = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
    let value = value.saturating_add(8);
    let shift = value.ilog2() - 3;
    let index = shift as usize * 8 + (value >> shift) as usize - 8;
    index.min(BUCKETS - 1)
}

/// How long all frames of this process took from the arrival of their last sample at the sink to their hand-over to the kernel, for
/// benchmarks: an upper bound, and how many took no longer and longer than the bound before. Frames that were written together
/// count as one, the oldest; those that were sent again do not.
pub fn send_latencies() -> impl Iterator<Item = (Duration, u64)> {
    SEND_LATENCIES.iter().enumerate().map(|(index, count)| {
        let (shift, above) = (index / 8, index as u64 % 8 + 9);
        let bound = Duration::from_micros((above << shift) - 8);
        (bound, count.load(Ordering::Relaxed))
    })
}

/// The counts, shared between the driver, the streaming thread and whoever reads `stats`.
#[derive(Debug, Default)]
pub(super) struct Counters(Mutex<Counts>);

impl Counters {
    pub fn update(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub fn get(&self) -> Counts {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_latency_is_within_its_bucket_s_bounds() {
        let bounds: Vec<_> = send_latencies().map(|(bound, _)| bound).collect();
        assert!(bounds.is_sorted());
        for micros in (0..10_000).chain([123_456, 7_000_000, 60_000_000]) {
            let latency = Duration::from_micros(micros);
            let index = bucket(latency);
            assert!(latency < bounds[index], "{latency:?}");
            assert!(index == 0 || latency >= bounds[index - 1], "{latency:?}");
        }
        assert_eq!(bucket(Duration::MAX), BUCKETS - 1);
    }
}
