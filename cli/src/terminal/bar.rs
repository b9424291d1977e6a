//! A progress bar.

use gst::ClockTime;

/// A bar of this width, brackets and percents not counted. Lines and blocks would look better, but
/// to a terminal set up for Chinese they may be two columns wide.
pub fn bar(part: f64, columns: usize) -> String {
    let full = (part * columns as f64).round() as usize;
    format!(
        "[{}{}] {:3.0} %",
        "#".repeat(full),
        ".".repeat(columns.saturating_sub(full)),
        part * 100.0
    )
}

/// `1:02:03`, `2:03`.
pub fn time(time: ClockTime) -> String {
    let seconds = time.seconds();
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes}:{seconds:02}"),
        (hours, minutes) => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// How much `done` is of `whole`, from 0 to 1.
pub fn part(done: ClockTime, whole: ClockTime) -> f64 {
    (done.nseconds() as f64 / whole.nseconds().max(1) as f64).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_and_times() {
        assert_eq!(bar(0.25, 8), "[##......]  25 %");
        assert_eq!(bar(1.0, 4), "[####] 100 %");
        assert_eq!(time(ClockTime::from_seconds(61)), "1:01");
        assert_eq!(time(ClockTime::from_seconds(3661)), "1:01:01");
        let seconds = ClockTime::from_seconds;
        assert!((part(seconds(9), seconds(3)) - 1.0).abs() < f64::EPSILON);
        assert!(part(seconds(1), ClockTime::ZERO) <= 1.0);
    }
}
