//! What is to be posted, in order, by at most one job on the process's bounded pool.
//!
//! An application's sync handler may block, call back into the element, or shut the pipeline down. So
//! nothing is posted from the tasks that move audio, nor, where that can be avoided, from the
//! streaming thread; and no lock is held while posting.

mod outgoing;
mod queue;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use gst::glib;
use gst::prelude::*;

use crate::element::CAT;
use crate::element::bus::poster::Posting;
use queue::{Delivery, Queue};

pub(crate) use outgoing::Post;

use crate::client::{self, Client, ClientError, Event, EventHandler, Level};

/// How long a flush waits for a message that is on its way to the bus. Longer than that, the
/// application's own handler has it.
const UNDER_WAY: Duration = Duration::from_millis(100);
/// The same for a stop, which is to be over within 100 ms altogether.
const STOPPING: Duration = Duration::from_millis(50);

/// One run's outbox.
pub(crate) struct Outbox {
    element: glib::WeakRef<gst::Element>,
    pub posting: Posting,
    client: Mutex<Weak<Client>>,
    queue: Mutex<Queue>,
    delivered: Condvar,
    failed: AtomicBool,
    myself: Weak<Outbox>,
}

impl Outbox {
    /// An outbox that posts nothing before it is [opened](Self::open).
    pub fn new(element: &gst::Element, posting: Posting) -> Arc<Self> {
        Arc::new_cyclic(|myself| Outbox {
            element: element.downgrade(),
            posting,
            client: Mutex::new(Weak::new()),
            queue: Mutex::new(Queue::new()),
            delivered: Condvar::new(),
            failed: AtomicBool::new(false),
            myself: myself.clone(),
        })
    }

    /// Begins to post, and to tell `client` what has been posted.
    pub fn open(&self, client: &Arc<Client>) {
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(client);
        self.queue().busy = false;
        self.work();
    }

    /// Posts nothing more.
    pub fn close(&self) {
        let mut queue = self.queue();
        queue.closed = true;
        queue.retain(|_| false);
    }

    /// Drops what an older epoch had to say.
    pub fn flush(&self, epoch: u64) {
        let mut queue = self.queue();
        queue.epoch = epoch;
        queue.retain(|post| !post.is_discarded_by_flush());
        drop(queue);
        self.posting.forget_announced();
    }

    /// After [`flush`](Self::flush): waits for what was on its way to the bus already, so that nothing
    /// of an older epoch comes after this. Not in a handler of that very message, nor long.
    pub fn settle(&self) {
        self.wait_for_delivery(UNDER_WAY, |delivery| delivery.audio);
    }

    /// After [`close`](Self::close): the same for whatever it is, so that nothing comes after this, and a
    /// progress that is just being ended has its end on the bus.
    pub fn settle_all(&self) {
        self.wait_for_delivery(STOPPING, |_| true);
    }

    fn wait_for_delivery(&self, limit: Duration, matters: impl Fn(Delivery) -> bool) {
        let me = thread::current().id();
        let queue = self.queue();
        let under_way = |queue: &mut Queue| {
            queue
                .delivering
                .is_some_and(|delivery| delivery.by != me && matters(delivery))
        };
        drop(
            self.delivered
                .wait_timeout_while(queue, limit, under_way)
                .unwrap_or_else(PoisonError::into_inner),
        );
    }

    /// Appends something of the current epoch.
    pub fn post(&self, post: Post) {
        let epoch = self.queue().epoch;
        self.push(epoch, post);
    }

    /// Appends something of an epoch, unless it is over.
    pub fn push(&self, epoch: u64, post: Post) {
        let mut queue = self.queue();
        // A failure, say, is none of a flush's business.
        if queue.closed || (epoch < queue.epoch && post.is_discarded_by_flush()) {
            return;
        }
        // By itself it comes with every second response, posts nothing, and is not worth waking a thread.
        if let Post::Event(Event::Settled { stream, until }) = post
            && !queue.busy
            && queue.is_empty()
        {
            drop(queue);
            self.posting.timeline().forget(stream, until);
            return;
        }
        let fits = queue.push(epoch, post);
        drop(queue);
        if !fits && let Some(client) = self.client() {
            client.fail_backlogged();
        }
        self.work();
    }

    /// Sees to it that a job is at work, if there is any.
    fn work(&self) {
        let mut queue = self.queue();
        if queue.busy || queue.is_empty() {
            return;
        }
        queue.busy = true;
        drop(queue);
        let Some(outbox) = self.myself.upgrade() else {
            return;
        };
        let job = move || {
            let _guard = PanicGuard(&outbox);
            outbox.empty();
        };
        if let Err(error) = client::run_job(job) {
            gst::error!(CAT, "can't post: {error}");
            self.queue().busy = false;
        }
    }

    /// The job: posts until nothing is left.
    fn empty(&self) {
        while let Some(element) = self.element.upgrade() {
            let (epoch, post) = {
                let mut queue = self.queue();
                let Some((epoch, post)) = queue.pop() else {
                    queue.busy = false;
                    return;
                };
                queue.delivering = Some(Delivery {
                    by: thread::current().id(),
                    audio: post.is_discarded_by_flush(),
                });
                (epoch, post)
            };
            self.deliver(&element, epoch, post);
            self.queue().delivering = None;
            self.delivered.notify_all();
        }
        self.queue().busy = false;
    }

    /// The job has panicked: ends the run with an error, and lets another job post that and what is left.
    fn on_panic(&self) {
        let mut queue = self.queue();
        queue.busy = false;
        queue.delivering = None;
        let epoch = queue.epoch;
        drop(queue);
        self.delivered.notify_all();
        if let Some(client) = self.client() {
            client.fail_internally();
        }
        let (error, lost) = (ClientError::Internal, false);
        self.push(epoch, Post::Event(Event::Failed { error, lost }));
    }

    fn client(&self) -> Option<Arc<Client>> {
        self.client
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .upgrade()
    }

    fn deliver(&self, element: &gst::Element, epoch: u64, post: Post) {
        let wanted = || {
            let queue = self.queue();
            !queue.closed && epoch == queue.epoch
        };
        match post {
            Post::Event(Event::BoundaryDone { token }) => {
                if let Some(client) = self.client() {
                    client.acknowledge_done(token);
                }
            }
            Post::Event(Event::Failed { error, lost }) => {
                self.fail(|open| self.posting.failed(element, &error, lost, open));
            }
            Post::Event(event) => self.posting.event(element, event, &wanted),
            Post::Dropped { times, lost } => self.posting.dropped(element, times, lost),
            Post::Backwards => self.posting.backwards(element),
            Post::Ineffective(found) => self.posting.ineffective(element, &found),
            #[cfg(test)]
            Post::Panic => panic!("on purpose"),
        }
    }

    /// Posts the one error, as `post` does it, for whoever waits for that.
    fn fail(&self, post: impl FnOnce(&dyn Fn() -> bool)) {
        // One error for one cause.
        if !self.failed.swap(true, Ordering::SeqCst) {
            post(&|| !self.queue().closed);
        }
        if let Some(client) = self.client() {
            client.acknowledge_failure();
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sees to it that a job's panic does not leave EOS waiting for what no job would post any more.
struct PanicGuard<'a>(&'a Outbox);

impl Drop for PanicGuard<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.on_panic();
        }
    }
}

impl EventHandler for Outbox {
    fn handle(&self, epoch: u64, event: Event) {
        self.push(epoch, Post::Event(event));
    }

    fn log(&self, level: Level, line: fmt::Arguments<'_>) {
        let level = match level {
            Level::Warning => gst::DebugLevel::Warning,
            Level::Info => gst::DebugLevel::Info,
            Level::Debug => gst::DebugLevel::Debug,
            Level::Log => gst::DebugLevel::Log,
        };
        if !CAT.above_threshold(level) {
            return;
        }
        if let Some(element) = self.element.upgrade() {
            // It may quote the peer, which may quote us.
            let line = self.posting.redact(&line.to_string());
            gst::log_with_level!(CAT, level, obj = element, "{line}");
        }
    }
}

#[cfg(test)]
mod tests;
