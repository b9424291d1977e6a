//! The streaming thread's waits, and how the base class gets the thread back during them.
//!
//! The thread holds the base class's preroll lock, which state changes, flushes and steps need, too.
//! They ask for it by `unlock`; `wait_preroll` lets it go. Being woken there says little: a pause may
//! have followed PLAYING before the thread ran, and the base class then believes that it is parked
//! still. So the element remembers by itself whether it is paused, and never waits for the service
//! in PAUSED: the next state change would wait for the service, too.

use std::sync::atomic::Ordering;

use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::prelude::*;

use super::CAT;
use super::imp::{VolcAsrSink, lock};
use super::run::Run;
use crate::client::Waited;

impl VolcAsrSink {
    /// Waits as `wait` does, but lets the base class have the thread whenever it needs it; then goes on
    /// where it stopped. Never [`Waited::Interrupted`]. An error is to be returned to the base class.
    ///
    /// Only on the streaming thread, in `render` or, once prerolled, in `event`.
    pub(super) fn wait(&self, wait: &dyn Fn() -> Waited) -> Result<Waited, gst::FlowError> {
        let mut stepped = false;
        loop {
            // A step that asks for another preroll has had it, or gets it with the next buffer: being
            // parked would keep that from coming.
            let mut aside = self.paused.load(Ordering::SeqCst) && !stepped;
            if !aside {
                match wait() {
                    Waited::Interrupted => aside = true,
                    done => return Ok(done),
                }
            }
            if aside {
                match self.obj().wait_preroll() {
                    Ok(_) => {}
                    // A step, or an instant rate change. It must not be returned: the buffer would come again.
                    Err(gst::FlowError::CustomError) => {
                        self.preroll()?;
                        stepped = true;
                    }
                    Err(error) => {
                        gst::debug!(CAT, imp = self, "{error} while waiting");
                        return Err(error);
                    }
                }
            }
        }
    }

    /// End of stream: waits for the last words, and for all of them to be posted.
    pub(super) fn drain(&self, run: &Run) -> Result<(), gst::FlowError> {
        if !run.end_of_stream() {
            return Ok(());
        }
        gst::debug!(CAT, imp = self, "draining");
        // Before it has prerolled, draining would keep a state change from completing.
        self.preroll()?;
        let token = self.tokens.fetch_add(1, Ordering::Relaxed) + 1;
        run.finish(token);
        // A failed client says nothing more, but its error must be on the bus first.
        self.wait(&|| run.client.wait_for(token)).map(|_| ())
    }

    /// Lets the base class preroll, if it needs to, and wait for PLAYING. Its own function for that is not
    /// bound; a GAP event ends up there.
    fn preroll(&self) -> Result<(), gst::FlowError> {
        if self.parent_event(self.preroll_gap()) {
            Ok(())
        } else {
            Err(gst::FlowError::Flushing)
        }
    }

    /// A GAP where the last buffer was, if that lies in the segment, else at its start. Without a duration,
    /// or clipped, it would not preroll.
    fn preroll_gap(&self) -> gst::Event {
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
        gst::event::Gap::builder(start).duration(duration).build()
    }
}
