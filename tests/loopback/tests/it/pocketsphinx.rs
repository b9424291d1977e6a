//! Human speech through the recogniser of that name.

use crate::client::*;
use crate::skip::skip;
use volcasr_loopback::{Options, Recogniser, Service};

const SPEECH: &str =
    "/usr/share/pocketsphinx/test/data/librivox/sense_and_sensibility_01_austen_64kb-0930.wav";

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn speech_becomes_words() {
    let options = Options {
        recogniser: Recogniser::Pocketsphinx,
        ..Options::default()
    };
    let service = match Service::start(options) {
        Ok(service) => service,
        Err(error) => {
            let error = error.to_string();
            assert!(
                error.contains("apt-get install gstreamer1.0-pocketsphinx"),
                "{error}"
            );
            return skip(&error);
        }
    };
    let Ok(wav) = std::fs::read(SPEECH) else {
        return skip(&format!("{SPEECH}; apt-get install pocketsphinx-testdata"));
    };
    let mut client = Client::asked(&service, 16_000).await;
    // The sentence without its plain header, a pause that ends it, and the sentence again.
    let sentence = &wav[44..];
    let sentence_ms = (sentence.len() / 32) as i64;
    let pcm = [sentence, &[0; 32 * 2000], sentence].concat();
    let all = client.stream(&pcm, 9600).await;
    let last = json_of(&all[all.len() - 1], "last").expect("a final response");
    let listed = last["result"]["utterances"].as_array().unwrap();
    // Without the trailing placeholder.
    let utterances: Vec<_> = listed.iter().filter(|u| u["text"] != "").collect();
    assert!(utterances.len() >= 2, "{last}");
    assert!(utterances.iter().all(|u| u["definite"] == true), "{last}");
    // Not word for word: it mishears some, and which depends on what came before.
    let text = last["result"]["text"].as_str().unwrap().to_lowercase();
    let found = text.matches("he might even have been made").count();
    assert_eq!(found, 2, "{text}");
    // Interim words, and in the pause a definite utterance.
    for definite in [false, true] {
        let mut early = all.iter().filter_map(|got| json_of(got, "response"));
        let is_shown = early.any(|json| {
            let first = &json["result"]["utterances"][0];
            first["definite"] == definite && first["text"] != ""
        });
        assert!(is_shown, "definite {definite}: {all:?}");
    }
    let words = utterances[0]["words"].as_array().unwrap();
    let starts = words.iter().filter_map(|w| w["start_time"].as_i64());
    let starts: Vec<i64> = starts.filter(|&ms| ms >= 0).collect();
    assert!(
        starts.is_sorted() && starts.last() < Some(&sentence_ms),
        "{starts:?}"
    );
    assert!(utterances.last().unwrap()["start_time"].as_i64() >= Some(sentence_ms + 1900));
}
