//! One session of hours, sped up, measured from inside: `long URI single|full HOURS` prints one
//! line of JSON, with a point for each ten minutes of audio: seconds of CPU until then, and the
//! memory, without the audio that it holds itself.
//!
//! The audio is ten minutes of marks over and over, so that feeding costs next to nothing. The
//! service runs elsewhere, with `--recogniser marks --answer-every 60s` (a response in `full`
//! repeats everything) or `1s`.

mod support;

use std::fmt::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gst::prelude::*;
use support::{buffers, cpu, fed, sink, stat, status};
use volcasr_loopback::marks::Layout;

/// Of audio, between two points.
const STEP: gst::ClockTime = gst::ClockTime::from_seconds(600);

#[expect(
    clippy::too_many_lines,
    reason = "a measurement from its start to its end"
)]
fn main() -> ExitCode {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let [uri, result_type, hours] = args.as_slice() else {
        // `cargo bench` without arguments runs every target.
        eprintln!("long URI single|full HOURS: run by scripts/bench.py");
        return ExitCode::SUCCESS;
    };
    let Ok(hours) = hours.parse::<u64>() else {
        eprintln!("HOURS is a number");
        return ExitCode::FAILURE;
    };
    support::init();
    let sink = sink(uri);
    sink.set_property_from_str("result-type", result_type);
    sink.set_property_from_str("leaky", "no");
    sink.set_property("sync", false);
    sink.set_property("max-speed", 1000.0);
    sink.set_property("max-session-time", 0u32);
    sink.set_property("replay-time", 300_000u32);
    // How much waits, here and to be answered, is chance at such a speed, and not what is looked
    // for.
    sink.set_property("max-queue-time", 2000u32);
    let (pipeline, source) = fed(&sink, false);
    source.set_max_bytes(1 << 20);
    source.set_block(true);
    let (finals, errors) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let bus = pipeline.bus().expect("a bus");
    let counted = (finals.clone(), errors.clone());
    bus.set_sync_handler(move |_, message| {
        let is_final = |s: &gst::StructureRef| s.get("final").unwrap_or(false);
        if message.structure().is_some_and(is_final) {
            counted.0.fetch_add(1, Ordering::Relaxed);
        }
        match message.type_() {
            gst::MessageType::Error | gst::MessageType::Warning => {
                counted.1.fetch_add(1, Ordering::Relaxed);
                gst::BusSyncReply::Drop
            }
            gst::MessageType::Eos => gst::BusSyncReply::Pass,
            _ => gst::BusSyncReply::Drop,
        }
    });
    pipeline.set_state(gst::State::Playing).expect("to play");

    let pcm = Layout::default().pcm(600_000);
    let own = pcm.len() / 1024;
    let piece = buffers(&pcm, 100);
    drop(pcm);
    let mut points = String::new();
    for round in 0..hours * 6 {
        for buffer in &piece {
            let mut buffer = buffer.copy();
            let writable = buffer.make_mut();
            let pts = writable.pts().unwrap_or_default() + STEP * round;
            writable.set_pts(pts);
            source.push_buffer(buffer).expect("it is taken");
        }
        let pushed = (STEP * (round + 1)).nseconds();
        while stat(&sink, "audio-sent") + 1_000_000_000 < pushed {
            std::thread::sleep(Duration::from_millis(2));
        }
        let comma = if points.is_empty() { "" } else { "," };
        let _ = write!(
            points,
            "{comma}[{:.4},{}]",
            cpu(),
            status("VmRSS:") as usize - own
        );
    }
    source.end_of_stream().expect("it is taken");
    let limit = gst::ClockTime::from_seconds(60);
    let ended = bus.timed_pop_filtered(limit, &[gst::MessageType::Eos]);
    println!(
        r#"{{"finals":{},"failures":{},"ended":{},"points":[{points}]}}"#,
        finals.load(Ordering::Relaxed),
        errors.load(Ordering::Relaxed),
        ended.is_some()
    );
    pipeline.set_state(gst::State::Null).expect("NULL");
    ExitCode::SUCCESS
}
