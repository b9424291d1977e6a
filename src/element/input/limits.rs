//! Limits that decide what a gap becomes.

use std::time::Duration;

/// Milliseconds that the service takes for `end_window_size` when none is sent.
const DEFAULT_END_WINDOW: u32 = 800;
/// Milliseconds of silence beyond the end window, so that the last utterance is surely final.
const SETTLING_MARGIN: u32 = 200;
/// Upper bound on the silence for one gap. It is made at once: an `idle-timeout` or an
/// `end-window-size` of days must not take gigabytes.
const MAX_SILENCE: Duration = Duration::from_secs(60);

/// Limits for one run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GapLimits {
    /// Longest gap that becomes silence. A longer one ends the session.
    pub longest: gst::ClockTime,
    /// Silence before that end: enough for the last utterance to become final.
    pub settling: gst::ClockTime,
}

impl GapLimits {
    /// Derives the limits from the settings. `end_window` is in milliseconds; 0: not sent.
    ///
    /// The service takes no end window of minutes, but says so only when the silence for a gap may
    /// have been made.
    pub fn new(end_window: u32, idle: Option<Duration>, max_queue: Duration) -> Self {
        let window = match end_window {
            0 => DEFAULT_END_WINDOW,
            window => window,
        };
        let longest = idle.unwrap_or(max_queue).min(max_queue.max(MAX_SILENCE));
        let settling = Duration::from_millis(window.saturating_add(SETTLING_MARGIN).into());
        let clock_time = |time: Duration| time.try_into().unwrap_or(gst::ClockTime::ZERO);
        GapLimits {
            longest: clock_time(longest),
            settling: clock_time(settling.min(MAX_SILENCE)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An end window and an idle timeout beside 30 s of queue, and the limits, in seconds.
    #[test]
    fn silence_for_a_gap_is_bounded_for_all_settings() {
        for (window, idle, longest, settling) in [
            (800, Some(4), 4, 1),
            (i32::MAX as u32, Some(86_400), 60, 60),
            (0, None, 30, 1),
        ] {
            let idle = idle.map(Duration::from_secs);
            let limits = GapLimits::new(window, idle, Duration::from_secs(30));
            let found = (limits.longest.seconds(), limits.settling.seconds());
            assert_eq!(found, (longest, settling), "{window} {idle:?}");
        }
    }
}
