//! Refusals of the service.

use crate::client::*;
use serde_json::{Value, json};
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;
use volcasr_loopback::{Options, Quirks, Service, codes};

/// The first error that comes after these packets behind a good request.
async fn error_after(packets: &[Vec<u8>]) -> (u32, String) {
    let service = service(|_| {});
    let (mut client, _) = Client::ready(&service, request_json()).await;
    for packet in packets {
        client.raw(packet.clone()).await;
    }
    match client
        .until(|got| matches!(got, Got::Error(..)))
        .await
        .pop()
    {
        Some(Got::Error(code, body)) => (code, body),
        other => panic!("no error: {other:?}"),
    }
}

async fn error_to(request: &Value, options: Options) -> (u32, String) {
    let service = Service::start(options).unwrap();
    match Client::ready(&service, request.clone()).await.1 {
        Got::Error(code, body) => (code, body),
        other => panic!("no error: {other:?}"),
    }
}

#[tokio::test]
async fn errors_come_in_all_their_forms() {
    let mut bodies = Vec::new();
    let service = service(|o| {
        o.quirks.error_bodies = true;
        o.quirks.chunked_refusals = true;
    });
    for _ in 0..3 {
        let mut client = Client::connect(&service).await;
        client.audio(&[0; 960]).await;
        let Got::Error(code, body) = client.get().await else {
            panic!("an error was expected")
        };
        assert_eq!(code, 45_000_007);
        bodies.push(body);
    }
    bodies.sort();
    let text = "payload unmarshal: no request object before data";
    let forms = [
        text.to_owned(),
        json!({ "error": text }).to_string(),
        json!({ "message": text }).to_string(),
    ];
    let mut sorted = forms.clone();
    sorted.sort();
    assert_eq!(bodies, sorted);

    let mut request = upgrade(&service.uri());
    request.headers_mut().remove("X-Api-Resource-Id");
    assert!(Client::with(&service, request).await.is_err());
    assert!(service.wait(PATIENCE, |all| all[3].http_status == Some(400)));
}

#[tokio::test]
async fn packets_are_counted_numbered_or_not() {
    let service = service(|_| {});
    let (mut client, _) = Client::ready(&service, request_json()).await;
    client.audio(&[0; 960]).await;
    client.raw(frame(2, 0, 0, None, &[0; 960])).await;
    client.next += 1;
    client.audio(&[0; 960]).await;
    client.responses().await;

    let (code, body) = error_after(&[frame(2, 1, 0, Some(3), &[0; 960])]).await;
    assert_eq!(code, codes::PACKET);
    assert!(
        body.contains("autoAssignedSequence (2) mismatch sequence in request (3)"),
        "{body}"
    );
    let (code, body) = error_after(&[
        frame(2, 1, 0, Some(2), &[0; 960]),
        frame(2, 3, 0, Some(3), &[]),
    ])
    .await;
    assert_eq!(code, codes::PACKET);
    assert!(
        body.contains("autoAssignedSequence (-3) mismatch sequence in request (3)"),
        "{body}"
    );
}

/// The layout's mistakes are a table of `frame`.
#[tokio::test]
async fn malformed_packets_are_refused() {
    let mut lying = frame(2, 1, 0, Some(2), &[0; 960]);
    lying[11] ^= 4;
    for (packet, code, text) in [
        (lying, codes::PACKET, "expected=964 actual=960"),
        (
            frame(1, 1, 0, Some(2), b"{}"),
            codes::PARAMETERS,
            "repeated",
        ),
        (frame(2, 3, 0, Some(-2), &[]), codes::EMPTY, "empty audio"),
    ] {
        let (got, body) = error_after(&[packet]).await;
        assert!(
            got == code && body.contains(text),
            "{got} {body} instead of {code} {text}"
        );
    }
}

#[tokio::test]
async fn the_request_comes_first_and_is_typed() {
    let service = service(|_| {});
    let mut client = Client::connect(&service).await;
    client.raw(frame(2, 1, 0, Some(1), &[0; 960])).await;
    let Got::Error(codes::NO_REQUEST, body) = client.get().await else {
        panic!()
    };
    assert!(body.contains("no request object before data"));

    let mut request = request_json();
    request["audio"]["rate"] = json!("24000");
    let (code, body) = error_to(&request, Options::default()).await;
    assert!(
        code == codes::INTERNAL && body.contains("audio.rate"),
        "{code} {body}"
    );
    let quirks = Quirks {
        refuse_24000: true,
        ..Quirks::default()
    };
    let (code, _) = error_to(
        &request_json(),
        Options {
            quirks,
            ..Options::default()
        },
    )
    .await;
    assert_eq!(code, codes::FORMAT);
}

#[tokio::test]
async fn sessions_are_counted() {
    let service = service(|o| (o.max_sessions, o.lifetime_sessions) = (Some(1), Some(3)));
    let (mut first, _) = Client::ready(&service, request_json()).await;
    let Got::Error(codes::QUOTA, body) = Client::ready(&service, request_json()).await.1 else {
        panic!()
    };
    assert!(
        body.contains("quota exceeded for types: concurrency"),
        "{body}"
    );
    first.audio(&[0; 960]).await;
    first.responses().await;
    assert!(service.wait(PATIENCE, |all| all[0].final_at.is_some()
        && all[1].end.is_some()));
    let (mut third, ack) = Client::ready(&service, request_json()).await;
    assert!(matches!(ack, Got::Response { .. }), "{ack:?}");
    third.audio(&[0; 960]).await;
    third.responses().await;
    let Got::Error(codes::QUOTA, body) = Client::ready(&service, request_json()).await.1 else {
        panic!()
    };
    assert!(body.contains("_lifetime"), "{body}");
}

#[tokio::test]
async fn silence_on_the_wire_ends_the_session_and_pings_do_not_help() {
    let service = service(|o| o.idle_timeout = Duration::from_millis(200));
    let (mut client, _) = Client::ready(&service, request_json()).await;
    client.audio(&[0; 960]).await;
    use futures_util::SinkExt as _;
    client
        .ws
        .send(Message::Ping(Vec::new().into()))
        .await
        .unwrap();
    let all = client.until(|got| matches!(got, Got::Error(..))).await;
    let Some(Got::Error(codes::TIMEOUT, body)) = all.last() else {
        panic!("{all:?}")
    };
    let text = "[Timeout waiting next packet] waiting next packet timeout: 0.200000 seconds, \
                session has ended";
    assert_eq!(*body, json!({ "error": text }).to_string());
    assert_eq!(service.connections()[0].pings, 1);
}

/// As recorded: the service does not close, and only a misnumbered packet draws another error.
#[tokio::test]
async fn after_an_error_only_a_misnumbered_packet_is_answered() {
    let service = service(|o| o.lifetime_sessions = Some(0));
    let (mut client, first) = Client::ready(&service, request_json()).await;
    assert_eq!(first.code(), codes::QUOTA);
    for _ in 0..10 {
        client.audio(&[0; 960]).await;
    }
    client.raw(frame(2, 1, 0, Some(7), &[0; 2])).await;
    let Got::Error(codes::PACKET, body) = client.get().await else {
        panic!("an error was expected")
    };
    assert!(body.contains("autoAssignedSequence (12)"), "{body}");
    client.ws.close(None).await.unwrap();
    assert_eq!(
        client.until(|_| false).await.len(),
        1,
        "nothing but the close"
    );
    assert!(service.wait(PATIENCE, |all| all[0].end
        == Some(volcasr_loopback::End::ClientClosed(None))));
}

#[tokio::test]
async fn the_service_pings_and_says_why_it_closes() {
    use futures_util::StreamExt as _;
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
async fn text_messages_are_no_packets() {
    use futures_util::SinkExt as _;
    let service = service(|_| {});
    let (mut client, _) = Client::ready(&service, request_json()).await;
    client.ws.send(Message::text("hello")).await.unwrap();
    assert_eq!(client.get().await.code(), codes::PACKET);
}
