//! Timestamps against the count of samples: jitter, a lasting deviation, or a jump.
//!
//! Sources that stamp by arrival are late by what held a buffer up, and never early. So the
//! deviation that holds over a stretch of audio is its least one: a sliding-window minimum, kept in
//! a monotonic queue. `GstAudioBaseSink` has the same two limits, `alignment-threshold` and
//! `discont-wait`.
//!
//! Nothing of GStreamer is used here: deviations are nanoseconds, positions are samples.

use std::collections::VecDeque;

use crate::element::timeline::Nanos;

const MILLISECOND: Nanos = 1_000_000;
/// Announced deviations of whole buffers up to this make neither silence nor a repeat.
const THRESHOLD: Nanos = 40 * MILLISECOND;
/// Longer deviations are no jitter, announced or not; longer overlaps are no repeats.
const MAX_JITTER: Nanos = 1000 * MILLISECOND;
/// Lasting deviations below this are rounding.
const ROUNDING: Nanos = MILLISECOND;

/// Sign that the time jumps before a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Announcement {
    None,
    /// The buffer is flagged as DISCONT, and does not reach back by more than jitter.
    Flag,
    /// It is flagged and reaches back further, or continues one that did and was skipped whole.
    Repeat,
    /// A GAP event came before it, or it is the first one in another segment.
    Gap,
}

impl Announcement {
    /// Returns what a flag announces. `reach`: the deviation of the whole buffer. What clipping
    /// leaves of a repeat may deviate less than jitter does, and is one still.
    pub fn of_flag(reach: Nanos) -> Self {
        match reach < -THRESHOLD {
            true => Announcement::Repeat,
            false => Announcement::Flag,
        }
    }
}

/// Meaning of a buffer's deviation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Discontinuity {
    /// Jitter, unless it lasts.
    None,
    /// The buffer's own time holds from here on, without a gap.
    Realign,
    /// A gap of this length.
    Gap(Nanos),
    /// A repeat of this length: the buffer starts with audio that was taken before.
    Repeat(Nanos),
    /// A jump to an unrelated time.
    Unrelated,
}

/// Whether an announced deviation is none.
pub(crate) fn is_aligned(deviation: Nanos) -> bool {
    deviation.abs() <= THRESHOLD
}

/// Judges a buffer that is `deviation` later than the samples before it say. `overlap`: how far it
/// reaches back into audio, which is less than it deviates where a GAP event claimed too much.
pub(crate) fn judge(announcement: Announcement, deviation: Nanos, overlap: Nanos) -> Discontinuity {
    if announcement == Announcement::Repeat && (1..=MAX_JITTER).contains(&overlap) {
        return Discontinuity::Repeat(overlap);
    }
    let limit = match announcement {
        Announcement::None => MAX_JITTER,
        _ => THRESHOLD,
    };
    if deviation.abs() <= limit {
        return match announcement {
            Announcement::None => Discontinuity::None,
            _ => Discontinuity::Realign,
        };
    }
    match deviation > 0 {
        true => Discontinuity::Gap(deviation),
        false => Discontinuity::Unrelated,
    }
}

/// Whether DISCONT flags can be believed.
///
/// `audioresample` sets one wherever timestamps wobble by more than 31 ms. Where such a source's
/// jitter shows, its flags mean no more than the timestamps do.
#[derive(Debug)]
pub(crate) struct Flags {
    second: u64,
    /// Samples since the last jump.
    since_jump: u64,
    /// How far flags alone have moved the times forward. A buffer that moves back from there is no
    /// repeat.
    forward: Nanos,
    /// How far lasting deviations have moved them: jitter, or a clock that drifts.
    lasting: Nanos,
    refuted: bool,
}

impl Flags {
    pub fn new(rate: u32) -> Self {
        Flags {
            second: rate.into(),
            since_jump: 0,
            forward: 0,
            lasting: 0,
            refuted: false,
        }
    }

    /// Whether the flag of a buffer with this deviation announces a jump.
    pub fn announce(&mut self, deviation: Nanos) -> bool {
        let comes_back = deviation < 0 && -deviation <= self.forward + THRESHOLD;
        if comes_back && self.forward > THRESHOLD && deviation < -THRESHOLD / 2 {
            self.refuted = true;
        }
        // A late buffer rather than a repeat: the first ones often are late.
        let was_late = self.since_jump < self.second;
        let was_later = -deviation <= self.lasting + ROUNDING;
        let is_jitter = deviation < -THRESHOLD && (was_late || comes_back || was_later);
        !(self.refuted || is_jitter)
    }

    /// Notes that a flag alone has moved the times, over a gap or within jitter.
    pub fn moved(&mut self, by: Nanos) {
        self.come_forward(by);
        if !is_aligned(by) {
            self.since_jump = 0;
        }
        if by > MAX_JITTER {
            self.forward = 0;
            self.lasting = 0;
        }
    }

    /// Notes that a lasting deviation has moved the times.
    pub fn shifted(&mut self, by: Nanos) {
        self.lasting = (self.lasting + by).clamp(0, MAX_JITTER);
        // Drift over an hour does not count.
        if self.since_jump < self.second || by < -THRESHOLD {
            self.come_forward(by);
        }
    }

    fn come_forward(&mut self, by: Nanos) {
        let before = self.forward;
        self.forward = (before + by).clamp(0, MAX_JITTER);
        if before > THRESHOLD && self.forward <= THRESHOLD {
            // The times are back, so there was no jump.
            self.refuted = true;
        }
    }

    /// Notes another jump of the time.
    pub fn jumped(&mut self) {
        self.since_jump = 0;
        self.forward = 0;
        self.lasting = 0;
    }

    pub fn advance(&mut self, samples: u64) {
        self.since_jump = self.since_jump.saturating_add(samples);
    }
}

/// A stretch of audio, with its least deviation.
#[derive(Debug)]
struct Stretch {
    least: Nanos,
    from: u64,
    until: u64,
}

/// The deviations of the last second of audio.
#[derive(Debug)]
pub(crate) struct Window {
    second: u64,
    /// Sorted by time and by least deviation.
    stretches: VecDeque<Stretch>,
    /// Earliest start of the current mapping of times.
    floor: u64,
}

/// A lasting deviation: times from `position` on are later by `by` than the mapping says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shift {
    pub position: u64,
    pub by: Nanos,
}

impl Window {
    pub fn new(rate: u32) -> Self {
        Window {
            second: rate.into(),
            stretches: VecDeque::new(),
            floor: 0,
        }
    }

    /// Starts another mapping at `position`, and forgets the deviations from the last one.
    pub fn restart(&mut self, position: u64) {
        self.stretches.clear();
        self.floor = position;
    }

    /// Notes an anchor at `position`: no shift reaches behind it.
    pub fn limit(&mut self, position: u64) {
        self.floor = self.floor.max(position);
    }

    /// Adds audio from `position` to `end` with its deviation. Returns the lasting deviation, the
    /// least one of the last second of audio, and subtracts it from the window.
    pub fn observe(&mut self, deviation: Nanos, position: u64, end: u64) -> Option<Shift> {
        self.expire(end);
        let mut from = position;
        while let Some(last) = self.stretches.back().filter(|s| s.least >= deviation) {
            from = last.from;
            self.stretches.pop_back();
        }
        self.stretches.push_back(Stretch {
            least: deviation,
            from,
            until: end,
        });
        self.lasting(position, end)
    }

    /// Removes stretches that are older than a second at `end`.
    fn expire(&mut self, end: u64) {
        let begin = end.saturating_sub(self.second);
        while self.stretches.front().is_some_and(|s| s.until <= begin) {
            self.stretches.pop_front();
        }
    }

    /// Returns the least deviation at `end`. The last buffer started at `position`.
    fn lasting(&mut self, position: u64, end: u64) -> Option<Shift> {
        self.expire(end);
        let begin = end.saturating_sub(self.second);
        let first = self.stretches.front_mut()?;
        let by = first.least;
        if by.abs() < ROUNDING {
            return None;
        }
        // A later time holds since the less late audio left the window, an earlier one in the whole
        // window.
        let from = if by > 0 {
            first.from
        } else {
            first.from.max(begin.min(position))
        };
        let position = from.max(self.floor.min(position));
        first.from = position;
        self.floor = position;
        for stretch in &mut self.stretches {
            stretch.least -= by;
        }
        Some(Shift { position, by })
    }

    /// Adds audio up to `end` without a timestamp. It deviates as the audio before.
    pub fn extend(&mut self, end: u64) -> Option<Shift> {
        let last = self.stretches.pop_back()?;
        self.stretches.push_back(Stretch { until: end, ..last });
        self.lasting(last.until, end)
    }

    /// Removes `samples` at `position`. Positions behind them move up.
    pub fn remove(&mut self, position: u64, samples: u64) {
        let moved = |at: u64| match at.checked_sub(samples) {
            Some(moved) if at > position => moved.max(position),
            _ => at.min(position),
        };
        for stretch in &mut self.stretches {
            stretch.from = moved(stretch.from);
            stretch.until = moved(stretch.until);
        }
        self.floor = moved(self.floor).max(position);
    }
}

#[cfg(test)]
mod tests;
