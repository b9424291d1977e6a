//! A service that takes 24 kHz for 16 kHz: noticed, said once, and with what to do.

use crate::common::faults::*;
use crate::common::*;
use volcasr_loopback::{Oddity, Options, Recogniser, Script};

fn odd(oddities: Vec<Oddity>) -> BusLog {
    let service = service(Options {
        oddities,
        ..Options::default()
    });
    let (pcm, _) = speech(6);
    TestPipeline::new(fast_sink(&service)).run(&pcm, 20)
}

#[test]
fn a_service_that_counts_faster_is_reported_once() {
    let log = odd(vec![Oddity::Misread24000]);
    assert!(log.errors().is_empty() && log.saw_eos(), "{log:?}");
    assert_ends_once(&log.transcripts());
    let warnings = log.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].error.message().contains("rate=16000"),
        "{warnings:?}"
    );
    let details = &warnings_of(&log, "volcasr-rate")[0];
    let time = |name| details.get::<u64>(name).expect("a time");
    assert!(
        time("counted") > time("sent") + 1_000_000_000,
        "{details:?}"
    );
}

/// At 16000 the way out is another one.
#[test]
fn the_rate_that_is_sent_is_not_advised() {
    let far = r#"{"audio_info":{"duration":60000}}"#;
    let script = Script::responses([(500, far)], far);
    let service = service(Options {
        recogniser: Recogniser::Scripted(script),
        ..Options::default()
    });
    let log = TestPipeline::new(set(sink(&service), "rate=16000")).run(&[0; 32_000], 100);
    let warnings = log.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let text = warnings[0].error.message();
    assert!(text.contains("uri") && !text.contains("rate="), "{text}");
}
