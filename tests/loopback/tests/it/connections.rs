//! Connections: refusals, the end of sessions, pings.

use crate::client::*;
use futures_util::SinkExt as _;
use serde_json::json;
use std::time::Duration;
use tokio_tungstenite::tungstenite::{Error, Message};
use volcasr_loopback::{End, Fault, FaultKind, HttpAnswer, Oddity, Trigger, codes};

#[tokio::test]
async fn upgrades_are_refused() {
    let http = FaultKind::Http(HttpAnswer {
        status: 429,
        headers: vec![("Retry-After".into(), "1".into())],
        body: "slow".into(),
    });
    let service = service(|o| {
        o.faults = vec![
            "reset@accept".parse().unwrap(),
            Fault::once(http, Trigger::Handshake),
        ];
        o.oddities = vec![Oddity::ChunkedRefusals];
    });
    let resource = "volc.seedasr.sauc.duration";
    assert!(Client::connect(&service, resource).await.is_err());
    let Err(Error::Http(refused)) = Client::connect(&service, resource).await else {
        panic!("a refusal was expected")
    };
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["Retry-After"], "1");
    let Err(Error::Http(refused)) = Client::connect(&service, "unknown").await else {
        panic!("a refusal was expected")
    };
    assert_eq!(refused.headers()["Transfer-Encoding"], "chunked");
    assert!(service.wait(PATIENCE, |all| all[2].end == Some(End::Refused(400))));
}

#[tokio::test]
async fn sessions_are_counted() {
    let service = service(|o| (o.max_sessions, o.lifetime_sessions) = (Some(1), Some(3)));
    let refused = |kind: &str| {
        let text = format!("quota exceeded for types: {kind}");
        Got::Error(codes::QUOTA, json!({ "error": text }).to_string())
    };
    let mut first = Client::asked(&service, 24_000).await;
    assert!(matches!(first.get().await, Got::Response(_)));
    let mut second = Client::asked(&service, 24_000).await;
    assert_eq!(second.get().await, refused("concurrency"));
    // After an error the service leaves the closing to the client.
    second.ws.close(None).await.unwrap();
    let ended = service.wait(PATIENCE, |all| all[1].end == Some(End::ClientClosed(None)));
    assert!(ended);
    first.stream(&[0; 960], 960).await;
    let mut third = Client::asked(&service, 24_000).await;
    assert!(matches!(third.get().await, Got::Response(_)));
    third.stream(&[0; 960], 960).await;
    let mut fourth = Client::asked(&service, 24_000).await;
    assert_eq!(fourth.get().await, refused("audio_duration_lifetime"));
}

#[tokio::test]
async fn the_service_pings_and_says_why_it_closes() {
    let service = service(|o| o.ping_interval = Duration::from_millis(20));
    let mut client = Client::asked(&service, 24_000).await;
    client.until(|got| *got == Got::Ping).await;
    client
        .ws
        .send(Message::Ping(Vec::new().into()))
        .await
        .unwrap();
    client.until(|got| *got == Got::Pong).await;
    let all = client.stream(&[0; 960], 960).await;
    assert!(matches!(all.last(), Some(Got::Last(_))), "{all:?}");
    let close = client.until(|got| *got != Got::Ping).await.pop();
    assert_eq!(close, Some(Got::Close(1000, "finish last sequence".into())));
    client.until(|got| *got == Got::Lost).await;
    assert!(service.wait(PATIENCE, |all| all[0].end == Some(End::Finished)));
}

#[tokio::test]
async fn answers_may_be_compressed() {
    let service = service(|o| o.oddities = vec![Oddity::Gzip]);
    let ack = Client::asked(&service, 24_000).await.get().await;
    let Got::Odd(bytes) = &ack else {
        panic!("{ack:?}")
    };
    let head = (&bytes[..3], &bytes[8..10]);
    assert_eq!(head, (&[0x11, 0x90, 0x11][..], &[0x1f, 0x8b][..]));
}
