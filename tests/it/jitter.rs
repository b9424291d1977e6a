//! Timestamps of sources that stamp by arrival: nothing is made of it but times. `element::input`
//! has tables of what times, and the soak has such sources.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::common::pad_harness::ms;
use crate::common::seconds::lengths;
use crate::common::*;
use gst::prelude::*;

/// A number below 150 for each `n`.
fn chance(n: u64) -> u64 {
    let mut hash = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^= hash >> 29;
    hash.wrapping_mul(0xbf58_476d_1ce4_e5b9) % 150
}

/// No audio is lost through the element that resamples for the sink.
#[test]
fn jitter_before_audioresample_loses_nothing() {
    let (service, rig) = TestPipeline::start("");
    rig.source.unlink(&rig.sink);
    let resample = element("audioresample");
    rig.pipeline.add(&resample).expect("a new element");
    gst::Element::link_many([rig.source.upcast_ref(), &resample, &rig.sink]).expect("a link");
    let mut caps = rig.source.caps().expect("the rig's");
    caps.make_mut().set("rate", 48_000);
    rig.source.set_caps(Some(&caps));
    // Each time it begins anew, it makes some more of it than there was.
    let made = Arc::new(AtomicU64::new(0));
    let pad = resample.static_pad("src").expect("its pad");
    let count = made.clone();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let bytes = info.buffer().map_or(0, |buffer| buffer.size());
        count.fetch_add(bytes as u64, Ordering::Relaxed);
        gst::PadProbeReturn::Ok
    });
    rig.play();
    let tone = |n: usize| ((n % 97) as i16 * 50).to_le_bytes();
    let mut stamp = 0;
    for n in 0..600 {
        let pcm: Vec<u8> = (n * 960..(n + 1) * 960).flat_map(tone).collect();
        let mut buffer = gst::Buffer::from_slice(pcm);
        // Late by chance, but not before the one before it.
        stamp = stamp.max(20 * n as u64 + chance(n as u64));
        buffer.get_mut().expect("a new buffer").set_pts(ms(stamp));
        let _ = rig.source.push_buffer(buffer);
    }
    rig.end().assert_no_errors("the run");
    let sent: u64 = lengths(&service).iter().sum();
    let made = made.load(Ordering::Relaxed) / 48;
    let is_all = made >= 12_000 && (made..=made + 160).contains(&sent);
    assert!(is_all, "{made} ms came, {sent} ms were sent");
}
