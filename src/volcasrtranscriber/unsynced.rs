//! The service's responses as they arrive, on a pad of their own.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};

use gst::prelude::*;

use crate::sync::lock;

/// Responses that wait for a slow reader. The oldest go first: another follows.
const MAX_WAITING: usize = 64;

#[derive(Debug, Default)]
struct State {
    /// Responses, and the ends of streams (`None`).
    waiting: VecDeque<Option<String>>,
    stopped: bool,
    /// The element is on its way to READY: no flush makes the task go on.
    closed: bool,
}

/// The pad, the queue before it, and the body of its task.
#[derive(Debug)]
pub(super) struct Unsynced {
    pub pad: gst::Pad,
    state: Mutex<State>,
    changed: Condvar,
}

impl Unsynced {
    pub fn new(pad: gst::Pad) -> Self {
        Unsynced {
            pad,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Takes a response, or the end of the stream, if the pad is linked.
    pub fn push(&self, json: Option<&str>) {
        let mut state = lock(&self.state);
        if state.stopped || !self.pad.is_linked() {
            return;
        }
        if state.waiting.len() == MAX_WAITING {
            state.waiting.pop_front();
        }
        state.waiting.push_back(json.map(str::to_owned));
        drop(state);
        self.changed.notify_all();
    }

    /// Allows responses again after [`close`](Self::close).
    pub fn open(&self) {
        lock(&self.state).closed = false;
    }

    /// Begins anew, as on READY → PAUSED and FLUSH_STOP.
    pub fn reset(&self) {
        let mut state = lock(&self.state);
        state.waiting.clear();
        state.stopped = state.closed;
    }

    /// Ends the task's wait, until [`open`](Self::open).
    pub fn close(&self) {
        lock(&self.state).closed = true;
        self.stop();
    }

    /// Ends the task's wait, and drops what waits.
    pub fn stop(&self) {
        let mut state = lock(&self.state);
        state.stopped = true;
        state.waiting.clear();
        drop(state);
        self.changed.notify_all();
    }

    /// One round of the task. Returns false if the task is to pause.
    pub fn push_next(&self, now: impl Fn() -> Option<gst::ClockTime>) -> bool {
        let waits = |state: &mut State| !state.stopped && state.waiting.is_empty();
        let waited = self.changed.wait_while(lock(&self.state), waits);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        let Some(next) = state.waiting.pop_front() else {
            return false;
        };
        drop(state);
        self.begin();
        let Some(json) = next else {
            self.pad.push_event(gst::event::Eos::new());
            return true;
        };
        let mut buffer = gst::Buffer::from_slice(json.into_bytes());
        if let Some(buffer) = buffer.get_mut() {
            buffer.set_pts(now());
        }
        // The pad may get another peer: what this one makes of it says nothing of the next.
        let _ = self.pad.push(buffer);
        true
    }

    /// Begins a stream, unless one is under way. EOS refuses all that follows but another
    /// STREAM_START.
    fn begin(&self) {
        let pad = &self.pad;
        let ended = pad.sticky_event::<gst::event::Eos>(0).is_some();
        if !ended && pad.sticky_event::<gst::event::Segment>(0).is_some() {
            return;
        }
        let start = pad.sticky_event::<gst::event::StreamStart>(0);
        if let Some(start) = start.filter(|_| ended) {
            let again = gst::event::StreamStart::builder(start.stream_id())
                .flags(start.stream_flags())
                .group_id_if_some(start.group_id());
            pad.push_event(again.build());
        }
        pad.push_event(gst::event::Caps::new(&pad.pad_template_caps()));
        let segment = gst::FormattedSegment::<gst::ClockTime>::new();
        pad.push_event(gst::event::Segment::new(&segment));
    }
}
