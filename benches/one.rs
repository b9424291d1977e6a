//! One session, measured from inside: `one WHAT URI` prints one line of JSON. WHAT is
//!
//! - `start`: from the element's creation to the first frame on the wire, and what a bare connection takes;
//! - `latency`: at real time, from a chunk's last sample at the sink to the kernel, and from the service's telling an
//!   utterance to its message on the bus (the service with `--recogniser marks --told-at`);
//! - `allocations`: in steady state, for one frame, but for the buffers that come from upstream.
//!
//! The service runs elsewhere.

mod support;

use std::alloc::System;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use gst::prelude::*;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use support::{buffers, fed, percentile, sink, stat};
use volcasr_loopback::marks::Layout;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let [what, uri] = args.as_slice() else {
        // `cargo bench` without arguments runs every target.
        eprintln!("one start|latency|allocations URI: run by scripts/bench.py");
        return ExitCode::SUCCESS;
    };
    support::init();
    match what.as_str() {
        "start" => start(uri),
        "latency" => latency(uri),
        "allocations" => allocations(uri),
        _ => return ExitCode::FAILURE,
    }
    ExitCode::SUCCESS
}

fn start(uri: &str) {
    let (mut all, mut bare) = (Vec::new(), Vec::new());
    let buffer = buffers(&[0; 480], 10).remove(0);
    for _ in 0..25 {
        let began = Instant::now();
        let sink = sink(uri);
        sink.set_property("sync", false);
        let (pipeline, source) = fed(&sink, false);
        pipeline.set_state(gst::State::Playing).expect("to play");
        source.push_buffer(buffer.clone()).expect("it is taken");
        while stat(&sink, "frames-sent") == 0 {
            std::thread::sleep(Duration::from_micros(20));
        }
        all.push(began.elapsed().as_micros() as u64);
        pipeline.set_state(gst::State::Null).expect("NULL");
        bare.push(connection(uri).as_micros() as u64);
    }
    all.sort_unstable();
    bare.sort_unstable();
    println!(
        r#"{{"start_ms":{},"worst_ms":{},"bare_ms":{}}}"#,
        percentile(&all, 50) as f64 / 1e3,
        percentile(&all, 100) as f64 / 1e3,
        percentile(&bare, 50) as f64 / 1e3
    );
}

/// TCP and the WebSocket upgrade, and nothing else.
fn connection(uri: &str) -> Duration {
    let (host, path) = uri
        .strip_prefix("ws://")
        .and_then(|rest| rest.split_once('/'))
        .expect("a ws:// URI");
    let began = Instant::now();
    let mut socket = TcpStream::connect(host).expect("the service");
    write!(
        socket,
        "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
         X-Api-App-Key: app-1\r\nX-Api-Access-Key: secret-access-key\r\n\
         X-Api-Resource-Id: volc.seedasr.sauc.duration\r\nX-Api-Connect-Id: bench\r\n\r\n"
    )
    .expect("a connection");
    let mut answer = [0; 1024];
    let read = socket.read(&mut answer).expect("a connection");
    assert!(answer[..read].starts_with(b"HTTP/1.1 101"));
    began.elapsed()
}

fn latency(uri: &str) {
    let (pcm, _) = Layout::default().sentences(12);
    let sink = sink(uri);
    sink.set_property("chunk-duration", 100u32);
    let (pipeline, source) = fed(&sink, true);
    let told: Arc<Mutex<Vec<u64>>> = Arc::default();
    let into = told.clone();
    pipeline
        .bus()
        .expect("a bus")
        .set_sync_handler(move |_, message| {
            let late = message.structure().and_then(lateness);
            into.lock().expect("no panic").extend(late);
            gst::BusSyncReply::Pass
        });
    pipeline.set_state(gst::State::Playing).expect("to play");
    let (mut sent, mut seen) = (Vec::new(), 0);
    // The clock may have run before the first buffer came.
    for buffer in buffers(&pcm, 10) {
        let due = buffer.pts().unwrap_or_default();
        source.push_buffer(buffer).expect("it is taken");
        loop {
            let frames = stat(&sink, "frames-sent");
            if std::mem::replace(&mut seen, frames) != frames {
                sent.push(stat(&sink, "send-latency-last"));
            }
            match pipeline.current_running_time() {
                Some(now) if now > due => break,
                _ => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }
    let mut told = told.lock().expect("no panic").clone();
    told.sort_unstable();
    sent.sort_unstable();
    let ms = |nanos: u64| nanos as f64 / 1e6;
    println!(
        r#"{{"sent_p50_ms":{},"sent_p99_ms":{},"frames":{},"told_p50_ms":{},"told_p99_ms":{},"told":{}}}"#,
        ms(percentile(&sent, 50)),
        ms(percentile(&sent, 99)),
        sent.len(),
        ms(percentile(&told, 50)),
        ms(percentile(&told, 99)),
        told.len()
    );
    pipeline.set_state(gst::State::Null).expect("NULL");
}

/// Nanoseconds since the service told it.
fn lateness(transcript: &gst::StructureRef) -> Option<u64> {
    let attributes: gst::Structure = transcript.get("attributes").ok()?;
    let told: u64 = attributes.get::<String>("told_at").ok()?.parse().ok()?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    u64::try_from(now.ok()?.as_nanos()).ok()?.checked_sub(told)
}

fn allocations(uri: &str) {
    let sink = sink(uri);
    sink.set_property("sync", false);
    sink.set_property("max-speed", 0.0);
    // All that is sent stays for a replay, as nothing is ever answered: this much, and then in a circle.
    sink.set_property("replay-time", 10_000u32);
    let (pipeline, source) = fed(&sink, false);
    pipeline.set_state(gst::State::Playing).expect("to play");
    let (pcm, _) = Layout::default().sentences(60);
    let all = buffers(&pcm, 20);
    let (warm, steady) = all.split_at(all.len() / 2);
    let push = |buffers: &[gst::Buffer]| {
        for buffer in buffers {
            source.push_buffer(buffer.clone()).expect("it is taken");
            // No burst: what waits is not steady.
            while stat(&sink, "audio-queued") > 1_000_000_000 {
                std::thread::sleep(Duration::from_micros(200));
            }
        }
        let mut frames = (u64::MAX, 0);
        while frames.0 != frames.1 {
            std::thread::sleep(Duration::from_millis(50));
            frames = (frames.1, stat(&sink, "frames-sent"));
        }
        frames.1
    };
    let before = push(warm);
    // What asking for the stats takes is in both; a region without audio tells it.
    let region = Region::new(ALLOCATOR);
    let frames = push(steady) - before;
    let with = region.change();
    println!(
        r#"{{"frames":{frames},"allocations":{:.2},"bytes":{:.0}}}"#,
        with.allocations as f64 / frames as f64,
        with.bytes_allocated as f64 / frames as f64
    );
    pipeline.set_state(gst::State::Null).expect("NULL");
}
