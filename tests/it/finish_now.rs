//! The session is finished on request, as push-to-talk needs it: its words come, and the next
//! buffer opens another.

use crate::common::*;
use gst::glib;
use gst::prelude::*;
use volcasr_loopback::marks::{Layout, Mark};
use volcasr_loopback::{Options, Service};

/// A sink whose sessions nothing ends but the request and the end of the stream.
fn patient(service: &Service) -> gst::Element {
    set(sink(service), "idle-timeout=0")
}

/// Two utterances with numbers of their own.
fn spoken(first: u32) -> (Vec<u8>, Vec<Mark>) {
    let layout = Layout {
        first,
        ..Layout::default()
    };
    layout.sentences(2)
}

fn finish(sink: &gst::Element) {
    sink.emit_by_name::<()>("finish", &[]);
}

/// The sink has taken all of it.
fn until_received(rig: &TestPipeline, pcm: &[u8]) {
    let time = rig.time_of(pcm).nseconds();
    wait_until("all of it is taken", || {
        stat(&rig.sink, "audio-received") == time
    });
}

/// Listens until `count` finals have come.
fn finals(rig: &TestPipeline, count: usize) -> BusLog {
    let left = std::cell::Cell::new(count);
    rig.listen_until(|message| {
        let is_final = Transcript::parse(message).is_some_and(|t| t.is_final);
        left.set(left.get() - usize::from(is_final));
        left.get() == 0
    })
}

impl BusLog {
    fn and(mut self, more: BusLog) -> Self {
        self.add(more);
        self
    }
}

fn assert_two_sessions(log: &BusLog, rig: &TestPipeline, said: &[(Vec<u8>, Vec<Mark>); 2]) {
    assert!(log.saw_eos() && log.errors().is_empty() && log.warnings().is_empty());
    let finals = log.finals();
    let offset = rig.time_of(&said[0].0).mseconds();
    let mut marks = expected(&said[0].1, 0);
    marks.extend(expected(&said[1].1, offset));
    assert_eq!(marks_of(&finals), marks);
    assert!(
        finals.iter().all(|t| t.stream == 0 && !t.unconfirmed),
        "{finals:#?}"
    );
    let places: Vec<_> = finals.iter().map(|t| (t.utterance, t.session)).collect();
    assert_eq!(places, [(0, 0), (1, 0), (2, 1), (3, 1)]);
}

fn assert_recognised_apart(service: &Service, said: &[(Vec<u8>, Vec<Mark>); 2]) {
    let connections = service.connections();
    assert_eq!(connections.len(), 2);
    for (connection, (pcm, _)) in connections.iter().zip(said) {
        assert!(*connection.pcm == *pcm, "the audio differs");
        assert!(connection.final_at.is_some());
    }
}

#[test]
fn the_signal_ends_the_session_and_the_next_buffer_opens_another() {
    let service = service(Options::default());
    let mut rig = TestPipeline::new(patient(&service));
    let said = [spoken(0), spoken(100)];
    rig.play();
    rig.push(&said[0].0, 20);
    until_received(&rig, &said[0].0);
    finish(&rig.sink);
    let first = finals(&rig, 2);
    assert!(!first.saw_eos());
    // Nothing is open now: it has no effect.
    finish(&rig.sink);
    rig.push(&said[1].0, 20);
    rig.end();
    let log = first.and(rig.listen());
    assert_two_sessions(&log, &rig, &said);
    assert_recognised_apart(&service, &said);
}

/// It stands between two buffers, and takes effect there, however far the sink is.
#[test]
fn the_event_ends_it_where_it_comes() {
    let service = service(Options::default());
    let mut rig = TestPipeline::new(patient(&service));
    let said = [spoken(0), spoken(100)];
    rig.play();
    rig.push(&said[0].0, 20);
    let structure = gst::Structure::new_empty("volcasr/finish");
    let event = gst::event::CustomDownstream::new(structure);
    assert!(rig.source.send_event(event));
    rig.push(&said[1].0, 20);
    rig.end();
    let log = rig.listen();
    assert_two_sessions(&log, &rig, &said);
    assert_recognised_apart(&service, &said);
}

#[test]
fn the_last_words_come_in_paused_too() {
    let service = service(Options::default());
    let mut rig = TestPipeline::new(patient(&service));
    let (pcm, marks) = spoken(0);
    rig.play();
    rig.push(&pcm, 20);
    until_received(&rig, &pcm);
    rig.go(gst::State::Paused);
    finish(&rig.sink);
    let log = finals(&rig, 2);
    log.assert_said(&marks, 0);
    assert!(service.wait(LONG, |all| all.iter().any(|c| c.final_at.is_some())));
}

#[test]
fn it_has_no_effect_where_nothing_is_open() {
    let service = service(Options::default());
    let mut rig = TestPipeline::new(patient(&service));
    finish(&rig.sink);
    rig.go(gst::State::Ready);
    finish(&rig.sink);
    rig.play();
    finish(&rig.sink);
    let structure = gst::Structure::new_empty("volcasr/finish");
    rig.source
        .send_event(gst::event::CustomDownstream::new(structure));
    let (pcm, marks) = spoken(0);
    rig.push(&pcm, 20);
    rig.end();
    let log = rig.listen();
    assert!(log.saw_eos() && log.errors().is_empty() && log.warnings().is_empty());
    log.assert_said(&marks, 0);
    assert_eq!(service.connections().len(), 1);
}

/// As `gst-inspect-1.0` lists it: an action, without arguments.
#[test]
fn the_signal_is_an_action() {
    init();
    let sink = sink_for("ws://127.0.0.1:1/");
    let id = glib::subclass::SignalId::lookup("finish", sink.type_()).expect("a signal");
    let query = id.query();
    assert!(query.flags().contains(glib::SignalFlags::ACTION));
    assert_eq!(query.n_params(), 0);
}
