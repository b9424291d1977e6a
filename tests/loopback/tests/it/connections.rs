//! Connections: refusals, the end of sessions, pings.

use crate::client::*;
use futures_util::SinkExt as _;
use serde_json::json;
use std::time::Duration;
use tokio_tungstenite::tungstenite::{Error, Message};
use volcasr_loopback::{End, Oddity};

#[tokio::test]
async fn upgrades_are_refused() {
    let service = service(|o| {
        let faults = ["reset@accept", "http:302:/elsewhere@handshake"];
        o.faults = faults.map(|fault| fault.parse().unwrap()).into();
        o.oddities = vec![Oddity::ChunkedRefusals];
    });
    let resource = "volc.seedasr.sauc.duration";
    assert!(Client::connect(&service, resource).await.is_err());
    for (resource, status, header, value) in [
        (resource, 302, "Location", "/elsewhere"),
        ("unknown", 400, "Transfer-Encoding", "chunked"),
    ] {
        let Err(Error::Http(refused)) = Client::connect(&service, resource).await else {
            panic!("a refusal was expected")
        };
        assert_eq!(refused.status(), status);
        assert_eq!(refused.headers()[header], value);
    }
    assert!(service.wait(TIMEOUT, |all| all[2].end == Some(End::Refused(400))));
}

#[tokio::test]
async fn sessions_are_counted() {
    let service = service(|o| (o.max_sessions, o.lifetime_sessions) = (Some(1), Some(3)));
    let refused = |kind: &str| {
        let text = format!("quota exceeded for types: {kind}");
        format!("error 45000292 {}", json!({ "error": text }))
    };
    let mut first = Client::asked(&service, 24_000).await;
    assert!(first.get().await.starts_with("response"));
    let mut second = Client::asked(&service, 24_000).await;
    assert_eq!(second.get().await, refused("concurrency"));
    // After an error the service leaves the closing to the client.
    second.ws.close(None).await.unwrap();
    let ended = service.wait(TIMEOUT, |all| all[1].end == Some(End::ClientClosed(None)));
    assert!(ended);
    first.stream(&[0; 960], 960).await;
    let mut third = Client::asked(&service, 24_000).await;
    assert!(third.get().await.starts_with("response"));
    third.stream(&[0; 960], 960).await;
    let mut fourth = Client::asked(&service, 24_000).await;
    assert_eq!(fourth.get().await, refused("audio_duration_lifetime"));
}

#[tokio::test]
async fn the_service_pings_and_says_why_it_closes() {
    let service = service(|o| o.ping_interval = Duration::from_millis(20));
    let mut client = Client::asked(&service, 24_000).await;
    client.until(&["ping"]).await;
    let ping = Message::Ping(Vec::new().into());
    client.ws.send(ping).await.unwrap();
    client.until(&["pong"]).await;
    client.stream(&[0; 960], 960).await;
    let all = client.until(&["lost"]).await;
    let close: Vec<_> = all.iter().filter(|got| *got != "ping").collect();
    assert_eq!(close, ["close 1000 finish last sequence", "lost"]);
    assert!(service.wait(TIMEOUT, |all| all[0].end == Some(End::Finished)));
}

#[tokio::test]
async fn answers_may_be_compressed() {
    let service = service(|o| o.oddities = vec![Oddity::Gzip]);
    let ack = Client::asked(&service, 24_000).await.get().await;
    assert!(ack.starts_with("binary [11, 90, 11, "), "{ack}");
    assert!(ack[8 + 4 * 8..].starts_with("1f, 8b, "), "{ack}");
}
