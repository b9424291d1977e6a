//! The last words at the end of a stream: in PAUSED, without preroll, and when the service never says them.

use crate::common::*;
use gst::prelude::*;
use volcasr_loopback::marks::Layout;
use volcasr_loopback::{Fault, FaultKind, Lag, Options, Trigger};

/// Audio that ends in the middle of a sentence, and what is known of it before its end.
fn unfinished() -> Vec<u8> {
    Layout::default().pcm(1300)
}

fn losing(what: FaultKind) -> Options {
    Options {
        faults: vec![Fault::each(what, Trigger::Finish)],
        lag: Lag::EXACT,
        ..Options::default()
    }
}

/// Ended by EOS alone, with what was heard last, and one warning that says why.
fn assert_unconfirmed(heard: &Heard, why: &str) {
    assert!(heard.saw_eos() && heard.errors().is_empty(), "{heard:#?}");
    let transcripts = heard.transcripts();
    assert_ends_once(&transcripts);
    let last = transcripts.last().expect("something was heard");
    assert!(last.is_final && last.unconfirmed, "{last:#?}");
    let before = transcripts
        .iter()
        .rev()
        .nth(1)
        .expect("it was heard before");
    assert_eq!(last.text, before.text);
    assert_eq!(heard.tags(), std::slice::from_ref(&last.text));
    let warnings = heard.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let text = warnings[0].error.message();
    assert!(
        text.contains(why) && text.contains("finish-timeout"),
        "{text}"
    );
    let details = warnings[0].details.as_ref().expect("details");
    assert_eq!(details.name(), "volcasr-finish-timeout");
    let waited: u64 = details.get("waited").expect("waited");
    assert!(waited < LONG.as_nanos() as u64, "{waited}");
}

/// A close in good order instead of the final response confirms nothing, and is no error.
#[test]
fn closed_without_a_final_response() {
    let service = service(losing(FaultKind::Close(1000)));
    let sink = sink(&service);
    // Another connection would say what this one had not come to.
    sink.set_property("max-reconnects", 0u32);
    let mut rig = Rig::new(sink);
    let heard = rig.run(&unfinished(), 100);
    assert_unconfirmed(&heard, "closed the connection");
    assert_eq!(service.connections().len(), 1);
}

#[test]
fn no_final_response() {
    let service = service(losing(FaultKind::NoFinal));
    let sink = sink(&service);
    sink.set_property("finish-timeout", 300u32);
    // Another connection would say them.
    sink.set_property("max-reconnects", 0u32);
    let mut rig = Rig::new(sink);
    let heard = rig.run(&unfinished(), 100);
    assert_unconfirmed(&heard, "300");
}

/// The state change is through before the drain, which waits for PLAYING.
#[test]
fn the_end_in_paused() {
    for asynchronous in [true, false] {
        let service = service(Options::default());
        let sink = sink(&service);
        sink.set_property("async", asynchronous);
        // It would end the session by itself.
        sink.set_property("idle-timeout", 0u32);
        let mut rig = Rig::new(sink);
        rig.play();
        rig.push(&unfinished(), 100);
        assert!(service.wait(LONG, |all| all.iter().any(|c| c.audio_bytes >= 57_600)));
        rig.pipeline.set_state(gst::State::Paused).expect("PAUSED");
        rig.end();
        let timeout = gst::ClockTime::try_from(LONG).expect("short");
        let (changed, state, _) = rig.pipeline.state(timeout);
        assert_eq!(changed, Ok(gst::StateChangeSuccess::Success));
        assert_eq!(state, gst::State::Paused);
        // Whatever else comes, no end, and nothing that has begun with it.
        let mut heard = Heard::default();
        while let Some(message) = rig.bus.timed_pop(gst::ClockTime::from_mseconds(300)) {
            heard.messages.push(message);
        }
        assert!(service.inspect(|all| all.iter().all(|c| c.finish_at.is_none())));
        assert!(!heard.saw_eos() && heard.finals().is_empty(), "{heard:#?}");
        rig.play();
        heard.messages.append(&mut rig.listen().messages);
        assert!(heard.saw_eos() && heard.errors().is_empty());
        let finals = marks_of(&heard.finals());
        // The last mark was cut off.
        let marks = expected(&Layout::default().marks(1300), 0);
        assert_eq!(finals[..marks.len()], marks);
        assert_ends_once(&heard.transcripts());
    }
}

/// Without a single buffer, the end itself is the preroll.
#[test]
fn the_end_in_paused_without_audio() {
    let service = service(Options::default());
    let rig = Rig::new(sink(&service));
    rig.pipeline.set_state(gst::State::Paused).expect("PAUSED");
    rig.end();
    let timeout = gst::ClockTime::try_from(LONG).expect("short");
    let (changed, ..) = rig.pipeline.state(timeout);
    assert_eq!(changed, Ok(gst::StateChangeSuccess::Success));
    rig.play();
    assert!(rig.listen().saw_eos());
    assert!(service.inspect(|all| all.iter().all(|c| c.path.is_empty())));
}

#[test]
fn without_preroll() {
    let service = service(Options::default());
    let sink = sink(&service);
    sink.set_property("async", false);
    let (pcm, marks) = speech(2);
    let mut rig = Rig::new(sink);
    let heard = rig.run(&pcm, 100);
    assert!(heard.saw_eos() && heard.errors().is_empty());
    assert_eq!(marks_of(&heard.finals()), expected(&marks, 0));
    assert!(*service.connections()[0].pcm == pcm, "the audio differs");
}

/// The clock's time does not make the end come early, nor twice.
#[test]
fn in_real_time() {
    let service = service(Options::default());
    let sink = sink(&service);
    sink.set_property("sync", true);
    let (pcm, marks) = speech(1);
    let mut rig = Rig::new(sink);
    let heard = rig.run(&pcm, 100);
    assert!(heard.errors().is_empty());
    assert_eq!(marks_of(&heard.finals()), expected(&marks, 0));
    rig.pipeline.set_state(gst::State::Paused).expect("PAUSED");
    rig.play();
    // The base class posts EOS anew; the stream is not finished anew.
    assert!(rig.listen().saw_eos());
    assert_eq!(service.connections().len(), 1);
}
