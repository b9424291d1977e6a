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

    /// Returns when the latest frame was handed over.
    pub fn latest(&self) -> Duration {
        self.latest
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

    /// The time after a failed write is over: takes its error once all that came was read.
    pub fn on_read_timeout(&mut self) -> Option<E> {
        let failure = self.failure.as_mut()?;
        failure.reads += 1;
        match failure.reads > MAX_READS_AFTER_WRITE_ERROR {
            true => self.take_error(),
            false => None,
        }
    }

    pub fn on_message(&mut self, now: Duration) {
        self.started = self.started.map(|_| now);
    }

    /// Returns when the time after a failed write is over. Only what is there by then is read.
    pub fn read_until(&self) -> Option<Duration> {
        self.failure.as_ref().map(|failure| failure.until)
    }

    /// Returns when the frames under way are given up.
    pub fn stalled_at(&self) -> Option<Duration> {
        Some((self.started? + UNACKED_TIMEOUT).min(self.latest + MAX_WRITE_TIME))
    }

    /// Returns for how long a peer has taken nothing that is given up `now`.
    pub fn stalled_for(&self, now: Duration) -> Duration {
        match now >= self.latest + MAX_WRITE_TIME {
            true => MAX_WRITE_TIME,
            false => UNACKED_TIMEOUT,
        }
    }
}
