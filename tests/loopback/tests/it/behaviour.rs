//! Answers of the service, and their oddities.

use crate::client::*;
use serde_json::{Value, json};
use std::time::Duration;
use volcasr_loopback::{Endpoint, Oddity, Service, marks::Layout};

async fn session(service: &Service, request: Value, pcm: &[u8], ms: usize) -> Vec<Value> {
    let (mut client, ack) = Client::ready(service, request).await;
    assert!(matches!(ack, Got::Response { .. }), "{ack:?}");
    client.stream(pcm, ms).await;
    client.responses().await
}

#[tokio::test]
async fn answers_lag_behind_the_audio() {
    for wall_lag in [false, true] {
        let service = exact_service(|o| o.wall_lag = wall_lag);
        let (mut client, _) = Client::ready(&service, request_json()).await;
        client.stream(&Layout::default().pcm(1000), 100).await;
        let first = client.get().await;
        let text = first.json()["result"]["text"].as_str().unwrap();
        assert!(text.starts_with("m0"), "{text}");
        let connection = service.connections().remove(0);
        if wall_lag {
            let lag = connection.responses[1].at - connection.frames[5].at;
            assert!(lag >= Duration::from_millis(400), "{lag:?}");
        } else {
            // The mark ends at 500.
            assert_eq!(connection.responses[1].received, 900);
        }
        let last = client.responses().await.pop().unwrap();
        assert_eq!(definite(&last), ["M0 m1."]);
    }
}

#[tokio::test]
async fn the_other_endpoints_answer_every_packet() {
    for (endpoint, empty) in [(Endpoint::Bigmodel, false), (Endpoint::Nostream, true)] {
        let service = exact_service(|_| {});
        let mut client = Client::of(&service, endpoint).await;
        let ack = client.get().await;
        let Got::Response {
            flags,
            sequence,
            json,
            ..
        } = &ack
        else {
            panic!("{ack:?}")
        };
        assert_eq!((flags, sequence), (&1, &Some(1)));
        assert_eq!(json["audio_info"]["duration"], 0);
        assert_eq!(json["result"]["text"], "");
        let pcm = Layout::default().pcm(3700);
        for piece in pcm.chunks(9600) {
            client.audio(piece).await;
            let got = client.get().await;
            assert_eq!(
                got.json()["result"]["text"] == "",
                empty || client.next < 7,
                "{got:?}"
            );
        }
        assert_eq!(
            definite(&client.responses().await.pop().unwrap()),
            ["M0 m1 m2.", "M3 m4."]
        );
    }
}

#[tokio::test]
async fn nostream_speaks_after_15_seconds() {
    let service = exact_service(|_| {});
    let mut client = Client::of(&service, Endpoint::Nostream).await;
    client.stream(&Layout::default().pcm(16_000), 1000).await;
    let all = client.until(|got| got.json()["result"]["text"] != "").await;
    let duration = &all.last().unwrap().json()["audio_info"]["duration"];
    assert!(duration.as_i64().unwrap() >= 15_000, "{duration}");
}

#[tokio::test]
async fn answers_may_be_compressed_blank_or_late() {
    let service = exact_service(|o| {
        o.oddities = vec![Oddity::Gzip, Oddity::Blank, Oddity::LateAck];
    });
    let mut client = Client::connect(&service).await;
    client.request(&request_json()).await;
    assert!(service.wait(PATIENCE, |all| {
        all.first().is_some_and(|c| c.request.is_some())
    }));
    assert!(service.connections()[0].ack_at.is_none());
    client.stream(&Layout::default().pcm(1500), 100).await;
    let ack = client.get().await;
    assert!(
        matches!(
            ack,
            Got::Response {
                flags: 0,
                gzip: true,
                ..
            }
        ),
        "{ack:?}"
    );
    let responses = client.responses().await;
    assert!(responses.contains(&json!({})) && responses.contains(&json!({"result": {}})));
    assert_eq!(definite(responses.last().unwrap()), ["M0 m1 m2."]);
}

#[tokio::test]
async fn second_passes_come_late_and_out_of_order() {
    let service = exact_service(|o| {
        o.second_pass_delay = Duration::from_millis(300);
        o.oddities = vec![Oddity::OutOfOrder];
    });
    let mut request = request_json();
    request["request"]["enable_nonstream"] = json!(true);
    let responses = session(&service, request, &Layout::default().sentences(3).0, 100).await;
    let first = responses.iter().find(|r| !definite(r).is_empty()).unwrap();
    let list = first["result"]["utterances"].as_array().unwrap();
    let texts = [0, 1].map(|n| (list[n]["definite"].as_bool(), list[n]["text"].as_str()));
    let expected = [(false, "m0 m1 m2"), (true, "M3 m4 m5.")];
    assert_eq!(
        texts,
        expected.map(|(definite, text)| (Some(definite), Some(text)))
    );
    assert_eq!(
        definite(responses.last().unwrap()),
        ["M0 m1 m2.", "M3 m4 m5.", "M6 m7 m8."]
    );
}
