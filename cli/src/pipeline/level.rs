//! Loudness of the audio.

use std::sync::atomic::{AtomicU32, Ordering};

/// Peak since it was last asked for. Written by a streaming thread.
#[derive(Debug, Default)]
pub struct Level(AtomicU32);

impl Level {
    /// Measures 16-bit samples in the machine's byte order.
    pub fn measure(&self, pcm: &[u8]) {
        let samples = pcm.chunks_exact(2);
        let peak = samples
            .map(|sample| i16::from_ne_bytes([sample[0], sample[1]]).unsigned_abs())
            .max();
        self.0
            .fetch_max(u32::from(peak.unwrap_or(0)), Ordering::Relaxed);
    }

    /// Returns the peak since the last call, in dB below full scale. `None`: silence, or nothing.
    pub fn take(&self) -> Option<f64> {
        decibels(self.0.swap(0, Ordering::Relaxed))
    }
}

fn decibels(peak: u32) -> Option<f64> {
    (peak > 0).then(|| 20.0 * (f64::from(peak) / 32_768.0).log10())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loudest_sample_since_the_last_look() {
        let level = Level::default();
        assert_eq!(level.take(), None);
        for sample in [0i16, 16_384, -3] {
            level.measure(&sample.to_ne_bytes());
        }
        let decibels = level.take().expect("no silence");
        assert!((decibels + 6.02).abs() < 0.01, "{decibels}");
        assert_eq!(level.take(), None);
        level.measure(&i16::MIN.to_ne_bytes());
        assert_eq!(level.take(), Some(0.0));
    }
}
