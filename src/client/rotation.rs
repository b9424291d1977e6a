//! Long sessions: when one goes over to the next, and how.

use std::time::Duration;

use bytes::Bytes;

use super::driver::Driver;
use super::event::Level;
use super::live::Live;
use super::net::transport::Transport;
use super::net::websocket::{WebSocket, WsEvent};
use crate::protocol::frame;
use crate::session::exchange::Exchange;
use crate::session::samples_to_time;

/// What the old session of a rotation gets to end in good order.
const ROTATED_FINISH: Duration = Duration::from_secs(2);
/// `bigmodel_async` says nothing in silence; a service that is behind says something more often.
const QUIET: Duration = Duration::from_secs(10);

/// How a session goes over to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rotation {
    /// As if it were lost: what may still hold words is sent again, so that none is cut.
    Again,
    /// Its last words are waited for.
    Finish,
}

impl Rotation {
    /// A long session waits for the answers that it needs. With words whose times are known (`timed`) these are the ones for what
    /// can't be sent again; otherwise nobody knows where to cut, and the last words are waited for, if the service is not behind.
    /// `quiet`: for so long it has said nothing. Then there is no telling silence from speech that it is behind with, so it
    /// is asked.
    fn of(timed: bool, answered: bool, quiet: Duration) -> Option<Self> {
        match (timed, answered) {
            (true, true) => Some(Rotation::Again),
            (false, true) => Some(Rotation::Finish),
            (_, false) => (quiet >= QUIET).then_some(Rotation::Finish),
        }
    }
}

impl Driver {
    /// Whether to go over to another session now.
    pub(super) fn rotation(&self, exchange: &Exchange, live: &Live) -> Option<Rotation> {
        let rate = self.config.request.rate;
        // What was sent again does not count: where everything is, one rotation would draw the next.
        let fresh = live.sent.saturating_sub(live.fresh);
        // Nothing is open either while the service has not said anything yet.
        let silent = self.tracker.processed_until() <= samples_to_time(live.origin, rate);
        let settled = !silent && !self.tracker.has_open();
        let is_due = exchange.should_rotate(samples_to_time(fresh, rate), settled);
        // With a boundary to carry out it ends anyway.
        if !is_due
            || self.pending.is_some()
            || !self.websocket.as_ref().is_some_and(WebSocket::is_ready)
        {
            return None;
        }
        let window = samples_to_time(self.replay_buffer.start(), rate);
        let timed = !self.tracker.would_lose_untimed_words(window);
        let answered = if timed {
            self.tracker.resolved_until() >= window
        } else {
            let sent = samples_to_time(live.sent, rate);
            self.tracker.processed_until() + self.config.result_latency() >= sent
        };
        let quiet = self.now().saturating_sub(live.heard);
        Rotation::of(timed, answered, quiet)
    }

    /// Goes over to a new connection as if this one were lost, but lets it end in good order.
    pub(super) fn rotate(&mut self, exchange: &mut Exchange) {
        self.log(
            Level::Info,
            format_args!("long enough: on to a new session"),
        );
        self.restart(self.replay_buffer.start());
        let finish = exchange.finish().map(|number| self.encoder.finish(number));
        self.leave_by(|websocket| see_out(websocket, finish));
    }
}

/// The end of a session whose words nobody waits for any more.
async fn see_out(mut websocket: WebSocket<Transport>, finish: Option<Bytes>) {
    let end = async {
        let Some(Ok(())) = finish.map(|finish| websocket.send(finish)) else {
            return;
        };
        loop {
            match websocket.next().await {
                WsEvent::Frame(bytes) if !frame::decode(&bytes).is_ok_and(|frame| frame.last) => {}
                WsEvent::Written | WsEvent::Text(_) | WsEvent::Heartbeat => {}
                _ => return,
            }
        }
    };
    let _ = tokio::time::timeout(ROTATED_FINISH, end).await;
    websocket.close().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_goes_on_until_what_it_said_is_told() {
        let moment = Duration::from_millis(100);
        let (again, finish) = (Some(Rotation::Again), Some(Rotation::Finish));
        for (timed, answered, quiet, is) in [
            (true, true, moment, again),
            (true, true, QUIET, again),
            (true, false, moment, None),
            (true, false, QUIET, finish),
            (false, true, moment, finish),
            (false, false, moment, None),
            (false, false, QUIET, finish),
        ] {
            assert_eq!(Rotation::of(timed, answered, quiet), is);
        }
    }
}
