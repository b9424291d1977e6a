//! One connection's side of a session: frame numbers, deadlines, and when audio may be sent.
//!
//! The service counts every frame itself, from 1 on each connection, and ends the session at a
//! number that differs. So numbers are given here and nowhere else. A session must be kept alive
//! by audio, ends by a finish with a negative number, and is over with the final response.

mod writes;

use std::ops::Range;
use std::time::Duration;

pub use writes::UNACKED_TIMEOUT;

use self::writes::Writes;
use super::error::SessionError;
use super::pacer::Pacer;
use super::replay_buffer::ReplayBuffer;
use super::settings::{Limits, Settings};
use super::timer::{self, Timer};

/// Upper bound on the wait of the first audio for the answer to the request.
///
/// The reference client waits without end, but some servers answer only when audio has begun.
pub const ACK_GRACE: Duration = Duration::from_millis(500);

/// Number of the request.
pub const REQUEST_SEQUENCE: i32 = 1;

/// Progress of the finish.
#[derive(Clone, Copy, Debug)]
enum Finish {
    No,
    /// It has its number.
    Numbered,
    /// It was written. The final response is due from then on, or from the latest response on.
    Written {
        waiting_since: Duration,
    },
}

/// State of one connection, from the handshake's end to its own. `E` is an error of the network.
#[derive(Debug)]
pub struct Connection<E> {
    limits: Limits,
    began: Duration,
    requested: Option<Duration>,
    acknowledged: bool,
    sequence: i32,
    finish: Finish,
    /// The samples that an earlier connection was sent. The service counts from the first.
    pub(super) replayed: Range<u64>,
    pacer: Pacer,
    /// Audio waits until then, for its pace or for the answer to the request.
    send_at: Option<Duration>,
    /// Since when there has been nothing to send.
    idle_since: Option<Duration>,
    last_message: Duration,
    pub(super) writes: Writes<E>,
}

impl<E> Connection<E> {
    /// `began`: when the attempt began. `audio`: what it is to be sent first.
    pub fn new(settings: &Settings, began: Duration, now: Duration, audio: &ReplayBuffer) -> Self {
        Connection {
            limits: settings.limits,
            began,
            requested: None,
            acknowledged: false,
            sequence: REQUEST_SEQUENCE,
            finish: Finish::No,
            replayed: audio.position()..audio.end(),
            pacer: Pacer::new(settings.max_speed),
            send_at: None,
            idle_since: None,
            last_message: now,
            writes: Writes::new(now),
        }
    }

    /// Takes the number of the next frame. A connection ends long before they overflow.
    pub fn take_sequence(&mut self) -> i32 {
        self.sequence = self.sequence.saturating_add(1);
        self.sequence
    }

    /// Begins the finish, which is handed over, and takes its number. That is sent negated.
    pub fn take_finish(&mut self, now: Duration) -> i32 {
        self.finish = Finish::Numbered;
        self.writes.begin(now, None);
        self.take_sequence()
    }

    /// Whether the request was handed over.
    pub fn is_requested(&self) -> bool {
        self.requested.is_some()
    }

    /// Whether the service answered the request.
    pub fn is_acknowledged(&self) -> bool {
        self.acknowledged
    }

    /// Whether the finish has its number.
    pub fn is_finishing(&self) -> bool {
        !matches!(self.finish, Finish::No)
    }

    /// Whether the finish was written.
    pub fn is_finish_written(&self) -> bool {
        matches!(self.finish, Finish::Written { .. })
    }

    /// Returns how long the peer has sent nothing.
    pub fn since_last_message(&self, now: Duration) -> Duration {
        now.saturating_sub(self.last_message)
    }

    /// Whether audio may be sent now. If not, [`next_timer`](Self::next_timer) says when.
    pub fn may_send_audio(&mut self, now: Duration) -> bool {
        let ready = match self.requested {
            Some(requested) if !self.acknowledged => requested + ACK_GRACE,
            _ => now,
        };
        let at = ready.max(self.pacer.ready_at(now));
        self.send_at = (at > now).then_some(at);
        at <= now
    }

    /// Whether audio that comes now may be sent at once.
    pub fn waits_for_input(&self) -> bool {
        self.is_requested()
            && self.send_at.is_none()
            && !self.is_finishing()
            && !self.writes.is_failed()
    }

    /// The request is handed over.
    pub fn on_request(&mut self, now: Duration) {
        self.requested = Some(now);
        self.writes.begin(now, None);
    }

    /// Audio of that length is handed over. `arrived`: when it reached the sink; `None` if it was
    /// sent before.
    pub fn on_audio(&mut self, now: Duration, length: Duration, arrived: Option<Duration>) {
        self.idle_since = None;
        self.pacer.sent(now, length);
        self.writes.begin(now, arrived);
    }

    /// There is nothing to send, and what was sent ends at `input_end`.
    pub fn on_nothing_to_send(&mut self, now: Duration, input_end: Duration) {
        self.idle_since.get_or_insert(now.max(input_end));
    }

    /// The idle timeout begins anew: at the end of input that came too late, if some did, otherwise
    /// when there is nothing to send again.
    pub fn on_input(&mut self, input_end: Option<Duration>) {
        self.idle_since = input_end;
    }

    /// Everything that was handed over is with the kernel. Returns how long the oldest new audio
    /// took from the sink to there.
    pub fn on_written(&mut self, now: Duration) -> Option<Duration> {
        if let Finish::Numbered = self.finish {
            self.finish = Finish::Written { waiting_since: now };
        }
        self.writes.complete(now)
    }

    /// Nothing more can be written. What the peer said before is still read.
    pub fn on_write_failed(&mut self, now: Duration, error: E) {
        self.send_at = None;
        self.writes.fail(now, error);
    }

    /// A message came. A peer that sends has not stalled, however slowly it takes data.
    pub fn on_message(&mut self, now: Duration) {
        self.last_message = now;
        self.writes.on_message(now);
    }

    /// A response came: the request is accepted, and the wait for the final response begins anew.
    pub fn on_response(&mut self, now: Duration) {
        self.acknowledged = true;
        if let Finish::Written { waiting_since } = &mut self.finish {
            *waiting_since = now;
        }
    }

    /// Returns the next deadline.
    pub fn next_timer(&self) -> Option<(Duration, Timer)> {
        let limits = self.limits;
        let acknowledged = (!self.acknowledged).then(|| self.began + limits.connect);
        let (input, last_response) = match self.finish {
            Finish::No => (self.idle_since.zip(limits.idle), None),
            Finish::Numbered => (None, None),
            Finish::Written { waiting_since } => (None, Some(waiting_since + limits.finish)),
        };
        timer::earliest([
            (self.writes.read_until(), Timer::Read),
            (self.writes.stalled_at(), Timer::Stalled),
            (acknowledged, Timer::Response),
            (input.map(|(since, idle)| since + idle), Timer::Input),
            (last_response, Timer::FinalResponse),
            (self.send_at, Timer::Pace),
        ])
    }

    /// A deadline has come. Returns the error with which the connection ends, if it does.
    pub fn on_timeout(&mut self, now: Duration, timer: Timer) -> Option<E>
    where
        E: From<SessionError>,
    {
        let error = match timer {
            Timer::Read => return self.writes.on_read_timeout(),
            Timer::Stalled => SessionError::Stalled(self.writes.stalled_for(now)),
            Timer::Response => SessionError::ResponseTimeout(self.limits.connect),
            Timer::FinalResponse => SessionError::FinalResponseTimeout(self.limits.finish),
            _ => {
                // `may_send_audio` computes it anew.
                self.send_at = None;
                return None;
            }
        };
        Some(error.into())
    }
}
