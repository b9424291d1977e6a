//! Waits of the streaming thread, for space in the queue and for the last words.
//!
//! The base class holds its preroll lock while it calls `render` and `event`. State changes,
//! flushes, steps and instant rate changes need that lock. A wait in `render` would block them, and
//! the application with them. So the thread waits earlier, in probes on the element's own pad,
//! where it holds the stream lock only. `render` and `event` wait for nothing.
//!
//! A probe for each buffer would take a twentieth of a live session's CPU. So the buffers' probe is
//! there only while one may have to wait or be refused: from the start of a run, and again behind
//! the first buffer that finds half of the queue taken or the client failed. Only a buffer or list
//! that is longer than the other half passes before that and exceeds the queue, by itself alone.
//!
//! A thread that waits in the probe gives the base class no buffer to preroll with, so a pause or a
//! step would not complete. A GAP event stands in for the buffer: the thread sends one into its own
//! pad before each wait. In PLAYING the event passes; in PAUSED it prerolls and blocks, as a buffer
//! would. Each wait ends when the base class may need another event: on `unlock`, which precedes
//! pauses, steps and flushes, and after PAUSED → PLAYING, which has no such call. No buffer is lost
//! to a step meanwhile: the step is over before the buffer moves on.

use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::prelude::*;

use super::CAT;
use super::imp::VolcAsrSink;
use crate::client::{Abort, WaitResult};
use crate::element::run::Run;
use crate::session::samples_in;
use crate::sync::lock;

/// Upper bound on the GAP events that complete one step. A step without an end must not keep a core
/// busy; a longer one completes with the buffers that follow.
const MAX_STEP_GAPS: u32 = 1000;

/// Result of a probe, or the error with which it refuses a buffer.
type Probed = Result<gst::PadProbeReturn, gst::FlowError>;

impl VolcAsrSink {
    /// Installs the probe that waits for the last words at EOS.
    pub(super) fn install_drain_probe(&self) {
        self.add_wait_probe(gst::PadProbeType::EVENT_DOWNSTREAM, |sink, pad, info| {
            if let Some(run) = sink.run()
                && let Some(gst::PadProbeData::Event(event)) = &info.data
                && event.type_() == gst::EventType::Eos
            {
                sink.drain(&run, pad);
            }
            Ok(gst::PadProbeReturn::Ok)
        });
    }

    /// Prepares for a next buffer that may have to wait, or to be refused.
    pub(super) fn prepare_wait(&self, run: &Run) {
        if run.client.may_block() {
            self.install_space_probe();
        }
    }

    /// Installs the probe that waits for space, unless it is there. It removes itself.
    pub(super) fn install_space_probe(&self) {
        if std::mem::replace(&mut lock(&self.stream_state).has_space_probe, true) {
            return;
        }
        let mask = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
        self.add_wait_probe(mask, |sink, pad, info| {
            let bytes = match &info.data {
                Some(gst::PadProbeData::Buffer(buffer)) => buffer.size(),
                Some(gst::PadProbeData::BufferList(list)) => list.calculate_size(),
                _ => return Ok(gst::PadProbeReturn::Ok),
            };
            let Some(run) = sink.run() else {
                return Ok(gst::PadProbeReturn::Ok);
            };
            sink.wait_for_space(&run, pad, bytes)?;
            if run.client.may_block() {
                return Ok(gst::PadProbeReturn::Ok);
            }
            lock(&sink.stream_state).has_space_probe = false;
            Ok(gst::PadProbeReturn::Remove)
        });
    }

    /// Adds a probe that refuses the buffer if `wait` returns an error.
    fn add_wait_probe(
        &self,
        mask: gst::PadProbeType,
        wait: impl Fn(&Self, &gst::Pad, &gst::PadProbeInfo) -> Probed + Send + Sync + 'static,
    ) {
        let weak = self.obj().downgrade();
        self.obj().sink_pad().add_probe(mask, move |pad, info| {
            let Some(element) = weak.upgrade() else {
                return gst::PadProbeReturn::Ok;
            };
            let sink = element.imp();
            let ok = || Ok(gst::PadProbeReturn::Ok);
            sink.catch_panic(ok, |sink| wait(sink, pad, info))
                .unwrap_or_else(|error| {
                    info.flow_res = Err(error);
                    gst::PadProbeReturn::Handled
                })
        });
    }

    /// Waits until the queue has space for a buffer. Refuses the buffer after a failure.
    fn wait_for_space(
        &self,
        run: &Run,
        pad: &gst::Pad,
        bytes: usize,
    ) -> Result<(), gst::FlowError> {
        let samples = samples_in(bytes);
        if !pad.has_current_caps() {
            run.client.abort(Abort::NotNegotiated);
            return Err(self.refuse(run, gst::FlowError::NotNegotiated));
        }
        if !run.client.has_failed() && run.must_wait(samples) {
            self.wait(run, pad, &|seen| run.client.wait_for_space(samples, seen));
        }
        if run.client.has_failed() {
            return Err(self.refuse(run, gst::FlowError::Error));
        }
        Ok(())
    }

    /// Waits until the failure is on the bus, and returns the flow that follows it.
    ///
    /// Prerolls nothing meanwhile: the source gets the failure at once, also in PAUSED.
    fn refuse(&self, run: &Run, error: gst::FlowError) -> gst::FlowError {
        run.wait_for_failure(error, || self.is_flushing())
    }

    /// End of stream: waits for the last words, and until all of them are on the bus.
    fn drain(&self, run: &Run, pad: &gst::Pad) {
        let Some(token) = run.begin_drain(true) else {
            return;
        };
        gst::debug!(CAT, imp = self, "end of stream: waiting for the last words");
        // In PAUSED the session stays open: it is finished once the pipeline plays.
        if !self.preroll(pad, true) {
            return;
        }
        run.finish(token);
        if !self.wait(run, pad, &|seen| run.client.wait_for(token, seen)) {
            return;
        }
        if run.client.has_failed() {
            // A failed client sends no last words, but its error precedes EOS.
            let _ = self.refuse(run, gst::FlowError::Eos);
        }
    }

    /// Waits as `wait` does, and prerolls in between when the base class needs it. Returns false
    /// after a flush or a stop: the base class then refuses the buffer or event.
    fn wait(&self, run: &Run, pad: &gst::Pad, wait: &dyn Fn(u64) -> WaitResult) -> bool {
        let (mut seen, mut gaps) = (0, 0);
        loop {
            // Read first: a need that arises from here on interrupts the wait. It is another one,
            // such as the next step, and gets all of its events.
            let count = run.client.interrupt_count();
            if count != seen {
                (seen, gaps) = (count, 0);
            }
            // An error ends the state change that the pipeline is in: a preroll would wait for a
            // PLAYING that does not come.
            if run.client.has_failed() {
                return true;
            }
            if !self.preroll(pad, gaps == 0) {
                return false;
            }
            let (change, current, pending) = self.obj().state(gst::ClockTime::ZERO);
            if change == Ok(gst::StateChangeSuccess::Async) && gaps < MAX_STEP_GAPS {
                // A step took the event, and has not ended yet.
                gaps += 1;
                continue;
            }
            gaps = 0;
            let waited = match (current, pending) {
                // Paused while the thread was leaving the preroll: wait, or the base class would
                // render in PAUSED.
                (gst::State::Paused, gst::State::VoidPending) => {
                    run.client.wait_for_interruption(seen)
                }
                _ => wait(seen),
            };
            match waited {
                WaitResult::Interrupted => {}
                WaitResult::Stopped => return false,
                WaitResult::Done | WaitResult::Failed => return true,
            }
        }
    }

    /// Lets the base class preroll with a GAP event, if it needs to, and wait for PLAYING. The
    /// function for that, `gst_base_sink_do_preroll`, has no binding. Returns false if the pad is
    /// flushing.
    fn preroll(&self, pad: &gst::Pad, with_duration: bool) -> bool {
        let gap = self.preroll_gap(with_duration);
        lock(&self.stream_state).prerolling = true;
        let passed = pad.send_event(gap);
        lock(&self.stream_state).prerolling = false;
        passed
    }

    /// Returns a GAP event at the last buffer's place or, if that is outside the segment, at the
    /// segment's start.
    ///
    /// Without a duration it ends a step that counts time. With one it leaves the time of EOS as it
    /// is.
    fn preroll_gap(&self, with_duration: bool) -> gst::Event {
        let segment = self.time_segment();
        let start = segment.as_ref().and_then(|segment| segment.start());
        let last = lock(&self.stream_state).last.filter(|(pts, _)| {
            segment.as_ref().is_none_or(|segment| {
                start.is_none_or(|start| start <= *pts)
                    && segment.stop().is_none_or(|stop| *pts < stop)
            })
        });
        let (start, duration) =
            last.unwrap_or((start.unwrap_or_default(), gst::ClockTime::from_mseconds(1)));
        gst::event::Gap::builder(start)
            .duration(with_duration.then_some(duration))
            .build()
    }

    /// Removes the stop of a segment that ends before it starts; such a segment takes no buffer and
    /// no GAP event.
    ///
    /// GStreamer 1.22 leaves one behind when a step ends in another segment than it began in: it
    /// restores the stop of the first.
    pub(super) fn open_empty_segment(&self) {
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
}
