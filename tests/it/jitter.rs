//! Timestamps of sources that stamp by arrival: nothing is made of it but times.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::common::pad_harness::ms;
use crate::common::seconds::*;
use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::Options;

/// Milliseconds of audio in a buffer, and number of buffers: twelve seconds with a word in each.
const BUFFER: u64 = 20;
const BUFFERS: u64 = 600;

const EACH_SECOND: [u64; 12] = [
    0, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10_000, 11_000,
];

/// Returns when each buffer arrives, in milliseconds, `late` after its first sample was recorded.
/// None arrives before the one that was sent before it.
fn arrivals(late: impl Fn(u64) -> u64) -> Vec<u64> {
    let mut last = 0;
    let arrive = |n| {
        last = last.max(BUFFER * n + late(n));
        last
    };
    (0..BUFFERS).map(arrive).collect()
}

/// Nothing but the audio is sent, and each word comes once, at its time or late by the jitter.
#[test]
fn timestamps_of_arrival_make_no_silence_and_lose_nothing() {
    // More rows are in the tests of `element::input`.
    let rows: [(&str, u64, Vec<u64>); 2] = [
        ("jitter", 150, arrivals(chance)),
        (
            "chunks of 200 ms",
            200,
            arrivals(|n| BUFFER * (10 - n % 10)),
        ),
    ];
    for (name, jitter, arrivals) in rows {
        let (service, harness) = start();
        let words: Vec<u8> = (0..12).flat_map(second).collect();
        for (piece, at) in words.chunks(harness.bytes(BUFFER)).zip(arrivals) {
            harness.push(at, piece);
        }
        let log = harness.end();
        log.assert_clean();
        assert_ends_once(&log.transcripts());
        assert_eq!(lengths(&service).iter().sum::<u64>(), 12_000, "{name}");
        let words = marks_of(&log.finals());
        assert_eq!(words.len(), 12, "{name}: {words:?}");
        for ((number, start, _), (expected, time, _)) in words.iter().zip(at(&EACH_SECOND)) {
            assert_eq!(*number, expected, "{name}: {words:?}");
            assert!(start.abs_diff(time) <= 100 + jitter, "{name}: {words:?}");
        }
    }
}

/// A number below 150 for each `n`.
fn chance(n: u64) -> u64 {
    let mut hash = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^= hash >> 29;
    hash.wrapping_mul(0xbf58_476d_1ce4_e5b9) % 150
}

/// No audio is lost through the element that resamples for the sink.
#[test]
fn jitter_before_audioresample_loses_nothing() {
    let service = service(Options::default());
    let rig = TestPipeline::new(unpaced_sink(&service));
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
    rig.end();
    let log = rig.listen();
    assert!(log.saw_eos() && log.errors().is_empty());
    let sent: u64 = lengths(&service).iter().sum();
    let made = made.load(Ordering::Relaxed) / 48;
    assert!(
        made >= 12_000 && (made..=made + 160).contains(&sent),
        "{made} ms came, {sent} ms were sent"
    );
}

/// All of it within a moment: no stamp is right, but every sample arrives.
#[test]
fn a_real_source_that_stamps_a_burst_by_arrival() {
    let service = service(Options::default());
    let rig = TestPipeline::new(set(unpaced_sink(&service), "leaky=no"));
    rig.source.set_is_live(true);
    rig.source.set_do_timestamp(true);
    rig.play();
    let words: Vec<u8> = (0..12).flat_map(second).collect();
    for piece in words.chunks(960) {
        let buffer = gst::Buffer::from_slice(piece.to_vec());
        let _ = rig.source.push_buffer(buffer);
    }
    rig.end();
    let log = rig.listen();
    log.assert_clean();
    assert_eq!(lengths(&service).iter().sum::<u64>(), 12_000);
    let numbers: Vec<u32> = marks_of(&log.finals()).iter().map(|word| word.0).collect();
    assert_eq!(numbers, Vec::from_iter(0..12));
}
