//! Input that the service takes, as the real one does.

use crate::client::*;
use serde_json::json;
use volcasr_loopback::{codes, marks::Layout};

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

/// Formats beside PCM: what is known is taken, what is not is refused behind the ack.
#[tokio::test]
async fn formats_are_taken_or_refused_after_the_ack() {
    let service = service(|o| o.exact = true);
    let pcm = Layout::default().pcm(1000);
    let two = pcm
        .as_chunks::<2>()
        .0
        .iter()
        .flat_map(|s| [s[0], s[1], 0, 0]);
    let mut wav = b"RIFF\xff\xff\xff\xffWAVEdata\xff\xff\xff\xff".to_vec();
    wav.extend(&pcm);
    for (format, channels, audio, words) in [
        ("pcm", 2, two.collect::<Vec<u8>>(), "M0 m1."),
        ("wav", 1, wav, "M0 m1."),
        ("ogg", 1, pcm, ""),
    ] {
        let mut request = request_json();
        request["audio"]["format"] = json!(format);
        request["audio"]["channel"] = json!(channels);
        let (mut client, _) = Client::ready(&service, request).await;
        client.stream(&audio, 333).await;
        let last = client.responses().await.pop().unwrap();
        let text = last["result"]["text"].as_str().unwrap_or_default();
        assert_eq!(text, words, "{format}");
    }
    let mut request = request_json();
    request["audio"]["format"] = json!("midi");
    let (mut client, ack) = Client::ready(&service, request).await;
    assert!(matches!(ack, Got::Response { flags: 0, .. }), "{ack:?}");
    let text = "[Invalid audio format] OperatorWrapper Process failed: unsupported format midi";
    let expected = (codes::FORMAT, json!({ "error": text }).to_string());
    assert_eq!(client.get().await.error(), expected);
}
