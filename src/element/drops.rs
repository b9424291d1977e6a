//! Reports of dropped audio: the first one at once, then one for each second in which more is
//! dropped.

use crate::element::timeline::Times;

/// Dropped audio, to be reported as one warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DroppedRange {
    pub stream: u32,
    /// Place of the first of it.
    pub times: Times,
    /// Number of samples, in one piece or several.
    pub samples: u64,
}

/// Limits the rate of reports. Seconds are those of the audio that comes in, dropped or not.
#[derive(Debug)]
pub(crate) struct DropReporter {
    second: u64,
    /// Samples since the last report.
    since_report: u64,
    unreported: Option<DroppedRange>,
}

impl DropReporter {
    pub fn new(rate: u32) -> Self {
        DropReporter {
            second: rate.into(),
            since_report: rate.into(),
            unreported: None,
        }
    }

    /// Adds dropped audio. Returns a range that is to be reported now.
    pub fn add(&mut self, drop: DroppedRange) -> Option<DroppedRange> {
        match &mut self.unreported {
            Some(range) if range.stream == drop.stream => range.samples += drop.samples,
            Some(_) => return self.unreported.replace(drop),
            None => self.unreported = Some(drop),
        }
        self.due()
    }

    /// Counts incoming audio. Returns a range that is to be reported now.
    pub fn advance(&mut self, samples: u64) -> Option<DroppedRange> {
        self.since_report = self.since_report.saturating_add(samples);
        self.due()
    }

    fn due(&mut self) -> Option<DroppedRange> {
        if self.since_report < self.second {
            return None;
        }
        let range = self.unreported.take()?;
        self.since_report = 0;
        Some(range)
    }

    /// Ends the stream. Returns the unreported rest.
    pub fn end(&mut self) -> Option<DroppedRange> {
        self.since_report = self.second;
        self.unreported.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At 1000 Hz.
    fn drop(stream: u32, at: u64, samples: u64) -> DroppedRange {
        DroppedRange {
            stream,
            times: Times {
                timestamp: Some(gst::ClockTime::from_mseconds(at)),
                ..Times::default()
            },
            samples,
        }
    }

    #[test]
    fn the_first_is_reported_at_once_and_the_sum_after_a_second() {
        let mut drops = DropReporter::new(1000);
        assert_eq!(drops.add(drop(0, 0, 200)), Some(drop(0, 0, 200)));
        let mut reports = Vec::new();
        for n in 1..=10 {
            reports.extend(drops.advance(200));
            reports.extend(drops.add(drop(0, n * 1000, 200)));
        }
        assert_eq!(reports, [drop(0, 1000, 800), drop(0, 5000, 1000)]);
        assert_eq!(drops.end(), Some(drop(0, 10_000, 200)));
        assert_eq!(drops.end(), None);
        // One after a quiet second is reported at once.
        assert_eq!(drops.advance(1000), None);
        assert_eq!(drops.add(drop(0, 900, 200)), Some(drop(0, 900, 200)));
        assert_eq!(drops.add(drop(0, 1000, 200)), None);
        assert_eq!(drops.advance(999), None);
        // Each stream has its own.
        assert_eq!(drops.add(drop(1, 0, 100)), Some(drop(0, 1000, 200)));
        assert_eq!(drops.end(), Some(drop(1, 0, 100)));
    }
}
