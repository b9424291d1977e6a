//! Faults: which come when, and how a connection ends.
//!
//! Gates, a hanging service and final responses that never come are seen by the plugin's tests, all
//! of which wait for them: `queue`, `states`, `slow_peers`, `unreachable`, `finish`.

use crate::client::*;
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Error;
use volcasr_loopback::{End, Fault, FaultKind, HttpAnswer, Service, Trigger};

/// A service with this fault, without oddities and jitter.
fn faulty(fault: Fault) -> Service {
    exact_service(|o| o.faults = vec![fault])
}

/// A session of 300 ms of audio; returns all that comes until its end.
async fn session(service: &Service) -> Vec<Got> {
    let (mut client, ack) = Client::ready(service, request_json()).await;
    client.stream(&[0; 48 * 300], 2400).await;
    client.finish().await;
    let mut all = vec![ack];
    while !all
        .iter()
        .any(|got| got.is_last() || matches!(got, Got::Error(..) | Got::Lost))
    {
        all.push(client.get().await);
    }
    all
}

#[tokio::test]
async fn faults_come_at_their_moments() {
    let error = |code, body: &str| Got::Error(code, body.to_owned());
    for (fault, count, expected) in [
        ("reset@300ms", 1, Got::Lost),
        ("drop@300ms", 1, Got::Lost),
        ("close:1011@300ms", 1, Got::Close(Some(1011))),
        ("close:1001@wall:0s", 1, Got::Close(Some(1001))),
        ("error:55000031:busy@ack", 1, error(55_000_031, "busy")),
        ("error:1:a: b@finish", 1, error(1, "a: b")),
        ("bytes:0102@300ms", 1, Got::Odd(vec![1, 2])),
        ("text:hello@300ms#1", 1, Got::Text("hello".to_owned())),
        ("ping:3@300ms*", 3, Got::Ping),
        ("raw:ffffffff@300ms", 1, Got::Lost),
    ] {
        let service = faulty(fault.parse().unwrap());
        let all = session(&service).await;
        let found = all.iter().filter(|got| **got == expected).count();
        assert_eq!(found, count, "{fault}: {all:?}");
        assert_eq!(service.connections()[0].faults.len(), 1, "{fault}");
        if all.contains(&Got::Lost) && !fault.starts_with("raw") {
            let ended = service.wait(PATIENCE, |all| all[0].end == Some(End::Fault));
            assert!(ended, "{fault}");
        }
        let again = session(&service).await;
        assert_eq!(again.contains(&expected), fault.ends_with('*'), "{fault}");
    }

    let service = faulty("trickle:1ms:150@ack".parse().unwrap());
    let began = Instant::now();
    session(&service).await;
    assert!(began.elapsed() > Duration::from_millis(150));
}

#[tokio::test]
async fn refusals_of_the_upgrade() {
    let service = faulty("reset@accept".parse().unwrap());
    let refused = Client::with(&service, upgrade(&service.uri())).await;
    assert!(refused.is_err());
    let http = FaultKind::Http(HttpAnswer {
        status: 429,
        headers: vec![("Retry-After".into(), "1".into())],
        body: "slow".into(),
    });
    let service = faulty(Fault::once(http, Trigger::Handshake));
    let refused = Client::with(&service, upgrade(&service.uri())).await;
    let Err(Error::Http(refused)) = refused else {
        panic!("a refusal was expected")
    };
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["Retry-After"], "1");
}
