//! Start and end of an input, by its own timestamps.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use gst::prelude::*;

use super::pads::has_class;

/// No place is known.
const UNKNOWN: u64 = u64::MAX;

/// First and last sample of an input, in stream time. Written by streaming threads.
#[derive(Debug)]
pub struct Extent {
    begin: AtomicU64,
    /// Value of `begin` when it was first asked for: later parts of a chain may begin anew.
    settled: OnceLock<u64>,
    end: AtomicU64,
}

impl Default for Extent {
    fn default() -> Self {
        Extent {
            begin: AtomicU64::new(UNKNOWN),
            settled: OnceLock::new(),
            end: AtomicU64::new(0),
        }
    }
}

impl Extent {
    /// Notes that a sample of the input has this place.
    pub fn begins_at(&self, place: gst::ClockTime) {
        self.begin.fetch_min(place.nseconds(), Ordering::Relaxed);
    }

    /// Notes that the input has been read up to this place.
    pub fn reaches(&self, place: gst::ClockTime) {
        self.end.fetch_max(place.nseconds(), Ordering::Relaxed);
    }

    /// Place of the first sample, in nanoseconds; zero if it is not known. It stays what it is when
    /// it is first asked for, which is not to be before audio has come.
    pub fn begin(&self) -> u64 {
        *self
            .settled
            .get_or_init(|| match self.begin.load(Ordering::Relaxed) {
                UNKNOWN => 0,
                begin => begin,
            })
    }

    /// Place up to which the input has been read.
    pub fn end(&self) -> Duration {
        Duration::from_nanos(self.end.load(Ordering::Relaxed))
    }
}

/// Where a buffer on this pad begins and ends, in stream time.
pub fn place(pad: &gst::Pad, buffer: &gst::BufferRef) -> Option<(gst::ClockTime, gst::ClockTime)> {
    let event = pad.sticky_event::<gst::event::Segment>(0)?;
    let segment = event.segment().downcast_ref::<gst::ClockTime>()?;
    let begin = buffer.pts()?;
    let end = begin + buffer.duration().unwrap_or_default();
    let begin = segment.to_stream_time(begin)?;
    Some((begin, segment.to_stream_time(end).unwrap_or(begin)))
}

/// Returns how long the input says it is, if it ended well before that. Lengths are rounded, and
/// those of files without an index are estimates.
pub fn missing(end: Duration, length: Duration) -> Option<Duration> {
    let slack = Duration::from_secs(1) + length / 50;
    (end + slack < length).then_some(length)
}

/// A line about an input that ended before its length.
pub fn note((end, length): (Duration, Duration)) -> String {
    format!(
        "the input ended at {:.1} s, though it says that it is {:.1} s long",
        end.as_secs_f64(),
        length.as_secs_f64()
    )
}

/// Notes where the input's first samples are: those of its video count as well.
pub fn note_beginnings(source: &gst::Element, extent: &Arc<Extent>) {
    let Some(bin) = source.downcast_ref::<gst::Bin>() else {
        return;
    };
    let extent = extent.clone();
    bin.connect_deep_element_added(move |_, _, element| {
        if has_class(element, "Demux") {
            for pad in element.src_pads() {
                watch_begin(&pad, &extent);
            }
            let extent = extent.clone();
            element.connect_pad_added(move |_, pad| watch_begin(pad, &extent));
        }
    });
}

fn watch_begin(pad: &gst::Pad, extent: &Arc<Extent>) {
    if pad.direction() != gst::PadDirection::Src {
        return;
    }
    let extent = extent.clone();
    pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        match info.buffer().and_then(|buffer| place(pad, buffer)) {
            Some((begin, _)) => {
                extent.begins_at(begin);
                gst::PadProbeReturn::Remove
            }
            None => gst::PadProbeReturn::Ok,
        }
    });
}

/// Notes how far a pad's samples reach.
pub fn watch_end(pad: &gst::Pad, extent: &Arc<Extent>) {
    let extent = extent.clone();
    pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        if let Some((_, end)) = info.buffer().and_then(|buffer| place(pad, buffer)) {
            extent.reaches(end);
        }
        gst::PadProbeReturn::Ok
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_of_its_length() {
        // Milliseconds of the end and of the length; is a part missing?
        let cases = [
            (10_000, 10_000, false),
            (9_000, 10_000, false),
            (8_000, 10_000, true),
            (0, 500, false),
            (3_540_000, 3_600_000, false),
            (3_500_000, 3_600_000, true),
            (20_000, 10_000, false),
        ];
        for (end, length, is_missing) in cases {
            let missing = missing(Duration::from_millis(end), Duration::from_millis(length));
            assert_eq!(missing.is_some(), is_missing, "{end} of {length}");
        }
    }

    #[test]
    fn the_first_sample_is_the_earliest() {
        assert_eq!(Extent::default().begin(), 0);
        let extent = Extent::default();
        for ms in [1400, 1380, 1500] {
            extent.begins_at(gst::ClockTime::from_mseconds(ms));
            extent.reaches(gst::ClockTime::from_mseconds(ms));
        }
        assert_eq!(extent.begin(), 1_380_000_000);
        extent.begins_at(gst::ClockTime::ZERO);
        assert_eq!(extent.begin(), 1_380_000_000, "of the next link in a chain");
        assert_eq!(extent.end(), Duration::from_millis(1500));
    }
}
