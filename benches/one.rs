//! One session, measured from inside: `one WHAT URI` prints one line of JSON. WHAT is
//!
//! - `start`: from the element's creation until the service has answered the request, which is a
//!   little more than frame 1 on the wire, and what a bare connection takes;
//! - `latency`: at real time, from a chunk's last sample at the sink to the kernel, and from the
//!   service's sending an utterance to its message on the bus (the service with `--recogniser marks
//!   --sent-at`);
//! - `due`: at real time, by how much a word of the text pad leaves later than its latency says
//!   (the service with `--recogniser marks`);
//! - `allocations`: in steady state, for one frame, but for the buffers that come from upstream;
//! - `reading`: of responses of megabytes, which the service's script has from 1 s of audio on:
//!   RESPONSES of them, of BYTES in all.
//!
//! The service runs elsewhere.

mod support;

use std::alloc::System;
use std::cell::Cell;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use gst::prelude::*;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use support::{Written, buffers, cpu, fed, percentile, sink, stat};
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
        eprintln!("one start|latency|due|allocations|reading URI: run by scripts/bench.py");
        return ExitCode::SUCCESS;
    };
    support::init();
    match what.as_str() {
        "start" => start(uri),
        "latency" => latency(uri),
        "due" => due(uri),
        "allocations" => allocations(uri),
        "reading" => reading(uri),
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
        while stat(&sink, "responses") == 0 {
            std::thread::sleep(Duration::from_micros(20));
        }
        all.push(began.elapsed().as_micros() as u64);
        pipeline.set_state(gst::State::Null).expect("NULL");
        bare.push(connection(uri).as_micros() as u64);
    }
    // Threads and certificates are there from the first on.
    let first = all.remove(0) as f64 / 1e3;
    all.sort_unstable();
    bare.sort_unstable();
    println!(
        r#"{{"first_ms":{first},"start_ms":{},"worst_ms":{},"bare_ms":{}}}"#,
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

/// Far less than a sentence of these marks lasts: all but its last words leave when they are due.
const LATENCY: gst::ClockTime = gst::ClockTime::from_mseconds(1200);

fn due(uri: &str) {
    let endless = Layout {
        sentence: 60,
        ..Layout::default()
    };
    let (pcm, _) = endless.sentences(2);
    let transcriber = support::element("volcasrtranscriber", uri);
    transcriber.set_property("latency", LATENCY.mseconds() as u32);
    transcriber.set_property("chunk-duration", 100u32);
    let (pipeline, source) = fed(&transcriber, true);
    let sink = gst::ElementFactory::make("fakesink")
        .property("sync", false)
        .property("async", false)
        .build()
        .expect("a core element");
    pipeline.add(&sink).expect("a new element");
    transcriber
        .link_pads(Some("src"), &sink, None)
        .expect("text");
    let late: Arc<Mutex<Vec<u64>>> = Arc::default();
    let into = late.clone();
    let clocked = pipeline.downgrade();
    let pad = transcriber.static_pad("src").expect("a pad");
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        if let Some(gst::PadProbeData::Buffer(buffer)) = &info.data
            && let Some(now) = clocked.upgrade().and_then(|p| p.current_running_time())
            && let Some(due) = buffer.pts().map(|pts| pts + LATENCY)
            // Skips final text, which leaves before it is due.
            && let Some(late) = now.checked_sub(due)
        {
            into.lock().expect("no panic").push(late.nseconds());
        }
        gst::PadProbeReturn::Ok
    });
    pipeline.set_state(gst::State::Playing).expect("to play");
    for buffer in buffers(&pcm, 10) {
        let due = buffer.pts().unwrap_or_default();
        source.push_buffer(buffer).expect("it is taken");
        while pipeline.current_running_time().is_none_or(|now| now <= due) {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    let mut late = late.lock().expect("no panic").clone();
    late.sort_unstable();
    let ms = |percent| percentile(&late, percent) as f64 / 1e6;
    println!(
        r#"{{"due_p50_ms":{},"due_p99_ms":{},"words":{}}}"#,
        ms(50),
        ms(99),
        late.len()
    );
    pipeline.set_state(gst::State::Null).expect("NULL");
}

fn latency(uri: &str) {
    let (pcm, _) = Layout::default().sentences(12);
    let sink = sink(uri);
    sink.set_property("chunk-duration", 100u32);
    let (pipeline, source) = fed(&sink, true);
    let delays: Arc<Mutex<Vec<u64>>> = Arc::default();
    let into = delays.clone();
    pipeline
        .bus()
        .expect("a bus")
        .set_sync_handler(move |_, message| {
            let late = message.structure().and_then(lateness);
            into.lock().expect("no panic").extend(late);
            gst::BusSyncReply::Pass
        });
    pipeline.set_state(gst::State::Playing).expect("to play");
    let mut sent = Written::new([&sink]);
    // The clock may have run before the first buffer came.
    for buffer in buffers(&pcm, 10) {
        let due = buffer.pts().unwrap_or_default();
        source.push_buffer(buffer).expect("it is taken");
        while pipeline.current_running_time().is_none_or(|now| now <= due) {
            std::thread::sleep(Duration::from_millis(2));
        }
        sent.ask();
    }
    let mut delays = delays.lock().expect("no panic").clone();
    delays.sort_unstable();
    let ms = |nanos: u64| nanos as f64 / 1e6;
    let (p50, p99, frames) = sent.percentiles();
    let sent = format!(r#""sent_p50_ms":{p50},"sent_p99_ms":{p99},"frames":{frames}"#);
    println!(
        r#"{{{sent},"posted_p50_ms":{},"posted_p99_ms":{},"posted":{}}}"#,
        ms(percentile(&delays, 50)),
        ms(percentile(&delays, 99)),
        delays.len()
    );
    pipeline.set_state(gst::State::Null).expect("NULL");
}

/// Nanoseconds since the service first sent it.
fn lateness(transcript: &gst::StructureRef) -> Option<u64> {
    let attributes: gst::Structure = transcript.get("attributes").ok()?;
    let sent: u64 = attributes.get::<String>("sent_at").ok()?.parse().ok()?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    u64::try_from(now.ok()?.as_nanos()).ok()?.checked_sub(sent)
}

fn allocations(uri: &str) {
    let sink = sink(uri);
    sink.set_property("sync", false);
    sink.set_property("max-speed", 0.0);
    // All that is sent stays for a replay, as nothing is ever answered: this much, and then in a
    // circle.
    sink.set_property("replay-time", 10_000u32);
    let (pipeline, source) = fed(&sink, false);
    pipeline.set_state(gst::State::Playing).expect("to play");
    let (pcm, _) = Layout::default().sentences(60);
    let all = buffers(&pcm, 20);
    let (warm, steady) = all.split_at(all.len() / 2);
    let asked = Cell::new(0usize);
    let stat = |field| {
        asked.set(asked.get() + 1);
        stat(&sink, field)
    };
    let push = |buffers: &[gst::Buffer]| {
        for buffer in buffers {
            source.push_buffer(buffer.clone()).expect("it is taken");
            // No burst: what waits is not steady.
            while stat("audio-queued") > 1_000_000_000 {
                std::thread::sleep(Duration::from_micros(200));
            }
        }
        let mut frames = (u64::MAX, 0);
        while frames.0 != frames.1 {
            std::thread::sleep(Duration::from_millis(50));
            frames = (frames.1, stat("frames-sent"));
        }
        frames.1
    };
    let before = push(warm);
    // Reading the statistics allocates too, and is no part of the frames.
    let region = Region::new(ALLOCATOR);
    for _ in 0..100 {
        stat("frames-sent");
    }
    let question = region.change();
    asked.set(0);
    let region = Region::new(ALLOCATOR);
    let frames = (push(steady) - before) as f64;
    let with = region.change();
    let asked = asked.get() as f64 / 100.0;
    let (allocations, bytes) = (question.allocations as f64, question.bytes_allocated as f64);
    println!(
        r#"{{"frames":{frames},"allocations":{:.2},"bytes":{:.0}}}"#,
        (with.allocations as f64 - asked * allocations) / frames,
        (with.bytes_allocated as f64 - asked * bytes) / frames
    );
    pipeline.set_state(gst::State::Null).expect("NULL");
}

fn reading(uri: &str) {
    let number = |name| -> u64 {
        let value = std::env::var(name).expect("set by scripts/bench.py");
        value.parse().expect("a number")
    };
    let (responses, bytes) = (number("RESPONSES"), number("BYTES"));
    let sink = sink(uri);
    sink.set_property("sync", false);
    sink.set_property("max-speed", 0.0);
    let (pipeline, source) = fed(&sink, false);
    let messages = Arc::new(AtomicU64::new(0));
    let posted = messages.clone();
    let bus = pipeline.bus().expect("a bus");
    bus.set_sync_handler(move |_, _| {
        posted.fetch_add(1, Ordering::Relaxed);
        gst::BusSyncReply::Drop
    });
    pipeline.set_state(gst::State::Playing).expect("to play");
    let all = buffers(&[0; 4 * 48_000], 20);
    let (first, rest) = all.split_at(45);
    let push = |buffers: &[gst::Buffer]| {
        for buffer in buffers {
            source.push_buffer(buffer.clone()).expect("it is taken");
        }
    };
    // The first one is news as a whole: until it is all posted.
    push(first);
    let mut before = (0, u64::MAX);
    while before.0 == 0 || before.0 != before.1 {
        std::thread::sleep(Duration::from_millis(300));
        before = (messages.load(Ordering::Relaxed), before.0);
    }
    let already = stat(&sink, "responses");
    let (region, began, used) = (Region::new(ALLOCATOR), Instant::now(), cpu());
    push(rest);
    while stat(&sink, "responses") < already + responses {
        let limit = Duration::from_secs(60);
        assert!(began.elapsed() < limit, "responses are missing");
        std::thread::sleep(Duration::from_millis(5));
    }
    let (used, took) = (cpu() - used, began.elapsed().as_secs_f64());
    let change = region.change();
    println!(
        r#"{{"cpu_mb_s":{:.0},"wall_mb_s":{:.0},"allocations":{:.1},"kib":{:.0},"messages":{}}}"#,
        bytes as f64 / used / 1e6,
        bytes as f64 / took / 1e6,
        change.allocations as f64 / responses as f64,
        change.bytes_allocated as f64 / 1024.0 / responses as f64,
        messages.load(Ordering::Relaxed) - before.0
    );
    pipeline.set_state(gst::State::Null).expect("NULL");
}
