//! A schedule, played through a pipeline whose source is the test itself.

use std::ops::Deref;
use std::thread;
use std::time::{Duration, Instant};

use gst::prelude::*;
use volcasr_loopback::marks::Layout;

use super::buffers::{Audio, hand_over};
use super::common;
use super::common::{Rig, caps};
use super::plan::{Act, Meanwhile, Schedule, Speech};
use super::record::{Fed, Place, Played, Span};
use super::source::{Progress, Source};

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
    rig: Rig,
    pub source: Source,
    /// Segments so far.
    segments: u64,
    segment: Segment,
    /// The base class moves running time to where the clock is: now, or in a segment to come.
    pub stepped: bool,
    /// It changed the rate at once, and with that, in GStreamer 1.22, all segments from there on:
    /// READY does not end that, and stream time is another one as well.
    rated: bool,
    /// The timestamp of what comes next, in milliseconds.
    next: u64,
    /// A gap came before it that only its own flag tells of.
    discont: bool,
    first_mark: u32,
    began: Instant,
    pub played: Played,
}

impl Deref for Player<'_> {
    type Target = Rig;

    fn deref(&self) -> &Rig {
        &self.rig
    }
}

/// In milliseconds.
#[derive(Clone, Copy, Default)]
pub struct Segment {
    pub start: u64,
    base: u64,
    time: u64,
    /// Half an hour, where it ends at all.
    pub stop: Option<u64>,
}

/// Plays, and ends the stream.
pub fn play(schedule: &Schedule) -> Played {
    let service = common::service(schedule.ways.options.clone());
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
        let rig = match &schedule.text {
            Some(pad) => pad.rig(settings, uri),
            None => Rig::new(settings.element(uri)),
        };
        let pad = rig.sink.static_pad("sink").expect("a sink's pad");
        source.pad.link(&pad).expect("a new pad");
        Player {
            schedule,
            rig,
            source,
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
    fn next_start(&self) -> u64 {
        self.segments * 37 % 64 * HOUR + 1000 * self.segments
    }

    /// Where a seek went, or a start of its own; running time that goes on at `base`, or begins
    /// anew.
    fn begin_segment(&mut self, sought: Option<u64>, base: Option<u64>) {
        let start = sought.unwrap_or_else(|| self.next_start());
        // A step from one segment into another leaves the base class with the first one's stop, and
        // nothing that comes is in the segment any more.
        let stops = !self.schedule.steps();
        let is_due = self.schedule.text.as_ref().is_some_and(|pad| pad.is_due);
        let now = (is_due && self.schedule.sink.live).then(|| self.pipeline.current_running_time());
        let now = now.flatten().map(gst::ClockTime::mseconds);
        self.segment = Segment {
            start,
            base: base.or(now).unwrap_or(AHEAD + 500 * self.segments),
            time: sought.unwrap_or(7000 * self.segments),
            stop: (stops && self.segments.is_multiple_of(2)).then_some(start + HOUR / 2),
        };
        self.segments += 1;
        self.next = if self.schedule.sink.timed { start } else { 0 };
        let span = Span { start, end: start };
        self.played.fed().segments.push(span);
        let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
        segment.set_start(ms(start));
        segment.set_base(ms(self.segment.base));
        segment.set_time(ms(self.segment.time));
        segment.set_stop(self.segment.stop.map(ms));
        self.push(gst::event::Segment::new(&segment));
    }

    fn push(&self, event: gst::Event) {
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
                    self.push(gap.build());
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
            whole,
            buffers,
            meanwhile,
            ..
        } = speech;
        let audio = Audio {
            pcm: self.marks(speech),
            rate: self.schedule.sink.rate,
            start: self.schedule.sink.timed.then_some(self.next),
            segment: self.segment,
            stamps: self.schedule.stamps,
            discont: std::mem::take(&mut self.discont),
        };
        self.next += whole;
        let end = self.stamp(self.next);
        self.played
            .fed()
            .segments
            .last_mut()
            .expect("a segment")
            .end = end;
        let (pad, progress) = (self.source.pad.clone(), self.source.progress.clone());
        progress.reach(0);
        let sought = self.next_start();
        thread::scope(|scope| {
            scope.spawn(|| hand_over(&pad, audio, buffers, &progress));
            let mut moves = true;
            if let Some((at, what)) = meanwhile {
                // Not before the first buffer: a pause while that makes the pipeline preroll is too
                // much for GStreamer 1.22, with any sink.
                moves = progress.wait_for(at.max(1));
                self.meanwhile(what);
            }
            if !(moves && progress.wait_for(Progress::OVER)) {
                let errors = &mut self.played.life().errors;
                errors.push("buffers are not taken".to_owned());
                self.read_bus(Duration::ZERO);
                let _ = self.pipeline.set_state(gst::State::Null);
            }
        });
        match meanwhile {
            Some((_, Meanwhile::Flush)) => {
                self.push(gst::event::FlushStop::new(true));
                self.flushed(None);
            }
            Some((_, Meanwhile::Seek)) => self.flushed(Some(sought)),
            Some((_, Meanwhile::Ready)) => self.again(),
            _ => {}
        }
    }

    /// The sound of the next sentences, which are noted down.
    fn marks(&mut self, speech: Speech) -> Vec<u8> {
        let rate = self.schedule.sink.rate;
        let layout = Layout {
            first: self.first_mark,
            rate,
            ..Layout::default()
        };
        let (mut pcm, marks) = layout.sentences(speech.sentences);
        self.first_mark += marks.len() as u32;
        pcm.resize((speech.whole * u64::from(rate) / 500) as usize, 0);
        let segment = self.segment;
        let time = self.schedule.sink.timed && !self.rated;
        let running = time && !self.stepped;
        let places = marks.iter().map(|mark| Place {
            number: mark.number,
            start: self.stamp(self.next + mark.start),
            end: self.stamp(self.next + mark.end),
            running: running.then(|| segment.base.wrapping_sub(segment.start)),
            time: time.then(|| segment.time.wrapping_sub(segment.start)),
        });
        let places: Vec<Place> = places.collect();
        self.played.fed().marks.extend(places);
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
        let id = self.played.fed().id.clone();
        self.begin_fed(id);
        self.begin_segment(sought, None);
    }

    fn meanwhile(&mut self, what: Meanwhile) {
        match what {
            Meanwhile::Pause(length) => self.pause(length),
            Meanwhile::Hurry(times) => self.hurry(times),
            Meanwhile::Step { times, paused } => {
                self.forget_running_time();
                if paused {
                    let _ = self.pipeline.set_state(gst::State::Paused);
                }
                for _ in 0..times {
                    let one = gst::format::Buffers::from_u64(1);
                    let step = gst::event::Step::new(one, 1.0, true, false);
                    self.sink.send_event(step);
                }
                let _ = self.pipeline.set_state(gst::State::Playing);
            }
            Meanwhile::Rate(doubled) => {
                self.forget_running_time();
                self.rated = true;
                let marks = &mut self.played.fed().marks;
                marks.iter_mut().for_each(|mark| mark.time = None);
                let (rate, flags) = (doubled as f64 / 2.0, gst::SegmentFlags::empty());
                // Not in line with the buffers: the sink asks the pipeline for the moment.
                self.push(gst::event::InstantRateChange::new(rate, flags));
            }
            Meanwhile::Flush => self.push(gst::event::FlushStart::new()),
            Meanwhile::Seek => {
                let to = ms(self.next_start());
                let sought = self.pipeline.seek_simple(gst::SeekFlags::FLUSH, to);
                sought.expect("a source that seeks");
            }
            Meanwhile::Ready => self.ready(),
        }
    }

    fn pause(&self, length: u64) {
        // The answer may be "later": without a buffer there is nothing to preroll with.
        let _ = self.pipeline.set_state(gst::State::Paused);
        thread::sleep(Duration::from_millis(length));
        let _ = self.pipeline.set_state(gst::State::Playing);
    }

    pub fn hurry(&self, times: u64) {
        for _ in 0..times {
            self.pause(0);
        }
    }

    /// Running time is another one from here on, and in what waits in the sink.
    fn forget_running_time(&mut self) {
        self.stepped = true;
        let marks = &mut self.played.fed().marks;
        marks.iter_mut().for_each(|mark| mark.running = None);
    }
}

pub fn ms(ms: u64) -> gst::ClockTime {
    gst::ClockTime::from_mseconds(ms)
}
