//! The service's responses as they arrive, on a pad of their own.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};

use gst::prelude::*;

use crate::sync::lock;

/// Responses that wait for a slow reader. The oldest go first: another follows.
const MAX_WAITING: usize = 64;

/// Entry that waits for the task.
#[derive(Debug)]
enum Waiting {
    Response(String),
    /// The stream ends, by upstream's EOS of this number.
    End(gst::Seqnum),
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Waiting>,
    /// The STREAM_START for upstream's last stream.
    start: Option<gst::Event>,
    /// Seqnum of upstream's last SEGMENT.
    segment: Option<gst::Seqnum>,
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

    /// Takes upstream's STREAM_START. The first one leaves at once, and each other when the task
    /// begins another stream.
    pub fn stream_start(&self, upstream: &gst::event::StreamStart, is_first: bool) {
        let id = format!("{}/unsynced", upstream.stream_id());
        let start = gst::event::StreamStart::builder(&id)
            .seqnum(upstream.seqnum())
            .flags(gst::StreamFlags::SPARSE)
            .group_id_if_some(upstream.group_id())
            .build();
        lock(&self.state).start = Some(start.clone());
        if is_first {
            self.pad.push_event(start);
        }
    }

    /// Takes the seqnum of upstream's SEGMENT.
    pub fn segment(&self, seqnum: gst::Seqnum) {
        lock(&self.state).segment = Some(seqnum);
    }

    /// Takes a response, if the pad is linked.
    pub fn response(&self, json: &str) {
        self.push(|| Waiting::Response(json.to_owned()));
    }

    /// Takes the end of the stream, if the pad is linked.
    pub fn end(&self, seqnum: gst::Seqnum) {
        self.push(|| Waiting::End(seqnum));
    }

    fn push(&self, next: impl FnOnce() -> Waiting) {
        let mut state = lock(&self.state);
        if state.stopped || !self.pad.is_linked() {
            return;
        }
        if state.waiting.len() == MAX_WAITING {
            state.waiting.pop_front();
        }
        state.waiting.push_back(next());
        drop(state);
        self.changed.notify_all();
    }

    /// Allows responses again after [`close`](Self::close).
    pub fn open(&self) {
        *lock(&self.state) = State::default();
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
        let json = match next {
            Waiting::Response(json) => json,
            Waiting::End(seqnum) => {
                let eos = gst::event::Eos::builder().seqnum(seqnum);
                self.pad.push_event(eos.build());
                return true;
            }
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
    /// STREAM_START. The events share the seqnums of upstream's, as they result from those.
    fn begin(&self) {
        let pad = &self.pad;
        let ended = pad.sticky_event::<gst::event::Eos>(0).is_some();
        if !ended && pad.sticky_event::<gst::event::Segment>(0).is_some() {
            return;
        }
        let (start, segment_seqnum) = {
            let state = lock(&self.state);
            (state.start.clone(), state.segment)
        };
        let start_seqnum = start.as_ref().map(|start| start.seqnum());
        if let Some(start) = start.filter(|_| ended) {
            pad.push_event(start);
        }
        let caps = gst::event::Caps::builder(&pad.pad_template_caps())
            .seqnum_if_some(start_seqnum)
            .build();
        pad.push_event(caps);
        let segment = gst::FormattedSegment::<gst::ClockTime>::new();
        let segment = gst::event::Segment::builder(&segment)
            .seqnum_if_some(segment_seqnum)
            .build();
        pad.push_event(segment);
    }
}
