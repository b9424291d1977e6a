//! The session is finished on request, as push-to-talk needs it: its words come, and the next
//! buffer opens another.

use crate::common::*;
use gst::glib;
use gst::prelude::*;
use volcasr_loopback::marks::{Layout, Mark};
use volcasr_loopback::{Options, Service};

/// A pipeline whose sessions nothing ends but the request and the end of the stream.
fn patient() -> (Service, TestPipeline) {
    let service = service(Options::default());
    let rig = TestPipeline::new(set(sink(&service), "idle-timeout=0"));
    (service, rig)
}

/// Two utterances with numbers of their own.
fn spoken(first: u32) -> (Vec<u8>, Vec<Mark>) {
    let layout = Layout {
        first,
        ..Layout::default()
    };
    layout.sentences(2)
}

fn finish(rig: &TestPipeline) {
    rig.sink.emit_by_name::<()>("finish", &[]);
}

fn send_event(rig: &TestPipeline) -> bool {
    let structure = gst::Structure::new_empty("volcasr/finish");
    let event = gst::event::CustomDownstream::new(structure);
    rig.source.send_event(event)
}

/// Listens for both utterances.
fn both(rig: &TestPipeline) -> BusLog {
    let mut log = rig.listen_until(is_final);
    log.add(rig.listen_until(is_final));
    log
}

/// By the signal, when all was taken; by the event, which takes effect where it stands between two
/// buffers, however far the sink is.
#[test]
fn it_ends_the_session_and_the_next_buffer_opens_another() {
    for by_event in [false, true] {
        let (service, mut rig) = patient();
        let said = [spoken(0), spoken(100)];
        let mut log = BusLog::default();
        rig.begin(&said[0].0, 20);
        if by_event {
            assert!(send_event(&rig));
        } else {
            rig.until_taken(&said[0].0);
            finish(&rig);
            log.add(both(&rig));
            assert!(!log.saw_eos());
            // Nothing is open now: it has no effect.
            finish(&rig);
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
fn the_last_words_come_in_paused_too() {
    let (service, mut rig) = patient();
    let (pcm, marks) = spoken(0);
    rig.begin(&pcm, 20);
    rig.until_taken(&pcm);
    rig.go(gst::State::Paused);
    finish(&rig);
    both(&rig).assert_said(&marks, 0);
    until_connection(&service, |c| c.final_at.is_some());
}

#[test]
fn it_has_no_effect_where_nothing_is_open() {
    let (service, mut rig) = patient();
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
