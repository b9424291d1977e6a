//! The pad that buffers come from: live or not, seekable, and in another thread.

use std::sync::{Arc, Condvar, Mutex};

use gst::prelude::*;

use super::play::STATE_TIMEOUT;

/// A pad without an element around it.
pub struct Source {
    pub pad: gst::Pad,
    pub progress: Arc<Progress>,
}

/// How far the thread that hands over buffers has come, in milliseconds.
#[derive(Default)]
pub struct Progress {
    at: Mutex<u64>,
    changed: Condvar,
}

impl Progress {
    /// No more is handed over: all of it was, or it is not taken.
    pub const OVER: u64 = u64::MAX;

    pub fn reach(&self, at: u64) {
        *self.at.lock().expect("no panic under the lock") = at;
        self.changed.notify_all();
    }

    /// Waits until `ms` was handed over, or no more is. Returns false if neither came.
    pub fn wait_for(&self, ms: u64) -> bool {
        let at = self.at.lock().expect("no panic under the lock");
        let waited = self
            .changed
            .wait_timeout_while(at, STATE_TIMEOUT, |at| *at < ms);
        !waited.expect("no panic under the lock").1.timed_out()
    }
}

impl Source {
    pub fn new(live: bool) -> Self {
        let progress = Arc::new(Progress::default());
        let handed_over = progress.clone();
        let pad = gst::Pad::builder(gst::PadDirection::Src)
            .query_function(move |pad, parent, query| match query.view_mut() {
                gst::QueryViewMut::Latency(latency) => {
                    latency.set(live, gst::ClockTime::ZERO, gst::ClockTime::NONE);
                    true
                }
                _ => gst::Pad::query_default(pad, parent, query),
            })
            .event_function(move |pad, _, event| {
                // As a source does it: the flush frees the thread, and ends when that has stopped.
                if let gst::EventView::Seek(seek) = event.view() {
                    assert!(seek.get().1.contains(gst::SeekFlags::FLUSH));
                    pad.push_event(gst::event::FlushStart::new());
                    let stopped = handed_over.wait_for(Progress::OVER);
                    return stopped && pad.push_event(gst::event::FlushStop::new(true));
                }
                true
            })
            .build();
        pad.set_active(true).expect("a new pad");
        Source { pad, progress }
    }
}
