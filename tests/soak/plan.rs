//! Events of one schedule, all drawn from the seed.

use volcasr_loopback::Oddity;
use volcasr_loopback::marks::Layout;

use super::buffers::Buffers;
use super::dice::Dice;
use super::faults::faults;
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
    pub stamps: Stamps,
    /// Each jump in the timestamps has an event, so that buffers may overlap: without one, a jump
    /// back may take back a jump forward.
    pub announced: bool,
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
    /// Its length, with silence behind the last mark.
    pub whole: u64,
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

/// Longer than a machine with other things to do leaves a pipeline without audio.
pub const IDLE: u64 = 1500;

impl Schedule {
    pub fn new(seed: u64, is_text: bool) -> Self {
        let dice = &mut Dice::new(if is_text { seed ^ 0x7465_7874 } else { seed });
        let sink = Settings::new(dice);
        let ways = Ways::new(dice, &sink);
        let stamps = match sink.timed {
            true => Stamps::new(dice),
            false => Stamps::Exact,
        };
        let paused = dice.pick(&[0, 100, 300, IDLE + 300]);
        let hurries = dice.within(1, 30);
        let mut schedule = Schedule {
            sink,
            text: is_text.then(|| TextPad::new(dice)),
            ways,
            stamps,
            announced: stamps != Stamps::Exact || dice.percent(30),
            acts: Vec::new(),
            end_in_paused: dice.percent(20).then_some(paused),
            hurry_at_end: if dice.percent(20) { hurries } else { 0 },
        };
        let mut audio = 0;
        for number in 0..dice.within(1, 4) {
            let between = schedule.between(dice).filter(|_| number > 0);
            schedule.acts.extend(between);
            let speech = schedule.speech(dice);
            audio += speech.whole;
            schedule.acts.push(Act::Speak(speech));
        }
        schedule.ways.options.faults = faults(dice, &schedule, audio);
        schedule
    }

    /// Whether a later utterance may be final before an earlier one.
    pub fn is_out_of_order(&self) -> bool {
        self.sink.two_pass && self.ways.has(Oddity::OutOfOrder)
    }

    /// Names of the acts, of what happens in the middle of speech, and of the oddities of buffers.
    pub fn names(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for act in &self.acts {
            all.push(format!("{act:?}"));
            if let Act::Speak(speech) = act {
                all.push(format!("{:?}", speech.buffers.odd));
                all.extend(speech.meanwhile.map(|(_, what)| format!("{what:?}")));
            }
        }
        for name in &mut all {
            name.truncate(name.find([' ', '(']).unwrap_or(name.len()));
        }
        all
    }

    pub fn steps(&self) -> bool {
        let is_step = |what: &Meanwhile| matches!(what, Meanwhile::Step { .. });
        self.acts.iter().any(|act| match act {
            Act::Speak(speech) => speech.meanwhile.is_some_and(|(_, what)| is_step(&what)),
            _ => false,
        })
    }

    fn speech(&self, dice: &mut Dice) -> Speech {
        let sentences = dice.within(1, 4);
        let layout = Layout::default();
        let end = layout.mark(sentences * layout.sentence - 1).end;
        let whole = end + dice.pick(&[0, 300, 1300, 2500]);
        let (times, paused) = (dice.within(1, 3), dice.percent(50));
        let what = match dice.within(0, 19) {
            0..=4 => Some(Meanwhile::Pause(dice.within(1, 300))),
            5 => Some(Meanwhile::Flush),
            6 => Some(Meanwhile::Seek),
            7 => Some(Meanwhile::Ready),
            8 | 9 => Some(Meanwhile::Hurry(dice.within(2, 30))),
            // A filter has no preroll to step through. A step lets the segment start at the
            // timestamp of the buffer that it ends with. What is stamped earlier than that and
            // comes later, the base class drops: the sink never sees it.
            10 if self.text.is_none() && !self.stamps.go_back() => {
                Some(Meanwhile::Step { times, paused })
            }
            11 => Some(Meanwhile::Rate(dice.within(1, 4))),
            _ => None,
        };
        Speech {
            sentences,
            whole,
            buffers: Buffers::new(dice, self),
            meanwhile: what.map(|what| (dice.within(0, whole), what)),
        }
    }

    fn between(&self, dice: &mut Dice) -> Option<Act> {
        let sink = &self.sink;
        let event = self.announced || dice.percent(50);
        let long = u64::from(sink.idle) + dice.within(1, 60_000);
        // A service of marks knows of one when it is over. In a pause a little shorter than its end
        // window it ends an utterance while the next mark is spoken, and a rollover cuts that.
        let pause = if sink.rolls_over() {
            sink.end_window
        } else {
            0
        };
        let length = u64::from(pause) + dice.within(41, IDLE);
        match dice.within(0, 19) {
            // Without timestamps there are no jumps, and segments mean nothing.
            0..=5 | 13 | 14 if !sink.timed => None,
            0..=3 => Some(Act::Gap { length, event }),
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
}
