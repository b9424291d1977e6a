//! Marks that must be reported, and their times.

use std::collections::BTreeMap;
use std::ops::Range;

use volcasr_loopback::Oddity;

use super::check::Checked;
use super::common::{Transcript, Word, mark_of, number_of};
use super::plan::Schedule;
use super::play::{HOUR, MS};
use super::record::{Life, Place};

/// The recogniser's spikes lie 100 ms inside the mark, and last 80.
pub const SPIKE: (u64, u64) = (100, 180);

/// Upper bound on the error in the times of a word when it is first reported.
pub const REVISION: u64 = 141 * MS;

/// Part of a mark lies as near as this to where its other part was lost, where stamps are exact.
const MARK: u64 = 300 * MS;

/// How many marks were checked, and what became of the others.
#[derive(Debug, Default)]
pub struct Marks {
    /// By what became of them.
    pub counts: BTreeMap<&'static str, usize>,
    /// Starts of stretches that no event of their streams explains.
    pub gone: Vec<Place>,
}

impl Marks {
    fn add(&mut self, fate: &'static str, count: usize) {
        *self.counts.entry(fate).or_default() += count;
    }
}

/// A mark, or a part of one, in a final utterance. Times are nanoseconds.
struct ReportedMark<'a> {
    number: u32,
    word: Option<&'a Word>,
    /// Where its utterance stands among all transcripts.
    at: usize,
    transcript: &'a Transcript,
}

impl ReportedMark<'_> {
    fn start(&self) -> u64 {
        let start = self.word.and_then(|w| w.times.timestamp);
        start.map_or(0, gst::ClockTime::nseconds)
    }

    fn end(&self) -> u64 {
        let duration = self.word.and_then(|w| w.times.duration);
        self.start() + duration.map_or(0, gst::ClockTime::nseconds)
    }
}

/// One stream's marks: what was fed, and what became of it.
pub struct Places<'a> {
    schedule: &'a Schedule,
    life: &'a Life,
    fed: &'a [Place],
    stream: u32,
    /// No connection began anywhere but at a whole millisecond.
    whole: bool,
}

impl<'a> Places<'a> {
    pub fn new(checked: &Checked<'a>, stream: usize) -> Self {
        let Checked {
            schedule,
            played,
            life,
        } = checked;
        Places {
            schedule,
            life,
            fed: &life.fed[stream].marks,
            stream: stream as u32,
            whole: played.disturbed == 0 && !schedule.sink.rolls_over(),
        }
    }

    pub fn check(&self, cut: bool, marks: &mut Marks) {
        let mut reported = self.reported();
        let out_of_order = self.schedule.is_out_of_order();
        if out_of_order {
            // Not by time: another segment may begin earlier.
            reported.sort_by_key(|h| h.number);
        }
        let mut drops = self.drops();
        let may_be = cut && self.schedule.sink.drops();
        let mut unreported = UnreportedDrops::new(may_be, self.schedule.sink.max_queue, &drops);
        let mut next = 0;
        let mut missing = Vec::new();
        for h in &reported {
            if h.number == u32::MAX {
                let is_behind = |drop: &Drop| h.end() + MARK > drop.place;
                if !drops.first().is_some_and(is_behind) && !unreported.explains(h.start()..h.end())
                {
                    self.part(h);
                }
                continue;
            }
            let at = (next..self.fed.len()).find(|&at| self.fed[at].number == h.number);
            let is_in_turn = || panic!("twice, out of turn or foreign: {:?}", h.transcript);
            let at = at.unwrap_or_else(is_in_turn);
            self.place(&self.fed[at], h);
            missing.extend(next..at);
            next = at + 1;
        }
        marks.add("marks reported", reported.len());
        if cut {
            marks.add("marks cut", self.fed.len() - next);
            // The second pass may have settled what comes later, and not these.
            missing.retain(|_| !out_of_order);
        } else {
            missing.extend(next..self.fed.len());
        }
        let forgotten = self.forgotten(&reported);
        let mut before = None;
        for at in missing {
            let place = &self.fed[at];
            let range = place.start * MS..place.end * MS;
            if self.is_dropped(&mut drops, at) || unreported.explains(range) {
                marks.add("marks dropped", 1);
            } else if forgotten.iter().any(|f| f.contains(&at)) {
                marks.add("marks forgotten", 1);
            } else {
                if before.is_none_or(|b| b + 1 != at) {
                    marks.gone.push(*place);
                }
                before = Some(at);
            }
        }
    }

    /// The marks of the final utterances, in the order in which these were posted.
    fn reported(&self) -> Vec<ReportedMark<'a>> {
        let mut reported = Vec::new();
        for (at, transcript) in self.life.transcripts.iter().enumerate() {
            if !transcript.is_final || transcript.stream != self.stream {
                continue;
            }
            let mut add = |number, word| {
                reported.push(ReportedMark {
                    number,
                    word,
                    at,
                    transcript,
                });
            };
            if self.schedule.ways.has(Oddity::TextOnly) {
                let words = transcript.text.split_whitespace();
                words.for_each(|text| add(number_of(text), None));
                continue;
            }
            for word in &transcript.words {
                // Asserts that it has its times.
                if let Some((number, ..)) = mark_of(word) {
                    add(number, Some(word));
                }
            }
        }
        reported
    }

    /// At its time, to the nanosecond where the service's milliseconds allow it.
    fn place(&self, place: &Place, reported: &ReportedMark<'_>) {
        let Some(word) = reported.word else {
            return;
        };
        let ways = &self.schedule.ways;
        let (start, end) = match ways.spikes {
            true => (place.start + SPIKE.0, place.start + SPIKE.1),
            false => (place.start, place.end),
        };
        let is_inexact = reported.transcript.unconfirmed && !ways.options.exact;
        let off = match reported.transcript {
            _ if is_inexact => REVISION,
            transcript if (transcript.session == 0 || self.whole) && !self.drops_parts() => 0,
            // A connection that goes on from another one may begin in the middle of one, as may
            // what follows a drop.
            _ => MS,
        } + self.tolerance();
        let near = |time: u64, ms: u64| time.abs_diff(ms * MS) <= off;
        // An inexact end may lie in what was sent next: in another segment, or behind a range that
        // was dropped.
        let is_elsewhere = reported.end() / MS / HOUR != end / HOUR || !self.drops().is_empty();
        let is_behind = is_inexact && reported.end() > end * MS && is_elsewhere;
        let is_there = near(reported.start(), start) && (near(reported.end(), end) || is_behind);
        let transcript = reported.transcript;
        assert!(is_there, "not at {start} to {end} ms: {transcript:?}");
        let at = |offset: u64| reported.start().wrapping_add(offset.wrapping_mul(MS));
        // Where there are timestamps, it may still be unknown what they are mapped to.
        let fits = |reported: Option<gst::ClockTime>, offset: Option<u64>| match offset {
            Some(offset) => reported.map(gst::ClockTime::nseconds) == Some(at(offset)),
            None => reported.is_none() || self.schedule.sink.timed,
        };
        let times = word.times;
        let fits = fits(times.running_time, place.running) && fits(times.stream_time, place.time);
        assert!(fits, "mapped to another time: {word:?}");
    }

    /// Part of a mark is reported next to where the rest has left the window.
    fn part(&self, reported: &ReportedMark<'_>) {
        let near = |time: u64| reported.start().abs_diff(time) <= MARK + self.tolerance();
        let is_cut = self.schedule.sink.forgets() && self.restarts().any(|(_, from)| near(from));
        assert!(is_cut, "part of a mark: {:?}", reported.transcript);
    }

    /// How far times may be off, because the stamps are.
    fn tolerance(&self) -> u64 {
        self.schedule.stamps.tolerance() * MS
    }

    /// Dropped ranges of this stream from the warnings, in the order of its marks.
    fn drops(&self) -> Vec<Drop> {
        let drops = self.life.warned("volcasr-dropped").filter_map(|w| {
            let place = w.timestamp?;
            Some(Drop {
                first: self.before(place, |p| p.end * MS + self.tolerance() <= place)?,
                place,
                left: w.duration?,
                last: None,
            })
        });
        drops.collect()
    }

    /// Returns the number of marks up to the last one that is before a time, in the segment that
    /// this belongs to. None: that has no marks.
    fn before(&self, time: u64, is_before: impl Fn(&Place) -> bool) -> Option<usize> {
        let of_it = |p: &Place| p.start / HOUR == time / MS / HOUR;
        let first = self.fed.iter().position(of_it)?;
        let before = self.fed[first..].iter();
        Some(first + before.take_while(|p| of_it(p) && is_before(p)).count())
    }

    /// Whether a warning accounts for a mark: the last one with a place before it, or the one
    /// before that, which has more to account for than it did so far.
    fn is_dropped(&self, drops: &mut [Drop], at: usize) -> bool {
        let before = drops.iter().rposition(|drop| drop.first <= at);
        let candidates = before.map_or(0..0, |last| last.saturating_sub(1)..last + 1);
        let mut candidates = drops[candidates].iter_mut().rev();
        let Some(drop) = candidates.find(|drop| drop.left > 0) else {
            return false;
        };
        // From one lost mark to the next, all of the pause is lost; of the marks, some samples at
        // least.
        let pause = match at.checked_sub(1).map(|before| &self.fed[before]) {
            Some(before) if drop.last == Some(at - 1) => self.fed[at].start - before.end,
            _ => 1,
        };
        drop.left = drop.left.saturating_sub(pause.min(1000) * MS);
        drop.last = Some(at);
        true
    }

    /// Whether drops may have ended within a millisecond.
    fn drops_parts(&self) -> bool {
        self.schedule.sink.chunk == 0 && !self.drops().is_empty()
    }

    /// From where lost connections were restored, and how many transcripts there were by then.
    fn restarts(&self) -> impl Iterator<Item = (usize, u64)> {
        let restarts = self.life.warned("volcasr-reconnect");
        restarts.filter_map(|w| Some((w.transcripts_before, w.timestamp?)))
    }

    /// With a short window: the marks from what had been reported at a loss to where the connection
    /// was restored.
    fn forgotten(&self, reported: &[ReportedMark<'_>]) -> Vec<Range<usize>> {
        if !self.schedule.sink.forgets() {
            return Vec::new();
        }
        let place = |number| self.fed.iter().position(|p| p.number == number);
        let restarts = self.restarts().map(|(before, from)| {
            let is_sure = |h: &&ReportedMark| h.at < before && !h.transcript.unconfirmed;
            let sure = reported.iter().filter(is_sure);
            let begin = sure.filter_map(|h| place(h.number)).max();
            let end = self.before(from, |p| p.start * MS < from + self.tolerance());
            begin.map_or(0, |b| b + 1)..end.unwrap_or(0)
        });
        // Lost while the final text was awaited, with nothing left to ask for.
        let gave_up = self.life.warned("volcasr-finish-timeout");
        restarts.chain(gave_up.map(|_| 0..self.fed.len())).collect()
    }
}

/// A warning of dropped audio.
struct Drop {
    /// The first mark that it may be about.
    first: usize,
    /// The timestamp of the first sample, and how much of the sum is not accounted for.
    /// Nanoseconds.
    place: u64,
    left: u64,
    /// The last mark that it accounts for.
    last: Option<usize>,
}

/// The last drops of a stream that was cut short may not have been reported: those of less than a
/// second.
struct UnreportedDrops {
    may_be: bool,
    /// Audio up to here is accounted for.
    reported_until: u64,
    longest: u64,
    /// Marks that it explains so far.
    explained: Option<Range<u64>>,
}

impl UnreportedDrops {
    /// Audio between two drops waited in a queue of `queue` milliseconds.
    fn new(may_be: bool, queue: u32, drops: &[Drop]) -> Self {
        UnreportedDrops {
            may_be,
            reported_until: drops.last().map_or(0, |drop| drop.place),
            longest: (1000 + u64::from(queue)) * MS + 2 * MARK,
            explained: None,
        }
    }

    /// Whether the drop may lie in or next to `what`, and in all it has explained before.
    fn explains(&mut self, what: Range<u64>) -> bool {
        if !self.may_be || what.end < self.reported_until {
            return false;
        }
        let all = match &self.explained {
            Some(before) => before.start.min(what.start)..before.end.max(what.end),
            None => what,
        };
        let fits = all.end - all.start <= self.longest;
        if fits {
            self.explained = Some(all);
        }
        fits
    }
}
