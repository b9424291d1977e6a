//! The service's ways.

use std::time::Duration;

use volcasr_loopback::{Endpoint, Fault, Lag, LagClock, Options, Quirks, Recogniser};

use super::dice::Dice;
use super::plan::IDLE;
use super::settings::Settings;

/// The service's ways.
#[derive(Debug)]
pub struct Ways {
    pub endpoint: Endpoint,
    pub spikes: bool,
    /// Without the oddities that are on by default.
    pub exact: bool,
    gzip: bool,
    result_list: bool,
    blank: bool,
    late_ack: bool,
    empty_definite: bool,
    pub out_of_order: bool,
    /// No utterances, and so no times.
    pub text_only: bool,
    text_resets: bool,
    revised_text: bool,
    absent_fields: bool,
    error_bodies: bool,
    chunked_refusals: bool,
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
        let endpoint = dice.pick(&[
            Endpoint::Async,
            Endpoint::Async,
            Endpoint::Bigmodel,
            Endpoint::Nostream,
        ]);
        Ways {
            // From a copy: what follows stays as it was for the same seed.
            seed: dice.clone().within(0, u64::MAX - 1),
            // The only one with a second pass.
            endpoint: if sink.two_pass {
                Endpoint::Async
            } else {
                endpoint
            },
            spikes: dice.percent(30),
            exact: dice.percent(20),
            gzip: dice.percent(20),
            result_list: dice.percent(20),
            blank: dice.percent(20),
            late_ack: dice.percent(20),
            empty_definite: dice.percent(20),
            out_of_order: dice.percent(20),
            // Where times are needed to tell what was lost, they are there; the text is all of it.
            text_only: dice.percent(15) && !(sink.single || sink.drops() || sink.forgets()),
            // Only beside utterances: which text alone begins anew can't be told of marks, whose
            // words are so alike.
            text_resets: dice.percent(20),
            revised_text: dice.percent(20),
            // What is forgotten ends with the words that were told of it.
            absent_fields: dice.percent(20) && !sink.forgets(),
            error_bodies: dice.percent(20),
            chunked_refusals: dice.percent(10),
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

    pub fn options(&self, faults: &[Fault]) -> Options {
        let quirks = match self.exact {
            true => Quirks::none(),
            false => Quirks::default(),
        };
        Options {
            recogniser: Recogniser::Marks {
                spikes: self.spikes,
            },
            quirks: Quirks {
                result_list: self.result_list,
                blank_responses: self.blank,
                late_ack: self.late_ack,
                empty_definite: self.empty_definite,
                text_only: self.text_only,
                text_resets: self.text_resets && !self.text_only,
                revised_text: self.revised_text,
                absent_fields: self.absent_fields,
                error_bodies: self.error_bodies,
                chunked_refusals: self.chunked_refusals,
                second_pass_delay: Duration::from_millis(if self.out_of_order { 300 } else { 0 }),
                second_pass_out_of_order: self.out_of_order,
                ..quirks
            },
            gzip_answers: self.gzip,
            lag: match self.wall_lag {
                Some(lag) => Lag::Exact(Duration::from_millis(lag)),
                None if self.exact => Lag::EXACT,
                None => jitter(),
            },
            seed: self.seed,
            lag_clock: match self.wall_lag {
                Some(_) => LagClock::Wall,
                None => LagClock::Audio,
            },
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

/// `SOAK_LAG` from the environment, such as `400ms`; the recorded range without it.
fn jitter() -> Lag {
    match std::env::var("SOAK_LAG") {
        Ok(lag) => lag.parse().expect("SOAK_LAG"),
        Err(_) => Lag::RECORDED,
    }
}
