//! The layers without I/O: framing, reading responses, following them.

use std::hint::black_box;
use std::time::Duration;

use bytes::BytesMut;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use gstvolcasr::protocol::frame::{Compression, FrameEncoder, HEADROOM};
use gstvolcasr::protocol::prefix_cache::PrefixCache;
use gstvolcasr::protocol::request::ResultType;
use gstvolcasr::protocol::response::Response;
use gstvolcasr::session::pcm_codec::CompressedPcm;
use gstvolcasr::session::transcript::{TranscriptTracker, Update};

/// A recording of Debian's pocketsphinx-testdata: 16 kHz, behind 44 bytes of header.
const SPEECH: &str =
    "/usr/share/pocketsphinx/test/data/librivox/sense_and_sensibility_01_austen_64kb-0870.wav";

/// Seconds of sound at 24 kHz: human speech or, where it is not installed, a noise on a few tones.
fn sound() -> Vec<i16> {
    let Ok(recording) = std::fs::read(SPEECH) else {
        eprintln!("no {SPEECH}: a made sound instead");
        return made();
    };
    let (samples, _) = recording[44..].as_chunks::<2>();
    let samples: Vec<_> = samples.iter().map(|s| i16::from_le_bytes(*s)).collect();
    let between = |n: usize| {
        let (at, part) = (n * 2 / 3, (n * 2 % 3) as f64 / 3.0);
        (f64::from(samples[at]) * (1.0 - part) + f64::from(samples[at + 1]) * part) as i16
    };
    (0..(samples.len() - 1) * 3 / 2).map(between).collect()
}

fn made() -> Vec<i16> {
    let mut noise = 1u32;
    let sample = |n: u32| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let t = f64::from(n) / 24_000.0;
        let tone = (t * 880.0).sin() + 0.5 * (t * 2310.0).sin();
        let level = 900.0 * (1.0 + (t * 30.0).sin());
        (tone * level + f64::from(noise >> 16) / 300.0) as i16
    };
    (0..24_000).map(sample).collect()
}

/// A sound in chunks of `ms` milliseconds, with room for a header.
fn chunks(ms: usize) -> Vec<BytesMut> {
    let chunk = |samples: &[i16]| {
        let mut data = BytesMut::zeroed(HEADROOM);
        data.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
        data
    };
    sound().chunks_exact(ms * 24).map(chunk).collect()
}

fn frames(c: &mut Criterion) {
    let mut group = c.benchmark_group("frame");
    for ms in [100, 200] {
        group.throughput(Throughput::Bytes(ms * 48));
        for (name, compression) in [("none", Compression::None), ("gzip", Compression::Gzip)] {
            let encoder = FrameEncoder::new(compression);
            let chunks = chunks(ms as usize);
            let mut next = chunks.iter().cycle();
            group.bench_function(format!("{name}, {ms} ms"), |b| {
                b.iter_batched(
                    || next.next().expect("endless").clone(),
                    // Dropped at once, as when it is written.
                    |chunk| encoder.audio_chunk(2, black_box(chunk)).len(),
                    BatchSize::SmallInput,
                );
            });
        }
    }
    group.finish();
}

/// The replay buffer.
fn keeping(c: &mut Criterion) {
    let mut group = c.benchmark_group("keeping");
    for ms in [100, 200] {
        group.throughput(Throughput::Bytes(ms * 48));
        let chunks = chunks(ms as usize);
        let mut next = chunks.iter().cycle();
        group.bench_function(format!("{ms} ms"), |b| {
            b.iter(|| CompressedPcm::new(&next.next().expect("endless")[HEADROOM..]));
        });
    }
    group.finish();
}

/// A `full` response with `sentences` settled sentences of eight words, and one that grows.
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
        let (definite, end) = (n < sentences, start + words * 500);
        json.push_str(r#"{"additions":{"source":"stream"},"#);
        json.push_str(&format!(
            r#""definite":{definite},"start_time":{start},"end_time":{end},"#
        ));
        json.push_str(&format!(r#""text":"{text}","words":["#));
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
    for sentences in [0, 12, 3000] {
        let all = [full(sentences, 3), full(sentences, 4)];
        let name = match sentences {
            0 => "single response".to_owned(),
            _ => format!("full response of {} kB", all[1].len() / 1000),
        };
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Bytes(all[1].len() as u64));
        group.bench_function("decode", |b| {
            b.iter(|| {
                Response::decode(black_box(all[1].as_bytes()))
                    .expect("sound")
                    .utterances
                    .map(|all| all.len())
            });
        });
        let mut follower = Follower::new(sentences);
        let read = all
            .each_ref()
            .map(|json| Response::decode(json.as_bytes()).expect("sound"));
        let mut turn = [0, 1].into_iter().cycle();
        group.bench_function("follow", |b| {
            b.iter(|| follower.follow(&read[turn.next().expect("endless")]));
        });
        let mut follower = Follower::new(sentences);
        let mut turn = all.iter().cycle();
        group.bench_function("decode and follow", |b| {
            b.iter(|| follower.read(black_box(turn.next().expect("endless"))));
        });
        group.finish();
    }
}

/// As the client does it.
struct Follower {
    tracker: TranscriptTracker,
    prefix_cache: PrefixCache,
    updates: Vec<Update>,
}

impl Follower {
    fn new(sentences: u32) -> Self {
        let result_type = match sentences {
            0 => ResultType::Single,
            _ => ResultType::Full,
        };
        let mut tracker = TranscriptTracker::new(result_type, Duration::from_secs(2));
        tracker.connect(Duration::ZERO);
        Self {
            tracker,
            prefix_cache: PrefixCache::default(),
            updates: Vec::new(),
        }
    }

    fn follow(&mut self, response: &Response<'_>) -> usize {
        self.updates.clear();
        let sent = Duration::from_secs(100_000);
        self.tracker
            .respond(response, sent, false, &mut self.updates);
        self.updates.len()
    }

    fn read(&mut self, json: &str) -> usize {
        let mut cache = std::mem::take(&mut self.prefix_cache);
        let settled = self.tracker.repeated();
        let response = cache.decode(json.as_bytes(), settled).expect("sound");
        let updates = self.follow(&response);
        cache.remember(json.as_bytes(), self.tracker.repeated());
        self.prefix_cache = cache;
        updates
    }
}

criterion_group!(floors, frames, keeping, responses);
criterion_main!(floors);
