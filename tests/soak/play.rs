//! A schedule, played through a pipeline whose source is the test itself.

use std::thread;
use std::time::{Duration, Instant};

use gst::prelude::*;

use super::buffers::{Audio, hand_over};
use super::common;
use super::common::caps;
use super::plan::{Act, Meanwhile, Schedule, Speech, layout, length};
use super::record::{Fed, Place, Played, Span};
use super::source::Source;
use super::text::{TextPad, TextRig};

/// Longer than anything here takes, many at a time: what runs into it has hung.
pub const STATE_TIMEOUT: Duration = Duration::from_secs(30);

/// Nanoseconds of a millisecond.
pub const MS: u64 = 1_000_000;

/// Segments begin at whole hours, so that a timestamp says which one it belongs to.
pub const HOUR: u64 = 3_600_000;

/// Running time begins so late that no clock gets there: a step drops what it finds to be late.
const AHEAD: u64 = 60_000;

/// Player of a schedule.
pub struct Player<'a> {
    schedule: &'a Schedule,
    pub pipeline: gst::Pipeline,
    pub sink: gst::Element,
    /// A transcriber's output.
    pub text: Option<TextRig>,
    pub source: Source,
    pub bus: gst::Bus,
    /// Segments so far.
    segments: u64,
    segment: Segment,
    /// The base class moves running time to where the clock is: now, or in a segment to come.
    pub stepped: bool,
    /// It changed the rate at once, and with that, in GStreamer 1.22, all segments from there on:
    /// READY does not end that, and stream time is another one as well.
    pub rated: bool,
    /// The timestamp of what comes next, in milliseconds.
    next: u64,
    /// A gap came before it that only its own flag tells of.
    discont: bool,
    first_mark: u32,
    began: Instant,
    pub played: Played,
}

/// In milliseconds.
#[derive(Clone, Copy, Default)]
struct Segment {
    start: u64,
    base: u64,
    time: u64,
    /// Half an hour, where it ends at all.
    stop: Option<u64>,
}

/// Plays, and ends the stream.
pub fn play(schedule: &Schedule) -> Played {
    let service = common::service(schedule.ways.options(&schedule.faults));
    let uri = service.uri_for(schedule.ways.endpoint);
    let mut player = Player::new(schedule, &uri);
    player.live();
    for act in &schedule.acts {
        player.act(act);
    }
    player.finish(schedule.end_in_paused, schedule.hurry_at_end);
    let mut played = player.played;
    service.inspect(|connections| {
        played.connections = connections.len();
        for c in connections {
            played.faults.extend(c.faults.iter().cloned());
            if !(c.faults.is_empty() && c.errors.is_empty()) {
                played.disturbed += 1;
            }
            played.log.push(format!(
                "connection {}: {} bytes, {:?}, {:?}, {:?}",
                c.number, c.audio_bytes, c.faults, c.errors, c.end
            ));
        }
    });
    played
}

impl<'a> Player<'a> {
    fn new(schedule: &'a Schedule, uri: &str) -> Self {
        let settings = &schedule.sink;
        let source = Source::new(settings.live);
        let sink = match &schedule.text {
            Some(pad) => pad.element(settings, uri),
            None => settings.element(uri),
        };
        let pipeline = gst::Pipeline::new();
        pipeline.add(&sink).expect("a new pipeline");
        let pad = sink.static_pad("sink").expect("a sink's pad");
        source.pad.link(&pad).expect("a new pad");
        let bus = pipeline.bus().expect("a pipeline's bus");
        let rig = |pad: &TextPad| TextRig::new(pad, settings.live, &pipeline, &sink);
        Player {
            schedule,
            text: schedule.text.as_ref().map(rig),
            pipeline,
            sink,
            source,
            bus,
            segments: 0,
            segment: Segment::default(),
            stepped: false,
            rated: false,
            next: 0,
            discont: false,
            first_mark: 0,
            began: Instant::now(),
            played: Played::default(),
        }
    }

    pub fn log(&mut self, what: &str) {
        let at = self.began.elapsed().as_millis();
        self.played.log.push(format!("{at} ms: {what}"));
    }

    /// STREAM_START, CAPS and SEGMENT, each stream's own.
    pub fn begin_stream(&mut self) {
        let id = format!("stream-{}", self.segments);
        self.log(&id);
        let pad = &self.source.pad;
        pad.push_event(gst::event::StreamStart::new(&id));
        pad.push_event(gst::event::Caps::new(&caps(self.schedule.sink.rate)));
        self.begin_fed(id);
        self.begin_segment(None, None);
    }

    fn begin_fed(&mut self, id: String) {
        // A transcriber counts streams from its first buffer on.
        let is_unused = self.text.is_some() && self.played.life().is_empty();
        let fed = &mut self.played.life().fed;
        match fed.last_mut().filter(|_| is_unused) {
            Some(unused) => unused.id = id,
            None => fed.push(Fed {
                id,
                ..Fed::default()
            }),
        }
    }

    /// The start of the next segment: another hour than any before, earlier or later.
    pub fn next_start(&self) -> u64 {
        self.segments * 37 % 64 * HOUR + 1000 * self.segments
    }

    /// Where a seek went, or a start of its own; running time that goes on at `base`, or begins
    /// anew.
    fn begin_segment(&mut self, sought: Option<u64>, base: Option<u64>) {
        let start = sought.unwrap_or_else(|| self.next_start());
        // A step from one segment into another leaves the base class with the first one's stop, and
        // nothing that comes is in the segment any more.
        let stops = !self.schedule.acts.iter().any(Act::steps);
        let now = self.text.as_ref().and_then(TextRig::now);
        self.segment = Segment {
            start,
            base: base.or(now).unwrap_or(AHEAD + 500 * self.segments),
            time: sought.unwrap_or(7000 * self.segments),
            stop: (stops && self.segments.is_multiple_of(2)).then_some(start + HOUR / 2),
        };
        self.segments += 1;
        self.next = if self.schedule.sink.timed { start } else { 0 };
        if let Some(fed) = self.played.life().fed.last_mut() {
            fed.segments.push(Span { start, end: start });
        }
        let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
        segment.set_start(ms(start));
        segment.set_base(ms(self.segment.base));
        segment.set_time(ms(self.segment.time));
        segment.set_stop(self.segment.stop.map(ms));
        let event = gst::event::Segment::new(&segment);
        self.source.pad.push_event(event);
    }

    fn act(&mut self, act: &Act) {
        self.log(&format!("{act:?} at {}", self.next));
        match act {
            Act::Speak(speech) => self.speak(*speech),
            Act::Gap { length, event } => {
                let begin = self.stamp(self.next);
                self.next += length;
                if *event {
                    let length = self.stamp(self.next) - begin;
                    let gap = gst::event::Gap::builder(ms(begin)).duration(ms(length));
                    self.source.pad.push_event(gap.build());
                } else {
                    // Up to a second it would be jitter.
                    self.discont = *length <= 1000;
                }
            }
            Act::Pause(length) => self.pause(*length),
            Act::NewStream => self.begin_stream(),
            Act::Segment(later) => {
                let running = self.segment.base + (self.next - self.segment.start);
                self.begin_segment(None, Some(running + later));
            }
            Act::Ready => {
                self.ready();
                self.again();
            }
        }
    }

    fn speak(&mut self, speech: Speech) {
        let Speech {
            sentences,
            buffers,
            meanwhile,
            ..
        } = speech;
        let whole = length(sentences, speech.tail);
        let audio = Audio {
            pcm: self.marks(sentences, whole),
            rate: self.schedule.sink.rate,
            start: self.schedule.sink.timed.then_some(self.next),
            whole,
            first: self.next == self.segment.start,
            segment: self.segment.start,
            stop: self.segment.stop,
            stamps: self.schedule.stamps,
            discont: std::mem::take(&mut self.discont),
        };
        self.next += whole;
        let end = self.stamp(self.next);
        let fed = self.played.life().fed.last_mut();
        if let Some(span) = fed.and_then(|fed| fed.segments.last_mut()) {
            span.end = end;
        }
        let progress = self.source.progress.clone();
        progress.begin();
        let pad = self.source.pad.clone();
        thread::scope(|scope| {
            scope.spawn(|| hand_over(&pad, audio, buffers, &progress));
            let mut moves = true;
            if let Some((at, what)) = meanwhile {
                // Not before the first buffer: a pause while that makes the pipeline preroll is too
                // much for GStreamer 1.22, with any sink.
                moves = progress.wait_for(at.max(1));
                self.meanwhile(what);
            }
            let moves = moves && progress.wait_for(whole);
            let cut = meanwhile.is_some_and(|(_, what)| what.cuts());
            if let Some(flow) = progress.refusal().filter(|_| !cut) {
                self.log(&format!("refused: {flow:?}"));
            }
            if !moves {
                let errors = &mut self.played.life().errors;
                errors.push("buffers are not taken".to_owned());
                self.read_bus(Duration::ZERO);
                let _ = self.pipeline.set_state(gst::State::Null);
            }
        });
        match meanwhile {
            Some((_, Meanwhile::Flush)) => {
                pad.push_event(gst::event::FlushStop::new(true));
                self.flushed(None);
            }
            Some((_, Meanwhile::Seek)) => {
                let sought = progress.sought();
                self.flushed(sought);
            }
            Some((_, Meanwhile::Ready)) => self.again(),
            _ => {}
        }
    }

    /// The sound of the next sentences, which are noted down.
    fn marks(&mut self, sentences: u64, whole: u64) -> Vec<u8> {
        let rate = self.schedule.sink.rate;
        let layout = layout(self.first_mark, rate);
        let mut pcm = layout.pcm(layout.lead + sentences * layout.period() - layout.pause);
        pcm.resize((whole * u64::from(rate) / 500) as usize, 0);
        let count = sentences * layout.sentence;
        let (next, segment) = (self.next, self.segment);
        let time = self.schedule.sink.timed && !self.rated;
        let running = time && !self.stepped;
        let (stamps, start) = (self.schedule.stamps, segment.start);
        let stamp = |at| stamps.of_time(at, start);
        let places = (0..count).map(|n| {
            let mark = layout.mark(n);
            Place {
                number: mark.number,
                start: stamp(next + mark.start),
                end: stamp(next + mark.end),
                running: running.then(|| segment.base.wrapping_sub(segment.start)),
                time: time.then(|| segment.time.wrapping_sub(segment.start)),
            }
        });
        if let Some(fed) = self.played.life().fed.last_mut() {
            fed.marks.extend(places);
        }
        self.first_mark += count as u32;
        pcm
    }

    /// The true time of what comes at `at`.
    fn stamp(&self, at: u64) -> u64 {
        self.schedule.stamps.of_time(at, self.segment.start)
    }

    /// After the end of a flush.
    fn flushed(&mut self, sought: Option<u64>) {
        self.read_bus(Duration::ZERO);
        self.cut();
        let id = self.played.life().fed.last().map(|fed| fed.id.clone());
        self.begin_fed(id.unwrap_or_default());
        self.begin_segment(sought, None);
    }
}

pub fn ms(ms: u64) -> gst::ClockTime {
    gst::ClockTime::from_mseconds(ms)
}
