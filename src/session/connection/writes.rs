//! Progress of a connection's writes: a peer that takes nothing, and what is read after a failure.

use std::time::Duration;

/// Time without an acknowledgement after which a peer is gone. The sockets use it too.
pub const UNACKED_TIMEOUT: Duration = Duration::from_secs(10);
/// Time after which a peer that answers, and still has not taken a frame, never will.
pub const MAX_WRITE_TIME: Duration = Duration::from_secs(60);
/// Time for which the socket is read after a failed write: an error frame there says more.
pub const READ_AFTER_WRITE_ERROR: Duration = Duration::from_millis(500);
/// Upper bound on the messages that are read after that time. On a busy machine it may pass before
/// what has come is read.
const MAX_READS_AFTER_WRITE_ERROR: u32 = 64;

#[derive(Debug)]
struct Failure<E> {
    error: E,
    /// Reading goes on until then.
    until: Duration,
    /// Number of messages read after that.
    reads: u32,
}

/// Writes of one connection, and what follows from a failed one.
#[derive(Debug)]
pub struct Writes<E> {
    /// When the frames under way were handed over, or the peer said something last.
    started: Option<Duration>,
    /// When the latest frame was handed over.
    latest: Duration,
    /// When the oldest new audio under way reached the sink.
    arrived: Option<Duration>,
    failure: Option<Failure<E>>,
}

impl<E> Writes<E> {
    pub fn new(now: Duration) -> Self {
        Writes {
            started: None,
            latest: now,
            arrived: None,
            failure: None,
        }
    }

    /// Whether frames are under way to the kernel.
    pub fn is_active(&self) -> bool {
        self.started.is_some()
    }

    /// Whether a write has failed, so that only reading goes on.
    pub fn is_failed(&self) -> bool {
        self.failure.is_some()
    }

    pub fn begin(&mut self, now: Duration, arrived: Option<Duration>) {
        self.started = Some(now);
        self.latest = now;
        self.arrived = self.arrived.or(arrived);
    }

    pub fn complete(&mut self, now: Duration) -> Option<Duration> {
        self.started = None;
        let arrived = self.arrived.take()?;
        Some(now.saturating_sub(arrived))
    }

    pub fn fail(&mut self, now: Duration, error: E) {
        self.started = None;
        self.failure = Some(Failure {
            error,
            until: now + READ_AFTER_WRITE_ERROR,
            reads: 0,
        });
    }

    /// Takes the error of a failed write.
    pub fn take_error(&mut self) -> Option<E> {
        self.failure.take().map(|failure| failure.error)
    }

    /// There is nothing to read.
    pub fn on_nothing_to_read(&mut self) {
        if let Some(failure) = &mut self.failure {
            failure.reads = MAX_READS_AFTER_WRITE_ERROR;
        }
    }

    pub fn on_message(&mut self, now: Duration) {
        self.started = self.started.map(|_| now);
    }

    /// Whether the time after a failed write is over, and only what is there by now is read.
    pub fn is_reading_last(&self, now: Duration) -> bool {
        self.failure.as_ref().is_some_and(|f| f.until <= now)
    }

    pub fn next_deadline(&self) -> Option<Duration> {
        let failed = self.failure.as_ref().map(|failure| failure.until);
        let stalled = self.stalled().map(|(at, _)| at);
        [failed, stalled].into_iter().flatten().min()
    }

    pub fn expired(&mut self, now: Duration) -> Option<super::Expired<E>> {
        if let Some(failure) = &mut self.failure
            && failure.until <= now
        {
            failure.reads = failure.reads.saturating_add(1);
            if failure.reads <= MAX_READS_AFTER_WRITE_ERROR {
                return None;
            }
            return self.take_error().map(super::Expired::WriteFailed);
        }
        let (at, after) = self.stalled()?;
        (at <= now).then_some(super::Expired::Stalled(after))
    }

    /// Returns when the frames under way are given up, and after how long.
    fn stalled(&self) -> Option<(Duration, Duration)> {
        let silent = (self.started? + UNACKED_TIMEOUT, UNACKED_TIMEOUT);
        Some(silent.min((self.latest + MAX_WRITE_TIME, MAX_WRITE_TIME)))
    }
}
