//! A service that takes 24 kHz for 16 kHz: noticed, said once, and with what to do.

mod common;
#[path = "common/faults.rs"]
mod faults;

use common::*;
use faults::*;
use volcasr_loopback::{Oddities, Options};

fn odd(oddities: Oddities) -> Heard {
    let service = service(Options {
        oddities,
        ..Options::default()
    });
    let (pcm, _) = speech(6);
    Rig::new(quick_sink(&service)).run(&pcm, 20)
}

#[test]
fn a_service_that_counts_faster_is_told_of_once() {
    let heard = odd(Oddities {
        misread_24000: true,
        ..Oddities::default()
    });
    assert!(heard.errors().is_empty() && heard.saw_eos(), "{heard:?}");
    assert_ends_once(&heard.transcripts());
    let warnings = heard.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].error.message().contains("rate=16000"),
        "{warnings:?}"
    );
    let details = &warnings_of(&heard, "volcasr-rate")[0];
    let time = |name| details.get::<u64>(name).expect("a time");
    assert!(
        time("counted") > time("sent") + 1_000_000_000,
        "{details:?}"
    );
}

/// Ends that lie a little past the audio are the service's way, and no other rate.
#[test]
fn a_service_that_counts_right_is_not() {
    assert!(odd(Oddities::default()).warnings().is_empty());
}
