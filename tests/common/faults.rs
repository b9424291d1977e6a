//! Checks that hold after every restored connection, and faults that break one.

use std::time::Duration;

use gst::prelude::*;
use volcasr_loopback::marks::Mark;
use volcasr_loopback::{Lag, Options, Recogniser, Service};

use crate::common::*;

/// A service of marks with these faults. Its lag is exact, so the moment of a fault decides which
/// words are known by then.
pub fn faulty(texts: &[&str], spikes: bool) -> Options {
    let faults = texts.iter().map(|text| text.parse().expect("a fault"));
    Options {
        faults: faults.collect(),
        recogniser: Recogniser::marks(spikes),
        lag: Lag::EXACT,
        ..Options::default()
    }
}

/// A sink that is fast, but not so fast that everything is sent before the service can object.
pub fn fast_sink(service: &Service) -> gst::Element {
    set(sink(service), "max-speed=40")
}

/// Returns the words that the marks must give: with their own times, or with spikes of 80 ms
/// from 100 ms on.
pub fn expected_words(marks: &[Mark], spikes: bool) -> Vec<(u32, u64, u64)> {
    let mut words = expected(marks, 0);
    for (_, start, end) in &mut words {
        if spikes {
            (*start, *end) = (*start + 100, *start + 180);
        }
    }
    words
}

/// The warnings with details of this name.
pub fn warnings_of(log: &BusLog, name: &str) -> Vec<gst::Structure> {
    let warnings = log.warnings();
    warnings
        .into_iter()
        .filter_map(|warning| warning.details)
        .filter(|details| details.name() == name)
        .collect()
}

/// Asserts that no text of an utterance gets shorter again.
pub fn assert_never_shrinks(transcripts: &[Transcript]) {
    let mut shown = std::collections::BTreeMap::new();
    for transcript in transcripts {
        let words = transcript.text.split_whitespace().count();
        let most = shown
            .entry((transcript.stream, transcript.utterance))
            .or_insert(0);
        assert!(words >= *most, "{most} words were shown: {transcript:?}");
        *most = words;
    }
}

/// Asserts that the stream is whole: each word comes once, in order, at its time and confirmed, and
/// no text is taken back.
pub fn assert_whole(log: &BusLog, marks: &[Mark], spikes: bool, case: &str) {
    log.assert_no_errors(case);
    assert!(log.saw_eos(), "{case}");
    let finals = log.finals();
    assert_eq!(marks_of(&finals), expected_words(marks, spikes), "{case}");
    let unconfirmed: Vec<_> = finals.iter().filter(|f| f.unconfirmed).collect();
    assert!(unconfirmed.is_empty(), "{case}: {unconfirmed:?}");
    assert_ends_once(&log.transcripts());
    assert_never_shrinks(&log.transcripts());
    let numbers: Vec<_> = finals.iter().map(|f| f.utterance).collect();
    assert!(
        numbers.iter().copied().eq(0..finals.len() as u32),
        "{case}: {numbers:?}"
    );
    let sessions: Vec<_> = log.transcripts().iter().map(|t| t.session).collect();
    assert!(sessions.is_sorted(), "{case}: {sessions:?}");
}

/// Asserts that each loss has one warning, with the documented details.
pub fn assert_warned(log: &BusLog, losses: usize, case: &str) {
    let warnings = warnings_of(log, "volcasr-reconnect");
    assert_eq!(warnings.len(), losses, "{case}: {:?}", log.warnings());
    for details in &warnings {
        assert!(
            details.get::<u64>("timestamp").is_ok(),
            "{case}: {details:?}"
        );
        assert!(
            details.get::<u32>("attempt").is_ok_and(|n| n > 0),
            "{case}: {details:?}"
        );
        let pause = Duration::from_nanos(details.get("pause").expect("pause"));
        assert!(pause >= Duration::from_millis(250), "{case}: {pause:?}");
        assert!(pause <= Duration::from_secs(8), "{case}: {pause:?}");
        let error = details.get::<gst::Structure>("error").expect("error");
        assert_eq!(error.get("retryable"), Ok(true), "{case}: {error}");
        let message = error.get::<String>("message").expect("message");
        assert!(!message.is_empty(), "{case}");
    }
}

/// Asserts that each connection has its own ids and numbers its packets from 1.
pub fn assert_fresh(service: &Service, case: &str) {
    let connections = service.connections();
    let mut ids = std::collections::BTreeSet::new();
    for connection in connections.iter().filter(|c| !c.headers.is_empty()) {
        for name in ["X-Api-Connect-Id", "X-Api-Request-Id"] {
            let id = connection.header(name).expect("an id").to_owned();
            assert!(ids.insert(id), "{case}: {name} came again");
        }
        for (index, frame) in connection.frames.iter().enumerate() {
            let sequence = frame.sequence.expect("a number").unsigned_abs() as usize;
            assert_eq!(sequence, index + 1, "{case}");
        }
    }
}

/// Runs the cases in parallel, as they mostly wait. A failure names its case.
pub fn in_parallel<T: Sync>(cases: &[T], test: impl Fn(&T) + Sync) {
    init();
    let transcriber = text::is_transcriber();
    let test = |case: &T| match transcriber {
        true => text::with_transcriber(|| test(case)),
        false => test(case),
    };
    let test = &test;
    std::thread::scope(|scope| {
        for case in cases {
            scope.spawn(move || test(case));
        }
    });
}

/// Sentences whose last one is still open when the stream ends: its words come with the final
/// response.
pub fn open_ended_speech(sentences: u64) -> (Vec<u8>, Vec<Mark>) {
    let (mut pcm, marks) = speech(sentences);
    let end = marks.last().map_or(0, |mark| mark.end as usize + 100);
    pcm.truncate(end * 48);
    (pcm, marks)
}

/// The progress `connect` is complete: the line is up, and waits for audio.
pub fn is_ready(message: &gst::Message) -> bool {
    is_progress(message, gst::ProgressType::Complete)
}

/// Whether this is a progress message of the kind.
pub fn is_progress(message: &gst::Message, kind: gst::ProgressType) -> bool {
    matches!(message.view(), gst::MessageView::Progress(p) if p.get().0 == kind)
}

/// The errors that the sink itself posted; a source adds its own.
pub fn own_errors(log: &BusLog, sink: &gst::Element) -> Vec<Report> {
    let mut errors = log.errors();
    errors.retain(|error| error.source.as_deref() == Some(sink.name().as_str()));
    errors
}

/// Bytes as a fault takes them.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Returns a port on 127.0.0.1 at which nothing listens.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}
