//! Place of a segment in the pipeline's running time.

use std::time::Duration;

/// A position of a segment, and the running time that it has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::volcasrtranscriber) struct Origin {
    /// Position that the segment begins at.
    pub position: Duration,
    /// Running time of that position.
    pub running: Duration,
    /// Speed of the segment: above 0.
    pub rate: f64,
}

impl Default for Origin {
    fn default() -> Self {
        Origin {
            position: Duration::ZERO,
            running: Duration::ZERO,
            rate: 1.0,
        }
    }
}

impl Origin {
    /// Returns the running time of a position.
    pub fn running(&self, position: Duration) -> Duration {
        let since = scale(position.saturating_sub(self.position), 1.0 / self.rate);
        self.running.saturating_add(since)
    }

    /// Returns the position that has a running time.
    pub fn position_at(&self, running: Duration) -> Duration {
        let since = scale(running.saturating_sub(self.running), self.rate);
        self.position.saturating_add(since)
    }
}

fn scale(time: Duration, factor: f64) -> Duration {
    if factor == 1.0 {
        return time;
    }
    Duration::try_from_secs_f64(time.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}
