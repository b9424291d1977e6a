//! Events of one schedule, all drawn from the seed.

use volcasr_loopback::marks::Layout;
use volcasr_loopback::{Fault, Oddity};

use super::buffers::{Buffers, Odd};
use super::dice::Dice;
use super::faults;
use super::settings::Settings;
use super::stamps::Stamps;
use super::text::TextPad;
use super::ways::Ways;

/// A service, an element, and what the pipeline does with it.
#[derive(Debug)]
pub struct Schedule {
    /// The sink's settings, which the transcriber has as well.
    pub sink: Settings,
    /// The element is a transcriber.
    pub text: Option<TextPad>,
    pub ways: Ways,
    pub faults: Vec<Fault>,
    pub stamps: Stamps,
    pub acts: Vec<Act>,
    /// The stream ends in PAUSED, which lasts this long.
    pub end_in_paused: Option<u64>,
    /// Times that it goes to PAUSED and PLAYING again while the final text is awaited.
    pub hurry_at_end: u64,
}

/// One thing that the pipeline does. Times are milliseconds.
#[derive(Clone, Debug)]
pub enum Act {
    Speak(Speech),
    /// A jump in the timestamps, with a GAP event or without.
    Gap {
        length: u64,
        event: bool,
    },
    /// PAUSED for this long, between two buffers.
    Pause(u64),
    /// STREAM_START with another id, and a segment.
    NewStream,
    /// A segment that begins elsewhere, this much later in running time. The stream goes on.
    Segment(u64),
    /// READY, and up again.
    Ready,
}

/// Sentences of marks, numbered on from those before.
#[derive(Clone, Copy, Debug)]
pub struct Speech {
    pub sentences: u64,
    /// Silence behind the last mark.
    pub tail: u64,
    pub buffers: Buffers,
    /// In the middle of it, when this much of it was handed over.
    pub meanwhile: Option<(u64, Meanwhile)>,
}

/// Event in the middle of speech.
#[derive(Clone, Copy, Debug)]
pub enum Meanwhile {
    /// PAUSED for this long: shorter than `idle-timeout`.
    Pause(u64),
    /// PAUSED and PLAYING so many times, without a wait between.
    Hurry(u64),
    /// Steps of one buffer, in PAUSED or in PLAYING.
    Step { times: u64, paused: bool },
    /// Another rate, at once: half of this.
    Rate(u64),
    /// A flush. Text of the stream that was not posted yet need not be.
    Flush,
    /// A flushing seek, which the source carries out.
    Seek,
    /// READY, and up again, which begins anew.
    Ready,
}

impl Meanwhile {
    /// Whether what comes after it is not taken.
    pub fn cuts(self) -> bool {
        matches!(self, Self::Flush | Self::Seek | Self::Ready)
    }
}

/// Longer than a machine with other things to do leaves a pipeline without audio.
pub const IDLE: u64 = 1500;

impl Schedule {
    pub fn new(seed: u64) -> Self {
        Self::drawn(&mut Dice::new(seed))
    }

    /// A schedule for the transcriber.
    pub fn of_text(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0x7465_7874);
        let mut schedule = Self::drawn(&mut dice);
        schedule.text = Some(TextPad::new(&mut dice));
        for act in &mut schedule.acts {
            // A filter has no preroll to step through.
            if let Act::Speak(speech) = act
                && let Some((_, what @ Meanwhile::Step { .. })) = &mut speech.meanwhile
            {
                *what = Meanwhile::Hurry(3);
            }
        }
        schedule
    }

    fn drawn(dice: &mut Dice) -> Self {
        let sink = Settings::new(dice);
        let ways = Ways::new(dice, &sink);
        let mut acts = Vec::new();
        for _ in 0..dice.within(1, 4) {
            if !acts.is_empty() {
                acts.extend(between(dice, &sink));
            }
            acts.push(speak(dice));
        }
        let audio = acts.iter().map(Act::audio).sum();
        let faults = faults::faults(dice, &sink, &ways, audio);
        let hurries = dice.percent(20);
        let mut schedule = Schedule {
            sink,
            text: None,
            ways,
            faults,
            acts,
            stamps: Stamps::Exact,
            end_in_paused: dice
                .percent(20)
                .then(|| dice.pick(&[0, 100, 300, IDLE + 300])),
            hurry_at_end: if hurries { dice.within(1, 30) } else { 0 },
        };
        if schedule.sink.timed {
            schedule.stamps = Stamps::new(dice);
        }
        schedule.agree();
        schedule
    }

    /// Whether a later utterance may be final before an earlier one.
    pub fn is_out_of_order(&self) -> bool {
        self.sink.two_pass && self.ways.has(Oddity::OutOfOrder)
    }

    /// Takes out what contradicts itself.
    fn agree(&mut self) {
        let inexact = self.stamps != Stamps::Exact;
        let mut ambiguous = inexact;
        for act in &mut self.acts {
            let steps = act.steps();
            let Act::Speak(speech) = act else {
                continue;
            };
            // A step lets the segment start at the timestamp of the buffer that it ends with. What
            // is stamped earlier than that and comes later, the base class drops: it is before the
            // segment, and the sink never sees it.
            if steps && self.stamps.go_back() {
                speech.meanwhile = None;
            }
            let odd = &mut speech.buffers.odd;
            // Where stamps are not exact, these have others than the audio.
            if inexact && !matches!(odd, Odd::HalfSample | Odd::Empty | Odd::Caps) {
                *odd = Odd::Nothing;
            }
            ambiguous |= matches!(odd, Odd::Overlap(_));
        }
        // A jump back may take back a jump forward, unless an event has announced that.
        for act in &mut self.acts {
            if let Act::Gap { event, .. } = act {
                *event |= ambiguous;
            }
        }
    }
}

impl Act {
    pub fn steps(&self) -> bool {
        let step = |speech: &Speech| matches!(speech.meanwhile, Some((_, Meanwhile::Step { .. })));
        matches!(self, Act::Speak(speech) if step(speech))
    }

    fn audio(&self) -> u64 {
        match self {
            Act::Speak(speech) => length(speech.sentences, speech.tail),
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

/// Returns the duration of these sentences and the silence behind them.
pub fn length(sentences: u64, tail: u64) -> u64 {
    let layout = Layout::default();
    layout.lead + sentences * layout.period() - layout.pause + tail
}

fn speak(dice: &mut Dice) -> Act {
    let sentences = dice.within(1, 4);
    let tail = dice.pick(&[0, 300, 1300, 2500]);
    let whole = length(sentences, tail);
    let meanwhile = match dice.within(0, 19) {
        0..=4 => Some(Meanwhile::Pause(dice.within(1, 300))),
        5 => Some(Meanwhile::Flush),
        6 => Some(Meanwhile::Seek),
        7 => Some(Meanwhile::Ready),
        8 | 9 => Some(Meanwhile::Hurry(dice.within(2, 30))),
        10 => {
            let (times, paused) = (dice.within(1, 3), dice.percent(50));
            Some(Meanwhile::Step { times, paused })
        }
        11 => Some(Meanwhile::Rate(dice.pick(&[1, 2, 3, 4]))),
        _ => None,
    };
    let buffers = Buffers::new(dice);
    let meanwhile = meanwhile.map(|what| (dice.within(0, whole), what));
    Act::Speak(Speech {
        sentences,
        tail,
        buffers,
        meanwhile,
    })
}

fn between(dice: &mut Dice, sink: &Settings) -> Option<Act> {
    let event = dice.percent(50);
    let long = u64::from(sink.idle) + dice.within(1, 60_000);
    // A service of marks knows of one when it is over. In a pause a little shorter than its end
    // window it ends an utterance while the next mark is spoken, and a rollover cuts that.
    let pause = if sink.rolls_over() {
        sink.end_window
    } else {
        0
    };
    match dice.within(0, 19) {
        // Without timestamps there are no jumps, and segments mean nothing.
        0..=5 | 13 | 14 if !sink.timed => None,
        0..=3 => {
            let length = u64::from(pause) + dice.within(41, IDLE);
            Some(Act::Gap { length, event })
        }
        4 | 5 => Some(Act::Gap {
            length: long,
            event,
        }),
        6 | 7 => Some(Act::Pause(dice.within(1, 300))),
        // Longer than `idle-timeout`, where that is short.
        8 | 9 => Some(Act::Pause(IDLE + 300)),
        10..=12 => Some(Act::NewStream),
        // A chunk may hold something of both: what is dropped with it can't be known by its
        // timestamps.
        13 | 14 if !sink.drops() => Some(Act::Segment(dice.pick(&[0, 0, 300, long]))),
        15 => Some(Act::Ready),
        _ => None,
    }
}
