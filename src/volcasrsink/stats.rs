//! The property `stats`.

use std::time::{Duration, Instant};

use crate::client::Counts;
use crate::session::samples_to_time;

/// What the base class counts in the property of the same name, which ours takes the place of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rendered {
    pub buffers: u64,
    pub dropped: u64,
    since: Option<Instant>,
    audio: Duration,
}

impl Rendered {
    /// A buffer with so much audio was rendered.
    pub fn add(&mut self, audio: Duration) {
        self.buffers += 1;
        self.since.get_or_insert_with(Instant::now);
        self.audio += audio;
    }

    /// Audio a second; 1 is real time, and also what is said before there is any.
    fn average_rate(&self) -> f64 {
        match self.since.map(|since| since.elapsed().as_secs_f64()) {
            Some(elapsed) if elapsed > 0.0 => self.audio.as_secs_f64() / elapsed,
            _ => 1.0,
        }
    }
}

/// `application/x-volcasr-stats`: times in nanoseconds.
pub(super) fn structure(
    rendered: &Rendered,
    counts: &Counts,
    queued: u64,
    rate: u32,
) -> gst::Structure {
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let audio = |samples: u64| nanos(samples_to_time(samples, rate));
    gst::Structure::builder("application/x-volcasr-stats")
        .field("average-rate", rendered.average_rate())
        .field("dropped", rendered.dropped)
        .field("rendered", rendered.buffers)
        .field("connected", counts.connected)
        .field("sessions", counts.sessions)
        .field("reconnects", counts.reconnects)
        .field("frames-sent", counts.frames_sent)
        .field("bytes-sent", counts.bytes_sent)
        .field("audio-received", audio(counts.received))
        .field("audio-sent", audio(counts.sent))
        .field("audio-replayed", audio(counts.replayed))
        .field("audio-dropped", audio(counts.dropped))
        .field("audio-queued", audio(queued))
        .field("responses", counts.responses)
        .field("utterances", counts.utterances)
        .field("result-latency-last", nanos(counts.latency_last))
        .field("result-latency-avg", nanos(counts.latency_avg()))
        .field("result-latency-max", nanos(counts.latency_max))
        .field("connect-time", nanos(counts.connect_time))
        .build()
}
