//! Order and time of what leaves the text pad: a machine without GStreamer and without a clock.
//!
//! Utterances and serialized events go in; [`Schedule::next`] says what leaves now, or until when
//! to wait. Times are the output segment's; `now` is the pipeline's running time, which a live
//! pipeline has while it plays.
//!
//! - Nothing that left is taken back, and no buffer begins before the one before it.
//! - Text leaves when it is final. In a live pipeline a word of an open utterance leaves when it is
//!   due; [`owed`] tells what later texts of the utterance still owe.
//! - Gaps fill what is known to hold no text, so that nothing downstream waits for it.
//! - An event that ends a part of the stream waits for that part's last words: a
//!   [barrier](Schedule::barrier) divides what is before from what is behind.

mod group;
mod intake;
mod leave;
mod origin;
mod owed;
mod utterance;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::cue::{Cutter, Style};

pub(super) use group::shares;
pub(super) use origin::Origin;
pub(super) use utterance::{Utterance, Word};

use owed::Early;

/// Time between two gaps of a live pipeline in which nothing is said.
const GAP_EVERY: Duration = Duration::from_millis(200);
/// Lead by which a live GAP is pushed before its deadline, so that the picture waiting for it is on
/// time. A word that appears so late begins up to this much later.
const GAP_LEAD: Duration = Duration::from_millis(250);
/// Shortest gap after a final text; the service settles some ten times a second.
const SHORTEST_GAP: Duration = Duration::from_millis(20);
/// Shortest duration of a buffer.
const SHORTEST_TEXT: Duration = Duration::from_millis(80);
/// Upper bound on the bytes that wait; neither audio nor events are taken then.
const MAX_BYTES: usize = 4 << 20;
/// Bytes that an entry takes beside its text, about.
const ENTRY_BYTES: usize = 128;

/// Content of one buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Unit {
    #[default]
    Word,
    Utterance,
    Cue(Style),
}

/// Something to do now.
#[derive(Debug, PartialEq)]
pub(super) enum Action<E> {
    /// Push a buffer.
    Text {
        text: String,
        start: Duration,
        duration: Duration,
        /// It is the first, or the first after a jump.
        discont: bool,
        /// Time by which it comes later than its latency allows.
        late: Duration,
    },
    /// Say that there is no text from here on for a duration.
    Gap { start: Duration, duration: Duration },
    /// Tell upstream of a word.
    Item(Item),
    /// Say who speaks from here on.
    Speaker(String),
    /// Say that an utterance ends here.
    Final,
    /// Push an event.
    Event(E),
    /// Do nothing until something changes or this running time comes.
    Wait(Option<Duration>),
}

/// A word for those upstream who ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub speaker: Option<String>,
    pub text: String,
    pub running: Duration,
    pub duration: Duration,
}

/// One thing that leaves as soon as those before it have left.
#[derive(Debug)]
enum Ready<E> {
    Text(Word),
    Item(Word, Option<String>),
    Speaker(String),
    Final,
    Gap(Duration),
    Event(E, Effect),
}

/// Effect of an event on the times of what follows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Effect {
    Unchanged,
    /// Another segment begins.
    Segment(Origin),
    /// No segment holds until one comes, as behind EOS and STREAM_START.
    NoSegment,
}

/// State of a barrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Barrier {
    token: u64,
    /// End of the audio before it.
    end: Option<Duration>,
    /// The last words before it are here.
    done: bool,
    /// The messages before it are posted.
    posted: bool,
}

/// Part of a stream between two barriers.
#[derive(Debug)]
struct Part<E> {
    ready: VecDeque<Ready<E>>,
    open: BTreeMap<u32, Open>,
    early: Early,
    barrier: Option<Barrier>,
}

/// An utterance that may change, and what of it has not left.
#[derive(Debug)]
struct Open {
    start: Option<Duration>,
    speaker: Option<String>,
    has_times: bool,
    owed: VecDeque<Word>,
}

impl<E> Part<E> {
    fn new() -> Self {
        Part {
            ready: VecDeque::new(),
            open: BTreeMap::new(),
            early: Early::default(),
            barrier: None,
        }
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Schedule<E> {
    unit: Unit,
    cutter: Cutter,
    /// Longest delay of a word in a live pipeline, upstream's included; none in another.
    latency: Option<Duration>,
    parts: VecDeque<Part<E>>,
    /// Index of the part that the text that comes belongs to.
    input: usize,
    /// Place of the segment that left last; none where none holds: no gap is due then.
    origin: Option<Origin>,
    /// No buffer begins before this.
    floor: Duration,
    /// Everything up to here is pushed or known to be empty.
    position: Duration,
    discont: bool,
    speaker: Option<String>,
    /// Bytes of all that is ready. Open text does not count: only more audio makes it final.
    bytes: usize,
    failed: bool,
}

impl<E> Schedule<E> {
    pub fn new(unit: Unit) -> Self {
        Schedule {
            unit,
            cutter: Cutter::new(style(unit)),
            latency: None,
            parts: VecDeque::from([Part::new()]),
            input: 0,
            origin: None,
            floor: Duration::ZERO,
            position: Duration::ZERO,
            discont: true,
            speaker: None,
            bytes: 0,
            failed: false,
        }
    }

    /// Sets what one buffer holds. Text that is ready stays as it is.
    pub fn set_unit(&mut self, unit: Unit) {
        self.unit = unit;
        self.cutter = Cutter::new(style(unit));
    }

    /// Takes up the longest delay of a word; none: the pipeline is not live.
    pub fn set_latency(&mut self, latency: Option<Duration>) {
        self.latency = latency;
    }

    /// Forgets everything that has not left, as a flush does. Returns the events of that.
    pub fn flush(&mut self) -> Vec<E> {
        let parts = std::mem::replace(&mut self.parts, VecDeque::from([Part::new()]));
        self.input = 0;
        self.origin = None;
        self.bytes = 0;
        self.discont = true;
        self.speaker = None;
        self.cutter = Cutter::new(style(self.unit));
        let ready = parts.into_iter().flat_map(|part| part.ready);
        let events = ready.filter_map(|ready| match ready {
            Ready::Event(event, _) => Some(event),
            _ => None,
        });
        events.collect()
    }

    /// Returns whether the backlog is so large that neither audio nor events should be taken.
    pub fn is_full(&self) -> bool {
        self.bytes > MAX_BYTES
    }

    /// Appends an event behind everything that is known.
    pub fn event(&mut self, event: E, effect: Effect) {
        self.push(self.parts.len() - 1, Ready::Event(event, effect));
    }

    /// Says that nothing is said up to `end`, where no audio is being recognised.
    pub fn silence(&mut self, end: Duration) {
        let last = self.parts.len() - 1;
        if !self.extend(last, end) {
            self.push(last, Ready::Gap(end));
        }
    }

    /// Has something leave behind what is ready in a part.
    fn push(&mut self, part: usize, ready: Ready<E>) {
        if let Some(part) = self.parts.get_mut(part) {
            self.bytes += size(&ready);
            part.ready.push_back(ready);
        }
    }

    /// Pushes a word, and its event upstream.
    fn push_word(&mut self, part: usize, word: Word, speaker: Option<String>) {
        self.push(part, Ready::Item(word.clone(), speaker));
        self.push(part, Ready::Text(word));
    }

    /// Extends a gap that waits at the end of a part. Returns false if there is none.
    fn extend(&mut self, part: usize, until: Duration) -> bool {
        let part = self.parts.get_mut(part);
        let Some(Ready::Gap(end)) = part.and_then(|part| part.ready.back_mut()) else {
            return false;
        };
        *end = until.max(*end);
        true
    }
}

/// Returns the bytes that a waiting entry takes, about.
fn size<E>(ready: &Ready<E>) -> usize {
    let text = match ready {
        Ready::Text(word) | Ready::Item(word, _) => word.text.len(),
        Ready::Speaker(speaker) => speaker.len(),
        Ready::Final | Ready::Gap(_) | Ready::Event(..) => 0,
    };
    ENTRY_BYTES + text
}

fn style(unit: Unit) -> Style {
    match unit {
        Unit::Cue(style) => style,
        _ => Style::default(),
    }
}

#[cfg(test)]
mod tests;
