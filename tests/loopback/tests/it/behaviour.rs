//! Answers of the service, and their oddities.

use crate::client::*;
use serde_json::json;
use std::time::Duration;
use volcasr_loopback::{Endpoint, Oddity, marks::Layout};

#[tokio::test]
async fn answers_lag_behind_the_audio() {
    for wall_lag in [false, true] {
        let service = exact_service(|o| o.wall_lag = wall_lag);
        let (mut client, _) = Client::ready(&service, request_json()).await;
        client.stream(&Layout::default().pcm(1000), 4800).await;
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
        let (mut client, ack) = Client::of(&service, endpoint, request_json()).await;
        let expected = Got::Response {
            flags: 1,
            sequence: Some(1),
            json: json!({"audio_info": {"duration": 0}, "result": {"text": "",
                "additions": {"log_id": service.connections()[0].log_id}}}),
            gzip: false,
        };
        assert_eq!(ack, expected);
        for piece in Layout::default().pcm(3700).chunks(9600) {
            client.audio(piece).await;
            let got = client.get().await;
            let is_empty = got.json()["result"]["text"] == "";
            assert_eq!(is_empty, empty || client.next < 7, "{got:?}");
        }
        let last = client.responses().await.pop().unwrap();
        assert_eq!(definite(&last), ["M0 m1 m2.", "M3 m4."]);
    }
}

#[tokio::test]
async fn nostream_speaks_after_15_seconds() {
    let service = exact_service(|_| {});
    let (mut client, _) = Client::of(&service, Endpoint::Nostream, request_json()).await;
    client.stream(&Layout::default().pcm(16_000), 48_000).await;
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
    assert!(service.wait(PATIENCE, |all| all.iter().any(|c| c.request.is_some())));
    assert!(service.connections()[0].ack_at.is_none());
    client.stream(&Layout::default().pcm(1500), 4800).await;
    let Got::Response {
        flags: 0,
        gzip: true,
        ..
    } = client.get().await
    else {
        panic!("an ack was expected")
    };
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
    let (mut client, _) = Client::ready(&service, request).await;
    client.stream(&Layout::default().sentences(3).0, 4800).await;
    let responses = client.responses().await;
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
