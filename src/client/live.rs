//! One connection at work: audio out, responses in, until it ends.

use std::time::Duration;

use tokio::task::coop::unconstrained;
use tokio::time::sleep_until;

use super::driver::Driver;
use super::error::ClientError;
use super::event::Level;
use super::net::transport::TCP_USER_TIMEOUT;
use super::net::websocket::WsEvent;
use super::rotation::Rotation;
use crate::session::exchange::{Exchange, Overdue};
use crate::session::pacer::Pacer;
use crate::session::queue::Boundary;

/// A peer that answers, and still has not taken a frame after so long, never will.
const TOO_SLOW: Duration = Duration::from_secs(60);
/// After a failed write the socket is read for so long: an error frame there says more.
const LAST_READ: Duration = Duration::from_millis(500);
/// And so many messages of what is there by then.
const LAST_LOOKS: u32 = 64;

/// Of the messages that are ignored on a connection, so many are worth a warning.
const LOUDLY_IGNORED: u32 = 8;

/// How a connection ended, if nothing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With its last words, or without hope for more of them.
    Finished,
    /// Long enough: the next connection goes on.
    Rotated,
    /// Without its last words, which were waited for long enough.
    Overdue,
    /// In good order, as the service sees it, but without its last words.
    Unconfirmed,
}

pub(super) struct Live {
    /// The stream's sample that the service counts from.
    pub(super) origin: u64,
    /// The end of what was sent.
    pub(super) sent: u64,
    /// Where audio begins that no connection was sent before.
    pub(super) fresh: u64,
    pub(super) pacer: Pacer,
    /// Not before then, because of the pace or the missing ack.
    pub(super) send_at: Option<Duration>,
    /// Since when there has been nothing to send.
    pub(super) dry: Option<Duration>,
    pub(super) writing_since: Option<Duration>,
    /// When the oldest audio that is being written reached the sink, but for what is sent again.
    pub(super) arrived: Option<Duration>,
    /// When the frame that is under way was handed over, whatever came since.
    pub(super) handed_over: Duration,
    /// Writing failed: until when to read on, and what to say then.
    pub(super) failed: Option<(Duration, ClientError)>,
    /// How often it was read since then, or enough.
    looks: u32,
    pub(super) nonsense: u32,
    /// When the service said something last.
    pub(super) heard: Duration,
    /// How many messages were ignored, and logged.
    pub(super) ignored: u32,
}

impl Driver {
    /// Runs the connection whose request was just sent, if `asked` says so, and whose audio begins at `origin`.
    pub(super) async fn live(
        &mut self,
        exchange: &mut Exchange,
        origin: u64,
        asked: Result<(), ClientError>,
    ) -> Result<End, ClientError> {
        let shared = self.shared.clone();
        let mut live = Live {
            origin,
            sent: origin,
            fresh: self.replay_buffer.end().max(origin),
            pacer: Pacer::new(self.config.max_speed),
            send_at: None,
            dry: None,
            writing_since: Some(self.now()),
            arrived: None,
            handed_over: self.now(),
            failed: asked.err().map(|error| (self.now() + LAST_READ, error)),
            looks: 0,
            nonsense: 0,
            heard: self.now(),
            ignored: 0,
        };
        loop {
            if live.failed.is_none() {
                // First, or a queue that never runs dry would put it off for ever.
                match self.rotation(exchange, &live) {
                    Some(Rotation::Again) => {
                        self.rotate(exchange);
                        return Ok(End::Rotated);
                    }
                    // As in any other pause: what comes next opens another session.
                    Some(Rotation::Finish) => self.pending = Some(Boundary::EndSession),
                    None => {}
                }
                if let Err(error) = self.send(exchange, &mut live) {
                    live.fail(self.now(), error);
                }
            }
            // Without a finish on the wire, a finish without audio would only draw an error.
            if exchange.is_finishing() && live.sent == live.origin {
                self.tracker.finalize_unconfirmed(&mut self.updates);
                self.tell_updates();
                return Ok(End::Finished);
            }
            let due = live.due(exchange, self.retries.finish_deadline());
            // Before it waits, or a peer that never stops talking would put it off for ever.
            if due.is_some_and(|at| at <= self.now())
                && let Some(end) = self.on_due(exchange, &mut live)?
            {
                return Ok(end);
            }
            let due = live.due(exchange, self.retries.finish_deadline());
            let wake = shared.started + due.unwrap_or_default();
            let Some(websocket) = self.websocket.as_mut() else {
                return Err(ClientError::Internal);
            };
            let hungry = websocket.is_ready() && live.send_at.is_none() && !exchange.is_finishing();
            tokio::select! {
                biased;
                event = websocket.next() => {
                    if let Some(end) = self.on_event(event, exchange, &mut live)? {
                        return Ok(end);
                    }
                }
                () = shared.ready.notified(), if hungry => {}
                // Also after a peer whose fragments never end has used up the task's turn.
                () = unconstrained(sleep_until(wake)), if due.is_some() => {
                    // There is nothing to read.
                    live.looks = LAST_LOOKS;
                }
            }
        }
    }

    fn on_event(
        &mut self,
        event: WsEvent,
        exchange: &mut Exchange,
        live: &mut Live,
    ) -> Result<Option<End>, ClientError> {
        let now = self.now();
        match event {
            WsEvent::Written => {
                live.writing_since = None;
                if let Some(arrived) = live.arrived.take() {
                    let latency = now.saturating_sub(arrived);
                    self.shared
                        .counters
                        .update(|counts| counts.send_latency(latency));
                }
                if exchange.is_finishing() {
                    exchange.finish_written(now);
                    self.retries.on_finish_written(now);
                }
                Ok(None)
            }
            WsEvent::Frame(bytes) => {
                // Whoever answers is not gone, however slowly it takes what it gets.
                live.writing_since = live.writing_since.map(|_| now);
                live.heard = now;
                self.on_frame(&bytes, exchange, live)
            }
            WsEvent::Heartbeat => Ok(None),
            WsEvent::Text(length) => {
                self.log(
                    live.ignores(),
                    format_args!("ignored a text message of {length} bytes"),
                );
                Ok(None)
            }
            WsEvent::Closed { code: 1000, .. } if exchange.is_finish_written() => {
                self.log(
                    Level::Info,
                    format_args!("the service closed without a final response"),
                );
                Ok(Some(End::Unconfirmed))
            }
            WsEvent::Closed { code, reason } => Err(ClientError::Closed { code, reason }),
            WsEvent::WriteFailed(error) => {
                live.writing_since = None;
                live.fail(
                    now,
                    ClientError::from_websocket(error, exchange.is_acknowledged()),
                );
                Ok(None)
            }
            WsEvent::Broken(error) => Err(match live.failed.take() {
                Some((_, error)) => error,
                None => ClientError::from_websocket(error, exchange.is_acknowledged()),
            }),
        }
    }

    fn on_due(
        &mut self,
        exchange: &mut Exchange,
        live: &mut Live,
    ) -> Result<Option<End>, ClientError> {
        let now = self.now();
        if live.failed.as_ref().is_some_and(|(until, _)| *until <= now) {
            // On a busy machine the time may be over before there was any to read.
            live.looks = live.looks.saturating_add(1);
            if live.looks > LAST_LOOKS
                && let Some((_, error)) = live.failed.take()
            {
                return Err(error);
            }
            return Ok(None);
        }
        if let Some((at, silence)) = live.stalled()
            && at <= now
        {
            return Err(ClientError::Stalled(silence));
        }
        if self.retries.finish_deadline().is_some_and(|at| at <= now) {
            return Ok(Some(End::Overdue));
        }
        match exchange.due(live.dry) {
            Some((at, Overdue::Ack)) if at <= now => {
                return Err(ClientError::ResponseTimeout(self.config.limits.connect));
            }
            Some((at, Overdue::Final)) if at <= now => {
                return Err(ClientError::FinalTimeout(self.config.limits.finish));
            }
            Some((at, Overdue::Audio)) if at <= now => {
                live.dry = None;
                let idle = self.config.limits.idle.unwrap_or_default();
                let mut state = self.shared.state();
                if state.input_end + idle > now {
                    // Audio comes, if too little yet for a chunk.
                    live.dry = Some(state.input_end);
                } else if !state.queue.is_ready() && state.epoch == self.epoch {
                    state.queue.push_boundary(Boundary::EndSession);
                    drop(state);
                    self.shared.ready.notify_one();
                    self.log(
                        Level::Debug,
                        format_args!("no audio for a while: finishing the session"),
                    );
                }
            }
            _ => {}
        }
        Ok(None)
    }
}

impl Live {
    /// Nothing more can be written; what was said before is read.
    fn fail(&mut self, now: Duration, error: ClientError) {
        self.failed = Some((now + LAST_READ, error));
        self.looks = 0;
    }

    /// When something is to be done, if nothing happens before.
    fn due(&self, exchange: &Exchange, finish: Option<Duration>) -> Option<Duration> {
        let failed = self.failed.as_ref().map(|(until, _)| *until);
        let stalled = self.stalled().map(|(at, _)| at);
        let due = exchange.due(self.dry).map(|(at, _)| at);
        // Nothing is sent any more, however long it has been due.
        let send = self.send_at.filter(|_| self.failed.is_none());
        [send, failed, stalled, due, finish]
            .into_iter()
            .flatten()
            .min()
    }

    /// A message is ignored: how loudly to say so. A peer that sends nothing else must not fill the log.
    pub(super) fn ignores(&mut self) -> Level {
        self.ignored = self.ignored.saturating_add(1);
        match self.ignored {
            0..=LOUDLY_IGNORED => Level::Warning,
            _ => Level::Debug,
        }
    }

    /// When the frame under way is given up, and after how long.
    fn stalled(&self) -> Option<(Duration, Duration)> {
        let since = self.writing_since?;
        let silent = (since + TCP_USER_TIMEOUT, TCP_USER_TIMEOUT);
        Some(silent.min((self.handed_over + TOO_SLOW, TOO_SLOW)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::exchange::Limits;

    /// The time for the next frame passes while a socket that takes none is read on.
    #[test]
    fn after_a_failed_write_nothing_is_due_but_the_end() {
        let ms = Duration::from_millis;
        let limits = Limits {
            connect: ms(10_000),
            idle: None,
            finish: ms(5000),
            session: None,
        };
        let mut exchange = Exchange::new(limits, ms(0), ms(0));
        exchange.heard(ms(10));
        let mut live = Live {
            origin: 0,
            sent: 0,
            fresh: 0,
            pacer: Pacer::new(10.0),
            send_at: Some(ms(100)),
            dry: None,
            writing_since: None,
            arrived: None,
            handed_over: ms(0),
            failed: None,
            looks: 0,
            nonsense: 0,
            heard: ms(10),
            ignored: 0,
        };
        assert_eq!(live.due(&exchange, None), Some(ms(100)));
        live.failed = Some((ms(600), ClientError::Internal));
        assert_eq!(live.due(&exchange, None), Some(ms(600)));
    }
}
