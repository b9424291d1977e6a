//! The end of a stream that got no words: no error for silence, an error for a lost answer.

use crate::common::faults::*;
use crate::common::*;
use volcasr_loopback::{Endpoint, Options, Recogniser, Service};

const ENDPOINTS: [Endpoint; 3] = [Endpoint::Async, Endpoint::Nostream, Endpoint::Bigmodel];

/// Plays audio to a fast sink on `endpoint`.
fn play(service: &Service, endpoint: Endpoint, properties: &str, pcm: &[u8]) -> BusLog {
    let sink = set(sink_for(&service.uri_for(endpoint)), "max-speed=40");
    TestPipeline::new(set(sink, properties)).run(pcm, 20)
}

/// Silence, and audio shorter than a chunk, give a service nothing to say: an empty final response
/// is an end in good order, and a close in its place is no error.
#[test]
fn a_stream_without_words_is_no_error() {
    let ends = [None, Some("close:1000@finish*")];
    let lengths = [20, 2000].map(|length| ends.map(|end| (length, end)));
    let cases = ENDPOINTS.map(|endpoint| (endpoint, lengths));
    in_parallel(&cases, |&(endpoint, lengths)| {
        for &(length, end) in lengths.as_flattened() {
            for properties in ["replay-time=0", "replay-time=120000"] {
                let case = format!("{endpoint:?}, {length} ms, {properties}, {end:?}");
                let service = service(Options {
                    recogniser: Recogniser::Silent,
                    ..faulty(end.as_slice(), false)
                });
                let log = play(&service, endpoint, properties, &vec![0; length * 48]);
                log.assert_no_errors(&case);
                assert!(log.transcripts().is_empty(), "{case}");
                if end.is_none() {
                    log.assert_no_warnings(&case);
                    assert_eq!(service.connections().len(), 1, "{case}");
                }
            }
        }
    });
}

/// However the tries end: without an answer for any audio of the stream it is an error, for an
/// empty transcript would look like that of silence.
#[test]
fn a_stream_without_any_answer_is_an_error() {
    let cases = [
        ("no-final@finish*", 0u32),
        ("hang@finish*", 0),
        ("reset@finish*", 1),
        ("error:55000007@finish*", 10),
        // The deadline of the finish comes before the last attempt.
        ("hang@finish*", 100),
    ];
    in_parallel(&cases, |&(fault, tries)| {
        let service = service(silent_until_the_end(fault));
        let properties = format!("finish-timeout=500 max-reconnects={tries}");
        let log = play(&service, Endpoint::Async, &properties, &speech(2).0);
        assert_failed(&log, &format!("{fault}, {tries} tries"));
    });
}
