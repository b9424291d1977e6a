//! A schedule, played through a pipeline whose source is the test itself.

use std::thread;
use std::time::{Duration, Instant};

use gst::prelude::*;

use super::common::{self, Transcript};
use super::plan::{Act, Meanwhile, Schedule, layout, length};
use super::record::{Cut, Fed, Life, Place, Played, Warned};
use super::source::{Source, hand_over};

/// Longer than anything here takes, many at a time: what runs into it has hung.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Segments begin at whole hours, so that a timestamp says which one it belongs to.
pub const HOUR: u64 = 3_600_000;

/// Running time begins so late that no clock gets there: a step drops what it finds to be late.
const AHEAD: u64 = 60_000;

struct Player {
    pipeline: gst::Pipeline,
    sink: gst::Element,
    source: Source,
    bus: gst::Bus,
    rate: u32,
    /// Segments so far.
    segments: u64,
    segment: Segment,
    /// The base class moves running time to where the clock is: now, or in a segment to come.
    stepped: bool,
    /// The timestamp of what comes next, in milliseconds.
    next: u64,
    first_mark: u32,
    began: Instant,
    played: Played,
}

/// In milliseconds.
#[derive(Clone, Copy, Default)]
struct Segment {
    start: u64,
    base: u64,
    time: u64,
}

/// Plays, and ends the stream.
pub fn play(schedule: &Schedule) -> Played {
    let service = common::service(schedule.ways.options(&schedule.faults));
    let uri = service.uri_for(schedule.ways.endpoint);
    let source = Source::new(schedule.sink.live);
    let mut player = Player::new(schedule.sink.sink(&uri), source, schedule.sink.rate);
    player.live();
    for act in &schedule.acts {
        player.act(act);
    }
    player.finish(schedule.hurry_at_end);
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

impl Player {
    fn new(sink: gst::Element, source: Source, rate: u32) -> Self {
        let pipeline = gst::Pipeline::new();
        pipeline.add(&sink).expect("a new pipeline");
        let pad = sink.static_pad("sink").expect("a sink's pad");
        source.pad.link(&pad).expect("a new pad");
        let bus = pipeline.bus().expect("a pipeline's bus");
        Player {
            pipeline,
            sink,
            source,
            bus,
            rate,
            segments: 0,
            segment: Segment::default(),
            stepped: false,
            next: 0,
            first_mark: 0,
            began: Instant::now(),
            played: Played::default(),
        }
    }

    fn log(&mut self, what: &str) {
        let at = self.began.elapsed().as_millis();
        self.played.log.push(format!("{at} ms: {what}"));
    }

    /// From READY on.
    fn live(&mut self) {
        self.played.lives.push(Life::default());
        self.stepped = false;
        self.pipeline
            .set_state(gst::State::Paused)
            .expect("to pause");
        self.pipeline
            .set_state(gst::State::Playing)
            .expect("to play");
        self.begin_stream();
    }

    /// Back to READY. What was not said yet is not said any more.
    fn ready(&mut self) {
        let began = Instant::now();
        self.pipeline
            .set_state(gst::State::Ready)
            .expect("READY from anywhere");
        let took = began.elapsed();
        self.played.ready = self.played.ready.max(took);
        self.log(&format!("READY in {took:?}"));
    }

    /// Begins anew after READY.
    fn again(&mut self) {
        self.listen(Duration::ZERO);
        self.cut();
        self.live();
    }

    /// STREAM_START, CAPS and SEGMENT, each stream's own.
    fn begin_stream(&mut self) {
        let id = format!("stream-{}", self.segments);
        self.log(&id);
        let pad = &self.source.pad;
        pad.push_event(gst::event::StreamStart::new(&id));
        let caps = gst::Caps::builder("audio/x-raw")
            .field("format", "S16LE")
            .field("layout", "interleaved")
            .field("rate", self.rate as i32)
            .field("channels", 1)
            .build();
        pad.push_event(gst::event::Caps::new(&caps));
        self.begin_fed(id);
        self.begin_segment(None, None);
    }

    fn begin_fed(&mut self, id: String) {
        let marks = Vec::new();
        self.played.life().fed.push(Fed { id, marks });
    }

    /// The start of the next segment: another hour than any before, earlier or later.
    fn next_start(&self) -> u64 {
        self.segments * 37 % 64 * HOUR + 1000 * self.segments
    }

    /// Where a seek went, or a start of its own; running time that goes on at `base`, or begins anew.
    fn begin_segment(&mut self, sought: Option<u64>, base: Option<u64>) {
        let start = sought.unwrap_or_else(|| self.next_start());
        self.segment = Segment {
            start,
            base: base.unwrap_or(AHEAD + 500 * self.segments),
            time: sought.unwrap_or(7000 * self.segments),
        };
        self.segments += 1;
        self.next = start;
        let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
        segment.set_start(ms(start));
        segment.set_base(ms(self.segment.base));
        segment.set_time(ms(self.segment.time));
        let event = gst::event::Segment::new(&segment);
        self.source.pad.push_event(event);
    }

    fn act(&mut self, act: &Act) {
        self.log(&format!("{act:?} at {}", self.next));
        match act {
            Act::Speak {
                sentences,
                tail,
                buffer,
                meanwhile,
            } => self.speak(*sentences, *tail, *buffer, *meanwhile),
            Act::Gap { length, event } => {
                if *event {
                    let gap = gst::event::Gap::builder(ms(self.next)).duration(ms(*length));
                    self.source.pad.push_event(gap.build());
                }
                self.next += length;
            }
            Act::Pause { length } => self.pause(*length),
            Act::NewStream => self.begin_stream(),
            Act::Segment { later } => {
                let running = self.segment.base + (self.next - self.segment.start);
                self.begin_segment(None, Some(running + later));
            }
            Act::Ready => {
                self.ready();
                self.again();
            }
        }
    }

    fn pause(&self, length: u64) {
        // The answer may be "later": without a buffer there is nothing to preroll with.
        let _ = self.pipeline.set_state(gst::State::Paused);
        thread::sleep(Duration::from_millis(length));
        let _ = self.pipeline.set_state(gst::State::Playing);
    }

    fn hurry(&self, times: u64) {
        for _ in 0..times {
            self.pause(0);
        }
    }

    fn step(&mut self, times: u64, paused: bool) {
        self.stepped = true;
        if let Some(fed) = self.played.life().fed.last_mut() {
            fed.marks.iter_mut().for_each(|mark| mark.running = None);
        }
        if paused {
            let _ = self.pipeline.set_state(gst::State::Paused);
        }
        for _ in 0..times {
            let one = gst::format::Buffers::from_u64(1);
            self.sink
                .send_event(gst::event::Step::new(one, 1.0, true, false));
        }
        let _ = self.pipeline.set_state(gst::State::Playing);
    }

    fn speak(
        &mut self,
        sentences: u64,
        tail: u64,
        buffer: u64,
        meanwhile: Option<(u64, Meanwhile)>,
    ) {
        let whole = length(sentences, tail);
        let pcm = self.marks(sentences, whole);
        let start = self.next;
        self.next += whole;
        let progress = self.source.progress.clone();
        progress.begin();
        let pad = self.source.pad.clone();
        thread::scope(|scope| {
            scope.spawn(|| hand_over(&pad, &pcm, (start, whole), buffer, &progress));
            let mut moves = true;
            if let Some((at, what)) = meanwhile {
                moves = progress.wait_for(at);
                self.meanwhile(what);
            }
            if !(moves && progress.wait_for(whole)) {
                let errors = &mut self.played.life().errors;
                errors.push("buffers are not taken".to_owned());
                self.listen(Duration::ZERO);
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
        let layout = layout(self.first_mark, self.rate);
        let mut pcm = layout.pcm(layout.lead + sentences * layout.period() - layout.pause);
        pcm.resize((whole * u64::from(self.rate) / 500) as usize, 0);
        let count = sentences * layout.sentence;
        let (next, segment, stepped) = (self.next, self.segment, self.stepped);
        let places = (0..count).map(|n| {
            let mark = layout.mark(n);
            Place {
                number: mark.number,
                start: next + mark.start,
                end: next + mark.end,
                running: (!stepped).then(|| segment.base.wrapping_sub(segment.start)),
                time: segment.time.wrapping_sub(segment.start),
            }
        });
        if let Some(fed) = self.played.life().fed.last_mut() {
            fed.marks.extend(places);
        }
        self.first_mark += count as u32;
        pcm
    }

    fn meanwhile(&mut self, what: Meanwhile) {
        match what {
            Meanwhile::Pause { length } => self.pause(length),
            Meanwhile::Hurry { times } => self.hurry(times),
            Meanwhile::Step { times, paused } => self.step(times, paused),
            Meanwhile::Flush => {
                self.source.pad.push_event(gst::event::FlushStart::new());
            }
            Meanwhile::Seek => {
                let to = ms(self.next_start());
                let sought = self.pipeline.seek_simple(gst::SeekFlags::FLUSH, to);
                if let Err(error) = sought {
                    self.played.life().errors.push(error.to_string());
                }
            }
            Meanwhile::Ready => self.ready(),
        }
    }

    /// After the end of a flush.
    fn flushed(&mut self, sought: Option<u64>) {
        self.listen(Duration::ZERO);
        self.cut();
        let id = self.played.life().fed.last().map(|fed| fed.id.clone());
        self.begin_fed(id.unwrap_or_default());
        self.begin_segment(sought, None);
    }

    fn cut(&mut self) {
        let life = self.played.life();
        life.cuts.push(Cut {
            stream: life.fed.len() as u32 - 1,
            said: life.said.len(),
        });
        self.log("cut");
    }

    fn finish(&mut self, hurry: u64) {
        self.log("end of stream");
        let pad = self.source.pad.clone();
        thread::scope(|scope| {
            scope.spawn(|| pad.push_event(gst::event::Eos::new()));
            self.hurry(hurry);
            self.listen(PATIENCE);
            let stats = self.sink.property::<gst::Structure>("stats");
            self.played.life().dropped = stats.get("audio-dropped").ok();
            // Ends the event as well, should it hang.
            self.ready();
        });
        while let Some(message) = self.bus.pop() {
            self.hear_late(&message);
        }
        let _ = self.pipeline.set_state(gst::State::Null);
        self.log("over");
    }

    /// Takes what is on the bus, and what comes within `patience`, up to the end.
    fn listen(&mut self, patience: Duration) {
        let patience = gst::ClockTime::try_from(patience).expect("short");
        while let Some(message) = self.bus.timed_pop(patience) {
            if self.hear(&message) {
                return;
            }
        }
    }

    /// Whether it was the last one.
    fn hear(&mut self, message: &gst::Message) -> bool {
        match message.view() {
            gst::MessageView::Eos(_) => {
                self.played.life().ended = true;
                return true;
            }
            gst::MessageView::Error(error) => {
                self.log(&format!("{error:?}"));
                let text = error.error().to_string();
                self.played.life().errors.push(text);
                return true;
            }
            gst::MessageView::Warning(warning) => {
                let text = warning.error().message().to_owned();
                self.log(&format!("{text} {:?}", warning.details()));
                let life = self.played.life();
                life.warnings.push(Warned {
                    said: life.said.len(),
                    details: warning.details().map(|details| details.to_owned()),
                });
            }
            gst::MessageView::Progress(progress) => {
                let (kind, ..) = progress.get();
                use gst::ProgressType::{Canceled, Complete, Error};
                if matches!(kind, Canceled | Complete | Error) {
                    self.played.life().progress.push(kind);
                }
            }
            gst::MessageView::Element(_) => {
                if let Some(said) = Transcript::parse(message) {
                    let end = if said.is_final { "final" } else { "" };
                    let sure = if said.unconfirmed { "unconfirmed" } else { "" };
                    let text = format!(
                        "{}.{} session {} {:?} {end} {sure}",
                        said.stream, said.utterance, said.session, said.text
                    );
                    self.log(&text);
                    self.played.life().said.push(said);
                }
            }
            _ => {}
        }
        false
    }

    /// After the end of the stream.
    fn hear_late(&mut self, message: &gst::Message) {
        use gst::MessageView::{Element, Error, Progress, Tag, Warning};
        match message.view() {
            // Nobody waits for the network with nothing to say.
            Progress(_) if self.played.life().fed.iter().all(|f| f.marks.is_empty()) => {
                self.hear(message);
            }
            Element(_) | Error(_) | Progress(_) | Tag(_) | Warning(_) => {
                self.played.life().late.push(format!("{message:?}"));
            }
            _ => {}
        }
    }
}

pub fn ms(ms: u64) -> gst::ClockTime {
    gst::ClockTime::from_mseconds(ms)
}
