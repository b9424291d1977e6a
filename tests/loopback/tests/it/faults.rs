//! Faults and gates: which come when, and how a connection ends.

use crate::client::*;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Error;
use volcasr_loopback::{End, Fault, FaultKind, Gate, HttpAnswer, Service, Trigger};

/// A service with these faults, without oddities and jitter.
fn faulty(faults: &[&str]) -> Service {
    exact_service(|o| o.faults = faults.iter().map(|fault| fault.parse().unwrap()).collect())
}

/// A session of 300 ms of audio; returns all that comes until its end.
async fn session(service: &Service) -> Vec<Got> {
    let (mut client, ack) = Client::ready(service, request_json()).await;
    client.stream(&[0; 48 * 300], 50).await;
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
        ("error:1:late@finish", 1, error(1, "late")),
        ("bytes:0102@300ms", 1, Got::Odd(vec![1, 2])),
        ("text:hello@300ms", 1, Got::Text("hello".to_owned())),
        ("ping:3@300ms", 3, Got::Ping),
        ("raw:ffffffff@300ms", 1, Got::Lost),
    ] {
        let service = faulty(&[fault]);
        let all = session(&service).await;
        let found = all.iter().filter(|got| **got == expected).count();
        assert_eq!(found, count, "{fault}: {all:?}");
        assert_eq!(service.connections()[0].faults.len(), 1, "{fault}");
        if all.contains(&Got::Lost) && !fault.starts_with("raw") {
            let ended = service.wait(PATIENCE, |all| all[0].end == Some(End::Fault));
            assert!(ended, "{fault}");
        }
    }

    let service = faulty(&["reset@accept"]);
    let refused = Client::with(&service, upgrade(&service.uri())).await;
    assert!(refused.is_err());
    let http = FaultKind::Http(HttpAnswer {
        status: 429,
        headers: vec![("Retry-After".into(), "1".into())],
        body: "slow".into(),
    });
    let service = exact_service(|o| o.faults = vec![Fault::once(http, Trigger::Handshake)]);
    let refused = Client::with(&service, upgrade(&service.uri())).await;
    let Err(Error::Http(refused)) = refused else {
        panic!("a refusal was expected")
    };
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["Retry-After"], "1");
}

#[tokio::test]
async fn a_service_that_hangs_blocks_writes_and_goes_with_the_client() {
    let service = exact_service(|o| {
        o.faults = vec![
            "hang@100ms#1".parse().unwrap(),
            "hang@10ms#2".parse().unwrap(),
        ];
        o.receive_buffer = Some(8 * 1024);
        o.max_sessions = Some(1);
    });
    let (mut client, _) = Client::ready(&service, request_json()).await;
    let pour = tokio::time::timeout(Duration::from_millis(300), async {
        loop {
            client.audio(&[0; 96_000]).await;
        }
    });
    assert!(pour.await.is_err());

    // It is no session for the quota.
    let (mut client, ack) = Client::ready(&service, request_json()).await;
    assert!(matches!(ack, Got::Response { .. }), "{ack:?}");
    client.audio(&[0; 960]).await;
    drop(client);
    assert!(service.wait(PATIENCE, |all| all[1].end == Some(End::Fault)));
}

#[tokio::test]
async fn a_final_response_may_never_come_or_trickle() {
    let service = faulty(&["no-final@finish#1", "trickle:1ms@ack#2"]);
    let (mut client, _) = Client::ready(&service, request_json()).await;
    client.audio(&[0; 960]).await;
    client.finish().await;
    assert!(service.wait(PATIENCE, |all| all[0].finish_at.is_some()));
    assert!(service.inject(FaultKind::Bytes(vec![9])));
    assert_eq!(client.get().await, Got::Odd(vec![9]), "nothing before it");
    let (mut client, _) = Client::ready(&service, request_json()).await;
    client.audio(&[0; 960]).await;
    client.responses().await;
    let connection = service.connections().remove(1);
    let time = connection.final_at.unwrap() - connection.accepted_at.unwrap();
    assert!(time > Duration::from_millis(100), "{time:?}");
}

#[tokio::test]
async fn gates_hold_and_release() {
    let service = exact_service(|_| {});
    service.hold(Gate::Ack);
    service.hold(Gate::Final);
    let mut client = Client::connect(&service).await;
    client.request(&request_json()).await;
    client.audio(&[0; 960]).await;
    client.finish().await;
    assert!(service.wait(PATIENCE, |all| all[0].finish_at.is_some()));
    assert!(service.connections()[0].responses.is_empty());
    service.release(Gate::Ack);
    assert!(service.wait(PATIENCE, |all| all[0].responses.len() == 1));
    service.release(Gate::Final);
    assert_eq!(
        client.until(|_| false).await.last(),
        Some(&Got::Close(Some(1000)))
    );
    client.until(|_| false).await;
    assert!(service.wait(PATIENCE, |all| all[0].end == Some(End::Finished)));

    service.hold(Gate::Reading);
    let mut client = Client::connect(&service).await;
    client.request(&request_json()).await;
    client.audio(&[0; 960]).await;
    assert!(!service.wait(Duration::from_millis(50), |all| all[1].packets > 0));
    service.release(Gate::Reading);
    assert!(service.wait(PATIENCE, |all| all[1].packets == 2));
    assert!(service.inject(FaultKind::Reset));
    assert!(service.wait(PATIENCE, |all| all[1].end == Some(End::Fault)));
}
