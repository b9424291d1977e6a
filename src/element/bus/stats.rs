//! The property `stats`.

use gst_base::prelude::*;

use super::nanos;
use crate::client::Counts;
use crate::session::samples_to_time;

/// Totals of a run.
#[derive(Clone, Copy, Default)]
pub(crate) struct Totals {
    pub counts: Counts,
    /// Number of samples that wait.
    pub queued: u64,
    /// Rate of the audio in hertz.
    pub rate: u32,
}

impl Totals {
    /// Makes `application/x-volcasr-stats`: times in nanoseconds.
    ///
    /// It includes the sink's base class's property of the same name, which this one overrides.
    pub fn structure(&self, base: Option<&gst_base::BaseSink>) -> gst::Structure {
        let Totals {
            counts,
            queued,
            rate,
        } = *self;
        let connections = &counts.connections;
        let audio = |samples: u64| nanos(samples_to_time(samples, rate));
        let rendered = base.map(|base| base.stats());
        let field = |name: &str| rendered.as_ref()?.value(name).ok().cloned();
        gst::Structure::builder("application/x-volcasr-stats")
            .field_if_some("average-rate", field("average-rate"))
            .field_if_some("dropped", field("dropped"))
            .field_if_some("rendered", field("rendered"))
            .field("connected", connections.connected)
            .field("sessions", connections.sessions)
            .field("reconnects", connections.reconnects)
            .field("frames-sent", connections.frames_sent)
            .field("bytes-sent", connections.bytes_sent)
            .field("audio-received", audio(counts.received))
            .field("audio-sent", audio(connections.sent))
            .field("audio-replayed", audio(connections.replayed))
            .field("audio-dropped", audio(counts.dropped))
            .field("audio-queued", audio(queued))
            .field("responses", connections.responses)
            .field("utterances", connections.utterances)
            .field("result-latency-last", nanos(connections.results.last))
            .field("result-latency-avg", nanos(connections.results.avg()))
            .field("result-latency-max", nanos(connections.results.max))
            .field("send-latency-last", nanos(connections.sends.last))
            .field("send-latency-max", nanos(connections.sends.max))
            .field("connect-time", nanos(counts.connect_time))
            .build()
    }
}
