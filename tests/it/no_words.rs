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

/// One that ends every session so is asked once more, where that can be. Then it is a warning that
/// nothing came of the audio, and no error: to the sink, silence looks the same.
#[test]
fn a_service_that_closes_behind_each_finish_is_asked_twice() {
    let tries = [
        ("max-reconnects=10 replay-time=120000", 2),
        ("max-reconnects=0 replay-time=120000", 1),
        ("max-reconnects=10 replay-time=0", 1),
    ];
    let cases = ENDPOINTS.map(|endpoint| tries.map(|case| (endpoint, case)));
    in_parallel(cases.as_flattened(), |&(endpoint, (properties, count))| {
        let case = format!("{endpoint:?} {properties}");
        let service = service(Options {
            recogniser: Recogniser::Silent,
            ..silent_until_the_end("close:1000@finish*")
        });
        let log = play(&service, endpoint, properties, &speech(2).0);
        log.assert_no_errors(&case);
        assert!(log.saw_eos() && log.finals().is_empty(), "{case}");
        let warnings = warnings_of(&log, "volcasr-finish-timeout");
        assert_eq!(warnings.len(), 1, "{case}");
        assert_eq!(service.connections().len(), count, "{case}");
    });
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
                assert!(log.saw_eos() && log.transcripts().is_empty(), "{case}");
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
        let sink = set(fast_sink(&service), &properties);
        let log = TestPipeline::new(sink).run(&speech(2).0, 20);
        assert_failed(&log, &format!("{fault}, {tries} tries"));
    });
}
