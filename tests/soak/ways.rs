//! The behaviour of the service: its endpoint, its options and its oddities.

use std::time::Duration;

use volcasr_loopback::{Endpoint, Lag, Oddity, Options, Recogniser};

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

/// The behaviour of the service in one schedule.
#[derive(Debug)]
pub struct Ways {
    pub endpoint: Endpoint,
    pub spikes: bool,
    pub options: Options,
}

impl Ways {
    pub fn new(dice: &mut Dice, sink: &Settings) -> Self {
        use Endpoint::{Async, Bigmodel, Nostream};
        let endpoint = dice.pick(&[Async, Async, Bigmodel, Nostream]);
        let spikes = dice.percent(30);
        let exact = dice.percent(20);
        let oddities = oddities(dice, sink);
        // After the audio's arrival instead of by position.
        let wall_lag = dice.percent(25);
        let lag = Lag::Exact(Duration::from_millis(dice.within(10, 300)));
        let is_out_of_order = oddities.contains(&Oddity::OutOfOrder);
        // With a short window a short one would end what is not warned about.
        let idle = [8000, if sink.forgets() { 8000 } else { IDLE }];
        Ways {
            // The only one with a second pass.
            endpoint: if sink.two_pass { Async } else { endpoint },
            spikes,
            options: Options {
                recogniser: Recogniser::marks(spikes),
                exact,
                oddities,
                second_pass_delay: Duration::from_millis(if is_out_of_order { 300 } else { 0 }),
                lag: match (wall_lag, exact) {
                    (true, _) => lag,
                    (false, true) => Lag::EXACT,
                    (false, false) => jitter(),
                },
                wall_lag,
                seed: dice.within(0, u64::MAX - 1),
                max_sessions: dice.percent(30).then_some(1),
                idle_timeout: Duration::from_millis(dice.pick(&idle)),
                // The kernel takes little, and a service that does not read makes the client wait.
                receive_buffer: dice.percent(20).then_some(4096),
                record_audio: false,
                record_frames: false,
                ..Options::default()
            },
        }
    }

    pub fn has(&self, oddity: Oddity) -> bool {
        self.options.oddities.contains(&oddity)
    }
}

fn oddities(dice: &mut Dice, sink: &Settings) -> Vec<Oddity> {
    // Where times are needed to tell what was lost, they are there; the text is all of it.
    let text_only = !(sink.single || sink.drops() || sink.forgets());
    let mut oddities: Vec<Oddity> = Vec::new();
    for (oddity, share) in ODDITIES {
        let is_possible = match oddity {
            Oddity::TextOnly => text_only,
            // Only beside utterances: marks' words are so alike that nothing shows which text alone
            // begins anew.
            Oddity::TextResets => !oddities.contains(&Oddity::TextOnly),
            // Forgotten audio ends with the words that were reported of it.
            Oddity::AbsentFields => !sink.forgets(),
            _ => true,
        };
        if dice.percent(share) && is_possible {
            oddities.push(oddity);
        }
    }
    oddities
}

/// `SOAK_LAG` from the environment, such as `400ms`; the recorded range without it.
fn jitter() -> Lag {
    match std::env::var("SOAK_LAG") {
        Ok(lag) => lag.parse().expect("SOAK_LAG"),
        Err(_) => Lag::RECORDED,
    }
}
