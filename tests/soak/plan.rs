//! What happens in one schedule, all of it from the seed.

use std::time::Duration;

use volcasr_loopback::marks::Layout;
use volcasr_loopback::{Endpoint, Fault, LagClock, Oddities, Options, Recogniser, What, When};

use super::dice::Dice;

/// A service, a sink, and what the pipeline does with it.
#[derive(Debug)]
pub struct Schedule {
    pub sink: Settings,
    pub service: Oddness,
    pub faults: Vec<Fault>,
    pub acts: Vec<Act>,
    /// So often PAUSED and PLAYING again while the last words are waited for.
    pub hurry_at_end: u64,
}

/// The sink's properties.
#[derive(Debug)]
pub struct Settings {
    pub single: bool,
    pub gzip: bool,
    pub end_window: u32,
    pub chunk: u32,
    pub max_speed: f64,
    pub max_queue: u32,
    pub max_session: u32,
    pub idle: u32,
    pub rate: u32,
    /// A second pass over each sentence.
    pub two_pass: bool,
}

/// The service's ways.
#[derive(Debug)]
pub struct Oddness {
    pub endpoint: Endpoint,
    pub spikes: bool,
    exact: bool,
    gzip: bool,
    result_list: bool,
    blank: bool,
    late_ack: bool,
    empty_definite: bool,
    pub out_of_order: bool,
    /// After the audio's arrival instead of by position.
    wall_lag: Option<u64>,
    /// One session at a time, or an error.
    one_session: bool,
    /// The service's own patience with a client that sends nothing.
    idle: u64,
}

/// One thing that the pipeline does. Times are milliseconds.
#[derive(Clone, Debug)]
pub enum Act {
    /// Sentences of marks, numbered on from those before.
    Speak {
        sentences: u64,
        /// Silence behind the last mark.
        tail: u64,
        /// The length of the buffers.
        buffer: u64,
        /// In the middle of it, when so much of it was handed over.
        meanwhile: Option<(u64, Meanwhile)>,
    },
    /// A jump in the timestamps, with a GAP event or without.
    Gap { length: u64, event: bool },
    /// PAUSED for so long, between two buffers.
    Pause { length: u64 },
    /// STREAM_START with another id, and a segment.
    NewStream,
}

/// What comes in the middle of speech.
#[derive(Clone, Copy, Debug)]
pub enum Meanwhile {
    /// PAUSED for so long: shorter than `idle-timeout`.
    Pause { length: u64 },
    /// PAUSED and PLAYING so often, without a breath.
    Hurry { times: u64 },
    /// A flush. What of the stream was not said yet need not be.
    Flush,
}

/// Longer than a machine with other things to do leaves a pipeline without audio.
const IDLE: u64 = 1500;

impl Schedule {
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let sink = Settings::new(&mut dice);
        let service = Oddness::new(&mut dice, &sink);
        let mut acts = Vec::new();
        for _ in 0..dice.within(1, 4) {
            if !acts.is_empty() {
                acts.extend(between(&mut dice, &sink));
            }
            acts.push(speak(&mut dice));
        }
        let audio: u64 = acts.iter().map(Act::audio).sum();
        let faults = (0..dice.within(0, 3))
            .map(|_| fault(&mut dice, audio))
            .collect();
        Schedule {
            sink,
            service,
            faults,
            acts,
            hurry_at_end: if dice.percent(20) {
                dice.within(1, 30)
            } else {
                0
            },
        }
    }

    pub fn options(&self) -> Options {
        let odd = &self.service;
        let oddities = match odd.exact {
            true => Oddities::none(),
            false => Oddities::default(),
        };
        Options {
            recogniser: Recogniser::Marks { spikes: odd.spikes },
            oddities: Oddities {
                result_list: odd.result_list,
                blank_responses: odd.blank,
                late_ack: odd.late_ack,
                empty_definite: odd.empty_definite,
                second_pass_delay: Duration::from_millis(if odd.out_of_order { 300 } else { 0 }),
                second_pass_out_of_order: odd.out_of_order,
                ..oddities
            },
            gzip_answers: odd.gzip,
            lag: Duration::from_millis(odd.wall_lag.unwrap_or(400)),
            lag_clock: match odd.wall_lag {
                Some(_) => LagClock::Wall,
                None => LagClock::Audio,
            },
            max_sessions: odd.one_session.then_some(1),
            idle_timeout: Duration::from_millis(odd.idle),
            faults: self.faults.clone(),
            record_audio: false,
            record_frames: false,
            ..Options::default()
        }
    }
}

impl Oddness {
    fn new(dice: &mut Dice, sink: &Settings) -> Self {
        let endpoint = dice.pick(&[
            Endpoint::Async,
            Endpoint::Async,
            Endpoint::Bigmodel,
            Endpoint::Nostream,
        ]);
        Oddness {
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
            wall_lag: dice.percent(25).then(|| dice.within(10, 300)),
            one_session: dice.percent(30),
            idle: dice.pick(&[8000, IDLE]),
        }
    }
}

impl Settings {
    fn new(dice: &mut Dice) -> Self {
        Settings {
            single: dice.percent(40),
            gzip: dice.percent(50),
            end_window: dice.pick(&[800, 800, 500, 0]),
            chunk: dice.pick(&[200, 100, 1000, 0]),
            max_speed: dice.pick(&[0.0, 0.0, 20.0, 50.0]),
            max_queue: dice.pick(&[30_000, 3000, 1000]),
            max_session: dice.pick(&[600_000, 600_000, 4000, 2500]),
            idle: dice.pick(&[4000, IDLE as u32]),
            rate: dice.pick(&[24_000, 24_000, 16_000]),
            two_pass: dice.percent(20),
        }
    }
}

impl Act {
    fn audio(&self) -> u64 {
        match self {
            Act::Speak {
                sentences, tail, ..
            } => length(*sentences, *tail),
            _ => 0,
        }
    }
}

/// Marks from number `first` on.
pub fn layout(first: u32, rate: u32) -> Layout {
    Layout {
        first,
        rate,
        ..Layout::default()
    }
}

/// How long so much speech is.
pub fn length(sentences: u64, tail: u64) -> u64 {
    let layout = Layout::default();
    layout.lead + sentences * layout.period() - layout.pause + tail
}

fn speak(dice: &mut Dice) -> Act {
    let sentences = dice.within(1, 4);
    let tail = dice.pick(&[0, 300, 1300, 2500]);
    let whole = length(sentences, tail);
    let meanwhile = match dice.within(0, 9) {
        0..=2 => Some(Meanwhile::Pause {
            length: dice.within(1, 300),
        }),
        3 => Some(Meanwhile::Flush),
        4 => Some(Meanwhile::Hurry {
            times: dice.within(2, 30),
        }),
        _ => None,
    };
    Act::Speak {
        sentences,
        tail,
        buffer: dice.pick(&[10, 20, 37, 100, 500, 2000]),
        meanwhile: meanwhile.map(|what| (dice.within(0, whole), what)),
    }
}

fn between(dice: &mut Dice, sink: &Settings) -> Option<Act> {
    let event = dice.percent(50);
    match dice.within(0, 9) {
        0 | 1 => Some(Act::Gap {
            length: dice.within(41, IDLE),
            event,
        }),
        2 => Some(Act::Gap {
            length: u64::from(sink.idle) + dice.within(1, 60_000),
            event,
        }),
        3 => Some(Act::Pause {
            length: dice.within(1, 300),
        }),
        // Longer than `idle-timeout`, where that is short.
        4 => Some(Act::Pause { length: IDLE + 300 }),
        5 | 6 => Some(Act::NewStream),
        _ => None,
    }
}

fn fault(dice: &mut Dice, audio: u64) -> Fault {
    let error = |code| What::Error {
        code,
        body: r#"{"error":"injected"}"#.to_owned(),
    };
    let http = |status| What::Http {
        status,
        headers: Vec::new(),
        body: r#"{"error":"injected"}"#.to_owned(),
    };
    let delay = What::Delay(Duration::from_millis(dice.within(50, 400)));
    if dice.percent(25) {
        let what = dice.pick(&[http(503), http(429), What::Reset, What::Drop, delay]);
        return Fault::once(what, dice.pick(&[When::Accept, When::Handshake]));
    }
    let what = dice.pick(&[
        What::Reset,
        What::Drop,
        // Not 1000: should the finish be on its way, that would be an end, and no loss.
        What::Close(1001),
        What::Close(1011),
        error(45_000_081),
        error(55_000_031),
        error(55_000_001),
        delay,
        What::Ping(3),
        What::Text("hello".to_owned()),
        What::NoFinal,
        What::Hang,
    ]);
    let when = match dice.within(0, 9) {
        0 => When::Ack,
        1..=3 => When::Finish,
        _ => When::Audio(Duration::from_millis(dice.within(0, audio))),
    };
    Fault::once(what, when)
}
