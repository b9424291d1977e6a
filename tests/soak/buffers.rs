//! How audio is cut into buffers, and what is odd about them: none of it changes what is reported.

use gst::prelude::*;
use volcasr_loopback::marks::Layout;

use super::common::caps;
use super::dice::Dice;
use super::plan::Schedule;
use super::play::{Segment, ms};
use super::source::Progress;
use super::stamps::Stamps;

/// Buffers of `length` milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Buffers {
    pub length: u64,
    pub odd: Odd,
}

/// Oddity of all buffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Odd {
    Nothing,
    /// Only the first one has a timestamp.
    Untimed,
    /// Half a sample more than there is.
    HalfSample,
    /// An empty one before each.
    Empty,
    /// Flags that say nothing about the sound.
    Flags,
    /// A repeat of the caps before each buffer.
    Caps,
    /// More of it before the segment, and behind its stop.
    Outside,
    /// Each begins this much before the end of the one before it, once there is a second of audio,
    /// and is flagged.
    Overlap(u64),
}

/// Audio before the segment, in [`Odd::Outside`].
const BEFORE: u64 = 500;

/// The mark that lies outside the segment, which must not be reported.
const OUTSIDE: u32 = 9_000_000;

impl Buffers {
    pub fn new(dice: &mut Dice, schedule: &Schedule) -> Self {
        let length = dice.pick(&[10, 20, 37, 100, 500, 2000]);
        // A jump further back than this is no overlap.
        let overlap = dice.within(41, 1000);
        let odd = match dice.within(0, 15) {
            0 => Odd::HalfSample,
            1 => Odd::Empty,
            2 => Odd::Caps,
            // With inexact stamps, the other oddities' timestamps would not be the audio's.
            _ if schedule.stamps != Stamps::Exact => Odd::Nothing,
            3 => Odd::Untimed,
            4 => Odd::Flags,
            5 | 6 => Odd::Outside,
            7..=9 if schedule.announced => Odd::Overlap(overlap),
            _ => Odd::Nothing,
        };
        Buffers { length, odd }
    }
}

/// Audio to push. Times are milliseconds.
pub struct Audio {
    pub pcm: Vec<u8>,
    pub rate: u32,
    /// The timestamp of its beginning; none: no buffer has one.
    pub start: Option<u64>,
    pub segment: Segment,
    pub stamps: Stamps,
    /// Its first buffer is flagged: it begins after a gap.
    pub discont: bool,
}

impl Audio {
    fn bytes(&self, ms: u64) -> usize {
        (ms * u64::from(self.rate) / 500) as usize
    }

    /// Puts another mark before it.
    fn put_before(&mut self, before: u64) {
        let layout = Layout {
            lead: 100,
            first: OUTSIDE,
            rate: self.rate,
            ..Layout::default()
        };
        self.pcm.splice(0..0, layout.pcm(before));
        self.start = self.start.map(|start| start - before);
    }
}

/// Pushes all of it, until a push is refused.
pub fn hand_over(pad: &gst::Pad, mut audio: Audio, buffers: Buffers, progress: &Progress) {
    let odd = buffers.odd;
    let before = match audio.start {
        Some(start) if odd == Odd::Outside && start == audio.segment.start => BEFORE.min(start),
        _ => 0,
    };
    audio.put_before(before);
    let whole = audio.pcm.len() as u64 * 500 / u64::from(audio.rate);
    let mut pieces = (0..whole).step_by(buffers.length as usize);
    let outcome = pieces.try_for_each(|at| {
        let end = (at + buffers.length).min(whole);
        push(pad, &audio, odd, at, end)?;
        progress.reach(end.saturating_sub(before));
        Ok::<(), gst::FlowError>(())
    });
    if let (Ok(()), Odd::Outside, Some(stop)) = (outcome, odd, audio.segment.stop) {
        // The base class answers that this is the end of the segment.
        let behind = audio.pcm[..audio.bytes(BEFORE)].to_vec();
        let _ = pad.push(buffer(behind, Some(stop)));
    }
    progress.reach(Progress::OVER);
}

/// Pushes one piece, and what comes before it.
fn push(pad: &gst::Pad, audio: &Audio, odd: Odd, at: u64, end: u64) -> Result<(), gst::FlowError> {
    let begin = match odd {
        // Without timestamps there is no way to tell.
        Odd::Overlap(by) if at >= 1000 && audio.start.is_some() => at - by,
        _ => at,
    };
    let timed = !(odd == Odd::Untimed && at > 0);
    let start = audio.start.filter(|_| timed).map(|start| {
        let at = start + begin;
        audio.stamps.of_buffer(at, audio.segment.start)
    });
    let mut bytes = audio.pcm[audio.bytes(begin)..audio.bytes(end)].to_vec();
    match odd {
        Odd::HalfSample => bytes.push(17),
        Odd::Empty => drop(pad.push(buffer(Vec::new(), start))?),
        Odd::Caps => {
            pad.push_event(gst::event::Caps::new(&caps(audio.rate)));
        }
        _ => {}
    }
    let mut buffer = buffer(bytes, start);
    let fields = buffer.get_mut().expect("a new buffer");
    if timed {
        fields.set_duration(ms(end - begin));
    }
    if begin < at || at == 0 && audio.discont {
        fields.set_flags(gst::BufferFlags::DISCONT);
    }
    if odd == Odd::Flags {
        fields.set_flags(gst::BufferFlags::DISCONT | gst::BufferFlags::GAP);
    }
    pad.push(buffer).map(drop)
}

fn buffer(bytes: Vec<u8>, start: Option<u64>) -> gst::Buffer {
    let mut buffer = gst::Buffer::from_slice(bytes);
    let fields = buffer.get_mut().expect("a new buffer");
    fields.set_pts(start.map(ms));
    buffer
}
