//! The end of a stream: the last words are waited for, and requested again when the connection is
//! lost. Without them there is a warning or an error. Silence is no error, a lost answer is one.
//!
//! A session is also finished on request, as push-to-talk needs it.

use crate::common::faults::*;
use crate::common::*;
use gst::glib;
use gst::prelude::*;
use volcasr_loopback::marks::Mark;
use volcasr_loopback::{Endpoint, Options, Recogniser};

/// Asserts that the last sentence stands as far as it was recognised, unconfirmed. A warning
/// reports it, between the words and EOS, and there is no error.
fn assert_given_up(log: &BusLog, marks: &[Mark], case: &str) {
    log.assert_no_errors(case);
    assert_ends_once(&log.transcripts());
    assert_never_shrinks(&log.transcripts());
    let finals = log.finals();
    let unconfirmed: Vec<_> = finals.iter().map(|f| f.unconfirmed).collect();
    assert_eq!(unconfirmed, [false, true], "{case}: {finals:?}");
    let numbers: Vec<_> = marks_of(&finals).iter().map(|mark| mark.0).collect();
    let expected: Vec<_> = marks.iter().map(|mark| mark.number).collect();
    assert!(expected.starts_with(&numbers), "{case}: {numbers:?}");
    assert!(!finals[1].words.is_empty(), "{case}");
    let given_up = warnings_of(log, "volcasr-finish-timeout");
    assert_eq!(given_up.len(), 1, "{case}");
    let words = log.messages.iter().rposition(is_transcript);
    assert!(words < log.messages.iter().rposition(is_warning), "{case}");
}

#[test]
fn without_tries_it_ends_unconfirmed_after_finish_timeout() {
    in_parallel(&["no-final@finish*", "reset@finish*"], |fault| {
        let service = service(faulty(&[fault], false));
        let (pcm, marks) = open_ended_speech(2);
        let sink = set(fast_sink(&service), "finish-timeout=500 max-reconnects=0");
        let log = TestPipeline::new(sink).run(&pcm, 20);
        assert_given_up(&log, &marks, fault);
        assert_eq!(service.connections().len(), 1, "{fault}");
        assert!(warnings_of(&log, "volcasr-reconnect").is_empty(), "{fault}");
    });
}

/// Silence, and audio shorter than a chunk, give a service nothing to say: an empty final response
/// is an end in good order, and a close in its place is no error.
#[test]
fn a_stream_without_words_is_no_error() {
    let ends = [None, Some("close:1000@finish*")];
    let endpoints = [Endpoint::Async, Endpoint::Nostream, Endpoint::Bigmodel];
    let cases = endpoints.map(|endpoint| ends.map(|end| [20, 2000].map(|ms| (endpoint, end, ms))));
    in_parallel(
        cases.as_flattened().as_flattened(),
        |&(endpoint, end, ms)| {
            let case = format!("{endpoint:?}, {ms} ms, {end:?}");
            let service = service(Options {
                recogniser: Recogniser::Silent,
                ..faulty(end.as_slice(), false)
            });
            let sink = set(sink_for(&service.uri_for(endpoint)), "max-speed=40");
            let log = TestPipeline::new(sink).run(&vec![0; ms * 48], 20);
            log.assert_no_errors(&case);
            assert!(log.transcripts().is_empty(), "{case}");
            if end.is_none() {
                log.assert_no_warnings(&case);
                assert_eq!(service.connections().len(), 1, "{case}");
            }
        },
    );
}

/// Without a single buffer, the end itself is the preroll.
#[test]
fn the_end_in_paused_without_audio() {
    let (service, rig) = TestPipeline::start("");
    rig.go(gst::State::Paused);
    rig.eos();
    let (changed, ..) = rig.pipeline.state(LONG_TIME);
    assert_eq!(changed, Ok(gst::StateChangeSuccess::Success));
    rig.play();
    assert!(rig.listen().saw_eos());
    assert!(service.inspect(|all| all.iter().all(|c| c.path.is_empty())));
}

/// The clock's time does not make the end come early, nor twice.
#[test]
fn in_real_time() {
    let (service, mut rig) = TestPipeline::start("sync=true");
    rig.speak(1);
    rig.go(gst::State::Paused);
    rig.play();
    // The base class posts EOS anew; the stream is not finished anew.
    assert!(rig.listen().saw_eos());
    assert_eq!(service.connections().len(), 1);
}

fn finish(rig: &TestPipeline) {
    rig.sink.emit_by_name::<()>("finish", &[]);
}

fn send_event(rig: &TestPipeline) -> bool {
    let structure = gst::Structure::new_empty("volcasr/finish");
    let event = gst::event::CustomDownstream::new(structure);
    rig.source.send_event(event)
}

/// By the signal, when all was taken, in PLAYING and in PAUSED; by the event, which takes effect
/// where it stands between two buffers, however far the sink is.
#[test]
fn it_ends_the_session_and_the_next_buffer_opens_another() {
    for (by_event, paused) in [(false, false), (false, true), (true, false)] {
        let (service, mut rig) = TestPipeline::start("idle-timeout=0");
        let said = [0, 100].map(|first| speech_from(first, 2));
        let mut log = BusLog::default();
        rig.begin(&said[0].0, 20);
        if by_event {
            assert!(send_event(&rig));
        } else {
            rig.until_taken(&said[0].0);
            if paused {
                rig.go(gst::State::Paused);
            }
            finish(&rig);
            log.add(rig.listen_until(is_final));
            log.add(rig.listen_until(is_final));
            assert!(!log.saw_eos());
            // Nothing is open now: it has no effect.
            finish(&rig);
            rig.play();
        }
        rig.push(&said[1].0, 20);
        log.add(rig.end());
        log.assert_clean_in(by_event);
        let finals = log.finals();
        let offset = rig.time_of(&said[0].0).mseconds();
        let marks = [expected(&said[0].1, 0), expected(&said[1].1, offset)];
        assert_eq!(marks_of(&finals), marks.concat(), "{by_event}");
        let is_one = finals.iter().all(|t| t.stream == 0 && !t.unconfirmed);
        assert!(is_one, "{finals:#?}");
        let places: Vec<_> = finals.iter().map(|t| (t.utterance, t.session)).collect();
        assert_eq!(places, [(0, 0), (1, 0), (2, 1), (3, 1)], "{by_event}");
        let connections = service.connections();
        assert_eq!(connections.len(), 2, "{by_event}");
        for (connection, (pcm, _)) in connections.iter().zip(&said) {
            assert!(*connection.pcm == *pcm, "{by_event}: the audio differs");
            assert!(connection.final_at.is_some());
        }
    }
}

#[test]
fn it_has_no_effect_where_nothing_is_open() {
    let (service, mut rig) = TestPipeline::start("idle-timeout=0");
    finish(&rig);
    rig.go(gst::State::Ready);
    finish(&rig);
    rig.play();
    finish(&rig);
    send_event(&rig);
    rig.speak(2).assert_clean();
    assert_eq!(service.connections().len(), 1);
}

/// As `gst-inspect-1.0` lists it: an action, without arguments.
#[test]
fn the_signal_is_an_action() {
    let sink = element("volcasrsink");
    let id = glib::subclass::SignalId::lookup("finish", sink.type_()).expect("a signal");
    let query = id.query();
    assert!(query.flags().contains(glib::SignalFlags::ACTION));
    assert_eq!(query.n_params(), 0);
}
