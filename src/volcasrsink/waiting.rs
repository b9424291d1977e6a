//! The streaming thread's waits, and how the base class gets the thread back during them.
//!
//! The thread holds the base class's preroll lock, which state changes, flushes and steps need, too.
//! Most of them ask for it by `unlock`, and `wait_preroll` lets it go until they signal. PAUSED → PLAYING
//! does not ask, and being woken says little: a pause may have followed PLAYING before the thread ran,
//! and the base class then believes that it is parked still. So the element remembers by itself where
//! it is, and never waits for the service unless that is PLAYING: the next state change would wait for
//! the service, too. On the way there it cannot tell whether the base class has had the lock and has
//! signalled. So the thread gives the lock away, and the base class signals until the thread is awake.
//!
//! A step wakes the thread to have the next buffers dropped, one of them preroll, and the pipeline told. While a
//! buffer is held here there is none to give: GAP events stand in for them, so that no audio is lost. A step that finds
//! the thread elsewhere begins with the next buffer, which is rendered in PAUSED then.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::prelude::*;

use super::CAT;
use super::imp::{VolcAsrSink, lock};
use super::run::Run;
use crate::client::Waited;

/// So many GAP events end a step at most: of so many buffers, or of hours, as each lasts twice as long as the one before.
const MOST_GAPS: u32 = 32;
/// In PLAYING nothing tells whether a step is over; these two end the usual one, of a single buffer.
const GAPS_IN_PLAYING: u32 = 2;
/// PAUSED → PLAYING takes no longer once it has the lock, nor a thread to wake up.
const RESUMING: Duration = Duration::from_millis(10);

/// Where the element is between PAUSED and PLAYING.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// Or on the way there.
    #[default]
    Paused,
    /// On the way there from PLAYING: the base class is about to take the preroll lock, or has had it.
    Pausing,
    /// On the way to PLAYING: the base class is about to take the preroll lock, or has had it.
    Resuming,
    Playing,
}

/// The phase, and a way to wait for its change.
#[derive(Debug, Default)]
pub(super) struct Phases {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    phase: Phase,
    /// In [`Phase::Resuming`] the streaming thread has given the lock away, maybe after the signal.
    asleep: bool,
}

impl Phases {
    pub fn set(&self, phase: Phase) {
        lock(&self.state).phase = phase;
        self.changed.notify_all();
    }

    fn get(&self) -> Phase {
        lock(&self.state).phase
    }

    /// The base class has had the lock: goes over to [`Phase::Playing`], unless the streaming thread sleeps
    /// on. Then it may have missed the signal, and needs another.
    fn is_awake(&self) -> bool {
        let state = lock(&self.state);
        let asleep = |state: &mut State| state.asleep;
        let waited = self.changed.wait_timeout_while(state, RESUMING, asleep);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if !state.asleep {
            state.phase = Phase::Playing;
            self.changed.notify_all();
        }
        !state.asleep
    }

    /// In [`Phase::Resuming`], unless that ends within [`RESUMING`], does `sleep`, which gives the lock away.
    fn sleep_while_resuming<T>(&self, sleep: impl FnOnce() -> T) -> Option<T> {
        let state = lock(&self.state);
        let resuming = |state: &mut State| state.phase == Phase::Resuming;
        let waited = self.changed.wait_timeout_while(state, RESUMING, resuming);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.phase != Phase::Resuming {
            return None;
        }
        state.asleep = true;
        drop(state);
        let woken = sleep();
        lock(&self.state).asleep = false;
        self.changed.notify_all();
        Some(woken)
    }
}

impl VolcAsrSink {
    /// PAUSED → PLAYING: the base class's part, and the streaming thread goes on if it waits.
    pub(super) fn resume(&self) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        self.phases.set(Phase::Resuming);
        loop {
            let result = self.parent_change_state(gst::StateChange::PausedToPlaying);
            if self.phases.is_awake() {
                return result;
            }
        }
    }

    /// PLAYING → PAUSED.
    pub(super) fn pause(&self) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        self.phases.set(Phase::Pausing);
        let result = self.parent_change_state(gst::StateChange::PlayingToPaused);
        self.phases.set(Phase::Paused);
        result
    }

    fn phase(&self) -> Phase {
        let phase = self.phases.get();
        if phase == Phase::Paused {
            // Without a bin, the base class goes on from the preroll to PLAYING without a word.
            let (_, current, pending) = self.obj().state(gst::ClockTime::ZERO);
            if (current, pending) == (gst::State::Playing, gst::State::VoidPending) {
                self.phases.set(Phase::Playing);
                return Phase::Playing;
            }
        }
        phase
    }

    /// Waits as `wait` does, but lets the base class have the thread whenever it needs it; then goes on
    /// where it stopped: never [`Waited::Interrupted`]. An error is to be returned to the base class.
    ///
    /// Only on the streaming thread, in `render` or, once prerolled, in `event`.
    pub(super) fn wait(&self, wait: &dyn Fn() -> Waited) -> Result<Waited, gst::FlowError> {
        // Not parked in PAUSED: a step is under way, and the state change waits for its end.
        self.wait_after(u32::from(self.phase() == Phase::Paused), wait)
    }

    /// `gaps`: that stood in for buffers since the last step, and one; 0: there is no step.
    fn wait_after(
        &self,
        mut gaps: u32,
        wait: &dyn Fn() -> Waited,
    ) -> Result<Waited, gst::FlowError> {
        loop {
            let phase = self.phase();
            let most = match phase {
                Phase::Playing => GAPS_IN_PLAYING,
                _ => MOST_GAPS,
            };
            if (1..=most).contains(&gaps) {
                // Parks in PAUSED once the step is over.
                self.preroll(gaps - 1)?;
                gaps += 1;
                continue;
            }
            let parked = match phase {
                Phase::Playing => match wait() {
                    Waited::Interrupted => Some(self.obj().wait_preroll()),
                    done => return self.end_wait(gaps, done),
                },
                Phase::Resuming => self
                    .phases
                    .sleep_while_resuming(|| self.obj().wait_preroll()),
                Phase::Paused | Phase::Pausing => Some(self.obj().wait_preroll()),
            };
            let Some(parked) = parked else { continue };
            match parked {
                Ok(_) => gaps = 0,
                // A step. It must not be returned: the buffer would come again.
                Err(gst::FlowError::CustomError) => gaps = 1,
                Err(error) => {
                    gst::debug!(CAT, imp = self, "{error} while waiting");
                    return Err(error);
                }
            }
        }
    }

    /// The base class waits for the end of the last GAP before EOS: not for one of hours.
    fn end_wait(&self, gaps: u32, waited: Waited) -> Result<Waited, gst::FlowError> {
        if gaps > 2 {
            self.preroll(0)?;
        }
        Ok(waited)
    }

    /// End of stream: waits for the last words, and for all of them to be posted.
    pub(super) fn drain(&self, run: &Run) -> Result<(), gst::FlowError> {
        if !run.end_of_stream() {
            return Ok(());
        }
        gst::debug!(CAT, imp = self, "end of stream: waiting for the last words");
        self.open_empty_segment();
        // Before it has prerolled, draining would keep a state change from completing.
        self.preroll(0)?;
        let token = self
            .tokens
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed)
            + 1;
        run.finish(token);
        // A failed client says nothing more, but its error must be on the bus first.
        self.wait(&|| run.client.wait_for(token))?;
        run.drained();
        Ok(())
    }

    /// A step that ends in another segment than it began in leaves the base class with the start and stop of the first one
    /// (GStreamer 1.22). If nothing lies between them, it takes no buffer any more, nor a GAP to preroll with.
    fn open_empty_segment(&self) {
        let Some(mut segment) = self.time_segment() else {
            return;
        };
        if segment
            .stop()
            .is_some_and(|stop| Some(stop) < segment.start())
        {
            segment.set_stop(gst::ClockTime::NONE);
            self.parent_event(gst::event::Segment::new(&segment));
        }
    }

    /// Lets the base class preroll, if it needs to, and wait for PLAYING. Its own function for that is not
    /// bound; a GAP event ends up there. Each of `doublings` makes it last twice as long.
    fn preroll(&self, doublings: u32) -> Result<(), gst::FlowError> {
        if self.parent_event(self.preroll_gap(doublings)) {
            Ok(())
        } else {
            Err(gst::FlowError::Flushing)
        }
    }

    /// A GAP where the last buffer was, if that lies in the segment, else at its start. Without a duration,
    /// or clipped, it would not preroll.
    fn preroll_gap(&self, doublings: u32) -> gst::Event {
        let segment = self.time_segment();
        let start = segment.as_ref().and_then(|segment| segment.start());
        let last = lock(&self.flow).last.filter(|(pts, _)| {
            segment.as_ref().is_none_or(|segment| {
                start.is_none_or(|start| start <= *pts)
                    && segment.stop().is_none_or(|stop| *pts < stop)
            })
        });
        let (start, duration) =
            last.unwrap_or((start.unwrap_or_default(), gst::ClockTime::from_mseconds(1)));
        let factor = 1u64.checked_shl(doublings).unwrap_or(u64::MAX);
        let duration = duration
            .nseconds()
            .saturating_mul(factor)
            .min(i64::MAX.cast_unsigned());
        gst::event::Gap::builder(start)
            .duration(gst::ClockTime::from_nseconds(duration))
            .build()
    }
}
