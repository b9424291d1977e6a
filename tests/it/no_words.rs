//! The end of a stream that got no words: no error for silence, an error for a lost answer.

use crate::common::faults::*;
use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::{Endpoint, Options, Recogniser, Service};

/// A fast sink on `endpoint`, with the resource id that it needs.
fn sink_at(service: &Service, endpoint: Endpoint) -> gst::Element {
    let sink = fast_sink(service);
    sink.set_property("uri", service.uri_for(endpoint));
    if endpoint == Endpoint::Bigmodel {
        sink.set_property("resource-id", "volc.bigasr.sauc.duration");
    }
    sink
}

/// One that ends every session so is asked once more, where that can be. Then it is a warning that
/// nothing came of the audio, and no error: to the sink, silence looks the same.
#[test]
fn a_service_that_closes_behind_each_finish_is_asked_twice() {
    let endpoints = [Endpoint::Async, Endpoint::Nostream, Endpoint::Bigmodel];
    let cases: Vec<_> = endpoints
        .into_iter()
        .flat_map(|endpoint| [(10, 120_000, 2), (0, 120_000, 1), (10, 0, 1)].map(|c| (endpoint, c)))
        .collect();
    in_parallel(&cases, |&(endpoint, (tries, replay, connections))| {
        let case = format!("{endpoint:?}, {tries} tries, replay-time={replay}");
        let service = service(Options {
            recogniser: Recogniser::Silent,
            ..silent_until_the_end("close:1000@finish*")
        });
        let sink = sink_at(&service, endpoint);
        sink.set_property("max-reconnects", tries as u32);
        sink.set_property("replay-time", replay as u32);
        let log = TestPipeline::new(sink).run(&speech(2).0, 20);
        log.assert_no_errors(&case);
        assert!(log.saw_eos() && log.finals().is_empty(), "{case}");
        let warnings = warnings_of(&log, "volcasr-finish-timeout");
        assert_eq!(warnings.len(), 1, "{case}");
        assert_eq!(service.connections().len(), connections, "{case}");
    });
}

/// Silence, and audio shorter than a chunk, give a service nothing to say: an empty final response
/// is an end in good order, and a close in its place is no error.
#[test]
fn a_stream_without_words_is_no_error() {
    let ends = [None, Some("close:1000@finish*")];
    let endpoints = [Endpoint::Async, Endpoint::Nostream, Endpoint::Bigmodel];
    let cases: Vec<_> = endpoints
        .into_iter()
        .flat_map(|endpoint| [20, 2000].map(|length| (endpoint, length)))
        .flat_map(|(endpoint, length)| [0u32, 120_000].map(|replay| (endpoint, length, replay)))
        .flat_map(|(endpoint, length, replay)| ends.map(|end| (endpoint, length, replay, end)))
        .collect();
    in_parallel(&cases, |&(endpoint, length, replay, end)| {
        let case = format!("{endpoint:?}, {length} ms, replay-time={replay}, {end:?}");
        let service = service(Options {
            recogniser: Recogniser::Silent,
            ..faulty(end.as_slice(), false)
        });
        let log = TestPipeline::new(set(
            sink_at(&service, endpoint),
            &format!("replay-time={replay}"),
        ))
        .run(&vec![0; length * 48], 20);
        log.assert_no_errors(&case);
        assert!(log.saw_eos() && log.transcripts().is_empty(), "{case}");
        if end.is_none() {
            log.assert_no_warnings(&case);
            assert_eq!(service.connections().len(), 1, "{case}");
        }
    });
}

/// However the tries end: without an answer for any audio of the stream it is an error, for an
/// empty transcript would look like that of silence.
#[test]
fn a_stream_without_any_answer_is_an_error() {
    in_parallel(
        &[
            ("no-final@finish*", 0u32),
            ("hang@finish*", 0),
            ("reset@finish*", 1),
            ("error:55000007@finish*", 10),
            // The deadline of the finish comes before the last try.
            ("hang@finish*", 100),
        ],
        |&(fault, tries)| {
            let service = service(silent_until_the_end(fault));
            let log = TestPipeline::new(set(
                fast_sink(&service),
                &format!("finish-timeout=500 max-reconnects={tries}"),
            ))
            .run(&speech(2).0, 20);
            assert_failed(&log, &format!("{fault}, {tries} tries"));
        },
    );
}
