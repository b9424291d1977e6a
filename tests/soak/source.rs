//! The pad that buffers come from: live or not, seekable, and in another thread.

use std::sync::{Arc, Condvar, Mutex};

use gst::prelude::*;

use super::play::STATE_TIMEOUT;

/// A pad without an element around it.
pub struct Source {
    pub pad: gst::Pad,
    pub progress: Arc<Progress>,
}

/// How far the thread that hands over buffers has come.
#[derive(Default)]
pub struct Progress {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    at: u64,
    over: bool,
    refused: Option<gst::FlowError>,
    sought: Option<u64>,
}

impl Progress {
    fn tell(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().expect("no panic under the lock"));
        self.changed.notify_all();
    }

    pub fn begin(&self) {
        self.tell(|state| (state.at, state.over, state.refused) = (0, false, None));
    }

    pub fn reach(&self, ms: u64) {
        self.tell(|state| state.at = ms);
    }

    /// No more is handed over: all of it was, or it is not taken.
    pub fn over(&self, outcome: Result<(), gst::FlowError>) {
        self.tell(|state| (state.over, state.refused) = (true, outcome.err()));
    }

    pub fn refusal(&self) -> Option<gst::FlowError> {
        self.state.lock().expect("no panic under the lock").refused
    }

    /// Waits until `ms` was handed over, or no more is. Returns false if neither came.
    pub fn wait_for(&self, ms: u64) -> bool {
        let state = self.state.lock().expect("no panic under the lock");
        let waits = |state: &mut State| state.at < ms && !state.over;
        let (_state, waited) = self
            .changed
            .wait_timeout_while(state, STATE_TIMEOUT, waits)
            .expect("no panic under the lock");
        !waited.timed_out()
    }

    /// Where a seek went to, since it was asked for last.
    pub fn sought(&self) -> Option<u64> {
        let mut state = self.state.lock().expect("no panic under the lock");
        state.sought.take()
    }
}

impl Source {
    pub fn new(live: bool) -> Self {
        let progress = Arc::new(Progress::default());
        let seeks = progress.clone();
        let pad = gst::Pad::builder(gst::PadDirection::Src)
            .query_function(move |pad, parent, query| match query.view_mut() {
                gst::QueryViewMut::Latency(latency) => {
                    latency.set(live, gst::ClockTime::ZERO, gst::ClockTime::NONE);
                    true
                }
                _ => gst::Pad::query_default(pad, parent, query),
            })
            .event_function(move |pad, _, event| match event.view() {
                gst::EventView::Seek(seek) => seek_to(pad, seek, &seeks),
                _ => true,
            })
            .build();
        pad.set_active(true).expect("a new pad");
        Source { pad, progress }
    }
}

/// As a source does it: the flush frees the thread, and begins when that has stopped.
fn seek_to(pad: &gst::Pad, seek: &gst::event::Seek, progress: &Progress) -> bool {
    let (_, flags, _, start, ..) = seek.get();
    let gst::GenericFormattedValue::Time(Some(start)) = start else {
        return false;
    };
    assert!(flags.contains(gst::SeekFlags::FLUSH));
    pad.push_event(gst::event::FlushStart::new());
    if !progress.wait_for(u64::MAX) {
        return false;
    }
    pad.push_event(gst::event::FlushStop::new(true));
    progress.tell(|state| state.sought = Some(start.mseconds()));
    true
}
