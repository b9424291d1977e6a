//! The service's ways.

use std::time::Duration;

use volcasr_loopback::{Endpoint, Fault, Lag, Oddity, Options, Recogniser};

use super::dice::Dice;
use super::plan::IDLE;
use super::settings::Settings;

/// Oddities, and in how many of a hundred schedules they are drawn.
const ODDITIES: [(Oddity, u64); 12] = [
    (Oddity::Gzip, 20),
    (Oddity::ResultList, 20),
    (Oddity::Blank, 20),
    (Oddity::LateAck, 20),
    (Oddity::EmptyDefinite, 20),
    (Oddity::OutOfOrder, 20),
    (Oddity::TextOnly, 15),
    (Oddity::TextResets, 20),
    (Oddity::RevisedText, 20),
    (Oddity::AbsentFields, 20),
    (Oddity::ErrorBodies, 20),
    (Oddity::ChunkedRefusals, 10),
];

/// The service's ways.
#[derive(Debug)]
pub struct Ways {
    pub endpoint: Endpoint,
    pub spikes: bool,
    /// Without the oddities that are on by default.
    pub exact: bool,
    oddities: Vec<Oddity>,
    /// Decides the jitter of its lag.
    seed: u64,
    /// After the audio's arrival instead of by position.
    pub wall_lag: Option<u64>,
    /// One session at a time, or an error.
    one_session: bool,
    /// The service's own idle timeout.
    idle: u64,
    /// The kernel takes little, and a service that does not read makes the client wait.
    small_buffer: bool,
}

impl Ways {
    pub fn new(dice: &mut Dice, sink: &Settings) -> Self {
        use Endpoint::{Async, Bigmodel, Nostream};
        let endpoint = dice.pick(&[Async, Async, Bigmodel, Nostream]);
        Ways {
            // From a copy: what follows stays as it was for the same seed.
            seed: dice.clone().within(0, u64::MAX - 1),
            // The only one with a second pass.
            endpoint: if sink.two_pass { Async } else { endpoint },
            spikes: dice.percent(30),
            exact: dice.percent(20),
            oddities: oddities(dice, sink),
            wall_lag: dice.percent(25).then(|| dice.within(10, 300)),
            one_session: dice.percent(30),
            idle: match dice.pick(&[8000, IDLE]) {
                // With a short window it would end what is not warned about.
                _ if sink.forgets() => 8000,
                idle => idle,
            },
            small_buffer: dice.percent(20),
        }
    }

    pub fn has(&self, oddity: Oddity) -> bool {
        self.oddities.contains(&oddity)
    }

    pub fn options(&self, faults: &[Fault]) -> Options {
        let second_pass_delay = if self.has(Oddity::OutOfOrder) { 300 } else { 0 };
        Options {
            recogniser: Recogniser::Marks {
                spikes: self.spikes,
            },
            exact: self.exact,
            oddities: self.oddities.clone(),
            second_pass_delay: Duration::from_millis(second_pass_delay),
            lag: match self.wall_lag {
                Some(lag) => Lag::Exact(Duration::from_millis(lag)),
                None if self.exact => Lag::EXACT,
                None => jitter(),
            },
            wall_lag: self.wall_lag.is_some(),
            seed: self.seed,
            max_sessions: self.one_session.then_some(1),
            idle_timeout: Duration::from_millis(self.idle),
            faults: faults.to_vec(),
            receive_buffer: self.small_buffer.then_some(4096),
            record_audio: false,
            record_frames: false,
            ..Options::default()
        }
    }
}

fn oddities(dice: &mut Dice, sink: &Settings) -> Vec<Oddity> {
    let drawn = ODDITIES
        .into_iter()
        .filter(|(_, share)| dice.percent(*share));
    let mut oddities: Vec<Oddity> = drawn.map(|(oddity, _)| oddity).collect();
    // Where times are needed to tell what was lost, they are there; the text is all of it.
    let text_only = !(sink.single || sink.drops() || sink.forgets());
    oddities.retain(|oddity| *oddity != Oddity::TextOnly || text_only);
    // Only beside utterances: marks' words are so alike that nothing shows which text alone begins
    // anew.
    let text_only = oddities.contains(&Oddity::TextOnly);
    oddities.retain(|oddity| match oddity {
        Oddity::TextResets => !text_only,
        // Forgotten audio ends with the words that were reported of it.
        Oddity::AbsentFields => !sink.forgets(),
        _ => true,
    });
    oddities
}

/// `SOAK_LAG` from the environment, such as `400ms`; the recorded range without it.
fn jitter() -> Lag {
    match std::env::var("SOAK_LAG") {
        Ok(lag) => lag.parse().expect("SOAK_LAG"),
        Err(_) => Lag::RECORDED,
    }
}
