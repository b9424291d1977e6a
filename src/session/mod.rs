//! One stream of audio as the service sees it. No sockets, no GStreamer; time comes in as a value.
//!
//! A *stream* is the audio between two flushes, ends of stream or stream starts. It has an axis of its
//! own: samples, or the time they take, since its first one. A *session* is one connection's share of
//! it, from its origin on that axis to its finish or its loss.
//!
//! - [`queue`] cuts audio into chunks, on its way to the service;
//! - [`pacer`] says how fast they go;
//! - [`exchange`] numbers a connection's packets and keeps its deadlines;
//! - [`replay_buffer`] keeps what was sent and is not settled, to send it again;
//! - [`pcm_codec`] keeps it small;
//! - [`transcript`] turns responses into utterances;
//! - [`response_check`] finds out that none of them can be read;
//! - [`backoff`] spaces the tries to connect.
//!
//! Clock values are [`Duration`]s since a moment that the caller chooses once.

use std::time::Duration;

pub mod backoff;
pub mod exchange;
pub mod pacer;
pub mod pcm_codec;
pub mod queue;
pub mod replay_buffer;
pub mod response_check;
pub mod retry;
pub mod transcript;

/// S16LE, mono.
pub const BYTES_PER_SAMPLE: usize = 2;

/// Samples to time on the axis, to the nanosecond below.
pub fn samples_to_time(samples: u64, rate: u32) -> Duration {
    let rate = u64::from(rate.max(1));
    let nanos = (samples % rate) * 1_000_000_000 / rate;
    Duration::from_secs(samples / rate) + Duration::from_nanos(nanos)
}

/// Time on the axis to samples: the one that is being heard then.
///
/// The inverse of [`samples_to_time`], which rounds down: the division here rounds up again.
pub fn time_to_samples(time: Duration, rate: u32) -> u64 {
    let rate = u64::from(rate);
    let part = u64::from(time.subsec_nanos()) * rate;
    time.as_secs()
        .saturating_mul(rate)
        .saturating_add(part.div_ceil(1_000_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_and_time_are_each_other_s_inverse() {
        for rate in [16_000, 24_000] {
            for samples in (0..100_000).chain(86_400_000_000..86_400_001_000) {
                assert_eq!(
                    time_to_samples(samples_to_time(samples, rate), rate),
                    samples
                );
            }
            assert_eq!(
                samples_to_time(u64::from(rate) * 3600, rate),
                Duration::from_secs(3600)
            );
        }
    }
}
