//! Timestamps of sources that stamp by arrival: late, in bursts, with a clock of their own. Nothing
//! is made of it but times: no silence, and no loss.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::common::pad_harness::PadHarness;
use crate::common::seconds::*;
use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::Service;

/// Twelve seconds, a word in each.
const SECONDS: u32 = 12;
/// Milliseconds of audio in a buffer.
const BUFFER: u64 = 20;

fn words() -> Vec<u8> {
    (0..SECONDS).flat_map(second).collect()
}

/// When each buffer of the words is stamped, in ms, if its first sample was recorded at `20 * n`
/// ms.
type Stamps = Vec<u64>;

fn stamps(late: impl Fn(u64) -> u64) -> Stamps {
    let mut last = 0;
    let buffers = u64::from(SECONDS) * 1000 / BUFFER;
    // Nothing arrives before what was sent before it.
    let arrive = |n: u64| {
        last = last.max(BUFFER * n + late(n));
        last
    };
    (0..buffers).map(arrive).collect()
}

/// A number below `limit` for each `n`.
fn chance(n: u64, limit: u64) -> u64 {
    let mut hash = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^= hash >> 29;
    hash.wrapping_mul(0xbf58_476d_1ce4_e5b9) % limit
}

/// Milliseconds sent, words and parts of words, and how far the words are from their time at most.
#[derive(Debug)]
struct Result {
    sent: u64,
    words: Vec<(u32, u64, u64)>,
    off: u64,
}

fn play(stamps: &Stamps, flags: impl Fn(usize) -> bool) -> Result {
    let (service, harness) = start();
    let pcm = words();
    for ((n, piece), at) in pcm.chunks(harness.bytes(BUFFER)).enumerate().zip(stamps) {
        push(&harness, *at, piece, flags(n));
    }
    judge(&service, &harness.end())
}

fn push(harness: &PadHarness, at: u64, pcm: &[u8], discont: bool) {
    if discont {
        harness.jump(at, pcm);
    } else {
        harness.push(at, pcm);
    }
}

fn judge(service: &Service, log: &BusLog) -> Result {
    assert!(log.errors().is_empty(), "{:?}", log.errors());
    assert!(log.warnings().is_empty(), "{:?}", log.warnings());
    assert_ends_once(&log.transcripts());
    let words = marks_of(&log.finals());
    let truth = |n: u32| u64::from(n) * 1000 + 300;
    let off = words.iter().filter(|word| word.0 < SECONDS);
    let off = off.map(|(n, start, _)| start.abs_diff(truth(*n))).max();
    Result {
        sent: lengths(service).iter().sum(),
        off: off.unwrap_or(0),
        words,
    }
}

/// All of the audio and nothing else was sent, and each word is at its time, or late by the jitter
/// at most.
fn assert_right(name: &str, result: &Result, jitter: u64) {
    let Result { sent, words, off } = result;
    println!(
        "{name}: {sent} ms sent, {} words, off by {off} ms at most",
        words.len()
    );
    assert_eq!(*sent, u64::from(SECONDS) * 1000, "{name}");
    let numbers: Vec<u32> = words.iter().map(|word| word.0).collect();
    assert_eq!(numbers, Vec::from_iter(0..SECONDS), "{name}");
    assert!(words.is_sorted_by_key(|word| word.1), "{name}: {words:?}");
    assert!(*off <= 100 + jitter, "{name}: {words:?}");
}

/// The four ways in which stamps by arrival go wrong, and what they cost: nothing.
#[test]
fn stamps_by_arrival_make_no_silence_and_lose_nothing() {
    let held = |n: u64, every: u64, count: u64| match n % every {
        k if k < count => BUFFER * (count - k),
        _ => 0,
    };
    let rows: [(&str, Stamps, u64); 5] = [
        ("jitter up to 150 ms", stamps(|n| chance(n, 150)), 150),
        ("chunks of 200 ms at once", stamps(|n| held(n, 10, 10)), 200),
        (
            "a stall of 300 ms, caught up with",
            stamps(|n| held(n, 150, 15)),
            300,
        ),
        ("datagrams held up by 80 ms", stamps(|n| held(n, 25, 4)), 80),
        (
            "all late but the first",
            stamps(|n| if n == 0 { 0 } else { chance(n, 150) }),
            150,
        ),
    ];
    for (name, stamps, jitter) in rows {
        assert_right(name, &play(&stamps, |_| false), jitter);
    }
}

/// No audio is lost through the element that resamples for the sink.
#[test]
fn jitter_before_audioresample_loses_nothing() {
    let service = service(volcasr_loopback::Options::default());
    let rig = TestPipeline::new(unpaced_sink(&service));
    rig.source.unlink(&rig.sink);
    let resample = gst::ElementFactory::make("audioresample")
        .build()
        .expect("GStreamer's own");
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
    for (n, at) in stamps(|n| chance(n, 150)).into_iter().enumerate() {
        let pcm: Vec<u8> = (n * 960..(n + 1) * 960).flat_map(tone).collect();
        let mut buffer = gst::Buffer::from_slice(pcm);
        let writable = buffer.get_mut().expect("a new buffer");
        writable.set_pts(crate::common::pad_harness::ms(at));
        let _ = rig.source.push_buffer(buffer);
    }
    rig.end();
    let log = rig.listen();
    assert!(log.saw_eos() && log.errors().is_empty());
    let (sent, made): (u64, u64) = (
        lengths(&service).iter().sum(),
        made.load(Ordering::Relaxed) / 48,
    );
    println!("{made} ms came, {sent} ms were sent");
    assert!(
        made >= 12_000 && (made..=made + 160).contains(&sent),
        "{made} ms, {sent} ms"
    );
}

/// All of it within a moment: no stamp is right, but every sample arrives.
#[test]
fn a_real_source_that_stamps_a_burst_by_arrival() {
    let service = service(volcasr_loopback::Options::default());
    let rig = TestPipeline::new(unpaced_sink(&service));
    rig.source.set_is_live(true);
    rig.source.set_do_timestamp(true);
    rig.sink.set_property_from_str("leaky", "no");
    rig.play();
    for piece in words().chunks(960) {
        let _ = rig
            .source
            .push_buffer(gst::Buffer::from_slice(piece.to_vec()));
    }
    rig.end();
    let result = judge(&service, &rig.listen());
    assert_eq!(result.sent, 12_000);
    let numbers: Vec<u32> = result.words.iter().map(|word| word.0).collect();
    assert_eq!(numbers, Vec::from_iter(0..SECONDS));
}
