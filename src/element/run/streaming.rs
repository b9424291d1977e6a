//! State of a run's streaming thread.

use crate::element::drops::DropReporter;
use crate::element::input::{GapDetector, GapLimits};

/// State of the streaming thread.
#[derive(Debug)]
pub(super) struct Streaming {
    pub input: GapDetector,
    pub stream: u32,
    /// Epoch of the stream. Until FLUSH_STOP it is that of before the flush, so that reports about
    /// the old stream are discarded.
    pub epoch: u64,
    /// Id and seqnum of the last STREAM_START. An event that is sent again keeps its seqnum.
    pub id: Option<(String, gst::Seqnum)>,
    /// A message about this stream or one before it may be queued, and must precede EOS.
    pub needs_drain: bool,
    /// Token of the last drain.
    pub token: u64,
    /// EOS has come: audio that follows belongs to another stream.
    pub ended: bool,
    /// The warning about audio that is played backwards was posted.
    pub reverse_reported: bool,
    /// Whether a full queue drops audio, once that is known.
    pub leaky_resolved: Option<bool>,
    pub drops: DropReporter,
}

impl Streaming {
    pub fn new(rate: u32, gaps: GapLimits) -> Self {
        Streaming {
            input: GapDetector::new(rate, gaps),
            stream: 0,
            epoch: 0,
            id: None,
            needs_drain: false,
            token: 0,
            ended: false,
            reverse_reported: false,
            leaky_resolved: None,
            drops: DropReporter::new(rate),
        }
    }

    /// Whether audio of this stream was handed over.
    pub fn has_audio(&self) -> bool {
        self.input.position() > 0
    }
}
