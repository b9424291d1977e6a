//! What the service refuses, and how.

mod client;

use client::*;
use serde_json::{Value, json};
use std::time::Duration;
use tokio_tungstenite::tungstenite::{Error, Message};
use volcasr_loopback::{Endpoint, Oddities, Options, Service, codes};

fn service(change: impl FnOnce(&mut Options)) -> Service {
    let mut options = Options {
        second_error: None,
        ..Options::default()
    };
    change(&mut options);
    Service::start(options).unwrap()
}

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
async fn a_refusal_over_http_has_status_body_and_log_id() {
    let service = service(|o| o.granted_resources.clear());
    let Err(Error::Http(response)) = Client::with(&service, upgrade(&service.uri())).await else {
        panic!()
    };
    assert_eq!(response.status(), 403);
    assert!(response.headers()["X-Tt-Logid"].to_str().unwrap().len() > 8);
    let body = String::from_utf8(response.body().clone().unwrap()).unwrap();
    assert_eq!(
        body,
        r#"{"error":"[resource_id=volc.seedasr.sauc.duration] requested resource not granted"}"#
    );
    assert!(service.wait(PATIENCE, |all| all[0].end
        == Some(volcasr_loopback::End::Refused(403))));
}

#[tokio::test]
async fn errors_come_in_all_their_forms() {
    let mut bodies = Vec::new();
    let service = service(|o| {
        o.oddities.error_bodies = true;
        o.oddities.chunked_refusals = true;
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
    let text = "no request object before data";
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
async fn a_sequence_that_is_not_minus_one_is_refused() {
    for (value, refused) in [("-1", false), ("1", true)] {
        let service = service(|_| {});
        let mut request = upgrade(&service.uri());
        let value = value.parse().unwrap();
        request.headers_mut().insert("X-Api-Sequence", value);
        let mut client = Client::with(&service, request).await.unwrap();
        client.request(&request_json()).await;
        let got = client.get().await;
        assert_eq!(matches!(got, Got::Error(45_000_001, _)), refused, "{got:?}");
    }
}

#[tokio::test]
async fn the_upgrade_echoes_the_connect_id_and_gives_a_log_id() {
    let service = service(|_| {});
    let request = upgrade(&service.uri());
    let id = request.headers()["X-Api-Connect-Id"].clone();
    let client = Client::with(&service, request).await.unwrap();
    assert_eq!(client.response.headers()["X-Api-Connect-Id"], id);
    let connections = service.connections();
    assert_eq!(
        client.response.headers()["X-Tt-Logid"].to_str().unwrap(),
        connections[0].log_id
    );
    assert_eq!(
        connections[0]
            .header("x-api-connect-id")
            .unwrap()
            .as_bytes(),
        id.as_bytes()
    );
}

#[tokio::test]
async fn connect_ids_are_fresh_uuids() {
    let service = service(|_| {});
    let first = upgrade(&service.uri());
    for (request, text) in [
        (first.clone(), None),
        (first, Some("repeated request id")),
        (
            {
                let mut request = upgrade(&service.uri());
                request
                    .headers_mut()
                    .insert("X-Api-Connect-Id", "connection-1".parse().unwrap());
                request
            },
            Some("no UUID"),
        ),
    ] {
        let mut client = Client::with(&service, request).await.unwrap();
        client.request(&request_json()).await;
        match (client.get().await, text) {
            (Got::Response { .. }, None) => {}
            (Got::Error(codes::PARAMETERS, body), Some(text)) => {
                assert!(body.contains(text), "{body}")
            }
            other => panic!("{other:?}"),
        }
    }
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

#[tokio::test]
async fn every_way_to_finish_is_taken() {
    let plain = |flags, sequence, payload: &[u8]| frame(2, flags, 0, sequence, payload);
    for last in [
        plain(3, Some(-3), &[]),
        plain(2, None, &[]),
        plain(3, Some(-3), &[0; 480]),
        plain(2, None, &[0; 480]),
        frame(2, 2, 1, None, &gzip(&[0; 480])),
    ] {
        let service = service(|_| {});
        let (mut client, _) = Client::ready(&service, request_json()).await;
        client.audio(&[0; 960]).await;
        let audio = last.len() > 60 || last[2] & 1 == 1;
        client.raw(last).await;
        let all = client.until(Got::is_last).await;
        let Some(Got::Response {
            flags: 3,
            sequence: Some(1..),
            json,
            gzip: false,
        }) = all.last()
        else {
            panic!("{all:?}")
        };
        assert_eq!(json["audio_info"]["duration"], if audio { 30 } else { 20 });
        assert_eq!(client.get().await, Got::Close(Some(1000)));
        client.until(|_| false).await;
        assert!(service.wait(PATIENCE, |all| all[0].end
            == Some(volcasr_loopback::End::Finished)));
    }
    // A whole session in one packet, unnumbered.
    let service = service(|_| {});
    let mut client = Client::connect(&service).await;
    client
        .raw(frame(1, 0, 0, None, request_json().to_string().as_bytes()))
        .await;
    client.raw(frame(2, 2, 0, None, &[0; 4800])).await;
    assert!(client.until(Got::is_last).await.last().unwrap().is_last());
}

#[tokio::test]
async fn malformed_packets_are_refused() {
    let ok = frame(2, 1, 0, Some(2), &[0; 960]);
    let mut lying = ok.clone();
    lying[11] ^= 4;
    for (packets, code, text) in [
        (
            vec![lying],
            codes::PACKET,
            "decode ws request failed: unable to decode V1 protocol message: payload size",
        ),
        (
            vec![frame(2, 1, 1, Some(2), &[])],
            codes::PACKET,
            "ungzip payload: EOF",
        ),
        (
            vec![frame(2, 1, 1, Some(2), &[0; 960])],
            codes::PACKET,
            "ungzip payload",
        ),
        (
            vec![vec![
                0x11, 0x22, 0x10, 0, 0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 0,
            ]],
            codes::PACKET,
            "payload size 4294967294",
        ),
        (vec![vec![]], codes::PACKET, "too short"),
        (
            vec![frame(2, 1, 0, Some(2), &[0; 3])],
            codes::FORMAT,
            "half a sample",
        ),
        (
            vec![frame(1, 1, 0, Some(2), b"{}")],
            codes::PARAMETERS,
            "repeated",
        ),
        (
            vec![frame(2, 3, 0, Some(-2), &[])],
            codes::EMPTY,
            "empty audio",
        ),
    ] {
        let (got, body) = error_after(&packets).await;
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
    let odd = Oddities {
        refuse_24000: true,
        ..Oddities::default()
    };
    let (code, _) = error_to(
        &request_json(),
        Options {
            oddities: odd,
            ..Options::default()
        },
    )
    .await;
    assert_eq!(code, codes::FORMAT);
}

#[tokio::test]
async fn two_passes_only_on_async() {
    let service = service(|_| {});
    let mut client = Client::with(&service, upgrade(&service.uri_for(Endpoint::Bigmodel)))
        .await
        .unwrap();
    let mut request = request_json();
    request["request"]["enable_nonstream"] = json!(true);
    client.request(&request).await;
    assert_eq!(client.get().await.code(), codes::PARAMETERS);
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
    assert!(body.contains("[Timeout waiting next packet]") && body.contains("session has ended"));
    assert_eq!(service.connections()[0].pings, 1);
}

#[tokio::test]
async fn after_an_error_the_service_lingers_and_errs_again() {
    let service = service(|o| o.second_error = Some(Duration::from_millis(50)));
    let (mut client, _) = Client::ready(&service, request_json()).await;
    client.raw(frame(2, 1, 0, Some(7), &[0; 2])).await;
    assert_eq!(client.get().await.code(), codes::PACKET);
    let Got::Error(codes::PACKET, body) = client.get().await else {
        panic!()
    };
    assert!(body.contains("already over"));
    client.raw(frame(2, 1, 0, Some(3), &[0; 2])).await;
    assert_eq!(client.get().await.code(), codes::PACKET);
    client.ws.close(None).await.unwrap();
    client.until(|_| false).await;
    assert!(service.wait(PATIENCE, |all| all[0].end
        == Some(volcasr_loopback::End::ClientClosed(None))));
}

#[tokio::test]
async fn packets_after_the_final_response_are_refused() {
    let service = service(|o| o.close_after_final = false);
    let (mut client, _) = Client::ready(&service, request_json()).await;
    client.audio(&[0; 960]).await;
    client.responses().await;
    client.audio(&[0; 960]).await;
    assert_eq!(client.get().await.code(), codes::PACKET);
}

#[tokio::test]
async fn text_messages_are_no_packets() {
    use futures_util::SinkExt as _;
    let service = service(|_| {});
    let (mut client, _) = Client::ready(&service, request_json()).await;
    client.ws.send(Message::text("hello")).await.unwrap();
    assert_eq!(client.get().await.code(), codes::PACKET);
}
