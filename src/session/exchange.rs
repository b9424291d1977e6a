//! One connection's side of the exchange: packet numbers, what was sent, and what is overdue.
//!
//! The service counts every packet itself, from 1 on each connection, and ends the session at a number
//! that differs; so numbers are given here and nowhere else. A session must be kept alive by audio,
//! ends by a finish with a negative number, and is over with the final response.

use std::time::Duration;

/// How long the first audio waits for the service's answer to the request.
///
/// The reference client waits without end, but some servers answer only when audio has begun.
pub const ACK_GRACE: Duration = Duration::from_millis(500);

/// The user's time limits.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From the start of a connection to the answer to the request.
    pub connect: Duration,
    /// Without audio for so long: finish.
    pub idle: Option<Duration>,
    /// For the last words.
    pub finish: Duration,
    /// After so much audio a session ends at the next settled pause.
    pub session: Option<Duration>,
}

/// What should have happened by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overdue {
    /// The answer to the request.
    Ack,
    /// More audio: finish.
    Audio,
    /// The final response.
    Final,
}

#[derive(Debug)]
enum Phase {
    Open,
    /// The finish is numbered; counted from when it was written, if it was.
    Finishing {
        heard: Option<Duration>,
    },
}

/// The state of one connection.
#[derive(Debug)]
pub struct Exchange {
    limits: Limits,
    opened: Duration,
    requested: Duration,
    packets: i32,
    acknowledged: bool,
    phase: Phase,
}

impl Exchange {
    /// `opened`: when the try began; `requested`: when the request was sent, which is packet 1.
    pub fn new(limits: Limits, opened: Duration, requested: Duration) -> Self {
        Exchange {
            limits,
            opened,
            requested,
            packets: 1,
            acknowledged: false,
            phase: Phase::Open,
        }
    }

    /// The request's number.
    pub const REQUEST: i32 = 1;

    /// The next packet's number. None after 2³¹ packets: a new connection is due.
    pub fn number(&mut self) -> Option<i32> {
        self.packets = self.packets.checked_add(1)?;
        Some(self.packets)
    }

    /// The finish's number, to be sent negated.
    pub fn finish(&mut self) -> Option<i32> {
        self.phase = Phase::Finishing { heard: None };
        self.number()
    }

    /// The finish is with the kernel.
    pub fn finish_written(&mut self, now: Duration) {
        if let Phase::Finishing {
            heard: heard @ None,
        } = &mut self.phase
        {
            *heard = Some(now);
        }
    }

    /// Whether the finish was numbered.
    pub fn is_finishing(&self) -> bool {
        matches!(self.phase, Phase::Finishing { .. })
    }

    /// Whether the finish was written.
    pub fn is_finish_written(&self) -> bool {
        matches!(self.phase, Phase::Finishing { heard: Some(_) })
    }

    /// The service answered: the request is accepted, and the wait for the last words begins anew.
    pub fn heard(&mut self, now: Duration) {
        self.acknowledged = true;
        if let Phase::Finishing { heard: Some(heard) } = &mut self.phase {
            *heard = now;
        }
    }

    /// Whether the request was answered.
    pub fn is_acknowledged(&self) -> bool {
        self.acknowledged
    }

    /// When audio may go out: now, or when the wait for the answer has been long enough.
    pub fn audio_at(&self, now: Duration) -> Duration {
        if self.acknowledged {
            now
        } else {
            (self.requested + ACK_GRACE).max(now)
        }
    }

    /// What is due next, and when. `dry`: since when there has been nothing to send, if so.
    pub fn due(&self, dry: Option<Duration>) -> Option<(Duration, Overdue)> {
        let ack = (!self.acknowledged).then(|| (self.opened + self.limits.connect, Overdue::Ack));
        let rest = match self.phase {
            Phase::Open => match (dry, self.limits.idle) {
                (Some(dry), Some(idle)) => Some((dry + idle, Overdue::Audio)),
                _ => None,
            },
            Phase::Finishing { heard } => {
                heard.map(|heard| (heard + self.limits.finish, Overdue::Final))
            }
        };
        [ack, rest].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// Whether a session should go over to a new connection that has been sent so much audio that none was sent
    /// before: at a pause in which everything is settled, or, without one for long, anywhere.
    pub fn should_rotate(&self, audio: Duration, settled: bool) -> bool {
        let Some(max) = self.limits.session else {
            return false;
        };
        matches!(self.phase, Phase::Open)
            && self.acknowledged
            && audio >= if settled { max } else { max + max / 2 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn exchange() -> Exchange {
        let limits = Limits {
            connect: ms(10_000),
            idle: Some(ms(4000)),
            finish: ms(5000),
            session: Some(ms(600_000)),
        };
        Exchange::new(limits, ms(100), ms(200))
    }

    #[test]
    fn packets_are_numbered_without_a_hole_and_the_finish_has_the_next() {
        let mut exchange = exchange();
        assert_eq!(Exchange::REQUEST, 1);
        assert_eq!((exchange.number(), exchange.number()), (Some(2), Some(3)));
        assert_eq!(exchange.finish(), Some(4));
    }

    #[test]
    fn the_ack_is_due_within_the_connect_timeout_of_the_try() {
        let mut exchange = exchange();
        assert_eq!(exchange.due(None), Some((ms(10_100), Overdue::Ack)));
        exchange.heard(ms(300));
        assert_eq!(exchange.due(None), None);
    }

    #[test]
    fn audio_waits_for_the_ack_but_not_for_long() {
        let mut exchange = exchange();
        assert_eq!(exchange.audio_at(ms(250)), ms(700));
        assert_eq!(exchange.audio_at(ms(800)), ms(800));
        exchange.heard(ms(300));
        assert_eq!(exchange.audio_at(ms(301)), ms(301));
    }

    #[test]
    fn without_audio_the_finish_is_due() {
        let mut exchange = exchange();
        exchange.heard(ms(300));
        assert_eq!(
            exchange.due(Some(ms(1000))),
            Some((ms(5000), Overdue::Audio))
        );
    }

    #[test]
    fn the_last_words_are_due_from_the_finish_s_write_and_each_response_on() {
        let mut exchange = exchange();
        exchange.heard(ms(300));
        exchange.finish();
        assert_eq!(exchange.due(Some(ms(0))), None, "not written yet");
        exchange.finish_written(ms(1000));
        assert_eq!(exchange.due(None), Some((ms(6000), Overdue::Final)));
        exchange.heard(ms(4000));
        assert_eq!(exchange.due(None), Some((ms(9000), Overdue::Final)));
    }

    #[test]
    fn a_session_rotates_at_a_settled_pause_or_at_half_as_much_again() {
        let mut exchange = exchange();
        exchange.heard(ms(300));
        assert!(!exchange.should_rotate(ms(599_999), true));
        assert!(exchange.should_rotate(ms(600_000), true));
        assert!(!exchange.should_rotate(ms(899_999), false));
        assert!(exchange.should_rotate(ms(900_000), false));
        exchange.finish();
        assert!(!exchange.should_rotate(ms(900_000), false));
    }
}
