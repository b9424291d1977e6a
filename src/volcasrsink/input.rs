//! What a buffer or a gap means for the service: audio, silence, a pause, or nothing.
//!
//! Works on the streaming thread alone. Timestamps of real pipelines jitter, jump and overlap, while
//! the service counts samples: small deviations only move the anchor, larger jumps are gaps.

use gst::prelude::*;

use super::timeline::Anchor;
use crate::session::{BYTES_PER_SAMPLE, samples_to_time};

/// Deviations from the expected timestamp up to this are jitter.
const JITTER: gst::ClockTime = gst::ClockTime::from_mseconds(40);
/// A deviation from the anchor that matters to a reader of milliseconds.
const DRIFT: gst::ClockTime = gst::ClockTime::from_mseconds(1);
/// A jump back by more than this is no overlap but another place in time.
const OVERLAP: gst::ClockTime = gst::ClockTime::from_seconds(1);

type Segment = gst::FormattedSegment<gst::ClockTime>;

/// What to do before a buffer's audio, and with how much of it.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Silence to send first, in samples.
    pub silence: u64,
    /// The session ends before the audio.
    pub pause: bool,
    /// The bytes at the buffer's beginning that have been heard already.
    pub skip: usize,
    /// Where the audio lies in the pipeline's time, if that is not where the last one's end was.
    pub anchor: Option<Spot>,
}

/// A place in the pipeline's time: a timestamp and its segment, or time that counts from the stream's first sample.
pub(super) type Spot = (gst::ClockTime, Option<Segment>);

/// The limits that decide over gaps, in the stream's samples.
#[derive(Clone, Copy, Debug)]
pub(super) struct GapLimits {
    /// Gaps up to this become silence.
    pub longest: gst::ClockTime,
    /// The silence before a longer one's finish: enough for the last utterance to be settled.
    pub settling: gst::ClockTime,
}

#[derive(Debug)]
struct Place {
    /// The timestamp that the next sample is expected to have.
    next: gst::ClockTime,
    /// Where audio ended: before `next`, if a GAP event has come since.
    heard: gst::ClockTime,
    segment: Segment,
    /// Another one may have begun. Steps and instant rate changes alter it as well, but nothing jumps with those: timestamps
    /// go on.
    left: bool,
    /// How much of the current gap has become silence.
    gap: gst::ClockTime,
    /// The current gap has ended the session.
    paused: bool,
}

/// The streaming thread's view of one stream.
#[derive(Debug)]
pub(super) struct Input {
    rate: u32,
    limits: GapLimits,
    place: Option<Place>,
    anchor: Option<Anchor>,
    /// Samples that have no position any more.
    dropped: u64,
}

impl Input {
    pub fn new(rate: u32, limits: GapLimits) -> Self {
        Input {
            rate,
            limits,
            place: None,
            anchor: None,
            dropped: 0,
        }
    }

    /// Decides about a buffer of so many bytes, whose first sample will have `position` unless the
    /// plan says otherwise.
    pub fn buffer(
        &mut self,
        pts: Option<gst::ClockTime>,
        bytes: usize,
        segment: Option<&Segment>,
        position: u64,
    ) -> Plan {
        let mut plan = Plan::default();
        let (mut pts, segment) = match (pts, segment, &self.place) {
            (Some(pts), Some(segment), _) => (pts, segment.clone()),
            // It goes on where the one before ended.
            (None, Some(_), Some(place)) => (place.next, place.segment.clone()),
            _ => {
                let time = self.axis(position);
                plan.anchor = self.is_off(time, None, position).then_some((time, None));
                return plan;
            }
        };
        let segment = &segment;
        match self.place.as_ref().map(|place| place.jump(pts, segment)) {
            Some(Jump::Forward(by)) => self.gap(by, &mut plan),
            Some(Jump::Back(by)) => {
                let overlap = self.samples(by) as usize * BYTES_PER_SAMPLE;
                plan.skip = overlap.min(bytes);
                pts = pts.saturating_add(by);
            }
            Some(Jump::None | Jump::Small(_) | Jump::Elsewhere) | None => {}
        }
        let audio = self.time(bytes - plan.skip);
        if plan.skip < bytes {
            self.place_at(pts.saturating_add(audio), segment);
            let at = position + plan.silence;
            if plan.pause || plan.silence > 0 || self.is_off(pts, Some(segment), at) {
                plan.anchor = Some((pts, Some(segment.clone())));
            }
        }
        plan
    }

    /// A GAP event up to `end`: the silence to send for it now, and whether it ends the session.
    pub fn gap_until(&mut self, end: gst::ClockTime, segment: &Segment) -> Plan {
        let mut plan = Plan::default();
        if let Some(place) = &self.place
            && let Jump::Forward(by) | Jump::Small(by) = place.distance(place.next, end, segment)
        {
            self.gap(by, &mut plan);
            if let Some(place) = &mut self.place {
                place.move_to(end, segment);
            }
        }
        plan
    }

    /// The anchor that the plan asked for got its position.
    pub fn anchored(&mut self, anchor: Anchor) {
        self.anchor = Some(anchor);
    }

    /// A SEGMENT event has come.
    pub fn segment(&mut self) {
        if let Some(place) = &mut self.place {
            place.left = true;
        }
    }

    /// So many samples that were handed over were dropped: what follows has other positions now.
    pub fn dropped(&mut self, samples: u64) {
        self.dropped += samples;
        self.anchor = None;
    }

    fn gap(&mut self, by: gst::ClockTime, plan: &mut Plan) {
        let limits = self.limits;
        let Some(place) = &mut self.place else { return };
        if place.paused {
            return;
        }
        let total = place.gap.saturating_add(by);
        if total <= limits.longest {
            place.gap = total;
            plan.silence = self.samples(by);
        } else {
            let settling = limits.settling.saturating_sub(place.gap);
            place.paused = true;
            plan.silence = self.samples(settling);
            plan.pause = true;
        }
    }

    fn place_at(&mut self, next: gst::ClockTime, segment: &Segment) {
        let (gap, paused) = (gst::ClockTime::ZERO, false);
        self.place = Some(Place {
            next,
            heard: next,
            segment: segment.clone(),
            left: false,
            gap,
            paused,
        });
    }

    /// Whether the anchor would tell another time for the sample.
    fn is_off(&self, pts: gst::ClockTime, segment: Option<&Segment>, position: u64) -> bool {
        let Some(anchor) = &self.anchor else {
            return true;
        };
        let Some(expected) = anchor.timestamp_at(position, self.rate) else {
            return true;
        };
        anchor.segment.as_ref() != segment || pts.absdiff(expected) >= DRIFT
    }

    /// The time of the sample at `position` from the stream's first one on, those that were dropped included.
    fn axis(&self, position: u64) -> gst::ClockTime {
        let time = samples_to_time(position.saturating_add(self.dropped), self.rate);
        time.try_into().unwrap_or(gst::ClockTime::ZERO)
    }

    fn samples(&self, time: gst::ClockTime) -> u64 {
        time.mul_div_round(u64::from(self.rate), *gst::ClockTime::SECOND)
            .map_or(0, |samples| *samples)
    }

    fn time(&self, bytes: usize) -> gst::ClockTime {
        let time = samples_to_time((bytes / BYTES_PER_SAMPLE) as u64, self.rate);
        time.try_into().unwrap_or(gst::ClockTime::ZERO)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Jump {
    None,
    /// Forward, within the jitter.
    Small(gst::ClockTime),
    Forward(gst::ClockTime),
    Back(gst::ClockTime),
    Elsewhere,
}

impl Place {
    /// Whether timestamps of `segment` count on from those of before.
    fn goes_on_in(&self, segment: &Segment) -> bool {
        !self.left || self.segment == *segment
    }

    /// How a buffer at `pts` lies to the end of what came before, jitter left out.
    fn jump(&self, pts: gst::ClockTime, segment: &Segment) -> Jump {
        match self.distance(self.next, pts, segment) {
            Jump::Small(_) => Jump::None,
            Jump::Back(by) if by <= JITTER => Jump::None,
            // A GAP event may have claimed too much: nothing but audio was heard already.
            Jump::Back(_) => match self.distance(self.heard, pts, segment) {
                // Another segment may well begin again somewhere: that overlaps nothing.
                Jump::Back(by) if by <= OVERLAP && self.goes_on_in(segment) => Jump::Back(by),
                _ => Jump::Elsewhere,
            },
            jump => jump,
        }
    }

    /// A gap has come as far as `end`.
    fn move_to(&mut self, end: gst::ClockTime, segment: &Segment) {
        if !self.goes_on_in(segment) {
            self.heard = match self.distance(self.heard, end, segment) {
                Jump::Forward(by) | Jump::Small(by) => end.saturating_sub(by),
                _ => end,
            };
        }
        self.segment = segment.clone();
        self.left = false;
        self.next = end;
    }

    /// How `pts` lies to `from`, which is in the place's own segment.
    fn distance(&self, from: gst::ClockTime, pts: gst::ClockTime, segment: &Segment) -> Jump {
        let (expected, actual, rate) = if self.goes_on_in(segment) {
            (from, pts, 1.0)
        } else {
            let positive = |time: Option<gst::Signed<gst::ClockTime>>| time?.positive();
            let expected = positive(self.segment.to_running_time_full(from));
            let actual = positive(segment.to_running_time_full(pts));
            let Some((expected, actual)) = expected.zip(actual) else {
                return Jump::Elsewhere;
            };
            (expected, actual, segment.rate().abs())
        };
        let by = |time: gst::ClockTime| {
            gst::ClockTime::from_nseconds((time.nseconds() as f64 * rate) as u64)
        };
        if actual >= expected {
            let by = by(actual - expected);
            if by.is_zero() {
                Jump::None
            } else if by <= JITTER {
                Jump::Small(by)
            } else {
                Jump::Forward(by)
            }
        } else {
            Jump::Back(by(expected - actual))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 24_000;

    fn ms(ms: u64) -> gst::ClockTime {
        gst::ClockTime::from_mseconds(ms)
    }

    fn bytes(ms: usize) -> usize {
        ms * 48
    }

    fn anchor(position: u64, time: gst::ClockTime, segment: &Segment) -> Anchor {
        Anchor {
            position,
            time,
            segment: Some(segment.clone()),
        }
    }

    fn input() -> (Input, Segment) {
        gst::init().expect("GStreamer");
        let limits = GapLimits {
            longest: ms(4000),
            settling: ms(1000),
        };
        (Input::new(RATE, limits), Segment::new())
    }

    #[test]
    fn audio_that_goes_on_needs_one_anchor() {
        let (mut input, segment) = input();
        let plan = input.buffer(Some(ms(500)), bytes(20), Some(&segment), 0);
        let Some((pts, _)) = plan.anchor else {
            panic!("no anchor")
        };
        assert_eq!(pts, ms(500));
        input.anchored(anchor(0, pts, &segment));
        for i in 1..100 {
            let plan = input.buffer(Some(ms(500 + 20 * i)), bytes(20), Some(&segment), 480 * i);
            assert!(plan.anchor.is_none() && plan.silence == 0 && plan.skip == 0 && !plan.pause);
        }
    }

    #[test]
    fn jitter_moves_the_anchor_and_nothing_else() {
        for pts in [59, 21] {
            let (mut input, segment) = input();
            input.buffer(Some(ms(0)), bytes(20), Some(&segment), 0);
            input.anchored(anchor(0, ms(0), &segment));
            let plan = input.buffer(Some(ms(pts)), bytes(20), Some(&segment), 480);
            assert!(plan.anchor.is_some(), "{pts}");
            assert_eq!(
                (plan.silence, plan.skip, plan.pause),
                (0, 0, false),
                "{pts}"
            );
        }
    }

    #[test]
    fn a_short_jump_becomes_silence_and_a_long_one_a_pause() {
        for (jump, silence, pause) in [
            (41, 41 * 24, false),
            (4000, 96_000, false),
            (4001, 24_000, true),
        ] {
            let (mut input, segment) = input();
            input.buffer(Some(ms(0)), bytes(20), Some(&segment), 0);
            let plan = input.buffer(Some(ms(20 + jump)), bytes(20), Some(&segment), 480);
            assert_eq!(
                (plan.silence, plan.pause, plan.skip),
                (silence, pause, 0),
                "{jump}"
            );
            assert!(plan.anchor.is_some());
        }
    }

    #[test]
    fn what_overlaps_is_skipped() {
        let (mut input, segment) = input();
        input.buffer(Some(ms(0)), bytes(200), Some(&segment), 0);
        let plan = input.buffer(Some(ms(100)), bytes(200), Some(&segment), 4800);
        assert_eq!(plan.skip, bytes(100));
        assert_eq!(input.place.as_ref().map(|place| place.next), Some(ms(300)));
        let plan = input.buffer(Some(ms(200)), bytes(50), Some(&segment), 7200);
        assert_eq!(plan.skip, bytes(50));
        assert_eq!(input.place.as_ref().map(|place| place.next), Some(ms(300)));
    }

    #[test]
    fn far_back_is_another_place() {
        let (mut input, segment) = input();
        input.buffer(Some(ms(9000)), bytes(200), Some(&segment), 0);
        let plan = input.buffer(Some(ms(100)), bytes(200), Some(&segment), 4800);
        assert_eq!((plan.skip, plan.silence, plan.pause), (0, 0, false));
        assert!(plan.anchor.is_some());
    }

    #[test]
    fn a_new_segment_that_goes_on_in_running_time_is_no_jump() {
        let (mut input, first) = input();
        input.buffer(Some(ms(0)), bytes(200), Some(&first), 0);
        let mut second = Segment::new();
        second.set_base(ms(200));
        second.set_start(ms(70_000));
        input.segment();
        let plan = input.buffer(Some(ms(70_000)), bytes(200), Some(&second), 4800);
        assert_eq!((plan.skip, plan.silence, plan.pause), (0, 0, false));
        assert!(plan.anchor.is_some());
    }

    #[test]
    fn short_gaps_add_up() {
        let (mut input, segment) = input();
        input.buffer(Some(ms(0)), bytes(20), Some(&segment), 0);
        let mut silence = 0;
        let mut pauses = 0;
        for i in 1..=300 {
            let plan = input.gap_until(ms(20 + 20 * i), &segment);
            silence += plan.silence;
            pauses += u32::from(plan.pause);
        }
        assert_eq!(silence, 4000 * 24);
        assert_eq!(pauses, 1, "one pause for the whole gap");
        let plan = input.buffer(Some(ms(6020)), bytes(20), Some(&segment), 480);
        assert_eq!((plan.silence, plan.pause), (0, false));
        assert!(plan.anchor.is_some());
    }

    #[test]
    fn times_at_the_end_of_time_do_not_overflow() {
        let end = gst::ClockTime::MAX;
        let (mut input, segment) = input();
        let plan = input.buffer(Some(end), bytes(20), Some(&segment), 0);
        assert!(matches!(plan.anchor, Some((pts, _)) if pts == end));
        assert_eq!(input.buffer(None, bytes(20), None, 480).skip, 0);

        let (mut input, segment) = self::input();
        input.buffer(Some(ms(0)), bytes(20), Some(&segment), 0);
        assert!(input.gap_until(end, &segment).pause);
        let plan = input.buffer(Some(end), bytes(20), Some(&segment), 480);
        assert!(!plan.pause, "one pause for the whole gap");
    }

    #[test]
    fn without_timestamps_there_is_only_the_axis() {
        let (mut input, segment) = input();
        let plan = input.buffer(None, bytes(20), Some(&segment), 0);
        assert!(matches!(plan.anchor, Some((time, None)) if time.is_zero()));
        input.anchored(Anchor {
            position: 0,
            time: ms(0),
            segment: None,
        });
        assert!(input.buffer(None, bytes(20), None, 480).anchor.is_none());
        input.dropped(480);
        let plan = input.buffer(None, bytes(20), Some(&segment), 480);
        assert!(matches!(plan.anchor, Some((time, None)) if time == ms(40)));
    }

    #[test]
    fn what_has_no_timestamp_goes_on_where_the_one_before_ended() {
        let (mut input, segment) = input();
        input.buffer(Some(ms(5000)), bytes(20), Some(&segment), 0);
        input.anchored(anchor(0, ms(5000), &segment));
        let plan = input.buffer(None, bytes(20), Some(&segment), 480);
        assert!(plan.anchor.is_none());
        input.dropped(480);
        let plan = input.buffer(None, bytes(20), Some(&segment), 480);
        assert!(matches!(plan.anchor, Some((pts, Some(_))) if pts == ms(5040)));
        // The gap is part of it.
        assert!(input.gap_until(ms(15_060), &segment).pause);
        let plan = input.buffer(None, bytes(20), Some(&segment), 960);
        assert!(matches!(plan.anchor, Some((pts, Some(_))) if pts == ms(15_060)));
    }

    #[test]
    fn audio_in_a_gap_that_claimed_too_much_is_heard() {
        let (mut input, segment) = input();
        input.buffer(Some(ms(0)), bytes(1000), Some(&segment), 0);
        input.anchored(anchor(0, ms(0), &segment));
        assert_eq!(input.gap_until(ms(2000), &segment).silence, 24_000);
        let plan = input.buffer(Some(ms(1500)), bytes(1000), Some(&segment), 48_000);
        assert_eq!((plan.skip, plan.silence, plan.pause), (0, 0, false));
        assert!(matches!(plan.anchor, Some((pts, _)) if pts == ms(1500)));
        // What was heard is still heard once.
        assert_eq!(input.gap_until(ms(3500), &segment).silence, 24_000);
        let plan = input.buffer(Some(ms(2300)), bytes(1000), Some(&segment), 96_000);
        assert_eq!(plan.skip, bytes(200));
        assert!(matches!(plan.anchor, Some((pts, _)) if pts == ms(2500)));
    }

    #[test]
    fn a_gap_in_another_segment_is_as_long_as_its_rate_says() {
        for (rate, applied) in [(2.0, 1.0), (1.0, 2.0), (2.0, 0.5)] {
            let (mut input, first) = input();
            input.buffer(Some(ms(0)), bytes(1000), Some(&first), 0);
            let mut second = Segment::new();
            second.set_base(ms(1000));
            second.set_rate(rate);
            second.set_applied_rate(applied);
            input.segment();
            let plan = input.buffer(Some(ms(1200)), bytes(20), Some(&second), 24_000);
            assert_eq!(plan.silence, 1200 * 24, "{rate} {applied}");

            let (mut input, first) = self::input();
            input.buffer(Some(ms(0)), bytes(1000), Some(&first), 0);
            input.segment();
            assert_eq!(input.gap_until(ms(500), &second).silence, 500 * 24);
            let plan = input.buffer(Some(ms(1200)), bytes(20), Some(&second), 36_000);
            assert_eq!(plan.silence, 700 * 24, "{rate} {applied}");
        }
    }

    /// An instant rate change places it around the clock's time, which may be far from the buffer's.
    #[test]
    fn a_segment_that_is_altered_without_an_event_makes_no_jump() {
        let (mut input, first) = input();
        input.buffer(Some(ms(60_000)), bytes(1000), Some(&first), 0);
        input.anchored(anchor(0, ms(60_000), &first));
        let mut altered = Segment::new();
        altered.set_rate(0.5);
        let plan = input.buffer(Some(ms(61_000)), bytes(1000), Some(&altered), 24_000);
        assert_eq!((plan.skip, plan.silence, plan.pause), (0, 0, false));
        assert!(plan.anchor.is_some(), "its times are other ones");
        let plan = input.buffer(Some(ms(61_800)), bytes(1000), Some(&first), 48_000);
        assert_eq!(plan.skip, bytes(200));
        // An event that says the same as before means as little.
        input.segment();
        let plan = input.buffer(Some(ms(62_700)), bytes(1000), Some(&first), 67_200);
        assert_eq!(plan.skip, bytes(100));
    }
}
