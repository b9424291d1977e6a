//! Clipping of buffers to their segment, and what is known of the start of the rest.

use crate::element::timeline::Segment;
use crate::session::{BYTES_PER_SAMPLE, samples_in, samples_to_time};

/// Start of a buffer's audio.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Start {
    /// Time of the first sample, if known.
    pub time: Option<gst::ClockTime>,
    /// Length of the audio that was clipped before it.
    pub clipped: gst::ClockTime,
    /// The buffer's time may jump.
    pub discont: bool,
}

/// Whether the buffer's flags say that its time may jump.
pub(crate) fn is_discont(buffer: &gst::Buffer) -> bool {
    let jumps = gst::BufferFlags::DISCONT | gst::BufferFlags::RESYNC;
    buffer.flags().intersects(jumps)
}

/// Returns the duration of `bytes` bytes of audio.
pub(crate) fn duration(bytes: usize, rate: u32) -> gst::ClockTime {
    let time = samples_to_time(samples_in(bytes), rate);
    time.try_into().unwrap_or(gst::ClockTime::MAX)
}

/// Returns the part of a buffer that lies in its segment, if any does, and the start of that. A
/// buffer without a timestamp is returned whole, as is one in a segment that does not count time.
pub(crate) fn clip(
    buffer: &gst::Buffer,
    segment: Option<&Segment>,
    rate: u32,
) -> Option<(gst::Buffer, Start)> {
    let mut clipped = buffer.clone();
    if let Some(segment) = segment {
        // The number of samples tells the length. The function below believes the duration, and
        // would cut off too much where that is too long.
        let is_long = |claimed: gst::ClockTime| claimed > duration(buffer.size(), rate);
        if buffer.duration().is_some_and(is_long) {
            clipped.make_mut().set_duration(None);
        }
        let (segment, width) = (segment.upcast_ref(), BYTES_PER_SAMPLE as u32);
        clipped = gst_audio::audio_buffer_clip(clipped, segment, rate, width)?;
    }
    let of_rest = clipped.pts();
    let times = of_rest.zip(buffer.pts());
    let before = times.map(|(of_rest, of_all)| of_rest.saturating_sub(of_all));
    let start = Start {
        time: of_rest,
        clipped: before.unwrap_or_default(),
        discont: is_discont(buffer),
    };
    Some((clipped, start))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 24_000;

    /// 100 ms at `pts`, which claims to be as long as `claimed`.
    fn buffer(pts: Option<gst::ClockTime>, claimed: Option<gst::ClockTime>) -> gst::Buffer {
        gst::init().expect("GStreamer");
        let pcm: Vec<u8> = (0..100 * 48).map(|byte| byte as u8).collect();
        let mut buffer = gst::Buffer::from_slice(pcm);
        let fields = buffer.get_mut().expect("the only owner");
        fields.set_pts(pts);
        fields.set_duration(claimed);
        buffer
    }

    #[test]
    fn audio_outside_the_segment_is_cut_off_by_its_length() {
        gst::init().expect("GStreamer");
        let ms = gst::ClockTime::from_mseconds;
        let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
        segment.set_start(ms(1000));
        for (at, stop, first, kept) in [
            (0, 2000, 0, 0..0),
            (900, 2000, 0, 0..0),
            (950, 2000, 1000, 50 * 48..100 * 48),
            (1000, 2000, 1000, 0..100 * 48),
            (1900, 2000, 1900, 0..100 * 48),
            (1990, 2000, 1990, 0..10 * 48),
            (2000, 2000, 0, 0..0),
            // Longer than the segment.
            (980, 1040, 1000, 20 * 48..60 * 48),
        ] {
            segment.set_stop(ms(stop));
            for claimed in [None, Some(ms(100)), Some(ms(3000))] {
                let whole = buffer(Some(ms(at)), claimed);
                let bytes = whole.map_readable().expect("memory").to_vec();
                let clipped = clip(&whole, Some(&segment), RATE);
                assert_eq!(clipped.is_some(), !kept.is_empty(), "{at} {claimed:?}");
                if let Some((part, start)) = clipped {
                    let part = part.map_readable().expect("memory");
                    assert_eq!(&part[..], &bytes[kept.clone()], "{at} {claimed:?}");
                    let expected = (Some(ms(first)), ms(first - at));
                    assert_eq!((start.time, start.clipped), expected, "{at} {claimed:?}");
                }
            }
        }
    }

    #[test]
    fn a_buffer_without_a_time_is_kept_whole() {
        let whole = buffer(None, None);
        let segment = gst::FormattedSegment::<gst::ClockTime>::new();
        let (clipped, start) = clip(&whole, Some(&segment), RATE).expect("all of it");
        assert_eq!((clipped.pts(), clipped.size()), (None, 100 * 48));
        assert_eq!((start.time, start.clipped), (None, gst::ClockTime::ZERO));
    }
}
