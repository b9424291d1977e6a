//! Rollover: when a long session continues on a new connection, and how.
//!
//! It waits for a pause in which everything is final or, without one, until 1.5 times the limit.
//! Beyond that it waits only for the answers that it needs. Where words have times, these are the
//! answers for the audio that cannot be sent again. Where they have none, the words would be cut at
//! an unknown place, so the final response is waited for, once the service is not behind.

use std::time::Duration;

/// Time without a response after which the service is taken to receive silence. `bigmodel_async`
/// sends no response to silence; a service that is behind rarely pauses for so long.
const SILENCE_BEFORE_ROLLOVER: Duration = Duration::from_secs(10);

/// Way in which a session continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rollover {
    /// Replays what may still hold words, as after a loss, so that no word is cut.
    Replay,
    /// Waits for the final response first: what comes next opens another connection.
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
    /// How long the service has sent nothing. After 10 s it is asked for a final response, which
    /// comes with or without words.
    pub since_last_message: Duration,
}

impl Rollover {
    /// Returns whether one may be due after so much audio of the session. If not, the rest of the
    /// situation, which takes longer to find out, does not count. `max`: the session's limit.
    pub fn may_be_due(max: Duration, new_audio: Duration) -> bool {
        new_audio >= max
    }

    /// Returns how to continue now, if the session should. `max`: its limit.
    pub fn decide(max: Duration, now: Situation) -> Option<Self> {
        let waits = !now.all_final && now.new_audio < max + max / 2;
        if waits || !Self::may_be_due(max, now.new_audio) {
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
