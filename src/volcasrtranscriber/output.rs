//! The text pad: one task pushes everything downstream, in order, when the schedule says so.

mod downstream;
mod language;
mod push;

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gst::prelude::*;

use super::schedule::{Action, Effect, Origin, Schedule, Unit};
use crate::sync::lock;

use downstream::Downstream;
use language::Language;
pub(super) use push::RoundResult;

/// Timeout: if neither audio nor text came for this long, interim text is pushed. Downstream may
/// block the audio until it gets text.
const STARVED: Duration = Duration::from_millis(1200);
/// Length of the audio's tail that may not have been sent yet.
const STARVED_MARGIN: Duration = Duration::from_millis(500);

/// Epoch of what no flush ends.
const ALL_EPOCHS: u64 = u64::MAX;

/// See the module.
#[derive(Debug)]
pub(super) struct TextPad {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    schedule: Schedule<gst::Event>,
    /// Counts the runs, of which an old one may still report.
    run: u64,
    /// Sticky events that a flush kept from leaving.
    kept: Vec<gst::Event>,
    /// Counts the flushes, as the client does.
    epoch: u64,
    /// The task is to pause.
    stopped: bool,
    /// The element is on its way to READY: no flush makes the task go on.
    closed: bool,
    /// The element is in PLAYING, so that its running time advances.
    playing: bool,
    downstream: Downstream,
    language: Language,
    /// Longest time that text came late.
    max_delay: Duration,
    /// End of the segment's audio so far.
    audio_end: Duration,
    /// Moment at which audio or text came last.
    changed_at: Instant,
}

/// Next step of the task.
#[derive(Debug)]
enum Step {
    Act(Action<gst::Event>),
    Again,
    Pause,
}

impl State {
    fn new() -> Self {
        State {
            schedule: Schedule::new(Unit::default()),
            run: 0,
            kept: Vec::new(),
            epoch: 0,
            stopped: true,
            closed: false,
            playing: false,
            downstream: Downstream::default(),
            language: Language::default(),
            max_delay: Duration::ZERO,
            audio_end: Duration::ZERO,
            changed_at: Instant::now(),
        }
    }

    fn flush(&mut self) {
        use gst::EventType::{Eos, Segment};
        let dropped = self.schedule.flush().into_iter();
        let kept =
            dropped.filter(|event| event.is_sticky() && !matches!(event.type_(), Eos | Segment));
        self.kept.extend(kept);
        self.downstream.reset();
        self.audio_end = Duration::ZERO;
    }

    /// Returns the position up to which text is missing that nothing but more audio brings.
    fn missing_until(&self) -> Option<Duration> {
        let known = self.audio_end.saturating_sub(STARVED_MARGIN);
        self.schedule.is_starving(known).then_some(known)
    }
}

impl TextPad {
    pub fn new() -> Self {
        TextPad {
            state: Mutex::new(State::new()),
            changed: Condvar::new(),
        }
    }

    /// Begins anew, as on READY → PAUSED.
    pub fn reset(&self) {
        let mut state = lock(&self.state);
        *state = State {
            run: state.run + 1,
            ..State::new()
        };
    }

    /// Sets what one buffer holds, before there is any text.
    pub fn set_unit(&self, unit: Unit) {
        lock(&self.state).schedule.set_unit(unit);
    }

    /// Returns the number of the run that begins after the last [`reset`](Self::reset).
    pub fn run(&self) -> u64 {
        lock(&self.state).run
    }

    /// Lets the task run.
    pub fn start(&self) {
        lock(&self.state).stopped = false;
    }

    /// Ends the task's wait, until [`reset`](Self::reset).
    pub fn close(&self) {
        self.change(|state| (state.stopped, state.closed) = (true, true));
    }

    /// FLUSH_START: forgets what has not left, and what comes of an older epoch.
    pub fn flush(&self, epoch: Option<u64>) {
        self.change(|state| {
            state.stopped = true;
            state.epoch = epoch.unwrap_or(state.epoch);
            state.flush();
        });
    }

    /// FLUSH_STOP: all is well again. Stores the sticky events that the flush kept from leaving on
    /// the pad, whose task is paused: upstream does not send them again.
    pub fn recover(&self, src: &gst::Pad) {
        let kept = {
            let mut state = lock(&self.state);
            state.flush();
            state.stopped = state.closed;
            std::mem::take(&mut state.kept)
        };
        for event in kept {
            // Refused only by a pad that is not active.
            let _ = src.store_sticky_event(&event);
        }
    }

    /// Notes that the running time advances from here on, or stands.
    pub fn set_playing(&self, playing: bool) {
        self.change(|state| state.playing = playing);
    }

    /// Changes the schedule for something of a run's epoch, unless that is over.
    pub fn update(&self, of: (u64, u64), change: impl FnOnce(&mut Schedule<gst::Event>)) {
        self.change_for(of, |state| {
            state.changed_at = Instant::now();
            change(&mut state.schedule);
        });
    }

    /// Notes that audio up to `end` was handed over.
    pub fn audio(&self, end: Duration) {
        let mut state = lock(&self.state);
        state.audio_end = end;
        state.changed_at = Instant::now();
    }

    /// Changes the schedule.
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut lock(&self.state));
        self.changed.notify_all();
    }

    /// Appends a serialized event, having waited for space.
    pub fn event(&self, event: gst::Event, origin: Option<Origin>) {
        self.wait_for_space();
        self.change(|state| {
            state.downstream.enters(&event);
            let effect = match (event.type_(), origin) {
                (gst::EventType::Eos | gst::EventType::StreamStart, _) => Effect::NoSegment,
                (_, Some(origin)) => {
                    state.audio_end = Duration::ZERO;
                    Effect::Segment(origin)
                }
                _ => Effect::Unchanged,
            };
            state.schedule.event(event, effect);
        });
    }

    /// Appends a gap up to `end`, having waited for space.
    pub fn silence(&self, end: gst::ClockTime) {
        self.wait_for_space();
        self.change(|state| state.schedule.silence(end.into()));
    }

    pub fn barrier(&self, token: u64, end: Option<gst::ClockTime>) {
        self.change(|state| state.schedule.barrier(token, end.map(Duration::from)));
    }

    /// Notes that a run has posted what comes before a barrier.
    pub fn posted(&self, run: u64, token: u64) {
        self.change_for((run, ALL_EPOCHS), |state| state.schedule.posted(token));
    }

    /// Notes that a run has failed.
    pub fn fail(&self, run: u64) {
        self.change_for((run, ALL_EPOCHS), |state| {
            state.schedule.fail();
            state.downstream.posting = false;
        });
    }

    /// Notes that an error of downstream is posted.
    pub fn refusal_posted(&self, run: u64) {
        self.change_for((run, ALL_EPOCHS), |state| {
            state.downstream.posting = false;
        });
    }

    /// Changes the state for a run and its epoch, unless that is over.
    fn change_for(&self, (run, epoch): (u64, u64), change: impl FnOnce(&mut State)) {
        self.change(|state| {
            if run == state.run && epoch >= state.epoch {
                change(state);
            }
        });
    }

    pub fn set_latency(&self, latency: Option<Duration>) {
        self.change(|state| state.schedule.set_latency(latency));
    }

    /// Returns the last flow of downstream, to return upstream.
    pub fn flow(&self) -> Result<gst::FlowSuccess, gst::FlowError> {
        lock(&self.state).downstream.flow()
    }

    /// Notes that downstream is linked anew: it may take text now.
    pub fn relinked(&self) {
        self.change(|state| state.downstream.relinked());
    }

    /// Waits while too much text waits for downstream, at most until a flush or a stop.
    pub fn wait_for_space(&self) {
        let state = lock(&self.state);
        let full = |state: &mut State| {
            !state.stopped && state.downstream.refusal.is_none() && state.schedule.is_full()
        };
        drop(
            self.changed
                .wait_while(state, full)
                .unwrap_or_else(PoisonError::into_inner),
        );
    }

    /// Longest time that text came late, in milliseconds.
    pub fn max_delay_ms(&self) -> u32 {
        u32::try_from(lock(&self.state).max_delay.as_millis()).unwrap_or(u32::MAX)
    }

    /// Returns the next action for the task, having waited for it. `now` is asked in PLAYING only.
    fn step(&self, now: impl Fn() -> Option<Duration>, is_sent: impl Fn() -> bool) -> Step {
        let playing = lock(&self.state).playing;
        let now = playing.then(now).flatten();
        let is_sent = is_sent();
        let mut state = lock(&self.state);
        if state.stopped {
            return Step::Pause;
        }
        if state.playing != playing {
            return Step::Again;
        }
        let downstream = &mut state.downstream;
        if downstream.posting && downstream.held.is_some() {
            drop(self.changed.wait(state));
            return Step::Again;
        }
        if let Some(eos) = downstream.held.take() {
            return Step::Act(Action::Event(eos));
        }
        match state.schedule.next(now) {
            Action::Wait(until) => {
                let missing = state.missing_until();
                let since = state.changed_at.elapsed();
                if let Some(known) = missing.filter(|_| is_sent && since >= STARVED) {
                    state.schedule.starve(known);
                    return Step::Again;
                }
                let limit = until.zip(now).map(|(until, now)| until.saturating_sub(now));
                // The task asks again after this time whether the audio is sent. More audio may
                // come without a notice.
                let starved = match missing {
                    Some(_) => STARVED.saturating_sub(since).max(STARVED / 4),
                    None => STARVED,
                };
                drop(self.changed.wait_timeout(state, limit.unwrap_or(starved)));
                Step::Again
            }
            action => {
                let discards = matches!(action, Action::Text { .. } | Action::Gap { .. });
                let refused = discards && state.downstream.takes_nothing();
                if let Action::Event(event) = &action {
                    state.downstream.leaves(event);
                }
                drop(state);
                self.changed.notify_all();
                match refused {
                    true => Step::Again,
                    false => Step::Act(action),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
