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

/// One of upstream's streams.
#[derive(Clone, Debug, Default)]
struct Stream {
    /// Counts the streams.
    number: u64,
    /// The STREAM_START for it.
    start: Option<gst::Event>,
    /// Seqnum of upstream's last SEGMENT.
    segment: Option<gst::Seqnum>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<(Stream, Waiting)>,
    /// The stream that responses belong to now.
    current: Stream,
    /// The streams behind it, each with the token of the barrier before it.
    next: VecDeque<(u64, Stream)>,
    /// Token of the last barrier, until responses of what is before it are all here.
    barrier: Option<u64>,
    /// Streams that end, each with the number of upstream's EOS.
    ending: VecDeque<(gst::Seqnum, Stream)>,
    /// Number of the stream that the pad had last.
    begun: u64,
    stopped: bool,
    /// The element is on its way to READY: no flush makes the task go on.
    closed: bool,
}

impl State {
    /// Returns upstream's last stream.
    fn last(&mut self) -> &mut Stream {
        match self.next.back_mut() {
            Some((_, stream)) => stream,
            None => &mut self.current,
        }
    }

    /// Drops what waits: nothing comes of the streams before the last one.
    fn flush(&mut self) {
        self.waiting.clear();
        self.ending.clear();
        self.barrier = None;
        if let Some((_, last)) = self.next.drain(..).next_back() {
            self.current = last;
        }
    }
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

    /// Takes upstream's STREAM_START. The first one leaves at once, and each other before the first
    /// response or the end of its stream.
    pub fn stream_start(&self, upstream: &gst::event::StreamStart, is_first: bool) {
        let id = format!("{}/unsynced", upstream.stream_id());
        let start = gst::event::StreamStart::builder(&id)
            .seqnum(upstream.seqnum())
            .flags(gst::StreamFlags::SPARSE)
            .group_id_if_some(upstream.group_id())
            .build();
        {
            let mut state = lock(&self.state);
            let stream = Stream {
                number: state.last().number + 1,
                start: Some(start.clone()),
                segment: None,
            };
            match (state.barrier, state.next.back_mut()) {
                // No response belongs to the one that it follows.
                (Some(token), Some((last, next))) if *last == token => *next = stream,
                (Some(token), _) => state.next.push_back((token, stream)),
                (None, _) => state.current = stream,
            }
        }
        if is_first {
            self.pad.push_event(start);
        }
    }

    /// Takes the seqnum of upstream's SEGMENT.
    pub fn segment(&self, seqnum: gst::Seqnum) {
        lock(&self.state).last().segment = Some(seqnum);
    }

    /// Notes that the responses to what came before belong to that until [`done`](Self::done).
    pub fn barrier(&self, token: u64) {
        lock(&self.state).barrier = Some(token);
    }

    /// Notes that all responses to what is before a barrier are here.
    pub fn done(&self, token: u64) {
        let mut state = lock(&self.state);
        state.barrier = state.barrier.filter(|last| *last > token);
        let begun = state.next.partition_point(|(before, _)| *before <= token);
        let begun = state.next.drain(..begun).next_back();
        if let Some((_, stream)) = begun {
            state.current = stream;
        }
    }

    /// Takes a response, if the pad is linked.
    pub fn response(&self, json: &str) {
        // First: it comes as well for those who read it on the bus.
        if !self.pad.is_linked() {
            return;
        }
        let mut state = lock(&self.state);
        let stream = state.current.clone();
        self.push(&mut state, stream, Waiting::Response(json.to_owned()));
    }

    /// Takes upstream's EOS, which leaves behind that of the text.
    pub fn eos(&self, seqnum: gst::Seqnum) {
        let mut state = lock(&self.state);
        let stream = state.last().clone();
        state.ending.push_back((seqnum, stream));
    }

    /// Ends the stream of upstream's next EOS, if the pad is linked.
    pub fn end(&self) {
        let mut state = lock(&self.state);
        if let Some((seqnum, stream)) = state.ending.pop_front()
            && self.pad.is_linked()
        {
            self.push(&mut state, stream, Waiting::End(seqnum));
        }
    }

    fn push(&self, state: &mut State, stream: Stream, next: Waiting) {
        if state.stopped {
            return;
        }
        if state.waiting.len() == MAX_WAITING {
            state.waiting.pop_front();
        }
        state.waiting.push_back((stream, next));
        self.changed.notify_all();
    }

    /// Allows responses again after [`close`](Self::close).
    pub fn open(&self) {
        *lock(&self.state) = State::default();
    }

    /// Begins anew, as on READY → PAUSED and FLUSH_STOP.
    pub fn reset(&self) {
        let mut state = lock(&self.state);
        state.flush();
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
        state.flush();
        drop(state);
        self.changed.notify_all();
    }

    /// One round of the task. Returns false if the task is to pause.
    pub fn push_next(&self, now: impl Fn() -> Option<gst::ClockTime>) -> bool {
        let waits = |state: &mut State| !state.stopped && state.waiting.is_empty();
        let waited = self.changed.wait_while(lock(&self.state), waits);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        let Some((stream, next)) = state.waiting.pop_front() else {
            return false;
        };
        // The next stream's first response has overtaken the end.
        if stream.number < state.begun {
            return true;
        }
        state.begun = stream.number;
        drop(state);
        self.begin(stream);
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

    /// Begins a stream, unless it is under way. EOS refuses all that follows but another
    /// STREAM_START. The events share the seqnums of upstream's, as they result from those.
    fn begin(&self, stream: Stream) {
        let pad = &self.pad;
        let start_seqnum = stream.start.as_ref().map(|start| start.seqnum());
        let last = pad.sticky_event::<gst::event::StreamStart>(0);
        let has_ended = pad.sticky_event::<gst::event::Eos>(0).is_some();
        let is_another = has_ended || last.map(|start| start.seqnum()) != start_seqnum;
        if !is_another && pad.sticky_event::<gst::event::Segment>(0).is_some() {
            return;
        }
        if let Some(start) = stream.start.filter(|_| is_another) {
            pad.push_event(start);
        }
        let caps = gst::event::Caps::builder(&pad.pad_template_caps())
            .seqnum_if_some(start_seqnum)
            .build();
        pad.push_event(caps);
        let segment = gst::FormattedSegment::<gst::ClockTime>::new();
        let segment = gst::event::Segment::builder(&segment)
            .seqnum_if_some(stream.segment)
            .build();
        pad.push_event(segment);
    }
}

#[cfg(test)]
mod tests;
