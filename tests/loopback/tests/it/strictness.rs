//! Refusals of the service.

use crate::client::*;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;
use volcasr_loopback::{End, Oddity, codes};

/// The first error that comes after these packets behind a good request.
async fn error_after(packets: &[Vec<u8>]) -> (u32, String) {
    let service = service(|_| {});
    let (mut client, _) = Client::ready(&service, request_json()).await;
    for packet in packets {
        client.raw(packet.clone()).await;
    }
    let mut all = client.until(|got| matches!(got, Got::Error(..))).await;
    all.pop().unwrap().error()
}

#[tokio::test]
async fn errors_come_in_all_their_forms() {
    let service = service(|o| {
        o.oddities = vec![Oddity::ErrorBodies, Oddity::ChunkedRefusals];
    });
    let mut bodies = Vec::new();
    for _ in 0..3 {
        let mut client = Client::connect(&service).await;
        client.audio(&[0; 960]).await;
        let (code, body) = client.get().await.error();
        assert_eq!(code, codes::NO_REQUEST);
        bodies.push(body);
    }
    bodies.sort();
    let text = "payload unmarshal: no request object before data";
    let mut forms = [
        text.to_owned(),
        json!({ "error": text }).to_string(),
        json!({ "message": text }).to_string(),
    ];
    forms.sort();
    assert_eq!(bodies, forms);

    let mut request = upgrade(&service.uri());
    request.headers_mut().remove("X-Api-Resource-Id");
    assert!(Client::with(&service, request).await.is_err());
    assert!(service.wait(PATIENCE, |all| all[3].end == Some(End::Refused(400))));
}

/// Mistakes in the layout are a table of `frame`, those in the request one of `request`.
#[tokio::test]
async fn wrong_packets_are_refused() {
    let audio = |number| frame(2, 1, 0, Some(number), &[0; 960]);
    let last = |number| frame(2, 3, 0, Some(number), &[]);
    let again = || frame(1, 1, 0, Some(2), b"{}");
    let mut lying = audio(2);
    lying[11] ^= 4;
    let mismatch = "autoAssignedSequence (2) mismatch sequence in request (3)";
    let not_negative = "autoAssignedSequence (-3) mismatch sequence in request (3)";
    for (packets, code, text) in [
        (vec![audio(3)], codes::PACKET, mismatch),
        (vec![audio(2), last(3)], codes::PACKET, not_negative),
        (vec![lying], codes::PACKET, "expected=964 actual=960"),
        (vec![again()], codes::PARAMETERS, "repeated"),
        (vec![last(-2)], codes::EMPTY, "empty audio"),
    ] {
        let (got, body) = error_after(&packets).await;
        assert_eq!((got, body.contains(text)), (code, true), "{text}: {body}");
    }
}

#[tokio::test]
async fn sessions_are_counted() {
    let service = service(|o| (o.max_sessions, o.lifetime_sessions) = (Some(1), Some(3)));
    let (mut first, _) = Client::ready(&service, request_json()).await;
    let (code, body) = Client::ready(&service, request_json()).await.1.error();
    assert_eq!(code, codes::QUOTA);
    assert!(body.contains("exceeded for types: concurrency"), "{body}");
    first.audio(&[0; 960]).await;
    first.responses().await;
    assert!(service.wait(PATIENCE, |all| all[0].final_at.is_some()
        && all[1].end.is_some()));
    let (mut third, ack) = Client::ready(&service, request_json()).await;
    assert!(matches!(ack, Got::Response { .. }), "{ack:?}");
    third.audio(&[0; 960]).await;
    third.responses().await;
    let (code, body) = Client::ready(&service, request_json()).await.1.error();
    assert_eq!(code, codes::QUOTA);
    assert!(body.contains("_lifetime"), "{body}");
}

#[tokio::test]
async fn silence_on_the_wire_ends_the_session_and_pings_do_not_help() {
    let service = service(|o| o.idle_timeout = Duration::from_millis(200));
    let (mut client, _) = Client::ready(&service, request_json()).await;
    client.audio(&[0; 960]).await;
    let ping = Message::Ping(Vec::new().into());
    client.ws.send(ping).await.unwrap();
    let mut all = client.until(|got| matches!(got, Got::Error(..))).await;
    let text = "[Timeout waiting next packet] waiting next packet timeout: 0.200000 seconds, \
                session has ended";
    let expected = (codes::TIMEOUT, json!({ "error": text }).to_string());
    assert_eq!(all.pop().unwrap().error(), expected);
    assert!(all.contains(&Got::Ping), "no pong: {all:?}");
}

/// As recorded: the service does not close, and only a misnumbered packet draws another error.
#[tokio::test]
async fn after_an_error_only_a_misnumbered_packet_is_answered() {
    let service = service(|o| o.lifetime_sessions = Some(0));
    let (mut client, first) = Client::ready(&service, request_json()).await;
    assert_eq!(first.error().0, codes::QUOTA);
    for _ in 0..10 {
        client.audio(&[0; 960]).await;
    }
    client.raw(frame(2, 1, 0, Some(7), &[0; 2])).await;
    let (code, body) = client.get().await.error();
    assert_eq!(code, codes::PACKET);
    assert!(body.contains("autoAssignedSequence (12)"), "{body}");
    client.ws.close(None).await.unwrap();
    assert_eq!(
        client.until(|_| false).await.len(),
        1,
        "nothing but the close"
    );
    assert!(service.wait(PATIENCE, |all| all[0].end == Some(End::ClientClosed(None))));
}

#[tokio::test]
async fn the_service_pings_and_says_why_it_closes() {
    let service = service(|o| o.ping_interval = Duration::from_millis(20));
    let (mut client, _) = Client::ready(&service, request_json()).await;
    client.audio(&[0; 960]).await;
    client.until(|got| *got == Got::Ping).await;
    client.responses().await;
    let close = loop {
        match client.ws.next().await {
            Some(Ok(Message::Close(Some(close)))) => break close,
            Some(Ok(_)) => {}
            other => panic!("a close was expected, not {other:?}"),
        }
    };
    assert_eq!(u16::from(close.code), 1000);
    assert_eq!(close.reason.as_str(), "finish last sequence");
}

#[tokio::test]
async fn a_service_for_16_khz_refuses_24_khz() {
    let service = service(|o| o.oddities = vec![Oddity::Refuse24000]);
    let (code, _) = Client::ready(&service, request_json()).await.1.error();
    assert_eq!(code, codes::FORMAT);
}

#[tokio::test]
async fn text_messages_are_no_packets() {
    let service = service(|_| {});
    let (mut client, _) = Client::ready(&service, request_json()).await;
    client.ws.send(Message::text("hello")).await.unwrap();
    assert_eq!(client.get().await.error().0, codes::PACKET);
}
