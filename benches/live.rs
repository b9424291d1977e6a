//! N live sessions in one process, measured from inside: `live SINK N SECONDS [URI]` prints one line of
//! JSON. SINK is `volcasrsink`, or `fakesink` for what the pipelines cost without it.
//!
//! Each pipeline is `audiotestsrc is-live=true ! SINK` with buffers of 10 ms, so GStreamer's own share is
//! a thread and a clock wait for each buffer. The service runs elsewhere.

mod support;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use gst::prelude::*;
use support::{caps, cpu, percentile, stat, status};

/// How often latencies are sampled.
const SAMPLE: Duration = Duration::from_millis(100);

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
    let pipelines: Vec<_> = (0..n)
        .map(|_| pipeline(sink, rest.first().map(String::as_str)))
        .collect();
    for (pipeline, _) in &pipelines {
        pipeline.set_state(gst::State::Playing).expect("to play");
        // Sessions begin at different moments in life, too.
        std::thread::sleep(Duration::from_millis(2));
    }
    std::thread::sleep(Duration::from_secs(3));
    let (cpu, began) = (cpu(), Instant::now());
    let mut latencies = Vec::new();
    let mut seen = vec![0; n];
    while began.elapsed() < Duration::from_secs(seconds) {
        std::thread::sleep(SAMPLE);
        if sink == "volcasrsink" {
            for ((_, sink), seen) in pipelines.iter().zip(&mut seen) {
                let frames = stat(sink, "frames-sent");
                if std::mem::replace(seen, frames) != frames {
                    latencies.push(stat(sink, "send-latency-last"));
                }
            }
        }
    }
    let wall = began.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let percentile = |p| percentile(&latencies, p) as f64 / 1e6;
    let errors: usize = pipelines
        .iter()
        .filter(|(pipeline, _)| {
            let bus = pipeline.bus().expect("a bus");
            std::iter::from_fn(|| bus.pop())
                .any(|message| message.type_() == gst::MessageType::Error)
        })
        .count();
    println!(
        "{{\"n\":{n},\"cores\":{:.4},\"rss_kib\":{},\"threads\":{},\"p50_ms\":{:.3},\"p99_ms\":{:.3},\"samples\":{},\"errors\":{errors}}}",
        (support::cpu() - cpu) / wall,
        status("VmRSS:"),
        status("Threads:"),
        percentile(50),
        percentile(99),
        latencies.len(),
    );
    for (pipeline, _) in &pipelines {
        let _ = pipeline.set_state(gst::State::Null);
    }
    ExitCode::SUCCESS
}

fn pipeline(sink: &str, uri: Option<&str>) -> (gst::Pipeline, gst::Element) {
    let source = gst::ElementFactory::make("audiotestsrc")
        .property("is-live", true)
        .property("samplesperbuffer", 240)
        .property_from_str("wave", "white-noise")
        .build()
        .expect("audiotestsrc");
    let sink = match uri {
        Some(uri) => support::sink(uri),
        None => gst::ElementFactory::make(sink).build().expect("the sink"),
    };
    sink.set_property("sync", true);
    let pipeline = gst::Pipeline::new();
    pipeline.add_many([&source, &sink]).expect("a new pipeline");
    source.link_filtered(&sink, &caps()).expect("caps that fit");
    (pipeline, sink)
}
