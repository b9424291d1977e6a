//! The service's responses as they arrive, on a pad of their own.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};

use gst::prelude::*;

use crate::sync::lock;

/// Responses that wait for a slow reader. The oldest go first: another follows.
const MAX_WAITING: usize = 64;

/// One thing to push.
#[derive(Debug)]
pub(super) enum Message {
    Json(String),
    Eos,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Message>,
    /// Something takes what waits, and has not refused the last.
    wanted: bool,
    stopped: bool,
    begun: bool,
}

/// The queue before the pad, and the body of its task.
#[derive(Debug, Default)]
pub(super) struct Unsynced {
    state: Mutex<State>,
    changed: Condvar,
}

impl Unsynced {
    /// Takes a response, if the pad is linked.
    pub fn push(&self, json: &str) {
        self.enqueue(|| Message::Json(json.to_owned()));
    }

    /// Ends the stream behind what waits.
    pub fn end(&self) {
        self.enqueue(|| Message::Eos);
    }

    fn enqueue(&self, message: impl FnOnce() -> Message) {
        let mut state = lock(&self.state);
        if !state.wanted || state.stopped {
            return;
        }
        if state.waiting.len() == MAX_WAITING {
            state.waiting.pop_front();
        }
        state.waiting.push_back(message());
        drop(state);
        self.changed.notify_all();
    }

    /// Begins anew, as on activation and FLUSH_STOP.
    pub fn reset(&self) {
        *lock(&self.state) = State::default();
    }

    /// Begins to take responses. Returns false if it does so already, or is stopped.
    pub fn start(&self) -> bool {
        let mut state = lock(&self.state);
        !state.stopped && !std::mem::replace(&mut state.wanted, true)
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
    pub fn push_next(&self, pad: &gst::Pad, now: impl Fn() -> Option<gst::ClockTime>) -> bool {
        let mut state = lock(&self.state);
        let message = loop {
            if state.stopped {
                return false;
            }
            if let Some(message) = state.waiting.pop_front() {
                break message;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        };
        let first = !std::mem::replace(&mut state.begun, true);
        drop(state);
        if first {
            begin_after_eos(pad);
            pad.push_event(gst::event::Caps::new(&pad.pad_template_caps()));
            let segment = gst::FormattedSegment::<gst::ClockTime>::new();
            pad.push_event(gst::event::Segment::new(&segment));
        }
        match message {
            Message::Eos => {
                // Another stream may follow.
                lock(&self.state).begun = false;
                pad.push_event(gst::event::Eos::new());
                true
            }
            Message::Json(json) => {
                let mut buffer = gst::Buffer::from_slice(json.into_bytes());
                if let Some(buffer) = buffer.get_mut() {
                    buffer.set_pts(now());
                }
                if let Err(error) = pad.push(buffer)
                    && error != gst::FlowError::NotLinked
                {
                    self.refused();
                }
                true
            }
        }
    }

    /// Takes nothing until the next [`start`](Self::start). The task waits for that: had it to
    /// pause, it might do so after it was started.
    fn refused(&self) {
        let mut state = lock(&self.state);
        (state.wanted, state.begun) = (false, false);
        state.waiting.clear();
    }
}

/// Begins a stream like the one before on a pad that has ended: EOS refuses all that follows.
fn begin_after_eos(pad: &gst::Pad) {
    let start = pad.sticky_event::<gst::event::StreamStart>(0);
    let ended = pad.sticky_event::<gst::event::Eos>(0).is_some();
    if let Some(start) = start.filter(|_| ended) {
        let again = gst::event::StreamStart::builder(start.stream_id())
            .flags(start.stream_flags())
            .group_id_if_some(start.group_id());
        pad.push_event(again.build());
    }
}
