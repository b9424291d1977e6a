//! The sink pad: audio and events from upstream.

use gst::prelude::*;
use gst::subclass::prelude::*;

use super::CAT;
use super::imp::VolcAsrTranscriber;
use super::schedule::Origin;
use crate::client::{Abort, WaitResult};
use crate::element::FINISH;
use crate::element::input::clip::{self, Start};
use crate::element::run::Run;
use crate::element::timeline::Segment;
use crate::session::{BYTES_PER_SAMPLE, samples_in};
use crate::sync::lock;

type Flow = Result<gst::FlowSuccess, gst::FlowError>;

/// State of the streaming thread between two buffers.
#[derive(Debug, Default)]
pub(super) struct InputState {
    pub segment: Option<Segment>,
    /// The last STREAM_START, for a run that begins after it.
    pub stream: Option<(String, gst::Seqnum)>,
    /// EOS has come: what follows is another stream.
    pub ended: bool,
    /// Lateness of the text in this segment.
    pub lateness: gst::ClockTime,
    /// End of the audio in this segment.
    pub end: Option<gst::ClockTime>,
    /// From FLUSH_START to FLUSH_STOP. The pad's own flag is cleared before FLUSH_STOP has the
    /// stream lock, so that a buffer may come in between.
    pub flushing: bool,
    /// Upstream's latency is to be asked for.
    pub fresh: bool,
}

impl VolcAsrTranscriber {
    /// Takes a buffer.
    pub(super) fn chain(&self, pad: &gst::Pad, buffer: gst::Buffer) -> Flow {
        self.check_downstream()?;
        let run = self.ensure_run()?;
        if !pad.has_current_caps() {
            run.client.abort(Abort::NotNegotiated);
            return self.refuse(&run, pad, gst::FlowError::NotNegotiated);
        }
        if run.client.has_failed() {
            return self.refuse(&run, pad, gst::FlowError::Error);
        }
        let (segment, fresh) = {
            let mut input = lock(&self.input);
            (input.segment.clone(), std::mem::take(&mut input.fresh))
        };
        if fresh {
            self.update_latency();
        }
        if segment.as_ref().is_some_and(|segment| segment.rate() < 0.0) {
            run.report_reverse_playback();
            self.skip(&buffer, run.rate);
            return Ok(gst::FlowSuccess::Ok);
        }
        let Some((clipped, start)) = clip::clip(&buffer, segment.as_ref(), run.rate) else {
            run.skip(clip::is_discont(&buffer));
            return Ok(gst::FlowSuccess::Ok);
        };
        self.take(&run, pad, &clipped, start, segment.as_ref())
    }

    /// Returns the last flow of downstream, unless it is enough that another pad is linked.
    fn check_downstream(&self) -> Flow {
        match self.output.flow() {
            Err(gst::FlowError::NotLinked) if self.unsynced.pad.is_linked() => {
                Ok(gst::FlowSuccess::Ok)
            }
            flow => flow,
        }
    }

    /// Says downstream that a discarded buffer brings no text: it may wait for that.
    fn skip(&self, buffer: &gst::Buffer, rate: u32) {
        let Some(start) = buffer.pts() else { return };
        let whole = buffer.size() - buffer.size() % BYTES_PER_SAMPLE;
        let gap = gst::event::Gap::builder(start).duration(clip::duration(whole, rate));
        self.output.event(gap.build(), None);
    }

    /// Hands a clipped buffer over, having waited for space.
    fn take(
        &self,
        run: &Run,
        pad: &gst::Pad,
        buffer: &gst::Buffer,
        start: Start,
        segment: Option<&Segment>,
    ) -> Flow {
        let Ok(map) = buffer.map_readable() else {
            run.client.abort(Abort::Unmappable);
            return self.refuse(run, pad, gst::FlowError::Error);
        };
        let whole = map.len() - map.len() % BYTES_PER_SAMPLE;
        self.wait_for_space(run, pad, samples_in(whole))?;
        let duration = clip::duration(whole, run.rate);
        {
            let mut input = lock(&self.input);
            input.end = start
                .time
                .or(input.end)
                .map(|at| at.saturating_add(duration));
            if let Some(end) = input.end {
                self.output.audio(end.into());
            }
        }
        run.push_buffer(start, &map[..whole], segment);
        Ok(gst::FlowSuccess::Ok)
    }

    /// Waits until there is space for `samples` of audio, and for the text of the audio before it.
    fn wait_for_space(
        &self,
        run: &Run,
        pad: &gst::Pad,
        samples: u64,
    ) -> Result<(), gst::FlowError> {
        self.output.wait_for_space();
        loop {
            let seen = run.client.interrupt_count();
            if self.is_flushing(pad) {
                return Err(gst::FlowError::Flushing);
            }
            if run.client.has_failed() {
                return self.refuse(run, pad, gst::FlowError::Error).map(|_| ());
            }
            self.check_downstream()?;
            if !run.must_wait(samples) {
                return Ok(());
            }
            match run.client.wait_for_space(samples, seen) {
                WaitResult::Stopped => return Err(gst::FlowError::Flushing),
                WaitResult::Done | WaitResult::Failed | WaitResult::Interrupted => {}
            }
        }
    }

    /// Returns whether a flush is under way, or the pad is not active.
    pub(super) fn is_flushing(&self, pad: &gst::Pad) -> bool {
        self.runs.is_closed()
            || pad.pad_flags().contains(gst::PadFlags::FLUSHING)
            || lock(&self.input).flushing
    }

    /// Waits until the failure is on the bus, or for a flush, and returns the flow that follows.
    fn refuse(&self, run: &Run, pad: &gst::Pad, error: gst::FlowError) -> Flow {
        Err(run.wait_for_failure(error, || self.is_flushing(pad)))
    }

    /// Takes an event. Serialized ones leave through the task of the text pad, behind the text of
    /// the audio before them.
    pub(super) fn sink_event(&self, pad: &gst::Pad, event: gst::Event) -> bool {
        use gst::EventView;
        match event.view() {
            EventView::FlushStart(_) => self.flush_start(event),
            EventView::FlushStop(_) => self.flush_stop(event),
            EventView::StreamStart(start) => {
                self.stream_start(start);
                true
            }
            // The source pads have caps of their own.
            EventView::Caps(_) => true,
            EventView::Segment(segment) => {
                self.segment(segment.segment(), event.seqnum());
                true
            }
            EventView::Gap(gap) => {
                self.gap(gap);
                true
            }
            // They are the audio's: codec, bitrate. The text has tags of its own.
            EventView::Tag(tag) if tag.tag().scope() == gst::TagScope::Stream => true,
            EventView::Eos(_) => {
                self.divide(true);
                lock(&self.input).ended = true;
                self.unsynced.eos(event.seqnum());
                self.output.event(event, None);
                true
            }
            EventView::SegmentDone(_) => {
                self.divide(false);
                self.output.event(event, None);
                true
            }
            EventView::CustomDownstream(custom) => {
                if custom.structure().is_some_and(|s| s.name() == FINISH)
                    && let Some(run) = self.run()
                {
                    run.finish_session();
                }
                self.output.event(event, None);
                true
            }
            _ if event.is_serialized() => {
                self.output.event(event, None);
                true
            }
            _ => gst::Pad::event_default(pad, Some(&*self.obj()), event),
        }
    }

    /// Ends a part of the stream: what comes now leaves when its last words have left.
    fn divide(&self, ends: bool) {
        let Some(run) = self.run() else { return };
        let Some(token) = run.begin_drain(ends) else {
            return;
        };
        let end = lock(&self.input).end;
        // First: the client may be done before the last line.
        self.output.barrier(token, end);
        self.unsynced.barrier(token);
        run.finish(token);
    }

    fn stream_start(&self, start: &gst::event::StreamStart) {
        let (id, seqnum) = (start.stream_id(), start.seqnum());
        // Sent again, as to a pad that was linked anew: the stream goes on.
        let again = {
            let input = lock(&self.input);
            let last = input.stream.as_ref();
            !input.ended && last.is_some_and(|(last, number)| last == id && *number == seqnum)
        };
        if again {
            return;
        }
        self.divide(false);
        let is_first = {
            let mut input = lock(&self.input);
            input.ended = false;
            input.segment = None;
            input.end = None;
            input.stream.replace((id.to_owned(), seqnum)).is_none()
        };
        self.unsynced.stream_start(start, is_first);
        if let Some(run) = self.run() {
            run.stream_start(id, seqnum);
        }
        // Not the pad's own function: the sink pad does not hold this event yet.
        let own = format!("{id}/text");
        let builder = gst::event::StreamStart::builder(&own)
            .seqnum(seqnum)
            .flags(gst::StreamFlags::SPARSE)
            .group_id_if_some(start.group_id());
        self.output.event(builder.build(), None);
        let caps = self.src_pad.pad_template_caps();
        let caps = gst::event::Caps::builder(&caps).seqnum(seqnum).build();
        self.output.event(caps, None);
    }

    fn segment(&self, segment: &gst::Segment, seqnum: gst::Seqnum) {
        let time = segment.downcast_ref::<gst::ClockTime>().cloned();
        if time.is_none() {
            gst::warning!(
                CAT,
                imp = self,
                "the segment is not in TIME format: timestamps of text start at 0"
            );
        }
        let known = time.clone().unwrap_or_default();
        let same = lock(&self.input).segment.as_ref().is_some_and(|last| {
            let mut last = last.clone();
            last.set_position(known.position());
            last == known
        });
        if !same {
            self.divide(false);
        }
        let lateness = lock(&self.text).lateness;
        let lateness = {
            let mut input = lock(&self.input);
            input.segment = time;
            input.fresh = true;
            if !same {
                input.end = None;
                input.lateness = gst::ClockTime::from_mseconds(lateness.into());
            }
            input.lateness
        };
        self.unsynced.segment(seqnum);
        if let Some(run) = self.run() {
            run.segment();
        }
        let mut own = known.clone();
        own.set_base(own.base().unwrap_or_default().saturating_add(lateness));
        let event = gst::event::Segment::builder(&own).seqnum(seqnum).build();
        self.output.event(event, (!same).then(|| origin(&own)));
        if !same {
            self.output.tag_segment(self.language_tag());
        }
    }

    fn gap(&self, gap: &gst::event::Gap) {
        let (start, duration) = gap.get();
        let end = start.saturating_add(duration.unwrap_or_default());
        let segment = lock(&self.input).segment.clone();
        if std::mem::take(&mut lock(&self.input).fresh) {
            self.update_latency();
        }
        match self.run().filter(|run| run.has_pending()) {
            // It ends the session: once that is over, it is known to hold no words.
            Some(run) => {
                if run.gap(end, segment.as_ref()) {
                    lock(&self.input).end = Some(end);
                    self.divide(false);
                }
            }
            // No words can come before it.
            None => self.output.silence(end),
        }
    }

    fn flush_start(&self, event: gst::Event) -> bool {
        // Push first: it unblocks a task that is blocked downstream.
        let pushed = self.src_pad.push_event(event.clone());
        self.unsynced.pad.push_event(event);
        lock(&self.input).flushing = true;
        let epoch = self.run().map(|run| {
            let epoch = run.flush_start();
            // The streaming thread may wait, FLUSH_STOP for that thread, and an application's
            // handler for FLUSH_STOP.
            run.client.interrupt();
            run.outbox.wait_audio_posted();
            epoch
        });
        self.output.flush(epoch);
        self.unsynced.stop();
        let _ = self.src_pad.pause_task();
        let _ = self.unsynced.pad.pause_task();
        pushed
    }

    fn flush_stop(&self, event: gst::Event) -> bool {
        let pushed = self.src_pad.push_event(event.clone());
        self.unsynced.pad.push_event(event);
        {
            let mut input = lock(&self.input);
            (input.segment, input.end, input.ended) = (None, None, false);
            input.flushing = false;
        }
        if let Some(run) = self.run() {
            run.flush_stop();
        }
        self.output.recover(&self.src_pad);
        self.start_tasks();
        pushed
    }
}

/// Returns the place of a segment in the running time.
fn origin(segment: &Segment) -> Origin {
    let position = match segment.rate() < 0.0 {
        true => segment.stop(),
        false => segment.start(),
    };
    let position = position.unwrap_or_default();
    let running = segment.to_running_time(position).or(segment.base());
    Origin {
        position: position.into(),
        running: running.unwrap_or_default().into(),
        rate: segment.rate().abs(),
    }
}
