//! The task behind a [`Client`](super::Client): takes audio from the queue, keeps a session open for
//! it, restores a lost one, and tells what happens.
//!
//! Layers of one loop: [`run`](Driver::run) ends at a stop, [`epochs`](Driver::epochs) begins anew at
//! a flush, [`serve`](Driver::serve) waits for something to do, [`speak`](Driver::speak) sees a piece
//! of audio through to its last words over as many connections as that takes, and
//! [`live`](super::live) moves frames and responses on one of them. An outer layer may drop an inner
//! one at any moment; so what must survive is in the [`Driver`].

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::config::Config;
use super::error::ClientError;
use super::event::{Event, EventHandler};
use super::live::End;
use super::net::preconnect::Preconnect;
use super::net::transport::Transport;
use super::net::websocket::WebSocket;
use super::retrying::random;
use super::runtime::{RuntimeError, spawn};
use super::shared::{Abort, Control, Shared};
use crate::protocol::compression::Inflater;
use crate::protocol::frame::FrameEncoder;
use crate::protocol::prefix_cache::PrefixCache;
use crate::session::queue::Boundary;
use crate::session::replay_buffer::ReplayBuffer;
use crate::session::response_check::ResponseCheck;
use crate::session::retry::{Closed, Decision, Progress, Retries};
use crate::session::transcript::{TranscriptTracker, Update};
use crate::session::{samples_to_time, time_to_samples};

/// The driver's state; see the module.
pub(super) struct Driver {
    pub(super) shared: Arc<Shared>,
    pub(super) config: Arc<Config>,
    pub(super) handler: Arc<dyn EventHandler>,
    pub(super) control: watch::Receiver<Control>,
    pub(super) epoch: u64,

    pub(super) stream: u32,
    /// Connections of this stream on which the service has answered.
    pub(super) session: u32,
    pub(super) tracker: TranscriptTracker,
    pub(super) replay_buffer: ReplayBuffer,
    /// The boundary that is being carried out.
    pub(super) pending: Option<Boundary>,
    pub(super) updates: Vec<Update>,
    /// How far any connection of this stream has answered.
    pub(super) answered: Duration,
    /// How far the owner knows everything to be settled.
    pub(super) settled: Duration,
    /// When audio was sent last.
    pub(super) spoke: Duration,
    pub(super) retries: Retries,

    pub(super) preconnect: Preconnect,
    pub(super) websocket: Option<WebSocket<Transport>>,
    pub(super) closing: Option<JoinHandle<()>>,
    /// The next connection restores a lost one.
    pub(super) restoring: bool,
    pub(super) told_ready: bool,
    pub(super) told_counting: bool,
    pub(super) connect_id: String,
    pub(super) log_id: Option<String>,

    pub(super) encoder: FrameEncoder,
    /// Made when the first compressed answer comes.
    pub(super) inflater: Option<Inflater>,
    pub(super) prefix_cache: PrefixCache,
    pub(super) response_check: ResponseCheck,
}

/// Starts a driver as a task, and sees to it that its end is noticed, however it comes.
pub(super) fn start(
    shared: Arc<Shared>,
    config: Config,
    handler: Arc<dyn EventHandler>,
) -> Result<(), RuntimeError> {
    let config = Arc::new(config);
    let control = shared.control.subscribe();
    let rate = config.request.rate;
    let driver = Driver {
        epoch: 0,
        stream: 0,
        session: 0,
        tracker: tracker(&config),
        replay_buffer: ReplayBuffer::new(time_to_samples(config.replay_window(), rate)),
        pending: None,
        updates: Vec::new(),
        answered: Duration::ZERO,
        settled: Duration::ZERO,
        spoke: Duration::ZERO,
        retries: Retries::new(config.max_reconnects, config.limits.finish),
        preconnect: Preconnect::new(config.clone()),
        websocket: None,
        closing: None,
        restoring: false,
        told_ready: false,
        told_counting: false,
        connect_id: String::new(),
        log_id: None,
        encoder: FrameEncoder::new(config.compression),
        inflater: None,
        prefix_cache: PrefixCache::default(),
        response_check: ResponseCheck::default(),
        shared: shared.clone(),
        config,
        handler: handler.clone(),
        control,
    };
    let task = spawn(driver.run())?;
    spawn(async move {
        // A panic in a task is nobody's: without this the pipeline would wait for ever.
        if task.await.is_err() {
            shared.state().failed = true;
            let epoch = shared.control.borrow().epoch;
            let (error, lost) = (ClientError::Internal, true);
            handler.handle(epoch, Event::Failed { error, lost });
            shared.changed.notify_all();
        }
    })?;
    Ok(())
}

#[cfg(test)]
mod tests;

impl Driver {
    async fn run(mut self) {
        let (mut control, mut abort) = (self.control.clone(), self.control.clone());
        tokio::select! {
            biased;
            _ = control.wait_for(|control| control.stopped) => {}
            error = aborted(&mut abort) => self.fail(error),
            () = self.epochs() => {}
        }
        self.leave();
        if let Some(closing) = self.closing.take() {
            let _ = closing.await;
        }
    }

    /// One round for each flush.
    async fn epochs(&mut self) {
        let mut control = self.control.clone();
        loop {
            let epoch = self.epoch;
            tokio::select! {
                biased;
                changed = wait_for_epoch(&mut control, epoch) => {
                    self.epoch = changed;
                    self.leave();
                    self.pending = None;
                    self.begin_stream(self.stream);
                }
                error = self.serve() => {
                    self.fail(error);
                    return;
                }
            }
        }
    }

    /// Waits for audio and boundaries, and acts on them, until something fails for good.
    async fn serve(&mut self) -> ClientError {
        // A flush does not shorten the pause between two tries.
        if self.retries.retry_at().is_none() {
            self.preconnect.start(self.now());
        }
        loop {
            let item = match self.something_to_do().await {
                Ok(item) => item,
                Err(error) => return error,
            };
            if let Some(boundary) = item {
                self.pending = Some(boundary);
                if !self.is_unsettled() {
                    self.carry_out();
                    continue;
                }
            }
            if let Err(error) = self.speak().await {
                return error;
            }
        }
    }

    /// A boundary that is next in the queue, or none if that is audio.
    async fn something_to_do(&mut self) -> Result<Option<Boundary>, ClientError> {
        let shared = self.shared.clone();
        loop {
            if let Some(next) = shared.next_boundary(self.epoch) {
                return Ok(next);
            }
            let idle = self.config.limits.idle;
            let expires = self
                .preconnect
                .ready_since()
                .zip(idle)
                .map(|(since, idle)| since + idle);
            // Less than a chunk, and no more came: it has words that nobody must wait for.
            let rest = shared
                .partial_chunk_since()
                .zip(idle)
                .map(|(at, idle)| at + idle);
            if rest.is_some_and(|at| at <= self.now()) {
                shared.state().queue.flush_partial();
                continue;
            }
            let retry_at = self.retries.retry_at();
            let wake = [retry_at, expires, rest].into_iter().flatten().min();
            tokio::select! {
                () = shared.ready.notified() => {}
                () = shared.sleep(wake), if wake.is_some() => {
                    if retry_at.is_some_and(|at| at <= self.now()) {
                        self.retries.on_try();
                        self.preconnect.start(self.now());
                    }
                    if expires.is_some_and(|at| at <= self.now()) {
                        self.preconnect.discard();
                    }
                }
                dialled = self.preconnect.wait(|| shared.now()), if self.preconnect.is_connecting() => {
                    match dialled {
                        Ok(()) => self.tell_ready(),
                        Err(error) => self.pause_before_retry(error.into())?,
                    }
                }
            }
        }
    }

    /// Sees audio through to its last words, over as many connections as it takes.
    async fn speak(&mut self) -> Result<(), ClientError> {
        loop {
            let spoke = self.spoke;
            let result = self.connection().await;
            let was_open = self.shared.counters.get().connected;
            self.disconnected();
            // One that failed says so itself.
            if result.is_ok() {
                let unknown = self.response_check.on_end();
                self.tell_unknown(unknown);
            }
            let mut closed_in_order = false;
            let error = match result {
                Ok(End::Finished) => {
                    self.carry_out();
                    return Ok(());
                }
                Ok(End::Rotated) => continue,
                Ok(End::Unconfirmed) => {
                    let progress = self.progress();
                    let closed = ClientError::Closed {
                        code: 1000,
                        reason: String::new(),
                    };
                    match self.retries.on_close_without_final(progress) {
                        Closed::Failure => {
                            closed_in_order = true;
                            closed
                        }
                        Closed::Finished => {
                            self.tracker.finalize_unconfirmed(&mut self.updates);
                            self.carry_out();
                            return Ok(());
                        }
                        Closed::Unconfirmed => {
                            self.restoring |= was_open;
                            return self.end_without_final(Decision::Unconfirmed, Some(closed));
                        }
                    }
                }
                Ok(End::Overdue) => {
                    self.restoring |= was_open;
                    let decision = self.retries.on_finish_timeout(self.progress());
                    return self.end_without_final(decision, None);
                }
                Err(error) => error,
            };
            self.leave();
            let idle = self.is_idle_end(&error);
            let replay = time_to_samples(self.config.replay, self.config.request.rate);
            // What the connection was still to be sent again is not lost with it, whatever may be kept of the rest.
            let unsent = self.replay_buffer.next_replay().unwrap_or(u64::MAX);
            let from = self.restart(self.replay_buffer.last(replay).min(unsent));
            if idle {
                // What is to be heard again is worth the silence behind it.
                if !self.replay_buffer.replaying() {
                    self.shared.state().queue.close_session();
                }
                return Ok(());
            }
            // One that never opened, with nothing of before to go on with, was not lost.
            self.restoring |= was_open || self.spoke != spoke || self.is_unsettled();
            let (retry, now) = (error.retry(), self.now());
            let progress = Progress {
                closed_in_order,
                ..self.progress()
            };
            match self.retries.on_failure(retry, progress, now, random()) {
                Decision::Retry(pause) => self.tell_retry(error, pause, from),
                decision => return self.end_without_final(decision, Some(error)),
            }
        }
    }

    /// One connection, from dialling to its end.
    async fn connection(&mut self) -> Result<End, ClientError> {
        let Some((mut exchange, asked)) = self.connect().await? else {
            return Ok(End::Overdue);
        };
        let from = self.replay_from();
        self.tracker
            .connect(samples_to_time(from, self.config.request.rate));
        self.live(&mut exchange, from, asked).await
    }

    /// Where the next connection's audio begins.
    pub(super) fn replay_from(&self) -> u64 {
        self.replay_buffer
            .next_replay()
            .unwrap_or_else(|| self.shared.state().queue.next_position())
    }

    /// Goes back to where a new connection must begin, at `window` or later, and says so.
    pub(super) fn restart(&mut self, window: u64) -> Duration {
        let rate = self.config.request.rate;
        let window = samples_to_time(window, rate);
        let from = self.tracker.restart(window, &mut self.updates);
        self.tell_updates();
        self.replay_buffer.rewind(time_to_samples(from, rate));
        from
    }

    /// Whether anything of this stream was sent, or is to be sent again, that has no last word yet.
    pub(super) fn is_unsettled(&self) -> bool {
        self.replay_buffer.replaying() || self.tracker.has_open()
    }

    /// Everything before the pending boundary is done.
    pub(super) fn carry_out(&mut self) {
        self.leave();
        self.replay_buffer.clear();
        self.retries.on_end();
        self.restoring = false;
        match self.pending.take() {
            None => {}
            // One that did not come through the queue leaves it in the session.
            Some(Boundary::EndSession) => self.shared.state().queue.close_session(),
            Some(Boundary::EndOfStream { token }) => self.emit(Event::BoundaryDone { token }),
            Some(Boundary::NewStream { stream }) => self.begin_stream(stream),
        }
    }

    fn begin_stream(&mut self, stream: u32) {
        let rate = self.config.request.rate;
        self.stream = stream;
        self.session = 0;
        self.tracker = tracker(&self.config);
        self.replay_buffer = ReplayBuffer::new(time_to_samples(self.config.replay_window(), rate));
        self.answered = Duration::ZERO;
        self.settled = Duration::ZERO;
        self.retries.on_end();
        self.disconnected();
    }

    /// Nothing more can be done: ends what is open, then says so.
    fn fail(&mut self, error: ClientError) {
        self.tracker.finalize_unconfirmed(&mut self.updates);
        self.tell_updates();
        self.disconnected();
        self.shared.state().failed = true;
        let lost = self.restoring && self.session > 0;
        self.emit(Event::Failed { error, lost });
        self.shared.changed.notify_all();
    }

    pub(super) fn now(&self) -> Duration {
        self.shared.now()
    }
}

fn tracker(config: &Config) -> TranscriptTracker {
    TranscriptTracker::new(config.request.result_type).with_result_delay(config.result_latency())
}

/// Waits until the owner ends the client with an error. For ever, if the client is gone.
async fn aborted(control: &mut watch::Receiver<Control>) -> ClientError {
    let abort = control.wait_for(|control| control.abort.is_some()).await;
    match abort.ok().and_then(|control| control.abort) {
        Some(Abort::Input(error)) => error.into(),
        Some(Abort::Backlog) => ClientError::Backlog,
        Some(Abort::Internal) => ClientError::Internal,
        None => std::future::pending().await,
    }
}

/// Waits for another epoch than `epoch`. For ever, if the client is gone: then the stop ends it all.
async fn wait_for_epoch(control: &mut watch::Receiver<Control>, epoch: u64) -> u64 {
    let changed = control
        .wait_for(|control| control.epoch != epoch)
        .await
        .map(|control| control.epoch);
    match changed {
        Ok(epoch) => epoch,
        Err(_) => std::future::pending().await,
    }
}
