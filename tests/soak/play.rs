//! A schedule, played through a pipeline whose source is the test itself.

use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use gst::prelude::*;

use super::common::{self, Transcript};
use super::plan::{Act, Meanwhile, Schedule, layout, length};

/// Longer than anything here takes, many at a time: what runs into it has hung.
const PATIENCE: Duration = Duration::from_secs(30);

/// Short, for services that hang; with six times that for the words of all tries to come.
const FINISH: u32 = 2500;

/// Where one mark is to be heard: number, and start and end on the pipeline's time, in milliseconds.
pub type Place = (u32, u64, u64);

/// What one stream was fed.
#[derive(Debug, Default)]
pub struct Fed {
    pub marks: Vec<Place>,
    pub flushed: bool,
    /// From timestamps to running time and stream time, in milliseconds.
    pub running: u64,
    pub time: u64,
}

/// What came of a schedule.
#[derive(Debug, Default)]
pub struct Played {
    pub fed: Vec<Fed>,
    pub said: Vec<Transcript>,
    /// How much of `said` came before the end of the flush that ended the stream of that number.
    pub flushes: Vec<(u32, usize)>,
    pub errors: Vec<String>,
    pub finished: bool,
    pub connections: usize,
    pub faults: usize,
    pub log: Vec<String>,
}

struct Player {
    pipeline: gst::Pipeline,
    pad: gst::Pad,
    bus: gst::Bus,
    rate: u32,
    /// The timestamp of what comes next, in milliseconds.
    next: u64,
    first_mark: u32,
    began: Instant,
    played: Played,
}

/// Plays, and ends the stream.
pub fn play(schedule: &Schedule) -> Played {
    let service = common::service(schedule.options());
    let sink = sink(schedule, &service.uri_for(schedule.service.endpoint));
    let mut player = Player::new(&sink, schedule.sink.rate);
    player
        .pipeline
        .set_state(gst::State::Playing)
        .expect("to play");
    player.begin_stream();
    for act in &schedule.acts {
        player.act(act);
    }
    player.finish(schedule.hurry_at_end);
    let mut played = player.played;
    service.inspect(|connections| {
        played.connections = connections.len();
        played.faults = connections.iter().map(|c| c.faults.len()).sum();
        for c in connections {
            played.log.push(format!(
                "connection {}: {} bytes, {:?}, {:?}, {:?}",
                c.number, c.audio_bytes, c.faults, c.errors, c.end
            ));
        }
    });
    played
}

fn sink(schedule: &Schedule, uri: &str) -> gst::Element {
    let settings = &schedule.sink;
    let sink = common::sink_for(uri);
    sink.set_property("end-window-size", settings.end_window);
    sink.set_property("chunk-duration", settings.chunk);
    sink.set_property("max-speed", settings.max_speed);
    sink.set_property("max-queue-time", settings.max_queue);
    sink.set_property("max-session-time", settings.max_session);
    sink.set_property("idle-timeout", settings.idle);
    sink.set_property("rate", settings.rate as i32);
    sink.set_property("enable-nonstream", settings.two_pass);
    sink.set_property("finish-timeout", FINISH);
    sink.set_property_from_str("leaky", "no");
    sink.set_property_from_str(
        "result-type",
        if settings.single { "single" } else { "full" },
    );
    sink.set_property_from_str("compression", if settings.gzip { "gzip" } else { "none" });
    sink
}

/// How far the thread that hands over buffers has come.
#[derive(Default)]
struct Progress {
    state: Mutex<(u64, bool)>,
    changed: Condvar,
}

impl Progress {
    fn tell(&self, ms: u64, over: bool) {
        *self.state.lock().expect("no panic under the lock") = (ms, over);
        self.changed.notify_all();
    }

    /// False: it did not come so far.
    fn wait_for(&self, ms: u64) -> bool {
        let state = self.state.lock().expect("no panic under the lock");
        let waits = |(at, over): &mut (u64, bool)| *at < ms && !*over;
        let (_state, waited) = self
            .changed
            .wait_timeout_while(state, PATIENCE, waits)
            .expect("no panic under the lock");
        !waited.timed_out()
    }
}

impl Player {
    fn new(sink: &gst::Element, rate: u32) -> Self {
        let pipeline = gst::Pipeline::new();
        pipeline.add(sink).expect("a new pipeline");
        let pad = gst::Pad::new(gst::PadDirection::Src);
        pad.set_active(true).expect("a new pad");
        pad.link(&sink.static_pad("sink").expect("a sink's pad"))
            .expect("a new pad");
        let bus = pipeline.bus().expect("a pipeline's bus");
        Player {
            pipeline,
            pad,
            bus,
            rate,
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

    /// STREAM_START, CAPS and SEGMENT, each stream's own.
    fn begin_stream(&mut self) {
        let number = self.played.fed.len();
        self.log(&format!("stream {number}"));
        let id = format!("stream-{number}");
        self.pad.push_event(gst::event::StreamStart::new(&id));
        let caps = gst::Caps::builder("audio/x-raw")
            .field("format", "S16LE")
            .field("layout", "interleaved")
            .field("rate", self.rate as i32)
            .field("channels", 1)
            .build();
        self.pad.push_event(gst::event::Caps::new(&caps));
        self.begin_segment();
    }

    fn begin_segment(&mut self) {
        let number = self.played.fed.len() as u64;
        self.next = 1000 * number;
        let (base, time) = (500 * number, 7000 * number);
        let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
        segment.set_start(ms(self.next));
        segment.set_base(ms(base));
        segment.set_time(ms(time));
        self.pad.push_event(gst::event::Segment::new(&segment));
        self.played.fed.push(Fed {
            // Nothing here is before its segment's start.
            running: base.wrapping_sub(self.next),
            time: time.wrapping_sub(self.next),
            ..Fed::default()
        });
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
                    self.pad.push_event(gap.build());
                }
                self.next += length;
            }
            Act::Pause { length } => self.pause(*length),
            Act::NewStream => self.begin_stream(),
        }
    }

    fn pause(&self, length: u64) {
        // The answer may be "later": without a buffer there is nothing to preroll with.
        let _ = self.pipeline.set_state(gst::State::Paused);
        thread::sleep(Duration::from_millis(length));
        let _ = self.pipeline.set_state(gst::State::Playing);
    }

    fn speak(
        &mut self,
        sentences: u64,
        tail: u64,
        buffer: u64,
        meanwhile: Option<(u64, Meanwhile)>,
    ) {
        let layout = layout(self.first_mark, self.rate);
        let whole = length(sentences, tail);
        let mut pcm = layout.pcm(layout.lead + sentences * layout.period() - layout.pause);
        pcm.resize((whole * u64::from(self.rate) / 500) as usize, 0);
        let start = self.next;
        let count = sentences * layout.sentence;
        if let Some(fed) = self.played.fed.last_mut() {
            fed.marks.extend((0..count).map(|n| {
                let mark = layout.mark(n);
                (mark.number, start + mark.start, start + mark.end)
            }));
        }
        self.first_mark += count as u32;
        self.next += whole;
        let progress = Progress::default();
        let pad = self.pad.clone();
        thread::scope(|scope| {
            scope.spawn(|| hand_over(&pad, &pcm, (start, whole), buffer, &progress));
            let mut moves = true;
            if let Some((at, what)) = meanwhile {
                moves = progress.wait_for(at);
                match what {
                    Meanwhile::Pause { length } => self.pause(length),
                    Meanwhile::Hurry { times } => self.hurry(times),
                    Meanwhile::Flush => self.flush_start(),
                }
            }
            if !(moves && progress.wait_for(whole)) {
                self.played.errors.push("buffers are not taken".to_owned());
                let _ = self.pipeline.set_state(gst::State::Null);
            }
        });
        if matches!(meanwhile, Some((_, Meanwhile::Flush))) {
            self.flush_stop();
        }
    }

    fn flush_start(&mut self) {
        self.pad.push_event(gst::event::FlushStart::new());
    }

    fn flush_stop(&mut self) {
        self.pad.push_event(gst::event::FlushStop::new(true));
        self.listen(Duration::ZERO);
        // A stream before it that was still being ended in the background is dropped as well.
        for fed in &mut self.played.fed {
            fed.flushed = true;
        }
        let stream = self.played.fed.len() as u32 - 1;
        self.played.flushes.push((stream, self.played.said.len()));
        self.log("flushed");
        self.begin_segment();
    }

    fn hurry(&self, times: u64) {
        for _ in 0..times {
            self.pause(0);
        }
    }

    fn finish(&mut self, hurry: u64) {
        self.log("end of stream");
        let pad = self.pad.clone();
        thread::scope(|scope| {
            scope.spawn(|| pad.push_event(gst::event::Eos::new()));
            self.hurry(hurry);
            self.listen(PATIENCE);
            // Ends the event as well, should it hang.
            let _ = self.pipeline.set_state(gst::State::Null);
        });
        self.log("over");
    }

    /// Takes what is on the bus, and what comes within `patience`, up to the end.
    fn listen(&mut self, patience: Duration) {
        let patience = gst::ClockTime::try_from(patience).expect("short");
        while let Some(message) = self.bus.timed_pop(patience) {
            match message.view() {
                gst::MessageView::Eos(_) => {
                    self.played.finished = true;
                    return;
                }
                gst::MessageView::Error(error) => {
                    self.log(&format!("{error:?}"));
                    self.played.errors.push(error.error().to_string());
                    return;
                }
                gst::MessageView::Warning(warning) => {
                    self.log(warning.error().message());
                }
                gst::MessageView::Element(_) => {
                    let Some(said) = Transcript::parse(&message) else {
                        continue;
                    };
                    let end = if said.is_final { "final" } else { "" };
                    self.log(&format!(
                        "{}.{} session {} {:?} {end}{}",
                        said.stream,
                        said.utterance,
                        said.session,
                        said.text,
                        if said.unconfirmed { " unconfirmed" } else { "" }
                    ));
                    self.played.said.push(said);
                }
                _ => {}
            }
        }
    }
}

/// Pushes `pcm`, which is `whole` milliseconds from `start` on.
fn hand_over(
    pad: &gst::Pad,
    pcm: &[u8],
    (start, whole): (u64, u64),
    buffer: u64,
    progress: &Progress,
) {
    let bytes = |ms: u64| pcm.len() / whole as usize * ms as usize;
    let mut at = 0;
    while at < whole {
        let end = (at + buffer).min(whole);
        let mut piece = gst::Buffer::from_slice(pcm[bytes(at)..bytes(end)].to_vec());
        let writable = piece.get_mut().expect("a new buffer");
        writable.set_pts(ms(start + at));
        writable.set_duration(ms(end - at));
        // A flush, or an error that the bus tells of.
        if pad.push(piece).is_err() {
            break;
        }
        at = end;
        progress.tell(at, false);
    }
    progress.tell(at, true);
}

fn ms(ms: u64) -> gst::ClockTime {
    gst::ClockTime::from_mseconds(ms)
}
