//! The sink's properties, and whether the source is live.

use gst::prelude::*;

use super::common;
use super::dice::Dice;
use super::plan::IDLE;

/// Short, for services that hang; with six times that for the words of all tries to come.
const FINISH: u32 = 2500;

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
    pub leaky: &'static str,
    /// The source says that it is.
    pub live: bool,
    pub is_async: bool,
    /// Buffers have timestamps.
    pub timed: bool,
    pub replay: u32,
}

impl Settings {
    pub fn new(dice: &mut Dice) -> Self {
        let mut settings = Settings {
            single: dice.percent(40),
            gzip: dice.percent(50),
            end_window: dice.pick(&[800, 800, 500, 0]),
            chunk: dice.pick(&[200, 200, 100, 37, 20, 1000, 2000, 0]),
            max_speed: dice.pick(&[0.0, 0.0, 20.0, 50.0]),
            max_queue: dice.pick(&[30_000, 3000, 1000]),
            max_session: dice.pick(&[600_000, 600_000, 4000, 2500, 0]),
            idle: dice.pick(&[4000, IDLE as u32]),
            rate: dice.pick(&[24_000, 24_000, 16_000]),
            two_pass: dice.percent(20),
            leaky: dice.pick(&["no", "no", "no", "auto", "auto", "downstream"]),
            live: dice.percent(25),
            is_async: dice.percent(75),
            timed: true,
            replay: 120_000,
        };
        if dice.percent(10) {
            settings.replay = dice.pick(&[0, 500, 1500, 3000]);
            // The audio that a rollover takes along has to be in the window.
            settings.max_session = 0;
        }
        // Timestamps show what was dropped or forgotten.
        settings.timed = settings.drops() || settings.forgets() || !dice.percent(10);
        settings
    }

    /// Makes the sink, or a transcriber where this thread tests that.
    pub fn element(&self, uri: &str) -> gst::Element {
        let sink = common::sink_for(uri);
        if !common::text::is_transcriber() {
            sink.set_property("async", self.is_async);
        }
        let result_type = if self.single { "single" } else { "full" };
        let compression = if self.gzip { "gzip" } else { "none" };
        let properties = format!(
            "end-window-size={} chunk-duration={} max-speed={} max-queue-time={} \
             max-session-time={} idle-timeout={} rate={} enable-nonstream={} replay-time={} \
             leaky={} finish-timeout={FINISH} result-type={result_type} compression={compression}",
            self.end_window,
            self.chunk,
            self.max_speed,
            self.max_queue,
            self.max_session,
            self.idle,
            self.rate,
            self.two_pass,
            self.replay,
            self.leaky
        );
        common::set(sink, &properties)
    }

    /// Whether audio may be dropped, and warned about, where too much waits.
    pub fn drops(&self) -> bool {
        self.leaky == "downstream" || self.leaky == "auto" && self.live
    }

    /// Whether a session is left for the next one.
    pub fn rolls_over(&self) -> bool {
        matches!(self.max_session, 1..10_000)
    }

    /// Whether the window holds less than a schedule has.
    pub fn forgets(&self) -> bool {
        self.replay < 10_000
    }
}
