//! State of the streaming thread.

use crate::element::timeline::Segment;

/// State of the streaming thread between two buffers.
#[derive(Debug, Default)]
pub(super) struct Input {
    pub segment: Option<Segment>,
    /// The last STREAM_START, for a run that begins after it.
    pub stream: Option<(String, gst::Seqnum)>,
    /// EOS has come: what follows is another stream.
    pub ended: bool,
    /// End of the audio in this segment.
    pub end: Option<gst::ClockTime>,
    /// The settings can't be used, and the bus has the error.
    pub refused: bool,
    /// From FLUSH_START to FLUSH_STOP. The pad's own flag is cleared before FLUSH_STOP has the
    /// stream lock, so that a buffer may come in between.
    pub flushing: bool,
    /// Upstream's latency is to be asked for.
    pub fresh: bool,
}
