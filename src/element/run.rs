//! One run of the element: the client, the outbox, and the streaming thread's way to them. It
//! begins at READY → PAUSED, or with the transcriber's first buffer, and ends at PAUSED → READY.

mod full_queue;
mod streaming;

use std::sync::{Arc, Mutex, MutexGuard};

use gst::glib;
use gst::prelude::*;

use crate::client::{Client, Config, WaitResult};
use crate::element::bus::errors::{ErrorContext, Ids, Report};
use crate::element::bus::outbox::{Listener, Outbox, OutgoingMessage};
use crate::element::bus::poster::BusPoster;
use crate::element::bus::stats::Totals;
use crate::element::bus::warnings;
use crate::element::drops::DropReporter;
use crate::element::ineffective::ineffective;
use crate::element::input::clip::Start;
use crate::element::input::{BufferPlan, GapDetector, GapLimits};
use crate::element::run_config::Environment;
use crate::element::settings::{Leaky, Settings};
use crate::element::timeline::{Segment, Timeline};
use crate::session::queue::Boundary;
use crate::session::{samples_in, samples_to_time};
use crate::sync::lock;
use streaming::Streaming;

/// One run of the element.
///
/// Lock order: `streaming`, then the client's state, then the poster's timeline, then the locks of
/// the [`Listener`]. The run's other locks, such as that of the outbox's queue, are taken alone or
/// last. No lock is held across a wait, a post, or a call into GStreamer that may call back, as
/// logging does: the application's handler may call any method of the run.
pub(crate) struct Run {
    pub client: Arc<Client>,
    /// It began to connect. Otherwise it can't, and its error waits in the outbox.
    pub connects: bool,
    pub outbox: Arc<Outbox>,
    pub rate: u32,
    gaps: GapLimits,
    leaky: Leaky,
    element: glib::WeakRef<gst::Element>,
    streaming: Mutex<Streaming>,
}

impl Run {
    /// Checks the settings, and starts to connect. What the run posts waits until the outbox is
    /// opened: first that it connects, or the error for which it has failed already.
    ///
    /// `category` is that of the element's log; `ids` are the element's, which the run updates;
    /// `listener` takes part in what the client reports.
    pub fn start(
        category: gst::DebugCategory,
        element: &gst::Element,
        settings: &Settings,
        ids: Arc<Mutex<Ids>>,
        listener: Option<Arc<dyn Listener>>,
    ) -> Run {
        let config = settings.to_config(&Environment::read());
        let (context, rate) = match &config {
            Ok(config) => (ErrorContext::new(config), config.request.rate),
            Err(_) => (ErrorContext::default(), settings.request.rate),
        };
        let gaps = GapLimits::new(
            settings.request.end_window_size.unwrap_or(0),
            settings.limits.idle,
            settings.sending.max_queue,
        );
        let mut timeline = Timeline::new(rate);
        timeline.begin_stream(0, None);
        let poster = BusPoster::new(category, timeline, context, settings.posts, ids);
        let outbox = Outbox::new(element, poster, listener);
        let client = match config {
            Ok(config) => connect(element, settings, config, &outbox),
            Err(error) => Err(error.report()),
        };
        let connects = client.is_ok();
        let client = Arc::new(client.unwrap_or_else(|report| {
            outbox.enqueue(OutgoingMessage::Failed(report));
            Client::failed()
        }));
        outbox.serve(&client);
        Run {
            client,
            connects,
            outbox,
            rate,
            gaps,
            leaky: settings.leaky,
            element: element.downgrade(),
            streaming: Mutex::new(Streaming::new(rate, gaps)),
        }
    }

    /// Applies the settings that can change while the run lasts. `listens`: the listener takes
    /// responses.
    pub fn apply_live(&self, settings: &Settings, listens: bool) {
        *lock(&self.outbox.poster.posts) = settings.posts;
        self.client
            .want_responses(settings.posts.responses || listens);
    }

    /// Ends the run. The connection closes in the background; only the message that is being posted
    /// is waited for, so that none of the run follows READY.
    pub fn stop(&self, element: &gst::Element) {
        let counts = self.client.counts().0;
        self.outbox.close();
        self.client.stop();
        self.outbox.wait_posted();
        let (kind, text) = (gst::ProgressType::Canceled, "Connecting was canceled");
        self.outbox.poster.progress.end(element, kind, text);
        let seconds = |samples| samples_to_time(samples, self.rate).as_secs_f64();
        gst::info!(
            self.category(),
            obj = element,
            "stopped after {} sessions: {:.1} s of audio sent, {:.1} s of it replayed, {:.1} s \
             dropped; {} responses, {} final utterances",
            counts.connections.sessions,
            seconds(counts.connections.sent),
            seconds(counts.connections.replayed),
            seconds(counts.dropped),
            counts.connections.responses,
            counts.connections.utterances
        );
    }

    /// Returns the totals so far.
    pub fn totals(&self) -> Totals {
        let (counts, queued) = self.client.counts();
        let rate = self.rate;
        Totals {
            counts,
            queued,
            rate,
        }
    }

    fn category(&self) -> gst::DebugCategory {
        self.outbox.poster.category
    }

    fn streaming(&self) -> MutexGuard<'_, Streaming> {
        lock(&self.streaming)
    }

    /// Handles STREAM_START. Another id begins another stream, and so does the same id after EOS or
    /// after audio, as of a file that is played twice. An event that is only sent again, as to a
    /// relinked pad, does not.
    pub fn stream_start(&self, id: &str, seqnum: gst::Seqnum) {
        let mut streaming = self.streaming();
        let same = streaming.id.as_ref().is_some_and(|(last, number)| {
            last == id && !streaming.ended && (*number == seqnum || !streaming.has_audio())
        });
        let first = streaming.id.is_none() && !streaming.has_audio() && !streaming.ended;
        streaming.id = Some((id.to_owned(), seqnum));
        if same {
            return;
        }
        if first {
            let mut timeline = self.outbox.poster.timeline();
            timeline.begin_stream(streaming.stream, Some(id.to_owned()));
            return;
        }
        let dropped = streaming.drops.end();
        self.begin_next(&mut streaming);
        let (epoch, stream) = (streaming.epoch, streaming.stream);
        drop(streaming);
        self.report_dropped(epoch, dropped);
        self.client.push_boundary(Boundary::NewStream { stream });
    }

    fn begin_next(&self, streaming: &mut Streaming) {
        streaming.stream += 1;
        streaming.ended = false;
        streaming.leaky_resolved = None;
        streaming.input = GapDetector::new(self.rate, self.gaps);
        let id = streaming.id.as_ref().map(|(id, _)| id.clone());
        let mut timeline = self.outbox.poster.timeline();
        timeline.begin_stream(streaming.stream, id);
    }

    /// Handles FLUSH_START. Called on any thread, while the streaming thread may be anywhere.
    /// Returns the epoch that begins.
    pub fn flush_start(&self) -> u64 {
        let epoch = self.client.flush_start();
        self.outbox.flush(epoch);
        epoch
    }

    /// Handles FLUSH_STOP: what follows is another stream of the same id.
    pub fn flush_stop(&self) {
        let mut streaming = self.streaming();
        // Drops before the flush are not reported after it.
        streaming.drops = DropReporter::new(self.rate);
        streaming.needs_drain = false;
        self.begin_next(&mut streaming);
        streaming.epoch = self.client.flush_stop(streaming.stream);
    }

    /// Handles a SEGMENT event.
    pub fn segment(&self) {
        self.streaming().input.segment();
    }

    /// Handles a GAP event that ends at `end`. Returns whether it ends the session.
    pub fn gap(&self, end: gst::ClockTime, segment: Option<&Segment>) -> bool {
        let Some(segment) = segment.filter(|segment| segment.rate() > 0.0) else {
            return false;
        };
        let mut streaming = self.streaming();
        let plan = streaming.input.gap_until(end, segment);
        self.push_gap(&mut streaming, &plan);
        plan.ends_session
    }

    /// Begins the wait for the words so far, unless none may come. Returns the token for
    /// [`finish`](Self::finish). `ends`: the stream ends here.
    pub fn begin_drain(&self, ends: bool) -> Option<u64> {
        let mut streaming = self.streaming();
        let (epoch, dropped) = (streaming.epoch, streaming.drops.end());
        streaming.ended |= ends;
        let token = std::mem::take(&mut streaming.needs_drain).then(|| {
            streaming.token += 1;
            streaming.token
        });
        drop(streaming);
        self.report_dropped(epoch, dropped);
        token
    }

    /// Returns whether words may come for the audio so far.
    pub fn has_pending(&self) -> bool {
        self.streaming().needs_drain
    }

    /// Finishes the open session, if there is one, behind the audio that was handed over. Called on
    /// any thread.
    pub fn finish_session(&self) {
        if self.client.push_silence(0, true) {
            gst::debug!(self.category(), "finishing the session on request");
        }
    }

    /// Asks for the last words. The client is done with `token` when they are posted.
    pub fn finish(&self, token: u64) {
        self.client.push_boundary(Boundary::EndOfStream { token });
    }

    /// Waits until the failure is on the bus, or for a flush, and returns the error that follows.
    pub fn wait_for_failure(
        &self,
        error: gst::FlowError,
        is_flushing: impl Fn() -> bool,
    ) -> gst::FlowError {
        loop {
            // Read first: a flush that begins from here on interrupts the wait.
            let seen = self.client.interrupt_count();
            if is_flushing() {
                return gst::FlowError::Flushing;
            }
            match self.client.wait_for_failure(seen) {
                WaitResult::Interrupted => {}
                WaitResult::Stopped => return gst::FlowError::Flushing,
                WaitResult::Done | WaitResult::Failed => return error,
            }
        }
    }

    /// Skips a buffer without audio. Its DISCONT flag holds for the next buffer.
    pub fn skip(&self, discont: bool) {
        if discont {
            self.streaming().input.discont();
        }
    }

    /// Hands over a buffer's samples. Never blocks: the wait for space came before.
    pub fn push_buffer(&self, start: Start, pcm: &[u8], segment: Option<&Segment>) {
        if pcm.is_empty() {
            self.skip(start.discont);
            return;
        }
        let samples = samples_in(pcm.len());
        if !self.client.has_space(samples) && self.is_leaky() {
            self.drop_oldest(samples);
        }
        let mut streaming = self.streaming();
        let plan = streaming.input.judge(start, pcm.len(), segment);
        self.push_gap(&mut streaming, &plan);
        let pcm = &pcm[plan.skip..];
        if pcm.is_empty() {
            return;
        }
        let samples = samples_in(pcm.len());
        let anchor = streaming.input.take(&plan, samples);
        let moved = anchor.map(|anchor| {
            let (at, time) = (anchor.position, anchor.time_at(anchor.position, self.rate));
            self.outbox.poster.timeline().add(streaming.stream, anchor);
            (at, time)
        });
        streaming.needs_drain = true;
        let (epoch, dropped) = (streaming.epoch, streaming.drops.advance(samples));
        drop(streaming);
        if let Some((at, time)) = moved {
            gst::trace!(self.category(), "anchor: sample {at} is at {time} ns");
        }
        self.report_dropped(epoch, dropped);
        self.client.push(pcm);
    }

    fn push_gap(&self, streaming: &mut Streaming, plan: &BufferPlan) {
        if (plan.silence > 0 || plan.ends_session)
            && self.client.push_silence(plan.silence, plan.ends_session)
        {
            streaming.input.silence(plan.silence);
        }
    }

    /// Posts that audio is played backwards, once in a run.
    pub fn report_reverse_playback(&self) {
        let mut streaming = self.streaming();
        if std::mem::replace(&mut streaming.reverse_reported, true) {
            return;
        }
        streaming.needs_drain = true;
        drop(streaming);
        let warning = OutgoingMessage::Warning(warnings::reverse_playback());
        self.outbox.enqueue(warning);
    }
}

/// Starts to connect.
fn connect(
    element: &gst::Element,
    settings: &Settings,
    config: Config,
    outbox: &Arc<Outbox>,
) -> Result<Client, Report> {
    let poster = &outbox.poster;
    let summary = poster.redact(&config.to_string());
    gst::info!(poster.category, obj = element, "starting: {summary}");
    outbox.enqueue(OutgoingMessage::Connecting);
    for found in ineffective(&config) {
        if found.property != "language" || !settings.language_is_implied {
            outbox.enqueue(OutgoingMessage::Warning(warnings::ineffective(&found)));
        }
    }
    Client::start(config, outbox.clone()).map_err(|error| poster.report(&error.into(), false))
}
