//! A service with the answers that a test gives.

use serde_json::{Value, json};
use volcasr_loopback::{Options, Script, Service};

/// A service that says just this: responses by milliseconds of audio, and the final one.
pub fn scripted(responses: &[(u64, Value)], last: Value) -> Service {
    let responses: Vec<(u64, String)> = responses
        .iter()
        .map(|(at, response)| (*at, response.to_string()))
        .collect();
    let responses = responses
        .iter()
        .map(|(at, response)| (*at, response.as_str()));
    let service = Service::start(Options {
        script: Some(Script::responses(responses, &last.to_string())),
        ..Options::default()
    });
    service.expect("a free port on 127.0.0.1")
}

/// A response after `duration` milliseconds of audio, with these utterances.
pub fn response(duration: u64, utterances: Value) -> Value {
    json!({"audio_info": {"duration": duration}, "result": {"utterances": utterances}})
}

pub fn utterance(definite: bool, times: (u64, u64), text: &str) -> Value {
    json!({"definite": definite, "start_time": times.0, "end_time": times.1, "text": text})
}

/// Two seconds of audio.
pub fn audio() -> Vec<u8> {
    vec![0; 2 * 48_000]
}
