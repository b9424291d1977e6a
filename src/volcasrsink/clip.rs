//! What of a buffer lies in its segment: nobody is to hear the rest.
//!
//! The samples say how long a buffer is. GStreamer's own function for this believes the buffer's duration, and takes off
//! more than there is where that claims too much.

use gst::prelude::*;

use crate::session::{BYTES_PER_SAMPLE, samples_to_time};

/// How long so much audio lasts.
pub(super) fn duration(pcm: &[u8], rate: u32) -> gst::ClockTime {
    let time = samples_to_time((pcm.len() / BYTES_PER_SAMPLE) as u64, rate);
    time.try_into().unwrap_or(gst::ClockTime::MAX)
}

/// What of the samples lies in the segment, and its time.
pub(super) fn clip<'a>(
    pts: Option<gst::ClockTime>,
    pcm: &'a [u8],
    segment: Option<&gst::FormattedSegment<gst::ClockTime>>,
    rate: u32,
) -> (Option<gst::ClockTime>, &'a [u8]) {
    let Some((start, segment)) = pts.zip(segment) else {
        return (pts, pcm);
    };
    let end = start.saturating_add(duration(pcm, rate));
    let Some((Some(first), Some(last))) = segment.clip(start, end) else {
        return (pts, &[]);
    };
    let bytes = |time: gst::ClockTime| {
        let samples = time.mul_div_floor(rate.into(), *gst::ClockTime::SECOND);
        samples.map_or(0, |samples| *samples as usize * BYTES_PER_SAMPLE)
    };
    let skip = bytes(first - start).min(pcm.len());
    let rest = &pcm[skip..];
    let keep = rest.len().saturating_sub(bytes(end - last));
    (Some(first), &rest[..keep])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_outside_is_cut_off() {
        gst::init().expect("GStreamer");
        let ms = gst::ClockTime::from_mseconds;
        let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
        segment.set_start(ms(1000));
        segment.set_stop(ms(2000));
        let pcm: Vec<u8> = (0..100 * 48).map(|byte| byte as u8).collect();
        for (at, first, kept) in [
            (0, 0, 0..0),
            (900, 900, 0..0),
            (950, 1000, 50 * 48..100 * 48),
            (1000, 1000, 0..100 * 48),
            (1900, 1900, 0..100 * 48),
            (1990, 1990, 0..10 * 48),
            (2000, 2000, 0..0),
        ] {
            let clipped = clip(Some(ms(at)), &pcm, Some(&segment), 24_000);
            assert_eq!(clipped, (Some(ms(first)), &pcm[kept]), "{at}");
        }
        // Longer than the segment.
        segment.set_stop(ms(1040));
        let clipped = clip(Some(ms(980)), &pcm, Some(&segment), 24_000);
        assert_eq!(clipped, (Some(ms(1000)), &pcm[20 * 48..60 * 48]));
    }

    #[test]
    fn what_has_no_time_is_everywhere() {
        gst::init().expect("GStreamer");
        let segment = gst::FormattedSegment::<gst::ClockTime>::new();
        let pcm = [0; 4];
        assert_eq!(clip(None, &pcm, Some(&segment), 24_000), (None, &pcm[..]));
        let time = Some(gst::ClockTime::SECOND);
        assert_eq!(clip(time, &pcm, None, 24_000), (time, &pcm[..]));
        let end = Some(gst::ClockTime::MAX);
        assert_eq!(clip(end, &pcm, Some(&segment), 24_000).0, end);
    }
}
