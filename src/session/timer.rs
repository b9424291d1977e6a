//! Deadlines of the machine.

use std::time::Duration;

/// One thing to do at a deadline, unless something happens before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// The next attempt begins.
    Retry,
    /// The last words have been waited for long enough, all attempts together.
    FinishDeadline,
    /// A preconnect is closed: no audio came for it.
    Discard,
    /// Less than a chunk waits, and no more came: it has words that must not wait.
    Partial,
    /// Audio may be sent.
    Pace,
    /// The rest is read after a failed write.
    Read,
    /// The peer has taken no byte for long.
    Stalled,
    /// The request was not answered.
    Response,
    /// There was nothing to send for long.
    Input,
    /// The final response did not come.
    FinalResponse,
}

/// Returns the deadline that comes first.
pub fn earliest<const N: usize>(
    timers: [(Option<Duration>, Timer); N],
) -> Option<(Duration, Timer)> {
    let timers = timers.into_iter();
    timers
        .filter_map(|(at, timer)| Some((at?, timer)))
        .min_by_key(|(at, _)| *at)
}
