//! Which job is begun, and when: a busy service gets fewer sessions, and later.
//!
//! The number of jobs at once is lowered with each refusal and raised slowly after successes
//! (additive increase); the pause before the next start grows with each round of refusals
//! (exponential backoff).

use std::collections::VecDeque;
use std::time::Duration;

/// The first pause after a refusal, and the longest.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Time of nothing but refusals after which the batch ends.
const GIVE_UP_AFTER: Duration = Duration::from_secs(30 * 60);
/// Successes at the present number before one more is tried: so many for each job at once.
const SUCCESSES: usize = 2;

/// Next step of the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Begin this job, and ask again.
    Begin(usize),
    /// Wait for a job that runs, or, if that is sooner, until then.
    Wait(Option<Duration>),
    /// All jobs are done.
    Done,
}

/// Consequence of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The job is tried again, after all others.
    Again { pause: Duration, at_once: usize },
    /// The batch ends: none was taken for too long.
    GiveUp,
}

/// Jobs by their numbers.
#[derive(Debug)]
pub struct Schedule {
    waiting: VecDeque<usize>,
    running: usize,
    at_once: usize,
    most: usize,
    /// Rounds of refusals without a success between them.
    rounds: u32,
    resume_at: Duration,
    refused_since: Option<Duration>,
    /// Successes in all, and those at which the number was changed last.
    successes: usize,
    changed_at: usize,
    /// Grows with each raise that was refused.
    caution: usize,
}

impl Schedule {
    /// Begins with `jobs` jobs, at most `most` of them at once.
    pub fn new(jobs: usize, most: usize) -> Self {
        Schedule {
            waiting: (0..jobs).collect(),
            running: 0,
            at_once: most.max(1),
            most: most.max(1),
            rounds: 0,
            resume_at: Duration::ZERO,
            refused_since: None,
            successes: 0,
            changed_at: 0,
            caution: SUCCESSES,
        }
    }

    /// Returns what is to be done at `now`, measured from any fixed moment.
    pub fn next(&mut self, now: Duration) -> Next {
        if self.waiting.is_empty() && self.running == 0 {
            return Next::Done;
        }
        if self.waiting.is_empty() || self.running >= self.at_once {
            return Next::Wait(None);
        }
        if now < self.resume_at {
            return Next::Wait(Some(self.resume_at));
        }
        match self.waiting.pop_front() {
            Some(job) => {
                self.running += 1;
                Next::Begin(job)
            }
            None => Next::Wait(None),
        }
    }

    /// A job was taken: it has ended, well or not.
    pub fn ended(&mut self) {
        self.running -= 1;
        self.successes += 1;
        self.rounds = 0;
        self.refused_since = None;
        let enough = self.caution * self.at_once;
        if self.at_once < self.most && self.successes - self.changed_at >= enough {
            self.at_once += 1;
            self.changed_at = self.successes;
        }
    }

    /// A job was refused at `now`.
    pub fn refused(&mut self, job: usize, now: Duration) -> Verdict {
        let others = self.running - 1;
        self.running = others;
        if others < self.at_once {
            self.at_once = others.max(1);
            self.caution = (self.caution * 2).min(64);
        }
        self.changed_at = self.successes;
        // Those that were begun together are one round.
        if now >= self.resume_at {
            let pause = SHORTEST_PAUSE * (1 << self.rounds.min(10));
            self.rounds += 1;
            self.resume_at = now + pause.min(LONGEST_PAUSE);
        }
        let since = *self.refused_since.get_or_insert(now);
        if now - since >= GIVE_UP_AFTER {
            return Verdict::GiveUp;
        }
        self.waiting.push_back(job);
        Verdict::Again {
            pause: self.resume_at - now,
            at_once: self.at_once,
        }
    }

    /// A job that runs is short of room, though it goes on: no more are begun than run now.
    pub fn is_short(&mut self) {
        self.at_once = self.at_once.min(self.running.max(1));
        self.changed_at = self.successes;
    }

    /// How long no job is begun, at `now`.
    pub fn pause(&self, now: Duration) -> Option<Duration> {
        let is_paused = !self.waiting.is_empty() && now < self.resume_at;
        is_paused.then(|| self.resume_at - now)
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
