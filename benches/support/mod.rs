//! Shared parts of the benches: a sink, the process's own cost, and sound in buffers.
#![allow(dead_code)]

use gst::prelude::*;

/// Initialises GStreamer, with the plugin linked in.
pub fn init() {
    gst::init().expect("GStreamer");
    gstvolcasr::plugin_register_static().expect("the plugin");
}

/// A sink that the loopback service at `uri` knows.
pub fn sink(uri: &str) -> gst::Element {
    element("volcasrsink", uri)
}

/// The same for one of the plugin's elements.
pub fn element(name: &str, uri: &str) -> gst::Element {
    let sink = gst::ElementFactory::make(name)
        .property("uri", uri)
        .property("app-key", "app-1")
        .property("access-key", "secret-access-key")
        .build()
        .expect("the element");
    if let Ok(compression) = std::env::var("COMPRESSION") {
        sink.set_property_from_str("compression", &compression);
    }
    sink
}

/// `appsrc ! SINK`, the source not bounded.
pub fn fed(sink: &gst::Element, is_live: bool) -> (gst::Pipeline, gst_app::AppSrc) {
    let source = gst_app::AppSrc::builder()
        .caps(&caps())
        .format(gst::Format::Time)
        .is_live(is_live)
        .build();
    let pipeline = gst::Pipeline::new();
    pipeline
        .add_many([source.upcast_ref(), sink])
        .expect("a new pipeline");
    source.link(sink).expect("caps that fit");
    (pipeline, source)
}

/// Returns the caps of the element.
pub fn caps() -> gst::Caps {
    gst::Caps::builder("audio/x-raw")
        .field("format", "S16LE")
        .field("layout", "interleaved")
        .field("rate", 24_000)
        .field("channels", 1)
        .build()
}

/// `pcm` in buffers of `ms` milliseconds, from 0 on.
pub fn buffers(pcm: &[u8], ms: u64) -> Vec<gst::Buffer> {
    let length = ms as usize * 48;
    let at = |n: usize| gst::ClockTime::from_mseconds(n as u64 * ms);
    pcm.chunks(length)
        .enumerate()
        .map(|(n, piece)| {
            let mut buffer = gst::Buffer::from_slice(piece.to_vec());
            let writable = buffer.get_mut().expect("a new buffer");
            writable.set_pts(at(n));
            writable.set_duration(gst::ClockTime::from_mseconds(ms));
            buffer
        })
        .collect()
}

/// One field of the element's `stats`.
pub fn stat(sink: &gst::Element, field: &str) -> u64 {
    sink.property::<gst::Structure>("stats")
        .get(field)
        .unwrap_or(0)
}

/// Seconds of CPU that this process has used, to the nanosecond.
pub fn cpu() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// The human speech in the file that SPEECH names (S16LE, 24 kHz, mono), or none.
pub fn speech() -> Option<Vec<u8>> {
    let path = std::env::var_os("SPEECH")?;
    Some(std::fs::read(path).expect("SPEECH names a file"))
}

/// Latencies of frames up to the kernel: on each call, the latest new one of each element.
pub struct Written<'a> {
    sinks: Vec<(&'a gst::Element, u64)>,
    latencies: Vec<u64>,
}

impl<'a> Written<'a> {
    pub fn new(sinks: impl IntoIterator<Item = &'a gst::Element>) -> Self {
        Self {
            sinks: sinks.into_iter().map(|sink| (sink, 0)).collect(),
            latencies: Vec::new(),
        }
    }

    /// To be called more often than frames are sent.
    pub fn ask(&mut self) {
        for (sink, seen) in &mut self.sinks {
            let stats: gst::Structure = sink.property("stats");
            let frames = stats.get("frames-sent").unwrap_or(0);
            if std::mem::replace(seen, frames) != frames {
                self.latencies.extend(stats.get::<u64>("send-latency-last"));
            }
        }
    }

    /// Milliseconds, the median and what one in a hundred exceeds, and of how many.
    pub fn percentiles(mut self) -> (f64, f64, usize) {
        self.latencies.sort_unstable();
        let ms = |percent| percentile(&self.latencies, percent) as f64 / 1e6;
        (ms(50), ms(99), self.latencies.len())
    }
}

/// A number of /proc/self/status: `VmRSS:` in KiB, `Threads:`.
pub fn status(field: &str) -> u64 {
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

/// The value below which `percent` of `sorted` lie, 0 of none.
pub fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or(0)
}
