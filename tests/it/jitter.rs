//! Timestamps of sources that stamp by arrival: late, in bursts, with a clock of their own. Nothing
//! is made of it but times: no silence, and no loss.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::common::direct::{Direct, Segment};
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
    let (service, direct) = start();
    let pcm = words();
    for ((n, piece), at) in pcm.chunks(direct.bytes(BUFFER)).enumerate().zip(stamps) {
        push(&direct, *at, piece, flags(n));
    }
    judge(&service, &direct.end())
}

fn push(direct: &Direct, at: u64, pcm: &[u8], discont: bool) {
    if discont {
        direct.jump(at, pcm);
    } else {
        direct.push(at, pcm);
    }
}

fn judge(service: &Service, heard: &Heard) -> Result {
    assert!(heard.errors().is_empty(), "{:?}", heard.errors());
    assert!(heard.warnings().is_empty(), "{:?}", heard.warnings());
    assert_ends_once(&heard.transcripts());
    let words = marks_of(&heard.finals());
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

/// The source goes on later than it was each time: after a second its times are the later ones,
/// from there on.
#[test]
fn stalls_that_are_not_caught_up_with_move_the_times() {
    let stalls = |n: u64| n / 150 * 300;
    let (service, direct) = start();
    let pcm = words();
    for (n, piece) in (0..).zip(pcm.chunks(direct.bytes(BUFFER))) {
        direct.push(BUFFER * n + stalls(n), piece);
    }
    let heard = direct.end();
    let words = marks_of(&heard.finals());
    let expected = (0..u64::from(SECONDS)).map(|n| {
        let at = 1000 * n + 300;
        let late = stalls(at / BUFFER);
        (n as u32, at + late, at + late + 300)
    });
    assert_eq!(words, Vec::from_iter(expected));
    assert_eq!(lengths(&service), [12_000]);
}

/// As `audioresample` does it, which flags what wobbles by more than 31 ms: the first flagged gap
/// is believed, and none after that was no gap.
#[test]
fn flags_that_are_set_for_jitter_make_one_silence_at_most() {
    let stamps = stamps(|n| if n % 7 == 3 { 120 } else { 0 });
    let result = play(&stamps, |n| n > 0 && (n % 7 == 3 || n % 7 == 4));
    assert_eq!(result.sent, 12_120);
    assert!(result.off <= 220, "{result:?}");
    let whole = result.words.iter().filter(|word| word.0 < SECONDS);
    assert!(whole.count() >= 11, "{result:?}");
}

/// Through the element that resamples for the sink, whatever it makes of the stamps.
#[test]
fn jitter_before_audioresample_loses_nothing() {
    let service = service(volcasr_loopback::Options::default());
    let rig = Rig::new(quick(&service));
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
        writable.set_pts(crate::common::direct::ms(at));
        let _ = rig.source.push_buffer(buffer);
    }
    rig.end();
    let heard = rig.listen();
    assert!(heard.saw_eos() && heard.errors().is_empty());
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

/// An hour at 1 in 1,000 is a table test of the element; this is a minute at 1 in 100.
#[test]
fn a_clock_that_drifts_is_followed() {
    for slow in [false, true] {
        let (service, direct) = start();
        let pcm: Vec<u8> = (0..60).flat_map(second).collect();
        let stamp = |at: u64| if slow { at + at / 100 } else { at - at / 100 };
        for (n, piece) in (0..).zip(pcm.chunks(direct.bytes(BUFFER))) {
            direct.push(stamp(BUFFER * n), piece);
        }
        let heard = direct.end();
        assert!(heard.errors().is_empty());
        let words = marks_of(&heard.finals());
        assert_eq!(words.len(), 60, "{words:?}");
        for (n, start, end) in words {
            let truth = stamp(u64::from(n) * 1000 + 300);
            assert!(start.abs_diff(truth) <= 20, "{n} at {start}, not {truth}");
            assert!((end - start).abs_diff(300) <= 20, "{n}: {start} to {end}");
        }
        assert_eq!(lengths(&service), [60_000]);
    }
}

/// All of it within a moment: no stamp is right, but every sample arrives.
#[test]
fn a_real_source_that_stamps_a_burst_by_arrival() {
    let service = service(volcasr_loopback::Options::default());
    let rig = Rig::new(quick(&service));
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

/// What is announced is no jitter, nor what is longer than a second: exact at once, whatever the
/// stamps did before.
#[test]
fn real_gaps_are_exact_behind_jitter() {
    for (gap, event, sent) in [
        (300, true, 3300),
        (300, false, 3300),
        (999, false, 3999),
        (3000, true, 6000),
        (3_600_000, false, 4000),
        (3_600_000, true, 4000),
    ] {
        let (service, direct) = start();
        let pcm: Vec<u8> = (0..2).flat_map(second).collect();
        for (n, piece) in (0..).zip(pcm.chunks(direct.bytes(BUFFER))) {
            direct.push(BUFFER * n + if n == 0 { 0 } else { chance(n, 30) }, piece);
        }
        if event {
            assert!(direct.gap(2000, gap));
            direct.push(2000 + gap, &second(2));
        } else {
            direct.jump(2000 + gap, &second(2));
        }
        let heard = direct.end();
        assert_eq!(
            marks_of(&heard.finals())[2..],
            at(&[0, 0, 2000 + gap])[2..],
            "{gap} {event}"
        );
        assert_eq!(lengths(&service).iter().sum::<u64>(), sent, "{gap} {event}");
    }
}

/// The times of the audio behind it are right from the first sample on, though that is known a
/// second later.
#[test]
fn a_gap_that_nothing_announces_moves_the_times_from_where_it_began() {
    let (service, direct) = start();
    direct.push_all(0, &second(0), 20);
    direct.push_all(1300, &[second(1), second(2)].concat(), 20);
    assert_heard(&direct, &[0, 1300, 2300]);
    assert_eq!(lengths(&service), [3000]);
}

/// A seek begins with other times, jitter or not.
#[test]
fn another_segment_begins_exactly() {
    let (service, direct) = start();
    let pcm = second(0);
    for (n, piece) in (0..).zip(pcm.chunks(direct.bytes(BUFFER))) {
        direct.push(BUFFER * n + if n == 0 { 0 } else { chance(n, 30) }, piece);
    }
    let mut segment = Segment::new();
    segment.set_base(crate::common::direct::ms(1000));
    segment.set_start(crate::common::direct::ms(70_000));
    assert!(direct.segment(&segment));
    direct.push_all(70_000, &second(1), 20);
    let heard = direct.end();
    assert_eq!(marks_of(&heard.finals())[1..], at(&[0, 70_000])[1..]);
    assert_eq!(lengths(&service), [2000]);
}
