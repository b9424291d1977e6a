//! Finds out that an input gives nothing any more, though nothing has failed.

use std::time::Duration;

/// Upper bound on the audio in the element while it only waits for a whole chunk.
const IN_PASSING: Duration = Duration::from_secs(2);

/// Progress of a pipeline's audio at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Audio that the element has received.
    pub received: Duration,
    /// Audio that waits in the element.
    pub queued: Duration,
    /// Audio that the element takes until it has no more room.
    pub capacity: Duration,
    /// Whether the end of the stream has reached the element.
    pub has_ended: bool,
}

/// Watches an input.
#[derive(Clone, Debug)]
pub struct Stall {
    limit: Duration,
    since: Duration,
    received: Option<Duration>,
}

impl Stall {
    /// Begins; `limit` zero: never.
    pub fn new(limit: Duration) -> Self {
        Stall {
            limit,
            since: Duration::ZERO,
            received: None,
        }
    }

    /// How long nothing has come, at `now`, measured from any fixed moment. While the element
    /// holds audio, or waits for the last words, it has deadlines of its own, and the input need
    /// not come on.
    pub fn look(&mut self, now: Duration, moment: Moment) -> Duration {
        // A small queue is full with less.
        let in_passing = IN_PASSING.min(moment.capacity / 2);
        let is_busy = moment.has_ended || moment.queued > in_passing;
        if is_busy || self.received != Some(moment.received) {
            self.received = Some(moment.received);
            self.since = now;
        }
        now.saturating_sub(self.since)
    }

    /// Whether that is too long.
    pub fn is_over(&self, idle: Duration) -> bool {
        !self.limit.is_zero() && idle >= self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Second of the look, audio received and queued, whether the stream has ended; is it over?
    #[test]
    fn thirty_seconds_without_audio() {
        type Look = (u64, u64, u64, bool, bool);
        let cases: [(&str, &[Look]); 5] = [
            (
                "nothing ever comes",
                &[
                    (0, 0, 0, false, false),
                    (29, 0, 0, false, false),
                    (30, 0, 0, false, true),
                ],
            ),
            (
                "it comes on",
                &[
                    (0, 1, 0, false, false),
                    (29, 2, 0, false, false),
                    (58, 2, 0, false, false),
                    (59, 2, 0, false, true),
                ],
            ),
            (
                "the element has no room",
                &[
                    (0, 40, 30, false, false),
                    (60, 40, 30, false, false),
                    (89, 40, 1, false, false),
                    (90, 40, 1, false, true),
                ],
            ),
            (
                "the last words are waited for",
                &[(0, 9, 0, true, false), (600, 9, 0, true, false)],
            ),
            (
                "a clock that begins late",
                &[
                    (100, 0, 0, false, false),
                    (129, 0, 0, false, false),
                    (130, 0, 0, false, true),
                ],
            ),
        ];
        for (case, looks) in cases {
            let mut stall = Stall::new(seconds(30));
            for (at, received, queued, has_ended, expected) in looks {
                let moment = Moment {
                    received: seconds(*received),
                    queued: seconds(*queued),
                    capacity: seconds(60),
                    has_ended: *has_ended,
                };
                let idle = stall.look(seconds(*at), moment);
                assert_eq!(stall.is_over(idle), *expected, "{case} at {at}");
            }
        }
    }

    #[test]
    fn a_small_queue_is_full_with_less() {
        let mut stall = Stall::new(seconds(30));
        let full = Moment {
            received: seconds(3),
            queued: seconds(1),
            capacity: seconds(1),
            has_ended: false,
        };
        stall.look(Duration::ZERO, full);
        assert_eq!(stall.look(seconds(40), full), Duration::ZERO);
        let empty = Moment {
            queued: Duration::from_millis(100),
            ..full
        };
        assert_eq!(stall.look(seconds(80), empty), seconds(40));
    }

    #[test]
    fn no_limit() {
        let mut stall = Stall::new(Duration::ZERO);
        stall.look(Duration::ZERO, Moment::default());
        let idle = stall.look(seconds(9999), Moment::default());
        assert!(!stall.is_over(idle));
    }
}
