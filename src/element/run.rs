//! One run of the element, from READY → PAUSED to PAUSED → READY: the client, the outbox, and the
//! streaming thread's way to them.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gst::glib;
use gst::prelude::*;

use crate::client::{Client, PushResult};
use crate::element::CAT;
use crate::element::bus::outbox::{Outbox, Post};
use crate::element::drops::{DropReporter, DroppedRange};
use crate::element::input::{BufferPlan, GapDetector, GapLimits};
use crate::element::settings::{Leaky, Settings};
use crate::session::exchange::Limits;
use crate::session::queue::{Boundary, Dropped};
use crate::session::{BYTES_PER_SAMPLE, samples_to_time};

type Segment = gst::FormattedSegment<gst::ClockTime>;

/// What the service takes for `end_window_size` when none is sent.
const DEFAULT_END_WINDOW: u32 = 800;
/// Silence beyond the end window, so that the last utterance is surely settled.
const SETTLING_MARGIN: u32 = 200;
/// The silence for a gap is made at once: an `idle-timeout` or `end-window-size` of days must not take gigabytes.
const MAX_SILENCE: Duration = Duration::from_secs(60);

#[derive(Debug)]
struct Streaming {
    input: GapDetector,
    stream: u32,
    /// What the client counts it under. Behind it while a flush begins: what is said then comes too late.
    epoch: u64,
    /// The id of the last STREAM_START, and the event's number, which a resent event keeps.
    id: Option<(String, gst::Seqnum)>,
    /// Samples of this stream that were handed over and not dropped.
    position: u64,
    /// Audio of this stream was handed over.
    has_audio: bool,
    /// A message about this stream or one before it may be queued, and must precede EOS.
    needs_drain: bool,
    /// Its end has come: what follows is another one.
    ended: bool,
    leaks: Option<bool>,
    drops: DropReporter,
}

/// See the module.
pub(crate) struct Run {
    pub client: Arc<Client>,
    pub outbox: Arc<Outbox>,
    pub rate: u32,
    gaps: GapLimits,
    leaky: Leaky,
    element: glib::WeakRef<gst::Element>,
    streaming: Mutex<Streaming>,
}

impl Run {
    pub fn new(
        client: Client,
        outbox: Arc<Outbox>,
        rate: u32,
        settings: &Settings,
        limits: Limits,
        max_queue: Duration,
        element: &gst::Element,
    ) -> Self {
        let gaps = gap_limits(
            settings.request.end_window_size.unwrap_or(0),
            limits.idle,
            max_queue,
        );
        let client = Arc::new(client);
        outbox.posting.timeline().begin_stream(0, None);
        outbox.open(&client);
        Run {
            client,
            outbox,
            rate,
            gaps,
            leaky: settings.leaky,
            element: element.downgrade(),
            streaming: Mutex::new(Streaming {
                input: GapDetector::new(rate, gaps),
                stream: 0,
                epoch: 0,
                id: None,
                position: 0,
                has_audio: false,
                needs_drain: false,
                ended: false,
                leaks: None,
                drops: DropReporter::new(rate),
            }),
        }
    }

    /// Takes up the settings that apply at once.
    pub fn apply_live(&self, settings: &Settings) {
        let posting = &self.outbox.posting;
        posting
            .interim
            .store(settings.interim_results, Ordering::Relaxed);
        posting.tags.store(settings.post_tags, Ordering::Relaxed);
        self.client.want_responses(settings.post_responses);
    }

    /// Ends the run. Waits for nothing.
    pub fn stop(&self) {
        self.outbox.close();
        self.client.stop();
    }

    fn streaming(&self) -> MutexGuard<'_, Streaming> {
        self.streaming
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// STREAM_START: another id, or one after an end, is another stream. So is the same id after audio,
    /// as of a file that follows itself. An event that is only sent again, as to a relinked pad, is not.
    pub fn stream_start(&self, id: &str, seqnum: gst::Seqnum) {
        let mut streaming = self.streaming();
        let same = streaming.id.as_ref().is_some_and(|(last, number)| {
            last == id && !streaming.ended && (*number == seqnum || !streaming.has_audio)
        });
        let first = streaming.id.is_none() && !streaming.has_audio && !streaming.ended;
        streaming.id = Some((id.to_owned(), seqnum));
        if same {
            return;
        }
        if first {
            let stream = streaming.stream;
            self.outbox
                .posting
                .timeline()
                .begin_stream(stream, Some(id.to_owned()));
            return;
        }
        self.begin_next(&mut streaming);
        let stream = streaming.stream;
        drop(streaming);
        self.client.push_boundary(Boundary::NewStream { stream });
    }

    fn begin_next(&self, streaming: &mut Streaming) {
        self.report_dropped(streaming.epoch, streaming.drops.end());
        streaming.stream += 1;
        streaming.position = 0;
        streaming.has_audio = false;
        streaming.ended = false;
        streaming.leaks = None;
        streaming.input = GapDetector::new(self.rate, self.gaps);
        self.outbox.posting.timeline().begin_stream(
            streaming.stream,
            streaming.id.as_ref().map(|(id, _)| id.clone()),
        );
    }

    /// FLUSH_START: on any thread, while the streaming thread may be anywhere.
    pub fn flush_start(&self) {
        let epoch = self.client.flush_start();
        self.outbox.flush(epoch);
    }

    /// FLUSH_STOP: what comes is another stream of the same id.
    pub fn flush_stop(&self) {
        let mut streaming = self.streaming();
        // Nothing of before is told after it.
        streaming.drops = DropReporter::new(self.rate);
        streaming.needs_drain = false;
        self.begin_next(&mut streaming);
        streaming.epoch = self.client.flush_stop(streaming.stream);
    }

    /// A SEGMENT event: what comes may lie elsewhere.
    pub fn segment(&self) {
        self.streaming().input.segment();
    }

    /// A GAP event that ends at `end`.
    pub fn gap(&self, end: gst::ClockTime, segment: Option<&Segment>) {
        let Some(segment) = segment.filter(|segment| segment.rate() > 0.0) else {
            return;
        };
        let mut streaming = self.streaming();
        let plan = streaming.input.gap_until(end, segment);
        self.push_gap(&mut streaming, &plan);
    }

    /// End of stream. False: there is nothing to wait for.
    pub fn end_of_stream(&self) -> bool {
        let mut streaming = self.streaming();
        self.report_dropped(streaming.epoch, streaming.drops.end());
        streaming.ended = true;
        streaming.needs_drain
    }

    /// All that was waited for at an end of stream is on the bus.
    pub fn drained(&self) {
        self.streaming().needs_drain = false;
    }

    /// Finishes the open session, if there is one, behind the audio that was handed over. On any
    /// thread.
    pub fn finish_session(&self) {
        if self.client.push_silence(0, true) {
            gst::debug!(CAT, "finishing the session on request");
        }
    }

    /// Asks for the last words; they are all said when the client is done with `token`.
    pub fn finish(&self, token: u64) {
        self.client.push_boundary(Boundary::EndOfStream { token });
    }

    /// Whether a buffer of this length has to wait for room in the queue.
    pub fn must_wait(&self, samples: u64) -> bool {
        !self.client.has_space(samples) && !self.leaks()
    }

    /// A buffer comes to nothing. What its flags say of the time holds for the next one.
    pub fn skip(&self, discont: bool) {
        if discont {
            self.streaming().input.discont();
        }
    }

    /// Hands over a buffer's samples. `discont`: its time may jump. Never blocks: the wait for room
    /// came before.
    pub fn push_buffer(
        &self,
        pts: Option<gst::ClockTime>,
        discont: bool,
        pcm: &[u8],
        segment: Option<&Segment>,
    ) {
        if pcm.is_empty() {
            self.skip(discont);
            return;
        }
        let samples = (pcm.len() / BYTES_PER_SAMPLE) as u64;
        if !self.client.has_space(samples) && self.leaks() {
            self.drop_oldest(samples);
        }
        let mut streaming = self.streaming();
        let plan = streaming.input.judge(pts, discont, pcm.len(), segment);
        self.push_gap(&mut streaming, &plan);
        let pcm = &pcm[plan.skip..];
        if pcm.is_empty() {
            return;
        }
        let samples = (pcm.len() / BYTES_PER_SAMPLE) as u64;
        let position = streaming.position;
        if let Some(anchor) = streaming.input.take(&plan, samples, position) {
            let (at, time) = (anchor.position, anchor.time_at(anchor.position, self.rate));
            gst::trace!(CAT, "sample {at} is at {time} ns, known at {position}");
            let stream = streaming.stream;
            self.outbox.posting.timeline().add(stream, anchor);
        }
        streaming.position += samples;
        streaming.has_audio = true;
        streaming.needs_drain = true;
        self.report_dropped(streaming.epoch, streaming.drops.advance(samples));
        drop(streaming);
        if self.client.push(pcm) == PushResult::Failed {
            gst::debug!(CAT, "failed meanwhile: the next buffer gets the flow error");
        }
    }

    fn push_gap(&self, streaming: &mut Streaming, plan: &BufferPlan) {
        if (plan.silence > 0 || plan.pause) && self.client.push_silence(plan.silence, plan.pause) {
            streaming.position += plan.silence;
        }
    }

    /// Audio came that is played backwards, for the first time.
    pub fn report_reverse_playback(&self) {
        self.streaming().needs_drain = true;
        self.outbox.post(Post::Backwards);
    }

    fn drop_oldest(&self, samples: u64) {
        let mut streaming = self.streaming();
        let mut losses = Vec::new();
        self.client.make_room(samples, |dropped: Dropped| {
            let mut timeline = self.outbox.posting.timeline();
            let (stream, position) = (dropped.stream, dropped.position);
            losses.push(DroppedRange {
                stream,
                times: timeline.times_at(stream, position),
                samples: dropped.samples,
            });
            timeline.remove(stream, position, dropped.samples);
            if stream == streaming.stream {
                streaming.position -= dropped.samples.min(streaming.position);
                streaming.input.dropped(position, dropped.samples);
            }
        });
        for loss in losses {
            self.report_dropped(streaming.epoch, streaming.drops.add(loss));
        }
    }

    fn report_dropped(&self, epoch: u64, dropped: Option<DroppedRange>) {
        if let Some(DroppedRange { times, samples, .. }) = dropped {
            let lost = samples_to_time(samples, self.rate);
            self.outbox.push(epoch, Post::Dropped { times, lost });
        }
    }

    /// Whether audio is dropped rather than the pipeline blocked; asked once for each stream.
    fn leaks(&self) -> bool {
        if let Some(leaks) = self.streaming().leaks {
            return leaks;
        }
        let leaks = match self.leaky {
            Leaky::No => false,
            Leaky::Downstream => true,
            Leaky::Auto => self.is_live(),
        };
        self.streaming().leaks = Some(leaks);
        leaks
    }

    fn is_live(&self) -> bool {
        let Some(pad) = self
            .element
            .upgrade()
            .and_then(|element| element.static_pad("sink"))
        else {
            return false;
        };
        let mut query = gst::query::Latency::new();
        pad.peer_query(&mut query) && query.result().0
    }
}

/// From the user's settings. The service takes no end window of minutes, but says so only when the silence for a
/// gap may have been made.
fn gap_limits(end_window_ms: u32, idle: Option<Duration>, max_queue: Duration) -> GapLimits {
    let window = match end_window_ms {
        0 => DEFAULT_END_WINDOW,
        window => window,
    };
    let longest = idle.unwrap_or(max_queue).min(max_queue.max(MAX_SILENCE));
    let settling = Duration::from_millis(window.saturating_add(SETTLING_MARGIN).into());
    let clock_time = |time: Duration| time.try_into().unwrap_or(gst::ClockTime::ZERO);
    GapLimits {
        longest: clock_time(longest),
        settling: clock_time(settling.min(MAX_SILENCE)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_for_a_gap_is_bounded_whatever_the_user_sets() {
        let queue = Duration::from_secs(30);
        let limits = gap_limits(800, Some(Duration::from_secs(4)), queue);
        assert_eq!(limits.longest, gst::ClockTime::from_seconds(4));
        assert_eq!(limits.settling, gst::ClockTime::from_seconds(1));

        let most = gst::ClockTime::from_seconds(60);
        let limits = gap_limits(i32::MAX as u32, Some(Duration::from_secs(86_400)), queue);
        assert_eq!((limits.longest, limits.settling), (most, most));
        assert_eq!(
            gap_limits(0, None, queue).longest,
            gst::ClockTime::from_seconds(30)
        );
    }
}
