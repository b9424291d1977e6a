//! The rules of one stream of audio, without I/O: no sockets, no GStreamer, and time is a
//! parameter.
//!
//! A *stream* is the audio between two of flush, EOS and STREAM_START. Its axis counts samples, or
//! their time, from the first one. A *session* is the part of it that one connection carries, from
//! its origin on the axis to its finish or its loss.
//!
//! - [`recognition`] is the state machine of it all, and these are its parts:
//!   - [`stream`] has the utterances of all sessions, and the audio that is kept;
//!   - [`connection`] has frame numbers, deadlines, and the pace;
//!   - [`decoder`] turns messages into responses or failures;
//!   - [`retry`] decides whether, when and how often to try again;
//!   - [`rollover`] decides when a long session continues on a new connection, and how;
//!   - [`timer`] names its deadlines;
//! - [`queue`] holds the backlog of audio, cut into chunks;
//! - [`pacer`] limits how fast it is sent;
//! - [`replay_buffer`] keeps sent audio without final text, compressed by [`pcm_codec`];
//! - [`transcript`] turns responses into utterances;
//! - [`response_check`] detects that no response can be read;
//! - [`settings`] goes in; [`event`], [`error`] and [`counts`] come out.
//!
//! Clock values are [`Duration`]s since a moment that the caller chooses once.

use std::time::Duration;

pub mod connection;
pub mod counts;
pub mod decoder;
pub mod error;
pub mod event;
pub mod pacer;
pub mod pcm_codec;
pub mod queue;
pub mod recognition;
pub mod replay_buffer;
pub mod response_check;
pub mod retry;
pub mod rollover;
pub mod settings;
pub mod stream;
pub mod timer;
pub mod transcript;

/// Bytes of a sample: S16LE, mono.
pub const BYTES_PER_SAMPLE: usize = 2;

/// Returns the number of whole samples in so many bytes.
pub const fn samples_in(bytes: usize) -> u64 {
    (bytes / BYTES_PER_SAMPLE) as u64
}

/// Returns the number of bytes that samples take.
pub const fn bytes_of(samples: u64) -> usize {
    (samples as usize).saturating_mul(BYTES_PER_SAMPLE)
}

/// Converts samples to time on the axis, rounded down to a nanosecond.
pub fn samples_to_time(samples: u64, rate: u32) -> Duration {
    let rate = u64::from(rate.max(1));
    let nanos = (samples % rate) * 1_000_000_000 / rate;
    Duration::from_secs(samples / rate) + Duration::from_nanos(nanos)
}

/// Converts time on the axis to samples. Rounds up, as the inverse of [`samples_to_time`].
pub fn time_to_samples(time: Duration, rate: u32) -> u64 {
    let rate = u64::from(rate);
    let part = u64::from(time.subsec_nanos()) * rate;
    time.as_secs()
        .saturating_mul(rate)
        .saturating_add(part.div_ceil(1_000_000_000))
}

#[cfg(test)]
pub(crate) mod tests;
