//! One stream: its utterances over all of its sessions, and its audio as far as it is kept.

use std::time::Duration;

use super::replay_buffer::ReplayBuffer;
use super::response_check::ResponseCheck;
use super::settings::Settings;
use super::transcript::{TranscriptTracker, Update};
use super::{samples_to_time, time_to_samples};

/// Margin of the kept audio: a start that is revised moves what is needed back a little, by 140 ms
/// in recorded traffic.
const START_REVISION_MARGIN: Duration = Duration::from_millis(250);

/// Changes by a response.
#[derive(Debug, Default)]
pub struct ResponseEffect {
    /// From the audio's arrival at the sink to this response, if it covers new audio.
    pub latency: Option<Duration>,
    /// It covers audio that no connection had an answer for.
    pub is_new: bool,
    /// All speech before this position is final, which it was not before.
    pub final_until: Option<Duration>,
}

/// State of a stream. Positions are samples, or times, on its axis.
#[derive(Debug)]
pub struct Stream {
    rate: u32,
    pub(super) number: u32,
    /// Connections on which the service has answered.
    pub(super) sessions: u32,
    pub(super) tracker: TranscriptTracker,
    pub(super) replay_buffer: ReplayBuffer,
    /// Changes that were not reported yet.
    pub(super) updates: Vec<Update>,
    /// How far any connection has answered.
    processed_until: Duration,
    /// When a connection was opened, or progress was made on it, last.
    progress_at: Duration,
    /// How far everything is reported as final.
    reported_final_until: Duration,
    /// How far everything is reported as quiet.
    reported_quiet_until: Duration,
    answers_at_end: bool,
    pub(super) response_check: ResponseCheck,
}

impl Stream {
    /// Begins stream `number`.
    pub fn new(settings: &Settings, number: u32) -> Self {
        let rate = settings.request.rate;
        Stream {
            rate,
            number,
            sessions: 0,
            tracker: TranscriptTracker::new(settings.request.result_type, settings.result_delay),
            replay_buffer: ReplayBuffer::new(time_to_samples(settings.replay_window, rate)),
            updates: Vec::new(),
            processed_until: Duration::ZERO,
            progress_at: Duration::ZERO,
            reported_final_until: Duration::ZERO,
            reported_quiet_until: Duration::ZERO,
            answers_at_end: settings.answers_at_end,
            response_check: ResponseCheck::default(),
        }
    }

    /// Whether audio was sent, or is to be sent again, whose text is not final.
    pub fn is_unsettled(&self) -> bool {
        self.replay_buffer.replaying() || self.tracker.has_open()
    }

    /// Whether audio was sent that may hold words without a final text. Text lags behind the audio
    /// that counts as processed, on `bigmodel` by any time, so words may be missing behind the last
    /// final one. Only silence is sure to hold none. `max_chunk`: as in [`Settings`].
    pub fn has_unprocessed_audio(&self, max_chunk: Duration) -> bool {
        let sent = self.time(self.replay_buffer.end());
        let from = time_to_samples(self.tracker.unconfirmed_from(), self.rate);
        sent > self.tracker.processed_until() + max_chunk
            || self.tracker.has_open()
            || !self.replay_buffer.is_silent_from(from)
    }

    /// Returns the position of the audio that is sent next.
    pub fn position(&self) -> Duration {
        self.time(self.replay_buffer.position())
    }

    /// Begins a connection.
    pub fn connect(&mut self) {
        self.tracker.connect(self.position());
    }

    /// The service has answered on a connection.
    pub fn on_session_open(&mut self, now: Duration) {
        self.sessions += 1;
        self.progress_at = now;
        self.response_check = ResponseCheck::default();
    }

    /// Returns what a response has changed. `before`: how far the service had processed the audio
    /// before it.
    pub fn on_response(&mut self, now: Duration, before: Duration) -> ResponseEffect {
        let processed = self.tracker.processed_until();
        let mut effect = ResponseEffect::default();
        if processed > before {
            self.progress_at = now;
            let arrived = self
                .replay_buffer
                .arrival_time(time_to_samples(processed, self.rate));
            effect.latency = arrived.map(|arrived| now.saturating_sub(arrived));
            // A later origin alone is not progress.
            if processed > self.processed_until {
                self.processed_until = processed;
                effect.is_new = true;
            }
        }
        let needed = self.tracker.replay_needed_from();
        let kept = needed.saturating_sub(START_REVISION_MARGIN);
        self.replay_buffer
            .trim_before(time_to_samples(kept, self.rate));
        let until = self.tracker.final_until();
        if until > self.reported_final_until {
            self.reported_final_until = until;
            effect.final_until = Some(until);
        }
        effect
    }

    /// Returns the end of the audio without open or expected text, if it has moved on.
    ///
    /// `bigmodel_async` sends nothing during silence. While nothing comes, the service is taken to
    /// process audio at real-time speed, as it must for live audio.
    pub fn take_quiet_until(&mut self, now: Duration) -> Option<Duration> {
        let silence = now.saturating_sub(self.progress_at);
        let processed = self.tracker.processed_until().saturating_add(silence);
        let until = self.tracker.quiet_until(processed.min(self.position()));
        if self.answers_at_end || until <= self.reported_quiet_until {
            return None;
        }
        self.reported_quiet_until = until;
        Some(until)
    }

    /// Goes back to where the next connection must begin, at the sample `window` or later.
    pub fn restart(&mut self, window: u64) {
        let window = self.time(window);
        let from = self.tracker.restart(window, &mut self.updates);
        self.replay_buffer.rewind(time_to_samples(from, self.rate));
    }

    /// Makes every open utterance final and unconfirmed.
    pub fn finalize_unconfirmed(&mut self) {
        self.tracker.finalize_unconfirmed(&mut self.updates);
    }

    fn time(&self, samples: u64) -> Duration {
        samples_to_time(samples, self.rate)
    }
}
