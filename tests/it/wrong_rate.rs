//! A service that takes 24 kHz for 16 kHz: noticed, said once, and with what to do.

use crate::common::faults::*;
use crate::common::*;
use volcasr_loopback::{Oddity, Options, Recogniser, Script};

/// The only warning of a run.
fn warning(options: Options, properties: &str, pcm: &[u8]) -> Report {
    let service = service(options);
    let log = TestPipeline::new(set(fast_sink(&service), properties)).run(pcm, 20);
    log.assert_no_errors(properties);
    assert_ends_once(&log.transcripts());
    let mut warnings = log.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    warnings.remove(0)
}

#[test]
fn a_service_that_counts_faster_is_reported_once_with_the_way_out() {
    let misreads = Options {
        oddities: vec![Oddity::Misread24000],
        ..Options::default()
    };
    let report = warning(misreads, "", &speech(6).0);
    report.assert_is(gst::StreamError::Format, &["rate=16000"]);
    let details = report.details.expect("details");
    assert_eq!(details.name(), "volcasr-rate");
    let [counted, sent] = ["counted", "sent"].map(|name| details.get::<u64>(name).expect(name));
    assert!(counted > sent + 1_000_000_000, "{details:?}");

    // At 16000 the way out is another one.
    let far = r#"{"audio_info":{"duration":60000}}"#;
    let far = Options {
        recogniser: Recogniser::Scripted(Script::responses([(500, far)], far)),
        ..Options::default()
    };
    let report = warning(far, "rate=16000", &[0; 32_000]);
    report.assert_is(gst::StreamError::Format, &["uri"]);
    assert!(!report.error.message().contains("rate="), "{report:?}");
}
