//! Messages to post, in order, by at most one job at a time on the process's bounded pool.
//!
//! An application's sync handler may block, call back into the element, or shut the pipeline down.
//! So the tasks and the streaming thread, which move audio, never post, and no lock is held while a
//! message is posted. Only a change of state posts by itself: the sink's start its first messages,
//! and a stop the end of the progress. The backlog behind a slow handler is bounded: see [`queue`].

mod outgoing;
mod queue;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use gst::glib;
use gst::prelude::*;

use super::errors::Report;
use super::poster::BusPoster;
use crate::client::{self, Abort, Client, Event, EventHandler, Level};
use crate::element::timeline::Timeline;
use crate::sync::lock;
use queue::{Posting, Queue};

pub(crate) use outgoing::OutgoingMessage;

/// Step of a wait for a message that is being posted. The waits are counted in steps: when the
/// whole machine stands still, as a virtual one may, that uses up one step, and the thread that
/// posts still gets its time.
const WAIT_STEP: Duration = Duration::from_millis(10);
/// Upper bound on the wait of a flush, 100 ms. If the message takes longer, the application's own
/// handler has it.
const FLUSH_WAIT_STEPS: u32 = 10;
/// Upper bound on the wait of a stop, 50 ms: a stop is to be over within 100 ms altogether.
const STOP_WAIT_STEPS: u32 = 5;

/// Part of an element that needs what the client reports beside what is posted.
pub(crate) trait Listener: Send + Sync {
    /// Takes an event, in order, before it is posted. Called from the runtime's workers: must not
    /// block.
    fn on_event(&self, epoch: u64, event: &Event, timeline: &Timeline);

    /// Learns that all messages before [`Event::BoundaryDone`] with this token are posted.
    fn on_done_posted(&self, token: u64);

    /// Learns that the error that ends the run is posted.
    fn on_failure_posted(&self);

    /// Learns that [`OutgoingMessage::Refused`] is posted.
    fn on_refusal_posted(&self);
}

/// The outbox of one run.
pub(crate) struct Outbox {
    element: glib::WeakRef<gst::Element>,
    pub poster: BusPoster,
    client: Mutex<Weak<Client>>,
    queue: Mutex<Queue>,
    /// Signals that a message was posted.
    posted: Condvar,
    /// The error that ends the run was posted.
    failed: AtomicBool,
    weak_self: Weak<Outbox>,
    listener: Option<Arc<dyn Listener>>,
}

impl Outbox {
    /// Returns an outbox that posts nothing before it is [opened](Self::open).
    pub fn new(
        element: &gst::Element,
        poster: BusPoster,
        listener: Option<Arc<dyn Listener>>,
    ) -> Arc<Self> {
        Arc::new_cyclic(|weak_self| Outbox {
            element: element.downgrade(),
            poster,
            client: Mutex::new(Weak::new()),
            queue: Mutex::new(Queue::new()),
            posted: Condvar::new(),
            failed: AtomicBool::new(false),
            listener,
            weak_self: weak_self.clone(),
        })
    }

    /// Tells `client` from now on which boundaries and failures are on the bus.
    pub fn serve(&self, client: &Arc<Client>) {
        *lock(&self.client) = Arc::downgrade(client);
    }

    /// Starts to post.
    pub fn open(&self) {
        self.queue().opened = true;
        self.schedule();
    }

    /// Posts what waits now on this thread, before the outbox is [opened](Self::open).
    pub fn post_waiting(&self) {
        let waiting = self.queue().len();
        for _ in 0..waiting {
            self.post_next();
        }
    }

    /// Discards what waits, and all that comes later.
    pub fn close(&self) {
        let mut queue = self.queue();
        queue.closed = true;
        queue.retain(|_| false);
    }

    /// Discards the messages of earlier epochs.
    pub fn flush(&self, epoch: u64) {
        let mut queue = self.queue();
        queue.epoch = epoch;
        queue.retain(|message| !message.is_discarded_by_flush());
        drop(queue);
        self.poster.flush();
    }

    /// Waits after a [`flush`](Self::flush) for the message that is being posted, so that none of
    /// an earlier epoch follows. Returns at once in the handler of that very message.
    pub fn wait_audio_posted(&self) {
        self.wait_for_posting(FLUSH_WAIT_STEPS, |posting| posting.audio);
    }

    /// Waits after [`close`](Self::close) for the message that is being posted, so that none
    /// follows and a progress that is just ending has its end on the bus.
    pub fn wait_posted(&self) {
        self.wait_for_posting(STOP_WAIT_STEPS, |_| true);
    }

    fn wait_for_posting(&self, steps: u32, matters: impl Fn(Posting) -> bool) {
        let this_thread = thread::current().id();
        let is_pending = |queue: &mut Queue| {
            queue
                .posting
                .is_some_and(|posting| posting.by != this_thread && matters(posting))
        };
        let mut queue = self.queue();
        for _ in 0..steps {
            let waited = self
                .posted
                .wait_timeout_while(queue, WAIT_STEP, is_pending)
                .unwrap_or_else(PoisonError::into_inner);
            if !waited.1.timed_out() {
                return;
            }
            queue = waited.0;
        }
    }

    /// Appends a message of the current epoch.
    pub fn enqueue(&self, message: OutgoingMessage) {
        let epoch = self.queue().epoch;
        self.enqueue_for(epoch, message);
    }

    /// Appends a message of `epoch`, unless a flush has ended that.
    pub fn enqueue_for(&self, epoch: u64, message: OutgoingMessage) {
        let mut queue = self.queue();
        if queue.closed || (epoch < queue.epoch && message.is_discarded_by_flush()) {
            return;
        }
        // Every second response brings one. It posts nothing, and alone is not worth a job.
        if let OutgoingMessage::Event(Event::Settled { stream, until }) = message
            && !queue.job_running
            && queue.is_empty()
        {
            drop(queue);
            self.poster.timeline().forget(stream, until);
            return;
        }
        let fits = queue.push(epoch, message);
        drop(queue);
        if !fits && let Some(client) = self.client() {
            client.abort(Abort::Backlog);
        }
        self.schedule();
    }

    /// Starts a job, unless none may run yet, one is running, or nothing waits.
    fn schedule(&self) {
        let mut queue = self.queue();
        if !queue.opened || queue.job_running || queue.is_empty() {
            return;
        }
        queue.job_running = true;
        drop(queue);
        let (Some(outbox), Some(element)) = (self.weak_self.upgrade(), self.element.upgrade())
        else {
            return;
        };
        let job = outbox.clone();
        if let Err(error) = client::run_job(move || job.post_all()) {
            // That is what the run failed with, and has to be on the bus.
            gst::error!(self.poster.category, obj = element, "{error}");
            element.call_async(move |_| outbox.post_all());
        }
    }

    /// Posts until nothing waits.
    fn post_all(&self) {
        // Or EOS would wait for messages that no job posts.
        if catch_unwind(AssertUnwindSafe(|| while self.post_next() {})).is_err() {
            self.on_panic();
        }
    }

    /// Posts the next message. Returns false if there is none: the job is over then.
    fn post_next(&self) -> bool {
        // This may be the last reference, to be dropped when the queue is unlocked.
        let element = self.element.upgrade();
        let mut queue = self.queue();
        let next = element
            .as_ref()
            .and_then(|element| Some((element, queue.pop()?)));
        let Some((element, (epoch, message))) = next else {
            queue.job_running = false;
            return false;
        };
        queue.posting = Some(Posting {
            by: thread::current().id(),
            audio: message.is_discarded_by_flush(),
        });
        drop(queue);
        self.post(element, epoch, message);
        self.queue().posting = None;
        self.posted.notify_all();
        true
    }

    /// Ends the run with an error after a panic of the job. Another job posts it, and the rest.
    fn on_panic(&self) {
        let mut queue = self.queue();
        queue.job_running = false;
        queue.posting = None;
        let epoch = queue.epoch;
        drop(queue);
        self.posted.notify_all();
        if let Some(client) = self.client() {
            client.abort(Abort::Internal);
        }
        let (error, lost) = (Abort::Internal.into(), false);
        self.enqueue_for(epoch, OutgoingMessage::Event(Event::Failed { error, lost }));
    }

    fn client(&self) -> Option<Arc<Client>> {
        lock(&self.client).upgrade()
    }

    fn post(&self, element: &gst::Element, epoch: u64, message: OutgoingMessage) {
        let wanted = || {
            let queue = self.queue();
            !queue.closed && epoch == queue.epoch
        };
        match message {
            OutgoingMessage::Connecting => self.poster.progress.start(element),
            OutgoingMessage::Failed(report) => self.post_failure(element, report),
            OutgoingMessage::Event(Event::BoundaryDone { token }) => {
                if let Some(client) = self.client() {
                    client.acknowledge_done(token);
                }
                if let Some(listener) = &self.listener {
                    listener.on_done_posted(token);
                }
            }
            OutgoingMessage::Event(Event::Failed { error, lost }) => {
                self.post_failure(element, self.poster.report(&error, lost));
            }
            OutgoingMessage::Event(event) => self.poster.post_event(element, event, &wanted),
            OutgoingMessage::Dropped(report) | OutgoingMessage::Warning(report) => {
                self.poster.warn(element, report);
            }
            OutgoingMessage::Changed(property) => element.notify(property),
            OutgoingMessage::Refused(error) => {
                self.poster.refused(element, error);
                if let Some(listener) = &self.listener {
                    listener.on_refusal_posted();
                }
            }
            #[cfg(test)]
            OutgoingMessage::Panic => panic!("on purpose"),
        }
    }

    /// Posts the one error of the run, and tells the client: the streaming thread waits for that.
    fn post_failure(&self, element: &gst::Element, report: Report) {
        if !self.failed.swap(true, Ordering::SeqCst) {
            let wanted = || !self.queue().closed;
            self.poster.failed(element, report, &wanted);
        }
        if let Some(client) = self.client() {
            client.acknowledge_failure();
        }
        if let Some(listener) = &self.listener {
            listener.on_failure_posted();
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        lock(&self.queue)
    }
}

impl EventHandler for Outbox {
    fn handle(&self, epoch: u64, event: Event) {
        if let Some(listener) = &self.listener {
            listener.on_event(epoch, &event, &self.poster.timeline());
        }
        // Of use to a listener alone, and frequent.
        if !matches!(event, Event::Quiet { .. }) {
            self.enqueue_for(epoch, OutgoingMessage::Event(event));
        }
    }

    fn log(&self, level: Level, line: fmt::Arguments<'_>) {
        let level = match level {
            Level::Warning => gst::DebugLevel::Warning,
            Level::Info => gst::DebugLevel::Info,
            Level::Debug => gst::DebugLevel::Debug,
            Level::Log => gst::DebugLevel::Log,
        };
        let category = self.poster.category;
        if !category.above_threshold(level) {
            return;
        }
        if let Some(element) = self.element.upgrade() {
            // The line may quote the peer, and the peer may repeat a secret.
            let line = self.poster.redact(&line.to_string());
            gst::log_with_level!(category, level, obj = element, "{line}");
        }
    }
}

#[cfg(test)]
mod tests;
