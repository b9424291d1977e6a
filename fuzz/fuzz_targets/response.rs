//! Any bytes as a payload: read whole, to the last word and attribute, and taken up by a tracker.
#![no_main]

use std::time::Duration;

use gstvolcasr::protocol::failure::Failure;
use gstvolcasr::protocol::request::ResultType;
use gstvolcasr::protocol::response::{MAX_UTTERANCES, Response};
use gstvolcasr::protocol::utterance::{MAX_ADDITIONS, MAX_WORDS};
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
    for utterance in utterances {
        assert!(utterance.words.iter().count() <= MAX_WORDS);
        assert!(utterance.additions.iter().count() <= MAX_ADDITIONS);
    }
    for result_type in [ResultType::Full, ResultType::Single] {
        let mut updates = Vec::new();
        let mut tracker = TranscriptTracker::new(result_type);
        tracker.connect(Duration::ZERO);
        tracker.respond(&response, Duration::from_secs(60), false, &mut updates);
        tracker.respond(&response, Duration::from_secs(60), true, &mut updates);
        assert!(!tracker.has_open());
        // Announced and ended once for each response, at most: without times, `single` can't tell
        // a repeated utterance from one that is said again.
        assert!(updates.len() <= 4 * (utterances.len() + 1));
    }
});
