//! Input that the service takes, as the real one does.

use crate::client::*;
use serde_json::json;
use volcasr_loopback::{End, codes, marks::Layout};

#[tokio::test]
async fn every_way_to_finish_is_taken() {
    for (last, duration) in [
        (frame(2, 3, 0, Some(-4), &[]), 40),
        (frame(2, 2, 0, None, &[]), 40),
        (frame(2, 3, 0, Some(-4), &[0; 480]), 50),
        (frame(2, 2, 1, None, &gzip(&[0; 480])), 50),
    ] {
        let service = service(|_| {});
        let (mut client, _) = Client::ready(&service, request_json()).await;
        client.audio(&[0; 960]).await;
        // Packets count, numbered or not.
        client.raw(frame(2, 0, 0, None, &[0; 960])).await;
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
        assert_eq!(json["audio_info"]["duration"], duration);
        assert_eq!(client.get().await, Got::Close(Some(1000)));
        client.until(|_| false).await;
        let finished = |c: &[volcasr_loopback::Connection]| c[0].end == Some(End::Finished);
        assert!(service.wait(PATIENCE, finished));
    }
    // A whole session in one packet, unnumbered.
    let service = service(|_| {});
    let mut client = Client::connect(&service).await;
    let request = request_json().to_string();
    client.raw(frame(1, 0, 0, None, request.as_bytes())).await;
    client.raw(frame(2, 2, 0, None, &[0; 4800])).await;
    assert!(client.until(Got::is_last).await.last().unwrap().is_last());
}

/// Formats beside PCM, in pieces that end within samples: what is known is taken, what is not is
/// refused behind the ack.
#[tokio::test]
async fn formats_are_taken_or_refused_after_the_ack() {
    let service = service(|o| o.exact = true);
    let pcm = Layout::default().pcm(1000);
    let samples = pcm.as_chunks::<2>().0.iter();
    let two: Vec<u8> = samples.flat_map(|s| [s[0], s[1], 0, 0]).collect();
    let head = b"RIFF\x2c\0\0\0WAVEfmt \x03\0\0\0abc\0LIST\x02\0\0\0xydata\xff\xff\xff\xff";
    let wav = [&head[..], &pcm].concat();
    for (format, channels, audio, words) in [
        ("pcm", 1, &pcm, "M0 m1."),
        ("pcm", 2, &two, "M0 m1."),
        ("wav", 1, &wav, "M0 m1."),
        ("wav", 1, &pcm, "M0 m1."),
        ("ogg", 1, &pcm, ""),
    ] {
        for size in [1, 7777] {
            let mut request = request_json();
            request["audio"]["format"] = json!(format);
            request["audio"]["channel"] = json!(channels);
            let (mut client, _) = Client::ready(&service, request).await;
            // The head and a mark in pieces, the rest at once.
            client.stream(&audio[..99], size).await;
            client.stream(&audio[99..], 7777).await;
            let last = client.responses().await.pop().unwrap();
            let text = last["result"]["text"].as_str().unwrap_or_default();
            assert_eq!(text, words, "{format}");
        }
    }
    let mut request = request_json();
    request["audio"]["format"] = json!("midi");
    let (mut client, ack) = Client::ready(&service, request).await;
    assert!(matches!(ack, Got::Response { flags: 0, .. }), "{ack:?}");
    let text = "[Invalid audio format] OperatorWrapper Process failed: unsupported format midi";
    let expected = (codes::FORMAT, json!({ "error": text }).to_string());
    assert_eq!(client.get().await.error(), expected);
}
