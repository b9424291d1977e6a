//! Answers of the service, and their oddities.

use crate::client::*;
use serde_json::{Value, json};
use std::time::Duration;
use volcasr_loopback::{Endpoint, LagClock, Service, marks::Layout};

async fn session(service: &Service, request: Value, pcm: &[u8], ms: usize) -> Vec<Value> {
    let (mut client, ack) = Client::ready(service, request).await;
    assert!(matches!(ack, Got::Response { .. }), "{ack:?}");
    client.stream(pcm, ms).await;
    client.responses().await
}

#[tokio::test]
async fn answers_lag_behind_the_audio() {
    for clock in [LagClock::Audio, LagClock::Wall] {
        let service = exact_service(|o| o.lag_clock = clock);
        let (mut client, _) = Client::ready(&service, request_json()).await;
        client.stream(&Layout::default().pcm(1000), 100).await;
        let first = client.get().await;
        assert!(
            first.json()["result"]["text"]
                .as_str()
                .unwrap()
                .starts_with("m0")
        );
        let connection = service.connections().remove(0);
        if clock == LagClock::Audio {
            // The mark ends at 500.
            assert_eq!(connection.responses[1].received, 900);
        } else {
            let lag = connection.responses[1].at - connection.frames[5].at;
            assert!(lag >= Duration::from_millis(400), "{lag:?}");
        }
        let last = client.responses().await.pop().unwrap();
        assert_eq!(definite(&last), ["M0 m1."]);
    }
}

#[tokio::test]
async fn the_other_endpoints_answer_every_packet() {
    for (endpoint, empty) in [(Endpoint::Bigmodel, false), (Endpoint::Nostream, true)] {
        let service = exact_service(|_| {});
        let mut client = Client::with(&service, upgrade(&service.uri_for(endpoint)))
            .await
            .unwrap();
        client.request(&request_json()).await;
        let Got::Response {
            flags: 1,
            sequence: Some(1),
            json,
            ..
        } = client.get().await
        else {
            panic!()
        };
        assert_eq!(
            (&json["audio_info"]["duration"], &json["result"]["text"]),
            (&json!(0), &json!(""))
        );
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
    let mut client = Client::with(&service, upgrade(&service.uri_for(Endpoint::Nostream)))
        .await
        .unwrap();
    client.request(&request_json()).await;
    client.stream(&Layout::default().pcm(16_000), 1000).await;
    let all = client.until(|got| got.json()["result"]["text"] != "").await;
    assert!(
        all.last().unwrap().json()["audio_info"]["duration"]
            .as_i64()
            .unwrap()
            >= 15_000
    );
}

#[tokio::test]
async fn answers_may_be_compressed_blank_or_late() {
    let service = exact_service(|o| {
        o.gzip_answers = true;
        o.quirks.blank_responses = true;
        o.quirks.late_ack = true;
    });
    let mut client = Client::connect(&service).await;
    client.request(&request_json()).await;
    assert!(service.wait(PATIENCE, |all| {
        all.first().is_some_and(|c| c.request.is_some())
    }));
    assert!(service.connections()[0].ack_at.is_none());
    client.stream(&Layout::default().pcm(1500), 100).await;
    let Got::Response {
        flags: 0,
        gzip: true,
        ..
    } = client.get().await
    else {
        panic!()
    };
    let responses = client.responses().await;
    assert!(responses.contains(&json!({})) && responses.contains(&json!({"result": {}})));
    assert_eq!(definite(responses.last().unwrap()), ["M0 m1 m2."]);
}

#[tokio::test]
async fn audio_at_24000_may_be_misread() {
    let service = exact_service(|o| o.quirks.misread_24000 = true);
    let responses = session(&service, request_json(), &Layout::default().pcm(1000), 200).await;
    let last = responses.last().unwrap();
    assert_eq!(last["audio_info"]["duration"], 1500);
    assert_eq!(last["result"]["utterances"][0]["end_time"], 1500);
}

#[tokio::test]
async fn second_passes_come_late_and_out_of_order() {
    let service = exact_service(|o| {
        o.quirks.second_pass_delay = Duration::from_millis(300);
        o.quirks.second_pass_out_of_order = true;
    });
    let mut request = request_json();
    request["request"]["enable_nonstream"] = json!(true);
    let responses = session(&service, request, &Layout::default().sentences(3).0, 100).await;
    let first = responses.iter().find(|r| !definite(r).is_empty()).unwrap();
    let list = first["result"]["utterances"].as_array().unwrap();
    assert_eq!(
        (&list[0]["definite"], &list[1]["definite"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(
        (&list[0]["text"], &list[1]["text"]),
        (&json!("m0 m1 m2"), &json!("M3 m4 m5."))
    );
    assert_eq!(
        list[1]["additions"],
        json!({"invoke_type": "soft_vad", "source": "two_pass"})
    );
    assert_eq!(
        definite(responses.last().unwrap()),
        ["M0 m1 m2.", "M3 m4 m5.", "M6 m7 m8."]
    );
}
