//! Spans on the stream's axis and how they relate.
use std::time::Duration;

/// The stream's axis as the responses of one connection see it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Axis {
    /// Position of the connection's first sample.
    pub origin: Duration,
    /// How far the service has processed the audio.
    pub processed_until: Duration,
}

impl Axis {
    /// Returns the position of a time that the service reports. In recordings an interim text ends
    /// up to a millisecond after the audio that was processed. There is no sound yet, and the audio
    /// may have another place in the pipeline, so the time is taken back.
    pub fn position(self, time: Duration) -> Duration {
        let position = self.origin.saturating_add(time);
        let beyond = position.saturating_sub(self.processed_until);
        if beyond <= ROUNDING {
            position.min(self.processed_until)
        } else {
            position
        }
    }
}

/// The service's unit of time.
const ROUNDING: Duration = Duration::from_millis(1);

/// Accuracy of reported times. In recorded traffic the times of the same sound move by this much
/// from response to response, while sentences are 260 ms and more apart.
pub(super) const TOLERANCE: Duration = Duration::from_millis(200);

/// A span from `start` to `end`, which is not before `start`.
///
/// The service may leave times out. A start or end that is not reported is inferred. The speech
/// then lies somewhere in the span, and comparisons use the reported times or the text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub start: Duration,
    pub end: Duration,
    pub start_reported: bool,
    pub end_reported: bool,
}

impl Span {
    /// Returns a span whose start and end were reported.
    pub fn new(start: Duration, end: Duration) -> Self {
        Self {
            start,
            end: end.max(start),
            start_reported: true,
            end_reported: true,
        }
    }

    /// Returns a span whose missing times are inferred from `floor` and `ceiling`.
    pub fn within(
        floor: Duration,
        start: Option<Duration>,
        end: Option<Duration>,
        ceiling: Duration,
    ) -> Self {
        let first = start.unwrap_or_else(|| end.map_or(floor, |end| floor.min(end)));
        Self {
            start: first,
            end: end.unwrap_or(ceiling).max(first),
            start_reported: start.is_some(),
            end_reported: end.is_some(),
        }
    }

    /// Returns whether neither time is inferred. Only such spans cover others.
    pub fn is_reported(self) -> bool {
        self.start_reported && self.end_reported
    }

    /// Returns the start, unless both times are inferred.
    pub fn known_start(self) -> Option<Duration> {
        (self.start_reported || self.end_reported).then_some(self.start)
    }

    /// Returns the end if it was reported.
    pub fn known_end(self) -> Option<Duration> {
        self.end_reported.then_some(self.end)
    }

    /// Returns this span as a revision of `known`. Inferred times do not replace known ones; but an
    /// inferred end does if the text has `grown`.
    pub fn revising(mut self, known: Self, grown: bool) -> Self {
        if !self.end_reported && !grown {
            self.end = known.end;
            self.end_reported = known.end_reported;
        }
        if !self.start_reported {
            self.start = known.start.min(self.end);
            self.start_reported = known.start_reported;
        }
        self.end = self.end.max(self.start);
        self
    }

    /// Returns the end, at least a millisecond (the service's unit) after the start. An empty span
    /// could neither cover nor be covered.
    fn end_nonempty(self) -> Duration {
        self.end
            .max(self.start.saturating_add(Duration::from_millis(1)))
    }

    pub fn width(self) -> Duration {
        self.end_nonempty().saturating_sub(self.start)
    }

    /// Returns the length of the overlap.
    pub fn overlap(self, other: Self) -> Duration {
        let end = self.end_nonempty().min(other.end_nonempty());
        end.saturating_sub(self.start.max(other.start))
    }

    /// Returns whether the overlap is at least half of the shorter span.
    pub fn mostly_overlaps(self, other: Self) -> bool {
        let shorter = self.width().min(other.width());
        self.overlap(other) >= shorter / 2
    }

    /// Returns the distance between them; zero when they touch or overlap.
    pub fn gap(self, other: Self) -> Duration {
        self.start
            .max(other.start)
            .saturating_sub(self.end.min(other.end))
    }

    /// Returns the distance of the ends if both were reported, or else of the starts.
    pub fn distance(self, other: Self) -> Option<Duration> {
        if self.end_reported && other.end_reported {
            Some(self.end.abs_diff(other.end))
        } else if self.start_reported && other.start_reported {
            Some(self.start.abs_diff(other.start))
        } else {
            None
        }
    }

    /// Returns whether the times that both report agree within [`TOLERANCE`]. `None` if they have
    /// none in common.
    pub fn matches_within_tolerance(self, other: Self) -> Option<bool> {
        let starts = self.start_reported && other.start_reported;
        let ends = self.end_reported && other.end_reported;
        (starts || ends).then(|| {
            (!starts || self.start.abs_diff(other.start) <= TOLERANCE)
                && (!ends || self.end.abs_diff(other.end) <= TOLERANCE)
        })
    }

    /// Returns whether `position` lies inside.
    pub fn contains(self, position: Duration) -> bool {
        position >= self.start && position < self.end_nonempty()
    }

    /// Returns whether `position` lies inside, within [`TOLERANCE`].
    pub fn contains_within_tolerance(self, position: Duration) -> bool {
        position.saturating_add(TOLERANCE) >= self.start
            && position <= self.end.saturating_add(TOLERANCE)
    }
}

/// Returns how much of `span` the others cover together.
pub(super) fn covered(span: Span, others: &mut [Span]) -> Duration {
    others.sort_unstable_by_key(|o| o.start);
    let mut from = span.start;
    let mut sum = Duration::ZERO;
    for other in others.iter() {
        let start = other.start.max(from);
        let end = other.end_nonempty().min(span.end_nonempty());
        if end > start {
            sum += end - start;
            from = end;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::ms;

    fn span(start: u64, end: u64) -> Span {
        Span::new(ms(start), ms(end))
    }

    #[test]
    fn half_of_the_shorter_one_is_most() {
        assert!(span(0, 1000).mostly_overlaps(span(500, 4000)));
        assert!(!span(0, 1000).mostly_overlaps(span(501, 4000)));
    }

    #[test]
    fn no_sound_ends_after_the_processed_audio() {
        let axis = Axis {
            origin: ms(1000),
            processed_until: ms(3580),
        };
        let cases = [(2579, 3579), (2580, 3580), (2581, 3580), (2582, 3582)];
        for (reported, position) in cases {
            assert_eq!(axis.position(ms(reported)), ms(position), "{reported}");
        }
    }

    #[test]
    fn a_point_can_be_covered() {
        assert!(span(500, 500).mostly_overlaps(span(0, 1000)));
        assert!(!span(1000, 1000).mostly_overlaps(span(0, 1000)));
        assert_eq!(covered(span(5, 5), &mut [span(0, 10)]), ms(1));
    }

    #[test]
    fn a_shared_part_is_counted_once() {
        let mut others = [span(600, 3000), span(0, 400), span(300, 500)];
        assert_eq!(covered(span(200, 1000), &mut others), ms(700));
        assert_eq!(covered(span(200, 1000), &mut []), Duration::ZERO);
    }
}
