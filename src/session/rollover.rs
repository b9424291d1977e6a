//! Rollover: when a long session continues on a new connection, and how.
//!
//! It waits for a pause in which everything is final; without one, at the latest after 1.5 times
//! the limit. It also waits for the answers that it needs. Where words have times, these are the
//! answers for the audio that cannot be sent again. Where they have none, the words would be cut at
//! an unknown place, so the final response is waited for, once the service is not behind.

use std::time::Duration;

/// `bigmodel_async` sends nothing during silence; a service that is behind says something more
/// often.
const SILENCE_BEFORE_ROLLOVER: Duration = Duration::from_secs(10);

/// Way in which a session continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rollover {
    /// As if it were lost: what may still hold words is sent again, so that none is cut.
    Replay,
    /// After its final response: what comes next opens another connection.
    AfterFinal,
}

/// State of the session that decides.
#[derive(Clone, Copy, Debug)]
pub struct Situation {
    /// Audio of the session that no session before it was sent. Where everything is sent again,
    /// one rollover would cause the next otherwise.
    pub new_audio: Duration,
    /// The service has answered in this session, and every utterance is final.
    pub all_final: bool,
    /// A rollover by replay would know the times of the words that it divides.
    pub words_have_times: bool,
    /// The answers that the rollover needs have come.
    pub answers_complete: bool,
    /// How long the service has sent nothing. After 10 s, silence and a service that is behind look
    /// the same, so it is asked for a final response.
    pub since_last_message: Duration,
}

impl Rollover {
    /// Returns how to continue now, if the session should. `max`: its limit.
    pub fn decide(max: Duration, now: Situation) -> Option<Self> {
        let limit = if now.all_final { max } else { max + max / 2 };
        if now.new_audio < limit {
            return None;
        }
        match (now.words_have_times, now.answers_complete) {
            (true, true) => Some(Rollover::Replay),
            (false, true) => Some(Rollover::AfterFinal),
            (_, false) => {
                (now.since_last_message >= SILENCE_BEFORE_ROLLOVER).then_some(Rollover::AfterFinal)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(600);
    const SHORTLY: Duration = Duration::from_millis(100);

    fn situation(audio: u64, all_final: bool) -> Situation {
        Situation {
            new_audio: Duration::from_millis(audio),
            all_final,
            words_have_times: true,
            answers_complete: true,
            since_last_message: SHORTLY,
        }
    }

    #[test]
    fn it_is_due_at_a_pause_or_after_half_as_much_again() {
        let replay = Some(Rollover::Replay);
        for (audio, all_final, is) in [
            (599_999, true, None),
            (600_000, true, replay),
            (600_000, false, None),
            (899_999, false, None),
            (900_000, false, replay),
        ] {
            let decided = Rollover::decide(LIMIT, situation(audio, all_final));
            assert_eq!(decided, is, "{audio} {all_final}");
        }
    }

    #[test]
    fn it_waits_for_the_answers_that_it_needs() {
        let (replay, after_final) = (Some(Rollover::Replay), Some(Rollover::AfterFinal));
        for (words_have_times, answers_complete, since_last_message, is) in [
            (true, true, SHORTLY, replay),
            (true, true, SILENCE_BEFORE_ROLLOVER, replay),
            (true, false, SHORTLY, None),
            (true, false, SILENCE_BEFORE_ROLLOVER, after_final),
            (false, true, SHORTLY, after_final),
            (false, false, SHORTLY, None),
            (false, false, SILENCE_BEFORE_ROLLOVER, after_final),
        ] {
            let situation = Situation {
                words_have_times,
                answers_complete,
                since_last_message,
                ..situation(600_000, true)
            };
            assert_eq!(Rollover::decide(LIMIT, situation), is, "{situation:?}");
        }
    }
}
