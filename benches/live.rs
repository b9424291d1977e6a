//! N live sessions in one process, measured from inside: `live SINK N SECONDS [URI]` prints one
//! line of JSON. SINK is `volcasrsink`, `volcasrtranscriber` with a `fakesink` behind it, or
//! `fakesink` for what all the rest costs.
//!
//! Each session is a pipeline of its own, which gets a buffer of 10 ms every 10 ms. Two threads
//! push for all of them, as two do for all sockets of a server: a thousand threads with a clock
//! each, as live sources have them, cost more than two processors by themselves. The sound is
//! marks, which the service (elsewhere, `--recogniser marks`) answers, or what the environment's
//! SPEECH names, which a script answers; so sent audio is settled and freed as with the real
//! service. Sessions are at different places in it, and in their chunks.

mod support;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use gst::prelude::*;
use support::{Written, buffers, caps, cpu, status};
use volcasr_loopback::marks::Layout;

/// How often latencies are sampled, more often than chunks are sent.
const SAMPLE: Duration = Duration::from_millis(100);
/// Number of sessions whose latency is sampled: asking for statistics costs, too.
const SAMPLED: usize = 100;
const TICK: Duration = Duration::from_millis(10);
const FEEDERS: usize = 2;
/// Until all sessions are open and their history is as long as it gets.
const WARM_UP: Duration = Duration::from_secs(8);

const TRANSCRIBER: &str = "volcasrtranscriber";

/// One pipeline.
struct Session {
    pipeline: gst::Pipeline,
    sink: gst::Element,
    /// Sink of the text, or the sink itself.
    last: gst::Element,
    pad: gst::Pad,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let [sink, n, seconds, rest @ ..] = args.as_slice() else {
        // `cargo bench` without arguments runs every target.
        eprintln!("live SINK N SECONDS [URI]: run by scripts/bench.py");
        return ExitCode::SUCCESS;
    };
    let (Ok(n), Ok(seconds)) = (n.parse::<usize>(), seconds.parse::<u64>()) else {
        eprintln!("N and SECONDS are numbers");
        return ExitCode::FAILURE;
    };
    support::init();
    let failures = Arc::new(AtomicUsize::new(0));
    let uri = rest.first().map(String::as_str);
    let sessions: Vec<_> = (0..n).map(|_| session(sink, uri, &failures)).collect();
    let pcm = support::speech().unwrap_or_else(|| Layout::default().sentences(20).0);
    let sound = buffers(&pcm, 10);
    drop(pcm);
    let over = AtomicBool::new(false);
    let line = std::thread::scope(|scope| {
        for part in 0..FEEDERS {
            let (sessions, sound, over) = (&sessions, &sound, &over);
            scope.spawn(move || feed(sessions, part, sound, over));
        }
        std::thread::sleep(WARM_UP);
        let line = measure(sink, &sessions, seconds, &failures);
        over.store(true, Ordering::Relaxed);
        line
    });
    println!("{line}");
    for session in &sessions {
        let _ = session.pipeline.set_state(gst::State::Null);
    }
    ExitCode::SUCCESS
}

fn session(sink: &str, uri: Option<&str>, failures: &Arc<AtomicUsize>) -> Session {
    let is_filter = sink == TRANSCRIBER;
    let sink = match uri {
        Some(uri) => support::element(sink, uri),
        None => gst::ElementFactory::make(sink).build().expect("the sink"),
    };
    let pipeline = gst::Pipeline::new();
    pipeline.add(&sink).expect("a new pipeline");
    let last = match is_filter {
        true => gst::ElementFactory::make("fakesink")
            .build()
            .expect("a core element"),
        false => sink.clone(),
    };
    last.set_property("sync", false);
    last.set_property("async", false);
    if is_filter {
        pipeline.add(&last).expect("a new element");
        sink.link_pads(Some("src"), &last, None).expect("text");
    }
    let failures = failures.clone();
    let bus = pipeline.bus().expect("a bus");
    bus.set_sync_handler(move |_, message| {
        let trouble = [gst::MessageType::Error, gst::MessageType::Warning];
        if trouble.contains(&message.type_()) {
            failures.fetch_add(1, Ordering::Relaxed);
        }
        gst::BusSyncReply::Drop
    });
    let pad = gst::Pad::builder(gst::PadDirection::Src)
        .query_function(move |pad, parent, query| match query.view_mut() {
            // Words leave when they are due, as in a live pipeline.
            gst::QueryViewMut::Latency(latency) if is_filter => {
                latency.set(true, gst::ClockTime::ZERO, None);
                true
            }
            _ => gst::Pad::query_default(pad, parent, query),
        })
        .build();
    pad.link(&sink.static_pad("sink").expect("its pad"))
        .expect("a free pad");
    pad.set_active(true).expect("a new pad");
    pipeline.set_state(gst::State::Playing).expect("to play");
    pad.push_event(gst::event::StreamStart::new("live"));
    pad.push_event(gst::event::Caps::new(&caps()));
    let segment = gst::FormattedSegment::<gst::ClockTime>::new();
    pad.push_event(gst::event::Segment::new(&segment));
    Session {
        pipeline,
        sink,
        last,
        pad,
    }
}

/// Pushes to each [`FEEDERS`]-th session, at real-time pace.
fn feed(sessions: &[Session], part: usize, sound: &[gst::Buffer], over: &AtomicBool) {
    let began = Instant::now();
    for tick in 0.. {
        if over.load(Ordering::Relaxed) {
            return;
        }
        let due = TICK * tick as u32;
        std::thread::sleep(due.saturating_sub(began.elapsed()));
        for (number, session) in sessions.iter().enumerate().skip(part).step_by(FEEDERS) {
            // They begin one after the other, so that their chunks are not complete all at once.
            let Some(age) = (tick as usize).checked_sub(number / 5) else {
                break;
            };
            let mut buffer = sound[(age + number * 13) % sound.len()].copy();
            let writable = buffer.make_mut();
            writable.set_pts(gst::ClockTime::from_mseconds(10) * age as u64);
            let _ = session.pad.push(buffer);
        }
    }
}

/// One line of JSON.
fn measure(sink: &str, sessions: &[Session], seconds: u64, failures: &AtomicUsize) -> String {
    let sampled = sessions.iter().step_by(sessions.len().div_ceil(SAMPLED));
    let sampled = sampled.filter(|_| sink != "fakesink");
    let mut written = Written::new(sampled.map(|session| &session.sink));
    let (cpu, began) = (cpu(), Instant::now());
    let mut threads = 0;
    while began.elapsed() < Duration::from_secs(seconds) {
        std::thread::sleep(SAMPLE);
        written.ask();
        threads = threads.max(status("Threads:"));
    }
    let cores = (support::cpu() - cpu) / began.elapsed().as_secs_f64();
    let (p50, p99, frames) = written.percentiles();
    let rendered = sessions
        .iter()
        .map(|session| support::stat(&session.last, "rendered"));
    let texts = match sink {
        TRANSCRIBER => rendered.sum::<u64>(),
        _ => 0,
    };
    let (n, rss) = (sessions.len(), status("VmRSS:"));
    let errors = failures.load(Ordering::Relaxed);
    let cost = format!(r#""n":{n},"cores":{cores:.4},"rss_kib":{rss},"threads":{threads}"#);
    let times = format!(r#""p50_ms":{p50:.3},"p99_ms":{p99:.3}"#);
    format!(r#"{{{cost},{times},"frames":{frames},"texts":{texts},"errors":{errors}}}"#)
}
