//! What many sessions cost. Not part of the ordinary run: `cargo test --release --test load -- --ignored --nocapture`.

mod client;

use client::*;
use std::{fs, time::Duration};
use volcasr_loopback::{Options, Service, marks::Layout};

const SESSIONS: usize = 1000;
const SECONDS: u64 = 10;

/// CPU seconds of the service's threads.
fn service_cpu() -> f64 {
    let mut ticks = 0.0;
    for task in fs::read_dir("/proc/self/task").unwrap().flatten() {
        let stat = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        if stat.contains("(loopback") {
            let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
            ticks += fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
        }
    }
    ticks / 100.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "takes a while, and measures rather than asserts"]
async fn a_thousand_live_sessions() {
    let options = Options {
        record_audio: false,
        record_frames: false,
        ..Options::default()
    };
    let service = Service::start(options).unwrap();
    let pcm = Layout {
        noise: true,
        ..Layout::default()
    }
    .pcm(SECONDS * 1000);
    let payloads: std::sync::Arc<Vec<Vec<u8>>> =
        std::sync::Arc::new(pcm.chunks(9600).map(gzip).collect());
    let mut sessions = Vec::new();
    for n in 0..SESSIONS {
        let (mut client, _) = Client::ready(&service, request_json()).await;
        let payloads = payloads.clone();
        sessions.push(tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(n as u64 % 200)).await;
            let mut pace = tokio::time::interval(Duration::from_millis(200));
            for (n, payload) in payloads.iter().enumerate() {
                pace.tick().await;
                client
                    .raw(frame(2, 1, 1, Some(n as i32 + 2), payload))
                    .await;
            }
            client.next = payloads.len() as i32 + 2;
            client.responses().await.len()
        }));
    }
    let before = service_cpu();
    let mut answers = 0;
    for session in sessions {
        answers += session.await.unwrap();
    }
    let cpu = service_cpu() - before;
    println!(
        "{SESSIONS} sessions of {SECONDS} s: {cpu:.1} s of CPU, {:.3} ms for each second of audio, {answers} answers",
        cpu * 1000.0 / (SESSIONS as f64 * SECONDS as f64)
    );
}
