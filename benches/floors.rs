//! The floors without I/O: framing, reading a large response, following it.

use std::hint::black_box;
use std::time::Duration;

use bytes::BytesMut;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use gstvolcasr::protocol::frame::{Compression, FrameEncoder, HEADROOM};
use gstvolcasr::protocol::request::ResultType;
use gstvolcasr::protocol::response::Response;
use gstvolcasr::session::transcript::Tracker;

/// 200 ms at 24 kHz that packs as speech does: a decaying noise on a few tones.
fn chunk() -> BytesMut {
    let mut noise = 1u32;
    let mut data = BytesMut::zeroed(HEADROOM);
    for n in 0..4800 {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let t = f64::from(n) / 24_000.0;
        let tone = (t * 880.0).sin() + 0.5 * (t * 2310.0).sin();
        let level = 900.0 * (1.0 + (t * 30.0).sin());
        let sample = tone * level + f64::from(noise >> 16) / 300.0;
        data.extend_from_slice(&(sample as i16).to_le_bytes());
    }
    data
}

fn frames(c: &mut Criterion) {
    let mut group = c.benchmark_group("frame");
    group.throughput(Throughput::Bytes(9600));
    for (name, compression) in [("none", Compression::None), ("gzip", Compression::Gzip)] {
        let mut encoder = FrameEncoder::new(compression);
        let chunk = chunk();
        group.bench_function(name, |b| {
            b.iter_batched(
                || chunk.clone(),
                |chunk| encoder.audio_chunk(2, black_box(chunk)),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

/// A `full` response with so many settled sentences of eight words, and one that grows.
fn full(sentences: u32, growing: u32) -> String {
    let mut json = format!(
        r#"{{"audio_info":{{"duration":{}}},"result":{{"utterances":["#,
        sentences * 5000 + 4900
    );
    for n in 0..=sentences {
        let start = n * 5000;
        let words = if n == sentences { growing } else { 8 };
        let text = vec!["word"; words as usize].join(" ");
        if n > 0 {
            json.push(',');
        }
        json.push_str(&format!(
            r#"{{"additions":{{"source":"stream"}},"definite":{},"start_time":{start},"end_time":{},"text":"{text}","words":["#,
            n < sentences,
            start + words * 500,
        ));
        for word in 0..words {
            if word > 0 {
                json.push_str(r#",{"start_time":-1,"end_time":-1,"text":" "},"#);
            }
            let at = start + word * 500;
            json.push_str(&format!(
                r#"{{"start_time":{at},"end_time":{},"text":"word"}}"#,
                at + 80
            ));
        }
        json.push_str("]}");
    }
    json.push_str("]}}");
    json
}

fn responses(c: &mut Criterion) {
    let mut group = c.benchmark_group("full response");
    for sentences in [12, 3000] {
        let [before, after] = [full(sentences, 3), full(sentences, 4)];
        group.throughput(Throughput::Bytes(after.len() as u64));
        group.bench_function(format!("decode {} kB", after.len() / 1000), |b| {
            b.iter(|| {
                Response::decode(black_box(after.as_bytes()))
                    .expect("sound")
                    .utterances
                    .map(|all| all.len())
            });
        });
        let sent = Duration::from_secs(100_000);
        group.bench_function(
            format!("decode and follow {} kB", after.len() / 1000),
            |b| {
                let mut tracker = Tracker::new(ResultType::Full);
                tracker.connect(Duration::ZERO);
                let mut updates = Vec::new();
                let mut flip = false;
                b.iter(|| {
                    flip = !flip;
                    let json = if flip { &before } else { &after };
                    let response = Response::decode(black_box(json.as_bytes())).expect("sound");
                    updates.clear();
                    tracker.respond(&response, sent, false, &mut updates);
                    updates.len()
                });
            },
        );
    }
    group.finish();
}

criterion_group!(floors, frames, responses);
criterion_main!(floors);
