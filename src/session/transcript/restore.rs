//! What becomes of utterances when a connection is lost, and where the next one begins.
//!
//! Settled speech is not sent again, open utterances are, from the pause before them; they keep their numbers through the rules
//! of a response. A new connection first says less than the lost one had said, so interim results wait until it has
//! worked as far: text that stands on a screen never shrinks.
use std::time::Duration;

use super::span::Span;
use super::words;
use super::{Tracker, Update};

/// Reported ends are early (a word's time is mostly 80 ms, whatever its sound), so beginning exactly there would hear the
/// tail of a word again. So much later at most, and never beyond half of the pause.
const TAIL: Duration = Duration::from_millis(400);

/// Responses lag the audio: what was worked through is only known to hold nothing when it is so old.
const LAG: Duration = Duration::from_secs(2);

/// Settled utterances that end so long before a connection are not compared with what it says.
const PAST: Duration = Duration::from_secs(1);

impl Tracker {
    /// A new connection, whose first sample lies at `origin` on the axis. After [`restart`](Self::restart) open utterances go on,
    /// and interim results are held until it has worked as far as the lost one.
    pub fn connect(&mut self, origin: Duration) {
        if !self.lost {
            self.base = self.base.max(origin);
            self.cut = origin;
            self.hold = None;
        }
        self.lost = false;
        self.connected = true;
        self.origin = origin;
        self.worked = origin;
        self.sent = self.sent.max(origin);
        self.untimed.clear();
        self.settled.forget_before(origin.saturating_sub(PAST));
    }

    /// The connection is lost: returns where the audio is to be sent again from, on the axis, which is `window`, where the audio that
    /// can be sent again begins, or later. What reaches before `window` can't be heard again and ends, final and
    /// unconfirmed, with the words that lie before it; the others come again under another number.
    pub fn restart(&mut self, window: Duration, updates: &mut Vec<Update>) -> Duration {
        let wanted = self.needed_from();
        let begin = if window > wanted {
            self.end_before(window, updates)
        } else {
            wanted
        };
        if !self.open.is_empty() {
            self.hold = self.hold.max(Some(self.worked));
        } else {
            self.hold = None;
        }
        self.connected = false;
        self.lost = true;
        self.cut = begin;
        begin
    }

    /// Ends what reaches before `window`; returns where to begin so that nothing of it is heard twice.
    fn end_before(&mut self, window: Duration, updates: &mut Vec<Update>) -> Duration {
        // Without timed words there is no telling which to keep: all of it, and its audio is not sent again. That may reach others.
        let mut begin = window;
        while let Some(end) = self
            .open
            .iter()
            .filter(|o| o.starts() < begin && o.ends() > begin)
            .find_map(|o| (!has_times(o)).then(|| o.ends()))
        {
            begin = end;
        }
        for index in 0..self.open.len() {
            let open = &mut self.open[index];
            if open.starts() >= begin {
                continue;
            }
            if has_times(open) {
                let all = open.words.len();
                let mut kept = open.words.clone();
                words::keep(&mut kept, |middle| middle < begin);
                if kept.is_empty() {
                    // Only its start is early: every word comes again, and it keeps its number.
                    continue;
                }
                if kept.len() < all {
                    open.text = words::join(&kept);
                    // Not beyond where the rest begins: its first words would count as settled.
                    let end = kept.iter().rev().find_map(|w| w.end).unwrap_or(begin);
                    open.span = Some(Span::new(open.starts(), end.min(begin)));
                    open.words = kept;
                }
            }
            self.end(index, true, updates);
        }
        self.open.retain(|o| !o.ended);
        begin
    }

    /// Where a restart would begin if the connection were lost now, on the axis: no audio before it will be asked for, but a start
    /// that the service revises later may move it back a little.
    pub fn needed_from(&self) -> Duration {
        let settled = self.settled_until();
        let start = self.open.iter().map(|o| o.starts()).min();
        let pause = start.unwrap_or(self.worked).saturating_sub(settled);
        let begin = settled + TAIL.min(pause / 2);
        let begin = match start {
            Some(_) => begin,
            None => begin.max(self.worked.saturating_sub(LAG)),
        };
        begin.min(self.sent)
    }

    /// How far the service has worked through the audio, on the axis.
    pub fn worked_until(&self) -> Duration {
        self.worked
    }

    /// The end of the last settled utterance with every earlier one settled too, on the axis; where there is none, the place where the
    /// connection began, or the one that it restores.
    pub fn settled_until(&self) -> Duration {
        let start = self.open.iter().map(|o| o.starts()).min();
        self.base
            .max(self.settled.end_before(start).unwrap_or_default())
            .min(self.sent)
    }
}

fn has_times(open: &super::Open) -> bool {
    open.words.iter().any(|w| words::middle(w).is_some())
}
