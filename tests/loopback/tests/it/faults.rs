//! Faults: which come when, and how a connection ends.
//!
//! Gates, a hanging service and final responses that never come are seen by the plugin's tests, all
//! of which wait for them: `queue`, `states`, `slow_peers`, `unreachable`, `finish`.

use crate::client::*;
use std::time::{Duration, Instant};
use volcasr_loopback::{End, Service};

/// A session of 300 ms of audio; returns all that comes until its end.
async fn session(service: &Service) -> Vec<String> {
    let mut client = Client::asked(service, 24_000).await;
    client.stream(&[0; 48 * 300], 2400).await
}

#[tokio::test]
async fn faults_come_at_their_moments() {
    for (fault, count, expected) in [
        ("reset@300ms", 1, "lost"),
        ("drop@300ms", 1, "lost"),
        ("close:1011@300ms", 1, "close 1011 "),
        ("close:1001@wall:0s", 1, "close 1001 "),
        ("error:55000031:busy@ack", 1, "error 55000031 busy"),
        ("error:1:a: b@finish", 1, "error 1 a: b"),
        ("bytes:0102@300ms", 1, "binary [01, 02]"),
        ("text:hello@300ms#1", 1, "text hello"),
        ("ping:3@300ms*", 3, "ping"),
        ("raw:ffffffff@300ms", 1, "lost"),
    ] {
        let service = service(|o| o.faults = vec![fault.parse().unwrap()]);
        let all = session(&service).await;
        let found = all.iter().filter(|got| **got == expected).count();
        assert_eq!(found, count, "{fault}: {all:?}");
        assert_eq!(service.connections()[0].faults.len(), 1, "{fault}");
        if expected == "lost" && !fault.starts_with("raw") {
            let ended = service.wait(TIMEOUT, |all| all[0].end == Some(End::Fault));
            assert!(ended, "{fault}");
        }
        let comes_again = session(&service).await.iter().any(|got| got == expected);
        assert_eq!(comes_again, fault.ends_with('*'), "{fault}");
    }

    let service = service(|o| o.faults = vec!["trickle:1ms:150@ack".parse().unwrap()]);
    let began = Instant::now();
    session(&service).await;
    assert!(began.elapsed() > Duration::from_millis(150));
}
