//! Silence where a film has no sound: before it begins, in gaps, and after its end.
//!
//! A muxer writes nothing before all its inputs have something. Few demuxers end a track before the
//! file ends, and none says that one begins late: all of the picture would have to wait.

use std::sync::{Arc, Mutex, PoisonError};

use gst::ClockTime;
use gst::prelude::*;

/// Caps of the pad behind which silence is put in: all bytes are zero.
pub const CAPS: &str = "audio/x-raw,format=F32LE,layout=interleaved";
const SAMPLE: usize = 4;
/// By so much a picture is ahead of sound that is missing. In files that are read, sound is at most
/// a few seconds away from the frame that it belongs to.
const AHEAD: ClockTime = ClockTime::from_seconds(10);
/// A shorter gap is none: tracks do not begin at the same moment.
const SHORTEST: ClockTime = ClockTime::from_mseconds(500);
/// Length of a buffer of silence.
const PIECE: ClockTime = ClockTime::SECOND;

/// Up to which running time there is sound. Locked while silence is put in.
type End = Mutex<ClockTime>;

/// Fills the gaps of what leaves `sound`, a source pad, while frames come to `picture`.
pub fn fill_gaps(sound: &gst::Pad, picture: &gst::Pad) {
    let end = Arc::<End>::new(Mutex::new(ClockTime::ZERO));
    let own = end.clone();
    let kinds = gst::PadProbeType::BUFFER | gst::PadProbeType::EVENT_DOWNSTREAM;
    sound.add_probe(kinds, move |pad, info| {
        if let Some(gst::EventView::Gap(gap)) = info.event().map(|event| event.view()) {
            if let Some(until) = end_of_gap(pad, gap.get()) {
                let mut end = own.lock().unwrap_or_else(PoisonError::into_inner);
                fill(pad, &mut end, until);
            }
            // Or it would come twice.
            return gst::PadProbeReturn::Handled;
        }
        if let Some((begin, until)) = info.buffer().and_then(|buffer| times(pad, buffer)) {
            let mut end = own.lock().unwrap_or_else(PoisonError::into_inner);
            if begin > *end + SHORTEST {
                fill(pad, &mut end, begin);
            }
            *end = until.max(*end);
        }
        gst::PadProbeReturn::Ok
    });
    let sound = sound.downgrade();
    picture.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        let place = info.buffer().and_then(|buffer| times(pad, buffer));
        if let Some(((begin, _), sound)) = place.zip(sound.upgrade()) {
            let mut end = end.lock().unwrap_or_else(PoisonError::into_inner);
            if begin > *end + AHEAD {
                fill(&sound, &mut end, begin - AHEAD);
            }
        }
        gst::PadProbeReturn::Ok
    });
}

/// Puts silence behind `pad` from `end` to `until`; none before the first caps are there, or after
/// the end of the stream.
fn fill(pad: &gst::Pad, end: &mut ClockTime, until: ClockTime) -> Option<()> {
    let sink = pad.peer()?;
    let caps = sink.current_caps()?;
    let format = caps.structure(0)?;
    let number = |name: &str| u64::try_from(format.get::<i32>(name).ok()?).ok();
    let (rate, channels) = (number("rate")?, usize::try_from(number("channels")?).ok()?);
    let event = sink.sticky_event::<gst::event::Segment>(0)?;
    let segment = event.segment().downcast_ref::<ClockTime>()?;
    while *end < until {
        let length = (until - *end).min(PIECE);
        let samples = length.nseconds() * rate / ClockTime::SECOND.nseconds();
        let size = usize::try_from(samples).ok()? * channels * SAMPLE;
        if size == 0 {
            break;
        }
        let mut buffer = gst::Buffer::with_size(size).ok()?;
        let own = buffer.get_mut()?;
        own.memset(.., 0).ok()?;
        own.set_pts(segment.position_from_running_time(*end)?);
        own.set_duration(length);
        // Not by `pad`: what it is about to push comes after this.
        sink.chain(buffer).ok()?;
        *end += length;
    }
    Some(())
}

/// Running time of the end of a gap that is announced. A short one may be a guess, and sound may
/// still come for it.
fn end_of_gap(
    pad: &gst::Pad,
    (begin, length): (ClockTime, Option<ClockTime>),
) -> Option<ClockTime> {
    let length = length.filter(|length| *length >= AHEAD)?;
    let event = pad.sticky_event::<gst::event::Segment>(0)?;
    let segment = event.segment().downcast_ref::<ClockTime>()?;
    segment.to_running_time(begin + length)
}

/// Running times of a buffer's begin and end.
fn times(pad: &gst::Pad, buffer: &gst::BufferRef) -> Option<(ClockTime, ClockTime)> {
    let event = pad.sticky_event::<gst::event::Segment>(0)?;
    let segment = event.segment().downcast_ref::<ClockTime>()?;
    let begin = buffer.pts()?;
    let end = begin + buffer.duration().unwrap_or_default();
    let begin = segment.to_running_time(begin)?;
    Some((begin, segment.to_running_time(end).unwrap_or(begin)))
}
