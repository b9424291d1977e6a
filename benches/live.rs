//! N live sessions in one process, measured from inside: `live SINK N SECONDS [URI]` prints one line of
//! JSON. SINK is `volcasrsink`, or `fakesink` for what the pipelines cost without it.
//!
//! Each pipeline is `audiotestsrc is-live=true ! SINK` with buffers of 10 ms, so GStreamer's own share is
//! a thread and a clock wait for each buffer. The service runs elsewhere.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use gst::prelude::*;

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
    gst::init().expect("GStreamer");
    gstvolcasr::plugin_register_static().expect("the plugin");
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
                let stats = sink.property::<gst::Structure>("stats");
                let frames = stats.get::<u64>("frames-sent").unwrap_or(0);
                if std::mem::replace(seen, frames) != frames {
                    latencies.push(stats.get::<u64>("send-latency-last").unwrap_or(0));
                }
            }
        }
    }
    let wall = began.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let percentile = |p: usize| {
        latencies
            .get(latencies.len() * p / 100)
            .copied()
            .unwrap_or(0) as f64
            / 1e6
    };
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
        (self::cpu() - cpu) / wall,
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
    let caps = gst::Caps::builder("audio/x-raw")
        .field("format", "S16LE")
        .field("rate", 24_000)
        .field("channels", 1)
        .build();
    let sink = gst::ElementFactory::make(sink).build().expect("the sink");
    if let Some(uri) = uri {
        sink.set_property("uri", uri);
        sink.set_property("app-key", "app-1");
        sink.set_property("access-key", "secret-access-key");
        if let Ok(compression) = std::env::var("COMPRESSION") {
            sink.set_property_from_str("compression", &compression);
        }
    }
    sink.set_property("sync", true);
    let pipeline = gst::Pipeline::new();
    pipeline.add_many([&source, &sink]).expect("a new pipeline");
    source.link_filtered(&sink, &caps).expect("caps that fit");
    (pipeline, sink)
}

/// Seconds of CPU that this process has used.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("/proc");
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or("")
        .split_whitespace()
        .collect();
    // utime and stime, in ticks of 10 ms.
    fields[11..13]
        .iter()
        .map(|ticks| ticks.parse::<f64>().unwrap_or(0.0))
        .sum::<f64>()
        / 100.0
}

fn status(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .unwrap_or("0");
    line.split_whitespace()
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}
