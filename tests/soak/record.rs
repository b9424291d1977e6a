//! Records of the input of a schedule, and of its results.

use std::time::Duration;

use super::common::Transcript;
use super::common::text::Out;

/// One mark that was handed over, with its place on the pipeline's time in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub number: u32,
    pub start: u64,
    pub end: u64,
    /// From timestamps to running time and stream time, where there are any; may be negative, and
    /// wraps. A step moves running time, and so does another rate.
    pub running: Option<u64>,
    pub time: Option<u64>,
}

/// Input of one stream.
#[derive(Debug, Default)]
pub struct Fed {
    pub id: String,
    pub marks: Vec<Place>,
    pub segments: Vec<Span>,
}

/// Audio of one segment, in milliseconds of its own.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub start: u64,
    pub end: u64,
}

/// A flush, or the end of a life that was cut short.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// The stream that it ended.
    pub stream: u32,
    /// How many transcripts had been posted by its end.
    pub transcripts_before: usize,
}

/// A warning, and how many transcripts had been posted before it.
#[derive(Debug)]
pub struct Warned {
    pub transcripts_before: usize,
    /// The name of its details, and times of these in nanoseconds.
    pub name: String,
    pub timestamp: Option<u64>,
    pub duration: Option<u64>,
}

/// From READY to PAUSED and back.
#[derive(Debug, Default)]
pub struct Life {
    pub fed: Vec<Fed>,
    pub transcripts: Vec<Transcript>,
    /// Output of a transcriber.
    pub out: Vec<Out>,
    pub cuts: Vec<Cut>,
    pub warnings: Vec<Warned>,
    pub errors: Vec<String>,
    /// The progress `connect`, without what went on.
    pub progress: Vec<gst::ProgressType>,
    pub ended: bool,
    /// Messages after the end.
    pub late: Vec<String>,
    /// Dropped audio in nanoseconds, from `stats`.
    pub dropped: Option<u64>,
}

impl Life {
    /// Nothing was fed at all.
    pub fn is_empty(&self) -> bool {
        self.fed.iter().all(|fed| fed.marks.is_empty())
    }

    /// The warnings of this name.
    pub fn warned(&self, name: &str) -> impl Iterator<Item = &Warned> {
        self.warnings
            .iter()
            .filter(move |warning| warning.name == name)
    }

    /// Nothing was fed since the last flush.
    pub fn is_silent(&self) -> bool {
        let since = self.cuts.last().map_or(0, |cut| cut.stream as usize + 1);
        self.fed[since..].iter().all(|fed| fed.marks.is_empty())
    }
}

/// Results of a schedule.
#[derive(Debug, Default)]
pub struct Played {
    pub lives: Vec<Life>,
    pub connections: usize,
    /// The faults that struck, by name.
    pub faults: Vec<String>,
    /// Connections with a fault or an error.
    pub disturbed: usize,
    /// The longest way to READY.
    pub ready: Duration,
    pub log: Vec<String>,
}

impl Played {
    pub fn life(&mut self) -> &mut Life {
        self.lives.last_mut().expect("a life")
    }

    /// The stream that is fed.
    pub fn fed(&mut self) -> &mut Fed {
        self.life().fed.last_mut().expect("a stream")
    }
}
