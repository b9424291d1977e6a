//! Any bytes as a payload: read whole, to the last word and attribute, and taken up by a tracker.
#![no_main]

use std::time::Duration;

use gstvolcasr::protocol::failure::Failure;
use gstvolcasr::protocol::request::ResultType;
use gstvolcasr::protocol::response::{MAX_UTTERANCES, MAX_WORD_BYTES, Response};
use gstvolcasr::protocol::utterance::MAX_ADDITIONS;
use gstvolcasr::session::transcript::TranscriptTracker;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for failure in [
        Failure::from_error_frame(45_000_000, data),
        Failure::from_http(400, data),
    ] {
        let _ = (failure.retry(), failure.to_string());
    }
    let Ok(response) = Response::decode(data) else {
        return;
    };
    let utterances = response.utterances.as_deref().unwrap_or_default();
    assert!(utterances.len() <= MAX_UTTERANCES);
    let words = utterances
        .iter()
        .map(|utterance| utterance.words.raw().len());
    assert!(words.sum::<usize>() <= MAX_WORD_BYTES);
    for utterance in utterances {
        utterance.words.iter().for_each(drop);
        assert!(utterance.additions.iter().count() <= MAX_ADDITIONS);
    }
    for result_type in [ResultType::Full, ResultType::Single] {
        let mut updates = Vec::new();
        let mut tracker = TranscriptTracker::new(result_type, Duration::from_secs(2));
        tracker.connect(Duration::ZERO);
        tracker.respond(&response, Duration::from_secs(60), false, &mut updates);
        tracker.respond(&response, Duration::from_secs(60), true, &mut updates);
        assert!(!tracker.has_open());
        // Announced and ended once for each response, at most: without times, `single` can't tell
        // a repeated utterance from one that is said again.
        assert!(updates.len() <= 4 * (utterances.len() + 1));
    }
});
