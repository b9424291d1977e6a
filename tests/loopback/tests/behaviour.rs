//! What the service answers, and its oddities.

mod client;

use client::*;
use serde_json::{Value, json};
use std::time::Duration;
use volcasr_loopback::{
    At, Endpoint, Lag, LagClock, Options, Quirks, Recogniser, Script, Send, Service, marks::Layout,
};

fn service(change: impl FnOnce(&mut Options)) -> Service {
    let mut options = Options {
        quirks: Quirks::none(),
        lag: Lag::EXACT,
        ..Options::default()
    };
    change(&mut options);
    Service::start(options).unwrap()
}

async fn session(service: &Service, request: Value, pcm: &[u8], ms: usize) -> Vec<Value> {
    let (mut client, ack) = Client::ready(service, request).await;
    assert!(matches!(ack, Got::Response { .. }), "{ack:?}");
    client.stream(pcm, ms).await;
    client.responses().await
}

#[tokio::test]
async fn marks_are_heard_once_at_their_times() {
    let service = service(|_| {});
    let (pcm, marks) = Layout::default().sentences(5);
    for ms in [20, 200, 2000] {
        let responses = session(&service, request_json(), &pcm, ms).await;
        let last = responses.last().unwrap();
        let words: Vec<Value> = last["result"]["utterances"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|u| u["words"].as_array().unwrap().clone())
            .collect();
        assert_eq!(words.len(), marks.len());
        for (word, mark) in words.iter().zip(&marks) {
            assert_eq!(
                word["text"].as_str().unwrap().to_lowercase(),
                format!("m{}", mark.number)
            );
            assert_eq!(
                (&word["start_time"], &word["end_time"]),
                (&json!(mark.start), &json!(mark.end))
            );
        }
        assert_eq!(
            last["result"]["text"],
            "M0 m1 m2. M3 m4 m5. M6 m7 m8. M9 m10 m11. M12 m13 m14."
        );
        assert!(
            responses
                .iter()
                .map(|r| r["audio_info"]["duration"].as_i64())
                .is_sorted()
        );
    }
    let connection = service.connections().remove(1);
    assert_eq!(*connection.pcm, pcm);
    assert_eq!(
        (connection.heard.len(), connection.packets),
        (marks.len(), 2 + pcm.len().div_ceil(9600) as u64)
    );
    assert_eq!(connection.frames.last().unwrap().flags, 3);
}

#[tokio::test]
async fn spikes_lie_inside_the_marks() {
    let service = service(|o| o.recogniser = Recogniser::Marks { spikes: true });
    let responses = session(&service, request_json(), &Layout::default().pcm(1000), 200).await;
    let word = &responses.last().unwrap()["result"]["utterances"][0]["words"][0];
    assert_eq!(
        (&word["start_time"], &word["end_time"]),
        (&json!(300), &json!(380))
    );
}

#[tokio::test]
async fn without_a_window_one_utterance_grows_until_the_end() {
    let service = service(|_| {});
    let mut request = request_json();
    request["request"]
        .as_object_mut()
        .unwrap()
        .remove("end_window_size");
    let responses = session(&service, request, &Layout::default().sentences(2).0, 100).await;
    let (last, before) = responses.split_last().unwrap();
    assert!(before.len() >= 6 && before.iter().all(|r| definite(r).is_empty()));
    assert!(
        before
            .iter()
            .all(|r| r["result"]["utterances"].as_array().unwrap().len() == 1)
    );
    assert_eq!(definite(last), ["M0 m1 m2.", "M3 m4 m5."]);
}

#[tokio::test]
async fn answers_lag_behind_the_audio() {
    for clock in [LagClock::Audio, LagClock::Wall] {
        let service = service(|o| o.lag_clock = clock);
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
        let service = service(|_| {});
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
    let service = service(|_| {});
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
    let service = service(|o| {
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
    let service = service(|o| o.quirks.misread_24000 = true);
    let responses = session(&service, request_json(), &Layout::default().pcm(1000), 200).await;
    let last = responses.last().unwrap();
    assert_eq!(last["audio_info"]["duration"], 1500);
    assert_eq!(last["result"]["utterances"][0]["end_time"], 1500);
}

#[tokio::test]
async fn second_passes_come_late_and_out_of_order() {
    let service = service(|o| {
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

#[tokio::test]
async fn a_script_sends_anything() {
    let ms = |ms| At::Audio(Duration::from_millis(ms));
    let script = Script::default()
        .step(At::Ack, Send::Json(r#"{"result":{"log":1}}"#.into()))
        .step(ms(100), Send::Json(r#"{"a" : 9223372036854775808}"#.into()))
        .step(ms(200), Send::Frame(vec![0x11, 0xb0, 0, 0]))
        .step(ms(200), Send::Text("hello".into()))
        .step_on(2, ms(300), Send::Close(1011))
        .step(At::Finish, Send::Last("{}".into()));
    let service = service(|o| o.recogniser = Recogniser::Scripted(script));
    let (mut client, ack) = Client::ready(&service, request_json()).await;
    assert_eq!(ack.json(), &json!({"result": {"log": 1}}));
    client.stream(&[0; 48 * 400], 50).await;
    assert_eq!(
        client.get().await.json()["a"],
        json!(9_223_372_036_854_775_808_u64)
    );
    assert_eq!(client.get().await, Got::Odd(vec![0x11, 0xb0, 0, 0]));
    assert_eq!(client.get().await, Got::Text("hello".into()));
    client.finish().await;
    assert!(client.get().await.is_last());
    assert_eq!(
        &*service.connections()[0].responses[1].json,
        r#"{"a" : 9223372036854775808}"#
    );

    let (mut client, _) = Client::ready(&service, request_json()).await;
    client.stream(&[0; 48 * 400], 50).await;
    assert_eq!(
        client.until(|_| false).await.last(),
        Some(&Got::Close(Some(1011)))
    );
}
