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

    /// Of 100 ms, the milliseconds that are kept; the segment begins at 1000 ms.
    #[test]
    fn audio_outside_the_segment_is_cut_off_by_its_length() {
        gst::init().expect("GStreamer");
        let ms = gst::ClockTime::from_mseconds;
        let bytes: Vec<u8> = (0..100 * 48).map(|byte| byte as u8).collect();
        for (at, stop, kept) in [
            (Some(0), 2000, 0..0),
            (Some(900), 2000, 0..0),
            (Some(950), 2000, 50..100),
            (Some(1000), 2000, 0..100),
            (Some(1900), 2000, 0..100),
            (Some(1990), 2000, 0..10),
            (Some(2000), 2000, 0..0),
            // Longer than the segment.
            (Some(980), 1040, 20..60),
            // Without a time it is kept whole.
            (None, 2000, 0..100),
        ] {
            let mut segment = Segment::new();
            segment.set_start(ms(1000));
            segment.set_stop(ms(stop));
            for claimed in [None, Some(100), Some(3000)] {
                let mut whole = gst::Buffer::from_slice(bytes.clone());
                let fields = whole.get_mut().expect("the only owner");
                fields.set_pts(at.map(ms));
                fields.set_duration(claimed.map(ms));
                let found = clip(&whole, Some(&segment), 24_000).map(|(part, start)| {
                    let part = part.map_readable().expect("memory").to_vec();
                    (part, start.time, start.clipped)
                });
                let expected = (!kept.is_empty()).then(|| {
                    let part = bytes[kept.start * 48..kept.end * 48].to_vec();
                    let clipped = ms(kept.start as u64);
                    (part, at.map(|at| ms(at) + clipped), clipped)
                });
                assert_eq!(found, expected, "{at:?} {claimed:?}");
            }
        }
    }
}
